//! The pages in a real browser, which reaches nothing but this machine. Where there is no Chromium, that is said.

use crate::chaos::skipped;
use crate::support::{Server, TempDir};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// How it is started: alone, and no other name or address is to be had.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/// What a browser made of an address: its document, and the lines of its console. `None` where there is no browser.
fn open(url: &str) -> Option<(String, Vec<String>)> {
    let profile = TempDir::new();
    let browser = NAMES.into_iter().find(|name| {
        let asked = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    });
    let Some(browser) = browser else {
        skipped("the pages in a browser", "there is no Chromium (apt-get install chromium)");
        return None;
    };
    let output = Command::new(browser)
        .args(ARGUMENTS)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        // The document after so much of the page's own time.
        .args(["--enable-logging=stderr", "--virtual-time-budget=10000", "--dump-dom", url])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    let console = said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect();
    Some((String::from_utf8_lossy(&output.stdout).into_owned(), console))
}

/// A browser that does what a user does, told over WebDriver (W3C Recommendation, "WebDriver").
struct Driven {
    driver: Child,
    address: SocketAddr,
    session: String,
    _profile: TempDir,
}

impl Driven {
    /// `None` where there is no such browser.
    fn start() -> Option<Self> {
        let profile = TempDir::new();
        let started =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut driver) = started else {
            skipped("the key that is typed", "there is no chromedriver (apt-get install chromium-driver)");
            return None;
        };
        let said = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = said.filter_map(|line| {
            line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse().ok()
        });
        let address = SocketAddr::from(([127, 0, 0, 1], { port }.next().unwrap()));
        let mut driven = Self { driver, address, session: String::new(), _profile: profile };
        let arguments = ARGUMENTS.iter().map(|&argument| argument.to_owned());
        let own = format!("--user-data-dir={}", driven._profile.path().display());
        let arguments: Vec<String> = arguments.chain([own]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}});
        let session = driven.tell("POST", "", &wanted);
        driven.session = format!("/{}", session["sessionId"].as_str().unwrap());
        Some(driven)
    }

    fn tell(&self, method: &str, what: &str, with: &Value) -> Value {
        let (path, with) = (format!("/session{}{what}", self.session), with.to_string());
        let stream = TcpStream::connect(self.address).unwrap();
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", with.len());
        (&stream).write_all((head + &with).as_bytes()).unwrap();
        // It leaves the connection open.
        let (mut reader, mut head, mut length) = (BufReader::new(&stream), String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let begin = head.len();
            assert!(reader.read_line(&mut head).unwrap() > 0, "{what}: {head}");
            let line = head[begin..].to_ascii_lowercase();
            length = line.strip_prefix("content-length:").map_or(length, |n| n.trim().parse().unwrap());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body = String::from_utf8(body).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{what}: {head}{body}");
        serde_json::from_str::<Value>(&body).unwrap()["value"].take()
    }

    fn run(&self, script: &str) -> Value {
        self.tell("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until a script says true.
    fn until(&self, script: &str) {
        let begun = Instant::now();
        while self.run(script) != json!(true) {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{script}: {}",
                self.run("return document.body.innerText")
            );
        }
    }

    /// Types into what a selector finds; the key at the end is Return.
    fn submit(&self, selector: &str, text: &str) {
        let found = self.tell("POST", "/element", &json!({"using": "css selector", "value": selector}));
        let element = found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        self.tell("POST", &format!("/element/{element}/value"), &json!({"text": format!("{text}\u{e007}")}));
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.tell("DELETE", "", &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

#[test]
fn a_key_that_is_typed_opens_the_page_and_a_wrong_one_is_told_so() {
    let server = Server::with(|config| config.api_key("hl_the_right_key"));
    let with_key = [("authorization", "Bearer hl_the_right_key")];
    let seen = br#"{"logs":[{"message":"m","method":"GET","route":"/seen","status_code":200}]}"#;
    assert_eq!(server.post("/logs", &with_key, seen).status, 200);
    let Some(browser) = Driven::start() else { return };
    browser.tell("POST", "/url", &json!({"url": format!("http://{}/", server.address)}));
    let (asks, field) = ("return document.getElementById('key-dialog').open", "#key-form input[name=key]");
    browser.until(asks);
    let shown = |text: &str| format!("return document.body.innerText.includes('{text}')");
    assert_eq!(browser.run(&shown("/seen")), json!(false), "nothing without a key");
    browser.submit(field, "hl_a_wrong_key");
    browser.until(&shown("The collector refused this key."));
    assert_eq!(browser.run(asks), json!(true));
    browser.submit(field, "hl_the_right_key");
    browser.until(&shown("/seen"));
    assert_eq!(browser.run(asks), json!(false));
    // It is this tab's, and in no address, cookie or longer storage.
    let kept = "return [location.href, document.cookie, JSON.stringify(localStorage), sessionStorage.length]";
    let kept = browser.run(kept).to_string();
    assert!(kept.ends_with(r#"/","","{}",1]"#), "{kept}");
    browser.run("location.reload()");
    browser.until(&shown("/seen"));
}

#[test]
fn the_page_of_the_interface_draws_every_operation_and_complains_of_nothing() {
    let server = Server::start();
    let Some((document, console)) = open(&format!("http://{}/reference", server.address)) else { return };
    let paths = server.get("/openapi.json").json()["paths"].as_object().unwrap().clone();
    let mut drawn = 0;
    for (path, methods) in &paths {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            let head = format!("<span class=\"method\">{method}</span><span class=\"path\">{path}</span>");
            assert!(document.contains(&format!("<details id=\"{id}\">")), "{id}");
            assert!(document.contains(&head), "{head}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                assert!(document.contains(&format!("<code>{name}</code>")), "{id}: {name}");
            }
            drawn += 1;
        }
    }
    println!("FIGURE reference.operations_drawn {drawn} count");
    println!("FIGURE reference.console_errors {} count", console.len());
    assert!(drawn >= 25, "{drawn}");
    assert!(console.is_empty(), "{console:?}");
}

#[test]
fn the_page_asks_for_a_key_where_one_is_needed_and_shows_requests_where_none_is() {
    let server = Server::start();
    server.send(serde_json::json!([{"message": "m", "method": "GET", "route": "/seen", "status_code": 200}]));
    let Some((document, console)) = open(&format!("http://{}/", server.address)) else { return };
    assert!(document.contains("/seen"), "{document}");
    assert!(console.is_empty(), "{console:?}");
    let locked = Server::with(|config| config.api_key("hl_key"));
    let Some((document, _)) = open(&format!("http://{}/", locked.address)) else { return };
    let dialog = document.split("<dialog").find(|dialog| dialog.contains("key-dialog")).unwrap();
    assert!(dialog.split('>').next().unwrap().contains("open"), "{dialog}");
}

#[test]
fn what_a_page_complains_of_is_seen() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4_096]);
            let page = "<!doctype html><script>console.error('seen')</script><img src=\"http://elsewhere.example/x.png\">";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    let Some((_, console)) = open(&format!("http://{address}/")) else { return };
    assert!(console.iter().any(|line| line.contains("seen")), "{console:?}");
}

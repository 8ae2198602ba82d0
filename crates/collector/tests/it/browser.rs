//! The pages in a real browser, which reaches nothing but this machine. Where there is no Chromium, that is said.

use crate::support::{Server, TempDir};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::{Command, Stdio};

const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What a browser made of an address: its document, and the lines of its console. `None` where there is no browser.
#[expect(clippy::print_stdout, reason = "a test that is left out says so")]
fn open(url: &str) -> Option<(String, Vec<String>)> {
    let profile = TempDir::new();
    let browser = NAMES.into_iter().find(|name| {
        let asked = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    });
    let Some(browser) = browser else {
        println!("SKIPPED the pages in a browser: there is no Chromium (apt-get install chromium)");
        return None;
    };
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
        // No other name or address is to be had.
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
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

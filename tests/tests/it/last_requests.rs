//! What a process was handling when it was killed, as the next start reports it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use hoplog::{Client, Spool};
use hoplog_testkit::facts::fact;
use hoplog_testkit::gate::Gate;
use hoplog_testkit::scenarios::Framework;
use hoplog_testkit::wire::Wire;
use serde_json::Value;

use crate::collector::{Collector, Directory, get};
use crate::scenarios_actix::Actix;
use crate::scenarios_tower::Axum;

/// Requests that are open when the process ends, and how many of them can be noted.
const OPEN: u8 = 6;
const PLACES: usize = 4;
const SOON: Duration = Duration::from_millis(20);

fn client(url: &str, spool: &str, version: &str) -> Client {
    Client::builder()
        .without_variables()
        .endpoint(url)
        .service("shop")
        .service_version(version)
        .flush_interval(SOON)
        .running_after(SOON)
        .spool(Spool::new(spool).leave_free(0).open_requests(PLACES))
        .build()
        .unwrap()
}

/// What the process does that ends: it serves, says where, and ends as it is told.
#[expect(clippy::print_stdout, reason = "how its parent hears of it")]
async fn serve<F: Framework>(framework: F, url: &str, spool: &str) {
    let client = client(url, spool, "v1");
    let subject = framework.serve(Some(client.clone()), Gate::default()).await;
    println!("serves {}", subject.address());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    match line.trim() {
        "abort" => std::process::abort(),
        "exit" => std::process::exit(0),
        "end" => {
            client.shutdown(Duration::from_secs(5)).await;
            std::process::exit(0)
        }
        other => panic!("{other}"),
    }
}

/// A process that serves.
struct Shop {
    child: Child,
    stdin: ChildStdin,
    _stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Shop {
    fn start(test: &str, framework: &str, url: &str, spool: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("HOPLOG_TEST_SHOP", framework)
            .env("HOPLOG_TEST_URL", url)
            .env("HOPLOG_TEST_SPOOL", spool)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let address = loop {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "it serves");
            if let Some((_, address)) = line.split_once("serves ") {
                break address.trim().parse().unwrap();
            }
        };
        let stdin = child.stdin.take().unwrap();
        Self { child, stdin, _stdout: stdout, address }
    }

    fn ends(mut self, how: &str) {
        if how == "kill" {
            self.child.kill().unwrap();
        } else {
            writeln!(self.stdin, "{how}").unwrap();
        }
        self.child.wait().unwrap();
    }
}

fn trace(number: u8) -> String {
    format!("{number:032x}")
}

/// Runs the process of a test again in its own role; false in the parent.
async fn plays_its_part() -> bool {
    let variable = |name: &str| std::env::var(name);
    let (Ok(url), Ok(spool)) = (variable("HOPLOG_TEST_URL"), variable("HOPLOG_TEST_SPOOL")) else {
        return false;
    };
    match variable("HOPLOG_TEST_SHOP").unwrap().as_str() {
        "tower" => serve(Axum, &url, &spool).await,
        _ => serve(Actix, &url, &spool).await,
    }
    true
}

/// Entries of an outcome or a kind.
async fn found(collector: &Collector, what: &str) -> Vec<Value> {
    let found = collector.ask(&format!("/api/v1/logs?{what}&limit=100")).await;
    found["logs"].as_array().unwrap().clone()
}

async fn reports(framework: &str, how: &str) -> usize {
    const SECRET: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJyb290In0.c2lnbmF0dXJlLW9mLWEtdG9rZW4";
    let (directory, spool) = (Directory::new(), Directory::new());
    let place = spool.path("spool");
    let collector = Collector::start(&directory).await;
    let test = "last_requests::a_process_that_is_killed_leaves_word_of_what_it_was_handling";
    let shop = Shop::start(test, framework, &collector.url(), place.to_str().unwrap());
    let pid = shop.child.id();
    assert_eq!(get(shop.address, "/users/7").await.status, 200);
    let mut open = Vec::new();
    for number in 1..=OPEN {
        let mut wire = Wire::connect(shop.address).await;
        let head = format!(
            "GET /wait?token={SECRET} HTTP/1.1\r\nhost: shop\r\nauthorization: Bearer {SECRET}\r\n\
             cookie: session={SECRET}\r\ntraceparent: 00-{}-00000000000000aa-01\r\n\r\n",
            trace(number)
        );
        wire.send(head).await;
        open.push(wire);
    }
    let running = collector_says(&collector, "kind=running", OPEN.into()).await;
    assert!(!spool.contains(SECRET.as_bytes()), "no secret is on the disk");
    shop.ends(how);

    let next = client(&collector.url(), place.to_str().unwrap(), "v2");
    fact("what was left is delivered", || {
        let own = &next.stats().destinations[0];
        let idle = own.spool.is_some_and(|spool| spool.unread_bytes == 0 && spool.bytes == 0);
        (idle && own.spooled + own.in_flight == 0).then_some(())
    })
    .await;
    assert_eq!(next.stats().drift(), 0);
    let died = found(&collector, "outcome=process_died").await;
    for entry in &died {
        assert_eq!((&entry["kind"], &entry["method"]), (&"request".into(), &"GET".into()), "{entry}");
        let at = entry.get("route").filter(|route| route.is_string()).unwrap_or(&entry["path"]);
        assert_eq!((at, &entry["level"]), (&"/wait".into(), &"ERROR".into()), "{entry}");
        assert_eq!((&entry["pid"], &entry["service_version"]), (&pid.into(), &"v1".into()), "{entry}");
        assert_eq!(entry["message"], "GET /wait process_died");
        let known = |running: &&Value| running["exchange_id"] == entry["id"];
        let running = running.iter().find(known).unwrap_or_else(|| panic!("none ran as {entry}"));
        for same in ["trace_id", "span_id", "request_id", "created_at"] {
            assert_eq!(running[same], entry[same], "{same}");
        }
    }
    let hidden = running.len() - found(&collector, "kind=running").await.len();
    assert_eq!(hidden, died.len(), "who is reported does not run");
    let more = found(&collector, "q=more%20requests%20were%20open").await;
    if let Some(more) = more.first() {
        let beyond = usize::from(OPEN) - PLACES;
        assert!(more["message"].as_str().unwrap().starts_with(&beyond.to_string()), "{more}");
        assert_eq!((&more["pid"], &more["kind"]), (&pid.into(), &"event".into()));
    }
    assert_eq!(more.len(), usize::from(!died.is_empty()));
    next.shutdown(Duration::from_secs(5)).await;
    assert!(!spool.files().iter().any(|(path, _)| path.to_string_lossy().contains("requests.open")));
    died.len()
}

/// So many entries, as soon as they are there.
async fn collector_says(collector: &Collector, what: &str, entries: usize) -> Vec<Value> {
    tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let all = found(collector, what).await;
            if all.len() >= entries {
                return all;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap_or_else(|_| panic!("{entries} of {what} in vain"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_leaves_word_of_what_it_was_handling() {
    if plays_its_part().await {
        return;
    }
    for (framework, how, reported) in [
        ("tower", "kill", PLACES),
        ("tower", "abort", PLACES),
        ("actix", "kill", PLACES),
        // With requests open that nobody waits for.
        ("tower", "exit", PLACES),
        ("tower", "end", 0),
    ] {
        let found = reports(framework, how).await;
        println!("FIGURE last_requests.{framework}_{how} {found} 1");
        assert_eq!(found, reported, "{framework} {how}");
    }
}

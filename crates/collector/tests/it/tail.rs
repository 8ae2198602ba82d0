//! Following what arrives: `GET /api/v1/tail` and `hoplog tail`.

use super::Server;
use crate::support::{NOON, connect, id_of, request};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A follower's connection, read line by line, and the last event's id; chunk sizes and empty lines are left out.
struct Follower(BufReader<TcpStream>, String);

impl Follower {
    /// Follows from here on: the answer's head has come.
    fn begin(address: SocketAddr, query: &str) -> Self {
        Self::ask(address, query, "")
    }

    /// Goes on behind the event of this id.
    fn resume(address: SocketAddr, query: &str, id: &str) -> Self {
        Self::ask(address, query, &format!("last-event-id: {id}\r\n"))
    }

    fn ask(address: SocketAddr, query: &str, header: &str) -> Self {
        let mut stream = connect(address);
        write!(stream, "GET /api/v1/tail{query} HTTP/1.1\r\nhost: localhost\r\n{header}\r\n").unwrap();
        let mut follower = Self(BufReader::new(stream), String::new());
        assert_eq!(follower.line(), "HTTP/1.1 200 OK");
        let head: Vec<_> =
            std::iter::from_fn(|| Some(follower.raw()).filter(|line| !line.is_empty())).collect();
        for expected in
            ["content-type: text/event-stream", "cache-control: no-store", "x-content-type-options: nosniff"]
        {
            assert!(head.iter().any(|line| line == expected), "{head:?}");
        }
        assert_eq!(follower.line(), ": what arrives from now on");
        follower
    }

    fn raw(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
        line.trim_end().to_owned()
    }

    fn line(&mut self) -> String {
        loop {
            let line = self.raw();
            if let Some(id) = line.strip_prefix("id: ") {
                self.1 = id.to_owned();
            } else if !line.is_empty() && u32::from_str_radix(&line, 16).is_err() {
                return line;
            }
        }
    }

    fn entry(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(line.strip_prefix("data: ").unwrap_or_else(|| panic!("no entry: {line}")))
            .unwrap()
    }

    fn messages(&mut self, count: usize) -> Vec<String> {
        (0..count).map(|_| self.entry()["message"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_follower_sees_what_arrives_and_nothing_from_before() {
    let server = Server::start();
    server.send(json!([{"message": "before"}]));
    let mut follower = Follower::begin(server.address, "");
    // Of today's file, of one that is not there yet, and an old time in today's.
    server.send(json!([
        {"message": "a", "note": "two\nlines"},
        {"message": "b", "id": id_of(NOON - 86_400)},
        {"message": "c", "created_at": NOON - 3_600},
    ]));
    let mut first = follower.messages(3);
    first.sort();
    assert_eq!(first, ["a", "b", "c"]);
    server.send(json!([{"message": "d"}, {"message": "e"}]));
    assert_eq!(follower.messages(2), ["d", "e"]);
}

#[test]
fn an_entry_comes_as_in_every_other_answer_and_once() {
    let server = Server::start();
    let mut follower = Follower::begin(server.address, "");
    let id = id_of(NOON);
    // Line breaks between the tokens of metadata, which is kept as it came.
    let body = format!("{{\"logs\":[{{\"id\":\"{id}\",\"message\":\"a\",\"metadata\":{{\"x\":\r\n 1}}}}]}}");
    for _ in 0..2 {
        assert_eq!(server.post("/logs", &[], body.as_bytes()).status, 200);
    }
    server.send(json!([{"message": "last"}]));
    assert_eq!(follower.entry(), server.get(&format!("/api/v1/logs/{id}")).json());
    assert_eq!(follower.messages(1), ["last"]);
}

#[test]
fn filters_hold_for_what_arrives() {
    let server = Server::start();
    let mut followers = [
        ("?service=shop&level=error", "bd"),
        ("?kind=request,outgoing", "cd"),
        ("?slow=true", "d"),
        ("?trace_id=4bf92f3577b34da6a3ce929d0e0e4736", "ad"),
        ("?metadata.plan=free&q=D", "d"),
    ]
    .map(|(query, found)| (Follower::begin(server.address, query), query, found));
    server.send(json!([
        {"message": "a", "service": "shop", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"},
        {"message": "b", "service": "shop", "level": "ERROR"},
        {"message": "c", "kind": "outgoing"},
        {"message": "d", "service": "shop", "level": "ERROR", "kind": "request", "slow": true, "plan": "free",
         "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736"},
    ]));
    for (follower, query, found) in &mut followers {
        assert_eq!(follower.messages(found.len()).concat(), *found, "{query}");
    }
    for (query, part) in [
        ("?level=loud", "`level` is `loud`"),
        ("?from=1", "`from` has no meaning"),
        ("?limit=1", "`limit` has no meaning"),
        ("?cursor=1.2.3", "`cursor` has no meaning"),
        ("?servce=shop", "unknown parameter `servce`"),
    ] {
        let response = server.get(&format!("/api/v1/tail{query}"));
        assert_eq!(response.status, 400, "{query}: {response:?}");
        assert!(response.body.contains(part), "{query}: {response:?}");
    }
}

#[test]
fn one_that_takes_too_little_is_moved_on_and_told_how_far() {
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        limits.follower_lag = 500;
        config.limits(limits)
    });
    let mut follower = Follower::begin(server.address, "?q=m");
    // More bytes than the system holds for a connection, in few entries; then more entries than it may be behind.
    let sent = 3_200;
    let message = |n: u64| format!("{}{n}", "m".repeat(if n < 200 { 100_000 } else { 1 }));
    for from in (0..sent).step_by(200) {
        server.send((from..from + 200).map(|n| json!({"message": message(n)})).collect());
    }
    let number = |entry: &Value| -> u64 {
        entry["message"].as_str().unwrap().trim_start_matches('m').parse().unwrap()
    };
    let (mut seen, mut skipped, mut last) = (0, 0, None);
    while last != Some(sent - 1) {
        let line = follower.line();
        if line == "event: skipped" {
            let data = follower.line();
            let told: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            skipped += told["entries"].as_u64().unwrap();
        } else {
            let entry: Value = serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap();
            let number = number(&entry);
            assert!(
                last.is_none_or(|last| number > last),
                "in order, and none twice: {number} after {last:?}, {skipped} skipped"
            );
            (seen, last) = (seen + 1, Some(number));
        }
    }
    assert!(skipped > 0, "nobody fell behind");
    assert_eq!(seen + skipped, sent, "each was shown or counted");
}

#[test]
fn a_follower_outlives_the_times_of_a_request_and_ends_with_the_collector() {
    let mut server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        (limits.header_time, limits.keep_alive) = (Duration::from_millis(200), Duration::from_millis(1));
        config.limits(limits).drain_time(Duration::from_secs(20))
    });
    let mut follower = Follower::begin(server.address, "");
    // Long after both, as another connection shows that is refused by then.
    let mut idle = connect(server.address);
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0);
    server.send(json!([{"message": "a"}]));
    assert_eq!(follower.messages(1), ["a"]);
    let stopping = server.begin_stop();
    assert_eq!(follower.line(), "event: end");
    assert_eq!(follower.line(), r#"data: {"detail":"the collector shuts down"}"#);
    let begun = std::time::Instant::now();
    crate::support::RUNTIME.block_on(stopping).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "it does not hold the drain up");
}

#[test]
fn there_are_so_many_followers_and_no_more() {
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        limits.followers = 2;
        config.limits(limits)
    });
    let (first, second) = (Follower::begin(server.address, ""), Follower::begin(server.address, ""));
    let refused = server.get("/api/v1/tail");
    assert_eq!((refused.status, refused.header("content-type")), (503, Some("application/problem+json")));
    assert!(
        refused.header("retry-after").is_some() && refused.body.contains("end one of them"),
        "{refused:?}"
    );
    drop(first);
    // Its place is free once the collector has noticed.
    let until = std::time::Instant::now() + Duration::from_secs(20);
    let answered = |address| {
        let mut stream = connect(address);
        write!(stream, "GET /api/v1/tail HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).unwrap();
        head.ends_with(b"200")
    };
    while !answered(server.address) {
        assert!(std::time::Instant::now() < until, "the place stays taken");
    }
    drop(second);
}

#[test]
fn with_a_key_nobody_follows_without_it() {
    let server = Server::with(|config| config.api_key("hl_key"));
    assert_eq!(request(server.address, "GET", "/api/v1/tail", &[], b"").status, 401);
}

struct Tail(Child);

impl Tail {
    /// Runs the command until it says that it follows.
    fn begin(server: &Server, arguments: &[&str]) -> (Self, BufReader<std::process::ChildStderr>) {
        let url = format!("http://{}", server.address);
        let mut child = Command::new(env!("CARGO_BIN_EXE_hoplog"))
            .args(["tail", "--url", &url])
            .args(arguments)
            .env_remove("HOPLOG_API_KEY")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert_eq!(line, format!("hoplog: following {url}; Ctrl-C ends it\n"));
        (Self(child), said)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_follower_comes_back_to_where_it_was_whatever_happened_meanwhile() {
    let server = Server::start();
    let mut follower = Follower::begin(server.address, "?service=shop");
    let entry = |n: u64, days: u64| json!({"id": id_of(NOON - days * 86_400), "message": n.to_string(), "service": "shop"});
    server.send((0..5).map(|n| entry(n, n % 2)).collect());
    let mut seen = follower.messages(3);
    let id = follower.1.clone();
    drop(follower);
    // More arrives, of these days and of a new one, and the collector is another process's.
    server.send(json!([entry(5, 0), entry(6, 3), {"message": "not this", "service": "payments"}]));
    let server = Server::in_directory(server.stop(), |config| config);
    server.clock.set(NOON + 86_400);
    server.send(json!([{"id": id_of(NOON + 86_400), "message": "7", "service": "shop"}]));
    let mut back = Follower::resume(server.address, "?service=shop", &id);
    seen.extend(back.messages(5));
    seen.sort();
    assert_eq!(seen, ["0", "1", "2", "3", "4", "5", "6", "7"]);
    server.send(json!([{"message": "8", "service": "shop"}]));
    assert_eq!(back.messages(1), ["8"]);
    for id in ["x", "1.2_3.4_5.6_7.8_9.0"] {
        let response = request(server.address, "GET", "/api/v1/tail", &[("last-event-id", id)], b"");
        assert_eq!(
            (response.status, response.json()["parameter"].as_str()),
            (400, Some("Last-Event-ID")),
            "{id}"
        );
    }
}

#[test]
fn the_command_prints_what_arrives_across_a_restart_of_the_collector() {
    let server = Server::start();
    let address = server.address;
    let (mut tail, mut said) = Tail::begin(&server, &["--service", "shop"]);
    server.send(json!([
        {"message": "not this", "service": "payments"},
        {"message": "order\u{7} placed", "service": "shop", "created_at": NOON, "order": 7},
    ]));
    let mut out = BufReader::new(tail.0.stdout.take().unwrap());
    let mut printed = || {
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        line
    };
    assert_eq!(
        printed(),
        "2026-03-10T12:00:00.000Z INFO  shop                        order\\u{7} placed order=7\n"
    );
    let mut told = || {
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        line
    };
    let directory = server.stop();
    let url = format!("http://{address}");
    assert_eq!(told(), format!("hoplog: {url} has ended it: the collector shuts down; coming back\n"));
    let server = Server::in_directory(directory, |config| config.listen(address));
    server.send(
        (0..3).map(|n| json!({"message": format!("m{n}"), "service": "shop", "created_at": NOON})).collect(),
    );
    for n in 0..3 {
        assert!(printed().ends_with(&format!("  m{n}\n")));
    }
    assert_eq!(told(), format!("hoplog: following {url} again\n"));
    let mut child = Tail::begin(&server, &["--level", "error"]).0;
    drop(server);
    assert_eq!(child.0.try_wait().unwrap(), None, "it waits for the collector");
}

#[test]
fn the_command_prints_json_lines_and_ends_with_its_reader() {
    let server = Server::start();
    let (mut tail, mut said) = Tail::begin(&server, &["--json", "--level", "error"]);
    server.send(json!([{"message": "a\u{9b}b", "level": "ERROR"}]));
    let mut out = BufReader::new(tail.0.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.contains("a\\u009bb"), "{line}");
    assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["message"], "a\u{9b}b");
    drop(out);
    server.send(json!([{"message": "b", "level": "ERROR"}]));
    assert_eq!(tail.0.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

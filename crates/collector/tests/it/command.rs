//! `hoplog query` against a collector: what it prints, what it says instead, its exit codes.

use crate::support::{NOON, Server};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn hoplog(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hoplog"));
    command.args(arguments).env_remove("HOPLOG_API_KEY").env_remove("HOPLOG_ENDPOINT");
    // A proxy of the machine's is none of these tests' concern.
    command.env("NO_PROXY", "*").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> (Option<i32>, &str, &str) {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn query(server: &Server, arguments: &[&str]) -> Output {
    let url = format!("http://{}", server.address);
    hoplog(&[&["query", "--url", &url], arguments].concat()).output().unwrap()
}

/// What it prints; it says nothing else.
fn printed(server: &Server, arguments: &[&str]) -> String {
    let output = query(server, arguments);
    let (code, out, err) = said(&output);
    assert_eq!((code, err), (Some(0), ""), "{arguments:?}: {out}");
    out.to_owned()
}

fn send_trace(server: &Server) {
    let at = |ms: f64| NOON as f64 + ms / 1e3;
    server.send(json!([
        {"kind": "request", "service": "shop", "method": "GET", "path": "/orders/7", "route": "/orders/{id}",
         "status_code": 200, "outcome": "completed", "created_at": at(0.0), "duration_ms": 40.0,
         "trace_id": TRACE, "span_id": "00f067aa0ba902b1", "parent_span_id": "00f067aa0ba902b0"},
        {"kind": "outgoing", "service": "shop", "method": "GET", "path": "/charges/7", "status_code": 402,
         "outcome": "completed", "level": "WARN", "created_at": at(4.0), "duration_ms": 30.0,
         "trace_id": TRACE, "span_id": "00f067aa0ba902b2", "parent_span_id": "00f067aa0ba902b1"},
        {"kind": "request", "service": "payments", "method": "GET", "path": "/charges/7", "route": "/charges/{order}",
         "status_code": 402, "outcome": "completed", "level": "WARN", "created_at": at(6.5), "duration_ms": 25.25,
         "error_type": "ChargeDeclined", "error_message": "the card\nwas declined", "slow": true, "weight": 4,
         "trace_id": TRACE, "span_id": "00f067aa0ba902b3", "parent_span_id": "00f067aa0ba902b2"},
        {"kind": "event", "service": "payments", "level": "ERROR", "message": "charge \u{1b}[31mrefused\u{202e}", "order": 7,
         "note": "a\tb", "created_at": at(20.0), "trace_id": TRACE, "span_id": "00f067aa0ba902b3"},
        {"kind": "event", "service": "shop", "level": "INFO", "message": "order kept for later", "created_at": at(36.0),
         "trace_id": TRACE, "span_id": "00f067aa0ba902b1"},
        {"kind": "running", "service": "export", "method": "POST", "path": "/exports", "created_at": at(38.0),
         "trace_id": TRACE, "span_id": "00f067aa0ba902b4", "parent_span_id": "00f067aa0ba902b1"},
        {"kind": "request", "service": "export", "method": "GET", "path": "/lost", "outcome": "panicked", "level": "ERROR",
         "created_at": at(39.0), "duration_ms": 0.5, "trace_id": TRACE, "span_id": "00f067aa0ba902b5",
         "parent_span_id": "00f067aa0ba902bf"},
        {"message": "of another trace", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4737"},
    ]));
}

const DRAWN: &str = r"trace 4bf92f3577b34da6a3ce929d0e0e4736  2026-03-10T12:00:00.000Z  40.00 ms, 3 services, 5 spans, 2 events
      at ms    took ms
      +0.00      40.00 ████████████████████████ shop     GET /orders/{id} 200 (caller not recorded)
      +4.00      30.00   ━━━━━━━━━━━━━━━━━━     shop     ├─ → GET /charges/7 402
      +6.50      25.25    ████████████████      payments │  └─ GET /charges/{order} 402 error=ChargeDeclined error_message=the card⏎was declined slow ×4
     +20.00                        •            payments │     └─ ERROR charge \u{1b}[31mrefused\u{202e} note=a b order=7
     +36.00                                 •   shop     ├─ INFO  order kept for later
     +38.00       open                       ░░ export   └─ POST /exports running
     +39.00       0.50                        █ export   GET /lost panicked (caller not recorded)
";

#[test]
fn a_trace_is_drawn_with_everything_under_what_caused_it() {
    let server = Server::start();
    send_trace(&server);
    assert_eq!(printed(&server, &["--trace", TRACE]), DRAWN);
    // The id as another tool shows it, and where a variable says whom to ask.
    let url = format!("http://{}/", server.address);
    let id = "4BF92F35-77B3-4DA6-A3CE-929D0E0E4736";
    let output = hoplog(&["query", "--trace", id]).env("HOPLOG_ENDPOINT", url).output().unwrap();
    assert_eq!(said(&output), (Some(0), DRAWN, ""));
}

#[test]
fn a_trace_as_json_is_the_collectors_answer_without_hidden_characters() {
    let server = Server::start();
    send_trace(&server);
    let text = printed(&server, &["--trace", TRACE, "--json"]);
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer, server.get(&format!("/api/v1/traces/{TRACE}")).json());
    assert!(!text.trim_end().contains(hoplog_entry::is_hidden), "{text}");
}

#[test]
fn entries_are_printed_newest_first_a_line_each() {
    let server = Server::start();
    send_trace(&server);
    let lines = printed(&server, &["--service", "payments"]);
    assert_eq!(
        lines,
        "2026-03-10T12:00:00.020Z ERROR payments                    charge \\u{1b}[31mrefused\\u{202e} note=a b order=7 trace=4bf92f3577b34da6a3ce929d0e0e4736\n\
         2026-03-10T12:00:00.006Z WARN  payments    402     25.2ms  GET /charges/7 error=ChargeDeclined error_message=the card⏎was declined \
         slow ×4 trace=4bf92f3577b34da6a3ce929d0e0e4736\n"
    );
}

#[test]
fn each_filter_reaches_the_collector() {
    let server = Server::start();
    server.send(json!([
        {"message": "a", "created_at": NOON - 2, "kind": "request", "service": "shop", "level": "ERROR", "path": "/users/1",
         "route": "/users/{id}", "method": "GET", "status_code": 500, "request_id": "r1", "user_id": "u1", "session_id": "s1",
         "tenant_id": "t1", "client_type": "web", "ip": "192.0.2.1", "outcome": "panicked", "slow": true,
         "plan": "free", "error_message": "out of eggs"},
        {"message": "b", "created_at": NOON - 1, "kind": "event"},
    ]));
    let found = |arguments: &[&str]| -> String {
        let lines = printed(&server, &[arguments, &["--json"]].concat());
        lines
            .lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap()["message"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(found(&[]), "ba");
    assert_eq!(found(&["--limit", "1"]), "b");
    for (option, value) in [
        ("--service", "shop"),
        ("--level", "error"),
        ("--path", "/users/1"),
        ("--route", "/users/{id}"),
        ("--method", "GET"),
        ("--status", "5xx"),
        ("--request-id", "r1"),
        ("--user-id", "u1"),
        ("--session-id", "s1"),
        ("--tenant-id", "t1"),
        ("--client-type", "web"),
        ("--ip", "192.0.2.1"),
        ("--outcome", "panicked"),
        ("--kind", "request,outgoing"),
        ("--slow", "true"),
        ("-q", "OUT OF"),
        ("--metadata", "plan=free"),
        ("--to", "2026-03-10T11:59:59Z"),
    ] {
        assert_eq!(found(&[option, value]), "a", "{option} {value}");
    }
    assert_eq!(found(&["--from", "2026-03-10T13:59:59+02:00"]), "b");
    let none = query(&server, &["--service", "nobody"]);
    assert_eq!(said(&none), (Some(1), "", "hoplog: no entry meets this\n"));
}

#[test]
fn times_are_counted_back_from_now() {
    let server = Server::start();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let sent = [("old", 7_200), ("young", 1_200), ("new", 60)];
    server.send(
        sent.map(|(message, ago)| json!({"message": message, "created_at": now - ago, "service": "s"}))
            .into(),
    );
    let count = |arguments: &[&str]| printed(&server, arguments).lines().count();
    assert_eq!(count(&["--from", "-1d"]), 3);
    assert_eq!(count(&["--from", "-1h"]), 2);
    assert_eq!(count(&["--from=-15m"]), 1);
    assert_eq!(count(&["--from", "-3h", "--to", "-15m"]), 2);
}

#[test]
fn more_than_a_page_is_asked_for_page_by_page() {
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        limits.answer_bytes = 200_000;
        config.limits(limits)
    });
    server.send((0..1_500).map(|n| json!({"message": format!("m{n}"), "created_at": NOON - n})).collect());
    let lines = printed(&server, &["--limit", "1234"]);
    let messages: Vec<_> = lines.lines().map(|line| line.split_whitespace().nth(3).unwrap()).collect();
    assert_eq!(messages, (0..1_234).map(|n| format!("m{n}")).collect::<Vec<_>>());
    let output = query(&server, &[]);
    let (code, out, err) = said(&output);
    assert_eq!((code, out.lines().count()), (Some(0), 100));
    assert_eq!(err, "hoplog: there are more than these 100: pass --limit\n");
}

/// One line on stderr, nothing on stdout.
fn refuses(command: &mut Command, code: i32, part: &str) {
    let output = command.output().unwrap();
    let (found, out, err) = said(&output);
    assert_eq!((found, out), (Some(code), ""), "{command:?}: {err}");
    assert!(err.starts_with("hoplog: ") && err.contains(part), "{command:?}: {err}");
    assert_eq!(err.lines().count(), 1, "{command:?}: {err}");
}

#[test]
fn what_cannot_be_asked_is_one_line_that_names_the_fix() {
    let server = Server::start();
    let url = format!("http://{}", server.address);
    let asking = |arguments: &[&str]| hoplog(&[&["query", "--url", &url], arguments].concat());
    refuses(
        &mut asking(&["--level", "loud"]),
        2,
        "Bad Request: `level` is `loud`; expected a level such as ERROR",
    );
    refuses(&mut asking(&["--from", "2026-03-10"]), 2, "`from` is `2026-03-10`");
    refuses(&mut asking(&["--trace", TRACE]), 1, "it may not have arrived yet");
    refuses(&mut asking(&["--trace", "a/../b?c"]), 1, "no entry of a trace a/../b?c:");
    for url in ["localhost:8000", "ftp://localhost", "nonsense", "http://"] {
        refuses(&mut hoplog(&["query", "--url", url]), 2, "pass --url such as http://127.0.0.1:8000");
    }
    refuses(&mut hoplog(&["query", "--url", "http://user:secret@localhost"]), 2, "pass the key as --api-key");
    let output =
        hoplog(&["query"]).env("HOPLOG_ENDPOINT", "postgres://user:secret@localhost").output().unwrap();
    assert_eq!((output.status.code(), said(&output).2.contains("secret")), (Some(2), false));
    // clap's own, in its own words.
    for arguments in [
        &["query", "--trace", TRACE, "--service", "shop"][..],
        &["query", "--trace", TRACE, "--from", "-1h"],
        &["query", "--trace", TRACE, "--limit", "1"],
        &["query", "--trace", ""],
        &["query", "--from", "-15x"],
        &["query", "--limit", "0"],
        &["query", "--metadata", "plan"],
        &["query", "--servce", "shop"],
    ] {
        assert_eq!(hoplog(arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn a_key_is_shown_where_it_is_asked_for_and_never_in_the_clear() {
    let server = Server::with(|config| config.api_key("hl_key"));
    let url = format!("http://{}", server.address);
    let asking =
        |arguments: &[&str]| hoplog(&[&["query", "--url", &url, "--limit", "1"], arguments].concat());
    refuses(&mut asking(&[]), 3, "asks for a key: pass --api-key or set HOPLOG_API_KEY");
    refuses(&mut asking(&["--api-key", "other"]), 3, "does not take this key: check --api-key");
    refuses(&mut asking(&["--api-key", "a\nb"]), 2, "check --api-key");
    // Let in, and nothing found.
    assert_eq!(asking(&["--api-key", "hl_key"]).output().unwrap().status.code(), Some(1));
    assert_eq!(asking(&[]).env("HOPLOG_API_KEY", "hl_key").output().unwrap().status.code(), Some(1));
    // 192.0.2.0/24 is nobody's (RFC 5737); nothing is sent there.
    let away = ["query", "--url", "http://192.0.2.1:8000", "--api-key", "hl_key"];
    refuses(&mut hoplog(&away), 2, "in the clear: use https, or pass --allow-insecure-http");
    let help = hoplog(&["query", "--help"]).env("HOPLOG_API_KEY", "hl_secret").output().unwrap();
    assert!(said(&help).1.contains("HOPLOG_API_KEY") && !said(&help).1.contains("hl_secret"));
}

#[test]
fn where_no_collector_is_the_address_is_named() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}");
    refuses(&mut hoplog(&["query", "--url", &url]), 3, &format!("no collector at {url} ("));
    // Somebody else's server, and one that hangs up.
    for (answer, part) in [
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi",
            "is no hoplog collector: check --url",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
            "is no hoplog collector",
        ),
        ("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nhi", "is no hoplog collector"),
        (
            "HTTP/1.1 302 Found\r\nlocation: https://logs.example/\r\ncontent-length: 0\r\n\r\n",
            "redirects to https://logs.example/",
        ),
        ("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{", "broke"),
        ("", "does not answer"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
            stream.write_all(answer.as_bytes()).unwrap();
        });
        refuses(&mut hoplog(&["query", "--url", &url]), 3, part);
        server.join().unwrap();
    }
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let server = Server::start();
    let long = "m".repeat(10_000);
    server.send((0..1_000).map(|n| json!({"message": long, "created_at": NOON - n})).collect());
    let url = format!("http://{}", server.address);
    let mut child = hoplog(&["query", "--url", &url, "--limit", "1000"]).spawn().unwrap();
    let mut first = String::new();
    // Far more than a pipe holds is still to come when the reader goes.
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(said(&output), (Some(0), "", ""));
    assert!(first.contains(&long));
}

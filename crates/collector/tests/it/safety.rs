//! Keys, names, slow clients, and what every answer bears.

use crate::support::{Server, connect, exchange, request, request_from};
use hoplog_collector::Limits;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const BODY: &[u8] = br#"{"logs":[{"message":"x"}]}"#;

#[test]
fn with_a_key_everything_about_entries_needs_it() {
    let server = Server::with(|config| config.api_key("hl_key"));
    let all = [
        ("POST", "/logs"),
        ("POST", "/api/v1/logs"),
        ("POST", "/api/v1/logs/batch"),
        ("GET", "/api/v1/logs"),
        ("GET", "/api/v1/logs/x"),
        ("GET", "/api/v1/traces/x"),
        ("GET", "/api/v1/routes"),
        ("GET", "/api/v1/services"),
        ("GET", "/stats"),
        ("GET", "/metrics"),
        ("GET", "/no/such/path"),
    ];
    for (n, (method, path)) in all.into_iter().enumerate() {
        let mut bodies = Vec::new();
        for header in [
            &[][..],
            &[("authorization", "Bearer wrong")],
            &[("x-api-key", "hl_ke")],
            &[("cookie", "hl_key")],
        ] {
            // From several addresses: one that fails too often is told to wait.
            let response = request_from(n + 2, server.address, method, path, header);
            assert_eq!(response.status, 401, "{method} {path} {header:?}");
            assert_eq!(response.header("www-authenticate"), Some("Bearer"));
            bodies.push(response.body);
        }
        assert!(bodies.iter().all(|b| *b == bodies[0]), "one body for every failure");
        assert!(!bodies[0].contains("hl_key"));
        for header in [("authorization", "Bearer hl_key"), ("x-api-key", "hl_key")] {
            let response = request(server.address, method, path, &[header], b"{}");
            assert_ne!(response.status, 401, "{method} {path}");
        }
    }
    for path in ["/", "/health", "/healthz", "/readyz", "/assets/none.js"] {
        assert_ne!(server.get(path).status, 401, "{path}");
    }
    let key = [("x-api-key", "hl_key"), ("host", "logs.example:8000")];
    assert_eq!(server.post("/logs", &key, BODY).status, 200, "with a key any name will do");
}

#[test]
fn without_a_key_only_loopback_names_are_answered() {
    let server = Server::start();
    for path in ["/", "/stats", "/api/v1/logs", "/healthz"] {
        let response = request(server.address, "GET", path, &[("host", "evil.example")], b"");
        assert_eq!(response.status, 421, "{path}: {response:?}");
    }
    assert_eq!(server.post("/logs", &[("host", "evil.example:8000")], BODY).status, 421);
    assert_eq!(server.post("/logs", &[("host", "127.0.0.1:8000")], BODY).status, 200);
    // What a page elsewhere may send without asking: no JSON type, and no word about origins back.
    let foreign = [("content-type", "text/plain"), ("origin", "http://evil.example")];
    let response = request(server.address, "POST", "/logs", &foreign, BODY);
    assert_eq!(response.status, 403, "a page elsewhere");
    assert_eq!(server.post("/logs", &[("origin", "http://evil.example")], BODY).status, 403);
    assert_eq!(request(server.address, "POST", "/logs", &foreign[..1], BODY).status, 415, "no page, no JSON");
    assert_eq!(response.header("access-control-allow-origin"), None);
    let preflight = request(server.address, "OPTIONS", "/logs", &foreign, b"");
    assert!(preflight.status >= 400 && preflight.header("access-control-allow-origin").is_none());
}

#[test]
fn browsers_get_the_page_and_programs_a_word() {
    let server = Server::start();
    let word = server.get("/");
    assert_eq!(word.json()["status"], "ok");
    let ask = |path: &str, headers: &[(&str, &str)]| request(server.address, "GET", path, headers, b"");
    let page = ask("/", &[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")]);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(page.body.contains("<html"));
    for (name, part) in [
        ("content-security-policy", "default-src 'none'; script-src 'self'"),
        ("content-security-policy", "frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cache-control", "no-cache"),
        ("vary", "accept"),
    ] {
        assert!(page.header(name).is_some_and(|v| v.contains(part)), "{name}: {part}");
    }
    let script = page.body.split("src=\"").nth(1).and_then(|s| s.split('"').next()).unwrap();
    let script = format!("/{}", script.trim_start_matches('/'));
    let first = ask(&script, &[]);
    assert_eq!(first.status, 200, "{script}");
    let tag = first.header("etag").unwrap().to_owned();
    for (known, status) in
        [(tag.as_str(), 304), (&format!("\"x\", W/{tag}"), 304), ("*", 304), ("\"x\"", 200)]
    {
        let again = ask(&script, &[("if-none-match", known)]);
        assert_eq!((again.status, again.body.is_empty()), (status, status == 304), "{known}");
    }
    for path in ["/assets/none.js", "/assets/..%2FCargo.toml", "/assets/"] {
        assert_eq!(ask(path, &[]).status, 404, "{path}");
    }
}

fn short() -> Server {
    Server::with(|config| {
        let mut limits = Limits::default();
        limits.header_time = Duration::from_millis(300);
        limits.keep_alive = Duration::from_millis(900);
        limits.body_idle = Duration::from_millis(300);
        limits.body_total = Duration::from_millis(900);
        limits.write_idle = Duration::from_millis(500);
        config.limits(limits)
    })
}

/// How long the other side keeps a connection open, and what it said.
fn until_closed(stream: &mut TcpStream) -> (Duration, String) {
    let began = Instant::now();
    let mut said = Vec::new();
    let mut piece = [0; 1024];
    while let Ok(n @ 1..) = stream.read(&mut piece) {
        said.extend_from_slice(&piece[..n]);
    }
    (began.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

#[test]
fn a_client_that_never_ends_its_head_is_closed() {
    let server = short();
    for start in ["", "GET / HTTP/1.1\r\nhost: local"] {
        let mut stream = connect(server.address);
        stream.write_all(start.as_bytes()).unwrap();
        let (open, _) = until_closed(&mut stream);
        assert!(open < Duration::from_secs(3), "{start:?}: {open:?}");
    }
    // One byte now and then does not help: the time is for the whole head.
    let mut stream = connect(server.address);
    let began = Instant::now();
    let mut drip = "GET / HTTP/1.1\r\nx-drip: ".bytes().chain(std::iter::repeat(b'x'));
    while stream.write_all(&[drip.next().unwrap()]).is_ok() && began.elapsed() < Duration::from_secs(5) {
        let mut byte = [0];
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        if matches!(stream.read(&mut byte), Ok(0)) {
            break;
        }
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}

#[test]
fn a_client_that_rests_between_requests_is_kept_longer_than_one_that_drips() {
    let server = short();
    let mut stream = connect(server.address);
    let ask = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut answer = [0; 2048];
    for _ in 0..3 {
        stream.write_all(ask).unwrap();
        assert!(stream.read(&mut answer).unwrap() > 0);
    }
    let (rested, _) = until_closed(&mut stream);
    assert!(rested > Duration::from_millis(600), "closed after {rested:?}, by the head's time");
    assert!(rested < Duration::from_secs(4), "closed after {rested:?}");
    let mut stream = connect(server.address);
    stream.write_all(ask).unwrap();
    assert!(stream.read(&mut answer).unwrap() > 0);
    stream.write_all(b"G").unwrap();
    let (dripped, _) = until_closed(&mut stream);
    assert!(dripped < rested, "{dripped:?}, rested {rested:?}");
}

#[test]
fn a_client_that_never_ends_its_body_is_told_and_closed() {
    let server = short();
    let head = "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let mut stream = connect(server.address);
    stream.write_all(head.as_bytes()).unwrap();
    let (open, said) = until_closed(&mut stream);
    assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    assert!(open < Duration::from_secs(3), "{open:?}");
    // A byte within every idle time, but not the whole within the total.
    let mut stream = connect(server.address);
    stream.write_all(head.as_bytes()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let began = Instant::now();
    let mut said = [0; 12];
    while stream.read_exact(&mut said).is_err() {
        assert!(began.elapsed() < Duration::from_secs(5));
        let _ = stream.write_all(b" ");
    }
    assert_eq!(&said, b"HTTP/1.1 408");
}

#[test]
fn a_client_that_takes_no_answer_is_closed() {
    let server = short();
    let line = format!("{{\"message\":\"{}\"}}", "x".repeat(200_000));
    let body = format!("{{\"logs\":[{}]}}", vec![line; 60].join(","));
    assert_eq!(server.post("/logs", &[], body.as_bytes()).status, 200);
    let mut stream = connect(server.address);
    // 12 MB do not fit into the buffers between the two.
    stream.write_all(b"GET /api/v1/logs?limit=1000 HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let metric = || server.get("/metrics").body;
    let began = Instant::now();
    while !metric().contains("hoplog_connections_open 1\n") {
        assert!(began.elapsed() < Duration::from_secs(10), "{}", metric());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(began.elapsed() > Duration::from_millis(400), "it was given its time");
}

#[test]
fn connections_above_the_bounds_are_refused_and_counted() {
    let server = Server::with(|config| {
        let mut limits = Limits::default();
        limits.connections_per_address = 3;
        config.limits(limits)
    });
    let mut held: Vec<TcpStream> = (0..3).map(|_| connect(server.address)).collect();
    for stream in &mut held {
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
        assert!(stream.read(&mut [0; 512]).unwrap() > 0);
    }
    assert_eq!(server.get("/healthz").status, 0, "closed without a word");
    drop(held.pop());
    let began = Instant::now();
    let metrics = loop {
        let response = server.get("/metrics");
        if response.status == 200 {
            break response.body;
        }
        assert!(began.elapsed() < Duration::from_secs(5), "a place comes free");
    };
    assert!(!metrics.contains("hoplog_connections_refused_total 0\n"), "{metrics}");
}

#[test]
fn heads_beyond_the_bounds_are_431() {
    let server = Server::start();
    let many: String = (0..150).map(|n| format!("x-{n}: 1\r\n")).collect();
    let large = format!("x-large: {}\r\n", "x".repeat(20_000));
    for headers in [many, large] {
        let response = exchange(
            server.address,
            format!("GET / HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n").as_bytes(),
        );
        assert_eq!(response.status, 431, "{response:?}");
    }
}

#[test]
fn a_draining_collector_is_alive_and_not_ready() {
    let mut server = Server::with(|config| config.drain_lag(Duration::from_secs(600)));
    assert_eq!(server.get("/readyz").status, 200);
    let draining = server.begin_stop();
    while server.get("/readyz").status == 200 {}
    assert_eq!((server.get("/readyz").status, server.get("/healthz").status), (503, 200));
    assert_eq!(server.post("/logs", &[], BODY).status, 200, "whoever still comes is served");
    draining.abort();
}

#[test]
fn metrics_count_entries_and_answers() {
    let server = Server::start();
    let id = "0190163d-8694-739b-aea5-966c26f8ad91";
    let body = format!(r#"{{"logs":[{{"id":"{id}"}},{{"id":"{id}"}},17,{{}}]}}"#);
    server.post("/logs", &[], body.as_bytes());
    server.post("/logs", &[], b"{");
    let metrics = server.get("/metrics");
    assert_eq!(metrics.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    for line in [
        "hoplog_entries_accepted_total 2",
        "hoplog_entries_duplicate_total 1",
        "hoplog_entries_rejected_total{reason=\"no_entry\"} 1",
        "hoplog_connections_refused_total 0",
        "hoplog_requests_total{status=\"200\"} 1",
        "hoplog_requests_total{status=\"400\"} 1",
    ] {
        assert!(metrics.body.lines().any(|l| l == line), "{line} in {}", metrics.body);
    }
}

#[test]
fn only_the_collectors_own_pages_and_names_reach_it_without_a_key() {
    let keyless = Server::start();
    let keyed = Server::with(|config| config.api_key("hl_key"));
    let hosts =
        ["localhost", "127.0.0.1:8000", "[::1]", "evil.example", "10.0.0.1", "localhost.evil.example"];
    let origins = ["", "http://localhost", "http://127.0.0.1:8000", "http://evil.example", "null"];
    let sites = ["", "same-origin", "same-site", "cross-site", "none"];
    let (mut cases, mut passed) = (0, 0);
    for host in hosts {
        for origin in origins {
            for site in sites {
                for (method, path) in
                    [("POST", "/logs"), ("GET", "/api/v1/logs"), ("OPTIONS", "/logs"), ("GET", "/")]
                {
                    let mut headers = vec![("host", host), ("content-type", "application/json")];
                    headers.extend(
                        [("origin", origin), ("sec-fetch-site", site)].iter().filter(|(_, v)| !v.is_empty()),
                    );
                    let body = if method == "POST" { BODY } else { b"" };
                    let answer = request(keyless.address, method, path, &headers, body);
                    let own_name = hosts[..3].contains(&host);
                    let own_page = match site {
                        "" => origin.is_empty() || origin == format!("http://{host}"),
                        site => ["same-origin", "none"].contains(&site),
                    };
                    let right = own_name && (method != "POST" || own_page);
                    let reached = !matches!(answer.status, 421 | 403);
                    assert_eq!(reached, right, "{method} {path} {headers:?}: {}", answer.status);
                    assert_eq!(answer.header("access-control-allow-origin"), None, "{headers:?}");
                    // With a key, which no foreign page has, names and pages do not matter.
                    headers.push(("authorization", "Bearer hl_key"));
                    let answer = request(keyed.address, method, path, &headers, body);
                    assert!(!matches!(answer.status, 401 | 403 | 421), "{headers:?}: {}", answer.status);
                    (cases, passed) = (cases + 1, passed + usize::from(right));
                }
            }
        }
    }
    crate::chaos::figure("pages.cases", cases, "count");
    crate::chaos::figure("pages.passed", passed, "count");
}

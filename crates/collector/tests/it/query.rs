//! Questions and their answers.

use super::Server;
use crate::support::{NOON, id_of};
use serde_json::{Value, json};
use std::collections::HashSet;

const DAY: u64 = 86_400;

fn messages(logs: &[Value]) -> Vec<&str> {
    logs.iter().map(|log| log["message"].as_str().unwrap()).collect()
}

#[test]
fn each_filter_finds_what_it_says() {
    let server = Server::start();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    server.send(json!([
        {"message": "a", "created_at": NOON - 4, "service": "shop", "level": "ERROR", "path": "/users/1", "route": "/users/{id}",
         "method": "GET", "status_code": 500, "trace_id": trace, "request_id": "r1", "user_id": "u1",
         "outcome": "completed", "kind": "request", "error_message": "50% of_all", "slow": true, "client_type": "web",
         "ip": "2001:db8::1", "tenant_id": "t1", "session_id": "s1"},
        {"message": "b", "created_at": NOON - 3, "service": "shop", "path": "/Users/2", "method": "POST", "status_code": 404,
         "x_trace_id": "opaque-7", "outcome": "cancelled", "kind": "request", "slow": false, "ip": "hmac:5f3a"},
        {"message": "c", "created_at": NOON - 2, "service": "payments", "level": "FATAL", "kind": "event", "trace_id": "opaque-7"},
        {"message": "d", "created_at": NOON - 1, "kind": "outgoing", "status_code": 204, "trace_id": trace, "tenant": "t9"},
    ]));
    for (query, found) in [
        ("", "dcba"),
        ("?service=shop", "ba"),
        ("?service=", "dcba"),
        ("?level=error", "a"),
        ("?level=CRITICAL", "c"),
        ("?level=info", "db"),
        ("?path=/users/1", "a"),
        ("?route=/users/%7Bid%7D", "a"),
        ("?method=POST", "b"),
        ("?status=404", "b"),
        ("?status=4xx", "b"),
        ("?status=5XX", "a"),
        ("?status=2xx", "d"),
        ("?trace_id=4bf92f3577b34da6a3ce929d0e0e4736", "da"),
        ("?trace_id=4BF92F35-77B3-4DA6-A3CE-929D0E0E4736", "da"),
        ("?trace_id=opaque-7", "cb"),
        ("?request_id=r1", "a"),
        ("?user_id=u1", "a"),
        ("?session_id=s1", "a"),
        ("?tenant_id=t1", "a"),
        ("?tenant_id=t2", ""),
        ("?client_type=web", "a"),
        ("?slow=true", "a"),
        ("?slow=false", "dcb"),
        ("?slow=", "dcba"),
        ("?slow=true&level=error&kind=request", "a"),
        ("?slow=true&trace_id=4bf92f3577b34da6a3ce929d0e0e4736", "a"),
        ("?slow=true&kind=event", ""),
        ("?ip=2001:db8::1", "a"),
        ("?ip=2001:DB8:0:0::1", "a"),
        ("?ip=hmac:5f3a", "b"),
        ("?kind=event,outgoing", "dc"),
        ("?outcome=cancelled", "b"),
        ("?kind=request", "ba"),
        ("?kind=event", "c"),
        ("?q=users", "ba"),
        ("?q=50%25%20of_", "a"),
        ("?q=5%25%20of", ""),
        ("?q=c", "c"),
        ("?q=of_all+500", ""),
        ("?q=of_all+users", "a"),
        ("?q=%22users%2F1%22+%2250%25+of%22", "a"),
        ("?min_level=error", "ca"),
        ("?min_level=debug&level=fatal", "c"),
        ("?min_duration_ms=100", ""),
        ("?from=-3s", "dcb"),
        ("?to=-3s", "a"),
        ("?from=-1h&to=now", "dcba"),
        ("?metadata.tenant=t9", "d"),
        ("?from=1773143998&to=1773143999", "c"),
        ("?from=2026-03-10T11:59:57Z", "dcb"),
        ("?to=1773143997000", "a"),
        ("?from=2026-03-10T20:59:58%2B09:00", "dc"),
        ("?from=2026-03-10T20:59:58+09:00", "dc"),
        ("?service=shop&kind=request&status=5xx", "a"),
        ("?limit=2", "dc"),
    ] {
        assert_eq!(messages(&server.logs(query)).concat(), found, "{query}");
    }
}

#[test]
fn a_question_that_is_not_understood_names_the_parameter() {
    let server = Server::start();
    for (query, part) in [
        ("?servce=shop", "unknown parameter `servce`"),
        ("?servce=", "unknown parameter `servce`"),
        ("?metadata.=1", "unknown parameter `metadata.`"),
        ("?service=a&service=b", "`service` is given twice"),
        ("?level=loud", "`level` is `loud`"),
        ("?status=4x", "`status` is `4x`"),
        ("?status=99", "`status` is `99`"),
        ("?slow=yes", "`slow` is `yes`; expected true or false"),
        ("?slow=1", "`slow` is `1`"),
        ("?kind=request,", "`kind` is ``"),
        ("?kind=request,odd", "`kind` is `odd`"),
        ("?clienttype=web", "known are service, level"),
        ("?kind=odd", "one of request, event, outgoing, running, losses"),
        ("?outcome=odd", "completed"),
        ("?from=yesterday", "`from` is `yesterday`"),
        ("?limit=0", "`limit` is `0`"),
        ("?limit=1001", "1 to 1000"),
        ("?cursor=1.2", "next_cursor"),
    ] {
        let response = server.get(&format!("/api/v1/logs{query}"));
        assert_eq!(response.status, 400, "{query}: {response:?}");
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
        let problem = response.json();
        assert_eq!((&problem["title"], &problem["status"]), (&json!("Bad Request"), &json!(400)));
        assert!(problem["detail"].as_str().unwrap().contains(part), "{query}: {problem}");
    }
    for path in ["/stats?x=1", "/api/v1/services?x=1", "/api/v1/routes?x=1", "/api/v1/traces/t?x=1"] {
        let response = server.get(path);
        assert_eq!(response.status, 400, "{path}: {response:?}");
        assert!(response.body.contains("`x`"), "{path}: {response:?}");
    }
    for path in [
        "/api/v1/logs/not-an-id",
        "/api/v1/logs/0190163d-8694-739b-aea5-966c26f8ad91",
        "/api/v1/traces/none",
        "/nothing",
    ] {
        let response = server.get(path);
        assert_eq!(response.status, 404, "{path}: {response:?}");
        assert_eq!(response.header("content-type"), Some("application/problem+json"));
    }
    assert_eq!(server.post("/stats", &[], b"").status, 405);
}

#[test]
fn pages_hold_every_entry_once_whatever_comes_in_meanwhile() {
    let server = Server::start();
    // Ids of three days, times that run across them, and many entries of the same time.
    let entry = |n: u64| json!({"id": id_of(NOON - n % 3 * DAY), "message": n.to_string(), "created_at": NOON - n / 10});
    server.send((0..250).map(entry).collect());
    let before: HashSet<String> = server.logs("?limit=1000").iter().map(|l| l["id"].to_string()).collect();
    assert_eq!(before.len(), 250);
    let (mut seen, mut times, mut cursor, mut pages) = (Vec::new(), Vec::new(), String::new(), 0);
    loop {
        let page = server.get(&format!("/api/v1/logs?limit=7&cursor={cursor}")).json();
        for log in page["logs"].as_array().unwrap() {
            seen.push(log["id"].to_string());
            times.push(log["created_at"].as_u64().unwrap());
        }
        // Newer ones, and ones that are older than where the pages are.
        server.send((1000..1003).map(|n| json!({"created_at": NOON + n})).collect());
        server.send(json!([{"created_at": 1000}]));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) if pages < 100 => cursor = next.to_owned(),
            _ => break,
        }
    }
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first");
    let distinct: HashSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "none twice");
    assert!(before.iter().all(|id| distinct.contains(id)), "none left out");
    assert!(pages > 30, "{pages} pages");
}

#[test]
fn a_trace_comes_oldest_first_with_its_spans() {
    let server = Server::start();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    server.send(json!([
        {"message": "callee", "kind": "request", "created_at": NOON as f64 + 0.2, "trace_id": trace,
         "span_id": "00f067aa0ba902b9", "parent_span_id": "00f067aa0ba902b8",
         "id": id_of(NOON - DAY)},
        {"message": "caller", "kind": "request", "created_at": NOON, "trace_id": trace, "span_id": "00f067aa0ba902b7"},
        {"message": "call", "kind": "outgoing", "created_at": NOON as f64 + 0.1, "trace_id": trace,
         "span_id": "00f067aa0ba902b8", "parent_span_id": "00f067aa0ba902b7"},
        {"message": "other", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4737"},
        {"message": "opaque", "x_trace_id": "order/17", "trace_id": "4bf92f3577b34da6a3ce929d0e0e4738"},
    ]));
    let answer = server.get(&format!("/api/v1/traces/{}", trace.to_uppercase())).json();
    assert_eq!((&answer["trace_id"], &answer["truncated"]), (&json!(trace), &json!(false)));
    let logs = answer["logs"].as_array().unwrap();
    assert_eq!(messages(logs), ["caller", "call", "callee"]);
    assert_eq!((&logs[2]["parent_span_id"], &logs[2]["kind"]), (&logs[1]["span_id"], &json!("request")));
    let opaque = server.get("/api/v1/traces/order%2F17").json();
    assert_eq!(messages(opaque["logs"].as_array().unwrap()), ["opaque"]);
}

#[test]
fn routes_are_counted_with_their_percentiles() {
    let server = Server::start();
    let requests = (1..=100).map(|n| {
        json!({"kind": "request", "service": "shop", "method": "GET", "route": "/users/{id}", "response_size": 10,
               "level": if n % 10 == 0 { "ERROR" } else { "INFO" }, "duration_ms": n, "ttfb_ms": 0.5,
               "created_at": NOON - n})
    });
    let others = [
        json!({"kind": "request", "service": "shop", "method": "GET", "level": "WARN", "status_code": 404}),
        json!({"kind": "event", "service": "shop", "method": "GET", "route": "/users/{id}", "duration_ms": 9999}),
    ];
    server.send(requests.chain(others).collect());
    let routes = server.get("/api/v1/routes").json()["routes"].as_array().unwrap().clone();
    assert_eq!(routes.len(), 2);
    let top = &routes[0];
    assert_eq!(
        (&top["service"], &top["method"], &top["route"], &top["requests"], &top["errors"], &top["bytes"]),
        (&json!("shop"), &json!("GET"), &json!("/users/{id}"), &json!(100), &json!(10), &json!(1000))
    );
    for (percentile, value) in [("p50", 50.0), ("p95", 95.0), ("p99", 99.0)] {
        let shown = top["duration_ms"][percentile].as_f64().unwrap();
        assert!((shown - value).abs() <= value / 100.0, "{percentile} of the duration is {shown}");
        assert!((top["ttfb_ms"][percentile].as_f64().unwrap() - 0.5).abs() <= 0.005, "{top}");
    }
    assert_eq!((&routes[1]["route"], &routes[1]["duration_ms"]["p50"]), (&Value::Null, &Value::Null));
    let some = server.get(&format!("/api/v1/routes?from={}&to={}", NOON - 10, NOON)).json();
    assert_eq!(some["routes"][0]["requests"], 10);
}

#[test]
fn stats_and_services_count_what_is_stored() {
    let server = Server::start();
    let entry =
        |service: String, level: &str, at: u64| json!({"service": service, "level": level, "created_at": at});
    let mut logs: Vec<Value> = (0..12).map(|n| entry(format!("s{n:02}"), "INFO", NOON)).collect();
    logs.push(entry("s03".into(), "ERROR", NOON - 3599));
    logs.push(entry("s03".into(), "FATAL", NOON - 10));
    logs.push(entry("s03".into(), "ERROR", NOON - 3601));
    server.send(json!(logs));
    let stats = server.get("/stats").json();
    assert_eq!((&stats["total_logs"], &stats["recent_errors_1h"]), (&json!(15), &json!(2)));
    assert_eq!(
        stats["level_distribution"],
        json!([{"level": "INFO", "count": 12}, {"level": "ERROR", "count": 2}, {"level": "FATAL", "count": 1}])
    );
    let top = stats["service_distribution"].as_array().unwrap();
    assert_eq!((top.len(), &top[0]), (10, &json!({"service": "s03", "count": 4})));
    let services = server.get("/api/v1/services").json()["services"].as_array().unwrap().clone();
    assert_eq!(services.len(), 12);
    assert_eq!(services[0], json!({"service": "s03", "entries": 4, "errors": 3, "last_seen": NOON as f64}));
}

#[test]
fn routes_beyond_the_bound_share_one_line() {
    let server = Server::start();
    let request = |n: u64| json!({"kind": "request", "route": format!("/{n}"), "created_at": NOON - n});
    let mut logs: Vec<Value> = (0..1_100).map(request).collect();
    logs.push(json!({"kind": "request", "route": "x".repeat(3_000)}));
    server.send(json!(logs));
    let routes = server.get("/api/v1/routes").json()["routes"].as_array().unwrap().clone();
    assert_eq!(routes.len(), 1_001);
    assert_eq!((&routes[0]["requests"], &routes[0]["service"]), (&json!(101), &Value::Null));
}

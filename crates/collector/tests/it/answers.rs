//! Answers that are worked out: counts over time, traces, errors.

use super::Server;
use crate::support::NOON;
use serde_json::{Value, json};
use std::collections::HashSet;

#[test]
fn a_histogram_counts_by_level_status_and_service_step_by_step() {
    let server = Server::start();
    let entry = |ago: u64, level: &str, status: Option<u16>, service: &str| json!({"created_at": NOON - ago, "level": level, "status_code": status, "service": service});
    server.send(json!([
        entry(1, "INFO", Some(200), "shop"),
        entry(2, "INFO", Some(204), "shop"),
        entry(59, "ERROR", Some(500), "payments"),
        entry(60, "INFO", None, "shop"),
        entry(61, "INFO", Some(404), "shop"),
        {"created_at": NOON - 3, "level": "INFO", "weight": 10, "service": "sampled"},
        {"created_at": NOON - 3, "kind": "running", "exchange_id": "0199a000-0000-7000-8000-000000000001", "service": "open"},
        {"created_at": NOON - 4_000, "service": "before"},
    ]));
    let asked =
        |query: &str| server.get(&format!("/api/v1/histogram?from={}&to={NOON}{query}", NOON - 120)).json();
    let counts = |answer: &Value| -> Vec<Value> {
        answer["buckets"].as_array().unwrap().iter().map(|bucket| bucket["counts"].clone()).collect()
    };
    let by_level = asked("&step=1m");
    assert_eq!(counts(&by_level), [json!({"INFO": 1.0}), json!({"INFO": 14.0, "ERROR": 1.0})]);
    assert_eq!((&by_level["step"], &by_level["by"]), (&json!(60.0), &json!("level")));
    assert_eq!((&by_level["total"], &by_level["stored"]), (&json!(16.0), &json!(7)));
    assert_eq!(by_level["buckets"][0]["at"], json!((NOON - 120) as f64));
    let by_status = asked("&step=60&by=status");
    assert_eq!(counts(&by_status)[1], json!({"2xx": 2.0, "5xx": 1.0, "none": 12.0}));
    let by_service = asked("&step=60000ms&by=service&level=info");
    assert_eq!(counts(&by_service)[1], json!({"shop": 3.0, "sampled": 10.0, "open": 1.0}));
    // What was open has ended: it counts once.
    server.send(
        json!([{"id": "0199a000-0000-7000-8000-000000000001", "created_at": NOON - 3, "service": "open"}]),
    );
    assert_eq!(asked("&step=60&by=service")["buckets"][1]["counts"]["open"], 1.0);
    assert_eq!(asked("")["buckets"].as_array().unwrap().len(), 24, "a step of its own choice");
    for (query, part) in [
        ("?step=0", "`step` is `0`"),
        ("?step=1x", "`step` is `1x`; expected a time such as"),
        ("?step=1ms", "`step` makes"),
        ("?by=colour", "one of level, status, service"),
        ("?from=1773144000&to=1773143999", "exchange them"),
        ("?cursor=1.2.3", "unknown parameter `cursor`"),
    ] {
        let response = server.get(&format!("/api/v1/histogram{query}"));
        assert_eq!(response.status, 400, "{query}: {response:?}");
        let problem = response.json();
        assert!(problem["detail"].as_str().unwrap().contains(part), "{query}: {problem}");
        let at_fault = problem["parameter"].as_str().unwrap();
        assert!(query.contains(at_fault), "{query}: {problem}");
    }
    // What it says to do instead works.
    let empty = server.get("/api/v1/histogram?service=nobody").body;
    assert!(empty.contains("\"total\":0.0") && !empty.contains("-0.0"), "{empty}");
    let response = server.get("/api/v1/histogram?step=1ms").json();
    let least = response["detail"]
        .as_str()
        .unwrap()
        .split("pass ")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(server.get(&format!("/api/v1/histogram?step={least}")).status, 200, "{least}");
}

fn trace_id(n: u64) -> String {
    format!("{:032x}", n + 1)
}

fn request(n: u64, ago: u64, route: &str, ms: u64, level: &str) -> Value {
    json!({"kind": "request", "service": "shop", "method": "GET", "route": route, "path": route, "trace_id": trace_id(n),
           "span_id": format!("{:016x}", n + 1), "created_at": NOON - ago, "duration_ms": ms, "level": level,
           "status_code": if level == "ERROR" { 500 } else { 200 }, "slow": ms > 1_000})
}

#[test]
fn traces_are_found_by_what_is_in_them() {
    let server = Server::start();
    server.send(json!([
        request(1, 50, "/a", 10, "INFO"),
        {"kind": "event", "service": "shop", "message": "hm", "level": "ERROR", "trace_id": trace_id(1), "created_at": NOON - 49},
        request(2, 40, "/b", 2_000, "INFO"),
        {"kind": "outgoing", "service": "shop", "trace_id": trace_id(2), "span_id": "aaaaaaaaaaaaaaaa",
         "parent_span_id": format!("{:016x}", 3), "created_at": NOON - 39, "duration_ms": 100},
        {"kind": "request", "service": "payments", "trace_id": trace_id(2), "span_id": "bbbbbbbbbbbbbbbb",
         "parent_span_id": "aaaaaaaaaaaaaaaa", "created_at": NOON - 39, "duration_ms": 90},
        request(3, 30, "/a", 20, "ERROR"),
        {"message": "without a trace", "created_at": NOON - 5},
        {"message": "opaque", "trace_id": "order/17", "created_at": NOON - 20},
    ]));
    let found = |query: &str| -> Vec<String> {
        let answer = server.get(&format!("/api/v1/traces{query}"));
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        let traces = answer.json()["traces"].as_array().unwrap().clone();
        traces
            .iter()
            .map(|trace| trace["trace_id"].as_str().unwrap().trim_start_matches('0').to_owned())
            .collect()
    };
    for (query, ids) in [
        ("", vec!["order/17", "4", "3", "2"]),
        ("?route=/a", vec!["4", "2"]),
        ("?slow=true", vec!["3"]),
        ("?min_duration_ms=15", vec!["4", "3"]),
        ("?failed=true", vec!["4", "2"]),
        ("?failed=false", vec!["order/17", "4", "3", "2"]),
        ("?status=5xx", vec!["4"]),
        ("?service=payments", vec!["3"]),
        ("?from=-35s", vec!["order/17", "4"]),
        ("?to=-35s", vec!["3", "2"]),
        ("?limit=1", vec!["order/17"]),
    ] {
        assert_eq!(found(query), ids, "{query}");
    }
    let slow = server.get("/api/v1/traces?slow=true").json()["traces"][0].clone();
    assert_eq!(
        (
            &slow["service"],
            &slow["route"],
            &slow["spans"],
            &slow["entries"],
            &slow["duration_ms"],
            &slow["slow"]
        ),
        (&json!("shop"), &json!("/b"), &json!(3), &json!(3), &json!(2_000.0), &json!(true))
    );
    assert_eq!(slow["services"], json!(["payments", "shop"]));
    let tree = server.get(&format!("/api/v1/traces/{}", trace_id(2))).json();
    let call = &tree["spans"][0]["children"][0];
    assert_eq!((&call["kind"], &call["callee_instrumented"]), (&json!("outgoing"), &json!(true)));
    assert_eq!(call["children"][0]["service"], "payments");
    assert_eq!(tree["logs"].as_array().unwrap().len(), 3);
}

#[test]
fn pages_hold_every_trace_once_while_entries_arrive() {
    let server = Server::start();
    // Three entries each, of which two stand far apart.
    let entries = (0..60).flat_map(|n| {
        [
            request(n, 100 + n, "/a", 1, "INFO"),
            request(n, 1_000 + n, "/a", 1, "INFO"),
            request(n, 101 + n, "/b", 1, "INFO"),
        ]
    });
    server.send(entries.collect());
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = server.get(&format!("/api/v1/traces?limit=7&cursor={cursor}")).json();
        seen.extend(page["traces"].as_array().unwrap().iter().map(|trace| trace["trace_id"].to_string()));
        // New traces, and more of those that were shown and of those that were not.
        server.send(json!([
            request(100 + pages, 1, "/a", 1, "INFO"),
            request(0, 2, "/a", 1, "INFO"),
            request(59, 3, "/a", 1, "INFO")
        ]));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) if pages < 100 => cursor = next.to_owned(),
            _ => break,
        }
    }
    assert_eq!((seen.len(), pages), (60, 9));
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), 60);
    let response = server.get("/api/v1/traces?cursor=1.2.3");
    assert!(response.status == 400 && response.body.contains("next_cursor"), "{response:?}");
}

#[test]
fn errors_are_grouped_by_what_makes_them_the_same() {
    let server = Server::start();
    let mut logs: Vec<Value> = (0..10)
        .map(|n| {
            json!({"level": "ERROR", "message": format!("order {n} of 10.0.0.{n} failed"), "error_type": "Declined", "service": "shop",
                   "route": "/orders/{id}", "created_at": NOON - 100 - n, "stack_trace": format!("Error\n  at pay (pay.js:{n}:1)")})
        })
        .collect();
    logs.extend([
        json!({"level": "ERROR", "message": "order 1 of 10.0.0.1 failed", "error_type": "Declined", "service": "shop", "created_at": NOON - 5,
               "stack_trace": "Error\n  at refund (pay.js:1:1)"}),
        json!({"level": "FATAL", "message": "a", "error_message": "disk 'sda' is full", "service": "db", "weight": 40, "created_at": NOON - 7}),
        json!({"level": "WARN", "message": "order 1 failed", "error_type": "Declined", "created_at": NOON - 8}),
        json!({"level": "ERROR", "message": "of the day before yesterday", "created_at": NOON - 2 * 86_400}),
    ]);
    server.send(json!(logs));
    let answer = server.get("/api/v1/errors").json();
    let errors = answer["errors"].as_array().unwrap();
    let counts: Vec<_> = errors
        .iter()
        .map(|group| (group["count"].as_u64().unwrap(), group["message"].as_str().unwrap()))
        .collect();
    assert_eq!(
        counts,
        [
            (40, "disk '<text>' is full"),
            (10, "order <n> of <address> failed"),
            (1, "order <n> of <address> failed")
        ]
    );
    let group = &errors[1];
    assert_eq!(
        (&group["error_type"], &group["frame"]),
        (&json!("Declined"), &json!("at pay (pay.js:<n>:<n>)"))
    );
    assert_eq!(
        (&group["first_seen"], &group["last_seen"]),
        (&json!((NOON - 109) as f64), &json!((NOON - 100) as f64))
    );
    assert_eq!((&group["services"], &group["routes"]), (&json!(["shop"]), &json!(["/orders/{id}"])));
    let example = server.get(&format!("/api/v1/logs/{}", group["example_id"].as_str().unwrap())).json();
    assert_eq!(example["message"], "order 0 of 10.0.0.0 failed");
    assert_eq!((&answer["truncated"], group["stored"].as_u64()), (&json!(false), Some(10)));
    let one = server.get("/api/v1/errors?limit=1&service=shop").json();
    assert_eq!((one["errors"].as_array().unwrap().len(), &one["truncated"]), (1, &json!(true)));
    assert_eq!(server.get("/api/v1/errors?level=WARN").json()["errors"][0]["count"], 1);
    assert_eq!(
        server.get("/api/v1/errors?from=-3d&to=-1d").json()["errors"][0]["message"],
        "of the day before yesterday"
    );
}

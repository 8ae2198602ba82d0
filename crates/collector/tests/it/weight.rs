//! Entries that stand for several: sampling must not change what counts say.

use crate::support::{NOON, Server};
use serde_json::{Value, json};

#[test]
fn counts_errors_bytes_and_percentiles_take_the_weight() {
    let server = Server::start();
    let request = |ms: f64, level: &str, weight: Value| {
        json!({"kind": "request", "service": "shop", "method": "GET", "route": "/a", "duration_ms": ms, "ttfb_ms": ms,
               "level": level, "response_size": 10, "weight": weight, "created_at": NOON - 1})
    };
    server.send(json!([
        request(1.0, "INFO", json!(90)),
        request(50.0, "INFO", json!("8")),
        request(900.0, "ERROR", Value::Null),
        request(900.0, "ERROR", json!(1)),
    ]));
    let answer = server.get("/api/v1/routes").json();
    let route = &answer["routes"][0];
    assert_eq!(
        (&route["requests"], &route["errors"], &route["bytes"], &route["stored"]),
        (&json!(100), &json!(2), &json!(1000), &json!(4))
    );
    for times in ["duration_ms", "ttfb_ms"] {
        for (percentile, value) in [("p50", 1.0), ("p95", 50.0), ("p99", 900.0)] {
            let shown = route[times][percentile].as_f64().unwrap();
            assert!((shown - value).abs() <= value / 100.0, "{percentile} of {times} is {shown}");
        }
    }
    let stats = server.get("/stats").json();
    assert_eq!(
        (&stats["total_logs"], &stats["stored"], &stats["recent_errors_1h"]),
        (&json!(100), &json!(4), &json!(2))
    );
    assert_eq!(
        stats["level_distribution"],
        json!([{"level": "INFO", "count": 98}, {"level": "ERROR", "count": 2}])
    );
    assert_eq!(stats["service_distribution"], json!([{"service": "shop", "count": 100}]));
    let services = server.get("/api/v1/services").json();
    assert_eq!(
        services["services"],
        json!([{"service": "shop", "entries": 100, "errors": 2, "last_seen": (NOON - 1) as f64}])
    );
    for answer in [answer, stats, services] {
        assert!(answer["counting"].as_str().unwrap().contains("as often as its weight says"), "{answer}");
    }
}

#[test]
fn parts_of_an_entry_add_up_and_are_rounded_once() {
    let server = Server::start();
    // A share of 30 %: each stands for 3⅓.
    let one =
        json!({"kind": "request", "route": "/a", "weight": 10.0 / 3.0, "level": "ERROR", "created_at": NOON});
    server.send(json!(vec![one; 30]));
    assert_eq!(server.get("/api/v1/routes").json()["routes"][0]["requests"], 100);
    let stats = server.get("/stats").json();
    assert_eq!((&stats["total_logs"], &stats["recent_errors_1h"]), (&json!(100), &json!(100)));
}

#[test]
fn a_weight_that_is_none_counts_as_one_and_is_kept() {
    let server = Server::start();
    let weights = [json!(-5), json!(1e300), json!(1e7), json!("many"), json!(true)];
    let entries = weights.iter().map(|weight| json!({"kind": "request", "route": "/a", "weight": weight}));
    server.send(entries.collect());
    assert_eq!(server.get("/api/v1/routes").json()["routes"][0]["requests"], weights.len());
    for (log, weight) in server.logs("").iter().rev().zip(&weights) {
        assert_eq!((&log["weight"], &log["metadata"]["weight"]), (&Value::Null, weight));
    }
    server.send(json!([{"kind": "request", "route": "/nothing", "weight": 0, "duration_ms": 5}]));
    let routes = server.get("/api/v1/routes").json();
    let nothing = &routes["routes"][1];
    assert_eq!(
        (&nothing["requests"], &nothing["stored"], &nothing["duration_ms"]["p50"]),
        (&json!(0), &json!(1), &Value::Null)
    );
}

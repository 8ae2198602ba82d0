//! The routes of the logs-sdk clients: what each of the four sends comes back, and they find the receipt they wait for.

use crate::support::{NOON, Server};
use serde_json::{Value, json};

const LOGS: &str = "/api/v1/ingest/logs";
const INFRA: &str = "/api/v1/ingest/infra-logs";
const UUID: &str = "0b1ff0e6b6f64c6c8f5f0d2f4b2d7c11";
const ID: &str = "0b1ff0e6-b6f6-4c6c-8f5f-0d2f4b2d7c11";

fn send(server: &Server, path: &str, logs: Value) -> Value {
    let headers = [
        ("x-api-key", "clog_pk_1"),
        ("x-api-secret", "clog_sk_1"),
        ("x-sdk-type", "go"),
        ("x-sdk-version", "0.6.0"),
    ];
    let answer = server.post(path, &headers, json!({ "logs": logs }).to_string().as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn round_trip(server: &Server, path: &str, entry: Value) -> Value {
    let receipt = send(server, path, json!([entry]));
    assert_eq!(receipt["data"]["accepted"], 1, "{receipt}");
    let uuid = receipt["data"]["uuids"][0].as_str().unwrap().to_owned();
    let found = server.get(&format!("/api/v1/logs/{uuid}"));
    assert_eq!(found.status, 200, "{found:?}");
    found.json()
}

#[test]
fn the_receipt_names_the_entries_in_the_order_of_the_request() {
    let server = Server::start();
    let other = "ffffffffffffffffffffffffffffffff";
    let receipt = send(&server, LOGS, json!([{"uuid": UUID}, {"uuid": ""}, 17, {"uuid": other}]));
    let data = &receipt["data"];
    assert_eq!(
        (&data["received"], &data["accepted"], &data["duplicates"]),
        (&json!(4), &json!(3), &json!(0))
    );
    assert_eq!(data["rejected"][0]["index"], 2);
    let uuids = data["uuids"].as_array().unwrap();
    assert_eq!((uuids.len(), &uuids[0], &uuids[2]), (3, &json!(UUID), &json!(other)));
    assert_eq!(data["batch_id"].as_str().unwrap().len(), 32);

    let again = send(&server, LOGS, json!([{"uuid": UUID}]));
    assert_eq!((&again["data"]["uuids"], &again["data"]["duplicates"]), (&json!([UUID]), &json!(1)));
    let empty = send(&server, LOGS, json!([]));
    assert!(empty["data"].is_object() && empty["data"]["uuids"] == json!([]), "{empty}");
    assert_eq!(server.logs("").len(), 3);
    for (body, status) in [("{", 400), ("[]", 400), (r#"{"logs":null}"#, 400), (r#"{"logs":{}}"#, 400)] {
        assert_eq!(server.post(LOGS, &[], body.as_bytes()).status, status, "{body}");
    }
}

const EVERYTHING: &str = r#"{
        "uuid": "0b1ff0e6b6f64c6c8f5f0d2f4b2d7c11", "uid": 42, "timestamp": "2026-03-10T11:59:00Z", "duration_ms": "12.5",
        "project_slug": "shop-project", "environment": "testing", "service_name": "shop", "host": "h1", "process_id": "4711",
        "method": "POST", "scheme": "https", "full_url": "https://shop.example/api/v2/orders?a=1", "host_header": "shop.example",
        "path": "/api/v2/orders", "query_string": "{\"a\":\"1\"}", "origin": "https://shop.example/cart",
        "request_headers": "{\"Accept\":\"*/*\",\"X-Two\":[\"a\",\"b\"]}", "request_body": "{\"n\":1}", "request_body_size": "7",
        "content_type": "application/json", "status_code": "503", "response_headers": "{\"content-type\":\"text/html\"}",
        "response_body": "oops", "response_body_size": 4, "client_ip": "192.0.2.7, 10.0.0.1, 10.0.0.2",
        "client_ip_chain": "192.0.2.7, 10.0.0.1, 10.0.0.2", "client_type": "web", "client_port": "52114",
        "client_country": "KR", "client_province": "Seoul", "client_city": "Seoul", "client_isp": "KT",
        "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        "device_type": "", "browser": "", "browser_version": "", "os_name": "", "os_version": "",
        "tls_version": "TLS 1.3", "tls_cipher": "TLS_AES_128_GCM_SHA256", "proto": "HTTP/1.1", "api_version": "v2",
        "referer": "https://shop.example/cart", "upstream_status": 502, "latency_breakdown": "{\"db\":3}", "request_id": "0b1ff0e6",
        "trace_id": "4BF92F35-77B3-4DA6-A3CE-929D0E0E4736", "span_id": "0b1ff0e6b6f64c6c8f5f0d2f4b2d7c11", "parent_span_id": "00f067aa0ba902b7",
        "user_id": 17, "session_id": "s1", "is_error": true, "error_message": "no room\u0000", "error_type": "http_error",
        "error_stack": ["  File a\n", "  File b\n"], "panic_location": "a.go:7", "is_callback": true, "root_cause": "disk",
        "fault_level": "P1", "suggested_action": "wait", "analysis_status": "done", "tags": "{\"team\":\"a\",\"n\":[1]}",
        "of_tomorrow": {"x": 1}
    }"#;

/// The union of what the four clients send, each with a value that says something.
fn everything() -> Value {
    serde_json::from_str(EVERYTHING).unwrap()
}

#[test]
fn every_field_of_a_request_comes_back() {
    let server = Server::start();
    let entry = round_trip(&server, LOGS, everything());
    for (field, value) in [
        ("id", json!(ID)),
        ("created_at", json!(NOON - 60)),
        ("kind", json!("request")),
        ("level", json!("ERROR")),
        ("outcome", json!("completed")),
        ("message", json!("POST /api/v2/orders 503")),
        ("duration_ms", json!(12.5)),
        ("environment", json!("testing")),
        ("service", json!("shop")),
        ("host", json!("h1")),
        ("pid", json!(4711)),
        ("method", json!("POST")),
        ("scheme", json!("https")),
        ("host_header", json!("shop.example")),
        ("path", json!("/api/v2/orders")),
        ("query", json!(r#"{"a":"1"}"#)),
        ("origin", json!("https://shop.example/cart")),
        ("request_headers", json!({"accept": ["*/*"], "x-two": ["a", "b"]})),
        ("request_body", json!(r#"{"n":1}"#)),
        ("request_size", json!(7)),
        ("content_type", json!("application/json")),
        ("status_code", json!(503)),
        ("response_headers", json!({"content-type": ["text/html"]})),
        ("response_body", json!("oops")),
        ("response_size", json!(4)),
        ("ip", json!("192.0.2.7")),
        ("client_type", json!("web")),
        ("client_port", json!(52114)),
        ("device_type", json!("desktop")),
        ("browser", json!("Chrome")),
        ("browser_version", json!("126.0.0.0")),
        ("os_name", json!("Windows")),
        ("os_version", json!("10")),
        ("tls_version", json!("TLS 1.3")),
        ("http_version", json!("1.1")),
        ("api_version", json!("v2")),
        ("referer", json!("https://shop.example/cart")),
        ("request_id", json!("0b1ff0e6")),
        ("trace_id", json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("span_id", json!(UUID)),
        ("parent_span_id", json!("00f067aa0ba902b7")),
        ("user_id", json!("17")),
        ("session_id", json!("s1")),
        ("error_message", json!("no room\u{fffd}")),
        ("error_type", json!("http_error")),
        ("stack_trace", json!("  File a\n\n  File b\n")),
        ("sdk", json!("logs-sdk-go")),
        ("sdk_version", json!("0.6.0")),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    assert_eq!(
        entry["metadata"],
        json!({"uid": 42, "project_slug": "shop-project", "full_url": "https://shop.example/api/v2/orders?a=1",
               "client_ip_chain": "192.0.2.7, 10.0.0.1, 10.0.0.2", "client_country": "KR", "client_province": "Seoul",
               "client_city": "Seoul", "client_isp": "KT", "tls_cipher": "TLS_AES_128_GCM_SHA256", "upstream_status": 502,
               "latency_breakdown": {"db": 3}, "is_error": true, "panic_location": "a.go:7", "is_callback": true,
               "root_cause": "disk", "fault_level": "P1", "suggested_action": "wait", "analysis_status": "done",
               "tags": {"team": "a", "n": [1]}, "of_tomorrow": {"x": 1}, "hoplog_flags": ["replaced_values"]})
    );
}

#[test]
fn what_the_client_did_not_say_follows_from_the_request() {
    let server = Server::start();
    let web = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    for (headers, agent, client_type, origin) in [
        (
            json!({"X-Client-Type": "app", "X-App-Name": "shop", "X-App-Version": "2", "X-App-Scene": "9"}),
            "",
            "app",
            "app:shop/2/9",
        ),
        (
            json!({"X-MiniProgram-AppId": "wx1", "X-MiniProgram-Path": "/p"}),
            "x MicroMessenger/8",
            "miniprogram",
            "miniprogram:wx1/p",
        ),
        (
            json!({"X-Caller-Service": "cart", "X-Caller-Version": "1"}),
            "Go-http-client/1.1",
            "server",
            "server:cart/1",
        ),
        (json!({"Referer": "https://a/", "Origin": "https://b"}), web, "web", "https://a/"),
        (json!({"Origin": "https://b"}), web, "web", "https://b"),
        (json!({}), web, "other", "unknown"),
    ] {
        let text = headers.to_string();
        let entry = round_trip(
            &server,
            LOGS,
            json!({"request_headers": text, "user_agent": agent, "path": "/api/v12/a"}),
        );
        assert_eq!(
            (&entry["client_type"], &entry["origin"]),
            (&json!(client_type), &json!(origin)),
            "{headers}"
        );
        assert_eq!(entry["api_version"], "v12");
    }
    let entry = round_trip(
        &server,
        LOGS,
        json!({"path": "/api/vx/a", "project_slug": "p", "request_headers": "{broken"}),
    );
    assert_eq!((&entry["api_version"], &entry["service"]), (&Value::Null, &json!("p")));
    assert_eq!(entry["request_headers"], "{broken", "kept as it came");
}

#[test]
fn levels_kinds_and_outcomes_follow_from_what_happened() {
    let server = Server::start();
    for (sent, level, kind, outcome) in [
        (json!({"method": "GET", "status_code": 200}), "INFO", "request", json!("completed")),
        (
            json!({"method": "GET", "status_code": 404, "is_error": true}),
            "WARN",
            "request",
            json!("completed"),
        ),
        (
            json!({"method": "GET", "status_code": 200, "is_error": true}),
            "ERROR",
            "request",
            json!("completed"),
        ),
        (json!({"method": "GET", "status_code": 504}), "WARN", "request", json!("timed_out")),
        (
            json!({"method": "GET", "error_type": "panic", "is_error": true}),
            "ERROR",
            "request",
            json!("panicked"),
        ),
        (json!({"method": "GET", "error_type": "timeout"}), "WARN", "request", json!("timed_out")),
        (
            json!({"method": "MANUAL", "path": "/_log/warn", "request_body": "careful"}),
            "WARN",
            "event",
            Value::Null,
        ),
        (json!({"method": "MANUAL", "path": "/_log/odd", "is_error": true}), "ERROR", "event", Value::Null),
    ] {
        let entry = round_trip(&server, LOGS, sent.clone());
        assert_eq!(
            (&entry["level"], &entry["kind"], &entry["outcome"]),
            (&json!(level), &json!(kind), &outcome),
            "{sent}"
        );
    }
    let manual = json!({"method": "MANUAL", "path": "/_log/error", "request_body": "it broke", "error_type": "manual_error", "duration_ms": 0});
    let entry = round_trip(&server, LOGS, manual);
    for (field, value) in [
        ("message", json!("it broke")),
        ("method", json!("MANUAL")),
        ("path", json!("/_log/error")),
        ("error_type", json!("manual_error")),
        ("duration_ms", Value::Null),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    assert!(entry.get("request_body").is_none());
}

/// What a client sends that knows nothing: all of its fields, empty.
#[test]
fn fields_that_say_nothing_are_left_out() {
    let server = Server::start();
    let mut empty = everything();
    for (name, value) in empty.as_object_mut().unwrap() {
        *value = match name.as_str() {
            "uid" | "duration_ms" | "status_code" | "client_port" | "upstream_status"
            | "request_body_size" | "response_body_size" => json!(0),
            "is_error" | "is_callback" => json!(false),
            "tags" => json!({}),
            "request_headers" | "response_headers" | "latency_breakdown" => json!("{}"),
            _ => json!(""),
        };
    }
    let entry = round_trip(&server, LOGS, empty);
    assert_eq!(entry["metadata"], Value::Null);
    for (field, value) in [
        ("status_code", Value::Null),
        ("duration_ms", json!(0.0)),
        ("service", json!("unknown")),
        ("created_at", json!(NOON)),
        ("trace_id", Value::Null),
        ("client_type", json!("other")),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
}

#[test]
fn every_field_of_an_infra_entry_comes_back() {
    let server = Server::start();
    let sent = json!({
        "uuid": "", "timestamp": "2026-03-10T11:59:00Z", "project_slug": "shop-project", "source_type": "mysql",
        "source_name": "orders-db", "host": "db1", "level": "warning", "message": "slow query", "metadata": "{\"ms\": 900}",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "related_api_uuid": UUID, "is_error": true, "error_detail": "lock",
    });
    let entry = round_trip(&server, INFRA, sent);
    for (field, value) in [
        ("created_at", json!(NOON - 60)),
        ("kind", json!("event")),
        ("level", json!("WARN")),
        ("message", json!("slow query")),
        ("service", json!("orders-db")),
        ("host", json!("db1")),
        ("trace_id", json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("error_message", json!("lock")),
        (
            "metadata",
            json!({"ms": 900, "project_slug": "shop-project", "source_type": "mysql", "source_name": "orders-db",
                   "related_api_uuid": UUID, "is_error": true}),
        ),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    assert_eq!(round_trip(&server, INFRA, json!({"is_error": "true"}))["level"], "ERROR");
}

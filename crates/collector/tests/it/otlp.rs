//! OTLP/HTTP over real sockets: where attributes go, and what a sender is told.

use crate::support::{NOON, Response, Server, gzip, request};
use serde_json::{Value, json};
use std::collections::HashSet;

fn post(server: &Server, content_type: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let mut all = vec![("content-type", content_type)];
    all.extend(headers);
    request(server.address, "POST", "/v1/logs", &all, body)
}

fn attribute(name: &str, value: Value) -> Value {
    let value = match &value {
        Value::String(_) => json!({ "stringValue": value }),
        Value::Bool(_) => json!({ "boolValue": value }),
        Value::Number(n) if n.is_f64() => json!({ "doubleValue": value }),
        Value::Number(n) => json!({ "intValue": n.to_string() }),
        Value::Array(items) => {
            let items: Vec<Value> =
                items.iter().map(|item| attribute("", item.clone())["value"].clone()).collect();
            json!({ "arrayValue": { "values": items } })
        }
        _ => json!({}),
    };
    json!({"key": name, "value": value})
}

fn attributes(pairs: Value) -> Vec<Value> {
    pairs.as_object().unwrap().iter().map(|(name, value)| attribute(name, value.clone())).collect()
}

fn body(resource: Value, scope: Value, records: Value) -> Vec<u8> {
    let scope_logs = json!({"scope": scope, "logRecords": records});
    json!({"resourceLogs": [{"resource": {"attributes": attributes(resource)}, "scopeLogs": [scope_logs]}]})
        .to_string()
        .into_bytes()
}

/// Sends one record, and asks for the entry that it made.
fn round_trip(server: &Server, resource: Value, scope: Value, record: Value) -> Value {
    let ids = || -> HashSet<String> {
        server.logs("?limit=1000").iter().map(|log| log["id"].as_str().unwrap().to_owned()).collect()
    };
    let before = ids();
    let answer = post(server, "application/json", &[], &body(resource, scope, json!([record])));
    assert_eq!((answer.status, answer.body.as_str()), (200, "{}"));
    let made = ids().difference(&before).next().unwrap().clone();
    server.get(&format!("/api/v1/logs/{made}")).json()
}

#[test]
fn names_of_the_conventions_become_fields_and_all_others_metadata() {
    let entry = round_trip(
        &Server::start(),
        json!({"service.name": "shop", "service.version": "v3", "deployment.environment.name": "staging",
               "host.name": "h1", "process.pid": 7, "telemetry.sdk.name": "opentelemetry",
               "telemetry.sdk.language": "python", "telemetry.sdk.version": "1.45.2", "k8s.pod.name": "shop-1",
               "note": "of the resource"}),
        json!({"name": "shop.orders", "version": "2"}),
        json!({"timeUnixNano": (NOON * 1_000_000_000 + 1_500).to_string(), "observedTimeUnixNano": NOON * 1_000_000_000 + 9_000,
               "severityNumber": 18, "severityText": "ERROR2", "body": {"stringValue": "it broke"},
               "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7", "flags": 1,
               "droppedAttributesCount": 2, "eventName": "shop.broken",
               "attributes": attributes(json!({
                   "http.request.method": "GET", "url.path": "/users/7", "url.query": "a=1", "url.scheme": "https",
                   "http.route": "/users/{id}", "http.response.status_code": 503, "client.address": "192.0.2.7",
                   "client.port": 4711, "network.peer.address": "10.0.0.1", "network.protocol.version": "1.1",
                   "network.protocol.name": "http", "user_agent.original": "curl/8.5.0", "server.address": "shop.example",
                   "server.port": 8443, "error.type": "503", "http.request.body.size": 12, "http.response.body.size": 3,
                   "http.request.header.accept": ["a", "b"], "http.request.header.content-type": ["text/plain"],
                   "http.response.header.content-type": ["text/html"], "user.id": "u1", "session.id": "s1",
                   "exception.message": "no such user", "exception.stacktrace": "a\nb", "code.function.name": "f",
                   "code.file.path": "/a.py", "code.line.number": 17, "tls.protocol.version": "1.3",
                   "rpc.grpc.status_code": 5, "hoplog.tenant_id": "t1", "hoplog.duration_ms": 1.5,
                   "order": 17, "tags": ["a", 1, true, 0.5], "note": "of the record", "level": "loud"})) }),
    );
    for (field, value) in [
        ("created_at", json!(NOON as f64 + 1e-6)),
        ("level", json!("ERROR")),
        ("message", json!("it broke")),
        ("trace_id", json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("span_id", json!("00f067aa0ba902b7")),
        ("service", json!("shop")),
        ("service_version", json!("v3")),
        ("environment", json!("staging")),
        ("host", json!("h1")),
        ("pid", json!(7)),
        ("sdk", json!("opentelemetry-python")),
        ("sdk_version", json!("1.45.2")),
        ("target", json!("shop.orders")),
        ("kind", json!("request")),
        ("method", json!("GET")),
        ("path", json!("/users/7")),
        ("query", json!("a=1")),
        ("scheme", json!("https")),
        ("route", json!("/users/{id}")),
        ("status_code", json!(503)),
        ("ip", json!("192.0.2.7")),
        ("client_port", json!(4711)),
        ("peer", json!("10.0.0.1")),
        ("http_version", json!("1.1")),
        ("user_agent", json!("curl/8.5.0")),
        ("browser", json!("curl")),
        ("host_header", json!("shop.example:8443")),
        ("error_type", json!("503")),
        ("error_message", json!("no such user")),
        ("stack_trace", json!("a\nb")),
        ("request_size", json!(12)),
        ("response_size", json!(3)),
        ("request_headers", json!({"accept": ["a", "b"], "content-type": ["text/plain"]})),
        ("response_headers", json!({"content-type": ["text/html"]})),
        ("content_type", json!("text/plain")),
        ("response_content_type", json!("text/html")),
        ("user_id", json!("u1")),
        ("session_id", json!("s1")),
        ("tenant_id", json!("t1")),
        ("duration_ms", json!(1.5)),
        ("function_name", json!("f")),
        ("file_path", json!("/a.py")),
        ("line", json!(17)),
        ("tls_version", json!("1.3")),
        ("grpc_status", json!(5)),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
    assert_eq!(
        entry["metadata"],
        json!({"order": 17, "tags": ["a", 1, true, 0.5], "note": "of the record", "level": "loud",
               "network.protocol.name": "http", "k8s.pod.name": "shop-1", "resource.note": "of the resource",
               "otel.scope.version": "2", "severity_number": 18, "severity_text": "ERROR2", "event_name": "shop.broken",
               "observed_time_unix_nano": (NOON * 1_000_000_000 + 9_000).to_string(), "trace_flags": 1,
               "dropped_attributes_count": 2})
    );
}

#[test]
fn what_a_record_says_in_another_way_is_put_right() {
    let server = Server::start();
    let of = |record: Value| round_trip(&server, json!({}), json!({}), record);
    for (record, field, value) in [
        (json!({}), "level", json!("INFO")),
        (json!({}), "created_at", json!(NOON)),
        (json!({}), "service", json!("unknown")),
        (json!({}), "metadata", Value::Null),
        (json!({"severityNumber": 24}), "level", json!("FATAL")),
        (json!({"severityText": "warning"}), "level", json!("WARN")),
        (json!({"severityText": "Schwer"}), "metadata", json!({"severity_text": "Schwer"})),
        (json!({"observedTimeUnixNano": "1700000000000000000"}), "created_at", json!(1_700_000_000)),
        (json!({"traceId": "00000000000000000000000000000000"}), "trace_id", Value::Null),
        (
            json!({"traceId": "4BF92F3577B34DA6A3CE929D0E0E4736"}),
            "trace_id",
            json!("4bf92f3577b34da6a3ce929d0e0e4736"),
        ),
        (json!({"body": {"intValue": "17"}}), "message", json!("17")),
        (
            json!({"body": {"kvlistValue": {"values": [attribute("a", json!([1]))]}}}),
            "message",
            json!(r#"{"a":[1]}"#),
        ),
        (
            json!({"body": {"kvlistValue": {"values": [attribute("a", json!(1))]}}}),
            "metadata",
            json!({"body": {"a": 1}}),
        ),
        (
            json!({"attributes": [attribute("http.request.method", json!("_OTHER")), attribute("http.request.method_original", json!("PURGE"))]}),
            "method",
            json!("PURGE"),
        ),
        (
            json!({"attributes": [attribute("server.address", json!("fd00::1")), attribute("server.port", json!(80))]}),
            "host_header",
            json!("[fd00::1]:80"),
        ),
        (
            json!({"attributes": [attribute("server.port", json!(80))]}),
            "metadata",
            json!({"server.port": 80}),
        ),
        (
            json!({"attributes": [attribute("error.type", json!("503")), attribute("exception.type", json!("Gone"))]}),
            "error_type",
            json!("Gone"),
        ),
        (
            json!({"attributes": [attribute("error.type", json!("503")), attribute("exception.type", json!("Gone"))]}),
            "metadata",
            json!({"error.type": "503"}),
        ),
        (
            json!({"attributes": [attribute("http.status_code", json!("odd"))]}),
            "metadata",
            json!({"status_code": "odd"}),
        ),
        (
            json!({"attributes": [attribute("user.id", json!("a")), attribute("enduser.id", json!("b"))]}),
            "metadata",
            json!({"enduser.id": "b"}),
        ),
        (
            json!({"attributes": [attribute("log.record.uid", json!("01ARZ3NDEKTSV4RRFFQ69G5FAV"))]}),
            "metadata",
            json!({"log.record.uid": "01ARZ3NDEKTSV4RRFFQ69G5FAV"}),
        ),
        (
            json!({"attributes": [attribute("log.record.uid", json!("019cd79e-4600-7444-b57a-9c4a988035f1"))]}),
            "id",
            json!("019cd79e-4600-7444-b57a-9c4a988035f1"),
        ),
        (json!({"eventName": "http.client.request"}), "kind", json!("outgoing")),
        (
            json!({"attributes": [{"key": "n", "value": {"doubleValue": "NaN"}}]}),
            "metadata",
            json!({"n": null, "hoplog_flags": ["replaced_values"]}),
        ),
        (
            json!({"attributes": [{"key": "b", "value": {"bytesValue": "AAE="}}]}),
            "metadata",
            json!({"b": "AAE="}),
        ),
    ] {
        assert_eq!(of(record.clone())[field], value, "{field} of {record}");
    }
}

#[test]
fn a_record_sent_twice_is_stored_twice_but_under_its_own_id() {
    let server = Server::start();
    let uid = attribute("log.record.uid", json!("019cd79e-4600-7444-b57a-9c4a988035f1"));
    let two =
        body(json!({}), json!({}), json!([{"attributes": [uid]}, {"body": {"stringValue": "without one"}}]));
    for _ in 0..2 {
        assert_eq!(post(&server, "application/json", &[], &two).status, 200);
    }
    assert_eq!(server.logs("").len(), 3);
}

/// A field of bytes, below 128 of them.
fn field(tag: u8, bytes: &[u8]) -> Vec<u8> {
    [&[tag << 3 | 2, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// A request with these records in Protocol Buffers.
fn protobuf(records: &[&[u8]]) -> Vec<u8> {
    let records: Vec<u8> = records.iter().flat_map(|record| field(2, record)).collect();
    field(1, &field(2, &records))
}

#[test]
fn a_sender_is_answered_in_its_own_encoding() {
    let server = Server::start();
    let message = field(5, &field(1, b"hello"));
    let good = protobuf(&[&message]);
    for (encoding, wire) in [
        (None, good.clone()),
        (Some("gzip"), gzip(&good)),
        (Some("zstd"), zstd::encode_all(good.as_slice(), 1).unwrap()),
    ] {
        let headers: Vec<_> = encoding.map(|name| ("content-encoding", name)).into_iter().collect();
        let answer = post(&server, "application/x-protobuf", &headers, &wire);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""), "{encoding:?}");
        assert_eq!(answer.header("content-type"), Some("application/x-protobuf"));
    }
    assert_eq!(server.logs("?q=hello").len(), 3);

    // One record too deep among two: the other is stored.
    let mut deep = json!({"stringValue": "x"});
    for _ in 0..33 {
        deep = json!({"arrayValue": {"values": [deep]}});
    }
    let partial = body(json!({}), json!({}), json!([{"body": deep}, {"body": {"stringValue": "beside it"}}]));
    let answer = post(&server, "application/json; charset=utf-8", &[], &partial);
    let said = answer.json();
    assert_eq!((answer.status, &said["partialSuccess"]["rejectedLogRecords"]), (200, &json!("1")));
    assert!(said["partialSuccess"]["errorMessage"].as_str().unwrap().contains("record 0: nested"), "{said}");
    assert_eq!(server.logs("?q=beside").len(), 1);

    // The same in Protocol Buffers: partial_success { rejected_log_records: 1, error_message: … }.
    let mut nested = field(1, b"x");
    for _ in 0..20 {
        nested = field(5, &field(1, &nested));
    }
    let answer = post(&server, "application/x-protobuf", &[], &protobuf(&[&field(5, &nested)]));
    assert_eq!((answer.status, answer.body.as_str()), (200, ""), "20 deep is within the bound");
}

#[test]
fn what_is_not_taken_is_answered_with_a_status() {
    let server = Server::with(|config| {
        config.limits({
            let mut limits = hoplog_collector::Limits::default();
            limits.body_bytes = 4096;
            limits
        })
    });
    let large = body(json!({}), json!({}), json!([{"body": {"stringValue": "x".repeat(5000)}}]));
    for (content_type, headers, wire, status, code) in [
        ("application/json", vec![], b"{".to_vec(), 400, 3),
        ("application/json", vec![], b"[]".to_vec(), 400, 3),
        ("application/json", vec![], br#"{"resourceLogs":{}}"#.to_vec(), 400, 3),
        ("application/json", vec![("content-encoding", "gzip")], b"no".to_vec(), 400, 3),
        ("application/json", vec![("content-encoding", "gzip")], gzip(&large), 413, 8),
        ("application/json", vec![], large.clone(), 413, 8),
        ("text/plain", vec![], b"x".to_vec(), 415, 3),
        ("application/json", vec![("content-encoding", "br")], b"x".to_vec(), 415, 3),
    ] {
        let answer = post(&server, content_type, &headers, &wire);
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!(code)), "{answer:?}");
        assert!(!answer.json()["message"].as_str().unwrap().is_empty());
    }
    let answer = post(&server, "application/x-protobuf", &[], b"\x0a\xff");
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/x-protobuf")));
    assert!(answer.body.starts_with("\u{8}\u{3}\u{12}"), "{answer:?}");
    let empty = post(&server, "application/x-protobuf", &[], b"");
    assert_eq!((empty.status, empty.body.as_str()), (200, ""), "an empty request is one");
    assert_eq!(server.logs("").len(), 0);
}

#[test]
fn what_may_go_well_later_is_answered_as_senders_of_this_protocol_understand_it() {
    let full = |_: &std::path::Path| Ok(hoplog_collector::DiskSpace { free: 1, total: 1_000 });
    let server = Server::with(|config| config.disk_space(full));
    let good = body(json!({}), json!({}), json!([{}]));
    let answer = post(&server, "application/json", &[], &good);
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (503, &json!(14)),
        "not 507, after which none tries again"
    );
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds.parse::<u32>().is_ok()));

    let keyed = Server::with(|config| config.api_key("hl_key"));
    assert_eq!(post(&keyed, "application/json", &[], &good).status, 401);
    assert_eq!(post(&keyed, "application/json", &[("authorization", "Bearer hl_key")], &good).status, 200);
}

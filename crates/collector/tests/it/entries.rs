//! The table of protocols §1, row by row: what is sent, and what comes back.

use super::Server;
use crate::support::NOON;
use serde_json::{Value, json};

#[test]
fn an_empty_entry_has_the_defaults_of_the_protocol() {
    let server = Server::start();
    let entry = server.round_trip("{}");
    for (field, value) in [
        ("level", json!("INFO")),
        ("message", json!("")),
        ("created_at", json!(NOON)),
        ("log_type", json!("BACKEND")),
        ("service", json!("unknown")),
        ("environment", json!("development")),
        ("service_version", json!("v0.0.0-dev")),
        ("trace_id", Value::Null),
        ("user_id", Value::Null),
        ("session_id", Value::Null),
        ("error_type", Value::Null),
        ("stack_trace", Value::Null),
        ("path", Value::Null),
        ("method", Value::Null),
        ("action_type", Value::Null),
        ("function_name", Value::Null),
        ("file_path", Value::Null),
        ("duration_ms", Value::Null),
        ("metadata", Value::Null),
        ("status_code", Value::Null),
        ("kind", json!("event")),
        ("slow", Value::Null),
    ] {
        assert_eq!(entry[field], value, "{field}");
    }
}

#[test]
fn every_field_is_read_in_every_accepted_form() {
    let server = Server::start();
    for (field, sent, shown) in [
        ("level", r#""ERROR""#, json!("ERROR")),
        ("level", r#""warning""#, json!("WARN")),
        ("level", r#""Critical""#, json!("FATAL")),
        ("level", "null", json!("INFO")),
        ("message", r#""a \"b\"\n\u00e9""#, json!("a \"b\"\né")),
        ("message", "17", json!("17")),
        ("message", "true", json!("true")),
        ("created_at", "1700000000.25", json!(1_700_000_000.25)),
        ("created_at", "1700000000", json!(1_700_000_000)),
        ("created_at", "1700000000250", json!(1_700_000_000.25)),
        ("created_at", r#""1700000000.25""#, json!(1_700_000_000.25)),
        ("created_at", r#""2023-11-14T22:13:20.250000001Z""#, json!(1_700_000_000.25)),
        ("created_at", r#""2023-11-15T07:13:20+09:00""#, json!(1_700_000_000)),
        ("created_at", "0", json!(NOON)),
        ("created_at", "null", json!(NOON)),
        ("created_at", r#""""#, json!(NOON)),
        ("log_type", r#""worker""#, json!("WORKER")),
        ("service", r#""shop""#, json!("shop")),
        ("service", "12", json!("12")),
        ("service", r#""""#, json!("unknown")),
        ("environment", r#""Kitchen""#, json!("Kitchen")),
        ("service_version", r#""v1.2.3""#, json!("v1.2.3")),
        ("trace_id", r#""4bf92f3577b34da6a3ce929d0e0e4736""#, json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("trace_id", r#""4BF92F35-77B3-4DA6-A3CE-929D0E0E4736""#, json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("trace_id", r#""order-17""#, json!("order-17")),
        ("trace_id", "12345", json!("12345")),
        ("user_id", "99", json!("99")),
        ("session_id", r#""s""#, json!("s")),
        ("error_type", r#""ValueError""#, json!("ValueError")),
        ("stack_trace", r#""a\nb""#, json!("a\nb")),
        ("stack_trace", r#"["a","b",3]"#, json!("a\nb\n3")),
        ("path", r#""/a?b""#, json!("/a?b")),
        ("method", r#""PROPFIND""#, json!("PROPFIND")),
        ("action_type", r#""login""#, json!("login")),
        ("function_name", r#""f""#, json!("f")),
        ("file_path", r#""/src/a.rs""#, json!("/src/a.rs")),
        ("duration_ms", "1.5", json!(1.5)),
        ("duration_ms", r#""12.25""#, json!(12.25)),
        ("duration_ms", "3", json!(3.0)),
        ("metadata", r#"{"a":{"b":[1]}}"#, json!({"a": {"b": [1]}})),
        ("metadata", r#""{\"a\": \"\\u00e9\"}""#, json!({"a": "é"})),
        ("metadata", r#""""#, Value::Null),
        ("metadata", "{}", Value::Null),
        ("kind", r#""outgoing""#, json!("outgoing")),
        ("outcome", r#""body_aborted""#, json!("body_aborted")),
        ("status_code", "404", json!(404)),
        ("status_code", r#""404""#, json!(404)),
        ("status_code", "404.0", json!(404)),
        ("ttfb_ms", "0.125", json!(0.125)),
        ("request_size", "9007199254740993", json!(9_007_199_254_740_993_i64)),
        ("span_id", r#""00f067aa0ba902b7""#, json!("00f067aa0ba902b7")),
        ("span_id", r#""root""#, json!("root")),
        ("parent_span_id", r#""00f067aa0ba902b7""#, json!("00f067aa0ba902b7")),
        (
            "exchange_id",
            r#""0190163d-8694-739b-aea5-966c26f8ad91""#,
            json!("0190163d-8694-739b-aea5-966c26f8ad91"),
        ),
        ("request_headers", r#"{"accept":["*/*"]}"#, json!({"accept": ["*/*"]})),
        ("response_headers", r#"{}"#, json!({})),
        ("request_body", r#""x=1""#, json!("x=1")),
        ("response_body", r#"{"x":1}"#, json!({"x": 1})),
        ("request_body_truncated", "true", json!(true)),
        ("grpc_status", "5", json!(5)),
        ("weight", "10", json!(10.0)),
        ("line", "7", json!(7)),
        ("ip", r#""192.0.2.1""#, json!("192.0.2.1")),
        ("ip", r#""hmac:9f86d081884c7d65""#, json!("hmac:9f86d081884c7d65")),
        ("ip", r#""203.0.113.0/24""#, json!("203.0.113.0/24")),
        ("response_body_truncated", "false", json!(false)),
        ("request_body_hash", r#""hmac:5f3a""#, json!("hmac:5f3a")),
        ("response_body_hash", r#""hmac:5f3b""#, json!("hmac:5f3b")),
        ("longest_gap_ms", "1500.25", json!(1500.25)),
        ("client_port", "52114", json!(52_114)),
        ("client_port", r#""52114""#, json!(52_114)),
        ("tls_version", r#""1.3""#, json!("1.3")),
        ("tls_version", "1.3", json!("1.3")),
        ("client_type", r#""miniprogram""#, json!("miniprogram")),
        ("origin", r#""https://shop.example""#, json!("https://shop.example")),
        ("api_version", r#""v2""#, json!("v2")),
        (
            "linked_trace_id",
            r#""4BF92F3577B34DA6A3CE929D0E0E4736""#,
            json!("4bf92f3577b34da6a3ce929d0e0e4736"),
        ),
        ("linked_trace_id", r#""order-17""#, json!("order-17")),
        ("linked_span_id", r#""00f067aa0ba902b7""#, json!("00f067aa0ba902b7")),
        ("slow", "true", json!(true)),
        ("slow", "false", json!(false)),
        ("slow", r#""true""#, json!(true)),
        ("error_message", r#""index out of bounds""#, json!("index out of bounds")),
    ] {
        let entry = server.round_trip(&format!("{{\"{field}\":{sent}}}"));
        assert_eq!(entry[field], shown, "{field}: {sent}");
        let kept = entry["metadata"].get(field);
        assert!(field == "metadata" || kept.is_none(), "{field}: {sent} is also kept as {kept:?}");
    }
}

/// A store may set blanks of its own between the tokens of metadata, where none were sent.
fn as_sent(raw: &str) -> String {
    raw.replace("\": ", "\":").replace(", ", ",")
}

/// A store may write the powers of ten out: the same number, to the last digit.
fn as_kept(sent: &str) -> String {
    match Server::KEEPS_EXPONENTS {
        true => sent.to_owned(),
        false => sent
            .replace("1e300", &format!("1{}", "0".repeat(300)))
            .replace("1e-400", &format!("0.{}1", "0".repeat(399))),
    }
}

#[test]
fn a_value_that_does_not_fit_its_field_is_kept_under_metadata() {
    let server = Server::start();
    for (field, sent, shown) in [
        ("level", r#""loud""#, json!("INFO")),
        ("message", r#"{"a":1}"#, json!("")),
        ("created_at", r#""yesterday""#, json!(NOON)),
        ("created_at", "1e300", json!(NOON)),
        ("log_type", r#""TOASTER""#, json!("BACKEND")),
        ("service", r#"["a"]"#, json!("unknown")),
        ("duration_ms", r#""fast""#, Value::Null),
        ("status_code", "18446744073709551615", Value::Null),
        ("status_code", "404.5", Value::Null),
        ("kind", r#""odd""#, json!("event")),
        ("slow", r#""sometimes""#, Value::Null),
        ("slow", "1", Value::Null),
        ("client_port", "-0.5", Value::Null),
        ("longest_gap_ms", "[]", Value::Null),
        ("outcome", "3", Value::Null),
        ("exchange_id", r#""x""#, Value::Null),
    ] {
        let body = server.round_trip(&format!("{{\"{field}\":{sent}}}"));
        assert_eq!(body[field], shown, "{field}: {sent}");
        let raw = server.get(&format!("/api/v1/logs/{}", body["id"].as_str().unwrap())).body;
        assert!(
            as_sent(&raw).contains(&format!("\"metadata\":{{\"{field}\":{}}}", as_kept(sent))),
            "{field}: {raw}"
        );
    }
    let entry = server.round_trip(r#"{"duration_ms":1e999}"#);
    assert_eq!(
        (&entry["duration_ms"], &entry["metadata"]),
        (&Value::Null, &json!({"duration_ms": "1e999", "hoplog_flags": ["replaced_values"]}))
    );
    let long = "s".repeat(257);
    let entry = server.round_trip(&json!({ "service": long }).to_string());
    assert_eq!((&entry["service"], &entry["metadata"]["service"]), (&json!("unknown"), &json!(long)));
    let entry = server.round_trip(r#"{"metadata":[1,2]}"#);
    assert_eq!(entry["metadata"], json!({"metadata": [1, 2]}));
    let entry = server.round_trip(r#"{"metadata":"not json"}"#);
    assert_eq!(entry["metadata"], json!({"metadata": "not json"}));
}

#[test]
fn an_entry_that_names_no_kind_is_a_request_if_it_asks_or_answers_and_else_an_event() {
    let server = Server::start();
    for (entry, kind) in [
        (r#"{"message":"a line"}"#, "event"),
        (r#"{"path":"/a","duration_ms":3}"#, "event"),
        (r#"{"method":"GET","path":"/a"}"#, "request"),
        (r#"{"status_code":204}"#, "request"),
        (r#"{"method":"","status_code":null}"#, "event"),
        (r#"{"kind":null,"method":"GET"}"#, "request"),
        (r#"{"kind":"odd","method":"GET"}"#, "request"),
        (r#"{"kind":"event","method":"GET"}"#, "event"),
        (r#"{"kind":"outgoing","status_code":200}"#, "outgoing"),
    ] {
        assert_eq!(server.round_trip(entry)["kind"], kind, "{entry}");
    }
    assert_eq!((server.logs("?kind=request").len(), server.logs("?kind=event").len()), (4, 4));
    let body = br#"{"source":{"kind":"outgoing"},"logs":[{"method":"GET","message":"by its source"}]}"#;
    assert_eq!(server.post("/logs", &[], body).status, 200);
    assert_eq!(server.logs("?kind=outgoing&q=source").len(), 1);
}

#[test]
fn every_unknown_key_comes_back_to_the_last_digit() {
    let server = Server::start();
    let sent = r#"{"ip_country":"KR","big":123456789012345678901234567890,"tiny":1e-400,"deep":{"a":[null,{"b":false}]},"":1,"quo\"te":"\\","metadata":{"big":1,"own":"m"}}"#;
    let entry = server.round_trip(sent);
    let raw = server.get(&format!("/api/v1/logs/{}", entry["id"].as_str().unwrap())).body;
    for part in [
        r#""own":"m""#,
        r#""big":1"#,
        r#""ip_country":"KR""#,
        r#""entry.big":123456789012345678901234567890"#,
        r#""tiny":1e-400"#,
        r#""deep":{"a":[null,{"b":false}]}"#,
        r#""":1"#,
        r#""quo\"te":"\\""#,
    ] {
        assert!(as_sent(&raw).contains(&as_kept(part)), "{part} in {raw}");
    }
    for (filter, found) in
        [("ip_country=KR", 1), ("ip_country=US", 0), ("own=m", 1), ("big=1", 1), ("deep=KR", 0)]
    {
        assert_eq!(server.logs(&format!("?metadata.{filter}")).len(), found, "{filter}");
    }
}

#[test]
fn the_last_of_two_values_counts_and_an_escaped_name_is_the_name() {
    let server = Server::start();
    let entry = server.round_trip(r#"{"path":"/a","path":"/b","m\u0065ssage":"hi","timestamp":1700000000}"#);
    assert_eq!(entry["path"], "/b");
    assert_eq!(entry["message"], "hi");
    assert_eq!(entry["created_at"], 1_700_000_000);
    assert_eq!(entry["metadata"], Value::Null);
    let entry = server.round_trip(r#"{"created_at":1700000000,"timestamp":"2020-01-01T00:00:00Z"}"#);
    assert_eq!(entry["created_at"], 1_700_000_000);
    assert_eq!(entry["metadata"], json!({"timestamp": "2020-01-01T00:00:00Z"}));
}

#[test]
fn nul_and_lone_surrogates_are_replaced_and_the_entry_says_so() {
    let server = Server::start();
    let entry =
        server.round_trip(r#"{"message":"a\u0000b","extra":{"k":"\ud800"},"metadata":{"x":"\udfff!"}}"#);
    assert_eq!(entry["message"], "a\u{fffd}b");
    assert_eq!(
        entry["metadata"],
        json!({"x": "\u{fffd}!", "extra": {"k": "\u{fffd}"}, "hoplog_flags": ["replaced_values"]})
    );
    let entry = server.round_trip(r#"{"message":"a\\u0000 \ud83d\ude00"}"#);
    assert_eq!((&entry["message"], &entry["metadata"]), (&json!("a\\u0000 😀"), &Value::Null));
}

#[test]
fn what_the_batch_says_of_its_source_counts_where_an_entry_says_nothing() {
    let server = Server::start();
    let body = json!({
        "source": {"service": "shop", "environment": "production", "service_version": "v2", "host": "h1", "pid": 7,
                   "sdk": "hoplog", "sdk_version": "0.1.0", "region": "kr"},
        "logs": [{"message": "a"}, {"message": "b", "service": "other", "host": "h2"}],
        "batch_id": "0190163d-8694-739b-aea5-966c26f8ad91", "boot_id": "b", "seq": 1,
        "ledger": {"accepted": 2}, "losses": {"queue_full_newest": 3}, "closing": true,
    });
    let response = server.post("/logs", &[], body.to_string().as_bytes());
    assert_eq!(response.json()["batch_id"], body["batch_id"]);
    let logs = server.logs("?service=shop");
    assert_eq!(logs.len(), 1);
    for (field, value) in [
        ("message", json!("a")),
        ("environment", json!("production")),
        ("service_version", json!("v2")),
        ("host", json!("h1")),
        ("pid", json!(7)),
        ("sdk", json!("hoplog")),
        ("sdk_version", json!("0.1.0")),
        ("metadata", Value::Null),
    ] {
        assert_eq!(logs[0][field], value, "{field}");
    }
    let other = &server.logs("?service=other")[0];
    assert_eq!((&other["host"], &other["environment"]), (&json!("h2"), &json!("production")));
}

#[test]
fn device_browser_and_system_come_from_the_user_agent_where_the_entry_does_not_say_them() {
    let server = Server::start();
    let chrome = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36";
    let names = ["device_type", "browser", "browser_version", "os_name", "os_version"];
    let shown = |entry: Value| names.map(|name| entry[name].clone());
    let read = [json!("desktop"), json!("Chrome"), json!("126.0.0.0"), json!("Windows"), json!("10")];
    let nothing = [const { Value::Null }; 5];
    let entry = |more: Value| {
        let mut entry = json!({"method": "GET", "user_agent": chrome});
        entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        server.round_trip(&entry.to_string())
    };
    assert_eq!(shown(entry(json!({}))), read);
    let own = shown(entry(json!({"browser": "Own", "os_name": "Mine"})));
    assert_eq!(own, [json!("desktop"), json!("Own"), json!("126.0.0.0"), json!("Mine"), json!("10")]);
    assert_eq!(shown(entry(json!({"kind": "outgoing"}))), nothing, "the service's own user agent");
    assert_eq!(shown(entry(json!({"user_agent": "shop/1.0 (internal)"}))), nothing);
    // Many in one batch, of which most are read once.
    let logs: Vec<Value> = (0..3000)
        .map(|n| {
            let agent = if n % 2 == 0 { chrome.to_owned() } else { format!("curl/8.{n}") };
            json!({"method": "GET", "user_agent": agent})
        })
        .collect();
    assert_eq!(server.send(json!(logs))["accepted"], 3000);
    for log in server.logs("?limit=1000&method=GET") {
        let agent = log["user_agent"].as_str().unwrap();
        let version = agent.strip_prefix("curl/").unwrap_or("126.0.0.0");
        if log["browser"] != "Own" && log["kind"] == "request" && agent != "shop/1.0 (internal)" {
            assert_eq!(log["browser_version"], version, "{agent}");
        }
    }
}

//! What a body may be, and what is said of one that may not.

use crate::support::{Server, connect, exchange, gzip, request};
use serde_json::json;
use std::io::{Read as _, Write as _};

/// Answers 400 with `{"detail": …}` that mentions `what`.
fn is_bad(server: &Server, path: &str, headers: &[(&str, &str)], body: &[u8], what: &str) {
    let response = server.post(path, headers, body);
    let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
    assert_eq!(response.status, 400, "{shown}: {response:?}");
    let detail = response.json()["detail"].as_str().unwrap_or_default().to_owned();
    assert!(detail.contains(what), "{shown}: {detail}");
}

#[test]
fn a_good_batch_is_answered_as_the_protocol_says() {
    let server = Server::start();
    let response = server.post("/logs", &[], br#"{"logs":[{"message":"a"},{"message":"b"}]}"#);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("accept-encoding"), Some("zstd, gzip"));
    let answer = response.json();
    assert_eq!(answer["status"], "ok");
    assert_eq!(
        (&answer["count"], &answer["accepted"], &answer["duplicates"]),
        (&json!(2), &json!(2), &json!(0))
    );
    assert_eq!((&answer["rejected"], &answer["durability"]), (&json!([]), &json!("fsync")));
    assert!(answer["server_time"].is_number() && answer["batch_id"].is_null());
    let empty = server.post("/logs", &[], br#"{"logs":[]}"#);
    assert_eq!((empty.status, &empty.json()["count"]), (200, &json!(0)));
}

#[test]
fn every_encoding_says_the_same() {
    let server = Server::start();
    let plain = br#"{"logs":[{"message":"packed"}]}"#;
    let zstd = zstd::encode_all(&plain[..], 1).unwrap();
    // Two gzip members one after the other are one body (RFC 1952 §2.2).
    let members = [gzip(&plain[..10]), gzip(&plain[10..])].concat();
    for (encoding, body) in [
        ("identity", plain.to_vec()),
        ("gzip", gzip(plain)),
        ("x-gzip", gzip(plain)),
        ("GZIP", members),
        ("zstd", zstd.clone()),
        (
            "zstd",
            [zstd::encode_all(&plain[..7], 3).unwrap(), zstd::encode_all(&plain[7..], 3).unwrap()].concat(),
        ),
    ] {
        let response = server.post("/logs", &[("content-encoding", encoding)], &body);
        assert_eq!(response.status, 200, "{encoding}: {response:?}");
    }
    assert_eq!(server.logs("?q=packed").len(), 6);
}

#[test]
fn a_bad_body_is_400_and_says_what_is_wrong() {
    let server = Server::start();
    for (body, what) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("nonsense", "expected"),
        (r#"{"logs":[}"#, "expected value"),
        (r#"{"logs":[]} x"#, "trailing"),
        (r#"{"logs":[{"a":1,}]}"#, "key must be a string"),
        (r#"{"logs":[{"a":NaNs}]}"#, "expected value"),
        (r#"{"logs":[{"a":nan}]}"#, "expected ident"),
        (r#"{"logs":[{"a":+Infinity}]}"#, "expected value"),
        (r#"{"logs":[{NaN:1}]}"#, "key must be a string"),
        (r#"{"logs":[{"a":NaN}"#, "EOF"),
        ("{}", "`logs` is missing"),
        (r#"{"logs":null}"#, "`logs` is missing"),
        (r#"{"logs":{}}"#, "`logs` is not an array"),
        (r#"{"logs":{"a":[1]}}"#, "`logs` is not an array"),
        (r#"{"logs":"[]"}"#, "`logs` is not an array"),
        (r#"{"logs":1.5}"#, "`logs` is not an array"),
        (r#"{"logs":-3}"#, "`logs` is not an array"),
        (r#"{"logs":true}"#, "`logs` is not an array"),
        ("[]", "object with `logs`"),
        ("17", "object with `logs`"),
        (r#"{"logs":[],"logs":[]}"#, "duplicate field `logs`"),
        (r#"{"logs":[],"source":[]}"#, "`source` is not an object"),
        (r#"{"logs":[],"batch_id":{}}"#, "`batch_id`"),
        ("{\"logs\":[{\"a\":\"\u{0}\"}]}", "control character"),
    ] {
        is_bad(&server, "/logs", &[], body.as_bytes(), what);
    }
    is_bad(&server, "/logs", &[], b"{\"logs\":[{\"message\":\"\xff\"}]}", "not UTF-8");
    let big = format!(r#"{{"logs":[],"source":{{"service":"{}"}}}}"#, "s".repeat(5000));
    is_bad(&server, "/logs", &[], big.as_bytes(), "`source` has");
    let whole = gzip(br#"{"logs":[]}"#);
    let trailing = [whole.as_slice(), b"garbage"].concat();
    for (encoding, body) in [
        ("gzip", &b"not gzip"[..]),
        ("gzip", &whole[..whole.len() - 5]),
        ("gzip", &trailing),
        ("zstd", b"not zstd"),
        ("zstd", &zstd::encode_all(&br#"{"logs":[]}"#[..], 1).unwrap()[..8]),
    ] {
        is_bad(&server, "/logs", &[("content-encoding", encoding)], body, &format!("not valid {encoding}"));
    }
    assert_eq!(server.get("/stats").json()["total_logs"], 0, "nothing of a bad body is kept");
}

/// The bytes that Python's `json.dumps({"logs": [...]})` makes of floats that are no numbers, blanks and all.
#[test]
fn floats_that_are_no_numbers_become_null_in_their_entry_alone() {
    let server = Server::start();
    let body = br#"{"logs": [{"message": "first", "duration_ms": 1.5}, {"message": "NaN stays text", "duration_ms": NaN, "ratio": -Infinity, "metadata": {"load": [NaN, 0.5, Infinity], "quote": "\" NaN"}, "request_headers": {"x": [NaN]}}, {"message": "last", "metadata": {"k": 1}}]}"#;
    let compact = String::from_utf8_lossy(body).replace(": ", ":").replace(", ", ",");
    for (encoding, body) in [
        ("identity", body.to_vec()),
        ("gzip", gzip(body)),
        ("zstd", zstd::encode_all(compact.as_bytes(), 1).unwrap()),
    ] {
        let answer = server.post("/logs", &[("content-encoding", encoding)], &body);
        assert_eq!((answer.status, &answer.json()["accepted"]), (200, &json!(3)), "{encoding}: {answer:?}");
        let logs = server.logs("?limit=3");
        assert_eq!((&logs[2]["message"], &logs[2]["duration_ms"]), (&json!("first"), &json!(1.5)));
        assert_eq!((&logs[1]["message"], &logs[1]["duration_ms"]), (&json!("NaN stays text"), &json!(null)));
        assert_eq!(logs[1]["request_headers"], json!({"x": [null]}));
        let metadata = &logs[1]["metadata"];
        assert_eq!((&metadata["load"], &metadata["ratio"]), (&json!([null, 0.5, null]), &json!(null)));
        assert!(metadata["quote"].as_str().unwrap().ends_with("NaN"), "{metadata}");
        assert_eq!(metadata["hoplog_flags"], json!(["replaced_values"]), "the entry says so");
        assert_eq!(
            (&logs[2]["metadata"], &logs[0]["metadata"]),
            (&json!(null), &json!({"k": 1})),
            "the others do not"
        );
    }
    for (path, body) in
        [("/api/v1/logs", r#"{"duration_ms":NaN}"#), ("/api/v1/logs/batch", r#" [{"x":-Infinity},{}]"#)]
    {
        assert_eq!(server.post(path, &[], body.as_bytes()).status, 200, "{path}");
    }
}

#[test]
fn one_bad_entry_rejects_itself_alone() {
    let server = Server::start();
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let just_right = format!("{{\"message\":\"deep\",\"x\":{}1{}}}", "[".repeat(31), "]".repeat(31));
    let id = "0190163d-8694-739b-aea5-966c26f8ad91";
    let too_deep = format!("{{\"id\":\"{id}\",\"x\":{}1{}}}", "[".repeat(32), "]".repeat(32));
    let large = format!("{{\"message\":\"{}\"}}", "x".repeat(256 * 1024));
    let body = format!(
        r#"{{"logs":[{{"message":"first"}},17,null,"text",[{{}}],{{"x":{deep}}},{too_deep},{large},{just_right},{{"message":"last"}}]}}"#
    );
    let answer = server.post("/logs", &[], body.as_bytes());
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = answer.json();
    assert_eq!((&answer["count"], &answer["accepted"]), (&json!(10), &json!(3)));
    let reasons: Vec<(u64, String)> = answer["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| (r["index"].as_u64().unwrap(), r["reason"].as_str().unwrap().to_owned()))
        .collect();
    for (reason, (index, part)) in reasons.iter().zip([
        (1, "not a JSON object"),
        (2, "not a JSON object"),
        (3, "not a JSON object"),
        (4, "not a JSON object"),
        (5, "nested 100001 deep"),
        (6, "nested 33 deep"),
        (7, "an entry may have 262144"),
    ]) {
        assert!(reason.0 == index && reason.1.contains(part), "{reason:?}");
    }
    assert_eq!(answer["rejected"][5]["id"], id);
    let stored: Vec<String> =
        server.logs("").iter().map(|l| l["message"].as_str().unwrap().to_owned()).collect();
    assert_eq!(stored, ["last", "deep", "first"]);
}

#[test]
fn one_bad_entry_among_ten_thousand_rejects_itself_wherever_it_stands() {
    const ALL: usize = 10_000;
    let server = Server::start();
    let (mut stored, mut rejected) = (0, 0);
    // The first, the last, and around where groups of rows end.
    for place in [0, 1, 999, 1_000, 4_999, 5_000, ALL - 2, ALL - 1] {
        let entries: Vec<String> = (0..ALL)
            .map(|n| if n == place { "17".to_owned() } else { format!(r#"{{"message":"{place} {n}"}}"#) })
            .collect();
        let answer = server.post("/logs", &[], format!(r#"{{"logs":[{}]}}"#, entries.join(",")).as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        assert_eq!((&answer["accepted"], &answer["rejected"][0]["index"]), (&json!(ALL - 1), &json!(place)));
        assert_eq!(answer["rejected"].as_array().unwrap().len(), 1);
        stored += ALL - 1;
        rejected += 1;
    }
    assert_eq!(server.get("/stats").json()["total_logs"], json!(stored));
    println!("FIGURE collector.bad_entries_rejected {rejected} count");
}

#[test]
fn what_is_not_json_or_packed_twice_is_415() {
    let server = Server::start();
    let body = br#"{"logs":[]}"#;
    for headers in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/jsonp")],
        &[("content-type", "application/json"), ("content-encoding", "br")],
        &[("content-type", "application/json"), ("content-encoding", "gzip, gzip")],
        &[("content-type", "application/json"), ("content-encoding", "gzip"), ("content-encoding", "zstd")],
    ] {
        let response = request(server.address, "POST", "/logs", headers, body);
        assert_eq!(response.status, 415, "{headers:?}: {response:?}");
        assert!(response.json()["detail"].is_string());
        assert_eq!(response.header("accept-encoding"), Some("zstd, gzip"), "says what may be sent");
    }
    let response = request(
        server.address,
        "POST",
        "/logs",
        &[("content-type", "Application/JSON; charset=utf-8")],
        body,
    );
    assert_eq!(response.status, 200);
}

#[test]
fn what_is_too_large_is_413() {
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        (limits.body_bytes, limits.compressed_bytes, limits.batch_entries) = (2 << 20, 1 << 20, 3);
        config.limits(limits)
    });
    let long = format!(r#"{{"logs":[],"x":"{}"}}"#, "x".repeat(2 << 20));
    let response = server.post("/logs", &[], long.as_bytes());
    assert_eq!(response.status, 413, "{response:?}");
    // The same without a declared length.
    let chunked = format!(
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n{long}\r\n0\r\n\r\n",
        long.len()
    );
    assert_eq!(exchange(server.address, chunked.as_bytes()).status, 413);
    let noise: Vec<u8> = (0..(1u32 << 20) + 1).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert_eq!(server.post("/logs", &[("content-encoding", "gzip")], &noise).status, 413);
    let four = server.post("/logs", &[], br#"{"logs":[{},{},{},{}]}"#);
    assert_eq!(four.status, 413);
    assert!(four.json()["detail"].as_str().unwrap().contains("4 entries"), "{four:?}");
    assert_eq!(server.post("/logs", &[], br#"{"logs":[{},{},{}]}"#).status, 200);
}

#[test]
fn bombs_are_refused_while_they_inflate() {
    let server = Server::start();
    let zeros = vec![b' '; 8 << 20];
    let gzip = gzip(&zeros);
    let zstd = zstd::encode_all(&zeros[..], 1).unwrap();
    assert!(zeros.len() / gzip.len() > 200 && zeros.len() / zstd.len() > 200, "these are bombs");
    let nested = gzip_twice(&zeros);
    for (encoding, body, status) in [
        ("gzip", &gzip, 413),
        ("zstd", &zstd, 413),
        ("gzip", &nested, 400),
        ("gzip", &[&gzip[..], &gzip].concat(), 413),
    ] {
        let response = server.post("/logs", &[("content-encoding", encoding)], body);
        assert_eq!(response.status, status, "{encoding}: {response:?}");
    }
    // A window of 2^27 bytes, where the bound is 2^23.
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    encoder.write_all(&zeros).unwrap();
    let wide = server.post("/logs", &[("content-encoding", "zstd")], &encoder.finish().unwrap());
    assert_eq!(wide.status, 400, "{wide:?}");
    assert_eq!(server.post("/logs", &[], br#"{"logs":[{}]}"#).status, 200, "and it goes on");
}

fn gzip_twice(plain: &[u8]) -> Vec<u8> {
    gzip(&gzip(plain))
}

#[test]
fn without_the_key_nothing_is_inflated() {
    let server = Server::with(|config| config.api_key("hl_key"));
    // What would be 400 or 413 once looked at is 401 before.
    for body in [gzip(&vec![b' '; 8 << 20]), b"not gzip".to_vec()] {
        let response = server.post("/logs", &[("content-encoding", "gzip")], &body);
        assert_eq!(response.status, 401, "{response:?}");
        let with_key = server.post("/logs", &[("content-encoding", "gzip"), ("x-api-key", "hl_key")], &body);
        assert!([400, 413].contains(&with_key.status), "{with_key:?}");
    }
}

#[test]
fn the_other_paths_take_one_entry_or_many() {
    let server = Server::start();
    for (path, body, count) in [
        ("/api/v1/logs", r#"{"message":"one"}"#, 1),
        ("/api/v1/logs/batch", r#"{"logs":[{"message":"two"},{}]}"#, 2),
        ("/api/v1/logs/batch", r#" [{"message":"three"},{},{}]"#, 3),
    ] {
        let response = server.post(path, &[], body.as_bytes());
        assert_eq!(
            (response.status, &response.json()["accepted"]),
            (200, &json!(count)),
            "{path}: {response:?}"
        );
    }
    is_bad(&server, "/api/v1/logs", &[], b"[{}]", "one entry");
    is_bad(&server, "/api/v1/logs/batch", &[], b"3", "object with `logs`");
    assert_eq!(server.get("/stats").json()["total_logs"], 6);
}

#[test]
fn bodies_together_never_take_more_than_their_memory() {
    let server = Server::with(|config| {
        let mut limits = hoplog_collector::Limits::default();
        limits.memory_bytes = 256 * 1024;
        config.limits(limits)
    });
    // One body that takes nearly all, and stops before its end.
    let mut slow = connect(server.address);
    let head =
        "POST /logs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let large = format!(r#"{{"logs":[],"x":"{}"}}"#, "x".repeat(250 * 1024));
    slow.write_all(format!("{head}content-length: {}\r\n\r\n", large.len()).as_bytes()).unwrap();
    slow.write_all(&large.as_bytes()[..large.len() - 1]).unwrap();
    // Until its bytes have arrived there is room; then there is none.
    let small = format!(r#"{{"logs":[],"x":"{}"}}"#, "x".repeat(20 * 1024));
    let refused = (0..1000)
        .map(|_| server.post("/logs", &[], small.as_bytes()))
        .find(|response| response.status != 200)
        .expect("another body finds no room");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    slow.write_all(&large.as_bytes()[large.len() - 1..]).unwrap();
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.post("/logs", &[], small.as_bytes()).status, 200, "the room is given back");
}

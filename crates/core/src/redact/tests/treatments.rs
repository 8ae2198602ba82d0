//! Mask, hash or drop; the application's own hook; clients' addresses.

use std::net::IpAddr;

use super::*;

fn keyed() -> Redaction {
    Redaction::default().hash_key("0123456789abcdef")
}

fn header(redactor: &Redactor, name: &str, value: &[u8]) -> Option<String> {
    let mut out = Vec::new();
    match redactor.header_value(redactor.header(name.as_bytes()), name, value, &mut out) {
        Verdict::Unchanged => Some(String::from_utf8_lossy(value).into_owned()),
        Verdict::Masked => Some(String::from_utf8(out).unwrap()),
        Verdict::Dropped => None,
    }
}

fn query_of(redactor: &Redactor, raw: &str) -> Option<String> {
    left(|out| redactor.query(raw.as_bytes(), out), raw)
}

#[test]
fn a_hash_needs_a_key_and_a_key_some_length() {
    let hashes: [fn(Redaction) -> Redaction; 4] = [
        |r| r.treat_name("email", Treatment::Hash),
        |r| r.treat_header("x-user", Treatment::Hash),
        |r| r.detect(Detector::Email, Treatment::Hash),
        |r| r.client_ip(ClientIp::Hash),
    ];
    for hash in hashes {
        let complaints = hash(Redaction::default()).build().unwrap_err();
        assert!(complaints[0].contains("call `hash_key` or set HOPLOG_HASH_KEY"), "{complaints:?}");
        assert!(hash(keyed()).build().is_ok());
        assert!(hash(Redaction::default().or_hash_key(Some("from the environment"))).build().is_ok());
    }
    let complaints = Redaction::default().hash_key("short").build().unwrap_err();
    assert_eq!(complaints, ["hash_key: has 5 bytes; give it 16 or more, random ones"]);
    assert!(!format!("{:?}", Redaction::default().hash_key("geheimgeheimgeheim")).contains("geheim"));
}

#[test]
fn parameters_and_headers_are_masked_hashed_or_left_out() {
    let redactor = keyed()
        .treat_name("email", Treatment::Hash)
        .treat_name("session_id", Treatment::Hash)
        .treat_name("note", Treatment::Drop)
        .treat_header("X-User", Treatment::Hash)
        .treat_header("user-agent", Treatment::Drop)
        .treat_header("accept", Treatment::Mask)
        .build()
        .unwrap();
    let hash = redactor.hash(b"b");
    for (raw, expected) in [
        ("a=1&email=b&pin=1", format!("a=1&email={hash}&pin=[redacted]")),
        ("session_id=b", format!("session_id={hash}")),
        ("note=1&a=2", "a=2".into()),
        ("a=1&note=2", "a=1".into()),
        ("a=1&note=2&b=3", "a=1&b=3".into()),
        ("note=1&note=2", String::new()),
        ("a=1&note=2&note=3", "a=1".into()),
    ] {
        assert_eq!(query_of(&redactor, raw), Some(expected), "{raw}");
    }
    assert_eq!(header(&redactor, "x-user", b"b"), Some(hash));
    assert_eq!(header(&redactor, "user-agent", b"x"), None);
    assert_eq!(header(&redactor, "accept", b"x").as_deref(), Some("[redacted]"));
    assert_eq!(header(&redactor, "host", b"x").as_deref(), Some("x"));
}

#[test]
fn what_detectors_find_is_masked_hashed_or_left_out() {
    let redactor = keyed()
        .detect(Detector::Email, Treatment::Hash)
        .detect(Detector::Card, Treatment::Drop)
        .build()
        .unwrap();
    let hash = redactor.hash(b"b@x.org");
    let text = redactor.text("from b@x.org, card 4111111111111111, key AKIAIOSFODNN7EXAMPLE");
    assert_eq!(text, format!("from {hash}, card , key [redacted]"));
}

#[test]
fn the_hook_decides_where_names_say_nothing() {
    let redactor = keyed()
        .all_headers()
        .custom(|place, name, value| match (place, name) {
            (Place::Header, "x-plan") => Some(Treatment::Mask),
            (Place::Parameter, "q") if value.starts_with("my") => Some(Treatment::Drop),
            (Place::Member, "n") => Some(Treatment::Mask),
            (Place::Field, "order") => Some(Treatment::Hash),
            _ => None,
        })
        .build()
        .unwrap();
    assert_eq!(header(&redactor, "x-plan", b"gold").as_deref(), Some("[redacted]"));
    assert_eq!(header(&redactor, "accept", b"gold").as_deref(), Some("gold"));
    assert_eq!(query_of(&redactor, "q=my1&p=my&q=yours").as_deref(), Some("p=my&q=yours"));
    assert_eq!(redactor.field("x", r#"{"n":1,"m":2}"#).as_deref(), Some(r#"{"n":"[redacted]","m":2}"#));
    assert_eq!(redactor.field("order", "17"), Some(format!("\"{}\"", redactor.hash(b"17")).into()));
    assert_eq!(redactor.field("price", "17").as_deref(), Some("17"));
}

#[test]
fn where_the_hook_fails_the_value_goes() {
    let redactor = Redaction::default().custom(|_, _, value| panic!("cannot judge {value}")).build().unwrap();
    const FAILED: &str = "[redaction failed]";
    assert_eq!(header(&redactor, "user-agent", b"KANARIENVOGEL").as_deref(), Some(FAILED));
    assert_eq!(header(&redactor, "accept", b"\xff").as_deref(), Some(FAILED), "no text to judge");
    assert_eq!(query_of(&redactor, "a=KANARIENVOGEL").as_deref(), Some("a=[redaction failed]"));
    assert_eq!(redactor.field("a", "\"KANARIENVOGEL\"").as_deref(), Some("\"[redaction failed]\""));
    let mut out = Vec::new();
    assert_eq!(
        redactor.body(b"application/json", br#"{"a":"KANARIENVOGEL"}"#, false, &mut out),
        Verdict::Masked
    );
    assert_eq!(out, br#"{"a":"[redaction failed]"}"#);
}

#[test]
fn addresses_are_kept_truncated_hashed_or_left_out() {
    let written = |client_ip, ip: &str| {
        let redactor = keyed().client_ip(client_ip).build().unwrap();
        let ip: IpAddr = ip.parse().unwrap();
        (redactor.ip(ip), redactor.peer(ip))
    };
    let address = |ip: &str| WrittenIp::Address(ip.parse().unwrap());
    for (ip, network) in [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
    ] {
        assert_eq!(written(ClientIp::Full, ip), (address(ip), Some(ip.parse().unwrap())));
        assert_eq!(written(ClientIp::Truncate, ip), (address(network), Some(network.parse().unwrap())));
        assert_eq!(written(ClientIp::Drop, ip), (WrittenIp::Nothing, None));
        let (WrittenIp::Hash(hash), None) = written(ClientIp::Hash, ip) else { panic!("{ip}") };
        assert!(hash.starts_with("hmac:") && !hash.contains("203"), "{hash}");
    }
    assert_eq!(written(ClientIp::Hash, "::ffff:192.0.2.1"), written(ClientIp::Hash, "192.0.2.1"));
}

#[test]
fn forwarding_headers_follow() {
    let redactor = keyed().all_headers().client_ip(ClientIp::Truncate).build().unwrap();
    for (name, raw, expected) in [
        ("x-forwarded-for", "203.0.113.77, 10.1.2.3", "203.0.113.0, 10.1.2.0"),
        (
            "x-forwarded-for",
            "203.0.113.77:4711,[2001:db8::1]:80 , 2001:db8:1:2::3",
            "203.0.113.0,2001:db8:: , 2001:db8:1::",
        ),
        ("x-forwarded-for", "unknown, _hidden, x203.0.113.77", "unknown, _hidden, [redacted]"),
        ("x-real-ip", "203.0.113.77", "203.0.113.0"),
        (
            "forwarded",
            "for=203.0.113.77;proto=https;host=a.b, for=\"[2001:db8::9]:1\"",
            "for=203.0.113.0;proto=https;host=a.b, for=\"2001:db8::\"",
        ),
        ("forwarded", "by=_x;for=unknown", "by=_x;for=unknown"),
        ("x-forwarded-for", "", ""),
    ] {
        assert_eq!(header(&redactor, name, raw.as_bytes()).as_deref(), Some(expected), "{name}: {raw}");
    }
    assert_eq!(
        header(&redactor, "x-forwarded-for", b"\xff, 10.0.0.1").as_deref(),
        Some("[redacted], 10.0.0.0")
    );
    let hashed = keyed().client_ip(ClientIp::Hash).build().unwrap();
    let WrittenIp::Hash(hash) = hashed.ip([203, 0, 113, 77].into()) else { panic!() };
    assert_eq!(header(&hashed, "x-forwarded-for", b"203.0.113.77:80"), Some(hash));
    let dropped = keyed().client_ip(ClientIp::Drop).build().unwrap();
    assert_eq!(header(&dropped, "x-forwarded-for", b"203.0.113.77"), None);
}

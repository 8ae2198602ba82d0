//! Bodies by their content type.

use super::*;

fn body(content_type: &str, raw: &[u8], cut: bool) -> (Verdict, String) {
    let mut out = Vec::new();
    let verdict = RULES.body(content_type.as_bytes(), raw, cut, &mut out);
    (verdict, String::from_utf8(out).unwrap())
}

#[test]
fn a_body_is_read_as_its_content_type_says() {
    let secret = br#"{"password":"x"}"#;
    for json in [
        "application/json",
        "APPLICATION/JSON; charset=UTF-8",
        "application/problem+json",
        "text/json",
        "application/x-ndjson",
        "application/vnd.api+json;charset=\"utf-8\"",
    ] {
        assert_eq!(
            body(json, secret, false),
            (Verdict::Masked, r#"{"password":"[redacted]"}"#.into()),
            "{json}"
        );
        assert_eq!(body(json, b"password=x", false).0, Verdict::Dropped, "{json}");
    }
    let form = "application/x-www-form-urlencoded";
    assert_eq!(body(form, b"a=1&pass%77ord=x&b=2", false).1, "a=1&pass%77ord=[redacted]&b=2");
    assert_eq!(body(form, secret, false).1, "[redacted]", "JSON under the wrong name");
    assert_eq!(body(form, b"a=1&b=2\r\n", false).0, Verdict::Unchanged);
    assert_eq!(body("text/plain", b"card 4111111111111111.", false).1, "card [redacted].");
    for unread in [
        "",
        "text/html",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "application/json; charset=utf-16",
        "text/plain; charset=latin1",
        "image/png",
        "json",
    ] {
        assert_eq!(body(unread, secret, false), (Verdict::Dropped, String::new()), "{unread}");
    }
}

#[test]
fn what_is_no_text_is_dropped_but_for_a_character_that_is_cut() {
    for content_type in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
        for raw in [b"\"a\xff\"".as_slice(), b"\"a\xc3", b"p\0a\0s\0s\0", b"\xff\xfe{\0"] {
            assert_eq!(body(content_type, raw, false).0, Verdict::Dropped, "{content_type} {raw:?}");
        }
    }
    assert_eq!(body("application/json", b"\"a\xc3", true).0, Verdict::Unchanged);
    assert_eq!(body("application/json", b"\"a\xff\"", true).0, Verdict::Dropped);
}

#[test]
fn a_form_may_be_cut_anywhere() {
    const FORM: &str =
        "name=b%C3%B6b&password=KANARIENVOGEL%21&note=Bearer+KANARIENVOGEL0123&card=4111+1111+1111+1111&x=1";
    for end in 0..=FORM.len() {
        let (verdict, masked) = body("application/x-www-form-urlencoded", &FORM.as_bytes()[..end], true);
        let masked = if verdict == Verdict::Unchanged { &FORM[..end] } else { masked.as_str() };
        assert_ne!(verdict, Verdict::Dropped);
        assert!(!masked.contains("KAN"), "{masked}");
        assert!(!masked.contains("4111+1111"), "{masked}");
    }
}

#[test]
fn text_may_be_cut_anywhere() {
    const TEXT: &str = "a Bearer KANARIENVOGEL0123, ghp_KANARIENVOGEL0123456789ab, x://u:KANARIENVOGEL@h, \
        card 4111 1111 1111 1111, 5555555555554444; pin: \"KANARIENVOGEL\", Basic dXNlcjpLQU5BUklFTg== end";
    for end in 0..=TEXT.len() {
        let (verdict, masked) = body("text/plain", &TEXT.as_bytes()[..end], true);
        let masked = if verdict == Verdict::Unchanged { &TEXT[..end] } else { masked.as_str() };
        for secret in ["KANA", "4111 1111", "5555555", "dXNlcjp"] {
            assert!(!masked.contains(secret), "{masked}");
        }
    }
}

#[test]
fn a_hash_tells_bodies_apart_and_nothing_else() {
    let redactor = redactor();
    assert_eq!(redactor.hash(b"a"), redactor.hash(b"a"));
    assert_ne!(redactor.hash(b"a"), redactor.hash(b"b"));
    assert_ne!(redactor.hash(b"a"), self::redactor().hash(b"a"), "a key for each client that has none");
    assert_eq!(redactor.hash(b"a").len(), "hmac:".len() + 32);
}

/// Beginnings of every shape, over and over: what a detector would look at again and again if it could.
const BEGINNINGS: [&str; 53] = [
    "eyJ",
    "eyJ-",
    "Bearer ",
    "b ",
    "Basic a",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY",
    "ghp_",
    "hl_-",
    "xoxb-",
    "AIza-",
    "sk_live_",
    "4111 ",
    "4111-1111-",
    "411111",
    "://",
    "a://b:c",
    "://@",
    "x=\"",
    "x='",
    "password",
    "password=",
    "password=)",
    "password:\"\\",
    "token=1;",
    "a=;b",
    "@",
    "a@",
    "a.b.c@",
    "1:",
    "::",
    "ab:cd:",
    "\\\"=",
    "=",
    "_",
    "{\"a\":",
    "[",
    "%25",
    "a=%2525&",
    "\\u0041",
    "_eyJ",
    "token={",
    "token: A {",
    "token=(\\",
    "token={\\",
    "token: A(",
    "token=>",
    "token = ",
    "token: key ",
    "<token>",
    "token%3D",
    "token%253D",
    "://a:b/",
];

#[test]
fn hostile_repetition_is_judged_in_every_form() {
    let all = Redaction::default()
        .detect(Detector::Email, Treatment::Mask)
        .detect(Detector::IpAddress, Treatment::Mask)
        .build()
        .unwrap();
    for beginning in BEGINNINGS {
        let text: String = beginning.chars().cycle().take(8 * 1024).collect();
        let string = serde_json::to_string(&[&text, &format!("password={text}")]).unwrap();
        for (content_type, raw, cut) in [
            ("text/plain", &text, false),
            ("text/plain", &text, true),
            ("application/x-www-form-urlencoded", &text, true),
            ("application/json", &text, true),
            ("application/json", &string, false),
        ] {
            let mut out = Vec::new();
            let verdict = all.body(content_type.as_bytes(), raw.as_bytes(), cut, &mut out);
            assert!(out.len() <= raw.len() * REDACTED.len(), "{beginning}");
            assert_eq!(out.is_empty(), verdict != Verdict::Masked, "{beginning}");
        }
    }
}

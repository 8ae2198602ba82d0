//! Ways round the rules that were tried, and what comes of each.

use super::*;

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.c2lnbmF0dXJlLW9mLTQy";

/// Each row: a text with the secret between `«` and `»`; it goes, and all else stays.
fn check(table: &[&str]) {
    for row in table {
        let raw = row.replace(['«', '»'], "");
        let (before, rest) = row.split_once('«').expect("a secret");
        let (_, after) = rest.split_once('»').expect("its end");
        let masked = RULES.text(&raw);
        assert_eq!(masked, format!("{before}[redacted]{after}"));
        assert_eq!(RULES.text(&masked), masked, "what is masked stays as it is");
    }
}

#[test]
fn a_value_behind_a_colon_or_a_blank_goes_if_it_is_no_word() {
    check(&[
        "X-Api-Key: «0123456789abcdef»",
        "otp: «123-456»",
        "password: «hunter2!hunter»",
        "aws_secret_access_key = «wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY»",
        "[password] => «hunter2»",
        "password=>«x»",
        "Authorization: Token «abcdef0123456789», then",
        "authorization: ApiKey «abcdef0123456789»",
        "password :\"«x»\"",
        "password\t=\t\"«x»\"",
        "DB_PASSWORD=`«x y»`",
        "password=<«x»>",
        "Bearer\t«abcdef0123456789»",
    ]);
    for prose in [
        "auth: oauth2 is off",
        "signature: sha256 expected",
        "session: 30 s left",
        "token = none",
        "unexpected token: `x1234567`",
        "password : 12345 tries",
        "auth: [worker-1] started",
        "Vec<Token> and Option<Token>",
        "100%3 of token%3",
    ] {
        assert_eq!(RULES.text(prose), prose);
    }
}

#[test]
fn objects_lists_and_wrapped_values_go_whole() {
    check(&[
        r#"{"credentials":«{"a":"hunter2","b":["x}"]}»,"c":1}"#,
        r#"{"tokens":«["a","b]\"]"]»}"#,
        r#"{\"tokens\":«[\"a\",\"b]\"]»}"#,
        r#"Config { token: Token("«x»"), a: 1 }"#,
        r#"Config { token: Some(Secret("«x»")) }"#,
        r#"Config { tokens: «["x", "y"]», a: 1 }"#,
        r#"Config { key: 1, secret: «[12, 34, 255]» }"#,
        r#"Config { password: «Password { inner: "x" }», a: 1 }"#,
        "Config { pin: «Some(1234)» }",
        "{'password': «{'a': 'x}'}», 'b': 1}",
        r#"{"credentials":«{"a":"cut»"#,
        "<password>«hunter2»</password>",
        "<ns:password>«hun ter2»</ns:password>",
    ]);
}

#[test]
fn encoded_names_and_escapes_in_text_do_not_hide_a_secret() {
    check(&[
        "to /login?next=%2Fcb%3Ftoken%3D«hunter2»",
        "to /login?next=%2Fcb%3Fa%3D1%26pin%3D«1234»",
        "to /login?next=%252Fcb%253Ftoken%253D«hunter2»",
        r"line\n«4111111111111111»",
        r"line\tBearer «abcdef0123456789»",
        "x «4111111111111111».0",
        "x «4111111111111111».",
    ]);
    assert_eq!(RULES.text("x 4111111111111111.5"), "x 4111111111111111.5");
}

#[test]
fn tokens_go_with_their_header_and_without_a_payload() {
    check(&[
        &format!("session-«{JWT}» x"),
        &format!("auth_«{JWT}»"),
        &format!("v1.«{JWT}»"),
        &format!(r"line\n«{JWT}»"),
        "«eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AxY8DCtDaGlsbGljb3RoZQ.KDlTtXchhZTG.U0m_YmjN04DJ»",
        "«eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2V9..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY»",
        "«sk-proj-0123456789abcdefghijABCDEFGHIJ»",
        "«sk-ant-api03-0123456789abcdefghij»",
        "«shpat_0123456789abcdef0123456789abcdef»",
        "«hf_abcdefghijklmnopqrstuvwxyzABCDEFGH»",
    ]);
    for innocent in [
        "eyJhbGciOiJIUzI1NiJ9... and so on",
        "sk-toggleable-content-label-arrow",
        "xeyJhbGciOiJIUzI1NiJ9.e30.abcdef",
    ] {
        assert_eq!(RULES.text(innocent), innocent);
    }
}

#[test]
fn a_password_with_delimiters_in_it_does_not_show() {
    check(&[
        "postgres://«user:p/ss»@host/db failed",
        "postgres://«user:p#ss»@host/db",
        "redis://«:p?ss»@host",
        "AccountName=x;AccountKey=«abc==»;EndpointSuffix=y",
    ]);
    for innocent in ["http://[::1]:8080/@scope/x", "https://example.com:443/a@b", "see https://h/x: y@z"] {
        assert_eq!(RULES.text(innocent), innocent);
    }
    let mut out = Vec::new();
    assert_eq!(RULES.body(b"text/plain", b"at postgres://user:p/ss", true, &mut out), Verdict::Masked);
    assert_eq!(out, b"at postgres://[redacted]", "cut before the host");
}

#[test]
fn short_strings_in_json_are_looked_into() {
    for (raw, expected) in [
        (r#"{"m":"pwd=hunter2"}"#, r#"{"m":"pwd=[redacted]"}"#),
        (r#"{"m":"pin=1"}"#, r#"{"m":"pin=[redacted]"}"#),
        (r#"{"m":"a://u:p@h"}"#, r#"{"m":"a://[redacted]@h"}"#),
        (r#"{"m":"{\"a\":{\"token\":{\"x\":\"y\"}}}"}"#, r#"{"m":"{\"a\":{\"token\":[redacted]}}"}"#),
    ] {
        let mut out = Vec::new();
        assert_eq!(
            RULES.body(b"application/json", raw.as_bytes(), false, &mut out),
            Verdict::Masked,
            "{raw}"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn the_clients_address_is_found_in_headers_of_any_name() {
    for detectors in [true, false] {
        let mut redaction = Redaction::default().all_headers().client_ip(ClientIp::Truncate);
        if !detectors {
            redaction = Detector::ALL.iter().fold(redaction, |r, d| r.ignore(*d));
        }
        let redactor = redaction.build().unwrap();
        for (raw, expected) in [
            ("203.0.113.7", "203.0.113.0"),
            ("203.0.113.7, 198.51.100.9:443", "203.0.113.0, 198.51.100.0"),
            ("2001:db8:1:2::3", "2001:db8:1::"),
            ("2002:cb00:7107::1", "2002:cb00:7100::"),
            ("version 1.2.3.4", "version 1.2.3.4"),
        ] {
            let mut out = Vec::new();
            let action = redactor.header(b"x-sucuri-clientip");
            match redactor.header_value(action, "x-sucuri-clientip", raw.as_bytes(), &mut out) {
                Verdict::Unchanged => assert_eq!(raw, expected),
                verdict => assert_eq!((verdict, out), (Verdict::Masked, expected.into())),
            }
        }
    }
}

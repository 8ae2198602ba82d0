//! JSON over its bytes: what goes, what stays, what is refused.

use super::*;

fn mask_with(redactor: &Redactor, raw: &str, cut: bool) -> Option<String> {
    left(|out| redactor.body(b"application/json", raw.as_bytes(), cut, out), raw)
}

fn json(raw: &str) -> Option<String> {
    mask_with(&RULES, raw, false)
}

#[test]
fn values_under_secret_names_go_whole_at_any_depth_and_of_any_type() {
    let table = [
        (r#"{"password":"x"}"#, r#"{"password":"[redacted]"}"#),
        (r#"{ "pin" : 1234 , "a":1.50 }"#, r#"{ "pin" : "[redacted]" , "a":1.50 }"#),
        (r#"{"otp":null,"cvv":true}"#, r#"{"otp":"[redacted]","cvv":"[redacted]"}"#),
        (r#"{"a":[{"token":{"x":[1,{"y":"}"}]}},[]]}"#, r#"{"a":[{"token":"[redacted]"},[]]}"#),
        (r#"{"secret":["a","b\"]"],"b":2}"#, r#"{"secret":"[redacted]","b":2}"#),
        (r#"{"password":"a","password":"b"}"#, r#"{"password":"[redacted]","password":"[redacted]"}"#),
        (r#"{"pass\u0077ord":"x"}"#, r#"{"pass\u0077ord":"[redacted]"}"#),
        (r#"{"user.password":"x","author":"me"}"#, r#"{"user.password":"[redacted]","author":"me"}"#),
        ("\u{feff}{\"pin\":1}", "\u{feff}{\"pin\":\"[redacted]\"}"),
        ("{\"pin\":1}\n{\"pin\":2}\n", "{\"pin\":\"[redacted]\"}\n{\"pin\":\"[redacted]\"}\n"),
        (r#"{"비밀번호":"가"}"#, r#"{"비밀번호":"[redacted]"}"#),
        (r#"{"":"","e":1e-5,"n":-0.1}"#, r#"{"":"","e":1e-5,"n":-0.1}"#),
    ];
    for (raw, expected) in table {
        assert_eq!(json(raw).as_deref(), Some(expected), "{raw}");
        assert_eq!(json(expected).as_deref(), Some(expected), "again");
    }
}

#[test]
fn secrets_in_strings_numbers_and_keys_go_by_their_shape() {
    let table = [
        (r#"{"note":"card 4111111111111111 ok"}"#, r#"{"note":"card [redacted] ok"}"#),
        (r#"{"n":4111111111111111,"m":17}"#, r#"{"n":"[redacted]","m":17}"#),
        (r#"["x","AKIAIOSFODNN7EXAMPLE"]"#, r#"["x","[redacted]"]"#),
        (r#"{"note":"a\nAKIAIOSFODNN7EXAMPLE\tb"}"#, r#"{"note":"a\n[redacted]\tb"}"#),
        (r#"{"note":"\u0041KIAIOSFODNN7EXAMPLE!"}"#, r#"{"note":"[redacted]!"}"#),
        (r#"{"url":"https:\/\/bob:pw@example.com\/"}"#, r#"{"url":"https:\/\/[redacted]@example.com\/"}"#),
        (r#"{"raw":"{\"password\":\"x\"}"}"#, r#"{"raw":"{\"password\":\"[redacted]\"}"}"#),
        (r#"{"AKIAIOSFODNN7EXAMPLE":1}"#, r#"{"[redacted]":1}"#),
    ];
    for (raw, expected) in table {
        assert_eq!(json(raw).as_deref(), Some(expected), "{raw}");
    }
}

#[test]
fn what_is_no_json_is_dropped() {
    for raw in [
        "{",
        "}",
        "[1,]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "[1}",
        "{\"a\":1]",
        "\"a",
        "\"\n\"",
        "01",
        "1.",
        "-",
        "+1",
        "tru",
        "nul",
        "NaN",
        "{\"a\":1,}",
        "{,}",
        "\"\\x\"",
        "{\"password\":\"\\u12\"}",
        "{\"password\":[1}",
        "password=x",
        "<a/>",
        "1 : 2",
        "\0",
    ] {
        assert_eq!(json(raw), None, "{raw}");
    }
    let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(json(&nested(128)).is_some());
    assert_eq!(json(&nested(129)), None);
    assert_eq!(json(&format!("{{\"token\":{}}}", nested(200))), None, "also where it would go");
    assert_eq!(mask_with(&RULES, &"[".repeat(100_000), true), None);
}

#[test]
fn each_rule_has_its_treatment() {
    let redactor = Redaction::default()
        .treat_name("email", Treatment::Hash)
        .treat_name("note", Treatment::Drop)
        .hash_key([7; 16])
        .build()
        .unwrap();
    let mask = |raw: &str| mask_with(&redactor, raw, false).unwrap();
    let [plain, escaped] = [r#"{"email":"b@x.org"}"#, r#"{"email":"b@x\u002eorg"}"#].map(mask);
    assert_eq!(plain, escaped, "the same text has the same hash, however it is written");
    assert_eq!(plain, format!("{{\"email\":\"{}\"}}", redactor.hash(b"b@x.org")));
    for (raw, expected) in [
        (r#"{"note":1}"#, "{}"),
        (r#"{"note":1,"a":2}"#, r#"{"a":2}"#),
        (r#"{"a":2,"note":{"x":[1]}}"#, r#"{"a":2}"#),
        (r#"{"a":1, "note":1 ,"b":2}"#, r#"{"a":1 ,"b":2}"#),
        (r#"{"note":1,"note":2,"a":3}"#, r#"{"a":3}"#),
        (r#"{"note":1 , "note":2}"#, "{ }"),
        (r#"{"a":1,"note":2,"note":3}"#, r#"{"a":1}"#),
        (r#"{"x":{"note":1},"y":[{"note":1},{"b":1}]}"#, r#"{"x":{},"y":[{},{"b":1}]}"#),
    ] {
        assert_eq!(mask(raw), expected, "{raw}");
        serde_json::from_str::<serde_json::Value>(&mask(raw)).expect("still JSON");
    }
    assert_eq!(mask_with(&redactor, r#"{"a":1,"note":[2,"#, true).unwrap(), r#"{"a":1"#);
}

/// Every kind of value under a secret name, its text a canary, and what surrounds it.
const CORPUS: &[&str] = &[
    r#"{"a":1,"password":"KANARIENVOGEL","b":[true,null,"x\ny"]}"#,
    r#"{"a":{"api_key":{"x":["KANARIENVOGEL",{"KANARIENVOGEL":"KANARIENVOGEL"}]}},"c":-1.5e3}"#,
    r#"[{"pass\u0077ord":"\u0000KANARIENVOGEL\"KANARIENVOGEL\\"},"e"]"#,
    r#"{"token":["KANARIENVOGEL"],"token":"KANARIENVOGEL","secret":7}"#,
    "{\"pin\":\"KANARIENVOGEL\"}\n{\"x\":\"ä\",\"cvv\":\"KANARIENVOGEL\"}\n",
    r#"{"note":"sent Bearer KANARIENVOGEL-0123456789 there","u":"redis://x:KANARIENVOGEL@h/"}"#,
    r#"{"note":"key sk_live_KANARIENVOGEL0123456789 and","p":"password=KANARIENVOGEL x"}"#,
];

#[test]
fn wherever_the_text_is_cut_nothing_of_a_secret_shows_and_the_rest_stays() {
    let redactor = redactor();
    let mut cuts = 0;
    for raw in CORPUS {
        for end in (0..=raw.len()).filter(|&end| raw.is_char_boundary(end)) {
            let cut = &raw[..end];
            let masked = mask_with(&redactor, cut, true).unwrap_or_else(|| panic!("no part of JSON: {cut}"));
            assert!(!masked.contains("KAN"), "{cut} became {masked}");
            // What is before the first secret stays, and is all where there was none.
            let clean = cut.find("KAN").unwrap_or(cut.len());
            let same = masked.bytes().zip(cut.bytes()).take_while(|(a, b)| a == b).count();
            assert!(same + 40 >= clean, "{cut} became {masked}");
            if !masked.contains("[redacted]") {
                assert_eq!(masked, cut);
            }
            cuts += 1;
        }
    }
    println!("{cuts} cuts of {} texts", CORPUS.len());
    assert!(cuts > 400);
}

//! A planted secret never comes out, and what is not secret comes out as it went in.

use proptest::prelude::*;

use super::*;

/// No name, no separator, no digit of an escape: it is in the output or it is not.
const CANARY: &str = "KANARIENVOGEL";

/// The words of a secret name, to be spelled in some way.
fn secret_words() -> impl Strategy<Value = &'static [&'static str]> {
    prop::sample::select(vec![
        &["password"] as &[_],
        &["user", "password"],
        &["new", "password", "confirmation"],
        &["access", "token"],
        &["client", "secret"],
        &["api", "key"],
        &["x", "api", "key"],
        &["session", "id"],
        &["card", "number"],
        &["card", "cvv"],
        &["private", "key"],
        &["user", "pin"],
        &["jumin"],
        &["x", "amz", "signature"],
        &["auth"],
        &["oauth", "token"],
        &["sid"],
        &["비밀번호"],
    ])
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|c| c.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn spell(words: &[&str], how: u8) -> String {
    match how % 8 {
        0 => words.join("_"),
        1 => words.join("-"),
        2 => words.join("."),
        3 => words.join("+"),
        4 => words.iter().map(|w| capital(w)).collect(),
        5 => words[0].to_owned() + &words[1..].iter().map(|w| capital(w)).collect::<String>(),
        6 => words.join("_").to_uppercase(),
        _ => words[0].to_owned() + &words[1..].iter().map(|w| format!("[{w}]")).collect::<String>(),
    }
}

/// Percent-encodes those bytes that `which` chooses, all of them `rounds` times.
fn encode(text: &str, which: u64, rounds: u8) -> String {
    (0..rounds % 3).fold(text.to_owned(), |text, _| {
        let one = |(i, b): (usize, u8)| {
            let chosen = which >> (i % 64) & 1 != 0 || !b.is_ascii();
            if chosen || b == b'%' { format!("%{b:02X}") } else { char::from(b).to_string() }
        };
        text.bytes().enumerate().map(one).collect()
    })
}

fn secret_key() -> impl Strategy<Value = String> {
    (secret_words(), any::<u8>(), any::<u64>(), any::<u8>())
        .prop_map(|(words, how, which, rounds)| encode(&spell(words, how), which, rounds))
}

fn innocent() -> impl Strategy<Value = String> {
    ("[a-f]{1,6}", "[a-z0-9%+.,~_-]{0,12}").prop_map(|(key, value)| format!("{key}={value}"))
}

/// What stands around the canary in a value.
fn wrapped() -> impl Strategy<Value = String> {
    ("[a-z0-9=;:%+/?#]{0,6}", "[a-z0-9=;:%+/?]{0,6}").prop_map(|(a, b)| format!("{a}{CANARY}{b}"))
}

fn queries() -> impl Strategy<Value = (Vec<String>, usize, String, String)> {
    let around = prop::collection::vec(innocent(), 0..5);
    (around, any::<prop::sample::Index>(), secret_key(), wrapped()).prop_map(|(around, at, key, value)| {
        let at = at.index(around.len() + 1);
        (around, at, key, value)
    })
}

proptest! {
    #[test]
    fn a_secret_under_any_spelling_of_its_key_never_comes_out((around, at, key, value) in queries()) {
        let mut parameters = around.clone();
        parameters.insert(at, format!("{key}={value}"));
        let masked = query(&parameters.join("&")).unwrap();
        parameters[at] = format!("{key}=[redacted]");
        prop_assert_eq!(masked, parameters.join("&"), "the rest stays as it was");
    }

    #[test]
    fn a_secret_in_a_redirect_target_never_comes_out(
        (around, at, key, value) in queries(),
        which in any::<u64>(),
        rounds in any::<u8>(),
    ) {
        let target = encode(&format!("https://example.com/cb?{key}={value}"), which, rounds);
        let mut parameters = around;
        parameters.insert(at, format!("next={target}"));
        let masked = query(&parameters.join("&")).unwrap();
        prop_assert!(!masked.contains(CANARY), "{}", masked);
    }

    #[test]
    fn a_secret_in_a_url_never_comes_out(
        (around, at, key, value) in queries(),
        base in prop::sample::select(vec!["https://example.com/x", "//example.com", "/x/y", ""]),
        place in 0..4u8,
    ) {
        let mut parameters = around;
        let value: String = value.split('#').collect();
        let at_path = value.replace(['/', '?'], "");
        parameters.insert(at, format!("{key}={value}"));
        let raw = match place {
            0 => format!("{base}?{}", parameters.join("&")),
            1 => format!("{base}#{}", parameters.join("&")),
            2 => format!("https://bob:{}@example.com/", value.replace(['/', '?'], "")),
            _ => format!("/x;{key}={at_path}/y"),
        };
        let masked = url(&raw);
        prop_assert!(!masked.contains(CANARY), "{} from {}", masked, raw);
    }

    #[test]
    fn any_text_gives_a_verdict_and_what_is_masked_once_stays_masked(raw in "\\PC{0,60}", ascii in "[ -~]{0,60}") {
        for raw in [raw, ascii] {
            if let Some(masked) = query(&raw) {
                prop_assert_eq!(query(&masked), Some(masked.clone()), "from {}", raw);
            }
            let masked = url(&raw);
            prop_assert_eq!(url(&masked), masked.clone(), "from {}", raw);
            path(&raw);
        }
    }

    #[test]
    fn any_bytes_are_judged(raw in prop::collection::vec(any::<u8>(), 0..300)) {
        let redactor = &*RULES;
        let mut out = Vec::new();
        redactor.query(&raw, &mut out);
        redactor.url(&raw, &mut out);
        redactor.path(&raw, &mut out);
        redactor.names.is_secret(&raw);
        redactor.header(&raw);
        // Marks are longer than what they replace, but there is at most one for two bytes.
        prop_assert!(out.len() <= 3 * raw.len() * REDACTED.len() + REDACTED.len());
    }
}

/// A JSON value of any shape, as text; leaves are harmless, also where they are cut: seven digits may begin a card number.
fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i16>().prop_map(|n| n.to_string()),
        "[a-zA-Z äö,.!]{0,12}".prop_map(|s| format!("\"{s}\"")),
        "[a-z]{0,4}".prop_map(|s| format!("\"{s}\\n\\\"\\u00e4\"")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|v| format!("[{}]", v.join(", "))),
            prop::collection::vec(("[a-f]{1,5}", inner), 0..4).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(k, v)| format!("\"{k}\" :{v}")).collect();
                format!("{{{}}}", members.join(" ,"))
            }),
        ]
    })
}

/// A secret member among others: what comes before its value, the value, what comes after.
fn secret_member() -> impl Strategy<Value = (String, String, String)> {
    let key = (secret_words(), any::<u8>()).prop_map(|(words, how)| spell(words, how));
    let value = (json_value(), 0..4_u8).prop_map(|(value, how)| match how {
        0 => format!("\"{CANARY}\""),
        1 => format!("[{value},\"{CANARY}\"]"),
        2 => format!("{{\"{CANARY}\":{value},\"x\":\"]}}{CANARY}\\\"\"}}"),
        _ => format!("\"\\\"{CANARY}\\u0041\""),
    });
    (json_value(), json_value(), key, value).prop_map(|(before, after, key, value)| {
        (format!("[{before},{{\"a\":{before},\"{key}\": "), value, format!(" ,\"b\":{after}}}]"))
    })
}

fn json(raw: &str, cut: bool) -> Option<String> {
    left(|out| RULES.body(b"application/json", raw.as_bytes(), cut, out), raw)
}

proptest! {
    #[test]
    fn harmless_json_stays_byte_for_byte(raw in json_value()) {
        prop_assert_eq!(json(&raw, false), Some(raw.clone()));
    }

    #[test]
    fn a_secret_member_goes_and_all_around_it_stays((before, value, after) in secret_member()) {
        let masked = json(&format!("{before}{value}{after}"), false).unwrap();
        prop_assert_eq!(&masked, &format!("{before}\"[redacted]\"{after}"));
        prop_assert_eq!(json(&masked, false), Some(masked.clone()), "again");
        serde_json::from_str::<serde_json::Value>(&masked).unwrap();
    }

    #[test]
    fn json_that_is_cut_shows_nothing_of_the_secret(
        (before, value, after) in secret_member(),
        at in any::<prop::sample::Index>(),
    ) {
        let whole = format!("{before}{value}{after}");
        let end = (0..=at.index(whole.len() + 1)).rev().find(|&end| whole.is_char_boundary(end)).unwrap();
        let masked = json(&whole[..end], true);
        let masked = masked.unwrap();
        prop_assert!(!masked.contains("KAN"), "{}", masked);
        let kept = before.len().min(end);
        prop_assert_eq!(&masked[..kept], &before[..kept]);
    }

    #[test]
    fn any_bytes_as_a_body_are_judged_as_serde_json_judges_them(raw in "[\\[\\]{}:, \"a1.0e\\\\-tru]{0,12}") {
        // A member with a secret name is in no such text; a row of values is read here, and there one by one.
        let one = serde_json::from_str::<serde_json::Value>(&raw).is_ok();
        let row = serde_json::Deserializer::from_str(&raw).into_iter::<serde::de::IgnoredAny>().all(|v| v.is_ok());
        let masked = json(&raw, false);
        prop_assert!(!one || masked.is_some(), "JSON refused: {}", raw);
        if masked.is_some() {
            prop_assert_eq!(masked, Some(raw.clone()));
            // `1"a"` is a row of two here.
            let spaced = raw.contains('"') || raw.contains(['[', '{']);
            prop_assert!(row || spaced, "no JSON and taken: {}", raw);
        }
    }

    #[test]
    fn any_bytes_as_a_body_or_a_text_end_soon(raw in prop::collection::vec(any::<u8>(), 0..300), cut in any::<bool>()) {
        let redactor = &*RULES;
        for content_type in ["application/json", "application/x-www-form-urlencoded", "text/plain"] {
            let mut out = Vec::new();
            redactor.body(content_type.as_bytes(), &raw, cut, &mut out);
            prop_assert!(out.len() <= 3 * raw.len() * REDACTED.len() + 2 * REDACTED.len());
        }
        redactor.text(&String::from_utf8_lossy(&raw));
    }

    #[test]
    fn a_token_among_words_goes_and_the_words_stay(
        before in "([a-z]{1,8} ){0,4}",
        after in "( [a-z]{1,8}){0,4}",
        which in 0..6_usize,
        body in "[a-zA-Z0-9]{24}",
    ) {
        let token = match which {
            0 => format!("eyJ{body}.{body}.{body}"),
            1 => format!("ghp_{body}"),
            2 => format!("xoxb-{body}"),
            3 => format!("sk_live_{body}"),
            4 => format!("AKIA{}", body[..16].to_ascii_uppercase()),
            _ => format!("hl_{body}"),
        };
        let redactor = &*RULES;
        let expected = format!("{before}[redacted]{after}");
        let raw = format!("{before}{token}{after}");
        prop_assert_eq!(redactor.text(&raw), expected);
    }
}

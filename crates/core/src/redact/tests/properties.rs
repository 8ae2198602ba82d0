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
        let redactor = redactor();
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

//! The rules as tables, and properties over arbitrary text.

use std::sync::LazyLock;

use super::*;

mod bodies;
mod headers;
mod json;
mod leaks;
mod properties;
mod queries;
mod treatments;
mod urls;
mod values;

fn redactor() -> Redactor {
    Redaction::default().build().unwrap()
}

/// The default rules, built once.
static RULES: LazyLock<Redactor> = LazyLock::new(redactor);

/// What a masking leaves; `None` if the text was dropped.
fn left(mask: impl Fn(&mut Vec<u8>) -> Verdict, raw: &str) -> Option<String> {
    let mut out = b"before".to_vec();
    let verdict = mask(&mut out);
    let written = String::from_utf8(out[6..].to_vec()).expect("UTF-8 in, UTF-8 out");
    match verdict {
        Verdict::Masked => Some(written),
        Verdict::Unchanged => Some(raw.to_owned()).filter(|_| written.is_empty()),
        Verdict::Dropped => None.filter(|_: &String| written.is_empty()),
    }
}

fn query(raw: &str) -> Option<String> {
    left(|out| RULES.query(raw.as_bytes(), out), raw)
}

fn url(raw: &str) -> String {
    left(|out| RULES.url(raw.as_bytes(), out), raw).expect("a URL is never dropped")
}

fn path(raw: &str) -> String {
    left(|out| RULES.path(raw.as_bytes(), out), raw).expect("a path is never dropped")
}

#[test]
fn all_complaints_about_a_configuration_come_at_once_and_name_the_setter() {
    let complaints = Redaction::default()
        .keep_header("x y")
        .keep_header("x-both")
        .deny_header("X-Both")
        .deny_header("")
        .secret_name("-")
        .innocent_name("x")
        .build()
        .unwrap_err();
    let beginnings: Vec<_> = complaints.iter().map(|c| c.split(')').next().unwrap()).collect();
    assert_eq!(
        beginnings,
        [
            "keep_header(\"x y\"",
            "deny_header(\"\"",
            "keep_header(\"x-both\"",
            "secret_name(\"-\"",
            "innocent_name(\"x\""
        ]
    );
}

#[test]
fn names_of_the_application_are_added_and_taken_out() {
    let redactor =
        Redaction::default().secret_name("kundennummer").innocent_name("session_count").build().unwrap();
    assert!(redactor.names.is_secret(b"kundenNummer"));
    let mut out = Vec::new();
    let raw = b"kunden-nummer=1&session_count=2&session=3";
    assert_eq!(redactor.query(raw, &mut out), Verdict::Masked);
    assert_eq!(String::from_utf8_lossy(&out), "kunden-nummer=[redacted]&session_count=2&session=[redacted]");
}

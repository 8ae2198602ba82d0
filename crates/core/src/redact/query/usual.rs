//! Queries as most are: `key=value` and `&`, nothing encoded, nothing secret. They are known in one look.

use super::value_fate;
use crate::redact::Redactor;
use crate::redact::values::SHORTEST;
use crate::scan::Places;

/// Whether this is such a query: then nothing of it is masked. Of any other nothing is said.
pub(super) fn is_usual(rules: &Redactor, raw: &[u8]) -> bool {
    if rules.custom.is_some() {
        return false;
    }
    let mut marks = Places::new(raw, is_mark);
    let mut start = 0;
    loop {
        let Some(equals) = marks.next().filter(|&at| raw[at] == b'=') else { return false };
        let end = marks.next().unwrap_or(raw.len());
        let Some(key) = raw.get(start..equals) else { return false };
        let is_short = key.len().max(end - equals - 1) < SHORTEST;
        if rules.names.is_secret(key) || !is_short && is_secret(rules, key, &raw[equals + 1..end]) {
            return false;
        }
        match raw.get(end) {
            Some(b'&') => start = end + 1,
            Some(_) => return false,
            None => return true,
        }
    }
}

/// Whether a detector finds something in a parameter that is long enough for it.
#[inline(never)] // most are shorter
fn is_secret(rules: &Redactor, key: &[u8], value: &[u8]) -> bool {
    value_fate(rules, key, false).or_else(|| value_fate(rules, value, false)).is_some()
}

/// What separates, and what needs a closer look.
fn is_mark(b: u8) -> bool {
    let separates = (b == b'=') | (b == b'&');
    separates | (b == b';') | (b == b':') | (b == b'%') | b.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::redact::query::mask_unusual;
    use crate::redact::{Redaction, Verdict};

    fn rules() -> Redactor {
        Redaction::default().build().unwrap()
    }

    #[test]
    fn plain_pairs_are_usual_and_whatever_needs_a_closer_look_is_not() {
        let long = "key=value&".repeat(50) + "a=b";
        for raw in ["a=b", "status=open&limit=20", "a=&=b", "to=0190f3f2-7d9c-7c1e-9f3a-2b5c", &long] {
            assert!(is_usual(&rules(), raw.as_bytes()), "{raw}");
        }
        for raw in
            ["", "a", "a&b=1", "a=1&", "a=b=c", "a=1;b=2", "a=%41", "a=1\n", "token=1", "a=4111111111111111"]
        {
            assert!(!is_usual(&rules(), raw.as_bytes()), "{raw}");
        }
        let asked = Redaction::default().custom(|_, _, _| None).build().unwrap();
        assert!(!is_usual(&asked, b"a=b"), "the application has its word");
    }

    fn word() -> impl Strategy<Value = &'static str> {
        let plain = ["a", "", "key", "status", "a_long_and_innocent_name", "20", "a+b", "é"];
        let odd = ["token", "4111111111111111", "Bearer+abcdefghijkl", "%41", ";", "=", "&", ":", "\n"];
        prop_oneof![9 => prop::sample::select(plain.to_vec()), 1 => prop::sample::select(odd.to_vec())]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_closer_look_finds_nothing_in_what_is_usual(
            pairs in prop::collection::vec((word(), word()), 1..12)
        ) {
            let raw = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&");
            let closer = mask_unusual(&rules(), raw.as_bytes(), &mut Vec::new());
            prop_assert!(!is_usual(&rules(), raw.as_bytes()) || closer == Verdict::Unchanged, "{raw}");
        }
    }
}

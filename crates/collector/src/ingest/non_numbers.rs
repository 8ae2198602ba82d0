//! `NaN`, `Infinity` and `-Infinity`: what Python's `json` writes for floats that JSON has no word for. A body with
//! some of them is read as if each were `null`; looked for only once a body has turned out not to be JSON.

use crate::json::end_of_text;
use std::ops::Range;

const WORDS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
const NULL: &str = "null";

/// A body without them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Nulled {
    pub(crate) text: String,
    /// Where in `text` the nulls stand that took their place, in order.
    pub(crate) at: Vec<usize>,
}

/// The most memory that [`nulled`] takes for this body; `None` if there is nothing to replace.
pub(crate) fn room(body: &str) -> Option<usize> {
    let found = words(body).count();
    (found > 0).then(|| body.len() + found * (1 + size_of::<usize>()))
}

/// Writes `null` in place of each.
pub(crate) fn nulled(body: &str) -> Nulled {
    let found = words(body).count();
    let mut nulled =
        Nulled { text: String::with_capacity(body.len() + found), at: Vec::with_capacity(found) };
    let mut copied = 0;
    for word in words(body) {
        nulled.text.push_str(body.get(copied..word.start).unwrap_or_default());
        nulled.at.push(nulled.text.len());
        nulled.text.push_str(NULL);
        copied = word.end;
    }
    nulled.text.push_str(body.get(copied..).unwrap_or_default());
    nulled
}

/// Where they stand: outside of texts, and by themselves. Whether the rest is JSON is not asked here.
fn words(body: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = body.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(&b) = bytes.get(at) {
            let start = at;
            at = if b == b'"' { end_of_text(bytes, start) } else { start + 1 };
            if !matches!(b, b'N' | b'I' | b'-') {
                continue;
            }
            let rest = bytes.get(start..).unwrap_or_default();
            let Some(word) = WORDS.iter().find(|word| rest.starts_with(word.as_bytes())) else { continue };
            let before = start.checked_sub(1).and_then(|before| bytes.get(before));
            if ends(before) && ends(rest.get(word.len())) {
                at = start + word.len();
                return Some(start..at);
            }
        }
        None
    })
}

/// Whether no word goes on here.
fn ends(b: Option<&u8>) -> bool {
    b.is_none_or(|b| matches!(b, b',' | b':' | b'[' | b']' | b'{' | b'}' | b' ' | b'\t' | b'\r' | b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_stand_for_a_value_become_null() {
        for (body, text) in [
            (r#"{"a":NaN}"#, r#"{"a":null}"#),
            (r#"[Infinity, -Infinity,NaN ]"#, "[null, null,null ]"),
            ("NaN", "null"),
            (r#"{"NaN":"NaN, \" NaN","b": NaN}"#, r#"{"NaN":"NaN, \" NaN","b": null}"#),
        ] {
            let nulled = nulled(body);
            assert_eq!(nulled.text, text);
            assert!(nulled.at.iter().all(|&at| text[at..].starts_with("null")), "{nulled:?}");
            assert!(
                room(body).unwrap() >= nulled.text.capacity() + nulled.at.capacity() * size_of::<usize>()
            );
        }
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        for body in
            ["{}", r#""NaN""#, "NaNa", "xNaN", "-NaN", "--Infinity", "Infinit", "Nan", "-1", "\"NaN", "é"]
        {
            assert_eq!((room(body), nulled(body).text.as_str()), (None, body));
        }
    }
}

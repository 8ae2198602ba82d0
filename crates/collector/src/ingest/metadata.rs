//! What a sender put under `metadata`: an object, a text that holds one, or anything.

use crate::json::{Token, Walk};

/// A sender's metadata: the object that it is or that its text holds, or else the value as it came.
pub(super) fn own_metadata<'m>(
    raw: &'m str,
    depth: usize,
    unescaped: &'m mut String,
) -> (Option<&'m str>, Option<&'m str>) {
    match Token::of(raw) {
        Token::Null => (None, None),
        Token::Object(object) => (Some(object), None),
        Token::Text(inner) => {
            crate::json::unescape(inner, unescaped);
            let text = unescaped.trim();
            if text.is_empty() {
                (None, None)
            } else if is_object(text, depth) {
                (Some(text), None)
            } else {
                (None, Some(raw))
            }
        }
        _ => (None, Some(raw)),
    }
}

fn is_object(text: &str, depth: usize) -> bool {
    if !text.starts_with('{') || serde_json::from_str::<&serde_json::value::RawValue>(text).is_err() {
        return false;
    }
    let mut walk = Walk::new(text);
    while walk.member().is_some() {}
    walk.deepest() < depth
}

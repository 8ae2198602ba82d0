//! The members of an entry as they came.

use crate::ingest::value;
use crate::json::{Token, unescape};
use std::borrow::Cow;

/// Names and JSON texts; of one name the last counts.
pub(super) struct Given<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Given<'a> {
    /// `raw` is a JSON object.
    pub(super) fn read(raw: &'a str) -> Self {
        let mut walk = crate::json::Walk::new(raw);
        let members = std::iter::from_fn(|| walk.member());
        Self(members.map(|(name, value)| (unescaped(name), value)).collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a str)> + '_ {
        self.0.iter().map(|(name, raw)| (&**name, *raw))
    }

    /// The value, unless it says nothing.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().rfind(|(other, _)| other == name);
        found.map(|(_, raw)| *raw).filter(|raw| !is_nothing(raw))
    }

    /// The text that it is, or that its number is; none where it says nothing.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        value::text(Token::of(self.raw(name)?)).map(|read| read.value)
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true") || text == "1")
    }
}

/// Whether this is what the clients send for a field that they do not know.
pub(super) fn is_nothing(raw: &str) -> bool {
    matches!(raw, "\"\"" | "null" | "0" | "false" | "{}" | "[]" | "\"{}\"" | "\"null\"")
}

/// The object that a value is, or that it is the JSON text of.
pub(super) fn object(raw: &str) -> Option<Cow<'_, str>> {
    match Token::of(raw) {
        Token::Object(object) => Some(object.into()),
        Token::Text(inner) => {
            let text = unescaped(inner);
            let is_json = serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok();
            let text = (is_json && text.trim().starts_with('{')).then(|| text.trim().to_owned())?;
            Some(text.into())
        }
        _ => None,
    }
}

fn unescaped(inner: &str) -> Cow<'_, str> {
    if !inner.contains('\\') {
        return inner.into();
    }
    let mut out = String::with_capacity(inner.len());
    unescape(inner, &mut out);
    out.into()
}

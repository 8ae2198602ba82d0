//! Headers, which the clients send as a text that holds JSON, and sometimes holds none.

use super::members::object;
use crate::ingest::translated::Members;
use crate::json::{Token, Walk, unescape};

/// Lower-case names, each with the JSON texts of its values.
pub(super) struct Headers(Vec<(String, Vec<String>)>);

impl Headers {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// Those of a value; `None` where it is none.
    pub(super) fn read(raw: &str) -> Option<Self> {
        let object = object(raw)?;
        let mut headers: Vec<(String, Vec<String>)> = Vec::new();
        let mut walk = Walk::new(&object);
        while let Some((name, value)) = walk.member() {
            let mut text = String::with_capacity(name.len());
            unescape(name, &mut text);
            text.make_ascii_lowercase();
            let values = match Token::of(value) {
                Token::Array(array) => {
                    let mut walk = Walk::new(array);
                    std::iter::from_fn(|| walk.value().map(str::to_owned)).collect()
                }
                _ => vec![value.to_owned()],
            };
            match headers.iter_mut().find(|(other, _)| *other == text) {
                Some((_, before)) => before.extend(values),
                None => headers.push((text, values)),
            }
        }
        Some(Self(headers))
    }

    /// The first value of a header, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let (_, values) = self.0.iter().find(|(other, _)| other == name)?;
        match Token::of(values.first()?) {
            Token::Text(inner) => {
                let mut text = String::with_capacity(inner.len());
                unescape(inner, &mut text);
                Some(text).filter(|text| !text.is_empty())
            }
            _ => None,
        }
    }

    pub(super) fn write(&self, name: &str, out: &mut Members<'_>) {
        out.object(name, |object| {
            for (name, values) in &self.0 {
                let out = object.name(name);
                out.push('[');
                out.push_str(&values.join(","));
                out.push(']');
            }
        });
    }
}

//! One member of a `Forwarded` header: what one proxy says of the request that it got (RFC 7239 §4).

use std::borrow::Cow;

use super::node::{self, Node};

/// What one proxy says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Element<'h> {
    /// `for`; `None` where it is missing, hidden or no address.
    pub(super) node: Option<Node>,
    /// `proto`, if it is one of HTTP's.
    pub(super) scheme: Option<&'static str>,
    /// `host`, if it can be one.
    pub(super) host: Option<Cow<'h, str>>,
}

impl<'h> Element<'h> {
    /// `None` for what does not keep to the grammar, and where a parameter stands twice: nothing in it counts then.
    /// More is taken than the grammar allows where proxies are known to write it: blanks around `;`, an IPv6 address
    /// or a port without quotes.
    pub(super) fn parse(mut text: &'h [u8]) -> Option<Self> {
        let (mut node, mut proto, mut host) = (None, None, None);
        loop {
            // Pairs may be empty, as the grammar has it.
            while let [b';' | b' ' | b'\t', rest @ ..] = text {
                text = rest;
            }
            if text.is_empty() {
                break;
            }
            let (name, value, rest) = pair(text)?;
            text = rest;
            let slot = match name {
                _ if name.eq_ignore_ascii_case(b"for") => &mut node,
                _ if name.eq_ignore_ascii_case(b"proto") => &mut proto,
                _ if name.eq_ignore_ascii_case(b"host") => &mut host,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return None;
            }
        }
        Some(Self {
            node: node.and_then(|node| node::parse(&node)),
            scheme: proto.and_then(|proto| scheme(&proto)),
            host: host.and_then(self::host),
        })
    }
}

/// Splits off the first pair of name and value; the rest is empty or begins with the semicolon.
fn pair(text: &[u8]) -> Option<(&[u8], Cow<'_, [u8]>, &[u8])> {
    let equals = text.iter().position(|&b| b == b'=')?;
    let (name, value) = (text[..equals].trim_ascii(), &text[equals + 1..]);
    if name.is_empty() || !name.iter().all(|&b| is_token(b)) {
        return None;
    }
    let (value, rest) = match value {
        [b'"', quoted @ ..] => unquote(quoted)?,
        _ => {
            let end = value.iter().position(|&b| b == b';').unwrap_or(value.len());
            let bare = value[..end].trim_ascii_end();
            if bare.is_empty() || bare.iter().any(|&b| !b.is_ascii_graphic() || matches!(b, b'"' | b'\\')) {
                return None;
            }
            (Cow::Borrowed(bare), &value[end..])
        }
    };
    let rest = rest.trim_ascii_start();
    matches!(rest, [] | [b';', ..]).then_some((name, value, rest))
}

/// Reads up to the closing quote; what a backslash escapes stands for itself (RFC 9110 §5.6.4).
fn unquote(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let mut plain = Cow::Borrowed(&text[..0]);
    let mut at = 0;
    loop {
        let escaped = match *text.get(at)? {
            b'"' => return Some((plain, &text[at + 1..])),
            b'\\' => {
                at += 1;
                true
            }
            _ => false,
        };
        let byte = *text.get(at)?;
        at += 1;
        match &mut plain {
            Cow::Borrowed(start) if !escaped => *start = &text[..at],
            other => other.to_mut().push(byte),
        }
    }
}

fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}

/// `http` or `https`, of any case.
pub(super) fn scheme(text: &[u8]) -> Option<&'static str> {
    ["https", "http"].into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.as_bytes()))
}

/// A host with or without a port: 1 to 255 characters that names, addresses and ports are made of.
pub(super) fn host(text: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    if text.is_empty() || text.len() > 255 || !text.iter().all(fits) {
        return None;
    }
    match text {
        Cow::Borrowed(text) => std::str::from_utf8(text).ok().map(Cow::Borrowed),
        Cow::Owned(text) => String::from_utf8(text).ok().map(Cow::Owned),
    }
}

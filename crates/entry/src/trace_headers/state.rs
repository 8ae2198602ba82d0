//! `tracestate` (W3C Trace Context level 2 §3.3): checked as a list, passed on byte for byte.

use std::borrow::Cow;

/// §3.3.1.2; the lengths of key and value: §3.3.1.3.
const MAX_MEMBERS: usize = 32;
const MAX_KEY: usize = 256;
const MAX_VALUE: usize = 256;
/// §3.3.1.5 asks to pass on 512 bytes at least.
const MAX_TOTAL: usize = 8 * 1024;

/// A valid `tracestate`, to be sent on as it came. Borrowed unless it came in several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceState<'a>(Cow<'a, str>);

impl<'a> TraceState<'a> {
    /// Joins the header's lines in their order with `,`. `None` if the list is invalid (see [`TraceState::is_valid`])
    /// or has no members; `traceparent` stands either way. Blank lines are left out.
    #[must_use]
    pub fn combine(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut lines = lines.into_iter().filter(|line| !trim_ows(line).is_empty());
        let first = lines.next()?;
        let Some(second) = lines.next() else {
            let text = Self::is_valid(first).then(|| std::str::from_utf8(first).ok())??;
            return Some(Self(Cow::Borrowed(text)));
        };
        let mut joined = first.to_vec();
        for line in std::iter::once(second).chain(lines) {
            // Before copying: what is too long is not gathered first.
            if joined.len() + 1 + line.len() > MAX_TOTAL {
                return None;
            }
            joined.push(b',');
            joined.extend_from_slice(line);
        }
        let text = Self::is_valid(&joined).then(|| String::from_utf8(joined).ok())??;
        Some(Self(Cow::Owned(text)))
    }

    /// Whether a joined list is valid: at most 32 members, keys `[a-z0-9][a-z0-9_\-*/@]{0,255}` (`tenant@system` is
    /// one of them), values of 1 to 256 visible ASCII characters or inner spaces without `,` and `=`, blanks around
    /// members, empty members (not counted), and at most 8 KiB together.
    ///
    /// A key that stands twice is its writer's fault: it goes on as it came, for whoever reads the key may
    /// know which one counts, and the other systems' members are not to blame.
    #[must_use]
    pub fn is_valid(list: &[u8]) -> bool {
        if list.len() > MAX_TOTAL {
            return false;
        }
        let members = list.split(|&b| b == b',').map(trim_ows).filter(|m| !m.is_empty());
        members.enumerate().all(|(before, member)| {
            let Some(equals) = member.iter().position(|&b| b == b'=') else { return false };
            before < MAX_MEMBERS && is_key(&member[..equals]) && is_value(&member[equals + 1..])
        })
    }

    /// The header value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Lets go of the request it was read from.
    #[must_use]
    pub fn into_owned(self) -> TraceState<'static> {
        TraceState(Cow::Owned(self.0.into_owned()))
    }
}

fn is_key(key: &[u8]) -> bool {
    let lower_or_digit = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    key.len() <= MAX_KEY
        && key.first().is_some_and(lower_or_digit)
        && key.iter().all(|b| lower_or_digit(b) || matches!(b, b'_' | b'-' | b'*' | b'/' | b'@'))
}

/// Blanks at the end were trimmed as list white space before.
fn is_value(value: &[u8]) -> bool {
    !value.is_empty()
        && value.len() <= MAX_VALUE
        && value.iter().all(|&b| matches!(b, b' '..=b'~') && b != b',' && b != b'=')
}

fn trim_ows(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

//! Who the request is made for, as a trusted proxy says in headers.

use hoplog_entry::Field;

use crate::capture::Told;

const HEADERS: [(&str, Field); 3] =
    [("x-user-id", Field::UserId), ("x-session-id", Field::SessionId), ("x-tenant-id", Field::TenantId)];

/// The most bytes of an id: what the store's columns hold.
const MAX: usize = 255;

/// The ids that stand in the headers. One that came twice says nothing; one that has the shape of a secret is
/// masked as any text.
#[cold]
pub(in crate::capture) fn told_by_headers<'h>(
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
) -> Option<Box<Told>> {
    let mut found = [None; HEADERS.len()];
    for (name, value) in headers {
        if let Some(at) = HEADERS.iter().position(|(known, _)| *known == name) {
            found[at] = match found[at] {
                None => Some(printable(value)),
                Some(_) => Some(None),
            };
        }
    }
    let mut told: Option<Box<Told>> = None;
    for ((_, field), value) in HEADERS.iter().zip(found) {
        if let Some(Some(value)) = value {
            let notes = told.get_or_insert_default().notes();
            notes.set_id(*field, Some(value));
        }
    }
    told
}

/// 1 to 255 bytes of text without control characters.
pub(in crate::capture) fn printable(value: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(value).ok()?;
    ((1..=MAX).contains(&text.len()) && !text.chars().any(char::is_control)).then_some(text)
}

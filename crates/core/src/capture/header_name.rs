//! A header's name on its way from the glue crates.

use hoplog_entry::KnownHeader;

/// The name of a header, for glue crates: lower-case text, and what is known of it. Whoever can tell names apart by
/// other means than their text keeps what [`HeaderName::common`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderName<'h> {
    known: Option<KnownHeader>,
    text: &'h str,
}

impl HeaderName<'static> {
    /// The names of which something is known.
    pub fn common() -> impl Iterator<Item = Self> {
        KnownHeader::ALL.iter().map(|&known| Self { known: Some(known), text: known.as_str() })
    }
}

impl<'h> HeaderName<'h> {
    /// The text, in lower case.
    #[inline]
    #[must_use]
    pub fn as_str(&self) -> &'h str {
        self.text
    }

    /// The header, if it has a code in records.
    #[inline(always)] // asked of every header
    pub(super) fn known(&self) -> Option<KnownHeader> {
        self.known
    }
}

impl<'h> From<&'h str> for HeaderName<'h> {
    #[inline(always)] // asked of every header
    fn from(text: &'h str) -> Self {
        Self { known: KnownHeader::from_name(text), text }
    }
}

/// The headers with their names as text.
pub(super) fn by_text<'h, N>(
    headers: impl Iterator<Item = (N, &'h [u8])>,
) -> impl Iterator<Item = (&'h str, &'h [u8])>
where
    HeaderName<'h>: From<N>,
{
    headers.map(|(name, value)| (HeaderName::from(name).as_str(), value))
}

//! Text under search, and what detectors ask about it.

/// The text in which a detector looks around.
pub(super) struct Text<'a> {
    pub(super) bytes: &'a [u8],
    /// What is before this is dealt with.
    pub(super) floor: usize,
    /// The text goes on, but what follows is not here: a secret may be cut off at its end.
    pub(super) cut: bool,
}

impl Text<'_> {
    /// Whether a word can begin here: no letter or digit stands before, but for that of an escape (`\n`).
    pub(super) fn starts_word(&self, at: usize) -> bool {
        match self.bytes[..at] {
            [] => true,
            [.., b'\\', b'n' | b'r' | b't'] => true,
            [.., last] => !last.is_ascii_alphanumeric(),
        }
    }

    /// Where the run of bytes that pass the test ends, begun at `at`.
    pub(super) fn run(&self, at: usize, test: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().position(|&b| !test(b)).unwrap_or(rest.len())
    }

    /// Whether the text breaks off here, in the middle of what stands before.
    pub(super) fn breaks_off(&self, at: usize) -> bool {
        self.cut && at == self.bytes.len()
    }

    pub(super) fn get(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    pub(super) fn starts_with(&self, at: usize, what: &[u8]) -> bool {
        self.bytes.get(at..).is_some_and(|rest| rest.starts_with(what))
    }
}

/// A letter of base64 for URLs (RFC 4648 §5).
pub(super) fn is_base64url(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

//! A text copied with some stretches replaced; not copied at all if there are none.

use super::keyed::HashKey;
use super::treatment::Fate;
use super::{REDACTED, Verdict};

pub(super) struct Rewrite<'a> {
    raw: &'a [u8],
    out: &'a mut Vec<u8>,
    /// Where this text begins in `out`.
    begin: usize,
    /// How much of `raw` is dealt with. Stretches are replaced in order.
    done: usize,
    masked: bool,
}

impl<'a> Rewrite<'a> {
    pub(super) fn new(raw: &'a [u8], out: &'a mut Vec<u8>) -> Self {
        Self { raw, begin: out.len(), out, done: 0, masked: false }
    }

    pub(super) fn raw(&self) -> &'a [u8] {
        self.raw
    }

    /// How much of the text is dealt with: what comes before can be changed no more.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    /// Puts the mark of that fate in the place of `raw[from..to]`.
    pub(super) fn treat(&mut self, key: &HashKey, fate: Fate, from: usize, to: usize) {
        self.replace(from, to, |secret, out| fate.write(key, secret, out));
    }

    /// Puts what `write` makes of `raw[from..to]` in its place.
    pub(super) fn replace(&mut self, from: usize, to: usize, write: impl FnOnce(&[u8], &mut Vec<u8>)) {
        self.cut(from, to);
        write(&self.raw[from..to], self.out);
    }

    /// Leaves `raw[from..to]` out.
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        self.out.extend_from_slice(&self.raw[self.done..from]);
        self.done = to;
        self.masked = true;
    }

    pub(super) fn finish(self) -> Verdict {
        if !self.masked {
            return Verdict::Unchanged;
        }
        self.out.extend_from_slice(&self.raw[self.done..]);
        Verdict::Masked
    }

    /// Replaces the whole text, whatever was done so far.
    pub(super) fn redact_all(self) -> Verdict {
        self.out.truncate(self.begin);
        self.out.extend_from_slice(REDACTED.as_bytes());
        Verdict::Masked
    }

    /// Leaves nothing of it.
    pub(super) fn abandon(self) -> Verdict {
        self.out.truncate(self.begin);
        Verdict::Dropped
    }
}

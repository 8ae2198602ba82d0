//! What goes out in place of a sealed batch that a server does not take as it is.

use std::ops::Range;

use super::former::Former;
use super::packer::unpack;
use crate::transport::{Encoding, SealedBatch};

impl Former {
    /// A compressed batch as it goes to a server that does not know its coding; `None` where it is plain.
    pub(super) fn repack(&mut self, batch: &SealedBatch) -> Option<SealedBatch> {
        self.packer.give_up(batch.encoding).then_some(())?;
        let (bytes, encoding) = self.packer.pack(&unpack(&batch.bytes, batch.encoding).ok()?);
        Some(SealedBatch { bytes: bytes.into(), encoding, ..batch.clone() })
    }

    /// The server takes what it refused compressed: that coding is not used any more. True where it was.
    pub(super) fn give_up_coding(&mut self, batch: &SealedBatch) -> bool {
        self.packer.give_up(batch.encoding)
    }

    /// What goes out of a batch: all of it, or, where an entry of it is searched for, a part, which is not compressed: that too
    /// may be why it was refused.
    pub(super) fn outgoing(&self, batch: &SealedBatch) -> SealedBatch {
        let part = batch.search.and_then(|search| {
            let plain = unpack(&batch.bytes, batch.encoding).ok()?;
            self.dialect.part(&plain, search.from..search.to, !search.any_taken)
        });
        match part {
            Some(part) => SealedBatch { bytes: part.into(), encoding: Encoding::Plain, ..batch.clone() },
            None => batch.clone(),
        }
    }

    /// Some entries of a batch, told by their place in what its bytes hold, as a batch of their own.
    pub(super) fn part(
        &mut self,
        batch: &SealedBatch,
        entries: Range<u64>,
        tell_losses: bool,
    ) -> Option<SealedBatch> {
        let plain = unpack(&batch.bytes, batch.encoding).ok()?;
        let (bytes, encoding) = self.packer.pack(&self.dialect.part(&plain, entries.clone(), tell_losses)?);
        let offset = batch.begin() + entries.start;
        let entries = entries.end - entries.start;
        Some(SealedBatch { bytes: bytes.into(), encoding, entries, offset, search: None, ..batch.clone() })
    }

    /// One entry that is too large, cut short; `None` where it has been, or nothing can be cut.
    pub(super) fn truncated(&mut self, batch: &SealedBatch) -> Option<SealedBatch> {
        let plain = (!batch.truncated).then(|| unpack(&batch.bytes, batch.encoding).ok())??;
        let (bytes, encoding) = self.packer.pack(&self.dialect.truncated(&plain)?);
        Some(SealedBatch { bytes: bytes.into(), encoding, truncated: true, ..batch.clone() })
    }

    /// A sealed batch in two, where it has two entries.
    pub(super) fn halves(&mut self, batch: &SealedBatch) -> Option<[SealedBatch; 2]> {
        let (all, middle) = (batch.entries, batch.entries / 2);
        let parts = (middle > 0)
            .then(|| Some([self.part(batch, 0..middle, true)?, self.part(batch, middle..all, false)?]));
        parts.flatten()
    }
}

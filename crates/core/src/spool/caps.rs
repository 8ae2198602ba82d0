//! Room: the spool's own cap, and what is to stay free on the disk.

use std::time::{Duration, Instant};

use hoplog_entry::DropReason;
use hoplog_entry::spool::{FOOTER_LEN, FRAME_OVERHEAD, HEADER_LEN};

use super::{AppendError, Fs, Now, Space, Spool, WhenFull};

/// How often the disk is asked how much is free: after so much was written, or so long.
const WATCH_BYTES: u64 = 1 << 20;
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// What is known of the disk's free space.
#[derive(Debug, Default)]
pub(super) struct Watch {
    asked: Option<Instant>,
    written: u64,
    /// There was less free than is to stay.
    low: bool,
}

impl<F: Fs> Spool<F> {
    /// Makes room for a frame of so many bytes of records, as the policy says.
    pub(super) fn make_room(&mut self, now: Now, records: usize) -> Result<(), AppendError> {
        // With it may come the end of one segment and the beginning of the next.
        let need = (HEADER_LEN + FRAME_OVERHEAD + records + FOOTER_LEN) as u64;
        while self.bytes() + need > self.config.max_bytes {
            self.give_way()?;
        }
        self.watch(now, need);
        if self.caps.low {
            self.give_way()?;
            self.caps.asked = None;
        }
        Ok(())
    }

    /// Drops the oldest segment, if the policy is to do so and there is one beside that which is being written.
    fn give_way(&mut self) -> Result<(), AppendError> {
        if self.config.when_full == WhenFull::DropNewest {
            return Err(AppendError::Full);
        }
        let active = self.active.as_ref().map(|active| active.key);
        let oldest = self.segments.keys().copied().find(|key| Some(*key) != active);
        let before = self.bytes();
        self.lose(oldest.ok_or(AppendError::Full)?, DropReason::SpoolFullOldest);
        // A file that cannot be removed makes no room.
        if self.bytes() < before { Ok(()) } else { Err(AppendError::Full) }
    }

    fn watch(&mut self, now: Now, need: u64) {
        self.caps.written += need;
        let due =
            self.caps.asked.is_none_or(|asked| now.mono.saturating_duration_since(asked) >= WATCH_EVERY);
        if !due && self.caps.written < WATCH_BYTES {
            return;
        }
        self.caps.asked = Some(now.mono);
        self.caps.written = 0;
        // Where it cannot be asked, the disk itself says when it is full.
        let space = self.fs.space(&self.config.dir).ok();
        self.caps.low =
            space.is_some_and(|space| is_low(space, self.config.floor_bytes, self.config.floor_percent));
    }
}

/// Whether less is free than is to stay free.
fn is_low(space: Space, bytes: u64, percent: u64) -> bool {
    space.free < bytes.max(space.total / 100 * percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_the_larger_of_bytes_and_percent() {
        let space = |free, total| Space { free, total };
        assert!(!is_low(space(600, 10_000), 100, 5));
        assert!(is_low(space(499, 10_000), 100, 5));
        assert!(is_low(space(99, 1_000), 100, 5));
        assert!(!is_low(space(0, 0), 0, 0));
    }
}

//! What a spool may take, and when it is synced.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hoplog_entry::spool::{FOOTER_LEN, HEADER_LEN, MAX_FRAME, MAX_SEGMENT, Source};

/// When written frames are made to outlast a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SyncPolicy {
    /// When the system likes.
    Never,
    /// So long after the first frame that is not synced.
    Interval(Duration),
    /// So long after the first frame that is not synced, or when there are so many bytes of them. Those that somebody
    /// waits for are synced so by the spool's owner, under any policy.
    #[cfg_attr(not(test), expect(dead_code, reason = "no setting asks for it so far"))]
    Group {
        /// How long.
        delay: Duration,
        /// How many.
        bytes: u64,
    },
}

/// What goes when the spool is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// The oldest segment, whole.
    DropOldest,
    /// The frame that was to be appended.
    DropNewest,
}

/// The settings of a spool.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub(crate) struct SpoolConfig {
    pub(crate) dir: PathBuf,
    /// Who writes it: every segment says so. Default: nobody says.
    pub(crate) source: Option<Arc<Source>>,
    /// All segments of this process, its own and adopted. Default: 512 MiB.
    pub(crate) max_bytes: u64,
    /// Default: 8 MiB.
    pub(crate) segment_bytes: u64,
    /// Older segments go. Default: 7 days.
    pub(crate) max_age: Duration,
    /// So much of the disk stays free, or `floor_percent` of it if that is more. Default: 256 MiB.
    pub(crate) floor_bytes: u64,
    /// Default: 5.
    pub(crate) floor_percent: u64,
    /// Default: 16 MiB.
    pub(crate) quarantine_bytes: u64,
    /// Default: drop the oldest.
    pub(crate) when_full: WhenFull,
    /// Default: 500 ms after the first.
    pub(crate) sync: SyncPolicy,
    /// Use a file system whose locks do not work: two processes may then send the same entries. Default: no.
    pub(crate) unsafe_allow_no_locks: bool,
}

impl SpoolConfig {
    pub(crate) fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            source: None,
            max_bytes: 512 << 20,
            segment_bytes: 8 << 20,
            max_age: Duration::from_secs(7 * 24 * 60 * 60),
            floor_bytes: 256 << 20,
            floor_percent: 5,
            quarantine_bytes: 16 << 20,
            when_full: WhenFull::DropOldest,
            sync: SyncPolicy::Interval(Duration::from_millis(500)),
            unsafe_allow_no_locks: false,
        }
    }

    /// What is wrong with it, everything at once; each complaint names the setting.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let least = (HEADER_LEN + MAX_FRAME + FOOTER_LEN) as u64;
        if !(least..=MAX_SEGMENT).contains(&self.segment_bytes) {
            complaints.push(format!(
                "segment_bytes is {}; a segment takes {least} to {MAX_SEGMENT} bytes, so that every frame fits",
                self.segment_bytes
            ));
        }
        if self.max_bytes < self.segment_bytes.saturating_mul(2) {
            complaints.push(format!(
                "max_bytes is {}; it takes two segments at least, {} bytes",
                self.max_bytes,
                self.segment_bytes.saturating_mul(2)
            ));
        }
        if self.dir.as_os_str().is_empty() {
            complaints.push("dir is empty; give the spool a directory of its own".to_owned());
        }
        if self.max_age.is_zero() {
            complaints.push("max_age is zero; nothing would be kept".to_owned());
        }
        if self.floor_percent > 99 {
            complaints.push(format!("floor_percent is {}; at most 99 leaves room", self.floor_percent));
        }
        complaints
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_sound_and_every_fault_is_named_at_once() {
        assert_eq!(SpoolConfig::new("/var/lib/shop").complaints(), Vec::<String>::new());
        let mut config = SpoolConfig::new("");
        config.segment_bytes = 4_096;
        config.max_bytes = 5_000;
        config.max_age = Duration::ZERO;
        config.floor_percent = 100;
        let complaints = config.complaints();
        for setting in ["segment_bytes", "max_bytes", "dir", "max_age", "floor_percent"] {
            assert!(complaints.iter().any(|c| c.starts_with(setting)), "{setting}: {complaints:?}");
        }
    }
}

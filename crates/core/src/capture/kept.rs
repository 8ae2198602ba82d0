//! A request that is upgraded lives on in a task of its own: a guard there keeps its entry open.

use std::sync::Arc;

use hoplog_entry::{Outcome, RecordWriter};

use super::live::Live;
use crate::sync::lock;

/// Keeps the entry of an upgraded request open; made by [`Context::keep`](crate::Context::keep). Dropped last, it ends
/// the entry, whose duration then is that of the connection.
#[derive(Debug)]
#[must_use = "the entry ends when the guard is dropped"]
pub struct KeepOpen {
    live: Arc<Live>,
}

impl KeepOpen {
    /// `None` where the exchange has ended already.
    pub(crate) fn new(live: &Arc<Live>) -> Option<Self> {
        let mut record = lock(&live.record);
        record.is_open().then(|| {
            record.keepers += 1;
            Self { live: Arc::clone(live) }
        })
    }
}

impl Drop for KeepOpen {
    fn drop(&mut self) {
        let mut record = lock(&self.live.record);
        record.keepers = record.keepers.saturating_sub(1);
        if record.keepers == 0 && record.upgraded {
            let panicking = std::thread::panicking();
            record.panicked |= panicking;
            record.end(Outcome::Upgraded);
            // Contexts may live on; they need no buffer.
            record.writer = RecordWriter::default();
        }
    }
}

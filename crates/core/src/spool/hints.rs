//! The hints beside segments: written seldom, and never waited for.

use std::path::Path;

use super::{Fs, Spool};
use hoplog_entry::spool::Name;

impl<F: Fs> Spool<F> {
    /// Writes the hints of all segments in which frames found their fate. Where that fails, frames are sent twice.
    pub(super) fn save_hints(&mut self) {
        let mut written = Vec::new();
        for (key, segment) in self.segments.iter().filter(|(_, segment)| segment.unsaved > 0) {
            let (tmp, path) = (segment.path(Name::AckTmp), segment.path(Name::Ack));
            if self.save(&tmp, &path, &segment.acks.to_bytes()).is_ok() {
                written.push(*key);
            }
        }
        for key in written {
            if let Some(segment) = self.segments.get_mut(&key) {
                segment.unsaved = 0;
            }
        }
    }

    fn save(&self, tmp: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let file = match self.fs.create(tmp) {
            // Left by an attempt that did not end; we hold the directory's lock.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                self.fs.remove(tmp)?;
                self.fs.create(tmp)?
            }
            other => other?,
        };
        self.fs.write_all_at(&file, 0, bytes)?;
        self.fs.rename(tmp, path)
    }
}

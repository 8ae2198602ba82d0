//! What nobody can read or take is kept for people, up to a cap of its own.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hoplog_entry::spool::{Region, SegmentHeader, Source, Tally, push_entries, push_footer, push_source};

use super::{Fs, Now, Spool};
use hoplog_entry::spool::name::{Name, QUARANTINE};

/// Bytes copied at a time.
const STEP: usize = 64 * 1024;

impl<F: Fs> Spool<F> {
    /// Copies bytes of a segment to the quarantine, as far as its cap goes. Where that fails they are counted all the same.
    pub(super) fn keep_region(&mut self, key: u64, region: Region) {
        let Some(segment) = self.segments.get(&key) else { return };
        let name = format!("{}-{:020}-{}.bin", segment.writer, segment.number, region.at);
        let path = segment.path(Name::Segment);
        let _ = self.copy(&path, &name, region);
    }

    /// Keeps records that no server takes, as a segment of their own. `source`: which other process wrote them.
    pub(crate) fn quarantine(
        &mut self,
        now: Now,
        records: &[u8],
        entries: u32,
        source: Option<&Arc<Source>>,
    ) -> io::Result<()> {
        let number = self.status.quarantined;
        let writer = self.home(now)?.writer;
        let header = SegmentHeader { segment: number, writer, created_unix_ms: now.unix_ms };
        let (mut bytes, mut tally) = (header.to_bytes().to_vec(), Tally::default());
        if let Some(source) = source.or(self.config.source.as_ref()) {
            push_source(&mut bytes, &mut tally, source);
        }
        push_entries(&mut bytes, &mut tally, entries, records)
            .map_err(|bad| io::Error::new(io::ErrorKind::InvalidInput, bad))?;
        push_footer(&mut bytes, &tally);
        let (file, dir) = self.make(&format!("{writer}-{number:020}.log"))?;
        self.fs.write_all_at(&file, 0, &bytes)?;
        self.fs.sync(&file)?;
        self.trim(&dir);
        Ok(())
    }

    fn copy(&mut self, from: &Path, name: &str, region: Region) -> io::Result<()> {
        let from = self.fs.open(from)?;
        let (to, dir) = self.make(name)?;
        let len = region.len.min(self.config.quarantine_bytes);
        let mut step = vec![0; STEP.min(len as usize)];
        let mut copied = 0;
        while copied < len {
            let most = step.len().min((len - copied) as usize);
            let Some(part) = step.get_mut(..most) else { break };
            // What the disk cannot read is left out; the file has a hole there.
            let read = match self.fs.read_full_at(&from, region.at + copied, part) {
                Ok(0) => break,
                Ok(read) => {
                    self.fs.write_all_at(&to, copied, part.get(..read).unwrap_or_default())?;
                    read
                }
                Err(_) => most,
            };
            copied += read as u64;
        }
        self.trim(&dir);
        Ok(())
    }

    fn make(&mut self, name: &str) -> io::Result<(F::File, PathBuf)> {
        let dir = self.config.dir.join(QUARANTINE);
        self.fs.make_dir(&dir)?;
        // One that is there already holds the same bytes, from before a crash.
        let file = self.fs.create(&dir.join(name))?;
        self.status.quarantined += 1;
        Ok((file, dir))
    }

    /// The oldest go until the rest is within the cap.
    fn trim(&mut self, dir: &Path) {
        let Ok(names) = self.fs.list(dir) else { return };
        let mut files: Vec<(u64, String, u64)> = names
            .into_iter()
            .filter_map(|name| {
                let stat = self.fs.stat_path(&dir.join(&name)).ok()??;
                Some((stat.modified_ms, name, stat.len))
            })
            .collect();
        files.sort_unstable();
        let mut bytes: u64 = files.iter().map(|(_, _, len)| len).sum();
        for (_, name, len) in files {
            if bytes <= self.config.quarantine_bytes {
                break;
            }
            if self.fs.remove(&dir.join(name)).is_ok() {
                self.status.quarantine_evicted += 1;
                bytes -= len;
            }
        }
    }
}

//! Keeping archives in order: the surplus goes, the rest is compressed.

use std::io;
use std::path::PathBuf;

use super::Keep;
use super::archive::{self, Archive, State};
use super::disk::Disk;

/// The archives of one file.
#[derive(Debug, Clone)]
pub(crate) struct Attic<D> {
    pub(crate) disk: D,
    /// Of the file that is rotated.
    pub(crate) path: PathBuf,
    pub(crate) keep: Keep,
    pub(crate) gzip: bool,
}

impl<D: Disk> Attic<D> {
    /// Takes as long as it takes to compress what there is; several processes may do it at once.
    ///
    /// # Errors
    /// The first that occurs, after everything that could be done was done.
    pub(crate) fn tidy(&self) -> io::Result<()> {
        let Some(base) = self.path.file_name().and_then(|name| name.to_str()) else { return Ok(()) };
        let directory = self.path.parent().unwrap_or(&self.path);
        let names = self.disk.list(directory)?;
        let surplus = archive::surplus(&names, base, self.keep, self.disk.now());
        let mut result = Ok(());
        let mut note = |done: io::Result<()>| match done {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if result.is_ok() => result = Err(error),
            _ => {}
        };
        for name in &surplus {
            note(self.disk.remove(&directory.join(name)));
        }
        if self.gzip {
            let left = names.iter().filter(|name| !surplus.contains(&name.as_str())).cloned();
            for archive in archive::plain(&left.collect::<Vec<_>>(), base) {
                note(self.compress(archive, base));
            }
        }
        result
    }

    fn compress(&self, archive: Archive, base: &str) -> io::Result<()> {
        let [plain, unfinished, packed] = [State::Plain, State::Unfinished, State::Gzip]
            .map(|state| self.path.with_file_name(archive.name(base, state)));
        // Locked until the plain one is gone: another process that is at it as well would write over the packed one.
        if let Some(_locked) = self.disk.compress(&plain, &unfinished)? {
            self.disk.rename(&unfinished, &packed)?;
            self.disk.remove(&plain)?;
        }
        Ok(())
    }
}

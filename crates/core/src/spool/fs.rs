//! What the spool needs of a file system.

#[cfg(unix)]
mod real;

use std::io;
use std::path::Path;

#[cfg(unix)]
pub(crate) use real::RealFs;

/// What is known of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) kind: Kind,
    pub(crate) len: u64,
    /// The last write, in milliseconds since the Unix epoch.
    pub(crate) modified_ms: u64,
    /// Permission bits.
    pub(crate) mode: u32,
    pub(crate) user: u32,
    /// Names of it. Without one it goes when it is closed.
    pub(crate) links: u64,
    /// The same for the same file, wherever it is moved.
    pub(crate) id: (u64, u64),
}

/// What something in a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
    /// A link, a pipe, a device.
    Other,
}

/// Room on a disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Space {
    /// What this user may still take.
    pub(crate) free: u64,
    pub(crate) total: u64,
}

/// A file system. No operation follows a link at the end of a path.
pub(crate) trait Fs: Clone + Send + 'static {
    /// An open file. A lock goes with it.
    type File: Send;

    /// Who we are.
    fn user(&self) -> u32;
    /// Makes a directory for ourselves alone, and those above it that are missing.
    fn make_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a file for ourselves alone, to read and write. It must not be there.
    fn create(&self, path: &Path) -> io::Result<Self::File>;
    /// Opens a file to read and write; makes it if it is missing.
    fn open_lock(&self, path: &Path) -> io::Result<Self::File>;
    /// Opens a file to read. Never waits, whatever is there.
    fn open(&self, path: &Path) -> io::Result<Self::File>;
    /// Locks a file; false where somebody else has the lock.
    fn lock(&self, file: &Self::File) -> io::Result<bool>;
    fn read_at(&self, file: &Self::File, at: u64, out: &mut [u8]) -> io::Result<usize>;
    /// May write less.
    fn write_at(&self, file: &Self::File, at: u64, bytes: &[u8]) -> io::Result<usize>;
    fn truncate(&self, file: &Self::File, len: u64) -> io::Result<()>;
    /// What was written outlasts a power cut once this returns.
    fn sync(&self, file: &Self::File) -> io::Result<()>;
    /// Names that came and went in a directory outlast a power cut once this returns.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    fn stat(&self, file: &Self::File) -> io::Result<Stat>;
    /// `None` where nothing is at the path.
    fn stat_path(&self, path: &Path) -> io::Result<Option<Stat>>;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory, in any order. What is no Unicode comes with replacement characters.
    fn list(&self, path: &Path) -> io::Result<Vec<String>>;
    fn space(&self, path: &Path) -> io::Result<Space>;

    /// Writes all of it.
    fn write_all_at(&self, file: &Self::File, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at(file, at, bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    at += written as u64;
                    bytes = bytes.get(written..).unwrap_or_default();
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads until the buffer is full or the file ends; returns how much.
    fn read_full_at(&self, file: &Self::File, at: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = out.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(file, at + filled as u64, rest) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

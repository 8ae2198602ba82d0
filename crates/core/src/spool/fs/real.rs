//! The system's files.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::{Fs, Kind, Space, Stat};

/// Names read of one directory; nobody needs more, and the rest waits.
const NAMES: usize = 100_000;

/// The system's. Files are made 0600 and directories 0700, whatever the umask lets through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RealFs;

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // The standard library sets O_CLOEXEC. O_NONBLOCK: to open a pipe would wait for its other end.
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

impl Fs for RealFs {
    type File = File;

    fn user(&self) -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        options().read(true).write(true).create_new(true).open(path)
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        options().read(true).write(true).create(true).truncate(false).open(path)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        options().read(true).open(path)
    }

    fn lock(&self, file: &File) -> io::Result<bool> {
        match file.try_lock() {
            Ok(()) => Ok(true),
            Err(TryLockError::WouldBlock) => Ok(false),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn read_at(&self, file: &File, at: u64, out: &mut [u8]) -> io::Result<usize> {
        file.read_at(out, at)
    }

    fn write_at(&self, file: &File, at: u64, bytes: &[u8]) -> io::Result<usize> {
        file.write_at(bytes, at)
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        options().read(true).open(path)?.sync_all()
    }

    fn stat(&self, file: &File) -> io::Result<Stat> {
        file.metadata().map(|metadata| stat_of(&metadata))
    }

    fn stat_path(&self, path: &Path) -> io::Result<Option<Stat>> {
        match path.symlink_metadata() {
            Ok(metadata) => Ok(Some(stat_of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_dir(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let entries = std::fs::read_dir(path)?.take(NAMES);
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    fn space(&self, path: &Path) -> io::Result<Space> {
        let found = rustix::fs::statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(Space { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
    }
}

fn stat_of(metadata: &Metadata) -> Stat {
    let kind = match metadata.file_type() {
        kind if kind.is_file() => Kind::File,
        kind if kind.is_dir() => Kind::Directory,
        _ => Kind::Other,
    };
    let (seconds, nanos) = (metadata.mtime(), metadata.mtime_nsec());
    let modified = seconds.saturating_mul(1_000).saturating_add(nanos / 1_000_000);
    Stat {
        kind,
        len: metadata.len(),
        modified_ms: u64::try_from(modified).unwrap_or(0),
        mode: metadata.mode() & 0o7777,
        user: metadata.uid(),
        links: metadata.nlink(),
        id: (metadata.dev(), metadata.ino()),
    }
}

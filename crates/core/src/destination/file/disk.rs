//! What files need of the system, and the system.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;

/// How long another process may hold the lock, which is for one write, until this one goes its own way.
const PATIENCE: Duration = Duration::from_millis(250);

/// Between two looks at what cannot be written to at the moment.
const PAUSE: Duration = Duration::from_millis(5);

/// What is known of an open file, or of what is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) len: u64,
    /// The last write, in seconds since the Unix epoch.
    pub(crate) modified: u64,
    /// The same for the same file, wherever it is moved.
    pub(crate) id: (u64, u64),
    /// No device, no pipe: something with a length that can be locked and moved.
    pub(crate) regular: bool,
    /// A named pipe.
    pub(crate) pipe: bool,
}

/// A file system and its clock.
pub(crate) trait Disk: Send + 'static {
    type File: Send;

    /// Seconds since the Unix epoch, by the clock that stamps files.
    fn now(&self) -> u64;
    /// Opens a file for appending; makes it if it is missing.
    fn open(&self, path: &Path) -> io::Result<Self::File>;
    /// False where another process holds it for long; an error where there are no locks.
    fn lock(&self, file: &Self::File) -> io::Result<bool>;
    fn unlock(&self, file: &Self::File);
    fn stat(&self, file: &Self::File) -> io::Result<Stat>;
    /// `None` where nothing is at the path. A link is not followed.
    fn stat_path(&self, path: &Path) -> io::Result<Option<Stat>>;
    /// How much was written, and why no more.
    fn append(&self, file: &mut Self::File, bytes: &[u8]) -> (usize, io::Result<()>);
    fn truncate(&self, file: &Self::File, len: u64) -> io::Result<()>;
    /// Whether the file at the path ends within a line. False where it cannot be read.
    fn is_torn(&self, path: &Path) -> bool;
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The names in a directory.
    fn list(&self, directory: &Path) -> io::Result<Vec<String>>;
    /// Writes `from`, compressed, to `to`, which is on disk when this returns, and locked until it is dropped. `None`
    /// where another process is at it.
    fn compress(&self, from: &Path, to: &Path) -> io::Result<Option<Self::File>>;
}

/// The system's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RealDisk {
    /// Permissions of files that are made.
    pub(crate) mode: u32,
    pub(crate) follow_links: bool,
}

impl RealDisk {
    fn options(self) -> OpenOptions {
        let mut options = OpenOptions::new();
        options.create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(self.mode);
            if !self.follow_links {
                options.custom_flags(libc::O_NOFOLLOW);
            }
        }
        options
    }
}

impl Disk for RealDisk {
    type File = File;

    fn now(&self) -> u64 {
        seconds(SystemTime::now())
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        let refused = |error: io::Error| match error.raw_os_error() {
            #[cfg(unix)]
            Some(libc::ELOOP) => io::Error::new(
                error.kind(),
                "it is a symbolic link, which is not followed unless `follow_links()` says so",
            ),
            _ => error,
        };
        self.options().append(true).open(path).map_err(refused)
    }

    fn lock(&self, file: &File) -> io::Result<bool> {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(true),
                Err(TryLockError::Error(error)) => return Err(error),
                Err(TryLockError::WouldBlock) if std::time::Instant::now() >= until => return Ok(false),
                Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_micros(200)),
            }
        }
    }

    fn unlock(&self, file: &File) {
        let _ = file.unlock();
    }

    fn stat(&self, file: &File) -> io::Result<Stat> {
        file.metadata().map(|metadata| stat_of(&metadata))
    }

    fn stat_path(&self, path: &Path) -> io::Result<Option<Stat>> {
        let found = if self.follow_links { path.metadata() } else { path.symlink_metadata() };
        match found {
            Ok(metadata) => Ok(Some(stat_of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn append(&self, file: &mut File, bytes: &[u8]) -> (usize, io::Result<()>) {
        write_whole(file, bytes)
    }

    fn truncate(&self, file: &File, len: u64) -> io::Result<()> {
        file.set_len(len)
    }

    fn is_torn(&self, path: &Path) -> bool {
        let last = || {
            let (mut file, mut last) = (File::open(path)?, [b'\n']);
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last).map(|()| last)
        };
        last().is_ok_and(|last: [u8; 1]| last != [b'\n'])
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        let entries = std::fs::read_dir(directory)?;
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    fn compress(&self, from: &Path, to: &Path) -> io::Result<Option<File>> {
        let plain = File::open(from)?;
        let out = self.options().write(true).truncate(false).open(to)?;
        // Two processes may have seen the same archive; the one that was first may have renamed this file by now.
        let is_ours =
            out.try_lock().is_ok() && self.stat_path(to)?.map(|there| there.id) == Some(self.stat(&out)?.id);
        if !is_ours {
            return Ok(None);
        }
        let packed = pack(plain, &out);
        if packed.is_err() {
            // Half of it is of no use, and takes room on a disk that may be full.
            let _ = self.remove(to);
        }
        packed.map(|()| Some(out))
    }
}

/// How much was written, and why no more. A pipe or terminal that others have set to be non-blocking is waited for like
/// one that blocks.
pub(crate) fn write_whole(to: &mut impl io::Write, bytes: &[u8]) -> (usize, io::Result<()>) {
    let mut written = 0;
    loop {
        let rest = bytes.get(written..).unwrap_or_default();
        let done = if rest.is_empty() { to.flush().map(|()| 0) } else { to.write(rest) };
        match done {
            Ok(0) if rest.is_empty() => return (written, Ok(())),
            Ok(0) => return (written, Err(io::ErrorKind::WriteZero.into())),
            Ok(n) => written += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(error) => return (written, Err(error)),
        }
    }
}

fn pack(mut from: File, to: &File) -> io::Result<()> {
    to.set_len(0)?;
    let mut gzip = GzEncoder::new(to, Compression::default());
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer)? {
            0 => break,
            n => gzip.write_all(&buffer[..n])?,
        }
    }
    gzip.finish()?.sync_all()
}

fn stat_of(metadata: &std::fs::Metadata) -> Stat {
    #[cfg(unix)]
    let id = {
        use std::os::unix::fs::MetadataExt as _;
        (metadata.dev(), metadata.ino())
    };
    // Where files have no identity that can be asked for, the path is taken to be the file that is open.
    #[cfg(not(unix))]
    let id = (0, 0);
    #[cfg(unix)]
    let pipe = std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type());
    #[cfg(not(unix))]
    let pipe = false;
    Stat {
        len: metadata.len(),
        modified: metadata.modified().map_or(0, seconds),
        id,
        regular: metadata.is_file(),
        pipe,
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

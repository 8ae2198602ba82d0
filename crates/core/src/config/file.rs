//! A log file: where, in which form, when it begins anew, what stays.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::destination::{Every, FilePlan, Form, Keep, Lines, Prepared, RealDisk, Rotation, Sink, Zone};

/// How an entry looks as a line of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LineFormat {
    /// One JSON object with the names of `POST /logs`, as the collector gets it.
    #[default]
    Json,
    /// Readable, with date and time in UTC; control characters are spelled out.
    Text,
    /// One JSON object with the names of the Elastic Common Schema 8; what it has no name for stands under `hoplog.`.
    Ecs,
}

/// A file that entries are appended to, one per line.
///
/// | | default |
/// |---|---|
/// | format | JSON lines |
/// | rotation | none |
/// | archives | 30 stay, of any age, as they are |
/// | permissions | `0600` of a file that is made |
/// | symbolic links | a file that is one is not opened |
///
/// # Rotation
/// A file that is over — its size is reached, its hour or day has passed — is renamed after its last write, in UTC:
/// `shop.jsonl.20250601T215959Z`, and with [`gzip`](LogFile::gzip) compressed, on the side. Only archives named so are
/// ever removed. A size is kept exactly but for a single line that is longer. What is over is judged by the file's own
/// length and time of last write, so a restart changes nothing; a file without entries is not rotated.
///
/// # Several processes
/// They may share one path, also with rotation: each write locks the file (`flock`, `LockFileEx`). Where there are no
/// locks, or another process holds one for more than 250 ms, a process writes to a file of its own beside it, `….p` and
/// its process id, until [`Client::reopen_files`](crate::Client::reopen_files). All of them should be configured alike. On
/// Windows a process does not notice that another one rotated the file: there, give each a path of its own.
///
/// What a killed process left of a line is ended with a line feed, and the next entry begins on a line of its own.
///
/// # When the disk is full
/// Entries that cannot be written are counted as dropped (`spool_io_error`), half a line is taken back, and the next
/// write is tried as if nothing had happened. Writes are not synced: a crash of the machine may cost the last seconds.
///
/// ```
/// use hoplog::{Level, LogFile, Output};
///
/// # let path = std::env::temp_dir().join(format!("hoplog-doc-{}.jsonl", std::process::id()));
/// let client = hoplog::Client::builder()
///     .without_collector()
///     .destination(LogFile::new(&path).max_bytes(100 << 20).daily().keep(14).gzip())
///     .build()?;
/// # drop(client);
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a file does nothing until it is a builder's destination"]
pub struct LogFile {
    path: PathBuf,
    format: LineFormat,
    max_bytes: Option<u64>,
    every: Option<Every>,
    #[cfg(feature = "local-time")]
    local_time: bool,
    keep: Option<usize>,
    keep_for: Option<Duration>,
    gzip: bool,
    mode: u32,
    follow_links: bool,
}

impl LogFile {
    /// JSON lines, never rotated.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            format: LineFormat::Json,
            max_bytes: None,
            every: None,
            #[cfg(feature = "local-time")]
            local_time: false,
            keep: None,
            keep_for: None,
            gzip: false,
            mode: 0o600,
            follow_links: false,
        }
    }

    /// How a line looks. Default: JSON.
    pub fn format(mut self, format: LineFormat) -> Self {
        self.format = format;
        self
    }

    /// Begins a new file before this one grows longer, from 1 KiB. Default: no limit.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Begins a new file at midnight, UTC. Default: no.
    pub fn daily(mut self) -> Self {
        self.every = Some(Every::Day);
        self
    }

    /// Begins a new file every hour. Default: no.
    pub fn hourly(mut self) -> Self {
        self.every = Some(Every::Hour);
        self
    }

    /// Days and hours are those of the system's time zone, its changes of clocks included. Default: UTC.
    #[cfg(feature = "local-time")]
    pub fn local_time(mut self) -> Self {
        self.local_time = true;
        self
    }

    /// How many archives stay beside the file. Default: 30.
    pub fn keep(mut self, archives: usize) -> Self {
        self.keep = Some(archives);
        self
    }

    /// How old an archive's last entry may be. Looked at when a file is rotated, and at the start. Default: any age.
    pub fn keep_for(mut self, age: Duration) -> Self {
        self.keep_for = Some(age);
        self
    }

    /// Compresses archives. Default: they stay as they are.
    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// The permissions of files that are made, less the process's umask. Not used on Windows. Default: `0o600`.
    pub fn mode(mut self, permissions: u32) -> Self {
        self.mode = permissions;
        self
    }

    /// Opens the file also where its path is a symbolic link, as `/dev/stdout` is. Default: no, for whoever may write to
    /// the directory could choose what is appended to. Not for a file that is rotated. Not used on Windows.
    pub fn follow_links(mut self) -> Self {
        self.follow_links = true;
        self
    }

    /// Opens the file to see whether that can be done; `None` where something is wrong.
    pub(super) fn prepared(&self, complaints: &mut Vec<String>) -> Option<Prepared> {
        let before = complaints.len();
        let path = self.path.display();
        let mut complain = |wrong: String| complaints.push(format!("`file` {path} {wrong}"));
        if self.max_bytes.is_some_and(|bytes| bytes < 1024) {
            complain("has `max_bytes` below 1024".into());
        }
        let rotates = self.max_bytes.is_some() || self.every.is_some();
        if !rotates && (self.keep.is_some() || self.keep_for.is_some() || self.gzip) {
            complain(
                "says what becomes of archives, but is never rotated: add `max_bytes`, `daily` or `hourly`"
                    .into(),
            );
        }
        if self.mode & !0o777 != 0 {
            complain(format!("has mode {:o}; permissions are up to 777", self.mode));
        }
        if rotates && self.path.file_name().and_then(|name| name.to_str()).is_none() {
            complain("is to be rotated, so its name must be UTF-8".into());
        }
        if rotates && self.follow_links {
            complain(
                "is to be rotated, which would move the link: name the file, or leave out `follow_links`"
                    .into(),
            );
        }
        let plan = self.plan();
        if let Err(error) = plan.appender(std::sync::Arc::default()).check() {
            complain(format!("cannot be opened: {error}"));
        }
        let form = match self.format {
            LineFormat::Json => Form::Json,
            LineFormat::Text => Form::Text { colour: false, dated: true },
            LineFormat::Ecs => Form::Ecs,
        };
        (complaints.len() == before).then(|| Prepared::Lines(Lines { form, sink: Sink::File(plan) }))
    }

    fn plan(&self) -> FilePlan {
        FilePlan {
            path: self.path.clone(),
            rotation: Rotation { max_bytes: self.max_bytes, every: self.every, zone: self.zone() },
            keep: Keep { files: self.keep.unwrap_or(30), age: self.keep_for },
            gzip: self.gzip,
            disk: RealDisk { mode: self.mode, follow_links: self.follow_links },
        }
    }

    fn zone(&self) -> Zone {
        #[cfg(feature = "local-time")]
        if self.local_time {
            return Zone::local();
        }
        Zone::Utc
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

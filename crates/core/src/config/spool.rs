//! Where entries are kept on the disk until they are delivered.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hoplog_entry::spool::OPEN_DIR;

use crate::destination::SpoolPlan;
use crate::open_requests::{self, Reporter};
use crate::spool::{SpoolConfig, SyncPolicy, WhenFull, check_dir, try_dir};

/// What a killed process may lose of what it accepted. [`EntryBuilder::durable`](crate::EntryBuilder::durable) waits for
/// the disk under either setting with a spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// Everything that is not delivered: no spool is written.
    Memory,
    /// What is in memory. It goes to the spool while a server fails, when memory fills, and at the end.
    Spool,
    /// The last milliseconds: everything is written before it is sent. The calls of the application still do no I/O.
    WriteThrough,
}

/// A directory for entries that are not delivered yet; for [`ClientBuilder::spool`](crate::ClientBuilder::spool). Each
/// destination over HTTP has a folder of its own in it, and each of them these caps. A directory that others may write to
/// is refused, and so is one whose files cannot be locked.
///
/// | | default |
/// |---|---|
/// | bytes | 512 MiB per destination |
/// | age | 7 days |
/// | free space that is left to others | 256 MiB, or 5 % of the disk if that is more |
/// | when it is full | the oldest go, 8 MiB at a time |
/// | sync of what nobody waits for | 500 ms after it was written |
///
/// ```
/// let spool = hoplog::Spool::new("/var/lib/shop/spool").max_bytes(1 << 30);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a spool does nothing until the builder has it"]
pub struct Spool {
    dir: PathBuf,
    max_bytes: Option<u64>,
    max_age: Option<Duration>,
    free_bytes: Option<u64>,
    drops_newest: bool,
    sync_after: Option<Duration>,
    open_requests: Option<usize>,
}

impl<P: Into<PathBuf>> From<P> for Spool {
    fn from(dir: P) -> Self {
        Self::new(dir)
    }
}

impl Spool {
    /// With every default. The directory is made if it is missing, for this user alone.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            max_bytes: None,
            max_age: None,
            free_bytes: None,
            drops_newest: false,
            sync_after: None,
            open_requests: None,
        }
    }

    /// The most bytes of each destination's files, from 16 MiB. Default: 512 MiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Older entries go, counted as `spool_expired`. Default: 7 days, as long as the collector knows entries again.
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// So much of the disk stays free, where that is more than 5 % of it. Default: 256 MiB. 0: down to the last byte.
    pub fn leave_free(mut self, bytes: u64) -> Self {
        self.free_bytes = Some(bytes);
        self
    }

    /// When it is full, new entries stay in memory and are lost when that is full too. Default: the oldest go.
    pub fn keep_oldest(mut self) -> Self {
        self.drops_newest = true;
        self
    }

    /// How long after it was written an entry that nobody waits for is synced. Default: 500 ms. [`Duration::MAX`]: when
    /// the system likes.
    pub fn sync_after(mut self, delay: Duration) -> Self {
        self.sync_after = Some(delay);
        self
    }

    /// Notes on the disk which requests are open, at most so many at a time, from 1 to 4 096. If the process is killed or
    /// aborts, the next start reports each of them: an entry of outcome `process_died` with its method, route or path,
    /// trace, client and start, under the id that its own entry would have had, and under the name of the dead process.
    /// Default: off.
    ///
    /// Each start and each end of a request is then a write to a file in `requests.open`, made by the thread that handles
    /// it: a microsecond or two, for nothing is synced. On a disk that hangs such a write may hang, too; nothing else that
    /// hoplog does on a request's thread can. More requests than that are counted, in
    /// [`Stats::requests_not_noted`](crate::Stats::requests_not_noted) and in what is reported.
    pub fn open_requests(mut self, at_most: usize) -> Self {
        self.open_requests = Some(at_most);
        self
    }

    /// Where it is.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether there may be a spool at all. `None` where something is wrong.
    pub(super) fn checked(&self, complaints: &mut Vec<String>) -> Option<&Self> {
        if !cfg!(unix) {
            complaints.push("`spool` needs a system with the permissions of Unix: leave it out here".into());
            return None;
        }
        if let Err(refused) = check_dir(&self.dir) {
            complaints.push(format!("`spool` {refused}"));
            return None;
        }
        Some(self)
    }

    /// Who reports what was open when processes died, if somebody is to. `None` also where something is wrong.
    pub(super) fn reporter(&self, complaints: &mut Vec<String>) -> Option<Arc<Reporter>> {
        let places = self.open_requests?;
        let dir = self.dir.join(OPEN_DIR);
        if !(1..=open_requests::MOST).contains(&places) {
            let most = open_requests::MOST;
            complaints.push(format!("`Spool::open_requests` is {places}; it must be from 1 to {most}"));
        } else if let Err(refused) = check_dir(&dir) {
            complaints.push(format!("`spool` {refused}"));
        } else {
            return Some(Arc::new(Reporter::new(dir, places)));
        }
        None
    }

    /// The spool of one destination. `None` where something is wrong.
    pub(super) fn plan(
        &self,
        name: &str,
        durability: Durability,
        queue_bytes: usize,
        reporter: Option<&Arc<Reporter>>,
        complaints: &mut Vec<String>,
    ) -> Option<SpoolPlan> {
        let mut config = SpoolConfig::new(self.dir.join(folder(name)));
        config.max_bytes = self.max_bytes.unwrap_or(config.max_bytes);
        config.max_age = self.max_age.unwrap_or(config.max_age);
        if let Some(bytes) = self.free_bytes {
            config.floor_bytes = bytes;
            config.floor_percent = if bytes == 0 { 0 } else { config.floor_percent };
        }
        if self.drops_newest {
            config.when_full = WhenFull::DropNewest;
        }
        config.sync = match self.sync_after {
            None => config.sync,
            Some(Duration::MAX) => SyncPolicy::Never,
            Some(delay) => SyncPolicy::Interval(delay),
        };
        let mut wrong: Vec<String> =
            config.complaints().into_iter().map(|wrong| format!("`Spool`: {wrong}")).collect();
        if wrong.is_empty() {
            wrong.extend(try_dir(&config).err().map(|refused| format!("`spool` {refused}")));
        }
        let fine = wrong.is_empty();
        wrong.retain(|wrong| !complaints.contains(wrong));
        complaints.append(&mut wrong);
        let write_through = durability == Durability::WriteThrough;
        reporter.into_iter().for_each(|reporter| reporter.tell(&config.dir));
        let reporter = reporter.cloned();
        fine.then_some(SpoolPlan { config, write_through, mark: queue_bytes / 4, reporter })
    }
}

/// A destination's name as that of a folder: no two names have the same.
fn folder(name: &str) -> String {
    let mut folder = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            folder.push(char::from(byte));
        } else {
            folder.push_str(&format!("%{byte:02x}"));
        }
    }
    // A file's name has 255 bytes at most; names of destinations have 100.
    if folder.len() > 240 {
        let hash = hmac_sha256::Hash::hash(name.as_bytes());
        folder = format!("%%{:032x}", u128::from_be_bytes(hash[..16].try_into().unwrap_or_default()));
    }
    folder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path_and_no_two_share_a_folder() {
        for (name, expected) in [
            ("collector", "collector"),
            ("otlp-2", "otlp-2"),
            ("..", "%2e%2e"),
            ("a/b", "a%2fb"),
            ("a%2fb", "a%252fb"),
        ] {
            assert_eq!(folder(name), expected);
        }
        let (a, b) = ("é".repeat(50), "è".repeat(50));
        assert!(folder(&a) != folder(&b) && folder(&a).len() < 255);
    }
}

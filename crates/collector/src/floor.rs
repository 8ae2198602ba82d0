//! Room on the disk that is never filled: at the floor no entry is taken, while questions and deletion go on.

use crate::store::StoreError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a file system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that this process may still take.
    pub free: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Where the room on a disk is asked for; tests answer by hand.
#[derive(Clone)]
pub(crate) struct Probe(Arc<Measure>);

type Measure = dyn Fn(&Path) -> io::Result<DiskSpace> + Send + Sync;

impl Probe {
    pub(crate) fn new(measure: impl Fn(&Path) -> io::Result<DiskSpace> + Send + Sync + 'static) -> Self {
        Self(Arc::new(measure))
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self::new(|path| {
            let found = rustix::fs::statvfs(path)?;
            let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
            Ok(DiskSpace { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
        })
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Probe")
    }
}

/// The floor of one directory's disk.
#[derive(Debug)]
pub(crate) struct Floor {
    directory: PathBuf,
    percent: u8,
    probe: Probe,
}

impl Floor {
    pub(crate) fn new(directory: PathBuf, percent: u8, probe: Probe) -> Self {
        Self { directory, percent, probe }
    }

    /// Whether entries may be taken. A disk that does not say lets them pass: the write will tell.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let Ok(space) = (self.probe.0)(&self.directory) else { return Ok(()) };
        let floor = u128::from(space.total) * u128::from(self.percent);
        if u128::from(space.free) * 100 >= floor {
            return Ok(());
        }
        Err(StoreError::Full(format!(
            "less than {} % of the disk of {} is free ({} MiB): free some, or keep fewer entries",
            self.percent,
            self.directory.display(),
            space.free >> 20
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_taken_down_to_the_floor_and_where_nothing_is_known() {
        let floor = |percent, free, total| {
            Floor::new("/data".into(), percent, Probe::new(move |_| Ok(DiskSpace { free, total })))
        };
        for (percent, free, total, taken) in [
            (5, 5, 100, true),
            (5, 4, 100, false),
            (5, 0, 0, true),
            (0, 0, 100, true),
            (100, u64::MAX, u64::MAX, true),
            (100, u64::MAX - 1, u64::MAX, false),
        ] {
            assert_eq!(floor(percent, free, total).check().is_ok(), taken, "{percent} % {free} of {total}");
        }
        let unknown = Floor::new("/data".into(), 5, Probe::new(|_| Err(io::ErrorKind::NotFound.into())));
        assert_eq!(unknown.check(), Ok(()));
        assert!(
            Probe::default().0(Path::new("/"))
                .is_ok_and(|space| space.total >= space.free && space.total > 0)
        );
    }
}

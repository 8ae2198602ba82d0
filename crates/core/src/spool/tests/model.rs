//! A disk in memory. What was not synced is lost, torn or reordered when the power goes.

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::START_MS;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// Who we are.
const US: u32 = 1_000;

/// Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model(Arc<Mutex<Disk>>);

/// What an operation is, for faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Op {
    Create,
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    SyncDir,
    Rename,
    Remove,
    MakeDir,
    Lock,
}

#[derive(Debug, Default)]
struct Disk {
    names: BTreeMap<PathBuf, u64>,
    /// As they are on the platter.
    durable_names: BTreeMap<PathBuf, u64>,
    files: BTreeMap<u64, Inode>,
    next: u64,
    /// Operations that change something, so far.
    ops: u64,
    off_after: Option<u64>,
    /// Syncs say yes and do nothing: the control that has to lose something.
    lies: bool,
    locks_fail: bool,
    capacity: Option<u64>,
    faults: BTreeMap<Op, io::ErrorKind>,
    torn: u64,
    calls: BTreeMap<Op, u64>,
    modified_ms: u64,
    descriptors: Option<usize>,
    open: BTreeMap<u64, u64>,
}

#[derive(Debug, Clone)]
struct Inode {
    dir: bool,
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// Sectors that differ from the platter.
    dirty: BTreeSet<usize>,
    locked: Option<u64>,
    modified_ms: u64,
    mode: u32,
    synced_after_failure: bool,
    sync_failed: bool,
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Handle {
    inode: u64,
    handle: u64,
    disk: Model,
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut disk = self.disk.disk();
        disk.open.remove(&self.handle);
        if let Some(inode) = disk.files.get_mut(&self.inode)
            && inode.locked == Some(self.handle)
        {
            inode.locked = None;
        }
    }
}

fn off() -> io::Error {
    io::Error::other("the power is off")
}

impl Disk {
    /// Counts an operation; fails where the power is off or a fault is set.
    fn op(&mut self, op: Op) -> io::Result<()> {
        let changes = !matches!(op, Op::Open | Op::Read | Op::Lock);
        if changes && self.off_after.is_some_and(|after| self.ops >= after) {
            return Err(off());
        }
        self.ops += u64::from(changes);
        *self.calls.entry(op).or_default() += 1;
        self.faults.get(&op).map_or(Ok(()), |kind| Err((*kind).into()))
    }

    fn inode(&mut self, path: &Path, dir: bool) -> u64 {
        self.next += 1;
        let modified_ms = if self.modified_ms > 0 { self.modified_ms } else { START_MS };
        let inode = Inode {
            dir,
            bytes: Vec::new(),
            durable: Vec::new(),
            dirty: BTreeSet::new(),
            locked: None,
            modified_ms,
            mode: if dir { 0o700 } else { 0o600 },
            synced_after_failure: false,
            sync_failed: false,
        };
        self.files.insert(self.next, inode);
        self.names.insert(path.to_owned(), self.next);
        self.next
    }

    fn used(&self) -> u64 {
        self.names.values().map(|inode| self.files[inode].bytes.len() as u64).sum()
    }

    fn spare_descriptor(&self) -> io::Result<()> {
        let none = self.descriptors.is_some_and(|most| self.open.len() >= most);
        if none { Err(io::Error::from_raw_os_error(24)) } else { Ok(()) }
    }

    fn has_parent(&self, path: &Path) -> bool {
        path.parent().is_some_and(|parent| self.names.contains_key(parent))
    }
}

impl Model {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap()
    }

    pub(super) fn ops(&self) -> u64 {
        self.disk().ops
    }

    pub(crate) fn calls(&self, op: Op) -> u64 {
        self.disk().calls.get(&op).copied().unwrap_or(0)
    }

    pub(super) fn torn(&self) -> u64 {
        self.disk().torn
    }

    pub(super) fn used(&self) -> u64 {
        self.disk().used()
    }

    pub(super) fn lie(&self) {
        self.disk().lies = true;
    }

    pub(super) fn fail_locks(&self) {
        self.disk().locks_fail = true;
    }

    pub(crate) fn off_after(&self, ops: u64) {
        let mut disk = self.disk();
        disk.off_after = Some(disk.ops + ops);
    }

    pub(crate) fn fault(&self, op: Op, kind: Option<io::ErrorKind>) {
        match kind {
            Some(kind) => self.disk().faults.insert(op, kind),
            None => self.disk().faults.remove(&op),
        };
    }

    pub(super) fn capacity(&self, free: Option<u64>) {
        let mut disk = self.disk();
        disk.capacity = free.map(|free| disk.used() + free);
    }

    /// Whether a file was synced after a sync of it had failed.
    pub(super) fn trusted_a_failed_file(&self) -> bool {
        self.disk().files.values().any(|file| file.synced_after_failure)
    }

    /// What files are stamped with from now on.
    pub(super) fn stamp(&self, unix_ms: u64) {
        self.disk().modified_ms = unix_ms;
    }

    /// The power goes and comes back. `choose` says of each sector and each name whether it made it to the platter.
    pub(crate) fn crash(&self, mut choose: impl FnMut() -> bool) {
        let mut disk = self.disk();
        let names: BTreeSet<PathBuf> = disk.names.keys().chain(disk.durable_names.keys()).cloned().collect();
        for path in names {
            let (now, then) = (disk.names.get(&path).copied(), disk.durable_names.get(&path).copied());
            let kept = if now == then || choose() { now } else { then };
            match kept {
                Some(inode) => disk.durable_names.insert(path, inode),
                None => disk.durable_names.remove(&path),
            };
        }
        let mut torn = 0;
        for file in disk.files.values_mut() {
            let (mut bytes, dirty) = (file.durable.clone(), std::mem::take(&mut file.dirty));
            let made: Vec<usize> = dirty.iter().copied().filter(|_| choose()).collect();
            torn += u64::from(!made.is_empty() && made.len() < dirty.len());
            for sector in made {
                let from = sector * SECTOR;
                let to = (from + SECTOR).min(file.bytes.len());
                if from < to {
                    bytes.resize(bytes.len().max(to), 0);
                    bytes[from..to].copy_from_slice(&file.bytes[from..to]);
                }
            }
            file.bytes.clone_from(&bytes);
            file.durable = bytes;
            file.locked = None;
        }
        disk.torn += torn;
        disk.names = disk.durable_names.clone();
        let names = disk.names.clone();
        disk.names.retain(|path, _| {
            path.ancestors().skip(1).all(|dir| dir == Path::new("/") || names.contains_key(dir))
        });
        disk.durable_names = disk.names.clone();
        disk.off_after = None;
    }

    pub(super) fn bytes(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let disk = self.disk();
        disk.names.get(path.as_ref()).map(|inode| disk.files[inode].bytes.clone())
    }

    pub(super) fn change(&self, path: impl AsRef<Path>, change: impl FnOnce(&mut Vec<u8>)) {
        let mut disk = self.disk();
        let inode = disk.names[path.as_ref()];
        change(&mut disk.files.get_mut(&inode).unwrap().bytes);
    }

    pub(super) fn remove_all(&self, dir: impl AsRef<Path>) {
        self.disk().names.retain(|path, _| !path.starts_with(dir.as_ref()));
    }

    /// Every path on it.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.disk().names.keys().cloned().collect()
    }
}

impl Model {
    fn handle(&self, inode: u64) -> Handle {
        let mut disk = self.disk();
        disk.next += 1;
        let handle = disk.next;
        disk.open.insert(handle, inode);
        Handle { inode, handle, disk: self.clone() }
    }

    /// Every operation waits until this is dropped.
    pub(crate) fn hang(&self) -> impl Sized + '_ {
        self.disk()
    }

    /// From now on nothing can be opened, or again everything.
    pub(crate) fn no_descriptors(&self, none: bool) {
        self.disk().descriptors = none.then_some(0);
    }

    /// So many files may be open beside those that are.
    pub(super) fn descriptors(&self, more: Option<usize>) {
        let mut disk = self.disk();
        disk.descriptors = more.map(|more| disk.open.len() + more);
    }
}

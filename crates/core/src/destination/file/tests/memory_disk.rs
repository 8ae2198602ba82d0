//! The disk, its clock, and what can go wrong with it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::super::disk::Stat;
use super::super::{Appender, Attic, Disk, Keep, Rotation};
use super::PATH;

/// Clones are the same disk.
#[derive(Debug, Clone)]
pub(super) struct MemoryDisk(Arc<Mutex<State>>);

#[derive(Debug)]
pub(super) struct State {
    pub(super) now: u64,
    /// Names to numbers of files.
    pub(super) names: BTreeMap<PathBuf, u64>,
    files: BTreeMap<u64, Contents>,
    next: u64,
    pub(super) capacity: usize,
    pub(super) locks_work: bool,
    pub(super) may_rename: bool,
}

#[derive(Debug, Default, Clone)]
struct Contents {
    bytes: Vec<u8>,
    modified: u64,
    /// Who holds the lock: an open file.
    locked: Option<u64>,
}

/// An open file: the file's number, and one of its own.
pub(super) struct Handle {
    file: u64,
    handle: u64,
    disk: MemoryDisk,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.disk.unlock(self);
    }
}

impl MemoryDisk {
    pub(super) fn new(now: u64) -> Self {
        let (names, files) = (BTreeMap::new(), BTreeMap::new());
        let state =
            State { now, names, files, next: 1, capacity: usize::MAX, locks_work: true, may_rename: true };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.state().now += seconds;
    }

    pub(super) fn appender(&self, rotation: Rotation) -> Appender<Self> {
        Appender::new(self.clone(), PATH.into(), rotation, Arc::default())
    }

    /// Names without their directory, and what is in the files.
    pub(super) fn files(&self) -> Vec<(String, String)> {
        let state = self.state();
        let text = |n: &u64| String::from_utf8(state.files[n].bytes.clone()).unwrap();
        state.names.iter().map(|(p, n)| (p.file_name().unwrap().to_str().unwrap().into(), text(n))).collect()
    }

    pub(super) fn tidy(&self, files: usize, age: Option<Duration>, gzip: bool) {
        Attic { disk: self.clone(), path: PATH.into(), keep: Keep { files, age }, gzip }.tidy().unwrap();
    }
}

impl State {
    pub(super) fn open(&mut self, path: &Path) -> u64 {
        let (fresh, now) = (self.next, self.now);
        let number = *self.names.entry(path.to_owned()).or_insert(fresh);
        self.next += 1;
        self.files.entry(number).or_insert(Contents { modified: now, ..Contents::default() });
        number
    }

    fn stat(&self, number: u64) -> Stat {
        let file = &self.files[&number];
        Stat {
            len: file.bytes.len() as u64,
            modified: file.modified,
            id: (1, number),
            regular: true,
            pipe: false,
        }
    }
}

impl Disk for MemoryDisk {
    type File = Handle;

    fn now(&self) -> u64 {
        self.state().now
    }

    fn open(&self, path: &Path) -> io::Result<Handle> {
        let mut state = self.state();
        let file = state.open(path);
        state.next += 1;
        Ok(Handle { file, handle: state.next, disk: self.clone() })
    }

    fn lock(&self, file: &Handle) -> io::Result<bool> {
        let mut state = self.state();
        if !state.locks_work {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let locked = &mut state.files.get_mut(&file.file).unwrap().locked;
        Ok(*locked.get_or_insert(file.handle) == file.handle)
    }

    fn unlock(&self, file: &Handle) {
        if let Some(contents) = self.state().files.get_mut(&file.file) {
            contents.locked.take_if(|holder| *holder == file.handle);
        }
    }

    fn stat(&self, file: &Handle) -> io::Result<Stat> {
        Ok(self.state().stat(file.file))
    }

    fn stat_path(&self, path: &Path) -> io::Result<Option<Stat>> {
        let state = self.state();
        Ok(state.names.get(path).map(|number| state.stat(*number)))
    }

    fn append(&self, file: &mut Handle, bytes: &[u8]) -> (usize, io::Result<()>) {
        let mut state = self.state();
        let used: usize = state.files.values().map(|file| file.bytes.len()).sum();
        let (now, fits) = (state.now, bytes.len().min(state.capacity - used.min(state.capacity)));
        let contents = state.files.get_mut(&file.file).unwrap();
        contents.bytes.extend_from_slice(&bytes[..fits]);
        contents.modified = now;
        (fits, if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) })
    }

    fn truncate(&self, file: &Handle, len: u64) -> io::Result<()> {
        self.state().files.get_mut(&file.file).unwrap().bytes.truncate(len as usize);
        Ok(())
    }

    fn is_torn(&self, path: &Path) -> bool {
        let state = self.state();
        state.names.get(path).is_some_and(|number| !state.files[number].bytes.ends_with(b"\n"))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.may_rename {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let number = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        let is_packed = from.extension().is_some_and(|extension| extension == "tmp");
        assert!(state.files[&number].locked.is_some() || !is_packed, "another process may write over it");
        assert!(state.names.insert(to.to_owned(), number).is_none(), "{} is overwritten", to.display());
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.state().names.remove(path).map(drop).ok_or(io::ErrorKind::NotFound.into())
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        Ok(self.files().into_iter().map(|(name, _)| name).collect())
    }

    fn compress(&self, from: &Path, to: &Path) -> io::Result<Option<Handle>> {
        let packed = {
            let state = self.state();
            let number = state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
            [b"gz:", state.files[number].bytes.as_slice()].concat()
        };
        let handle = self.open(to)?;
        if !self.lock(&handle)? {
            return Ok(None);
        }
        self.state().files.get_mut(&handle.file).unwrap().bytes = packed;
        Ok(Some(handle))
    }
}

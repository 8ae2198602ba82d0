//! Where there are no Unix permissions there is no spool: nothing could say who may read it.

use std::io;
use std::path::Path;

use super::{Fs, Space, Stat};

/// Refuses everything. A configuration that asks for a spool is complained about before it comes to this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RealFs;

fn no<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Fs for RealFs {
    type File = ();

    fn user(&self) -> u32 {
        0
    }

    fn make_dir(&self, _: &Path) -> io::Result<()> {
        no()
    }

    fn create(&self, _: &Path) -> io::Result<()> {
        no()
    }

    fn open_lock(&self, _: &Path) -> io::Result<()> {
        no()
    }

    fn open(&self, _: &Path) -> io::Result<()> {
        no()
    }

    fn lock(&self, (): &()) -> io::Result<bool> {
        no()
    }

    fn read_at(&self, (): &(), _: u64, _: &mut [u8]) -> io::Result<usize> {
        no()
    }

    fn write_at(&self, (): &(), _: u64, _: &[u8]) -> io::Result<usize> {
        no()
    }

    fn truncate(&self, (): &(), _: u64) -> io::Result<()> {
        no()
    }

    fn sync(&self, (): &()) -> io::Result<()> {
        no()
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        no()
    }

    fn stat(&self, (): &()) -> io::Result<Stat> {
        no()
    }

    fn stat_path(&self, _: &Path) -> io::Result<Option<Stat>> {
        no()
    }

    fn rename(&self, _: &Path, _: &Path) -> io::Result<()> {
        no()
    }

    fn remove(&self, _: &Path) -> io::Result<()> {
        no()
    }

    fn remove_dir(&self, _: &Path) -> io::Result<()> {
        no()
    }

    fn list(&self, _: &Path) -> io::Result<Vec<String>> {
        no()
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        no()
    }
}

//! The disk in memory as a file system.

use std::io;
use std::path::{Path, PathBuf};

use super::{Handle, Inode, Model, Op, SECTOR, US};
use crate::spool::fs::Kind;
use crate::spool::{Fs, Space, Stat};

impl Fs for Model {
    type File = Handle;

    fn user(&self) -> u32 {
        US
    }

    fn make_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.op(Op::MakeDir)?;
        let mut missing: Vec<&Path> =
            path.ancestors().filter(|dir| *dir != Path::new("/") && !disk.names.contains_key(*dir)).collect();
        missing.reverse();
        for dir in missing {
            disk.inode(dir, true);
        }
        Ok(())
    }

    fn create(&self, path: &Path) -> io::Result<Handle> {
        let mut disk = self.disk();
        disk.op(Op::Create)?;
        disk.spare_descriptor()?;
        if disk.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if !disk.has_parent(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inode = disk.inode(path, false);
        drop(disk);
        Ok(self.handle(inode))
    }

    fn open_lock(&self, path: &Path) -> io::Result<Handle> {
        if self.disk().names.contains_key(path) { self.open(path) } else { self.create(path) }
    }

    fn open(&self, path: &Path) -> io::Result<Handle> {
        let mut disk = self.disk();
        disk.op(Op::Open)?;
        disk.spare_descriptor()?;
        let inode = *disk.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        drop(disk);
        Ok(self.handle(inode))
    }

    fn lock(&self, file: &Handle) -> io::Result<bool> {
        let mut disk = self.disk();
        disk.op(Op::Lock)?;
        let works = !disk.locks_fail;
        let inode = disk.files.get_mut(&file.inode).unwrap();
        let free = inode.locked.is_none_or(|holder| holder == file.handle) || !works;
        if free {
            inode.locked = Some(file.handle);
        }
        Ok(free)
    }

    fn read_at(&self, file: &Handle, at: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut disk = self.disk();
        disk.op(Op::Read)?;
        let bytes = disk.files[&file.inode].bytes.get(at as usize..).unwrap_or_default();
        let read = bytes.len().min(out.len());
        out[..read].copy_from_slice(&bytes[..read]);
        Ok(read)
    }

    fn write_at(&self, file: &Handle, at: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.disk();
        disk.op(Op::Write)?;
        let room = disk.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(disk.used()));
        let inode = disk.files.get_mut(&file.inode).unwrap();
        let at = at as usize;
        // A full disk takes what fits, and says so at the next write.
        let grows = (at + bytes.len()).saturating_sub(inode.bytes.len()) as u64;
        let written = bytes.len() - grows.saturating_sub(room) as usize;
        if written == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        inode.bytes.resize(inode.bytes.len().max(at + written), 0);
        inode.bytes[at..at + written].copy_from_slice(&bytes[..written]);
        inode.dirty.extend(at / SECTOR..=(at + written - 1) / SECTOR);
        Ok(written)
    }

    fn truncate(&self, file: &Handle, len: u64) -> io::Result<()> {
        let mut disk = self.disk();
        disk.op(Op::Truncate)?;
        let inode = disk.files.get_mut(&file.inode).unwrap();
        inode.bytes.truncate(len as usize);
        Ok(())
    }

    fn sync(&self, file: &Handle) -> io::Result<()> {
        let mut disk = self.disk();
        let result = disk.op(Op::Sync);
        let lies = disk.lies;
        let inode = disk.files.get_mut(&file.inode).unwrap();
        inode.synced_after_failure |= inode.sync_failed;
        if let Err(error) = result {
            inode.sync_failed = true;
            // As systems do: what could not be written counts as written.
            inode.dirty.clear();
            return Err(error);
        }
        if !lies {
            inode.durable = inode.bytes.clone();
            inode.dirty.clear();
        }
        Ok(())
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.op(Op::SyncDir)?;
        if disk.lies {
            return Ok(());
        }
        let inside = |name: &PathBuf| name.parent() == Some(path);
        disk.durable_names.retain(|name, _| !inside(name));
        let names: Vec<_> =
            disk.names.iter().filter(|(name, _)| inside(name)).map(|(n, i)| (n.clone(), *i)).collect();
        disk.durable_names.extend(names);
        // Whoever made the directory above saw to it that it stays.
        let above: Vec<_> =
            path.ancestors().filter_map(|dir| Some((dir.to_owned(), *disk.names.get(dir)?))).collect();
        disk.durable_names.extend(above);
        Ok(())
    }

    fn stat(&self, file: &Handle) -> io::Result<Stat> {
        let disk = self.disk();
        let links = disk.names.values().filter(|inode| **inode == file.inode).count();
        Ok(stat(&disk.files[&file.inode], file.inode, links as u64))
    }

    fn stat_path(&self, path: &Path) -> io::Result<Option<Stat>> {
        let disk = self.disk();
        Ok(disk.names.get(path).map(|inode| stat(&disk.files[inode], *inode, 1)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.op(Op::Rename)?;
        let inode = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), inode);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.op(Op::Remove)?;
        disk.names.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.disk();
        disk.op(Op::Remove)?;
        if disk.names.keys().any(|name| name.parent() == Some(path)) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        disk.names.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        let disk = self.disk();
        if !disk.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = disk.names.keys().filter(|name| name.parent() == Some(path));
        Ok(inside.map(|name| name.file_name().unwrap().to_str().unwrap().to_owned()).collect())
    }

    fn space(&self, _: &Path) -> io::Result<Space> {
        let disk = self.disk();
        let total = disk.capacity.unwrap_or(1 << 40);
        Ok(Space { free: total.saturating_sub(disk.used()), total })
    }
}

fn stat(inode: &Inode, id: u64, links: u64) -> Stat {
    Stat {
        kind: if inode.dir { Kind::Directory } else { Kind::File },
        len: inode.bytes.len() as u64,
        modified_ms: inode.modified_ms,
        mode: inode.mode,
        user: US,
        links,
        id: (1, id),
    }
}

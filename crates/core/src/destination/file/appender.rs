//! Writing to a file that others write to, move and fill as well.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hoplog_entry::Diagnostics;

use super::archive::{Archive, State};
use super::disk::{Disk, Stat};
use super::rotation::Rotation;

/// How often the file at the path may change under our hands until that is an error. Where many processes rotate with
/// every write, each may lose the race for the next file many times over.
const ATTEMPTS: usize = 1_000;
/// Archives of the same second.
const NAMES: usize = 1_000;

/// A file that is appended to.
pub(crate) struct Appender<D: Disk> {
    disk: D,
    rotation: Rotation,
    /// Where the file was asked for.
    shared: PathBuf,
    /// Where this process writes: there, or beside it where it gets no lock.
    path: PathBuf,
    file: Option<D::File>,
    /// Where our last line in it ends; 0 where that is not known.
    end: u64,
    diagnostics: Arc<Diagnostics>,
}

/// What a write did.
#[derive(Debug)]
pub(crate) struct Written {
    /// Lines that are in the file.
    pub(crate) lines: u64,
    /// A file was rotated.
    pub(crate) rotated: bool,
    /// Why the other lines are not in the file.
    pub(crate) error: Option<io::Error>,
}

impl<D: Disk> Appender<D> {
    pub(crate) fn new(disk: D, path: PathBuf, rotation: Rotation, diagnostics: Arc<Diagnostics>) -> Self {
        Self { disk, rotation, shared: path.clone(), path, file: None, end: 0, diagnostics }
    }

    /// Where this process writes.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole lines, to as many files as their size asks for. A line that is only half written when the disk is
    /// full is taken back.
    pub(crate) fn write(&mut self, lines: &[u8]) -> Written {
        let mut written = Written { lines: 0, rotated: false, error: None };
        let locked = self.append(lines, &mut written);
        self.release(locked.unwrap_or_else(|error| {
            written.error = Some(error);
            true
        }));
        written
    }

    /// Rotates the file if its hour or day is over, though nothing is to be written.
    pub(crate) fn turn(&mut self) -> io::Result<bool> {
        let (locked, stat) = self.acquire()?;
        let due = stat.regular && self.rotation.is_over(stat.len, stat.modified, self.disk.now());
        let turned = due && self.archive(&stat).is_ok();
        self.release(locked);
        Ok(turned)
    }

    /// Lets go of the file. The next write opens what is at the path then.
    pub(crate) fn reopen(&mut self) {
        self.file = None;
        self.path.clone_from(&self.shared);
    }

    /// Opens the file, to see whether that can be done. A pipe is not tried: that would wait for a reader.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.disk.stat_path(&self.path)? {
            Some(there) if there.pipe => Ok(()),
            _ => self.disk.open(&self.path).map(drop),
        }
    }

    /// Returns whether the file is locked.
    fn append(&mut self, lines: &[u8], written: &mut Written) -> io::Result<bool> {
        let (mut locked, mut stat) = self.acquire()?;
        let (mut rest, mut may_rotate) = (lines, stat.regular);
        while !rest.is_empty() {
            let over = self.rotation.is_over(stat.len, stat.modified, self.disk.now());
            let fits = if may_rotate { self.rotation.fitting(stat.len, rest) } else { rest.len() };
            if may_rotate && (over || fits == 0) {
                match self.archive(&stat) {
                    Ok(()) => written.rotated = true,
                    // An entry in a file that is too long is better than none.
                    Err(error) => {
                        let path = self.path.display();
                        self.diagnostics.warn("rotate", || format!("{path} cannot be rotated: {error}"));
                        may_rotate = false;
                        continue;
                    }
                }
                (locked, stat) = self.acquire()?;
                continue;
            }
            let (now, later) = rest.split_at(fits);
            let file = self.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
            let (bytes, result) = self.disk.append(file, now);
            let whole = now[..bytes].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
            written.lines += count_lines(&now[..whole]);
            if let Err(error) = result {
                if whole < bytes && stat.regular {
                    let _ = self.disk.truncate(file, stat.len + whole as u64);
                }
                self.end = 0;
                return Err(error);
            }
            stat.len += bytes as u64;
            self.end = stat.len;
            stat.modified = self.disk.now();
            rest = later;
        }
        Ok(locked)
    }

    /// The file that is at the path, locked where it can be: a process that gets no lock writes to a file of its own.
    fn acquire(&mut self) -> io::Result<(bool, Stat)> {
        for _ in 0..ATTEMPTS {
            let mut file = match self.file.take() {
                Some(file) => file,
                None => {
                    self.end = 0;
                    self.disk.open(&self.path)?
                }
            };
            let stat = self.disk.stat(&file)?;
            if !stat.regular {
                self.file = Some(file);
                return Ok((false, stat));
            }
            let locked = self.disk.lock(&file).unwrap_or(false);
            if !locked && self.path == self.shared {
                self.path = beside(&self.shared, std::process::id());
                let (path, own) = (self.shared.display(), self.path.display());
                self.diagnostics
                    .warn("lock", || format!("{path} cannot be locked; this process writes to {own}"));
                continue;
            }
            // Rotated by another process, or moved by a tool, since it was opened.
            if self.disk.stat_path(&self.path)?.is_some_and(|there| there.id == stat.id) {
                // Others may have written while the lock was waited for.
                let mut stat = self.disk.stat(&file)?;
                self.mend(&mut file, &mut stat)?;
                self.file = Some(file);
                return Ok((locked, stat));
            }
        }
        Err(io::Error::other("the file at the path keeps changing"))
    }

    /// Ends the line in which another process, or an earlier run, was cut off, so that ours does not go on with it.
    fn mend(&self, file: &mut D::File, stat: &mut Stat) -> io::Result<()> {
        if stat.len > 0 && stat.len != self.end && self.disk.is_torn(&self.path) {
            let (bytes, result) = self.disk.append(file, b"\n");
            stat.len += bytes as u64;
            return result;
        }
        Ok(())
    }

    fn release(&self, locked: bool) {
        if let Some(file) = self.file.as_ref().filter(|_| locked) {
            self.disk.unlock(file);
        }
    }

    /// Moves the file, whose lock is held, to a name of its own.
    fn archive(&mut self, stat: &Stat) -> io::Result<()> {
        let base = self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let at = |archive: Archive, state| self.path.with_file_name(archive.name(&base, state));
        let mut archive = Archive::new(stat.modified);
        for _ in 0..NAMES {
            let taken = [State::Plain, State::Gzip].map(|state| self.disk.stat_path(&at(archive, state)));
            if let [Ok(None), Ok(None)] = taken {
                self.disk.rename(&self.path, &at(archive, State::Plain))?;
                self.file = None;
                return Ok(());
            }
            archive = archive.next();
        }
        Err(io::Error::other("too many archives of the same second"))
    }
}

/// The file of one process, where all of them cannot share one.
fn beside(shared: &Path, pid: u32) -> PathBuf {
    let mut name = shared.file_name().unwrap_or_default().to_owned();
    name.push(format!(".p{pid}"));
    shared.with_file_name(name)
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

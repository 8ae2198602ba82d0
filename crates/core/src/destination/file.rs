//! Files: appended to by any number of processes, rotated, pruned, compressed.
//!
//! ```text
//! lines ─► lock ─► is the path still this file? ─► is it due? ── rename, open anew ──┐
//!                       └ no: open anew             └ no ─► append ─► unlock         └► archives: prune, gzip
//! ```
//!
//! Nothing is remembered between writes but the open file: whether it is due follows from its length and the time of its
//! last write, which all processes see alike. What decides is pure ([`Rotation`], [`archive`]); disk and clock come in
//! through [`Disk`].

mod appender;
mod archive;
mod attic;
mod disk;
mod rotation;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use appender::{Appender, Written};
pub(crate) use attic::Attic;
pub(crate) use disk::{Disk, RealDisk, write_whole};
pub(crate) use rotation::{Every, Rotation, Zone};

/// Where a file is, when it is rotated, and what becomes of its archives.
#[derive(Debug, Clone)]
pub(crate) struct FilePlan {
    pub(crate) path: PathBuf,
    pub(crate) rotation: Rotation,
    pub(crate) keep: Keep,
    pub(crate) gzip: bool,
    pub(crate) disk: RealDisk,
}

/// Which archives stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keep {
    pub(crate) files: usize,
    pub(crate) age: Option<Duration>,
}

#[cfg(test)]
mod tests;

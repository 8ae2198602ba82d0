//! The stores of several projects: the default one in the data directory itself, each other one in
//! `projects/<number>` below it.

use super::{Options, SqliteStore};
use crate::config::Config;
use crate::error::StartError;
use crate::metrics::single;
use crate::store::Store;
use crate::store::projects::{Project, Stores};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Each has a thread that writes and files of its own.
const MOST: usize = 64;

/// Opens a directory per project.
pub(crate) struct SqliteProjects(Options);

impl SqliteProjects {
    pub(crate) fn new(directory: PathBuf, config: &Config) -> Self {
        Self(Options::new(directory, config))
    }

    fn parent(&self) -> PathBuf {
        self.0.directory.join("projects")
    }
}

impl Stores for SqliteProjects {
    fn open(&self, project: Project) -> Result<Arc<dyn Store>, StartError> {
        let mut options = self.0.clone();
        if project != Project::DEFAULT {
            options.directory = self.parent().join(project.to_string());
        }
        Ok(Arc::new(SqliteStore::open(options)?))
    }

    fn kept(&self) -> Vec<Project> {
        let names =
            fs::read_dir(self.parent()).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let numbers =
            names.filter_map(|name| name.to_str()?.parse().ok().filter(|n: &u32| *name == *n.to_string()));
        numbers.filter(|number| *number != Project::DEFAULT.0).map(Project).collect()
    }

    fn most(&self) -> usize {
        MOST
    }

    fn metrics(&self) -> String {
        let projects = fs::read_dir(self.parent()).into_iter().flatten().flatten().map(|entry| entry.path());
        let bytes = projects.chain([self.0.directory.clone()]).map(|directory| bytes_in(&directory)).sum();
        let mut out = String::new();
        single(&mut out, "hoplog_store_bytes", "Bytes of files with entries.", "gauge", bytes);
        out
    }
}

/// Of the files in a directory, not of those below.
fn bytes_in(directory: &Path) -> u64 {
    let files =
        fs::read_dir(directory).into_iter().flatten().flatten().filter_map(|entry| entry.metadata().ok());
    files.filter(fs::Metadata::is_file).map(|file| file.len()).sum()
}

//! New configuration for a client that runs.

use std::path::PathBuf;

use super::Client;
use crate::config::{Reloaded, Reloader};
use crate::error::Error;
use crate::sync::lock;

impl Client {
    /// A client configured by a TOML file, and by the environment, which goes before it; see
    /// [`ClientBuilder::config_file`](crate::ClientBuilder::config_file) for what it may say. Feature `toml`.
    ///
    /// # Errors
    /// Every complaint about the file, with its line, and about the variables at once; or the worker could not be
    /// started.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        Self::builder().config_file(path).build()
    }

    /// Reads the file again, and the variables. Feature `toml`.
    ///
    /// Changes while the client runs: which destinations there are, how each is configured, its level, kinds and targets,
    /// and the levels of the logger. A destination that is different from before ends, and the new one follows it under
    /// the same name, with the same counts; what the old one has not delivered within 5 s is dropped and counted. One that
    /// is as it was is left alone; where only its level, kinds or targets are others, they also judge what it has not
    /// written yet. Give names to those that you mean to change. Everything else acts at the start only,
    /// the collector's endpoint and key included: the report says what of it has changed.
    ///
    /// Reads a small file: call it from a signal handler's task, not from a request.
    ///
    /// # Errors
    /// The client was not built with a file; every complaint about the file and the variables, and nothing is changed; the
    /// client is closed.
    pub async fn reload(&self) -> Result<Reloaded, Error> {
        let Some(inner) = &self.inner else { return Ok(Reloaded::default()) };
        let (report, done) = {
            let mut reloader = lock(&inner.reloader);
            let changes = reloader.as_mut().ok_or_else(Error::closed)?.changes()?;
            let done = inner.worker.change(changes.destinations).ok_or_else(Error::closed)?;
            inner.pipeline.levels.replace(changes.levels);
            (changes.report, done)
        };
        let _ = done.await;
        Ok(report)
    }

    /// Nothing is begun any more: destinations of the application's own go now, not with the last handle.
    pub(super) fn forget_configuration(&self) {
        let reloader = self.inner.as_ref().and_then(|inner| lock(&inner.reloader).take());
        drop(reloader);
    }

    pub(crate) fn reload_by(&self, reloader: Reloader) {
        if let Some(inner) = &self.inner {
            *lock(&inner.reloader) = Some(reloader);
        }
    }
}

//! A store without a collector around it, for whoever runs one: figures, a check, export, deletion.

use crate::config::Config;
use crate::error::StartError;
use crate::query::offline::{Filters, lines};
use crate::store::Store;
use crate::store::deletion::Deletion;
use crate::store::open::Address;
use crate::store::projects::{Project, Projects};
use crate::store::search::Search;
use crate::store::sqlite::check::check;
use crate::time::{Day, SECOND};
use std::fmt;
use std::io;
use std::sync::Arc;

/// The store of one project. SQLite's files are one process's: while a collector runs on them, all but
/// [`check`](Self::check) is refused.
pub struct OfflineStore {
    config: Config,
    project: Project,
}

impl fmt::Debug for OfflineStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfflineStore").field("project", &self.project).finish_non_exhaustive()
    }
}

fn failed(error: impl fmt::Display) -> StartError {
    StartError::new(error.to_string())
}

impl OfflineStore {
    /// The store that a collector of this configuration keeps for a project.
    ///
    /// # Errors
    /// There is no such project, or the store is of an unknown kind.
    pub async fn of(config: Config, project: &str) -> Result<Self, StartError> {
        // Whoever only looks does not delete what is old.
        let config = config.retention_days(u32::MAX).retention_bytes(u64::MAX);
        if project == "default" {
            return Ok(Self { config, project: Project::DEFAULT });
        }
        let book = Address::of(&config)?.keys()?.news().await.map_err(failed)?;
        let named = book.and_then(|book| book.projects.into_iter().find(|named| named.name == project));
        let unknown = || {
            StartError::new(format!(
                "there is no project `{project}`: hoplog keys list shows those there are"
            ))
        };
        Ok(Self { project: named.ok_or_else(unknown)?.project, config })
    }

    async fn open(&self) -> Result<(Projects, Arc<dyn Store>), StartError> {
        let stores = Address::of(&self.config)?.open(&self.config).await?;
        let projects = Projects::only(stores);
        let store = projects.store(self.project).await.map_err(failed)?;
        Ok((projects, store))
    }

    /// Totals and services, as JSON.
    ///
    /// # Errors
    /// The store cannot be opened or read.
    pub async fn stats(&self) -> Result<String, StartError> {
        let (projects, store) = self.open().await?;
        let totals =
            store.totals(self.config.clock.now().saturating_sub(3_600 * SECOND)).await.map_err(failed)?;
        let services = store.services().await.map_err(failed)?;
        projects.close().await;
        serde_json::to_string(&serde_json::json!({ "totals": totals, "services": services })).map_err(failed)
    }

    /// What is wrong with each part: of SQLite each of the project's files, oldest first; of PostgreSQL the server, the
    /// layout, the days to come, the keys, and each day of all projects. Reads all of it and changes nothing, also
    /// beside a collector.
    ///
    /// # Errors
    /// The directory cannot be read, or the database cannot be reached.
    pub async fn check(&self) -> Result<Vec<(String, Vec<String>)>, StartError> {
        let mut directory = match Address::of(&self.config)? {
            Address::Sqlite(directory) => directory,
            Address::Postgres(url) => {
                return crate::store::postgres::check::check(&url, Day::of(self.config.clock.now()), true)
                    .await;
            }
        };
        if self.project != Project::DEFAULT {
            directory = directory.join("projects").join(self.project.to_string());
        }
        check(&directory).map_err(|e| {
            StartError::new(format!("cannot read {}: {e}: pass --data-dir", directory.display()))
        })
    }

    /// Gives every entry that meets the filters to `take`, a line of JSON each, newest first; how many there were.
    ///
    /// # Errors
    /// A filter cannot be read, the store cannot be opened or read, or `take` failed.
    pub async fn export(
        &self,
        filters: Vec<(String, String)>,
        mut take: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<u64, StartError> {
        let filter = Filters::export(filters, self.config.clock.now()).map_err(StartError::new)?;
        let (projects, store) = self.open().await?;
        let (mut after, mut count) = (None, 0);
        loop {
            let search = Search { filter: filter.clone(), limit: 500, after };
            let page = store.search(search).await.map_err(failed)?;
            let text = lines(&page.json);
            count += text.lines().fold(0, |n: u64, _| n + 1);
            take(&text).map_err(failed)?;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        projects.close().await;
        Ok(count)
    }

    /// Takes the entries that meet the filters out for good, or counts them.
    ///
    /// # Errors
    /// There is no filter, or it cannot be read; the store cannot be opened or written to.
    pub async fn delete(&self, filters: Vec<(String, String)>, dry_run: bool) -> Result<u64, StartError> {
        let filter = Filters::delete(filters, self.config.clock.now()).map_err(StartError::new)?;
        let (projects, store) = self.open().await?;
        let deleted = store.delete(Deletion { filter, dry_run }).await.map_err(failed)?;
        projects.close().await;
        Ok(deleted.entries)
    }
}

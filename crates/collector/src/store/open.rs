//! Which store an address means.

use super::postgres::{PostgresKeys, PostgresProjects};
use super::projects::Stores;
use super::sqlite::SqliteProjects;
use crate::config::Config;
use crate::error::StartError;
use crate::keys::KeyStore;
use crate::keys::sqlite::SqliteKeys;
use std::path::PathBuf;
use std::sync::Arc;

/// Where entries are kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// Files in this directory.
    Sqlite(PathBuf),
    /// A database of PostgreSQL.
    Postgres(String),
}

impl Address {
    /// What `--store` says, or else the data directory.
    pub(crate) fn of(config: &Config) -> Result<Self, StartError> {
        let Some(store) = config.store.as_deref() else { return Ok(Self::Sqlite(config.data_dir.clone())) };
        if let Some(path) = store.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            return Ok(Self::Sqlite(path.into()));
        }
        if store.starts_with("postgres://") || store.starts_with("postgresql://") {
            return Ok(Self::Postgres(store.to_owned()));
        }
        // An address may hold a password: what is not understood is not repeated beyond its kind.
        let kind = store.split(['/', ':']).next().unwrap_or_default();
        Err(StartError::new(format!(
            "unknown store `{kind}`: pass --store sqlite:PATH or --store postgres://USER@HOST/DATABASE"
        )))
    }

    /// Where the keys to it are. Nothing is opened yet.
    pub(crate) fn keys(&self) -> Result<Arc<dyn KeyStore>, StartError> {
        Ok(match self {
            Self::Sqlite(directory) => Arc::new(SqliteKeys::new(directory.clone())),
            Self::Postgres(url) => Arc::new(PostgresKeys::new(url)?),
        })
    }

    /// Opens what is there.
    pub(crate) async fn open(self, config: &Config) -> Result<Arc<dyn Stores>, StartError> {
        Ok(match self {
            Self::Sqlite(directory) => Arc::new(SqliteProjects::new(directory, config)),
            Self::Postgres(url) => Arc::new(PostgresProjects::open(&url, config).await?),
        })
    }
}

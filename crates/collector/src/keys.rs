//! Keys and projects: who may do what, and with whose entries.
//!
//! ```text
//! hoplog keys … ─► Keys ─► KeyStore (keys.db, or tables in PostgreSQL) ─► Book ─► Keyring ◄─ guard, per request
//!                                          looked at every second ──────────────┘
//! ```
//!
//! - A secret is shown once and kept nowhere: what is stored is SHA-256 of a pepper, which lies elsewhere, and the
//!   secret. A slow hash would guard nothing, since a secret has 256 random bits, and would be a lever for whoever
//!   wants the collector busy.
//! - The keyring holds all keys in memory: a request is judged without asking anybody, and a key that was revoked ends
//!   within [`LOOK`].
//! - A key that is not known costs the same comparison as one that is.
//! - The store knows a print of the pepper: a collector that has another one says so, in place of refusing every key.

use crate::http::access::Scopes;
use crate::store::projects::Project;
use crate::store::{Reply, StoreError};
use crate::time::Day;
use ipnet::IpNet;
use std::time::Duration;

pub(crate) mod admin;
pub(crate) mod mint;
pub(crate) mod ring;
pub(crate) mod sqlite;
#[cfg(test)]
mod tests;

/// How often it is looked whether a key was made, changed or revoked.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// The most keys that are kept, revoked ones included.
pub(crate) const MOST_KEYS: i64 = 10_000;

/// SHA-256 of the pepper and a secret.
pub(crate) type Hash = [u8; 32];

/// A key as it is kept. Times in microseconds since the Unix epoch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Key {
    /// Public. Of a `hl_` key its key id, of the logs-sdk family the whole `X-API-Key`.
    pub(crate) id: String,
    pub(crate) project: Project,
    /// For people.
    pub(crate) label: String,
    pub(crate) hash: Hash,
    pub(crate) scopes: Scopes,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
    /// Where it may be used from; anywhere if there are none.
    pub(crate) networks: Vec<IpNet>,
    /// To within a minute.
    pub(crate) last_used: Option<i64>,
    /// What it may ask for per second; `None` is what the configuration says.
    pub(crate) requests_per_second: Option<u32>,
    /// Bytes of entries, inflated, that it may send per second.
    pub(crate) bytes_per_second: Option<u64>,
}

impl Key {
    /// Whether it opens anything.
    pub(crate) fn is_live(&self, now: i64) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// A project and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) project: Project,
    pub(crate) name: String,
    /// Bytes of entries, inflated, per UTC day; `None` is what the configuration says.
    pub(crate) bytes_per_day: Option<u64>,
}

/// All that there is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Book {
    pub(crate) keys: Vec<Key>,
    pub(crate) projects: Vec<Named>,
    /// The print of the pepper that the keys were hashed with.
    pub(crate) pepper: Option<Hash>,
}

/// Keeps keys and projects.
pub(crate) trait KeyStore: Send + Sync + 'static {
    /// Everything, if something changed since the last time that this was asked.
    fn news(&self) -> Reply<'_, Option<Book>>;

    /// The number of a project; a new one if there is none of this name.
    fn project(&self, name: String) -> Reply<'_, Project>;

    /// Sets what a project may send per day.
    fn allow(&self, project: Project, bytes_per_day: Option<u64>) -> Reply<'_, ()>;

    /// Adds a key. Its id must be new, and the print that of the pepper of all others.
    fn add(&self, key: Key, pepper: Hash) -> Reply<'_, ()>;

    /// Ends a key at a time, unless it ends before; whether there is such a key.
    fn expire(&self, id: String, at: i64) -> Reply<'_, bool>;

    /// Ends a key now; whether there is such a key.
    fn revoke(&self, id: String, now: i64) -> Reply<'_, bool>;

    /// Notes when keys were used last.
    fn used(&self, uses: Vec<(String, i64)>) -> Reply<'_, ()>;

    /// Adds to the bytes that projects sent on a day; what each sent today, through every collector. Days before
    /// yesterday are forgotten.
    fn sent(&self, today: Day, more: Vec<Sent>) -> Reply<'_, Vec<(Project, u64)>>;
}

/// Bytes of entries, inflated, that came from a project on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) project: Project,
    pub(crate) day: Day,
    pub(crate) bytes: u64,
}

/// PostgreSQL's and SQLite's numbers have a sign.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) const OTHER_PEPPER: &str = "the keys that there are were made with another pepper than this one: set the same key_pepper \
                                       (HOPLOG_KEY_PEPPER), or copy keys.pepper from the data directory where they were made";
pub(crate) const KNOWN_ID: &str = "there is a key with this id already";

/// A name that a project may have: it is shown, compared and stored, and never part of a path or a statement.
pub(crate) fn check_name(name: &str) -> Result<(), StoreError> {
    let well = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let begins_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    if name.len() <= 64 && begins_well && name.chars().all(well) {
        return Ok(());
    }
    Err(StoreError::Unavailable(format!(
        "`{}` is no name of a project: take 1 to 64 of a-z, 0-9, and `-`, `_`, `.` after the first",
        name.chars().filter(|c| !hoplog_entry::is_hidden(*c)).take(64).collect::<String>()
    )))
}

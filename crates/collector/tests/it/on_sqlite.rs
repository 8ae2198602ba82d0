//! What a store promises, on SQLite.

pub(crate) type Server = crate::support::ServerOn<crate::support::Sqlite>;

#[path = "answers.rs"]
mod answers;
#[path = "completeness.rs"]
mod completeness;
#[path = "dedup.rs"]
mod dedup;
#[path = "deletion.rs"]
mod deletion;
#[path = "entries.rs"]
mod entries;
#[path = "keys.rs"]
mod keys;
#[path = "offline.rs"]
mod offline;
#[path = "query.rs"]
mod query;
#[path = "quirks.rs"]
mod quirks;
#[path = "running.rs"]
mod running;
#[path = "soft_delete.rs"]
mod soft_delete;
#[path = "tail.rs"]
mod tail;

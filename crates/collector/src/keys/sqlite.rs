//! Keys in `keys.db`, beside the entries of the default project. Several processes may have it open: a collector that
//! looks, a command that changes.

use super::{
    Book, Hash, KNOWN_ID, Key, KeyStore, MOST_KEYS, Named, OTHER_PEPPER, Sent, check_name, mint, signed,
};
use crate::http::access::Scopes;
use crate::store::projects::Project;
use crate::store::{Reply, StoreError};
use crate::time::Day;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, TransactionBehavior, params};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const FILE: &str = "keys.db";
const VERSION: i64 = 2;

/// The steps to a version, from the one before it.
pub(super) const STEPS: [&str; 2] = [
    "
    CREATE TABLE projects (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, bytes_per_day INTEGER);
    INSERT INTO projects VALUES (0, 'default', NULL);
    CREATE TABLE keys (id TEXT PRIMARY KEY, project INTEGER NOT NULL REFERENCES projects (number),
      label TEXT NOT NULL, hash BLOB NOT NULL, scopes INTEGER NOT NULL, created_at INTEGER NOT NULL,
      expires_at INTEGER, revoked_at INTEGER, networks TEXT NOT NULL, last_used INTEGER,
      requests_per_second INTEGER, bytes_per_second INTEGER) WITHOUT ROWID;
    PRAGMA user_version = 1;",
    "CREATE TABLE pepper (print BLOB NOT NULL);
    CREATE TABLE sent (project INTEGER, day INTEGER, bytes INTEGER NOT NULL, PRIMARY KEY (project, day)) WITHOUT ROWID;
    PRAGMA user_version = 2;",
];

/// Keys in a file.
pub(crate) struct SqliteKeys(Arc<Mutex<File>>);

struct File {
    directory: PathBuf,
    connection: Option<Connection>,
    /// SQLite's count of the commits of others, when it was last looked at.
    seen: Option<i64>,
}

impl SqliteKeys {
    /// Touches nothing yet: a directory without keys has no such file.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self(Arc::new(Mutex::new(File { directory, connection: None, seen: None })))
    }

    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut File) -> rusqlite::Result<T> + Send + 'static,
    ) -> Reply<'static, T> {
        let file = Arc::clone(&self.0);
        Box::pin(async move {
            let work = move || {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                work(&mut file).map_err(|error| {
                    // The next one opens it anew.
                    (file.connection, file.seen) = (None, None);
                    StoreError::Unavailable(format!("{}: {error}", file.path().display()))
                })
            };
            let done = tokio::task::spawn_blocking(work).await;
            done.map_err(|e| StoreError::Unavailable(format!("the keys were not read: {e}")))?
        })
    }
}

impl File {
    fn path(&self) -> PathBuf {
        self.directory.join(FILE)
    }

    /// The connection, if there is a file.
    fn existing(&mut self) -> rusqlite::Result<Option<&mut Connection>> {
        if self.connection.is_none() && self.path().exists() {
            self.connection = Some(open(&self.path())?);
        }
        Ok(self.connection.as_mut())
    }

    /// The connection; makes the file if there is none.
    fn made(&mut self) -> rusqlite::Result<&mut Connection> {
        let path = self.path();
        match mint::owned(&path, &self.directory) {
            Ok(_) => self.connection = None,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(rusqlite::Error::ToSqlConversionFailure(error.into())),
        }
        if self.connection.is_none() {
            self.connection = Some(open(&path)?);
        }
        self.connection.as_mut().ok_or(rusqlite::Error::InvalidQuery)
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(2))?;
    // No log beside it, which could belong to whoever wrote last.
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA foreign_keys = 1;")?;
    let version =
        |connection: &Connection| connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0));
    if version(&connection)? < VERSION {
        let making = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let there = usize::try_from(version(&making)?).unwrap_or(usize::MAX);
        for step in STEPS.get(there..).unwrap_or_default() {
            making.execute_batch(step)?;
        }
        making.commit()?;
    }
    match version(&connection)? {
        VERSION => Ok(connection),
        _ => Err(failed("it was made by a newer hoplog: run that one")),
    }
}

fn failed(why: impl Into<String>) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(why.into().into())
}

impl KeyStore for SqliteKeys {
    fn news(&self) -> Reply<'_, Option<Book>> {
        self.ask(|file| {
            let seen = file.seen;
            let Some(connection) = file.existing()? else {
                // Without a file there is an empty book, which is news once.
                return Ok(file.seen.replace(0).is_none().then(Book::default));
            };
            let now = connection.query_row("PRAGMA data_version", [], |row| row.get(0))?;
            // A new connection counts from where it likes: `seen` is forgotten with the old one.
            if seen == Some(now) {
                return Ok(None);
            }
            let book = read(connection)?;
            file.seen = Some(now);
            Ok(Some(book))
        })
    }

    fn project(&self, name: String) -> Reply<'_, Project> {
        if let Err(error) = check_name(&name) {
            return Box::pin(std::future::ready(Err(error)));
        }
        self.ask(move |file| {
            file.seen = None;
            let connection = file.made()?;
            connection.execute(
                "INSERT INTO projects (number, name) SELECT max(number) + 1, ?1 FROM projects WHERE true
                 ON CONFLICT (name) DO NOTHING",
                [&name],
            )?;
            let sql = "SELECT number FROM projects WHERE name = ?1";
            connection.query_row(sql, [&name], |row| row.get(0)).map(Project)
        })
    }

    fn allow(&self, project: Project, bytes_per_day: Option<u64>) -> Reply<'_, ()> {
        self.ask(move |file| {
            file.seen = None;
            let sql = "UPDATE projects SET bytes_per_day = ?2 WHERE number = ?1";
            file.made()?.execute(sql, params![project.0, bytes_per_day.map(signed)]).map(drop)
        })
    }

    fn add(&self, key: Key, pepper: Hash) -> Reply<'_, ()> {
        self.ask(move |file| {
            file.seen = None;
            let adding = file.made()?.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let known: i64 = adding.query_row("SELECT count(*) FROM keys", [], |row| row.get(0))?;
            let there =
                adding.query_row("SELECT 1 FROM keys WHERE id = ?1", [&key.id], |_| Ok(())).optional()?;
            if there.is_some() {
                return Err(failed(KNOWN_ID));
            }
            if known >= MOST_KEYS {
                return Err(failed(format!("there are {MOST_KEYS} keys, which is all that are kept")));
            }
            let print =
                adding.query_row("SELECT print FROM pepper", [], |row| row.get::<_, Hash>(0)).optional()?;
            match print {
                Some(print) if print != pepper => return Err(failed(OTHER_PEPPER)),
                Some(_) => {}
                None => adding.execute("INSERT INTO pepper VALUES (?1)", [pepper]).map(drop)?,
            }
            let networks: Vec<String> = key.networks.iter().map(ToString::to_string).collect();
            adding.execute(
                "INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                params![
                    key.id,
                    key.project.0,
                    key.label,
                    key.hash,
                    key.scopes.bits(),
                    key.created_at,
                    key.expires_at,
                    key.revoked_at,
                    networks.join(" "),
                    key.last_used,
                    key.requests_per_second,
                    key.bytes_per_second.map(signed),
                ],
            )?;
            adding.commit()
        })
    }

    fn expire(&self, id: String, at: i64) -> Reply<'_, bool> {
        self.ask(move |file| {
            file.seen = None;
            let sql = "UPDATE keys SET expires_at = min(ifnull(expires_at, ?2), ?2) WHERE id = ?1";
            Ok(file.made()?.execute(sql, params![id, at])? > 0)
        })
    }

    fn revoke(&self, id: String, now: i64) -> Reply<'_, bool> {
        self.ask(move |file| {
            file.seen = None;
            let sql = "UPDATE keys SET revoked_at = ifnull(revoked_at, ?2) WHERE id = ?1";
            Ok(file.made()?.execute(sql, params![id, now])? > 0)
        })
    }

    fn used(&self, uses: Vec<(String, i64)>) -> Reply<'_, ()> {
        self.ask(move |file| {
            let Some(connection) = file.existing()? else { return Ok(()) };
            let noting = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for (id, at) in uses {
                noting.execute("UPDATE keys SET last_used = ?2 WHERE id = ?1", params![id, at])?;
            }
            noting.commit()
        })
    }

    fn sent(&self, today: Day, more: Vec<Sent>) -> Reply<'_, Vec<(Project, u64)>> {
        self.ask(move |file| {
            if !more.is_empty() {
                let adding = file.made()?.transaction_with_behavior(TransactionBehavior::Immediate)?;
                for Sent { project, day, bytes } in more {
                    adding.execute(
                        "INSERT INTO sent VALUES (?1, ?2, ?3)
                         ON CONFLICT (project, day) DO UPDATE SET bytes = bytes + excluded.bytes",
                        params![project.0, day.0, signed(bytes)],
                    )?;
                }
                adding.execute("DELETE FROM sent WHERE day < ?1", [today.back(1).0])?;
                adding.commit()?;
            }
            let Some(connection) = file.existing()? else { return Ok(Vec::new()) };
            let mut all = connection.prepare("SELECT project, bytes FROM sent WHERE day = ?1")?;
            let one = |row: &Row<'_>| Ok((Project(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs()));
            all.query_map([today.0], one)?.collect()
        })
    }
}

fn read(connection: &Connection) -> rusqlite::Result<Book> {
    let mut statement =
        connection.prepare("SELECT number, name, bytes_per_day FROM projects ORDER BY number")?;
    let named = |row: &Row<'_>| {
        Ok(Named {
            project: Project(row.get(0)?),
            name: row.get(1)?,
            bytes_per_day: row.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs),
        })
    };
    let projects = statement.query_map([], named)?.collect::<Result<_, _>>()?;
    let mut statement = connection.prepare("SELECT * FROM keys ORDER BY created_at, id")?;
    let key = |row: &Row<'_>| {
        let networks: String = row.get(8)?;
        // A network that cannot be read would open the key to everywhere if it were left out.
        let networks = networks.split_whitespace().map(str::parse).collect::<Result<_, _>>();
        Ok(Key {
            id: row.get(0)?,
            project: Project(row.get(1)?),
            label: row.get(2)?,
            hash: row.get(3)?,
            scopes: Scopes::from_bits(row.get(4)?),
            created_at: row.get(5)?,
            expires_at: row.get(6)?,
            revoked_at: row.get(7)?,
            networks: networks.map_err(|e: ipnet::AddrParseError| failed(e.to_string()))?,
            last_used: row.get(9)?,
            requests_per_second: row.get(10)?,
            bytes_per_second: row.get::<_, Option<i64>>(11)?.map(i64::unsigned_abs),
        })
    };
    let keys = statement.query_map([], key)?.collect::<Result<_, _>>()?;
    let pepper = connection.query_row("SELECT print FROM pepper", [], |row| row.get(0)).optional()?;
    Ok(Book { keys, projects, pepper })
}

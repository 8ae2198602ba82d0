//! Keys in the database, shared by all collectors on it and by the commands. A change counts `log_key_book` up in its own
//! transaction: whoever looks reads one number as long as nothing changed.

use super::address::Address;
use super::connect::Connector;
use super::layouts;
use super::trouble::explain;
use super::wire::{Date, Time};
use crate::error::StartError;
use crate::http::access::{Scope, Scopes};
use crate::keys::{
    Book, Hash, KNOWN_ID, Key, KeyStore, MOST_KEYS, Named, OTHER_PEPPER, Sent, check_name, signed,
};
use crate::store::projects::Project;
use crate::store::{Reply, StoreError};
use crate::time::Day;
use std::future::Future;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, IsolationLevel, Row, Transaction};

/// For one question or change; a server that is silent must not hold up the next look for ever.
const TIME: Duration = Duration::from_secs(5);

const SETUP: &str = "
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
    SET lock_timeout = '4s'; SET idle_in_transaction_session_timeout = '10s'; SET TimeZone = 'UTC'; SET jit = off";

/// Keys in a database.
pub(crate) struct PostgresKeys {
    connector: Connector,
    session: Mutex<Session>,
}

#[derive(Default)]
struct Session {
    client: Option<Client>,
    /// The count of changes when it was last looked at, on this connection.
    seen: Option<i64>,
}

impl PostgresKeys {
    /// Connects to nothing yet.
    pub(crate) fn new(url: &str) -> Result<Self, StartError> {
        Ok(Self { connector: Connector::new(Address::parse(url)?)?, session: Mutex::default() })
    }

    /// Does something on the connection, within the time that there is; a connection on which it failed is given up.
    async fn ask<T>(
        &self,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut session = self.session().await?;
        let silent = || StoreError::Unavailable("PostgreSQL does not answer".to_owned());
        let done = within(work(&mut session)).await.unwrap_or_else(|| Err(silent()));
        if done.is_err() {
            *session = Session::default();
        }
        done
    }

    async fn session(&self) -> Result<MutexGuard<'_, Session>, StoreError> {
        let mut session = self.session.lock().await;
        if session.client.as_ref().is_none_or(Client::is_closed) {
            let client = self.connector.connect(SETUP).await.map_err(|error| explain(&error))?;
            let ready = layouts::bring_up_to_date(&client).await;
            ready.map_err(|error| StoreError::Unavailable(error.to_string()))?;
            *session = Session { client: Some(client), seen: None };
        }
        Ok(session)
    }

    /// Changes something, and says so to all who look.
    async fn change<T>(
        &self,
        work: impl AsyncFnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.ask(async |session| {
            let transaction = session.client()?.transaction().await.map_err(|error| explain(&error))?;
            let counted = transaction.execute("UPDATE log_key_book SET changes = changes + 1", &[]).await;
            counted.map_err(|error| explain(&error))?;
            let done = work(&transaction).await?;
            transaction.commit().await.map_err(|error| explain(&error))?;
            Ok(done)
        })
        .await
    }

    /// Changes rows by one statement; how many.
    async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        let changing = async |transaction: &Transaction<'_>| {
            transaction.execute(sql, values).await.map_err(|error| explain(&error))
        };
        self.change(changing).await
    }
}

async fn within<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(TIME, work).await.ok()
}

impl Session {
    fn client(&mut self) -> Result<&mut Client, StoreError> {
        self.client.as_mut().ok_or_else(|| StoreError::Unavailable("not connected to PostgreSQL".to_owned()))
    }
}

fn refused(why: impl Into<String>) -> StoreError {
    StoreError::Unavailable(why.into())
}

impl KeyStore for PostgresKeys {
    fn news(&self) -> Reply<'_, Option<Book>> {
        Box::pin(self.ask(async |session| {
            let seen = session.seen;
            let read = async |client: &mut Client| {
                let count = "SELECT changes FROM log_key_book";
                if seen == Some(client.query_one(count, &[]).await?.get(0)) {
                    return Ok(None);
                }
                // All of it as of one moment.
                let all = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead);
                let all = all.read_only(true).start().await?;
                let changes: i64 = all.query_one(count, &[]).await?.get(0);
                let book = book(&all).await?;
                all.commit().await?;
                Ok(Some((changes, book)))
            };
            let news = read(session.client()?).await.map_err(|error: Error| explain(&error))?;
            let Some((changes, book)) = news else { return Ok(None) };
            let book = book?;
            session.seen = Some(changes);
            Ok(Some(book))
        }))
    }

    fn project(&self, name: String) -> Reply<'_, Project> {
        Box::pin(async move {
            check_name(&name)?;
            let known = async |session: &mut Session| {
                let sql = "SELECT project_id FROM log_names WHERE name = $1";
                session.client()?.query_opt(sql, &[&name]).await.map_err(|error| explain(&error))
            };
            if let Some(row) = self.ask(known).await? {
                return project(row.get(0));
            }
            // No number under which entries may lie already.
            let made = "INSERT INTO log_names (project_id, name)
                 SELECT max(n) + 1, $1 FROM (SELECT project_id FROM log_names UNION SELECT project_id FROM log_projects) x (n)
                 ON CONFLICT (name) DO NOTHING";
            self.rows(made, &[&name]).await?;
            self.ask(known)
                .await?
                .map_or_else(|| Err(refused("the project is gone again")), |row| project(row.get(0)))
        })
    }

    fn allow(&self, project: Project, bytes_per_day: Option<u64>) -> Reply<'_, ()> {
        Box::pin(async move {
            let sql = "UPDATE log_names SET bytes_per_day = $2 WHERE project_id = $1";
            self.rows(sql, &[&i64::from(project.0), &bytes_per_day.map(signed)]).await.map(drop)
        })
    }

    fn add(&self, key: Key, pepper: Hash) -> Reply<'_, ()> {
        Box::pin(self.change(async move |adding| {
            let print = adding
                .query_one(
                    "UPDATE log_key_book SET pepper = coalesce(pepper, $1) RETURNING pepper,
                     EXISTS (SELECT FROM log_keys WHERE id = $2), (SELECT count(*) FROM log_keys)",
                    &[&&pepper[..], &key.id],
                )
                .await
                .map_err(|error| explain(&error))?;
            if print.get::<_, &[u8]>(0) != pepper {
                return Err(refused(OTHER_PEPPER));
            }
            if print.get(1) {
                return Err(refused(KNOWN_ID));
            }
            if print.get::<_, i64>(2) >= MOST_KEYS {
                return Err(refused(format!("there are {MOST_KEYS} keys, which is all that are kept")));
            }
            let networks: Vec<String> = key.networks.iter().map(ToString::to_string).collect();
            let values: [&(dyn ToSql + Sync); 12] = [
                &key.id,
                &i64::from(key.project.0),
                &key.label,
                &&key.hash[..],
                &key.scopes.names(),
                &Time(key.created_at),
                &key.expires_at.map(Time),
                &key.revoked_at.map(Time),
                &networks,
                &key.last_used.map(Time),
                &key.requests_per_second.map(i64::from),
                &key.bytes_per_second.map(signed),
            ];
            let sql = "INSERT INTO log_keys VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
            adding.execute(sql, &values).await.map_err(|error| explain(&error)).map(drop)
        }))
    }

    fn expire(&self, id: String, at: i64) -> Reply<'_, bool> {
        Box::pin(async move {
            let sql = "UPDATE log_keys SET expires_at = least(expires_at, $2) WHERE id = $1";
            Ok(self.rows(sql, &[&id, &Time(at)]).await? > 0)
        })
    }

    fn revoke(&self, id: String, now: i64) -> Reply<'_, bool> {
        Box::pin(async move {
            let sql = "UPDATE log_keys SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1";
            Ok(self.rows(sql, &[&id, &Time(now)]).await? > 0)
        })
    }

    fn used(&self, uses: Vec<(String, i64)>) -> Reply<'_, ()> {
        Box::pin(self.ask(async move |session| {
            let (ids, times): (Vec<String>, Vec<Time>) =
                uses.into_iter().map(|(id, at)| (id, Time(at))).unzip();
            // Not a change that anybody has to hear of.
            let sql = "UPDATE log_keys k SET last_used = greatest(k.last_used, u.at)
                 FROM unnest($1::text[], $2::timestamptz[]) u (id, at) WHERE k.id = u.id";
            session.client()?.execute(sql, &[&ids, &times]).await.map_err(|error| explain(&error)).map(drop)
        }))
    }

    fn sent(&self, today: Day, more: Vec<Sent>) -> Reply<'_, Vec<(Project, u64)>> {
        Box::pin(self.ask(async move |session| {
            let all = add_up(session.client()?, today, &more).await.map_err(|error| explain(&error))?;
            all.iter().map(|row| Ok((project(row.get(0))?, row.get::<_, i64>(1).unsigned_abs()))).collect()
        }))
    }
}

async fn add_up(client: &mut Client, today: Day, more: &[Sent]) -> Result<Vec<Row>, Error> {
    if !more.is_empty() {
        let adding = client.transaction().await?;
        // In one order, so that two collectors do not wait for each other.
        let mut more = more.to_vec();
        more.sort_by_key(|sent| (sent.project, sent.day));
        for Sent { project, day, bytes } in more {
            let sql = "INSERT INTO log_sent AS s VALUES ($1, $2, $3)
                 ON CONFLICT (project_id, day) DO UPDATE SET bytes = s.bytes + excluded.bytes";
            adding.execute(sql, &[&i64::from(project.0), &Date(day), &signed(bytes)]).await?;
        }
        adding.execute("DELETE FROM log_sent WHERE day < $1", &[&Date(today.back(1))]).await?;
        adding.commit().await?;
    }
    client.query("SELECT project_id, bytes FROM log_sent WHERE day = $1", &[&Date(today)]).await
}

fn project(number: i64) -> Result<Project, StoreError> {
    let known = u32::try_from(number).map(Project);
    known.map_err(|_| {
        refused(format!("`log_names` has a project {number}, which is no number of one: correct it"))
    })
}

/// Everything; what cannot be read of it is an error of its own.
async fn book(all: &Transaction<'_>) -> Result<Result<Book, StoreError>, Error> {
    let names =
        all.query("SELECT project_id, name, bytes_per_day FROM log_names ORDER BY project_id", &[]).await?;
    let keys = all.query("SELECT * FROM log_keys ORDER BY created_at, id", &[]).await?;
    let pepper = all.query_one("SELECT pepper FROM log_key_book", &[]).await?;
    let named = |row: &Row| {
        let bytes_per_day = row.get::<_, Option<i64>>(2).map(i64::unsigned_abs);
        Ok(Named { project: project(row.get(0))?, name: row.get(1), bytes_per_day })
    };
    let read = || {
        Ok(Book {
            projects: names.iter().map(named).collect::<Result<_, _>>()?,
            keys: keys.iter().map(key).collect::<Result<_, _>>()?,
            pepper: pepper.get::<_, Option<&[u8]>>(0).map(hash).transpose()?,
        })
    };
    Ok(read())
}

fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    bytes
        .try_into()
        .map_err(|_| refused("a hash in `log_keys` or `log_key_book` is no SHA-256: restore a backup"))
}

fn key(row: &Row) -> Result<Key, StoreError> {
    let id: String = row.get(0);
    let scopes = row.get::<_, Vec<&str>>(4).into_iter().fold(Scopes::default(), |scopes, name| {
        // What is not known allows nothing.
        let known = Scope::ALL.into_iter().find(|scope| scope.name() == name);
        known.map_or(scopes, |scope| scopes.with(scope))
    });
    // A network that cannot be read would open the key to everywhere if it were left out.
    let networks = row.get::<_, Vec<&str>>(8).into_iter().map(str::parse).collect::<Result<_, _>>();
    let networks =
        networks.map_err(|_| refused(format!("the key {id} has a network that is none: correct it")))?;
    let time = |at: usize| row.get::<_, Option<Time>>(at).map(|Time(micros)| micros);
    Ok(Key {
        id,
        project: project(row.get(1))?,
        label: row.get(2),
        hash: hash(row.get(3))?,
        scopes,
        created_at: time(5).unwrap_or_default(),
        expires_at: time(6),
        revoked_at: time(7),
        networks,
        last_used: time(9),
        requests_per_second: row.get::<_, Option<i64>>(10).and_then(|n| u32::try_from(n).ok()),
        bytes_per_second: row.get::<_, Option<i64>>(11).map(i64::unsigned_abs),
    })
}

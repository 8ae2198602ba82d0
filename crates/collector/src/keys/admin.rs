//! What `hoplog keys` does, on a data directory or a database, with or without a collector that runs on it.

use super::mint::{self, Minted, Pepper};
use super::{Book, Key, KeyStore};
use crate::config::{Config, Secret};
use crate::error::StartError;
use crate::http::access::{Scope, Scopes};
use crate::store::StoreError;
use crate::store::open::Address;
use crate::time::{Day, SECOND};
use ipnet::IpNet;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::Arc;
use std::time::Duration;

/// The keys of a collector.
pub struct Keys {
    store: Arc<dyn KeyStore>,
    config: Config,
}

/// A key to be made.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NewKey {
    /// Whose entries it is for. Default: `default`.
    pub project: String,
    /// For people. Default: none.
    pub label: String,
    /// The word in the key itself: 1 to 16 of a-z and 0-9. Default: `live`.
    pub environment: String,
    /// `ingest`, `query`, `admin`. Default: `ingest` alone.
    pub scopes: Vec<String>,
    /// How long it lasts. Default: for ever.
    pub lasts: Option<Duration>,
    /// Where it may be used from. Default: anywhere.
    pub networks: Vec<String>,
    /// Requests per second. Default: what the collector's configuration says.
    pub requests_per_second: Option<u32>,
    /// Bytes of entries per second, inflated. Default: what the collector's configuration says.
    pub bytes_per_second: Option<u64>,
    /// A pair of `clog_pk_…` and `clog_sk_…` for clients of the logs-sdk family.
    pub pair: bool,
}

impl Default for NewKey {
    fn default() -> Self {
        Self {
            project: "default".to_owned(),
            label: String::new(),
            environment: "live".to_owned(),
            scopes: vec!["ingest".to_owned()],
            lasts: None,
            networks: Vec::new(),
            requests_per_second: None,
            bytes_per_second: None,
            pair: false,
        }
    }
}

/// A key that was made. Its secret is shown here and never again.
#[derive(Clone)]
#[non_exhaustive]
pub struct MadeKey {
    /// What lists and revocations call it; public.
    pub id: String,
    /// What a client sends: `Authorization: Bearer …`, or of a pair `X-API-Secret`, with the id as `X-API-Key`.
    pub secret: String,
}

impl std::fmt::Debug for MadeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MadeKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A key as it is listed. Times in Unix seconds.
#[derive(Debug, Clone, serde::Serialize)]
#[non_exhaustive]
pub struct ListedKey {
    /// Its public id.
    pub id: String,
    /// Whose entries it is for.
    pub project: String,
    /// For people.
    pub label: String,
    /// What it may do.
    pub scopes: Vec<&'static str>,
    /// `live`, `expired` or `revoked`.
    pub state: &'static str,
    /// When it was made.
    pub created_at: i64,
    /// When it ends.
    pub expires_at: Option<i64>,
    /// When it was used last, to within minutes.
    pub last_used: Option<i64>,
    /// Where it may be used from; anywhere if there are none.
    pub networks: Vec<String>,
}

impl Keys {
    /// The keys of the collector that this configuration starts: in its data directory, or in its database, which is
    /// asked later.
    ///
    /// # Errors
    /// The data directory cannot be made; the store's address is wrong.
    pub fn open(config: Config) -> Result<Self, StartError> {
        let directory = config.directory()?;
        // For its owner only, as the collector makes it.
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|e| StartError::directory(&directory, e))?;
        Ok(Self { store: Address::of(&config)?.keys()?, config })
    }

    /// Makes a key.
    ///
    /// # Errors
    /// A setting of it is wrong, or the keys cannot be written.
    pub async fn create(&self, new: NewKey) -> Result<MadeKey, StartError> {
        let minted = if new.pair { mint::pair()? } else { mint::key(&new.environment)? };
        let (id, shown) = (minted.id.clone(), minted.shown.clone());
        self.add(new, minted).await?;
        Ok(MadeKey { id, secret: shown.0 })
    }

    /// Takes over a key that clients have already: a public id, and the secret that goes with it. A client that sends
    /// no secret shows its public id alone, which may then do nothing but send entries.
    ///
    /// # Errors
    /// A setting of it is wrong, there is such a key, or the keys cannot be written.
    pub async fn import(&self, new: NewKey, id: String, secret: Option<String>) -> Result<(), StartError> {
        if !(8..=256).contains(&id.len()) || !id.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(StartError::new("the key's public part must be 8 to 256 characters without blanks"));
        }
        if secret.is_none() && new.scopes != ["ingest"] {
            return Err(StartError::new("a key without a secret may have the scope ingest alone"));
        }
        let secret = secret.unwrap_or_else(|| id.clone());
        if secret.len() < 8 {
            return Err(StartError::new("the secret has fewer than 8 characters"));
        }
        self.add(new, Minted { id, shown: Secret(secret.clone()), secret }).await
    }

    async fn add(&self, new: NewKey, minted: Minted) -> Result<(), StartError> {
        let now = self.config.clock.now();
        let networks = new.networks.iter().map(|text| network(text)).collect::<Result<_, _>>()?;
        let scopes = scopes(&new.scopes)?;
        let project = self.store.project(new.project).await.map_err(wrong)?;
        let pepper = self.pepper(&self.book().await?)?;
        let key = Key {
            id: minted.id,
            project,
            label: new.label,
            hash: pepper.hash(minted.secret.as_bytes()),
            scopes,
            created_at: now,
            expires_at: new.lasts.map(|time| now.saturating_add(micros(time))),
            revoked_at: None,
            networks,
            last_used: None,
            requests_per_second: new.requests_per_second,
            bytes_per_second: new.bytes_per_second,
        };
        self.store.add(key, pepper.print()).await.map_err(wrong)
    }

    /// Makes a key that may do what another one may, and ends that one after a time, in which both are valid.
    ///
    /// # Errors
    /// There is no such key, it is not valid any more, or the keys cannot be written.
    pub async fn rotate(&self, id: &str, grace: Duration) -> Result<MadeKey, StartError> {
        let now = self.config.clock.now();
        let book = self.book().await?;
        let old = book.keys.iter().find(|key| key.id == id);
        let old = old.ok_or_else(|| unknown(id))?;
        if !old.is_live(now) {
            return Err(StartError::new(format!("the key {id} is not valid any more: create one")));
        }
        let minted = if id.starts_with("clog_pk_") { mint::pair()? } else { mint::key("live")? };
        let lasts = old.expires_at.map(|end| end.saturating_sub(old.created_at));
        let pepper = self.pepper(&book)?;
        let new = Key {
            id: minted.id.clone(),
            hash: pepper.hash(minted.secret.as_bytes()),
            created_at: now,
            expires_at: lasts.map(|lasts| now.saturating_add(lasts)),
            last_used: None,
            ..old.clone()
        };
        self.store.add(new, pepper.print()).await.map_err(wrong)?;
        self.store.expire(id.to_owned(), now.saturating_add(micros(grace))).await.map_err(wrong)?;
        Ok(MadeKey { id: minted.id, secret: minted.shown.0 })
    }

    /// Ends a key now. A collector that runs notices within 5 seconds.
    ///
    /// # Errors
    /// There is no such key, or the keys cannot be written.
    pub async fn revoke(&self, id: &str) -> Result<(), StartError> {
        let now = self.config.clock.now();
        match self.store.revoke(id.to_owned(), now).await.map_err(wrong)? {
            true => Ok(()),
            false => Err(unknown(id)),
        }
    }

    /// Sets how many bytes of entries a project may send per UTC day; without a number, what the configuration says.
    ///
    /// # Errors
    /// The name is none, or the keys cannot be written.
    pub async fn allow(&self, project: &str, bytes_per_day: Option<u64>) -> Result<(), StartError> {
        let project = self.store.project(project.to_owned()).await.map_err(wrong)?;
        self.store.allow(project, bytes_per_day).await.map_err(wrong)
    }

    /// How many bytes of entries a project sent today, UTC, as its collectors counted until about a second ago. Nothing is
    /// counted where days are not limited.
    ///
    /// # Errors
    /// The keys cannot be read.
    pub async fn sent_today(&self, project: &str) -> Result<u64, StartError> {
        let project = self.store.project(project.to_owned()).await.map_err(wrong)?;
        let all = self.store.sent(Day::of(self.config.clock.now()), Vec::new()).await.map_err(wrong)?;
        Ok(all.into_iter().find(|(of, _)| *of == project).map_or(0, |(_, bytes)| bytes))
    }

    /// All keys, or those of one project, oldest first.
    ///
    /// # Errors
    /// The keys cannot be read.
    pub async fn list(&self, project: Option<&str>) -> Result<Vec<ListedKey>, StartError> {
        let now = self.config.clock.now();
        let Book { keys, projects, .. } = self.book().await?;
        let name =
            |key: &Key| projects.iter().find(|named| named.project == key.project).map(|n| n.name.clone());
        let listed = keys.into_iter().map(|key| ListedKey {
            project: name(&key).unwrap_or_else(|| key.project.to_string()),
            scopes: key.scopes.names(),
            state: match key.revoked_at {
                Some(_) => "revoked",
                None if key.is_live(now) => "live",
                None => "expired",
            },
            created_at: key.created_at / SECOND,
            expires_at: key.expires_at.map(|at| at / SECOND),
            last_used: key.last_used.map(|at| at / SECOND),
            networks: key.networks.iter().map(ToString::to_string).collect(),
            id: key.id,
            label: key.label,
        });
        Ok(listed.filter(|key| project.is_none_or(|project| key.project == project)).collect())
    }

    async fn book(&self) -> Result<Book, StartError> {
        Ok(self.store.news().await.map_err(wrong)?.unwrap_or_default())
    }

    fn pepper(&self, book: &Book) -> Result<Pepper, StartError> {
        Pepper::of(self.config.pepper.as_ref(), &self.config.directory()?, book.pepper.as_ref())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

fn scopes(names: &[String]) -> Result<Scopes, StartError> {
    if names.is_empty() {
        return Err(StartError::new("a key without a scope opens nothing: pass ingest, query or admin"));
    }
    names.iter().try_fold(Scopes::default(), |scopes, name| {
        let known = Scope::ALL.into_iter().find(|scope| scope.name() == name);
        let wrong = || StartError::new(format!("`{name}` is no scope: there are ingest, query, admin"));
        Ok(scopes.with(known.ok_or_else(wrong)?))
    })
}

/// A network, or one address.
pub(crate) fn network(text: &str) -> Result<IpNet, StartError> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| {
        StartError::new(format!("`{text}` is no network: write 10.0.0.0/8, fd00::/8 or one address"))
    })
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}

fn unknown(id: &str) -> StartError {
    StartError::new(format!("there is no key {id}: `hoplog keys list` shows them"))
}

fn wrong(error: StoreError) -> StartError {
    StartError::new(error.to_string())
}

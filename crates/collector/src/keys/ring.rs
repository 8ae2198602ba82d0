//! All keys in memory, and the judgement over one that is shown.

use super::mint::Pepper;
use super::{Book, Hash, Key, KeyStore, LOOK, Named};
use crate::config::Secret;
use crate::error::StartError;
use crate::http::access::{Access, Scopes};
use crate::store::StoreError;
use crate::store::projects::Project;
use crate::time::SECOND;
use hoplog_entry::ApiKey;
use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// How fine it is noted when a key was used last.
const COARSE: i64 = 60 * SECOND;

/// What a request shows of a key.
#[derive(Clone, Copy)]
pub(crate) enum Shown<'a> {
    /// One text: a key of ours, the shared one, or a public key of an older client that has no secret.
    Whole(&'a [u8]),
    /// `X-API-Key` and `X-API-Secret`.
    Pair(&'a [u8], &'a [u8]),
}

/// Why a key does not pass; for the counts alone, never for whoever showed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Denied {
    /// None was shown where one is needed.
    Missing,
    Unknown,
    WrongSecret,
    Revoked,
    Expired,
    /// Not from there.
    Network,
}

impl Denied {
    pub(crate) const ALL: [Self; 6] =
        [Self::Missing, Self::Unknown, Self::WrongSecret, Self::Revoked, Self::Expired, Self::Network];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unknown => "unknown",
            Self::WrongSecret => "wrong_secret",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::Network => "network",
        }
    }
}

/// The keys.
pub(crate) struct Keyring {
    store: Arc<dyn KeyStore>,
    directory: PathBuf,
    /// The one key of `HOPLOG_API_KEY`.
    shared: Option<Hash>,
    /// Where it does not lie in the directory.
    pepper: Option<Secret>,
    held: RwLock<Arc<Held>>,
    uses: Mutex<Uses>,
}

/// When keys were used last.
#[derive(Default)]
struct Uses {
    /// As it was noted; there are no more than keys.
    noted: HashMap<String, i64>,
    /// What the store has not been told.
    fresh: Vec<(String, i64)>,
}

#[derive(Clone, Default)]
struct Held {
    /// There is none as long as there are no keys.
    pepper: Option<Pepper>,
    /// By the hashes of their ids.
    keys: Vec<(Hash, Arc<Key>)>,
    projects: Vec<Named>,
    /// Why the keys could not be looked at the last time.
    failing: Option<StoreError>,
    /// What could not be held, as the pepper is not at hand: tried again, since that may be mended.
    unread: Option<Book>,
}

impl Keyring {
    /// Reads all keys.
    pub(crate) async fn open(
        store: Arc<dyn KeyStore>,
        directory: PathBuf,
        shared: Option<&Secret>,
        pepper: Option<&Secret>,
    ) -> Result<Self, StartError> {
        let ring = Self {
            store,
            directory,
            pepper: pepper.cloned(),
            shared: shared.map(|key| hmac_sha256::Hash::hash(key.0.as_bytes())),
            held: RwLock::default(),
            uses: Mutex::default(),
        };
        ring.look().await.map_err(|e| StartError::new(e.to_string()))?;
        Ok(ring)
    }

    /// Whether there is any key, also one that is not valid any more: with the first one, nothing is open by itself.
    pub(crate) fn is_in_use(&self) -> bool {
        self.shared.is_some() || self.has_keys()
    }

    /// Whether there is any beside the shared one.
    pub(crate) fn has_keys(&self) -> bool {
        let held = self.held();
        !held.keys.is_empty() || held.unread.is_some()
    }

    /// Whose key it is and what it may do.
    pub(crate) fn judge(&self, shown: Shown<'_>, from: Option<IpAddr>, now: i64) -> Result<Access, Denied> {
        // Every way through here makes the same hashes and the same comparisons.
        let (id, secret, whole) = parts(shown);
        let held = self.held();
        let (key, known) = held.find(id);
        let hash = match &held.pepper {
            Some(pepper) => pepper.hash(secret),
            None => hmac_sha256::Hash::hash(secret),
        };
        let right = hash.ct_eq(key.map_or(&[0; 32], |key| &key.hash));
        let shared = hmac_sha256::Hash::hash(whole).ct_eq(&self.shared.unwrap_or_default());
        if bool::from(shared & Choice::from(u8::from(self.shared.is_some()))) {
            return Ok(Access {
                project: Project::DEFAULT,
                scopes: Scopes::EVERY,
                key: None,
                keyless: false,
                meter: None,
            });
        }
        // For the counts, without a branch on which of both it is.
        let [unknown, wrong] = [Denied::Unknown, Denied::WrongSecret].map(|why| why as u8);
        let denied = u8::conditional_select(&unknown, &wrong, known);
        let Some(key) = key.filter(|_| bool::from(known & right)) else {
            return Err(Denied::ALL.get(usize::from(denied)).copied().unwrap_or(Denied::Unknown));
        };
        if key.revoked_at.is_some() {
            return Err(Denied::Revoked);
        }
        if !key.is_live(now) {
            return Err(Denied::Expired);
        }
        let near = |from: IpAddr| key.networks.iter().any(|network| network.contains(&from));
        if !key.networks.is_empty() && !from.is_some_and(near) {
            return Err(Denied::Network);
        }
        self.note(key, now);
        let (project, scopes) = (key.project, key.scopes);
        Ok(Access { project, scopes, key: Some(Arc::clone(key)), keyless: false, meter: None })
    }

    /// Whether what was allowed is allowed still.
    pub(crate) fn holds(&self, access: &Access, now: i64) -> bool {
        let Some(key) = &access.key else { return true };
        let held = self.held();
        let (found, known) = held.find(key.id.as_bytes());
        bool::from(known) && found.is_some_and(|key| key.is_live(now))
    }

    /// Looks at the keys now.
    pub(crate) async fn look(&self) -> Result<(), StoreError> {
        let news = self.store.news().await;
        let before = self.held();
        let fail = |error: StoreError, unread: Option<Book>| {
            self.replace(Held { failing: Some(error.clone()), unread, ..(*before).clone() });
            Err(error)
        };
        match news.map(|news| news.or_else(|| before.unread.clone())) {
            Ok(None) if before.failing.is_none() => {}
            Ok(None) => self.replace(Held { failing: None, ..(*before).clone() }),
            Ok(Some(book)) => match self.hold(&book, &before) {
                Ok(held) => self.replace(held),
                Err(error) => return fail(error, Some(book)),
            },
            Err(error) => return fail(error, before.unread.clone()),
        }
        Ok(())
    }

    fn hold(&self, book: &Book, before: &Held) -> Result<Held, StoreError> {
        let pepper = match &before.pepper {
            _ if book.keys.is_empty() => None,
            Some(pepper) if book.pepper.is_none_or(|known| known == pepper.print()) => Some(pepper.clone()),
            _ => {
                let pepper = Pepper::of(self.pepper.as_ref(), &self.directory, book.pepper.as_ref());
                Some(pepper.map_err(|e| StoreError::Unavailable(e.to_string()))?)
            }
        };
        let hashed = |key: &Key| (hmac_sha256::Hash::hash(key.id.as_bytes()), Arc::new(key.clone()));
        let mut keys: Vec<_> = book.keys.iter().map(hashed).collect();
        keys.sort_by_key(|(hash, _)| *hash);
        Ok(Held { pepper, keys, projects: book.projects.clone(), failing: None, unread: None })
    }

    /// Looks for changes and notes uses until the last other owner is gone.
    pub(crate) async fn keep(ring: std::sync::Weak<Self>) {
        loop {
            tokio::time::sleep(LOOK).await;
            let Some(ring) = ring.upgrade() else { return };
            // What fails is tried again; meanwhile `failing` says so at /readyz.
            let _ = ring.look().await;
            let fresh = std::mem::take(&mut ring.uses.lock().unwrap_or_else(PoisonError::into_inner).fresh);
            if !fresh.is_empty() {
                let _ = ring.store.used(fresh).await;
            }
        }
    }

    /// Why keys cannot be looked at, if they cannot: one that was revoked meanwhile would still pass.
    pub(crate) fn failing(&self) -> Option<StoreError> {
        self.held().failing.clone()
    }

    /// The name of a project, and what it may send per day.
    pub(crate) fn project(&self, project: Project) -> Option<Named> {
        self.held().projects.iter().find(|named| named.project == project).cloned()
    }

    fn note(&self, key: &Key, now: i64) {
        if key.last_used.is_some_and(|last| now.saturating_sub(last) < COARSE) {
            return;
        }
        let mut uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        let last = uses.noted.get(&key.id);
        if last.is_none_or(|last| now.saturating_sub(*last) >= COARSE) {
            uses.noted.insert(key.id.clone(), now);
            uses.fresh.push((key.id.clone(), now));
        }
    }

    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, held: Held) {
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
    }
}

impl Held {
    /// The key of an id, or one that lies near where it would, and which of both it is: a search that finds takes the
    /// steps of one that does not. None where there are no keys at all.
    fn find(&self, id: &[u8]) -> (Option<&Arc<Key>>, Choice) {
        let hash = hmac_sha256::Hash::hash(id);
        let wanted = place(&hash);
        let at = self.keys.partition_point(|(other, _)| place(other) < wanted);
        match self.keys.get(at.min(self.keys.len().saturating_sub(1))) {
            Some((found, key)) => (Some(key), found.ct_eq(&hash)),
            None => (None, Choice::from(0)),
        }
    }
}

/// Where a hash stands among others, in one comparison of numbers: that of bytes takes longer the more of them are equal.
fn place(hash: &Hash) -> u64 {
    hash.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// The public id, the secret, and the whole text.
fn parts(shown: Shown<'_>) -> (&[u8], &[u8], &[u8]) {
    match shown {
        Shown::Pair(id, secret) => (id, secret, id),
        Shown::Whole(text) => match std::str::from_utf8(text).map(ApiKey::parse) {
            Ok(Ok(key)) => (key.id.as_bytes(), key.secret.as_bytes(), text),
            _ => (text, text, text),
        },
    }
}

#[cfg(test)]
mod tests;

//! What an application says about its secrets, checked once.

use super::Redactor;
use super::custom::Custom;
use super::headers::{self, HeaderLists, HeaderRules};
use super::keyed::{HashKey, SHORTEST};
use super::names::{self, NameRules};
use super::treatment::{ClientIp, Place, Treatment};
use super::values::{Detector, ValueRules};

/// What is left out of entries: which headers are kept, which names stand for secrets, what secrets look like.
///
/// Names are compared by their parts: `api_key`, `X-Api-Key`, `apiKey` and `user[apikey]` are one name. What goes by
/// a secret name is replaced by `[redacted]`, whole; the name stays. In free text the secret alone is replaced.
///
/// | | default |
/// |---|---|
/// | headers kept | `accept`, `accept-encoding`, `accept-language`, `cache-control`, `content-encoding`, `content-length`, `content-type`, `host`, `origin`, `range`, `referer` (masked as a URL), `traceparent`, `user-agent`, `x-forwarded-for`, `x-request-id` |
/// | secret names | passwords, secrets, tokens, credentials, keys, sessions, cookies, second factors, card, account and national numbers, signatures |
/// | [detectors](Detector) | all but e-mail and IP addresses |
/// | client address | kept whole |
///
/// What cannot be judged is not kept. The debug output of an application's own types is text like any other: a secret
/// that has neither a name nor a shape of its own stays in it.
///
/// ```
/// use hoplog::{ClientIp, Detector, Redaction, Treatment};
///
/// let redaction = Redaction::default()
///     .keep_header("x-tenant")
///     .secret_name("kundennummer")
///     .innocent_name("session_count")
///     .treat_name("user_email", Treatment::Hash)
///     .detect(Detector::Email, Treatment::Mask)
///     .client_ip(ClientIp::Truncate)
///     .hash_key(b"from a safe place, 16 bytes or more");
/// # let _ = redaction;
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Redaction {
    all_headers: bool,
    keep: Vec<String>,
    deny: Vec<String>,
    treat_headers: Vec<(String, Treatment)>,
    names: Vec<(String, Treatment)>,
    innocent: Vec<String>,
    detectors: Vec<(Detector, Option<Treatment>)>,
    client_ip: ClientIp,
    hash_key: Option<HashKey>,
    custom: Option<Custom>,
}

impl Redaction {
    /// Keeps every header, not only those listed; values of secret names are replaced. Default: off.
    #[must_use]
    pub fn all_headers(mut self) -> Self {
        self.all_headers = true;
        self
    }

    /// Keeps this header too. If its name is a secret one, its value is replaced.
    #[must_use]
    pub fn keep_header(mut self, name: impl Into<String>) -> Self {
        self.keep.push(name.into());
        self
    }

    /// Leaves this header out; with [`all_headers`](Self::all_headers) its value is replaced.
    #[must_use]
    pub fn deny_header(mut self, name: impl Into<String>) -> Self {
        self.deny.push(name.into());
        self
    }

    /// Keeps this header, and its value never as it is. Goes before all other settings for headers.
    #[must_use]
    pub fn treat_header(mut self, name: impl Into<String>, treatment: Treatment) -> Self {
        self.treat_headers.push((name.into(), treatment));
        self
    }

    /// Masks what goes by this name, and by names that it is a part of: `kundennummer` stands for
    /// `X-Kunden-Nummer` and `alte_kundennummer` too.
    #[must_use]
    pub fn secret_name(self, name: impl Into<String>) -> Self {
        self.treat_name(name, Treatment::Mask)
    }

    /// As [`secret_name`](Self::secret_name), with another treatment. Goes before the built-in names.
    #[must_use]
    pub fn treat_name(mut self, name: impl Into<String>, treatment: Treatment) -> Self {
        self.names.push((name.into(), treatment));
        self
    }

    /// Masks no longer what is secret only by this part of its name: `session_count` frees that name, `pin` every
    /// name in which `pin` is the only secret part.
    #[must_use]
    pub fn innocent_name(mut self, name: impl Into<String>) -> Self {
        self.innocent.push(name.into());
        self
    }

    /// What becomes of what this detector finds. Default: [`Treatment::Mask`] for those that are on.
    #[must_use]
    pub fn detect(mut self, detector: Detector, treatment: Treatment) -> Self {
        self.detectors.push((detector, Some(treatment)));
        self
    }

    /// Turns a detector off.
    #[must_use]
    pub fn ignore(mut self, detector: Detector) -> Self {
        self.detectors.push((detector, None));
        self
    }

    /// How much is kept of clients' addresses: of the client, of the peer, and in headers of proxies. Default: all.
    /// Unless all is kept, the peer's address is truncated or left out too.
    #[must_use]
    pub fn client_ip(mut self, client_ip: ClientIp) -> Self {
        self.client_ip = client_ip;
        self
    }

    /// The key of all hashes, 16 bytes or more; `HOPLOG_HASH_KEY` where it is not set here. Keep it the same in all
    /// services whose entries are to be joined, and out of the collector's reach. Default: none, which
    /// [`Treatment::Hash`] and [`ClientIp::Hash`] do not accept; bodies that cannot be read are then hashed under a
    /// key of this process alone.
    #[must_use]
    pub fn hash_key(mut self, key: impl AsRef<[u8]>) -> Self {
        self.hash_key = Some(HashKey::new(key.as_ref()));
        self
    }

    /// A judgement of your own, asked about every header, parameter, JSON member and field that the rules by name let
    /// through: its place, name and value. `None` leaves it to the detectors. Runs on the request's thread, in no
    /// request's context. If it panics the value goes, and `[redaction failed]` stands in its place; so it does in what
    /// [`Client::install_panic_hook`](crate::Client::install_panic_hook) tells, where no hook can be asked.
    #[must_use]
    pub fn custom(
        mut self,
        judge: impl Fn(Place, &str, &str) -> Option<Treatment> + Send + Sync + 'static,
    ) -> Self {
        self.custom = Some(Custom::new(judge));
        self
    }

    /// Takes the key from the environment where code gave none.
    pub(crate) fn or_hash_key(mut self, key: Option<&str>) -> Self {
        self.hash_key = self.hash_key.or(key.map(|key| HashKey::new(key.as_bytes())));
        self
    }

    /// # Errors
    /// All complaints: a header name that is none, one both kept and denied, a word without two letters or digits, a
    /// hash without a key, a key that is too short.
    pub(crate) fn build(&self) -> Result<Redactor, Vec<String>> {
        let mut complaints = self.complaints();
        let key = match &self.hash_key {
            Some(key) => Some(key.clone()),
            None => HashKey::random(),
        };
        let Some(key) = key.filter(|_| complaints.is_empty()) else {
            if complaints.is_empty() {
                complaints.push("the system gives no random bytes: set `hash_key`".into());
            }
            return Err(complaints);
        };
        let names = NameRules::new(&self.names, &self.innocent);
        let values = ValueRules::new(&self.detectors);
        let lists = HeaderLists {
            all: self.all_headers,
            keep: &self.keep,
            deny: &self.deny,
            treat: &self.treat_headers,
            text: values.is_on(),
            addresses: self.client_ip != ClientIp::Full,
            custom: self.custom.is_some(),
        };
        let headers = HeaderRules::new(&names, &lists);
        Ok(Redactor { names, headers, values, key, client_ip: self.client_ip, custom: self.custom.clone() })
    }

    fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let treated: Vec<String> = self.treat_headers.iter().map(|(name, _)| name.clone()).collect();
        for (setter, headers) in
            [("keep_header", &self.keep), ("deny_header", &self.deny), ("treat_header", &treated)]
        {
            for name in headers.iter().filter(|name| !headers::is_header_name(name)) {
                complaints
                    .push(format!("{setter}({name:?}): not a header name; use letters, digits and `-`"));
            }
        }
        for name in self.keep.iter().filter(|k| self.deny.iter().any(|d| d.eq_ignore_ascii_case(k))) {
            complaints.push(format!("keep_header({name:?}): deny_header names it too; take one of them out"));
        }
        let secret = self.names.iter().map(|(name, _)| ("secret_name", name));
        for (setter, word) in secret.chain(self.innocent.iter().map(|name| ("innocent_name", name))) {
            if !names::is_word(word) {
                complaints.push(format!(
                    "{setter}({word:?}): not a name; use 2 to 128 bytes with letters or digits"
                ));
            }
        }
        match &self.hash_key {
            Some(key) if key.len() < SHORTEST => complaints.push(format!(
                "hash_key: has {} bytes; give it {SHORTEST} or more, random ones",
                key.len()
            )),
            None if self.hashes() => complaints.push(
                "hash_key: something is to be hashed, and there is no key; call `hash_key` or set HOPLOG_HASH_KEY, \
                 or choose another treatment"
                    .into(),
            ),
            _ => {}
        }
        complaints
    }

    /// Whether anything is to be hashed by its rule.
    fn hashes(&self) -> bool {
        let named = self.names.iter().chain(&self.treat_headers).any(|(_, t)| *t == Treatment::Hash);
        let found = self.detectors.iter().any(|(_, t)| *t == Some(Treatment::Hash));
        named || found || self.client_ip == ClientIp::Hash
    }
}

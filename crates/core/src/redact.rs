//! Privacy before the queue: what a captured value looks like when it is written. Pure functions of bytes.
//!
//! ```text
//! Redaction (configuration) ─ build ─► Redactor ─┬─ header(name) ─► Keep · MaskUrl · Redact · Skip
//!                                                ├─ query, url, path ─► Verdict, and the masked text
//!                                                └─ names.is_secret(key) for everything else with keys
//! ```
//!
//! Invariants: a value goes whole or stays whole; what cannot be read is taken for secret; what is not masked is
//! byte for byte what came. UTF-8 in gives UTF-8 out.

mod hash;
mod headers;
mod inner;
mod json;
mod names;
mod query;
mod rewrite;
#[cfg(test)]
mod tests;
mod url;

pub(crate) use headers::HeaderAction;
use headers::HeaderRules;
use names::NameRules;

/// What stands in the place of a masked value.
pub(crate) const REDACTED: &str = "[redacted]";

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing in it is secret; nothing was written: use it as it came.
    Unchanged,
    /// The masked text was appended to the output.
    Masked,
    /// It cannot be judged; nothing was written and it must not be kept.
    Dropped,
}

/// What is left out of entries: which headers are kept, and which names stand for secrets.
///
/// Names are compared by their parts: `api_key`, `X-Api-Key`, `apiKey` and `user[apikey]` are one name. What goes by
/// a secret name is replaced by `[redacted]`, whole; the name stays.
///
/// | | default |
/// |---|---|
/// | headers kept | `accept`, `accept-encoding`, `accept-language`, `cache-control`, `content-encoding`, `content-length`, `content-type`, `host`, `origin`, `range`, `referer` (masked as a URL), `traceparent`, `user-agent`, `x-forwarded-for`, `x-request-id` |
/// | secret names | passwords, secrets, tokens, credentials, keys, sessions, cookies, second factors, card, account and national numbers, signatures |
///
/// ```
/// let redaction = hoplog::Redaction::default()
///     .keep_header("x-tenant")
///     .secret_name("kundennummer")
///     .innocent_name("session_count");
/// # let _ = redaction;
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Redaction {
    all_headers: bool,
    keep: Vec<String>,
    deny: Vec<String>,
    secret: Vec<String>,
    innocent: Vec<String>,
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

    /// Masks what goes by this name, and by names that it is a part of: `kundennummer` stands for
    /// `X-Kunden-Nummer` and `alte_kundennummer` too.
    #[must_use]
    pub fn secret_name(mut self, name: impl Into<String>) -> Self {
        self.secret.push(name.into());
        self
    }

    /// Masks no longer what is secret only by this part of its name: `session_count` frees that name, `pin` every
    /// name in which `pin` is the only secret part.
    #[must_use]
    pub fn innocent_name(mut self, name: impl Into<String>) -> Self {
        self.innocent.push(name.into());
        self
    }

    /// # Errors
    /// All complaints: a header name that is none, one both kept and denied, a word without two letters or digits.
    pub(crate) fn build(&self) -> Result<Redactor, Vec<String>> {
        let mut complaints = Vec::new();
        for (setter, headers) in [("keep_header", &self.keep), ("deny_header", &self.deny)] {
            for name in headers.iter().filter(|name| !headers::is_header_name(name)) {
                complaints
                    .push(format!("{setter}({name:?}): not a header name; use letters, digits and `-`"));
            }
        }
        for name in self.keep.iter().filter(|k| self.deny.iter().any(|d| d.eq_ignore_ascii_case(k))) {
            complaints.push(format!("keep_header({name:?}): deny_header names it too; take one of them out"));
        }
        for (setter, words) in [("secret_name", &self.secret), ("innocent_name", &self.innocent)] {
            for word in words.iter().filter(|word| !names::is_word(word)) {
                complaints.push(format!(
                    "{setter}({word:?}): not a name; use 2 to 128 bytes with letters or digits"
                ));
            }
        }
        if !complaints.is_empty() {
            return Err(complaints);
        }
        let names = NameRules::new(&self.secret, &self.innocent);
        let headers = HeaderRules::new(&names, self.all_headers, &self.keep, &self.deny);
        Ok(Redactor { names, headers })
    }
}

/// The rules of one client, ready for the request path.
#[derive(Debug)]
pub(crate) struct Redactor {
    names: NameRules,
    headers: HeaderRules,
}

impl Redactor {
    /// Whether what goes by this name is masked.
    #[inline]
    pub(crate) fn is_secret(&self, name: &[u8]) -> bool {
        self.names.is_secret(name)
    }

    /// What to do with the header of this name, of any case.
    #[inline]
    pub(crate) fn header(&self, name: &[u8]) -> HeaderAction {
        self.headers.decide(&self.names, name)
    }

    /// Masks a query, without its `?`.
    pub(crate) fn query(&self, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
        query::mask(&self.names, raw, out)
    }

    /// Masks a URL or a reference relative to one. What cannot be read as such is replaced whole.
    pub(crate) fn url(&self, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
        url::mask(&self.names, raw, out)
    }

    /// Masks the path of a request: parameters in it, as `;jsessionid=…`.
    pub(crate) fn path(&self, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
        url::mask_path(&self.names, raw, out)
    }

    pub(crate) fn body(&self, _: &[u8], bytes: &[u8], _: bool, out: &mut Vec<u8>) -> Verdict {
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        match self.json(text) {
            None => Verdict::Unchanged,
            Some(t) => {
                out.extend_from_slice(t.as_bytes());
                Verdict::Masked
            }
        }
    }
    pub(crate) fn hash(&self, _: &[u8]) -> String {
        "hmac:stub".into()
    }

    /// JSON in which the values under secret names are masked, at any depth and whatever their type; `None` where
    /// nothing was to mask.
    pub(crate) fn json(&self, text: &str) -> Option<String> {
        json::mask(&self.names, text)
    }
}

//! Privacy before the queue: what a captured value looks like when it is written. Pure functions of bytes.
//!
//! ```text
//! Redaction (configuration) ─ build ─► Redactor ─┬─ header(name), header_value ─► kept, masked, left out
//!                                                ├─ query, url, path, form ─ by parameter ──┐
//!                                                ├─ json, body ─ by member ─────────────────┼─ names, then
//!                                                ├─ text: messages, errors ─────────────────┘  values (detectors)
//!                                                └─ ip: whole, truncated, hashed, none
//! ```
//!
//! Invariants: a secret goes whole or stays whole; what cannot be read is taken for secret; what is not masked is
//! byte for byte what came. UTF-8 in gives UTF-8 out. The work is linear in the input, and so is the output.

mod body;
mod client_ip;
mod config;
mod custom;
mod hash;
mod headers;
mod inner;
mod json;
mod keyed;
mod names;
mod query;
mod rewrite;
mod seen;
#[cfg(test)]
mod tests;
mod treatment;
mod url;
mod values;

use std::borrow::Cow;
use std::net::IpAddr;

use crate::error_chain::harmless;
pub(crate) use client_ip::WrittenIp;
pub use config::Redaction;
use custom::Custom;
pub(crate) use custom::{is_unasked, unasked};
use headers::HeaderRules;
pub(crate) use headers::{HeaderAction, is_host_alone};
use keyed::HashKey;
use names::NameRules;
use rewrite::Rewrite;
use treatment::Fate;
pub use treatment::{ClientIp, Place, Treatment};
pub use values::Detector;
use values::ValueRules;

/// What stands in the place of a masked value.
pub(crate) const REDACTED: &str = "[redacted]";
/// What stands in the place of a value that could not be judged.
const FAILED: &str = "[redaction failed]";

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing in it is secret; nothing was written: use it as it came.
    Unchanged,
    /// The masked text was appended to the output.
    Masked,
    /// It cannot be judged or is not wanted; nothing was written and it must not be kept.
    Dropped,
}

/// The rules of one client, ready for the request path.
#[derive(Debug)]
pub(crate) struct Redactor {
    names: NameRules,
    headers: HeaderRules,
    values: ValueRules,
    key: HashKey,
    client_ip: ClientIp,
    custom: Option<Custom>,
}

impl Redactor {
    /// What to do with the header of this name, of any case.
    #[inline(never)] // headers with a code are decided beforehand
    pub(crate) fn header(&self, name: &[u8]) -> HeaderAction {
        self.headers.decide(&self.names, name)
    }

    /// Whether a header of free text holds no secret. Of what was seen before it costs little to say.
    #[inline]
    pub(crate) fn is_plain(&self, value: &[u8]) -> bool {
        self.values.is_plain(&self.names, value)
    }

    /// What becomes of the value of a header.
    pub(crate) fn header_value(
        &self,
        action: HeaderAction,
        name: &str,
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Verdict {
        let fate = match action {
            HeaderAction::Skip => Some(Fate::DROP),
            HeaderAction::Mask => Some(Fate::MASK),
            HeaderAction::Hash => Some(Fate::Treat(Treatment::Hash)),
            _ => self.custom(Place::Header, name.as_bytes(), value),
        };
        match (fate, action) {
            (Some(Fate::DROP), _) => Verdict::Dropped,
            (Some(fate), _) => {
                fate.write(&self.key, value, out);
                Verdict::Masked
            }
            (None, HeaderAction::Url) => self.url(value, out),
            (None, HeaderAction::Host | HeaderAction::Addresses | HeaderAction::Ask)
                if headers::names_a_host(name) && !is_host_alone(value) =>
            {
                Fate::MASK.write(&self.key, value, out);
                Verdict::Masked
            }
            (None, HeaderAction::Addresses) => client_ip::mask_list(self, value, out),
            (None, HeaderAction::Text | HeaderAction::Ask) if self.client_ip != ClientIp::Full => {
                // Proxies have many names for the header in which they say who the client is.
                match client_ip::is_list(value) {
                    true => client_ip::mask_list(self, value, out),
                    false => self.free(value, out),
                }
            }
            (None, HeaderAction::Text | HeaderAction::Ask) => self.free(value, out),
            (None, _) => Verdict::Unchanged,
        }
    }

    /// Whether a query is one of those that need no masking, as most are.
    #[inline(never)] // at its one place
    pub(crate) fn is_plain_query(&self, raw: &[u8]) -> bool {
        query::is_plain(self, raw)
    }

    /// Whether a path is one of those that need no masking, as most are.
    #[inline]
    pub(crate) fn is_plain_path(&self, raw: &[u8]) -> bool {
        !url::is_unusual(self, raw)
    }

    /// Masks a query, without its `?`.
    pub(crate) fn query(&self, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
        query::mask(self, raw, out)
    }

    /// Masks a URL or a reference relative to one. What cannot be read as such is replaced whole.
    pub(crate) fn url(&self, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
        url::mask(self, raw, out)
    }

    /// Masks the path of a request: parameters in it, as `;jsessionid=…`, and segments that are secrets.
    pub(crate) fn path(&self, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
        url::mask_path(self, raw, out)
    }

    /// Masks a body by its content type; `truncated` says that these are its first bytes and not all. Dropped if it
    /// cannot be read: then its size and [`hash`](Self::hash) may be told.
    pub(crate) fn body(
        &self,
        content_type: &[u8],
        bytes: &[u8],
        truncated: bool,
        out: &mut Vec<u8>,
    ) -> Verdict {
        body::mask(self, content_type, bytes, truncated, out)
    }

    /// The keyed hash of bytes that nobody may read.
    pub(crate) fn hash(&self, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        self.key.write(bytes, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Free text without the secrets that can be known by their shape.
    pub(crate) fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut out = Vec::new();
        match harmless(|| self.free(text.as_bytes(), &mut out)).unwrap_or(Verdict::Dropped) {
            Verdict::Unchanged => Cow::Borrowed(text),
            Verdict::Masked => String::from_utf8(out).map_or(Cow::Borrowed(FAILED), Cow::Owned),
            Verdict::Dropped => Cow::Borrowed(FAILED),
        }
    }

    /// A field of the application's own: JSON to write in its place, or nothing at all.
    pub(crate) fn field<'a>(&self, name: &str, json: &'a str) -> Option<Cow<'a, str>> {
        harmless(|| self.judge_field(name, json))?
    }

    fn judge_field<'a>(&self, name: &str, json: &'a str) -> Option<Cow<'a, str>> {
        let secret = json.strip_prefix('"').and_then(|j| j.strip_suffix('"')).unwrap_or(json).as_bytes();
        let fate = self.fate_of_name(name.as_bytes());
        if let Some(fate) = fate.or_else(|| self.custom(Place::Field, name.as_bytes(), json.as_bytes())) {
            if fate == Fate::DROP {
                return None;
            }
            let mut out = b"\"".to_vec();
            fate.write(&self.key, secret, &mut out);
            out.push(b'"');
            return String::from_utf8(out).ok().map(Cow::Owned);
        }
        let mut out = Vec::new();
        match json::mask(self, json.as_bytes(), false, &mut out) {
            Verdict::Unchanged => Some(Cow::Borrowed(json)),
            Verdict::Masked => String::from_utf8(out).ok().map(Cow::Owned),
            // Deeper than anyone reads.
            Verdict::Dropped => Some(Cow::Owned(format!("\"{REDACTED}\""))),
        }
    }

    /// What is written of the client's address.
    #[inline]
    pub(crate) fn ip(&self, ip: IpAddr) -> WrittenIp {
        self.client_ip.apply(&self.key, ip)
    }

    /// What is written of the address at the other end of the connection, which may be the client's: never its hash,
    /// as there is one field for that.
    #[inline]
    pub(crate) fn peer(&self, ip: IpAddr) -> Option<IpAddr> {
        match self.client_ip {
            ClientIp::Full => Some(ip),
            ClientIp::Truncate => match self.ip(ip) {
                WrittenIp::Address(ip) => Some(ip),
                _ => None,
            },
            ClientIp::Hash | ClientIp::Drop => None,
        }
    }

    fn free(&self, raw: &[u8], out: &mut Vec<u8>) -> Verdict {
        let mut rewrite = Rewrite::new(raw, out);
        values::mask(self, &mut rewrite, 0, raw.len(), false);
        rewrite.finish()
    }

    /// What becomes of what goes by this name.
    #[inline]
    fn fate_of_name(&self, name: &[u8]) -> Option<Fate> {
        self.names.treatment(name).map(Fate::Treat)
    }

    /// What the application's own hook says, if there is one.
    #[inline]
    fn custom(&self, place: Place, name: &[u8], value: &[u8]) -> Option<Fate> {
        self.custom.as_ref()?.judge(place, name, value)
    }
}

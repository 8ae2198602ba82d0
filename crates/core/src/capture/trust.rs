//! Whose word counts: which peers are proxies that may say who their client is, and what becomes of the ids that
//! callers bring.
//!
//! ```text
//! peer ─ among the proxies? ─► zone ─┬─ client's address, scheme, host (entry/forwarded)
//!                                    ├─ trace mode: continue · restart with a link · ignore
//!                                    └─ user, session, tenant from headers, if trusted (identity)
//! ```

mod identity;
#[cfg(test)]
mod tests;

use hoplog_entry::forwarded::{Client, ForwardedBy, Proxies};

pub(super) use identity::{printable, told_by_headers};

use super::RequestHead;

/// What becomes of the trace that a caller says it is part of, and of its `x-request-id` and opaque `x-trace-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TraceMode {
    /// All of them go on: `traceparent` with its `tracestate`, else `b3`, `X-B3-…`, else `x-trace-id`.
    #[default]
    Continue,
    /// A new trace, and `linked_trace_id` and `linked_span_id` in the entry name the caller's. `tracestate`,
    /// `x-request-id` and an opaque `x-trace-id` are not taken: new ids stand in their place.
    Restart,
    /// A new trace and new ids, and none of the caller's: they stand nowhere but among the request's headers, where
    /// [`Redaction`](crate::Redaction) keeps those.
    Ignore,
}

/// Whose word counts. A request comes from one of two zones, by the other end of its connection: a proxy that is
/// trusted, or everyone else.
///
/// | | from trusted proxies | from everyone else |
/// |---|---|---|
/// | client's address, port, scheme, host | as the proxies say | those of the connection and the request |
/// | trace, `x-request-id`, opaque `x-trace-id` | [`traces_from_proxies`](Self::traces_from_proxies): continued | [`traces_from_others`](Self::traces_from_others): continued |
/// | `x-user-id`, `x-session-id`, `x-tenant-id` | taken: one line each, 1 to 255 bytes of printable text | not taken |
///
/// By default nobody is trusted: the client is the peer. Services that call each other are peers like proxies: name
/// their networks too. A proxy that is named here must itself take away or overwrite what its clients may not say.
///
/// A connection without an address — a Unix socket, or a server that does not tell it, as axum's without
/// `into_make_service_with_connect_info` — is nobody's, and its entries have no `ip`; `unix:` among the proxies trusts
/// them all.
///
/// ```
/// use hoplog::{ForwardedBy, TraceMode, Trust};
///
/// let client = hoplog::Client::builder()
///     .trust(
///         Trust::default()
///             .proxies(["10.0.0.0/8", "2001:db8::/32"])
///             .forwarded_by(ForwardedBy::Forwarded)
///             .traces_from_others(TraceMode::Restart),
///     )
///     .build()?;
/// # let _ = client;
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Trust {
    proxies: Option<Vec<String>>,
    by: ForwardedBy,
    from_proxies: TraceMode,
    from_others: TraceMode,
    client_types: bool,
}

impl Trust {
    /// Trusts the peers of these networks (`10.0.0.0/8`) and addresses; `unix:` stands for connections without an
    /// address. Default: the variable `HOPLOG_TRUSTED_PROXIES`, separated by commas, else nobody. IPv4 addresses in IPv6
    /// form are the same as in their own.
    #[must_use]
    pub fn proxies(mut self, networks: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.proxies = Some(networks.into_iter().map(Into::into).collect());
        self
    }

    /// Which headers the proxies write; no other is read. Default: [`ForwardedBy::XForwarded`].
    #[must_use]
    pub fn forwarded_by(mut self, by: ForwardedBy) -> Self {
        self.by = by;
        self
    }

    /// What becomes of the ids that trusted proxies bring. Default: [`TraceMode::Continue`].
    #[must_use]
    pub fn traces_from_proxies(mut self, mode: TraceMode) -> Self {
        self.from_proxies = mode;
        self
    }

    /// What becomes of the ids that everyone else brings. Default: [`TraceMode::Continue`].
    #[must_use]
    pub fn traces_from_others(mut self, mode: TraceMode) -> Self {
        self.from_others = mode;
        self
    }

    /// Also writes `client_type`, `origin` and `api_version`. Default: off, as it walks the headers once more.
    ///
    /// | field | value |
    /// |---|---|
    /// | `client_type` | `X-Client-Type`, if it is one word of up to 32 characters; else `miniprogram` by the user agent (MicroMessenger, miniProgram); else `server` if there is an `X-Caller-Service`; else `web` for a browser with a referer or an origin; else `other` |
    /// | `origin` | of `web`: the referer, masked as that header is, else the `origin` header; `miniprogram:{X-MiniProgram-AppId}{X-MiniProgram-Path}`, `app:{X-App-Name}/{X-App-Version}/{X-App-Scene}`, `server:{X-Caller-Service}/{X-Caller-Version}`; left out where it is unknown |
    /// | `api_version` | `v1` of `/api/v1/…` |
    ///
    /// The client says all of it, and none of it is checked.
    #[must_use]
    pub fn client_types(mut self) -> Self {
        self.client_types = true;
        self
    }

    /// `variable` counts where code named no proxies. Complains of texts that are no networks, and of a header name
    /// that is none.
    pub(crate) fn build(&self, variable: Option<&str>, complaints: &mut Vec<String>) -> TrustRules {
        let mut read = |source: &str, list: &[&str]| match Proxies::parse(list.iter().copied()) {
            Ok(proxies) => proxies,
            Err(invalid) => {
                complaints.extend(invalid.iter().map(|text| format!("{source}: {text}")));
                Proxies::default()
            }
        };
        let proxies = match (&self.proxies, variable) {
            (Some(list), _) => read("`Trust::proxies`", &list.iter().map(String::as_str).collect::<Vec<_>>()),
            (None, Some(list)) => read("HOPLOG_TRUSTED_PROXIES", &list.split(',').collect::<Vec<_>>()),
            (None, None) => Proxies::default(),
        };
        let mut by = self.by.clone();
        if let ForwardedBy::Header(name) = &mut by {
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
                complaints.push(format!(
                    "`Trust::forwarded_by`: {name:?} is not a header name; use one like `X-Real-IP`"
                ));
            }
            name.make_ascii_lowercase();
        }
        let &Self { from_proxies, from_others, client_types, .. } = self;
        TrustRules { proxies, by, from_proxies, from_others, client_types }
    }
}

/// [`Trust`], ready for the request path.
#[derive(Debug, Default)]
pub(crate) struct TrustRules {
    proxies: Proxies,
    by: ForwardedBy,
    from_proxies: TraceMode,
    from_others: TraceMode,
    client_types: bool,
}

/// Who calls.
#[derive(Debug, Default)]
pub(super) struct Caller<'h> {
    /// Its address, scheme and host; the port only where a proxy told it. `None`: it is the peer.
    pub(super) client: Option<Client<'h>>,
    /// The connection's other end is a trusted proxy.
    pub(super) trusted: bool,
    pub(super) mode: TraceMode,
}

impl TrustRules {
    #[inline]
    pub(super) fn client_types(&self) -> bool {
        self.client_types
    }

    /// Headers are walked only where somebody is trusted.
    #[inline]
    pub(super) fn caller<'h, I>(&self, head: &RequestHead<'_>, headers: impl Fn() -> I) -> Caller<'h>
    where
        I: Iterator<Item = (&'h str, &'h [u8])>,
    {
        if self.proxies.is_empty() {
            return self.anyone();
        }
        self.walk(head, headers())
    }

    #[inline(always)] // a Caller is more than it is worth to hand over
    fn anyone<'h>(&self) -> Caller<'h> {
        Caller { client: None, trusted: false, mode: self.from_others }
    }

    #[cold] // as what nobody asked for does not lie in the way
    fn walk<'h>(
        &self,
        head: &RequestHead<'_>,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    ) -> Caller<'h> {
        if !self.proxies.trust(head.peer) {
            return self.anyone();
        }
        let client = self.by.client(head.peer, &self.proxies, headers);
        Caller { client: Some(client), trusted: true, mode: self.from_proxies }
    }
}

//! What becomes of a header, by its name.

use super::hash::Ends;
use super::names::NameRules;

/// What to do with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderAction {
    /// Keep the value as it is.
    Keep,
    /// The value is a URL: keep what masking leaves of it.
    MaskUrl,
    /// Keep the name, replace the value.
    Redact,
    /// Leave the header out.
    Skip,
}

/// Kept by default.
const KEPT: &[&str] = &[
    "accept",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "origin",
    "range",
    "referer",
    "traceparent",
    "user-agent",
    "x-forwarded-for",
    "x-request-id",
];

/// Headers whose value is a URL or begins with one.
const URLS: &[&str] = &[
    "content-location",
    "destination",
    "link",
    "location",
    "origin",
    "referer",
    "refresh",
    "x-envoy-original-path",
    "x-forwarded-path",
    "x-forwarded-uri",
    "x-original-uri",
    "x-original-url",
    "x-rewrite-url",
];

/// Headers with secrets in them whose names do not say so.
const DENIED: &[&str] = &[
    "authentication-info",
    "dpop",
    "proxy-authentication-info",
    "sec-websocket-protocol", // browsers have no other place for a token
    "x-amzn-oidc-data",
    "x-ms-client-principal",
];

/// The decisions for all names known beforehand, in a table with open addressing.
#[derive(Debug)]
pub(crate) struct HeaderRules {
    table: Box<[Slot]>,
    all: bool,
}

#[derive(Debug, Clone)]
struct Slot {
    ends: Ends,
    /// In lower case; empty where the slot is free.
    name: Box<[u8]>,
    action: HeaderAction,
}

impl HeaderRules {
    /// `keep` goes before the built-in lists, `deny` before `keep`, and a secret name before all but `deny`.
    pub(super) fn new(names: &NameRules, all: bool, keep: &[String], deny: &[String]) -> Self {
        let known = KEPT.len() + URLS.len() + DENIED.len() + keep.len() + deny.len();
        let free = Slot { ends: Ends::default(), name: Box::default(), action: HeaderAction::Skip };
        // At most a quarter full: few steps to the name or to a free slot.
        let mut this = Self { table: vec![free; (4 * known).next_power_of_two()].into(), all };

        let by_name = |name: &str| {
            if names.is_secret(name.as_bytes()) {
                HeaderAction::Redact
            } else if URLS.contains(&name) {
                HeaderAction::MaskUrl
            } else {
                HeaderAction::Keep
            }
        };
        let lower: Vec<String> = keep.iter().map(|name| name.to_ascii_lowercase()).collect();
        KEPT.iter().for_each(|name| this.set(name, by_name(name)));
        if all {
            URLS.iter().for_each(|name| this.set(name, by_name(name)));
            DENIED.iter().for_each(|name| this.set(name, HeaderAction::Redact));
        }
        lower.iter().for_each(|name| this.set(name, by_name(name)));
        let denied = if all { HeaderAction::Redact } else { HeaderAction::Skip };
        deny.iter().for_each(|name| this.set(&name.to_ascii_lowercase(), denied));
        this
    }

    fn set(&mut self, name: &str, action: HeaderAction) {
        let slot = self.slot(name.as_bytes());
        self.table[slot] = Slot { ends: Ends::folded(name.as_bytes()), name: name.as_bytes().into(), action };
    }

    /// The slot of this name, of any case, or the free one where it would stand.
    #[inline]
    fn slot(&self, name: &[u8]) -> usize {
        let mask = self.table.len() - 1;
        let ends = Ends::folded(name);
        let mut at = ends.hash() & mask;
        loop {
            let slot = &self.table[at];
            // Folding takes `^` for `~` and control characters for digits: none of them names two headers.
            let found = slot.ends == ends && (ends.are_all() || slot.name.eq_ignore_ascii_case(name));
            if found || slot.name.is_empty() {
                return at;
            }
            at = (at + 1) & mask;
        }
    }

    #[inline]
    pub(super) fn decide(&self, names: &NameRules, name: &[u8]) -> HeaderAction {
        let slot = &self.table[self.slot(name)];
        match (slot.name.is_empty(), self.all) {
            (false, _) => slot.action,
            (true, false) => HeaderAction::Skip,
            (true, true) if names.is_secret(name) => HeaderAction::Redact,
            (true, true) => HeaderAction::Keep,
        }
    }
}

/// Whether a header can have this name (`token` of RFC 9110 §5.6.2).
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

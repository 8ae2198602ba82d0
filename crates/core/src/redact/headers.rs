//! What becomes of a header, by its name.

use super::hash::Ends;
use super::names::NameRules;
use super::treatment::Treatment;

/// What to do with a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderAction {
    /// Keep the value as it is.
    Keep,
    /// The value is free text: keep what the detectors leave of it.
    Text,
    /// Ask the application, then as free text.
    Ask,
    /// The value is a URL: keep what masking leaves of it.
    Url,
    /// The value holds addresses of clients: keep what is wanted of them.
    Addresses,
    /// The value names a host: keep it if that is all. `host` itself is looked at in the walk over the headers.
    Host,
    /// Keep the name, replace the value.
    Mask,
    /// Keep the name and the value's keyed hash.
    Hash,
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

/// Headers that say which host the client asked for. None of them has room for a user and a password (RFC 9110 §7.2);
/// servers and proxies let them pass all the same.
const HOSTS: &[&str] = &["forwarded", "x-forwarded-host", "x-forwarded-server", "x-host", "x-original-host"];

/// Headers in which proxies say who the client is.
const ADDRESSES: &[&str] = &[
    "cf-connecting-ip",
    "cf-connecting-ipv6",
    "cf-pseudo-ipv4",
    "client-ip",
    "fastly-client-ip",
    "fly-client-ip",
    "forwarded",
    "true-client-ip",
    "x-appengine-user-ip",
    "x-azure-clientip",
    "x-azure-socketip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-envoy-external-address",
    "x-forwarded",
    "x-forwarded-for",
    "x-original-forwarded-for",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-vercel-forwarded-for",
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

/// Headers whose value has a form in which no secret of a known shape can stand: nobody looks into them.
const STRUCTURED: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "cache-control",
    "connection",
    "content-encoding",
    "content-language",
    "content-length",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "grpc-status",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "last-modified",
    "range",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "vary",
    "x-request-id",
];

/// The decisions for all names known beforehand, in a table with open addressing.
#[derive(Debug)]
pub(super) struct HeaderRules {
    table: Box<[Slot]>,
    all: bool,
    /// What becomes of a value of which nothing is known.
    free: HeaderAction,
}

/// Which headers are what.
#[derive(Debug)]
pub(super) struct HeaderLists<'a> {
    pub(super) all: bool,
    pub(super) keep: &'a [String],
    pub(super) deny: &'a [String],
    pub(super) treat: &'a [(String, Treatment)],
    /// Whether anything looks at free text.
    pub(super) text: bool,
    /// Whether less than the whole address of a client is kept.
    pub(super) addresses: bool,
    /// Whether the application has its own word about every header.
    pub(super) custom: bool,
}

#[derive(Debug, Clone)]
struct Slot {
    ends: Ends,
    /// In lower case; empty where the slot is free.
    name: Box<[u8]>,
    action: HeaderAction,
}

impl HeaderRules {
    /// `keep` goes before the built-in lists, `deny` before `keep`, `treat` before both, and a secret name before all
    /// but those two.
    pub(super) fn new(names: &NameRules, lists: &HeaderLists<'_>) -> Self {
        let HeaderLists { all, keep, deny, treat, .. } = *lists;
        let known = KEPT.len() + URLS.len() + DENIED.len() + STRUCTURED.len() + ADDRESSES.len() + HOSTS.len();
        let known = known + keep.len() + deny.len() + treat.len();
        let free = match (lists.custom, lists.text || lists.addresses) {
            (true, _) => HeaderAction::Ask,
            (false, true) => HeaderAction::Text,
            (false, false) => HeaderAction::Keep,
        };
        let slot = Slot { ends: Ends::default(), name: Box::default(), action: HeaderAction::Skip };
        // At most a quarter full: few steps to the name or to a free slot.
        let mut this = Self { table: vec![slot; (4 * known).next_power_of_two()].into(), all, free };

        let by_name = |name: &str| match names.treatment(name.as_bytes()) {
            Some(treatment) => treated(treatment),
            None if URLS.contains(&name) => HeaderAction::Url,
            None if ADDRESSES.contains(&name) && lists.addresses => HeaderAction::Addresses,
            None if HOSTS.contains(&name) && !lists.custom => HeaderAction::Host,
            None if STRUCTURED.contains(&name) && !lists.custom => HeaderAction::Keep,
            None if ADDRESSES.contains(&name) && !lists.custom => HeaderAction::Keep,
            None => free,
        };
        KEPT.iter().for_each(|name| this.set(name, by_name(name)));
        if all {
            [URLS, STRUCTURED, ADDRESSES, HOSTS]
                .iter()
                .flat_map(|l| l.iter())
                .for_each(|n| this.set(n, by_name(n)));
            DENIED.iter().for_each(|name| this.set(name, HeaderAction::Mask));
        }
        let lower: Vec<String> = keep.iter().map(|name| name.to_ascii_lowercase()).collect();
        lower.iter().for_each(|name| this.set(name, by_name(name)));
        let denied = if all { HeaderAction::Mask } else { HeaderAction::Skip };
        deny.iter().for_each(|name| this.set(&name.to_ascii_lowercase(), denied));
        treat.iter().for_each(|(name, how)| this.set(&name.to_ascii_lowercase(), treated(*how)));
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
            (true, true) => names.treatment(name).map_or(self.free, treated),
        }
    }
}

/// Whether the header of this name says which host is meant.
pub(super) fn names_a_host(name: &str) -> bool {
    HOSTS.iter().any(|host| host.eq_ignore_ascii_case(name))
}

/// Whether a header that names a host has nothing else in its value.
#[inline]
pub(crate) fn is_host_alone(value: &[u8]) -> bool {
    !value.contains(&b'@')
}

fn treated(treatment: Treatment) -> HeaderAction {
    match treatment {
        Treatment::Mask => HeaderAction::Mask,
        Treatment::Hash => HeaderAction::Hash,
        Treatment::Drop => HeaderAction::Skip,
    }
}

/// Whether a header can have this name (`token` of RFC 9110 §5.6.2).
pub(super) fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

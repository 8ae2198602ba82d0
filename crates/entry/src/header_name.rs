//! Header names that are common enough to have a code: one byte in a record instead of the name.

macro_rules! known_headers {
    ($($variant:ident = $code:literal => $name:literal,)+) => {
        /// A header with a code of its own. Codes never change; new ones are added at the end.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs)] // the names say it
        pub enum KnownHeader { $($variant = $code,)+ }

        impl KnownHeader {
            /// Every one, in order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The lower-case name.
            #[inline]
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                // A table, as a `match` becomes a jump and a stub for each name.
                static NAMES: &[&str] = &[$($name),+];
                NAMES[self as usize]
            }

            /// The byte in a record.
            #[inline]
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The header with this code.
            #[inline]
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

known_headers! {
    Accept = 0 => "accept",
    AcceptEncoding = 1 => "accept-encoding",
    AcceptLanguage = 2 => "accept-language",
    Authorization = 3 => "authorization",
    CacheControl = 4 => "cache-control",
    Connection = 5 => "connection",
    ContentEncoding = 6 => "content-encoding",
    ContentLength = 7 => "content-length",
    ContentType = 8 => "content-type",
    Cookie = 9 => "cookie",
    Date = 10 => "date",
    ETag = 11 => "etag",
    Forwarded = 12 => "forwarded",
    Host = 13 => "host",
    IfModifiedSince = 14 => "if-modified-since",
    IfNoneMatch = 15 => "if-none-match",
    LastModified = 16 => "last-modified",
    Location = 17 => "location",
    Origin = 18 => "origin",
    Range = 19 => "range",
    Referer = 20 => "referer",
    RetryAfter = 21 => "retry-after",
    Server = 22 => "server",
    SetCookie = 23 => "set-cookie",
    TE = 24 => "te",
    TraceParent = 25 => "traceparent",
    TraceState = 26 => "tracestate",
    TransferEncoding = 27 => "transfer-encoding",
    UserAgent = 28 => "user-agent",
    Vary = 29 => "vary",
    Via = 30 => "via",
    XForwardedFor = 31 => "x-forwarded-for",
    XForwardedHost = 32 => "x-forwarded-host",
    XForwardedProto = 33 => "x-forwarded-proto",
    XParentSpanId = 34 => "x-parent-span-id",
    XRealIp = 35 => "x-real-ip",
    XRequestId = 36 => "x-request-id",
    XTraceId = 37 => "x-trace-id",
    UpgradeInsecureRequests = 38 => "upgrade-insecure-requests",
    SecFetchDest = 39 => "sec-fetch-dest",
    SecFetchMode = 40 => "sec-fetch-mode",
    SecFetchSite = 41 => "sec-fetch-site",
    SecFetchUser = 42 => "sec-fetch-user",
    Pragma = 43 => "pragma",
    Upgrade = 44 => "upgrade",
    GrpcStatus = 45 => "grpc-status",
    Expect = 46 => "expect",
    ContentRange = 47 => "content-range",
    AcceptRanges = 48 => "accept-ranges",
    XApiKey = 49 => "x-api-key",
    B3 = 50 => "b3",
    XB3TraceId = 51 => "x-b3-traceid",
    XB3SpanId = 52 => "x-b3-spanid",
    XB3Sampled = 53 => "x-b3-sampled",
    XB3Flags = 54 => "x-b3-flags",
}

/// Slots of the lookup table: a power of two with room enough that no two names share one (checked at compile time).
const SLOTS: usize = 256;

/// The first and the last eight bytes of a name as numbers, of a shorter one the first and the last four, and its
/// length. Up to 16 bytes that is the whole name.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Ends {
    first: u64,
    last: u64,
    len: usize,
}

impl Ends {
    #[inline(always)] // asked of every header
    const fn of(name: &[u8]) -> Self {
        let len = name.len();
        let (first, last) = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from_le_bytes(*first), u64::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64)
        } else {
            match name {
                [a, b] => (u32::from_le_bytes([*a, *b, 0, 0]) as u64, 0),
                [a, b, c] => (u32::from_le_bytes([*a, *b, *c, 0]) as u64, 0),
                _ => (0, 0),
            }
        };
        Self { first, last, len }
    }

    #[inline(always)]
    const fn slot(&self) -> usize {
        // A multiplier that was found by trial.
        let hash =
            (self.first ^ self.last.rotate_left(7) ^ self.len as u64).wrapping_mul(0x334d_e73d_60c2_90d1);
        (hash >> 56) as usize
    }
}

static TABLE: [Option<KnownHeader>; SLOTS] = {
    let mut table = [None; SLOTS];
    let mut i = 0;
    while i < KnownHeader::ALL.len() {
        let at = Ends::of(KnownHeader::ALL[i].as_str().as_bytes()).slot();
        assert!(table[at].is_none(), "two names share a slot: try another multiplier");
        table[at] = Some(KnownHeader::ALL[i]);
        i += 1;
    }
    table
};

/// Of every name, in order of its code.
static ENDS: [Ends; KnownHeader::ALL.len()] = {
    let mut ends = [Ends { first: 0, last: 0, len: 0 }; KnownHeader::ALL.len()];
    let mut i = 0;
    while i < ends.len() {
        ends[i] = Ends::of(KnownHeader::ALL[i].as_str().as_bytes());
        i += 1;
    }
    ends
};

impl KnownHeader {
    /// Finds a lower-case name: one table look-up and one comparison.
    #[inline(always)] // asked of every header
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let ends = Ends::of(name.as_bytes());
        let known = TABLE[ends.slot()]?;
        let same = ENDS[known as usize] == ends && (ends.len <= 16 || known.as_str() == name);
        same.then_some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_name_is_found_and_no_other() {
        for &h in KnownHeader::ALL {
            assert_eq!(KnownHeader::from_name(h.as_str()), Some(h));
            assert_eq!(KnownHeader::from_code(h.code()), Some(h));
            assert_eq!(KnownHeader::from_name(&h.as_str().to_uppercase()), None);
            assert_eq!(KnownHeader::from_name(&format!("{}x", h.as_str())), None);
        }
        assert_eq!(KnownHeader::from_name(""), None);
        assert_eq!(KnownHeader::from_code(255), None);
    }
}

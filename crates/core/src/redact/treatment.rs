//! What can become of a secret, and the mark that it leaves.

use super::keyed::HashKey;
use super::{FAILED, REDACTED};

/// What becomes of a secret value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Treatment {
    /// `[redacted]` stands in its place.
    #[default]
    Mask,
    /// `hmac:` and 32 hex digits stand in its place, the first half of its HMAC-SHA256 (RFC 2104) under
    /// [`hash_key`](super::Redaction::hash_key): equal values stay equal, and nobody without the key can try guesses.
    Hash,
    /// It is left out together with its name: the header, the parameter, the member, the field. In free text nothing
    /// stands in its place.
    Drop,
}

/// How much of client addresses is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientIp {
    /// All of it.
    #[default]
    Full,
    /// The network: the first 24 bits of IPv4, 48 of IPv6.
    Truncate,
    /// A keyed hash, as by [`Treatment::Hash`].
    Hash,
    /// Nothing.
    Drop,
}

/// Where a value stands; for [`Redaction::custom`](super::Redaction::custom).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// A header of a request or response.
    Header,
    /// A parameter of a query, of a URL's query, or of a form. The value is as it came, still encoded.
    Parameter,
    /// A member of an object in a JSON body or in a field, itself neither object nor array. A string comes without its
    /// quotes, its escapes as they are.
    Member,
    /// A field of the application's own; the value is JSON.
    Field,
}

/// What is to be done with a stretch of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Treat(Treatment),
    /// Nobody knows what it is: the application's own hook failed on it.
    Failed,
}

impl Fate {
    pub(super) const MASK: Self = Self::Treat(Treatment::Mask);
    pub(super) const DROP: Self = Self::Treat(Treatment::Drop);

    /// Writes what stands in the place of `secret`.
    pub(super) fn write(self, key: &HashKey, secret: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Treat(Treatment::Mask) => out.extend_from_slice(REDACTED.as_bytes()),
            Self::Treat(Treatment::Hash) => key.write(secret, out),
            Self::Treat(Treatment::Drop) => {}
            Self::Failed => out.extend_from_slice(FAILED.as_bytes()),
        }
    }
}

//! Identifiers: entry ids (UUIDv7), trace and span ids, and the thread-local generator that makes them.
//!
//! The generator is seeded from the operating system once per thread and then runs in user space: an id costs
//! no system call. Ids are unique, not secret.

use std::cell::RefCell;
use std::fmt;

mod generator;
pub(crate) mod hex;

use generator::Generator;
pub use hex::ParseIdError;

thread_local! {
    static GENERATOR: RefCell<Generator> = RefCell::new(Generator::from_os());
}

/// Runs `f` on this thread's generator, or on a fresh one where thread-locals are gone (late in a thread's exit).
fn with_generator<T>(f: impl Fn(&mut Generator) -> T) -> T {
    GENERATOR.try_with(|g| f(&mut g.borrow_mut())).unwrap_or_else(|_| f(&mut Generator::from_os()))
}

/// The id of an entry: a UUIDv7 (RFC 9562 §5.7), made once, at the start of what the entry describes.
///
/// Ids from one thread are strictly increasing; across threads they order by millisecond.
///
/// ```
/// let id = hoplog_entry::EntryId::generate(1_700_000_000_000);
/// assert_eq!(id.to_string().parse(), Ok(id));
/// assert_eq!(id.unix_ms(), Some(1_700_000_000_000));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId([u8; 16]);

impl EntryId {
    /// A new id that bears this time (milliseconds since the Unix epoch). Where the clock stepped back, the
    /// time of the thread's last id is used, so that ids never do.
    #[must_use]
    pub fn generate(unix_ms: u64) -> Self {
        Self(with_generator(|g| g.uuid_v7(unix_ms)))
    }

    /// The 16 bytes, in order.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Takes any 16 bytes; nothing is checked, as clients bring ids of other versions.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The time inside a version-7 id, in milliseconds since the Unix epoch; `None` for other versions.
    #[must_use]
    pub fn unix_ms(&self) -> Option<u64> {
        let [a, b, c, d, e, f, v, ..] = self.0;
        (v >> 4 == 7).then(|| u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// The 36 characters with hyphens.
    #[must_use]
    pub fn to_ascii(&self) -> [u8; 36] {
        hex::hyphenated(&self.0)
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write_ascii(f, &self.to_ascii())
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryId({self})")
    }
}

impl std::str::FromStr for EntryId {
    type Err = ParseIdError;

    /// Reads 32 hex digits of any case, with hyphens at the usual places or none.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        hex::parse_uuid(text.as_bytes()).map(Self)
    }
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $chars:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// A new random id, never all zero.
            #[must_use]
            pub fn generate() -> Self {
                Self(with_generator(|g| g.non_zero()))
            }

            /// Takes the bytes; `None` if all are zero.
            #[must_use]
            pub fn from_bytes(bytes: [u8; $bytes]) -> Option<Self> {
                (bytes != [0; $bytes]).then_some(Self(bytes))
            }

            /// The bytes, in order.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Lower-case hex digits.
            #[must_use]
            pub fn to_ascii(&self) -> [u8; $chars] {
                hex::encode(&self.0)
            }

            /// Reads exactly the hex digits of an id, lower case only (W3C Trace Context level 2 §3.2.2).
            ///
            /// # Errors
            /// Another length, another character, upper case, or all zero.
            #[inline]
            pub fn parse_strict(text: &[u8]) -> Result<Self, ParseIdError> {
                hex::decode::<$bytes, $chars>(text, hex::Case::Lower).and_then(|b| Self::from_bytes(b).ok_or(ParseIdError))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                hex::write_ascii(f, &self.to_ascii())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

hex_id! {
    /// The id that all hops of one call share: 16 bytes, never all zero.
    TraceId, 16, 32
}

hex_id! {
    /// The id of one hop: 8 bytes, never all zero.
    SpanId, 8, 16
}

impl TraceId {
    /// Reads 32 hex digits or a UUID, of any case: the forms in which `x-trace-id` carries a trace id.
    ///
    /// # Errors
    /// Another form, or all zero.
    pub fn parse_lenient(text: &[u8]) -> Result<Self, ParseIdError> {
        hex::parse_uuid(text).and_then(|b| Self::from_bytes(b).ok_or(ParseIdError))
    }
}

impl SpanId {
    /// Reads 16 hex digits of any case: the form in which `x-parent-span-id` carries a span id.
    ///
    /// # Errors
    /// Another length, another character, or all zero.
    pub fn parse_lenient(text: &[u8]) -> Result<Self, ParseIdError> {
        hex::decode::<8, 16>(text, hex::Case::Any).and_then(|b| Self::from_bytes(b).ok_or(ParseIdError))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_of_one_thread_increase_strictly_even_when_the_clock_steps_back() {
        let mut last = EntryId::generate(5_000);
        for ms in [5_000, 5_001, 4_000, 5_001, 9_000, 0].into_iter().cycle().take(100_000) {
            let id = EntryId::generate(ms);
            assert!(id > last, "{id} after {last}");
            assert_eq!(id.as_bytes()[8] >> 6, 0b10, "variant of RFC 9562");
            assert!(id.unix_ms().is_some(), "version 7");
            last = id;
        }
    }

    #[test]
    fn ids_of_many_threads_do_not_meet() {
        let ids: Vec<EntryId> = std::thread::scope(|s| {
            let threads: Vec<_> = (0..8)
                .map(|_| s.spawn(|| (0..20_000).map(|_| EntryId::generate(7)).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
        });
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 160_000);
    }

    #[test]
    fn an_id_reads_back_from_its_text_in_every_accepted_form() {
        let id = EntryId::generate(1_700_000_000_123);
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(text.to_uppercase().parse(), Ok(id));
        assert_eq!(text.replace('-', "").parse(), Ok(id));
        for bad in
            ["", "x", &text[..35], &format!("{text}0"), &text.replace('-', "_"), &text.replacen('-', "", 1)]
        {
            assert!(bad.parse::<EntryId>().is_err(), "{bad}");
        }
        assert_eq!(EntryId::from_bytes([0x40; 16]).unix_ms(), None);
    }

    #[test]
    fn trace_ids_are_read_strictly_or_leniently() {
        let id = TraceId::generate();
        let text = id.to_string();
        assert_eq!(TraceId::parse_strict(text.as_bytes()), Ok(id));
        assert_eq!(TraceId::parse_lenient(text.to_uppercase().as_bytes()), Ok(id));
        assert!(TraceId::parse_strict(b"4BF92F3577B34DA6A3CE929D0E0E4736").is_err());
        assert!(TraceId::parse_strict(&[b'0'; 32]).is_err());
        assert!(TraceId::parse_lenient(b"00000000-0000-0000-0000-000000000000").is_err());
        assert!(SpanId::parse_strict(b"00f067aa0ba902b").is_err());
        assert!(SpanId::parse_strict(b"00f067aa0ba902b7").is_ok());
        assert!(SpanId::parse_strict(b"00F067AA0BA902B7").is_err());
        assert_eq!(SpanId::parse_lenient(b"00F067aa0BA902B7"), SpanId::parse_strict(b"00f067aa0ba902b7"));
        assert!(SpanId::parse_lenient(b"0000000000000000").is_err());
    }
}

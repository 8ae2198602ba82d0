//! The closed lists: level, kind, outcome, drop reason. Each is one byte in a record and one word on the wire.

use std::fmt;
use std::str::FromStr;

/// A word that is in none of the lists' spellings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownWord {
    list: &'static str,
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a known {}", self.list)
    }
}

impl std::error::Error for UnknownWord {}

macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident, $list:literal { $($(#[$vdoc:meta])* $variant:ident = $code:literal => $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $code,)+ }

        impl $name {
            /// Every member, in order of its code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The byte in a record.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The member with this byte, if there is one.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|m| m.as_str().eq_ignore_ascii_case(word))
                    .ok_or(UnknownWord { list: $list })
            }
        }
    };
}

closed_list! {
    /// How serious an entry is. Ordered: `Level::Trace < Level::Fatal`.
    Level, "level" {
        /// Steps of an algorithm.
        Trace = 0 => "TRACE",
        /// For the developer at work.
        Debug = 1 => "DEBUG",
        /// Normal operation; the default.
        Info = 2 => "INFO",
        /// Unusual, handled.
        Warn = 3 => "WARN",
        /// Something failed.
        Error = 4 => "ERROR",
        /// The process cannot go on.
        Fatal = 5 => "FATAL",
    }
}

impl Level {
    /// Reads a level as clients spell it: any case, `WARNING` and `CRITICAL` included.
    #[must_use]
    pub fn parse_lenient(word: &str) -> Option<Self> {
        match word.trim() {
            w if w.eq_ignore_ascii_case("warning") => Some(Self::Warn),
            w if w.eq_ignore_ascii_case("critical") => Some(Self::Fatal),
            w => w.parse().ok(),
        }
    }
}

closed_list! {
    /// What an entry describes.
    Kind, "kind" {
        /// A request that this process handled.
        Request = 0 => "request",
        /// Something the application said.
        Event = 1 => "event",
        /// A call that this process made.
        Outgoing = 2 => "outgoing",
        /// A request that is still open.
        Running = 3 => "running",
        /// Entries that were lost, how many and why.
        Losses = 4 => "losses",
    }
}

closed_list! {
    /// How an exchange ended.
    Outcome, "outcome" {
        /// Handed to the server whole.
        Completed = 0 => "completed",
        /// The future was dropped before a response: client gone, outer timeout, shutdown.
        Cancelled = 1 => "cancelled",
        /// The response body ended early: client gone, or the body failed.
        BodyAborted = 2 => "body_aborted",
        /// The service answered with an error instead of a response.
        ServiceError = 3 => "service_error",
        /// The handler or the body panicked.
        Panicked = 4 => "panicked",
        /// An inner timeout fired: `Elapsed`, 408 or 504.
        TimedOut = 5 => "timed_out",
        /// The connection was handed over at 101.
        Upgraded = 6 => "upgraded",
        /// The process ended while the request was open.
        ProcessDied = 7 => "process_died",
    }
}

closed_list! {
    /// Why an entry was lost. A new reason is a breaking change on purpose.
    DropReason, "drop reason" {
        /// The queue was full; the newcomer was dropped.
        QueueFullNewest = 0 => "queue_full_newest",
        /// The queue was full; the oldest was dropped.
        QueueFullOldest = 1 => "queue_full_oldest",
        /// One entry exceeds what may be sent.
        EntryTooLarge = 2 => "entry_too_large",
        /// The spool was full; the oldest segment went.
        SpoolFullOldest = 3 => "spool_full_oldest",
        /// The spool was full; the newcomer was dropped.
        SpoolFullNewest = 4 => "spool_full_newest",
        /// Older than the spool keeps.
        SpoolExpired = 5 => "spool_expired",
        /// A spool frame did not check out.
        SpoolCorrupt = 6 => "spool_corrupt",
        /// The disk failed.
        SpoolIoError = 7 => "spool_io_error",
        /// The collector refused this entry.
        ServerRejected = 8 => "server_rejected",
        /// The collector cannot take this entry in any company.
        Poison = 9 => "poison",
        /// The collector refused the key.
        AuthRejected = 10 => "auth_rejected",
        /// Time ran out at shutdown.
        ShutdownDeadline = 11 => "shutdown_deadline",
        /// The entry could not be encoded.
        SerializeError = 12 => "serialize_error",
        /// Logged after the client was closed.
        AfterClose = 13 => "after_close",
        /// A local limit was reached.
        RateLimitedLocal = 14 => "rate_limited_local",
        /// Redaction failed; nothing is shipped raw.
        RedactionFailed = 15 => "redaction_failed",
        /// Left out by sampling.
        Sampled = 16 => "sampled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_reads_back_from_its_word_and_its_code() {
        fn check<T: Copy + PartialEq + fmt::Debug + FromStr + fmt::Display>(
            all: &[T],
            code: impl Fn(T) -> u8,
            from: impl Fn(u8) -> Option<T>,
        ) {
            for (i, &m) in all.iter().enumerate() {
                assert_eq!(usize::from(code(m)), i, "codes are dense");
                assert_eq!(from(code(m)), Some(m));
                assert_eq!(m.to_string().parse::<T>().ok(), Some(m));
                assert_eq!(m.to_string().to_lowercase().parse::<T>().ok(), Some(m));
            }
            assert_eq!(from(u8::try_from(all.len()).unwrap()), None);
        }
        check(Level::ALL, Level::code, Level::from_code);
        check(Kind::ALL, Kind::code, Kind::from_code);
        check(Outcome::ALL, Outcome::code, Outcome::from_code);
        check(DropReason::ALL, DropReason::code, DropReason::from_code);
    }

    #[test]
    fn levels_are_read_as_old_clients_spell_them() {
        assert_eq!(Level::parse_lenient("Warning"), Some(Level::Warn));
        assert_eq!(Level::parse_lenient(" CRITICAL "), Some(Level::Fatal));
        assert_eq!(Level::parse_lenient("error"), Some(Level::Error));
        assert_eq!(Level::parse_lenient("loud"), None);
        assert!(Level::Trace < Level::Fatal);
    }
}

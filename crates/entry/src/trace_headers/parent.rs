//! `traceparent` (W3C Trace Context level 2 §3.2).

use std::fmt;
use std::ops::BitOr;

use crate::id::hex;
use crate::{SpanId, TraceId};

/// The length of version 00, and of the part that every version shares.
const LEN: usize = 55;

/// One `traceparent`: the trace, the caller's span in it, and what the caller did about sampling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceParent {
    /// The trace that the request belongs to.
    pub trace_id: TraceId,
    /// The hop that sent the request.
    pub parent: SpanId,
    /// Sampled and random, as the sender said.
    pub flags: TraceFlags,
}

impl TraceParent {
    /// Reads a header value. Of a version above `00` the first 55 characters are read, and the flags that
    /// level 2 knows are kept (§3.2.4).
    ///
    /// # Errors
    /// Anything else than `2HEX-32HEX-16HEX-2HEX` in lower case, version `ff`, version `00` with more than 55
    /// characters, a higher version that goes on with another character than `-`, an id that is all zero.
    #[inline] // so that what was read is moved less
    pub fn parse(text: &[u8]) -> Result<Self, InvalidTraceParent> {
        let Some((head, rest)) = text.split_first_chunk::<LEN>() else {
            return Err(InvalidTraceParent("shorter than 55 characters"));
        };
        if [head[2], head[35], head[52]] != *b"---" {
            return Err(InvalidTraceParent("a hyphen is not at its place"));
        }
        // One decode for all digits; the rest of the array stays zeros.
        let mut digits = [b'0'; 64];
        digits[..32].copy_from_slice(&head[3..35]);
        digits[32..48].copy_from_slice(&head[36..52]);
        digits[48..50].copy_from_slice(&head[53..]);
        digits[50..52].copy_from_slice(&head[..2]);
        let bytes = hex::decode::<32, 64>(&digits, hex::Case::Lower)
            .map_err(|_| InvalidTraceParent("something else than lower-case hex digits"))?;
        let (mut trace_id, mut parent, flags, version) = ([0; 16], [0; 8], bytes[24], bytes[25]);
        trace_id.copy_from_slice(&bytes[..16]);
        parent.copy_from_slice(&bytes[16..24]);

        match (version, rest) {
            (0, []) | (1..0xff, [] | [b'-', ..]) => {}
            (0xff, _) => return Err(InvalidTraceParent("version ff is forbidden")),
            _ => return Err(InvalidTraceParent("longer than its version allows")),
        }
        Ok(Self {
            trace_id: TraceId::from_bytes(trace_id).ok_or(InvalidTraceParent("the trace id is all zero"))?,
            parent: SpanId::from_bytes(parent).ok_or(InvalidTraceParent("the span id is all zero"))?,
            flags: TraceFlags::from_bits(flags),
        })
    }

    /// The header value, always in version `00`.
    #[must_use]
    pub fn to_ascii(&self) -> [u8; LEN] {
        let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
        out[3..35].copy_from_slice(&self.trace_id.to_ascii());
        out[36..52].copy_from_slice(&self.parent.to_ascii());
        out[54] += self.flags.0; // at most 3: one digit
        out
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write_ascii(f, &self.to_ascii())
    }
}

/// The flags of `traceparent` that level 2 knows (§3.2.2.5); all others are zero. Default: none.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// The sender may have recorded the trace.
    pub const SAMPLED: Self = Self(0x01);
    /// The rightmost 7 bytes of the trace id are random.
    pub const RANDOM: Self = Self(0x02);

    /// Those of a trace that starts here: its id is random as a whole, and its requests are logged.
    #[must_use]
    pub const fn of_new_trace() -> Self {
        Self(Self::SAMPLED.0 | Self::RANDOM.0)
    }

    /// Keeps the known flags of a byte and zeroes the rest.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits & (Self::SAMPLED.0 | Self::RANDOM.0))
    }

    /// The byte.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// These flags with those of `other` set, or not.
    #[must_use]
    pub const fn with(self, other: Self, set: bool) -> Self {
        Self(if set { self.0 | other.0 } else { self.0 & !other.0 })
    }

    /// Whether all flags of `other` are set here.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for TraceFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl fmt::Debug for TraceFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TraceFlags({:02x})", self.0)
    }
}

/// Why a `traceparent` cannot be used. Its text names the part, never the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTraceParent(&'static str);

impl fmt::Display for InvalidTraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid traceparent: {}", self.0)
    }
}

impl std::error::Error for InvalidTraceParent {}

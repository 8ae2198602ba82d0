//! Bodies inflated within bounds: bytes, ratio and window. Permits are taken as the output grows.

use crate::budget::{Grant, NoRoom};
use std::io::{self, Read};

/// The encodings that a body may bear, one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

/// Bounds of an inflated body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InflateLimits {
    /// Bytes at most.
    pub(crate) bytes: usize,
    /// Bytes out per byte in, from [`RATIO_FREE`] on.
    pub(crate) ratio: usize,
}

/// Up to here any ratio is fine: small batches of equal entries compress well.
const RATIO_FREE: usize = 256 * 1024;
/// 2^23 = 8 MiB (RFC 9659 §3).
const ZSTD_WINDOW_LOG: u32 = 23;
/// How much is inflated before the bounds are looked at again.
const STEP: usize = 64 * 1024;

/// Why a body was not inflated.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// 400
    Malformed(String),
    /// 413
    TooLarge(String),
    /// 503
    NoRoom,
}

impl From<NoRoom> for Refused {
    fn from(_: NoRoom) -> Self {
        Self::NoRoom
    }
}

/// Gives back the plain body. Blocks while it works, and while it waits for room.
pub(crate) fn inflate(
    wire: Vec<u8>,
    encoding: Encoding,
    limits: InflateLimits,
    grant: &mut Grant,
) -> Result<Vec<u8>, Refused> {
    let malformed = |e: io::Error| Refused::Malformed(format!("not valid {}: {e}", name(encoding)));
    match encoding {
        Encoding::Identity => Ok(wire),
        Encoding::Gzip => {
            let decoder = flate2::bufread::MultiGzDecoder::new(wire.as_slice());
            read(decoder, |decoder| decoder.get_ref().len(), encoding, wire.len(), limits, grant)
        }
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(wire.as_slice()).map_err(malformed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG).map_err(malformed)?;
            read(decoder, |decoder| decoder.get_ref().len(), encoding, wire.len(), limits, grant)
        }
    }
}

/// `left` says how much of the wire's bytes a decoder has not taken yet.
fn read<R: Read>(
    mut decoder: R,
    left: impl Fn(&R) -> usize,
    encoding: Encoding,
    wire: usize,
    limits: InflateLimits,
    grant: &mut Grant,
) -> Result<Vec<u8>, Refused> {
    let mut out = Vec::new();
    loop {
        if out.capacity() - out.len() < STEP {
            // Twice the size, as a vector would by itself, up to what one may have; the old and the new one are in
            // memory together for a moment.
            let most = (limits.bytes + 2 * STEP).saturating_sub(out.capacity());
            let more = out.capacity().min(most).max(STEP);
            grant.cover_blocking(wire + 2 * out.capacity() + more)?;
            out.reserve_exact(out.capacity() - out.len() + more);
        }
        let step = u64::try_from(STEP).unwrap_or(u64::MAX);
        let got = decoder
            .by_ref()
            .take(step)
            .read_to_end(&mut out)
            .map_err(|e| Refused::Malformed(format!("not valid {}: {e}", name(encoding))))?;
        if out.len() > limits.bytes {
            return Err(Refused::TooLarge(format!("the body inflates to more than {} bytes", limits.bytes)));
        }
        // Of what was taken so far, and not of the whole: a bomb is told before it has grown.
        let taken = wire.saturating_sub(left(&decoder));
        if out.len() > RATIO_FREE && out.len() > taken.saturating_mul(limits.ratio) {
            return Err(Refused::TooLarge(format!("the body inflates more than {} times", limits.ratio)));
        }
        if got == 0 {
            grant.keep(out.capacity());
            return Ok(out);
        }
    }
}

fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Identity => "data",
        Encoding::Gzip => "gzip",
        Encoding::Zstd => "zstd",
    }
}

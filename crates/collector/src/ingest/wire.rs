//! The body as it comes over the wire: its declared form is checked, then it is read within size and time.

use super::answer::Refusal;
use super::inflate::Encoding;
use crate::budget::Grant;
use axum::body::Body;
use http_body_util::BodyExt as _;
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderMap};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Bounds of a body on the wire.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WireLimits {
    pub(crate) identity_bytes: usize,
    pub(crate) compressed_bytes: usize,
    /// Between two pieces.
    pub(crate) idle: Duration,
    pub(crate) total: Duration,
}

/// What a refused sender may still push before it is cut off, and for how long; one that only listens once it has
/// sent everything would otherwise see a reset instead of the answer.
const DISCARD_BYTES: usize = 16 * 1024 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// Which of `known` the content type is. A browser asks before it sends one of them elsewhere, which keeps foreign web
/// pages from posting here.
pub(crate) fn content_type(
    headers: &HeaderMap,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Result<usize, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    known.clone().position(|name| essence.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let had = if content_type.is_empty() { "none" } else { content_type };
        let names = known.collect::<Vec<_>>().join(" or ");
        Refusal::Unsupported(format!("Content-Type is {had}; send {names}"))
    })
}

/// Names the encoding.
pub(crate) fn encoding(headers: &HeaderMap) -> Result<Encoding, Refusal> {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    let unsupported = || {
        Refusal::Unsupported("Content-Encoding must be one of identity, gzip, zstd, and one only".to_owned())
    };
    let Some(first) = encodings.next() else { return Ok(Encoding::Identity) };
    if encodings.next().is_some() {
        return Err(unsupported());
    }
    match first.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "identity" | "" => Ok(Encoding::Identity),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "zstd" => Ok(Encoding::Zstd),
        _ => Err(unsupported()),
    }
}

/// Reads the whole body.
pub(crate) async fn read(
    headers: &HeaderMap,
    body: &mut Body,
    encoding: Encoding,
    limits: WireLimits,
    grant: &mut Grant,
) -> Result<Vec<u8>, Refusal> {
    let most = match encoding {
        Encoding::Identity => limits.identity_bytes,
        Encoding::Gzip | Encoding::Zstd => limits.compressed_bytes,
    };
    let too_large = || Refusal::TooLarge(format!("the body has more than {most} bytes"));
    let declared = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<usize>().ok());
    if declared.is_some_and(|declared| declared > most) {
        return Err(too_large());
    }
    let end = Instant::now() + limits.total;
    let mut wire = Vec::new();
    loop {
        let deadline = end.min(Instant::now() + limits.idle);
        let frame = match timeout_at(deadline, body.frame()).await {
            Err(_) => return Err(Refusal::Timeout),
            Ok(None) => return Ok(wire),
            Ok(Some(Err(e))) => return Err(Refusal::BadRequest(format!("the body broke off: {e}"))),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        if wire.len() + data.len() > most {
            return Err(too_large());
        }
        grant.cover(wire.len() + data.len()).await.map_err(|_| super::routes::busy())?;
        if wire.is_empty() {
            // The declared length is only a hint: room is taken as bytes really come.
            wire.reserve_exact(declared.unwrap_or_default().min(1024 * 1024).max(data.len()));
        }
        wire.extend_from_slice(&data);
    }
}

/// Takes what a refused sender still sends, within bounds, so that it gets to read the answer. One that asked
/// first (`Expect: 100-continue`) has sent nothing.
pub(crate) async fn discard(headers: &HeaderMap, mut body: Body) {
    if headers.contains_key(EXPECT) {
        return;
    }
    let deadline = Instant::now() + DISCARD_TIME;
    let mut taken = 0;
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        taken += frame.data_ref().map_or(0, bytes::Bytes::len);
        if taken > DISCARD_BYTES {
            return;
        }
    }
}

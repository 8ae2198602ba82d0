//! What a sender is told: one verdict count after commit, or what is wrong as `{"detail": …}`.

use super::entry::Rejected;
use super::inflate::Refused;
use crate::http::{Answer, Problem};
use crate::store::StoreError;
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, HeaderValue, RETRY_AFTER};
use serde::Serialize;

/// The answer to a batch (protocols §1). accepted + duplicates + rejected = count.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt {
    pub(crate) status: &'static str,
    pub(crate) count: usize,
    pub(crate) batch_id: Option<String>,
    pub(crate) accepted: usize,
    pub(crate) duplicates: usize,
    /// How many of the duplicates are not the same as what is stored under their id, which stays.
    pub(crate) id_conflicts: usize,
    pub(crate) rejected: Vec<Rejected>,
    /// What a committed entry survives: `fsync` is a power cut.
    pub(crate) durability: &'static str,
    /// Unix seconds.
    pub(crate) server_time: f64,
}

/// Why a batch was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    BadRequest(String),
    Timeout,
    TooLarge(String),
    Unsupported(String),
    /// Not now; the same bytes may be sent again later.
    Busy(String),
    /// The disk is full.
    Full(String),
    /// Whoever sent it may not, or not so much.
    Denied(Problem),
}

impl Refusal {
    /// In a word, for counts.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "malformed",
            Self::Timeout => "too_slow",
            Self::TooLarge(_) => "too_large",
            Self::Unsupported(_) => "unsupported",
            Self::Busy(_) => "busy",
            Self::Full(_) => "disk_full",
            Self::Denied(_) => "scope",
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Denied(problem)
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(why) => Self::Full(why),
            StoreError::Unavailable(why) | StoreError::TooSlow(why) => Self::Busy(why),
        }
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed(why) => Self::BadRequest(why),
            Refused::TooLarge(why) => Self::TooLarge(why),
            Refused::NoRoom => super::routes::busy(),
        }
    }
}

impl Refusal {
    /// The status, and why.
    pub(crate) fn status(self) -> (StatusCode, String) {
        match self {
            Self::BadRequest(why) => (StatusCode::BAD_REQUEST, why),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "the body did not come in time".to_owned()),
            Self::TooLarge(why) => (StatusCode::PAYLOAD_TOO_LARGE, why),
            Self::Unsupported(why) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, why),
            Self::Busy(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
            Self::Full(why) => (StatusCode::INSUFFICIENT_STORAGE, why),
            Self::Denied(problem) => (problem.status, problem.detail),
        }
    }

    pub(crate) fn into_answer(self) -> Answer {
        let (status, detail) = self.status();
        let mut answer = crate::http::json(status, &serde_json::json!({ "detail": detail }));
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::INSUFFICIENT_STORAGE) {
            answer.headers_mut().insert(RETRY_AFTER, crate::http::retry_after());
        }
        with_encodings(answer)
    }
}

/// Says which encodings may be sent (RFC 7694 §3).
pub(crate) fn with_encodings(mut answer: Answer) -> Answer {
    answer.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static("zstd, gzip"));
    answer
}

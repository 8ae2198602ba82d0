//! The protocols that entries come in, and what each of them answers.

use super::answer::{Receipt, Refusal, with_encodings};
use super::envelope::Form;
use super::logs_sdk::{self, Sdk};
use super::otlp;
use crate::http::{Answer, json};
use crate::store::batch::Batch;
use hoplog_entry::EntryId;
use hyper::StatusCode;
use hyper::header::HeaderMap;

/// A route's protocol, before a request says more.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Route {
    Native(Form),
    LogsSdk(logs_sdk::Form),
    Otlp,
}

/// The protocol of a request.
#[derive(Debug, Clone)]
pub(crate) enum Protocol {
    Native(Form),
    LogsSdk(logs_sdk::Form, Sdk),
    Otlp(otlp::Encoding),
}

impl Route {
    /// By what the request says of itself, if it can be taken.
    pub(super) fn protocol(self, headers: &HeaderMap) -> Result<Protocol, Refusal> {
        let json = otlp::Encoding::Json;
        let known = match self {
            Self::Otlp => &[otlp::Encoding::Protobuf, json][..],
            Self::Native(_) | Self::LogsSdk(_) => &[json],
        };
        let names = known.iter().map(|encoding| encoding.content_type());
        let found = super::wire::content_type(headers, names)?;
        Ok(self.with(known.get(found).copied().unwrap_or(json), headers))
    }

    /// The protocol with this encoding, where it has several.
    pub(super) fn with(self, encoding: otlp::Encoding, headers: &HeaderMap) -> Protocol {
        match self {
            Self::Native(form) => Protocol::Native(form),
            Self::LogsSdk(form) => Protocol::LogsSdk(form, Sdk::of(headers)),
            Self::Otlp => Protocol::Otlp(encoding),
        }
    }
}

impl Protocol {
    pub(super) fn is_json(&self) -> bool {
        !matches!(self, Self::Otlp(otlp::Encoding::Protobuf))
    }

    /// The ids that the answer will name.
    pub(super) fn ids(&self, batch: &Batch) -> Vec<EntryId> {
        match self {
            Self::LogsSdk(..) => batch.rows.iter().map(|row| row.id).collect(),
            Self::Native(_) | Self::Otlp(_) => Vec::new(),
        }
    }

    pub(super) fn accepted(&self, receipt: &Receipt, ids: &[EntryId]) -> Answer {
        match self {
            Self::Native(_) => with_encodings(json(StatusCode::OK, receipt)),
            Self::LogsSdk(..) => logs_sdk::answer::accepted(receipt, ids),
            Self::Otlp(encoding) => otlp::answer::accepted(*encoding, receipt),
        }
    }

    pub(super) fn refused(&self, refusal: Refusal) -> Answer {
        match self {
            Self::Native(_) | Self::LogsSdk(..) => refusal.into_answer(),
            Self::Otlp(encoding) => otlp::answer::refused(*encoding, refusal),
        }
    }
}

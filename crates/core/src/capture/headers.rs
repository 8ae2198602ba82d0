//! One walk over a message's headers: what is to be known of them is gathered, what is kept is written.

use hoplog_entry::trace_headers::{self, Incoming, IncomingHeaders};
use hoplog_entry::{Field, KnownHeader, RecordWriter};

use super::header_name::HeaderName;
use crate::pipeline::{HeaderActions, Pipeline};
use crate::redact::{HeaderAction, REDACTED, Verdict, is_host_alone};

/// What the walk over a request's headers found besides what it wrote.
pub(super) struct Seen<'h> {
    pub(super) trace: Incoming<'h>,
    /// The digits of its id, where they came as they are written.
    pub(super) trace_id: Option<&'h [u8; 32]>,
    pub(super) tracestate: bool,
    pub(super) request_id: Option<&'h [u8]>,
    pub(super) host: Option<&'h [u8]>,
    pub(super) size: Size,
    pub(super) content_type: Option<&'h [u8]>,
    /// Under a `content-encoding`.
    pub(super) encoded: bool,
}

/// What headers say of a body's size.
#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    /// Nothing.
    Unsaid,
    /// `content-length`.
    Bytes(u64),
    /// It ends when it ends, or its length cannot be read.
    Unknown,
}

impl Size {
    pub(super) fn or_else(self, unsaid: impl FnOnce() -> Option<u64>) -> Option<u64> {
        match self {
            Self::Unsaid => unsaid(),
            Self::Bytes(bytes) => Some(bytes),
            Self::Unknown => None,
        }
    }
}

#[inline(always)] // at its one place, in every service
pub(super) fn walk<'h, N>(
    record: &mut RecordWriter,
    pipeline: &Pipeline,
    headers: impl Iterator<Item = (N, &'h [u8])>,
    keep: bool,
) -> Seen<'h>
where
    HeaderName<'h>: From<N>,
{
    let mut ids = IncomingHeaders::default();
    let (mut tracestate, mut request_id, mut host, mut size) = (false, None, None, Size::Unsaid);
    let (mut content_type, mut encoded) = (None, false);
    let actions = pipeline.known_headers(keep);
    for (name, value) in headers {
        let name = HeaderName::from(name);
        let Some(known) = name.known() else {
            if keep {
                write_named(record, Field::RequestHeader, pipeline, name.as_str(), value);
            }
            continue;
        };
        match known {
            KnownHeader::TraceParent
            | KnownHeader::XTraceId
            | KnownHeader::XParentSpanId
            | KnownHeader::B3
            | KnownHeader::XB3TraceId
            | KnownHeader::XB3SpanId
            | KnownHeader::XB3Sampled
            | KnownHeader::XB3Flags => ids.offer_known(known, value),
            KnownHeader::TraceState => tracestate = true,
            KnownHeader::XRequestId => {
                request_id = Some(value).filter(|id| trace_headers::is_request_id(id));
            }
            KnownHeader::Host => {
                // A user and a password before it, for which there is no room (RFC 9110 §7.2).
                if !is_host_alone(value) {
                    host = Some(REDACTED.as_bytes());
                    continue;
                }
                host = Some(value);
            }
            KnownHeader::ContentLength => {
                size = parse_decimal(value).map_or(Size::Unknown, Size::Bytes);
            }
            KnownHeader::TransferEncoding => size = Size::Unknown,
            KnownHeader::ContentType => content_type = Some(value),
            KnownHeader::ContentEncoding => encoded = true,
            _ => {}
        }
        write_known(record, Field::RequestHeader, pipeline, actions, known, value);
    }
    let trace = Incoming::resolve(&ids);
    let trace_id = ids.trace_id_digits(&trace);
    Seen { trace, trace_id, tracestate, request_id, host, size, content_type, encoded }
}

/// For those that sampling let in: a second walk.
#[inline(never)]
pub(super) fn write_headers<'h, N>(
    record: &mut RecordWriter,
    pipeline: &Pipeline,
    headers: Option<impl Iterator<Item = (N, &'h [u8])>>,
) where
    HeaderName<'h>: From<N>,
{
    for (name, value) in headers.into_iter().flatten() {
        let name = HeaderName::from(name);
        let known = name.known();
        if known == Some(KnownHeader::Host) && !is_host_alone(value) {
            continue;
        }
        write_header(record, Field::RequestHeader, pipeline, name, value);
    }
}

#[inline(always)] // in a loop over every header
pub(super) fn write_header(
    record: &mut RecordWriter,
    field: Field,
    pipeline: &Pipeline,
    name: HeaderName<'_>,
    value: &[u8],
) {
    match name.known() {
        Some(known) => write_known(record, field, pipeline, pipeline.known_headers(true), known, value),
        None => write_named(record, field, pipeline, name.as_str(), value),
    }
}

#[inline(always)] // likewise
fn write_known(
    record: &mut RecordWriter,
    field: Field,
    pipeline: &Pipeline,
    actions: &HeaderActions,
    name: KnownHeader,
    value: &[u8],
) {
    match actions[name as usize] {
        HeaderAction::Skip => {}
        HeaderAction::Keep => record.known_header(field, name, value),
        HeaderAction::Text if pipeline.redactor.is_plain(value) => record.known_header(field, name, value),
        action => write_altered(record, field, pipeline, action, name.as_str(), value),
    }
}

/// A header without a code.
#[inline(never)] // as the usual ones need its registers
fn write_named(record: &mut RecordWriter, field: Field, pipeline: &Pipeline, name: &str, value: &[u8]) {
    match pipeline.redactor.header(name.as_bytes()) {
        HeaderAction::Skip => {}
        HeaderAction::Keep => record.named_header(field, name, value),
        action => write_altered(record, field, pipeline, action, name, value),
    }
}

#[inline(never)]
fn write_altered(
    record: &mut RecordWriter,
    field: Field,
    pipeline: &Pipeline,
    action: HeaderAction,
    name: &str,
    value: &[u8],
) {
    let mut out = Vec::new();
    match pipeline.redactor.header_value(action, name, value, &mut out) {
        Verdict::Unchanged => record.header(field, name, value),
        Verdict::Masked => record.header(field, name, &out),
        Verdict::Dropped => {}
    }
}

pub(super) fn parse_decimal(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

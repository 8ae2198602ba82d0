//! The place of an exchange in a trace: continued, started anew, or under the current request.

use std::sync::Arc;

use hoplog_entry::trace_headers::{self, Incoming, TraceState};
use hoplog_entry::{Field, RecordWriter, SpanId, TraceId};

use super::header_name::{HeaderName, by_text};
use super::live::{Identity, Live};
use super::trust::TraceMode;
use crate::context;
use crate::pipeline::Pipeline;

/// What ids of the caller a new exchange goes on with: the opaque `x-trace-id`, and the request id.
pub(super) type Inherited = (Option<String>, Option<String>);

/// An incoming request continues the caller's trace or starts one; either way it is a new span.
#[inline]
pub(super) fn incoming<'h, I, N>(
    identity: &mut Identity,
    record: &mut RecordWriter,
    trace: Incoming<'_>,
    tracestate: bool,
    headers: &impl Fn() -> I,
) -> Inherited
where
    I: Iterator<Item = (N, &'h [u8])>,
    HeaderName<'h>: From<N>,
{
    identity.span_id = SpanId::generate();
    identity.tracestate.clear();
    let opaque = match trace {
        Incoming::Continued { trace_id, parent_span, flags, keep_tracestate, opaque } => {
            (identity.trace_id, identity.flags) = (trace_id, flags);
            if let Some(parent) = parent_span {
                record.span_id(Field::ParentSpanId, &parent);
            }
            if keep_tracestate && tracestate {
                let lines = by_text(headers())
                    .filter(|(name, _)| *name == trace_headers::TRACESTATE)
                    .map(|(_, value)| value);
                if let Some(state) = TraceState::combine(lines) {
                    identity.tracestate.push_str(state.as_str());
                }
            }
            opaque
        }
        Incoming::New { flags, opaque } => {
            (identity.trace_id, identity.flags) = (TraceId::generate(), flags);
            opaque
        }
    };
    (opaque.map(Into::into), None)
}

/// What the caller says of its trace does not count; a restarted one is linked to.
#[cold]
pub(super) fn link(record: &mut RecordWriter, trace: Incoming<'_>, mode: TraceMode) {
    if let (TraceMode::Restart, Incoming::Continued { trace_id, parent_span, .. }) = (mode, trace) {
        record.trace_id(Field::LinkedTraceId, &trace_id);
        if let Some(span) = parent_span {
            record.span_id(Field::LinkedSpanId, &span);
        }
    }
}

/// A call is a new span under the current request, in its trace; one that carries a `traceparent` keeps that.
pub(super) fn outgoing(
    identity: &mut Identity,
    record: &mut RecordWriter,
    trace: Incoming<'_>,
    pipeline: &Arc<Pipeline>,
) -> Inherited {
    let current = context::current();
    let parent = current.live();
    current.write_notes(record, pipeline, parent.and_then(Live::notes).as_deref());
    identity.tracestate.clear();
    identity.span_id = SpanId::generate();
    (identity.trace_id, identity.flags) = match (trace, parent) {
        (Incoming::Continued { trace_id, parent_span, flags, .. }, _) => {
            identity.span_id = parent_span.unwrap_or(identity.span_id);
            (trace_id, flags)
        }
        (_, Some(parent)) => {
            identity.tracestate.push_str(&parent.tracestate);
            (parent.trace_id, parent.flags)
        }
        (Incoming::New { flags, .. }, None) => (TraceId::generate(), flags),
    };
    if let Some(parent) = parent {
        record.span_id(Field::ParentSpanId, &parent.span_id);
    }
    let opaque = parent.filter(|p| p.is_opaque()).map(|p| p.x_trace_id());
    (trace.opaque().or(opaque).map(Into::into), parent.map(|p| p.request_id().into()))
}

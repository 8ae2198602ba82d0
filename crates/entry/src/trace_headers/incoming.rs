//! Which of the incoming headers decides about the trace.

use super::{TraceFlags, TraceParent, XTraceId};
use crate::{SpanId, TraceId};

/// The trace headers of one request, as they came. Offer it every header; it keeps those that count.
#[derive(Debug, Clone, Copy, Default)]
pub struct IncomingHeaders<'a> {
    traceparent: Single<'a>,
    x_trace_id: Single<'a>,
    x_parent_span_id: Single<'a>,
}

impl<'a> IncomingHeaders<'a> {
    /// Looks at one header line; the name is in lower case. `tracestate` is not among those kept: join its lines
    /// with [`TraceState::combine`](super::TraceState::combine) where the outcome says so.
    #[inline]
    pub fn offer(&mut self, name: &[u8], value: &'a [u8]) {
        match name {
            b"traceparent" => self.traceparent.add(value),
            b"x-trace-id" => self.x_trace_id.add(value),
            b"x-parent-span-id" => self.x_parent_span_id.add(value),
            _ => {}
        }
    }
}

/// A header that may stand once; twice, it says nothing.
#[derive(Debug, Clone, Copy, Default)]
enum Single<'a> {
    #[default]
    Absent,
    One(&'a [u8]),
    Several,
}

impl<'a> Single<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = match self {
            Self::Absent => Self::One(value),
            _ => Self::Several,
        };
    }

    fn get(self) -> Option<&'a [u8]> {
        match self {
            Self::One(value) => Some(value),
            Self::Absent | Self::Several => None,
        }
    }
}

/// Where a request's trace comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// The caller is part of a trace: go on with it.
    Continued {
        /// The trace.
        trace_id: TraceId,
        /// The caller's span, where it was said.
        parent_span: Option<SpanId>,
        /// As the caller set them. `x-trace-id` says none: sampled, because the request is logged.
        flags: TraceFlags,
        /// Whether `tracestate` belongs to this trace and goes along, if it is valid.
        keep_tracestate: bool,
        /// An `x-trace-id` that is not a trace id: a hop before this one started a trace beside it.
        opaque: Option<&'a str>,
    },
    /// Start a trace; `tracestate` is dropped.
    New {
        /// An `x-trace-id` that is not a trace id: return and forward it, and store it beside the trace.
        opaque: Option<&'a str>,
    },
}

impl<'a> Incoming<'a> {
    /// Decides by precedence: `traceparent`, then `x-trace-id`. A header that is invalid or came more than once
    /// counts as missing.
    #[must_use]
    pub fn resolve(headers: &IncomingHeaders<'a>) -> Self {
        let x_trace_id = headers.x_trace_id.get().and_then(XTraceId::parse);
        let opaque = match x_trace_id {
            Some(XTraceId::Opaque(id)) => Some(id),
            _ => None,
        };
        if let Some(Ok(parent)) = headers.traceparent.get().map(TraceParent::parse) {
            return Self::Continued {
                trace_id: parent.trace_id,
                parent_span: Some(parent.parent),
                flags: parent.flags,
                keep_tracestate: true,
                opaque,
            };
        }
        match x_trace_id {
            Some(XTraceId::Trace(trace_id)) => Self::Continued {
                trace_id,
                parent_span: headers.x_parent_span_id.get().and_then(|v| SpanId::parse_lenient(v).ok()),
                flags: TraceFlags::SAMPLED,
                keep_tracestate: false,
                opaque: None,
            },
            _ => Self::New { opaque },
        }
    }
}

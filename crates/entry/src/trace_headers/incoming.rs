//! Which of the incoming headers decides about the trace.

use super::b3::{self, B3Headers};
use super::{TraceFlags, TraceParent, XTraceId};
use crate::{KnownHeader, SpanId, TraceId};

/// The trace headers of one request, as they came. Offer it every header; it keeps those that count.
#[derive(Debug, Clone, Copy, Default)]
pub struct IncomingHeaders<'a> {
    traceparent: Single<'a>,
    x_trace_id: Single<'a>,
    x_parent_span_id: Single<'a>,
    b3: B3Headers<'a>,
}

impl<'a> IncomingHeaders<'a> {
    /// Looks at one header line; the name is in lower case. `tracestate` is not among those kept: join its lines
    /// with [`TraceState::combine`](super::TraceState::combine) where the outcome says so.
    pub fn offer(&mut self, name: &[u8], value: &'a [u8]) {
        if let Some(known) = std::str::from_utf8(name).ok().and_then(KnownHeader::from_name) {
            self.offer_known(known, value);
        }
    }

    /// Likewise, of a header whose name was looked up already.
    #[inline]
    pub fn offer_known(&mut self, name: KnownHeader, value: &'a [u8]) {
        let slot = match name {
            KnownHeader::TraceParent => &mut self.traceparent,
            KnownHeader::XTraceId => &mut self.x_trace_id,
            KnownHeader::XParentSpanId => &mut self.x_parent_span_id,
            KnownHeader::B3 => &mut self.b3.single,
            KnownHeader::XB3TraceId => &mut self.b3.trace_id,
            KnownHeader::XB3SpanId => &mut self.b3.span_id,
            KnownHeader::XB3Sampled => &mut self.b3.sampled,
            KnownHeader::XB3Flags => &mut self.b3.flags,
            _ => return,
        };
        slot.add(value);
    }

    /// The 32 digits of the trace id that [`Incoming::resolve`] found in these headers, as they came: in lower case.
    /// `None` where it made them of something else than a `traceparent`.
    #[inline]
    #[must_use]
    pub fn trace_id_digits(&self, found: &Incoming<'_>) -> Option<&'a [u8; 32]> {
        match found {
            // Nothing else has a `tracestate`.
            Incoming::Continued { keep_tracestate: true, .. } => {
                self.traceparent.get()?.get(3..)?.first_chunk()
            }
            _ => None,
        }
    }
}

/// A header that may stand once; twice, it says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Single<'a> {
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

    pub(super) fn get(self) -> Option<&'a [u8]> {
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
        /// As the caller set them. Where it said nothing: sampled, because the request is logged.
        flags: TraceFlags,
        /// Whether `tracestate` belongs to this trace and goes along, if it is valid.
        keep_tracestate: bool,
        /// An `x-trace-id` that is not a trace id: a hop before this one started a trace beside it.
        opaque: Option<&'a str>,
    },
    /// Start a trace; `tracestate` is dropped.
    New {
        /// [`TraceFlags::of_new_trace`], but not sampled where B3 says so (`b3: 0`).
        flags: TraceFlags,
        /// An `x-trace-id` that is not a trace id: return and forward it, and store it beside the trace.
        opaque: Option<&'a str>,
    },
}

impl<'a> Incoming<'a> {
    /// Nothing of the caller's.
    pub const NONE: Self = Self::New { flags: TraceFlags::of_new_trace(), opaque: None };

    /// An `x-trace-id` that is not a trace id.
    #[must_use]
    pub fn opaque(&self) -> Option<&'a str> {
        match *self {
            Self::Continued { opaque, .. } | Self::New { opaque, .. } => opaque,
        }
    }

    /// Decides by precedence: `traceparent`, `b3`, `X-B3-…`, `x-trace-id`. A header that is invalid or came more than
    /// once counts as missing.
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
        headers.without_traceparent(x_trace_id, opaque)
    }
}

impl<'a> IncomingHeaders<'a> {
    #[inline(never)] // out of the way of those that have one
    fn without_traceparent(&self, x_trace_id: Option<XTraceId<'a>>, opaque: Option<&'a str>) -> Incoming<'a> {
        let b3 = self.b3.read();
        let sampled = b3.and_then(|b3| b3.sampled);
        let (trace_id, parent_span) = match (b3.and_then(|b3| b3.ids), x_trace_id) {
            (Some((trace_id, span)), _) => (trace_id, Some(span)),
            (None, Some(XTraceId::Trace(trace_id))) => {
                (trace_id, self.x_parent_span_id.get().and_then(|v| SpanId::parse_lenient(v).ok()))
            }
            _ => {
                let flags =
                    if sampled == Some(false) { TraceFlags::RANDOM } else { TraceFlags::of_new_trace() };
                return Incoming::New { flags, opaque };
            }
        };
        Incoming::Continued {
            trace_id,
            parent_span,
            flags: b3::flags(sampled),
            keep_tracestate: false,
            opaque,
        }
    }
}

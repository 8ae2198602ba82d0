//! The start of an exchange: its head is written, its headers are walked once, its place in a trace is found.

use std::sync::Arc;

use hoplog_entry::trace_headers::{self, Incoming, IncomingHeaders, TraceFlags, TraceState};
use hoplog_entry::{EntryId, Field, Kind, KnownHeader, RecordWriter, SpanId, TraceId};

use super::live::{self, Identity, Live};
use super::record::OpenRecord;
use super::rules::Chosen;
use super::{Exchange, RequestHead};
use crate::context;
use crate::pipeline::Pipeline;
use crate::queue::Fill;
use crate::redact::{HeaderAction, REDACTED, Verdict};
use crate::sync::lock;

impl Exchange {
    /// Begins the exchange of a request that this process answers. `headers` are pairs of lower-case name and value,
    /// values of one name next to each other.
    pub(crate) fn begin_incoming<'h, I>(
        pipeline: &Arc<Pipeline>,
        head: &RequestHead<'_>,
        headers: impl Fn() -> I,
    ) -> Self
    where
        I: Iterator<Item = (&'h str, &'h [u8])>,
    {
        let chosen = pipeline.rules.begin(head);
        begin(pipeline, Kind::Request, head, &headers, chosen, |live, record, seen| {
            continue_trace(live, record, seen, &headers);
            (seen.opaque().map(Into::into), None)
        })
    }

    /// Begins the exchange of a call that this process makes, under the current request.
    pub(crate) fn begin_outgoing<'h, I>(
        pipeline: &Arc<Pipeline>,
        head: &RequestHead<'_>,
        headers: impl Fn() -> I,
    ) -> Self
    where
        I: Iterator<Item = (&'h str, &'h [u8])>,
    {
        let parent = context::current();
        let parent = parent.live().filter(|_| pipeline.rules.samples()).map(|live| lock(&live.record).chosen);
        begin(pipeline, Kind::Outgoing, head, &headers, pipeline.rules.begin_call(parent), start_call)
    }
}

/// What ids of the caller a new exchange goes on with: the opaque `x-trace-id`, and the request id.
type Inherited = (Option<String>, Option<String>);

fn begin<'h, I>(
    pipeline: &Arc<Pipeline>,
    kind: Kind,
    head: &RequestHead<'_>,
    headers: &impl Fn() -> I,
    mut chosen: Chosen,
    place: impl FnOnce(&mut Identity, &mut RecordWriter, &Seen<'h>) -> Inherited,
) -> Exchange
where
    I: Iterator<Item = (&'h str, &'h [u8])>,
{
    let started = pipeline.clock.now();
    let created = pipeline.clock.unix_ns(started);
    let id = EntryId::generate(created / 1_000_000);
    let mut shared = live::take();
    // Always so: the pool hands out what nobody else holds.
    if let Some(live) = Arc::get_mut(&mut shared) {
        let Live { identity, record: open, .. } = live;
        let mut open = lock(open);
        let mut record = std::mem::take(&mut open.writer);
        record.begin(kind, id, created);
        let keep = pipeline.queue.fill() < Fill::Critical && pipeline.rules.of(&chosen).request_headers;
        // Else it is known only with the trace whether any of this is wanted.
        let certain = chosen.is_certain();
        if certain {
            write_head(&mut record, pipeline, head);
        }
        let seen = walk(&mut record, pipeline, headers(), keep && certain);
        let (opaque, request_id) = place(identity, &mut record, &seen);
        let sampled = chosen.decide(&identity.trace_id);
        if !certain {
            identity.flags = identity.flags.with(TraceFlags::SAMPLED, sampled);
            if sampled {
                capture_late(&mut record, pipeline, head, keep.then(headers));
            }
        }
        if let (None, Some(host)) = (head.host, seen.host) {
            record.text(Field::HostHeader, host);
        }
        let request_id = seen.request_id.or(request_id.as_deref().map(str::as_bytes));
        identity.set_ids(opaque.as_deref(), request_id, &id);
        record.trace_id(Field::TraceId, &identity.trace_id);
        record.span_id(Field::SpanId, &identity.span_id);
        let (x_trace_id, request_id) = identity.ids();
        record.ascii(Field::RequestId, request_id);
        if identity.is_opaque() {
            record.ascii(Field::XTraceId, x_trace_id);
        }
        *open = OpenRecord {
            writer: record,
            pipeline: Some(Arc::clone(pipeline)),
            outgoing: kind == Kind::Outgoing,
            head_only: head.method == "HEAD",
            routed: head.route.is_some(),
            chosen,
            started,
            request_bytes: seen.request_bytes,
            ..OpenRecord::default()
        };
    }
    Exchange::new(shared)
}

/// What the walk over the headers found besides what it wrote.
struct Seen<'h> {
    trace: Incoming<'h>,
    tracestate: bool,
    request_id: Option<&'h [u8]>,
    host: Option<&'h str>,
    request_bytes: Option<u64>,
}

impl<'h> Seen<'h> {
    fn opaque(&self) -> Option<&'h str> {
        match self.trace {
            Incoming::Continued { opaque, .. } | Incoming::New { opaque } => opaque,
        }
    }
}

fn write_head(record: &mut RecordWriter, pipeline: &Pipeline, head: &RequestHead<'_>) {
    record.text(Field::Method, head.method);
    masked(record, Field::Path, head.path, |raw, out| pipeline.redactor.path(raw, out));
    if let Some(query) = head.query.filter(|q| !q.is_empty()) {
        masked(record, Field::Query, query, |raw, out| pipeline.redactor.query(raw, out));
    }
    if let Some(route) = head.route {
        record.text(Field::Route, route);
    }
    if let Some(scheme) = head.scheme {
        record.text(Field::Scheme, scheme);
    }
    if let Some(host) = head.host {
        record.text(Field::HostHeader, host);
    }
    record.text(Field::HttpVersion, head.http_version);
    if let Some(peer) = head.peer {
        record.ip(Field::Ip, peer);
        record.ip(Field::Peer, peer);
    }
}

/// Writes what masking leaves of a text; allocates only where something is masked.
#[inline(always)] // twice in one function
fn masked(
    record: &mut RecordWriter,
    field: Field,
    raw: &str,
    mask: impl FnOnce(&[u8], &mut Vec<u8>) -> Verdict,
) {
    let mut out = Vec::new();
    match mask(raw.as_bytes(), &mut out) {
        Verdict::Unchanged => record.text(field, raw),
        Verdict::Masked => record.text(field, std::str::from_utf8(&out).unwrap_or(REDACTED)),
        Verdict::Dropped => {}
    }
}

fn walk<'h>(
    record: &mut RecordWriter,
    pipeline: &Pipeline,
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    keep: bool,
) -> Seen<'h> {
    let mut trace = IncomingHeaders::default();
    let (mut tracestate, mut request_id, mut host, mut request_bytes) = (false, None, None, Some(0));
    for (name, value) in headers {
        let known = KnownHeader::from_name(name);
        match known {
            Some(KnownHeader::TraceParent | KnownHeader::XTraceId | KnownHeader::XParentSpanId) => {
                trace.offer(name.as_bytes(), value);
            }
            Some(KnownHeader::TraceState) => tracestate = true,
            Some(KnownHeader::XRequestId) => {
                request_id = Some(value).filter(|id| trace_headers::is_request_id(id));
            }
            Some(KnownHeader::Host) => host = std::str::from_utf8(value).ok(),
            Some(KnownHeader::ContentLength) => request_bytes = parse_decimal(value),
            Some(KnownHeader::TransferEncoding) => request_bytes = None,
            _ => {}
        }
        if keep {
            write_header(record, Field::RequestHeader, pipeline, known, name, value);
        }
    }
    Seen { trace: Incoming::resolve(&trace), tracestate, request_id, host, request_bytes }
}

/// For those that sampling let in: a second walk over the headers.
#[inline(never)]
fn capture_late<'h>(
    record: &mut RecordWriter,
    pipeline: &Pipeline,
    head: &RequestHead<'_>,
    headers: Option<impl Iterator<Item = (&'h str, &'h [u8])>>,
) {
    write_head(record, pipeline, head);
    for (name, value) in headers.into_iter().flatten() {
        let known = KnownHeader::from_name(name);
        write_header(record, Field::RequestHeader, pipeline, known, name, value);
    }
}

#[inline(always)] // in a loop over every header
pub(super) fn write_header(
    record: &mut RecordWriter,
    field: Field,
    pipeline: &Pipeline,
    known: Option<KnownHeader>,
    name: &str,
    value: &[u8],
) {
    match (pipeline.header(known, name), known) {
        (HeaderAction::Skip, _) => {}
        (HeaderAction::Keep, Some(known)) => record.known_header(field, known, value),
        (HeaderAction::Keep, None) => record.named_header(field, name, value),
        (action, _) => write_altered(record, field, pipeline, action, name, value),
    }
}

fn write_altered(
    record: &mut RecordWriter,
    field: Field,
    pipeline: &Pipeline,
    action: HeaderAction,
    name: &str,
    value: &[u8],
) {
    let mut out = Vec::new();
    let value = match action {
        HeaderAction::Skip => return,
        HeaderAction::Keep => value,
        HeaderAction::Redact => REDACTED.as_bytes(),
        HeaderAction::MaskUrl => match pipeline.redactor.url(value, &mut out) {
            Verdict::Unchanged => value,
            Verdict::Masked => &out,
            Verdict::Dropped => REDACTED.as_bytes(),
        },
    };
    record.header(field, name, value);
}

/// An incoming request continues the caller's trace or starts one; either way it is a new span.
fn continue_trace<'h, I>(
    live: &mut Identity,
    record: &mut RecordWriter,
    seen: &Seen<'h>,
    headers: &impl Fn() -> I,
) where
    I: Iterator<Item = (&'h str, &'h [u8])>,
{
    live.span_id = SpanId::generate();
    live.tracestate.clear();
    match seen.trace {
        Incoming::Continued { trace_id, parent_span, flags, keep_tracestate, .. } => {
            (live.trace_id, live.flags) = (trace_id, flags);
            if let Some(parent) = parent_span {
                record.span_id(Field::ParentSpanId, &parent);
            }
            if keep_tracestate && seen.tracestate {
                let lines =
                    headers().filter(|(name, _)| *name == trace_headers::TRACESTATE).map(|(_, value)| value);
                if let Some(state) = TraceState::combine(lines) {
                    live.tracestate.push_str(state.as_str());
                }
            }
        }
        Incoming::New { .. } => {
            (live.trace_id, live.flags) = (TraceId::generate(), TraceFlags::SAMPLED);
        }
    }
}

/// A call is a new span under the current request, in its trace; one that carries a `traceparent` keeps that.
fn start_call(live: &mut Identity, record: &mut RecordWriter, seen: &Seen<'_>) -> Inherited {
    let current = context::current();
    let parent = current.live();
    live.tracestate.clear();
    live.span_id = SpanId::generate();
    (live.trace_id, live.flags) = match (seen.trace, parent) {
        (Incoming::Continued { trace_id, parent_span, flags, .. }, _) => {
            live.span_id = parent_span.unwrap_or(live.span_id);
            (trace_id, flags)
        }
        (_, Some(parent)) => {
            live.tracestate.push_str(&parent.tracestate);
            (parent.trace_id, parent.flags)
        }
        _ => (TraceId::generate(), TraceFlags::SAMPLED),
    };
    if let Some(parent) = parent {
        record.span_id(Field::ParentSpanId, &parent.span_id);
    }
    let opaque = parent.filter(|p| p.is_opaque()).map(|p| p.x_trace_id());
    (seen.opaque().or(opaque).map(Into::into), parent.map(|p| p.request_id().into()))
}

pub(super) fn parse_decimal(value: &[u8]) -> Option<u64> {
    std::str::from_utf8(value).ok()?.trim().parse().ok()
}

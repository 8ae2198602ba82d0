//! The start of an exchange: it gets its ids and its record; what is known of it is written there.

use std::sync::Arc;

use hoplog_entry::forwarded::Client;
use hoplog_entry::trace_headers::{Incoming, TraceFlags};
use hoplog_entry::{EntryId, Field, Kind, RecordWriter};

use super::derived;
use super::head::{self, write_head};
use super::header_name::{HeaderName, by_text};
use super::headers::{walk, write_headers};
use super::live::{self, Identity, Live};
use super::place::{self, Inherited};
use super::rules::Chosen;
use super::trust::{Caller, TraceMode, told_by_headers};
use super::{Exchange, RequestHead};
use crate::context;
use crate::pipeline::Pipeline;
use crate::queue::Fill;
use crate::sync::lock;

impl Exchange {
    /// Begins the exchange of a request that this process answers. `headers` are pairs of lower-case name and value,
    /// values of one name next to each other.
    #[inline(always)] // at its one place, in every service
    pub(crate) fn begin_incoming<'h, I, N>(
        pipeline: &Arc<Pipeline>,
        head: &RequestHead<'_>,
        headers: impl Fn() -> I,
    ) -> Self
    where
        I: Iterator<Item = (N, &'h [u8])>,
        HeaderName<'h>: From<N>,
    {
        let caller = pipeline.trust.caller(head, || by_text(headers()));
        let chosen = pipeline.rules.begin(head);
        begin(
            pipeline,
            Kind::Request,
            head,
            &caller,
            &headers,
            chosen,
            |identity, record, trace, tracestate| {
                if pipeline.trust.client_types() {
                    derived::write(record, pipeline, head.path, by_text(headers()));
                }
                place::incoming(identity, record, trace, tracestate, &headers)
            },
        )
    }

    /// Begins the exchange of a call that this process makes, under the current request.
    pub(crate) fn begin_outgoing<'h, I, N>(
        pipeline: &Arc<Pipeline>,
        head: &RequestHead<'_>,
        headers: impl Fn() -> I,
    ) -> Self
    where
        I: Iterator<Item = (N, &'h [u8])>,
        HeaderName<'h>: From<N>,
    {
        let parent = context::current();
        let parent = parent.live().filter(|_| pipeline.rules.samples()).map(|live| lock(&live.record).chosen);
        let chosen = pipeline.rules.begin_call(parent);
        begin(
            pipeline,
            Kind::Outgoing,
            head,
            // Whom it calls is told by its URL.
            &Caller { client: Some(Client::default()), ..Caller::default() },
            &headers,
            chosen,
            |identity, record, trace, _| place::outgoing(identity, record, trace, pipeline),
        )
    }
}

#[inline(always)] // at its two places, one of them the request path
fn begin<'h, I, N>(
    pipeline: &Arc<Pipeline>,
    kind: Kind,
    head: &RequestHead<'_>,
    caller: &Caller<'_>,
    headers: &impl Fn() -> I,
    mut chosen: Chosen,
    place: impl FnOnce(&mut Identity, &mut RecordWriter, Incoming<'h>, bool) -> Inherited,
) -> Exchange
where
    I: Iterator<Item = (N, &'h [u8])>,
    HeaderName<'h>: From<N>,
{
    let started = pipeline.clock.now();
    let created = pipeline.clock.unix_ns(started);
    let id = EntryId::generate(created / 1_000_000);
    let mut shared = live::take();
    let mut taps_request = false;
    // Always so: the pool hands out what nobody else holds.
    if let Some(live) = Arc::get_mut(&mut shared) {
        let Live { identity, record: open, .. } = live;
        let mut open = lock(open);
        let open = &mut *open;
        let record = &mut open.writer;
        record.begin(kind, id, created);
        let keep = pipeline.queue.fill() < Fill::Critical && pipeline.rules.of(&chosen).request_headers;
        // Else it is known only with the trace whether any of this is wanted.
        let certain = chosen.is_certain();
        if certain {
            write_head(record, pipeline, head, caller);
        }
        let mut seen = walk(record, pipeline, headers(), keep && certain);
        if caller.mode != TraceMode::Continue {
            place::link(record, seen.trace, caller.mode);
            (seen.trace, seen.trace_id, seen.request_id) = (Incoming::NONE, None, None);
        }
        let (opaque, request_id) = place(identity, record, seen.trace, seen.tracestate);
        let sampled = chosen.decide(&identity.trace_id);
        if !certain {
            identity.flags = identity.flags.with(TraceFlags::SAMPLED, sampled);
            if sampled {
                write_head(record, pipeline, head, caller);
                write_headers(record, pipeline, keep.then(headers));
            }
        }
        if let (None, Some(host)) = (head::host(head, caller), seen.host) {
            record.utf8(Field::HostHeader, host);
        }
        let request_id = seen.request_id.or(request_id.as_deref().map(str::as_bytes));
        identity.set_ids(opaque.as_deref(), seen.trace_id, request_id, &id);
        write_ids(record, identity);
        open.renew(chosen, started);
        open.ends_with_head = kind == Kind::Outgoing;
        open.head_only = head.method == "HEAD";
        open.tunnel = head.method == "CONNECT";
        open.routed = head.route.is_some();
        open.request_bytes = seen.size.or_else(|| head::size_unsaid(head));
        open.pipeline = Some(Arc::clone(pipeline));
        if caller.trusted {
            open.told = told_by_headers(by_text(headers()));
        }
        if kind == Kind::Request && sampled {
            taps_request = open.tap_request(seen.content_type.filter(|_| !seen.encoded));
            if pipeline.open_requests.is_some() {
                open.note();
            }
        }
    }
    Exchange::new(shared, taps_request)
}

#[inline(always)] // at its one place
fn write_ids(record: &mut RecordWriter, identity: &Identity) {
    record.hop(&identity.trace_id, &identity.span_id);
    let (x_trace_id, request_id) = identity.ids();
    record.ascii(Field::RequestId, request_id);
    if identity.is_opaque() {
        record.ascii(Field::XTraceId, x_trace_id);
    }
}

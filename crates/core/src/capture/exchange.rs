//! One request and its answer, from the head to the last byte.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use bytes::Bytes;
use hoplog_entry::{Field, KnownHeader, Outcome};

use super::failure::{ErrorReport, panicked};
use super::header_name::HeaderName;
use super::headers::{parse_decimal, write_header};
use super::live::{self, Live};
use super::record::OpenRecord;
use super::response_ids;
use super::tap::RequestTap;
use crate::context::{self, Context};
use crate::error_chain::harmless;
use crate::queue::Fill;
use crate::sync::lock;

/// A request under way. Glue crates begin it, tell it what happens, and finish it; dropped unfinished, it ends itself.
///
/// No call blocks, panics, or touches disk or network.
#[derive(Debug)]
pub struct Exchange {
    /// `None` once finished, and while [`Exchange::enter`]'s guard lives.
    live: Option<Arc<Live>>,
    // What a body counts needs no lock; all else is in the record, so that futures and bodies stay small.
    response_bytes: u64,
    /// What `content-length` or the body itself promised.
    declared: Option<u64>,
    taps_request: bool,
    taps_response: bool,
}

impl Exchange {
    pub(super) fn new(live: Arc<Live>, taps_request: bool) -> Self {
        Self { live: Some(live), response_bytes: 0, declared: None, taps_request, taps_response: false }
    }

    /// Polls the handler's future or the response body: in this exchange's context, and with an eye on panics. One
    /// that passes is noted and goes on as it would have.
    #[inline]
    pub fn poll<T>(&mut self, poll: impl FnOnce() -> T) -> T {
        let before = context::enter(self.live.take());
        // What was polled is not touched again: the panic goes on to whoever owns it.
        match panic::catch_unwind(AssertUnwindSafe(poll)) {
            Ok(polled) => {
                self.live = context::leave(before);
                polled
            }
            Err(payload) => {
                self.live = context::leave(before);
                self.write(|record| panicked(record, &*payload));
                panic::resume_unwind(payload)
            }
        }
    }

    /// This exchange's context.
    #[must_use]
    pub fn context(&self) -> Context {
        self.live.clone().map_or_else(Context::default, Context::of)
    }

    /// What `x-trace-id` of the response carries: the trace id, or the caller's own opaque one.
    #[must_use]
    pub fn x_trace_id(&self) -> &str {
        self.live.as_deref().map_or("", |live| live.x_trace_id())
    }

    /// What `x-request-id` of the response carries: the caller's, if it was valid, else the entry's id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.live.as_deref().map_or("", |live| live.request_id())
    }

    /// [`Exchange::x_trace_id`] and [`Exchange::request_id`] as values of headers: visible ASCII both.
    #[must_use]
    #[inline]
    pub fn response_ids(&self) -> [Bytes; 2] {
        let (ids, split) = self.live.as_deref().map_or((&[][..], 0), |live| live.joined_ids());
        response_ids::slices(ids, split)
    }

    /// The headers that this call carries, for outgoing exchanges. A call that has a `traceparent` already keeps it:
    /// do not set what is there.
    pub fn inject(&self, set: impl FnMut(&'static str, &str)) {
        if let Some(live) = &self.live {
            context::inject(live, set);
        }
    }

    /// The route template, where it is known only after the head.
    pub fn set_route(&mut self, route: &str) {
        self.write(|record| record.set_route(route));
    }

    /// The response head is there. `headers` as for the request; `size` is the body's exact length, if it has one.
    /// Tells whether an `x-trace-id` and an `x-request-id` are among them already; where it cannot be told, both are.
    pub fn response<'h, N>(
        &mut self,
        status: u16,
        headers: impl Iterator<Item = (N, &'h [u8])>,
        size: Option<u64>,
    ) -> [bool; 2]
    where
        HeaderName<'h>: From<N>,
    {
        self.declared = size;
        // A fault of ours in judging its headers costs those alone.
        harmless(|| self.read_head(status, headers)).unwrap_or([true; 2])
    }

    #[inline(always)] // at its one place
    fn read_head<'h, N>(&mut self, status: u16, headers: impl Iterator<Item = (N, &'h [u8])>) -> [bool; 2]
    where
        HeaderName<'h>: From<N>,
    {
        let mut ids = [false; 2];
        let Some(live) = &self.live else { return [true; 2] };
        let mut guard = lock(&live.record);
        let record = &mut *guard;
        let Some(pipeline) = record.pipeline.as_ref().filter(|_| !record.chosen.left_out) else {
            headers.for_each(|(name, _)| response_ids::note(&mut ids, HeaderName::from(name).known()));
            return ids;
        };
        record.ttfb = pipeline.clock.now().since(record.started);
        record.status = status;
        let rule = pipeline.rules.of(&record.chosen);
        let keep = pipeline.queue.fill() < Fill::Critical && rule.response_headers;
        let (mut content_type, mut encoded) = (None, false);
        for (name, value) in headers {
            let name = HeaderName::from(name);
            match name.known() {
                Some(KnownHeader::GrpcStatus) => record.grpc_status = grpc_status(value),
                Some(KnownHeader::ContentType) => content_type = Some(value),
                Some(KnownHeader::ContentEncoding) => encoded = true,
                known => response_ids::note(&mut ids, known),
            }
            if keep {
                write_header(&mut record.writer, Field::ResponseHeader, pipeline, name, value);
            }
        }
        let grpc = content_type.is_some_and(|t| t.starts_with(b"application/grpc"));
        // A gRPC answer ends with its trailers, whatever length its messages have.
        if grpc && !record.ends_with_head {
            self.declared = None;
        }
        // The path of a gRPC call is its route, if there is such a method: any caller can ask for any path.
        if grpc && !record.routed && record.grpc_status != Some(GRPC_UNIMPLEMENTED) {
            record.route_is_path();
        }
        if let Some(content_type) = content_type.filter(|_| !encoded) {
            self.taps_response = record.tap_response(content_type);
        }
        ids
    }

    /// Of an answer that is made out of sight: its status is known, neither its headers nor its size.
    pub fn response_unseen(&mut self, status: u16) {
        self.response(status, std::iter::empty::<(HeaderName<'_>, _)>(), None);
        self.ends_with_head();
    }

    /// Nobody here sees the response's body: its size is what the head says, and none of it is kept.
    pub fn ends_with_head(&mut self) {
        self.write(|record| record.ends_with_head = true);
    }

    /// Whether fewer body bytes went by than the response had promised.
    #[must_use]
    pub fn falls_short(&self) -> bool {
        self.declared.is_some_and(|size| self.response_bytes < size)
    }

    /// The size of the request's body, where it is known otherwise than by its `content-length`.
    pub fn request_bytes(&mut self, size: u64) {
        self.write(|record| record.request_bytes = Some(size));
    }

    /// Whether [`Exchange::request_tap`] may give one.
    #[must_use]
    #[inline]
    pub fn taps_request(&self) -> bool {
        self.taps_request
    }

    /// What is to see the request's body go by: where bodies are kept, and where nobody said how long this one is.
    #[must_use]
    #[inline]
    pub fn request_tap(&self) -> Option<RequestTap> {
        self.live.as_ref().filter(|_| self.taps_request).and_then(RequestTap::new)
    }

    /// Whether [`Exchange::response_data`] is to be told every piece of the response's body.
    #[must_use]
    #[inline]
    pub fn taps_response(&self) -> bool {
        self.taps_response
    }

    /// Some of the response's body goes by; beside [`Exchange::response_bytes`], which counts it.
    pub fn response_data(&self, data: &[u8]) {
        self.write(|record| record.response_tap.iter_mut().for_each(|tap| tap.keep(data)));
    }

    /// Bytes of it lie in pieces beyond reach: the kept body ends before them.
    pub fn response_skipped(&self) {
        self.write(|record| record.response_tap.iter_mut().for_each(|tap| tap.skip()));
    }

    /// More response body bytes went by. True when as many have passed as the response had promised.
    #[inline]
    pub fn response_bytes(&mut self, more: u64) -> bool {
        self.response_bytes += more;
        let whole = self.declared == Some(self.response_bytes);
        // A body in one piece has no gaps, and needs no look at the clock.
        if !whole || self.response_bytes > more {
            self.chunk();
        }
        whole
    }

    fn chunk(&mut self) {
        self.write(|record| {
            if let Some(now) = record.pipeline.as_ref().map(|p| p.clock.now()) {
                record.chunks.one_more(now);
            }
        });
    }

    /// `grpc-status` from the trailers.
    pub fn trailer(&mut self, name: &str, value: &[u8]) {
        if name == "grpc-status" {
            self.write(|record| record.grpc_status = grpc_status(value));
        }
    }

    /// What went wrong: the error's type, what it says, and its chain of sources, one per line. The first that is
    /// told counts, so one that a handler attached stays.
    pub fn error(&mut self, error_type: &str, message: &str, chain: Option<&str>) {
        self.write(|record| record.error(error_type, message, chain));
    }

    /// Likewise, of a report that a handler left on its response.
    pub fn report(&mut self, report: &ErrorReport) {
        self.write(|record| report.write(record));
    }

    /// Ends the exchange: its entry is written. `Completed` becomes `TimedOut` for 408 and 504, `Upgraded` for 101 and
    /// for a CONNECT answered with 2xx.
    pub fn finish(mut self, outcome: Outcome) {
        self.end(|_, _| outcome);
        // Its end has taken what there was to drop.
        std::mem::forget(self);
    }

    fn write(&self, f: impl FnOnce(&mut OpenRecord)) {
        if let Some(live) = &self.live {
            let mut record = lock(&live.record);
            if record.is_written() {
                f(&mut record);
            }
        }
    }

    fn end(&mut self, outcome: impl FnOnce(&Self, &OpenRecord) -> Outcome) {
        let Some(live) = self.live.take() else { return };
        let too_large = {
            let mut record = lock(&live.record);
            let outcome = outcome(self, &record);
            record.response_bytes =
                if record.ends_with_head { self.declared } else { Some(self.response_bytes) };
            if record.keepers > 0 && record.switches() {
                record.upgraded = true;
                return;
            }
            record.end(outcome);
            record.is_too_large()
        };
        live::give_back(live, too_large);
    }

    /// How an exchange ended that nobody finished.
    fn abandoned(&self, record: &OpenRecord) -> Outcome {
        match record.status {
            _ if std::thread::panicking() => Outcome::Panicked,
            0 => Outcome::Cancelled,
            _ if self.is_whole(record) => Outcome::Completed,
            _ => Outcome::BodyAborted,
        }
    }

    /// Whether nothing of the body is missing: as many bytes as were declared, or none to send, which servers do not
    /// poll for.
    fn is_whole(&self, record: &OpenRecord) -> bool {
        record.has_no_content() || self.declared.is_some_and(|size| self.response_bytes >= size)
    }
}

impl Drop for Exchange {
    #[inline]
    fn drop(&mut self) {
        if self.live.is_some() {
            self.end(Self::abandoned);
        }
    }
}

const GRPC_UNIMPLEMENTED: u16 = 12;

fn grpc_status(value: &[u8]) -> Option<u16> {
    parse_decimal(value).and_then(|n| u16::try_from(n).ok())
}

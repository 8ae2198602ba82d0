//! One request and its answer, from the head to the last byte.

use std::sync::Arc;

use hoplog_entry::{Field, KnownHeader, Level, Outcome};

use super::begin::{parse_decimal, write_header};
use super::live::{self, Live, OpenRecord};
use crate::context::{self, Context, Entered};
use crate::pipeline::Pipeline;
use crate::queue::Fill;
use crate::sync::lock;

/// A request under way. Glue crates begin it, tell it what happens, and finish it; dropped unfinished, it ends itself.
///
/// No call blocks, panics, or touches disk or network.
#[derive(Debug)]
pub struct Exchange {
    pipeline: Arc<Pipeline>,
    /// `None` once finished, and while [`Exchange::enter`]'s guard lives.
    live: Option<Arc<Live>>,
    // What a body counts needs no lock; all else is in the record, so that futures and bodies stay small.
    response_bytes: u64,
    /// What `content-length` or the body itself promised.
    declared: Option<u64>,
}

impl Exchange {
    pub(super) fn new(pipeline: &Arc<Pipeline>, live: Arc<Live>) -> Self {
        Self { pipeline: Arc::clone(pipeline), live: Some(live), response_bytes: 0, declared: None }
    }

    /// Makes this exchange the current context until the guard is dropped: around every poll of the handler's future
    /// and of the response body.
    #[inline]
    pub fn enter(&mut self) -> Entered<'_> {
        Entered::new(&mut self.live, true)
    }

    /// This exchange's context.
    #[must_use]
    pub fn context(&self) -> Context {
        self.live.clone().map_or_else(Context::default, Context::of)
    }

    /// What `x-trace-id` of the response carries: the trace id, or the caller's own opaque one.
    #[must_use]
    pub fn x_trace_id(&self) -> &str {
        self.live.as_deref().map_or("", Live::x_trace_id)
    }

    /// What `x-request-id` of the response carries: the caller's, if it was valid, else the entry's id.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.live.as_deref().map_or("", Live::request_id)
    }

    /// [`Exchange::x_trace_id`] and [`Exchange::request_id`] as the header values that they are: visible ASCII.
    #[must_use]
    pub fn response_ids(&self) -> (&[u8], &[u8]) {
        self.live.as_deref().map_or((&[], &[]), Live::ids)
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
        self.write(|record| {
            record.routed = true;
            record.writer.text(Field::Route, route);
        });
    }

    /// The response head is there. `headers` as for the request; `size` is the body's exact length, if it has one.
    pub fn response<'h>(
        &mut self,
        status: u16,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
        size: Option<u64>,
    ) {
        self.declared = size;
        let Some(live) = &self.live else { return };
        let mut record = lock(&live.record);
        record.ttfb = self.pipeline.clock.now().since(record.started);
        record.status = status;
        let keep = self.pipeline.queue.fill() < Fill::Critical;
        let mut grpc = false;
        for (name, value) in headers {
            let known = KnownHeader::from_name(name);
            match known {
                Some(KnownHeader::GrpcStatus) => record.grpc_status = grpc_status(value),
                Some(KnownHeader::ContentType) => grpc = value.starts_with(b"application/grpc"),
                _ => {}
            }
            if keep {
                write_header(&mut record.writer, Field::ResponseHeader, &self.pipeline, known, name, value);
            }
        }
        // The path of a gRPC call is its route, if there is such a method: any caller can ask for any path.
        if grpc && !record.routed && record.grpc_status != Some(GRPC_UNIMPLEMENTED) {
            record.route_is_path();
        }
    }

    /// Whether fewer body bytes went by than the response had promised.
    #[must_use]
    pub fn falls_short(&self) -> bool {
        self.declared.is_some_and(|size| self.response_bytes < size)
    }

    /// Request body bytes that were read, where they are counted. Without a call the `content-length` is taken.
    pub fn request_bytes(&mut self, read: u64) {
        self.write(|record| record.request_bytes = Some(read));
    }

    /// More response body bytes went by. True when as many have passed as the response had promised.
    #[inline]
    pub fn response_bytes(&mut self, more: u64) -> bool {
        self.response_bytes += more;
        self.declared == Some(self.response_bytes)
    }

    /// `grpc-status` from the trailers.
    pub fn trailer(&mut self, name: &str, value: &[u8]) {
        if name == "grpc-status" {
            self.write(|record| record.grpc_status = grpc_status(value));
        }
    }

    /// What went wrong: the error's type, what it says, and its chain of sources, one per line.
    pub fn error(&mut self, error_type: &str, message: &str, chain: Option<&str>) {
        let message = self.pipeline.redactor.text(message);
        let chain = chain.map(|chain| self.pipeline.redactor.text(chain));
        self.write(|OpenRecord { writer, .. }| {
            writer.text(Field::ErrorType, error_type);
            writer.text(Field::ErrorMessage, &message);
            if let Some(chain) = &chain {
                writer.text(Field::StackTrace, chain);
            }
        });
    }

    /// Ends the exchange: its entry is written. `Completed` becomes `TimedOut` for 408 and 504, `Upgraded` for 101.
    pub fn finish(mut self, outcome: Outcome) {
        self.end(|_, _| outcome);
    }

    fn write(&mut self, f: impl FnOnce(&mut OpenRecord)) {
        if let Some(live) = &self.live {
            f(&mut lock(&live.record));
        }
    }

    fn end(&mut self, outcome: impl FnOnce(&Self, &OpenRecord) -> Outcome) {
        let Some(live) = self.live.take() else { return };
        {
            let mut guard = lock(&live.record);
            let record = &mut *guard;
            let status = record.status;
            let outcome = match (outcome(self, record), status) {
                _ if record.panicked => Outcome::Panicked,
                (Outcome::Completed, 408 | 504) => Outcome::TimedOut,
                (Outcome::Completed, 101) => Outcome::Upgraded,
                (outcome, _) => outcome,
            };
            let level = level(outcome, status, record.grpc_status);
            record.open = false;
            let writer = &mut record.writer;
            if status != 0 {
                writer.uint(Field::StatusCode, status.into());
                writer.nanos(Field::Ttfb, record.ttfb);
                let size = if record.outgoing { self.declared } else { Some(self.response_bytes) };
                if let Some(size) = size {
                    writer.uint(Field::ResponseSize, size);
                }
            }
            if let Some(status) = record.grpc_status {
                writer.uint(Field::GrpcStatus, status.into());
            }
            if let Some(bytes) = record.request_bytes {
                writer.uint(Field::RequestSize, bytes);
            }
            writer.nanos(Field::Duration, self.pipeline.clock.now().since(record.started));
            // A full queue counts what it refuses; there is nobody to tell here.
            let _ = self.pipeline.queue.push(writer.end(level, Some(outcome)), level >= Level::Error);
        }
        live::give_back(live);
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

    /// Whether nothing of the body is missing: as many bytes as were declared, or an answer that has no body
    /// (RFC 9110 §6.4.1: to HEAD, 1xx, 204, 304), which servers do not poll.
    fn is_whole(&self, record: &OpenRecord) -> bool {
        record.head_only
            || matches!(record.status, 100..200 | 204 | 304)
            || self.declared.is_some_and(|size| self.response_bytes >= size)
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

fn level(outcome: Outcome, status: u16, grpc_status: Option<u16>) -> Level {
    match (outcome, status) {
        (Outcome::Panicked | Outcome::ServiceError | Outcome::ProcessDied, _) | (_, 500..) => Level::Error,
        (Outcome::Cancelled | Outcome::BodyAborted | Outcome::TimedOut, _) | (_, 400..) => Level::Warn,
        // gRPC answers 200 and says in its status how it went: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
        // UNAVAILABLE and DATA_LOSS are the server's fault (OpenTelemetry's rule for server spans).
        _ => match grpc_status {
            Some(2 | 4 | 12 | 13 | 14 | 15) => Level::Error,
            Some(1..) => Level::Warn,
            _ => Level::Info,
        },
    }
}

fn grpc_status(value: &[u8]) -> Option<u16> {
    parse_decimal(value).and_then(|n| u16::try_from(n).ok())
}

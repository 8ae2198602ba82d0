//! One request and its answer, from the head to the last byte.

use std::net::IpAddr;
use std::sync::Arc;

use hoplog_entry::{Field, KnownHeader, Level, Outcome, RecordWriter};

use super::begin::{parse_decimal, write_header};
use super::live::{self, Live, OpenRecord};
use crate::clock::Moment;
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
    started: Moment,
    /// Nanoseconds to the response head; 0 without one.
    ttfb: u64,
    status: u16,
    grpc_status: Option<u16>,
    peer: Option<IpAddr>,
    pub(super) request_bytes: Option<u64>,
    response_bytes: u64,
    /// What `content-length` or the body itself promised.
    declared: Option<u64>,
    /// HEAD: whatever the body declares, none of it is sent.
    pub(super) head_only: bool,
}

impl Exchange {
    pub(super) fn new(
        pipeline: &Arc<Pipeline>,
        started: Moment,
        live: Arc<Live>,
        peer: Option<IpAddr>,
    ) -> Self {
        Self {
            pipeline: Arc::clone(pipeline),
            live: Some(live),
            started,
            ttfb: 0,
            status: 0,
            grpc_status: None,
            peer,
            request_bytes: Some(0),
            response_bytes: 0,
            declared: None,
            head_only: false,
        }
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

    /// The headers that this call carries, for outgoing exchanges. A call that has a `traceparent` already keeps it:
    /// do not set what is there.
    pub fn inject(&self, set: impl FnMut(&'static str, &str)) {
        if let Some(live) = &self.live {
            context::inject(live, set);
        }
    }

    /// The route template, where it is known only after the head.
    pub fn set_route(&mut self, route: &str) {
        self.write(|record| record.text(Field::Route, route));
    }

    /// The response head is there. `headers` as for the request; `size` is the body's exact length, if it has one.
    pub fn response<'h>(
        &mut self,
        status: u16,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
        size: Option<u64>,
    ) {
        self.ttfb = self.pipeline.clock.now().since(self.started).max(1);
        self.status = status;
        self.declared = size;
        let keep = self.pipeline.queue.fill() < Fill::Critical;
        let Some(live) = &self.live else { return };
        let mut record = lock(&live.record);
        for (name, value) in headers {
            let known = KnownHeader::from_name(name);
            if known == Some(KnownHeader::GrpcStatus) {
                self.grpc_status = grpc_status(value);
            }
            if keep {
                write_header(&mut record.writer, Field::ResponseHeader, &self.pipeline, known, name, value);
            }
        }
    }

    /// Request body bytes that were read, where they are counted. Without a call the `content-length` is taken.
    pub fn request_bytes(&mut self, read: u64) {
        self.request_bytes = Some(read);
    }

    /// More response body bytes went by. True when as many have passed as the response had promised.
    #[inline]
    pub fn response_bytes(&mut self, more: u64) -> bool {
        self.response_bytes += more;
        self.declared == Some(self.response_bytes)
    }

    /// Whether nothing of the body is missing: as many bytes as were declared, or an answer that has no body
    /// (RFC 9110 §6.4.1: to HEAD, 1xx, 204, 304), which servers do not poll.
    fn is_whole(&self) -> bool {
        self.head_only
            || matches!(self.status, 100..200 | 204 | 304)
            || self.declared.is_some_and(|size| self.response_bytes >= size)
    }

    /// `grpc-status` from the trailers.
    pub fn trailer(&mut self, name: &str, value: &[u8]) {
        if name == "grpc-status" {
            self.grpc_status = grpc_status(value);
        }
    }

    /// What went wrong: the error's type, what it says, and its chain of sources, one per line.
    pub fn error(&mut self, error_type: &str, message: &str, chain: Option<&str>) {
        self.write(|record| {
            record.text(Field::ErrorType, error_type);
            record.text(Field::ErrorMessage, message);
            if let Some(chain) = chain {
                record.text(Field::StackTrace, chain);
            }
        });
    }

    /// Ends the exchange: its entry is written. `Completed` becomes `TimedOut` for 408 and 504, `Upgraded` for 101.
    pub fn finish(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn write(&mut self, f: impl FnOnce(&mut RecordWriter)) {
        if let Some(live) = &self.live {
            f(&mut lock(&live.record).writer);
        }
    }

    fn end(&mut self, outcome: Outcome) {
        let Some(live) = self.live.take() else { return };
        let duration = self.pipeline.clock.now().since(self.started);
        {
            let mut guard = lock(&live.record);
            let OpenRecord { writer: record, open, panicked } = &mut *guard;
            *open = false;
            let outcome = match (outcome, self.status) {
                _ if *panicked => Outcome::Panicked,
                (Outcome::Completed, 408 | 504) => Outcome::TimedOut,
                (Outcome::Completed, 101) => Outcome::Upgraded,
                _ => outcome,
            };
            let level = level(outcome, self.status, self.grpc_status);
            if self.status != 0 {
                record.uint(Field::StatusCode, self.status.into());
                record.nanos(Field::Ttfb, self.ttfb);
                record.uint(Field::ResponseSize, self.response_bytes);
            }
            if let Some(status) = self.grpc_status {
                record.uint(Field::GrpcStatus, status.into());
            }
            if let Some(bytes) = self.request_bytes {
                record.uint(Field::RequestSize, bytes);
            }
            if let Some(peer) = self.peer {
                record.ip(Field::Ip, peer);
                record.ip(Field::Peer, peer);
            }
            record.nanos(Field::Duration, duration);
            // A full queue counts what it refuses; there is nobody to tell here.
            let _ = self.pipeline.queue.push(record.end(level, Some(outcome)), level >= Level::Error);
        }
        live::give_back(live);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.live.is_some() {
            self.end(match self.status {
                _ if std::thread::panicking() => Outcome::Panicked,
                0 => Outcome::Cancelled,
                _ if self.is_whole() => Outcome::Completed,
                _ => Outcome::BodyAborted,
            });
        }
    }
}

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

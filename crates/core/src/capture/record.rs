//! The record of an open exchange, and its end.

use std::sync::Arc;

use hoplog_entry::{DropReason, Field, Level, Outcome, Record, RecordWriter, Value};

use super::live::LARGEST_KEPT;
use super::rules::{Chosen, Ended, Fate};
use super::tap::{self, Tap};
use super::told::Told;
use crate::clock::Moment;
use crate::open_requests::Noted;
use crate::pipeline::Pipeline;

/// The record under way, and what is written into it at the end.
#[derive(Debug, Default)]
pub(crate) struct OpenRecord {
    pub(super) writer: RecordWriter,
    /// Where the entry goes; there until it has gone.
    pub(super) pipeline: Option<Arc<Pipeline>>,
    /// What the rules said so far.
    pub(super) chosen: Chosen,
    /// The route is in the record.
    pub(super) routed: bool,
    /// A poll of it unwound.
    pub(super) panicked: bool,
    /// An error is in the record: the first one told counts, but for a panic.
    pub(super) failed: bool,
    /// A panic is in the record.
    pub(super) panic_told: bool,
    /// A call, or an answer whose body nobody here sees: its size is what the head says, or unknown.
    pub(super) ends_with_head: bool,
    /// HEAD: whatever the body declares, none of it is sent.
    pub(super) head_only: bool,
    /// CONNECT: a 2xx switches to what the tunnel speaks (RFC 9110 §9.3.6), as WebSockets do over HTTP/2 (RFC 8441).
    pub(super) tunnel: bool,
    /// A `running` entry tells of it.
    pub(super) announced: bool,
    /// 0 without a response head.
    pub(super) status: u16,
    pub(super) grpc_status: Option<u16>,
    pub(super) started: Moment,
    /// Nanoseconds to the response head.
    pub(super) ttfb: u64,
    /// `None` where the length was not said.
    pub(super) request_bytes: Option<u64>,
    /// `None` where the length is not known.
    pub(super) response_bytes: Option<u64>,
    /// Request body bytes that a tap saw; `None` without one.
    pub(super) request_read: Option<u64>,
    /// The tap saw the request body's end.
    pub(super) request_whole: bool,
    pub(super) request_tap: Option<Box<Tap>>,
    pub(super) response_tap: Option<Box<Tap>>,
    /// What handlers said of it.
    pub(super) told: Option<Box<Told>>,
    /// Entries logged in it.
    pub(super) events: u32,
    pub(super) chunks: Chunks,
    /// How many guards keep it open beyond a 101.
    pub(super) keepers: u32,
    /// It has ended but for its keepers.
    pub(super) upgraded: bool,
    /// Where it is noted for the case that the process dies.
    pub(super) noted: Noted,
}

/// When chunks of a streamed response went by.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    last: Option<Moment>,
    longest_gap: Option<u64>,
}

impl Chunks {
    pub(super) fn one_more(&mut self, now: Moment) {
        if let Some(last) = self.last.replace(now) {
            self.longest_gap = self.longest_gap.max(Some(now.since(last)));
        }
    }
}

impl OpenRecord {
    /// As before the first exchange, but for the buffer and what is said here: in its place, as few instructions do it.
    #[inline]
    pub(super) fn renew(&mut self, now_chosen: Chosen, now_started: Moment) {
        let Self {
            writer: _,
            pipeline,
            chosen,
            routed,
            panicked,
            failed,
            panic_told,
            ends_with_head,
            head_only,
            tunnel,
            announced,
            status,
            grpc_status,
            started,
            ttfb,
            request_bytes,
            response_bytes,
            request_read,
            request_whole,
            request_tap,
            response_tap,
            told,
            events,
            chunks,
            keepers,
            upgraded,
            noted,
        } = self;
        (*pipeline, *request_tap, *response_tap) = (None, None, None);
        *events = 0;
        if told.is_some() {
            Told::forget(told);
        }
        (*chosen, *started, *chunks) = (now_chosen, now_started, Chunks::default());
        (*routed, *ends_with_head, *head_only, *tunnel) = (false, false, false, false);
        (*panicked, *failed, *panic_told, *announced) = (false, false, false, false);
        (*status, *grpc_status, *ttfb) = (0, None, 0);
        (*request_bytes, *response_bytes) = (None, None);
        (*request_read, *request_whole) = (None, false);
        (*keepers, *upgraded, *noted) = (0, false, Noted::No);
    }

    /// Whether what is told of it is written: not after its end, nor where sampling leaves it out.
    #[inline]
    pub(super) fn is_written(&self) -> bool {
        self.is_open() && !self.chosen.left_out
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.pipeline.is_some()
    }

    /// Whether the answer hands the connection over to another protocol.
    #[inline]
    pub(super) fn switches(&self) -> bool {
        self.status == 101 || self.tunnel && matches!(self.status, 200..300)
    }

    /// Whether the answer has no content, whatever it declares (RFC 9110 §6.4.1).
    pub(super) fn has_no_content(&self) -> bool {
        self.head_only || self.switches() || matches!(self.status, 100..200 | 204 | 304)
    }

    /// Whether its buffer is larger than what is kept for the next one.
    pub(super) fn is_too_large(&self) -> bool {
        self.writer.capacity() > LARGEST_KEPT
    }

    /// Writes the path again, as the route.
    pub(super) fn route_is_path(&mut self) {
        let record = Record::read(self.writer.end(Level::Info, None)).ok();
        let path = record.and_then(|(record, _)| match record.get(Field::Path) {
            Some(Value::Text(path)) => Some(path.to_owned()),
            _ => None,
        });
        if let Some(path) = path {
            self.set_route(&path);
        }
    }

    /// The route is known. What its rules leave out goes.
    pub(super) fn set_route(&mut self, route: &str) {
        let Self { pipeline: Some(pipeline), writer, chosen, .. } = self else { return };
        writer.text(Field::Route, route);
        let rule = pipeline.rules.choose_route(chosen, route);
        if !rule.request_headers {
            writer.remove(Field::RequestHeader);
        }
        if !rule.response_headers {
            writer.remove(Field::ResponseHeader);
        }
        self.routed = true;
        if self.noted != Noted::No {
            self.note_again();
        }
    }

    /// What went wrong. The first that is told counts: who is nearest to the cause speaks first.
    pub(crate) fn error(&mut self, error_type: &str, message: &str, chain: Option<&str>) {
        if !self.is_open() || std::mem::replace(&mut self.failed, true) {
            return;
        }
        self.write_error(error_type, message, chain);
    }

    pub(super) fn write_error(&mut self, error_type: &str, message: &str, chain: Option<&str>) {
        let Some(redactor) = self.pipeline.as_deref().map(|pipeline| &pipeline.redactor) else { return };
        self.writer.text(Field::ErrorType, error_type);
        self.writer.text(Field::ErrorMessage, &redactor.text(message));
        if let Some(chain) = chain {
            self.writer.text(Field::StackTrace, &redactor.text(chain));
        }
    }

    /// Writes the entry. `Completed` becomes `TimedOut` for 408 and 504, `Upgraded` where the protocol switches.
    #[inline]
    pub(super) fn end(&mut self, outcome: Outcome) {
        let Some(pipeline) = self.pipeline.take() else { return };
        self.conclude(&pipeline, outcome);
        if self.noted != Noted::No {
            self.note_end(&pipeline);
        }
    }

    #[inline(always)] // at its one place
    fn conclude(&mut self, pipeline: &Arc<Pipeline>, outcome: Outcome) {
        let status = self.status;
        let outcome = match (outcome, status) {
            _ if self.panicked => Outcome::Panicked,
            (Outcome::Completed, 408 | 504) => Outcome::TimedOut,
            (Outcome::Completed, _) if self.switches() => Outcome::Upgraded,
            (outcome, _) => outcome,
        };
        if self.chosen.left_out {
            return pipeline.queue.leave_out(DropReason::Sampled);
        }
        let took = pipeline.clock.now().since(self.started);
        let &mut Self { grpc_status, announced, failed, .. } = self;
        let ended = Ended { outcome, status, grpc_status, took, announced, failed };
        let verdict = match self.told {
            None => pipeline.rules.end(&self.chosen, &ended),
            Some(_) => self.end_as_told(pipeline, ended),
        };
        let weight = match verdict.fate {
            Fate::Keep(weight) => weight,
            fate => {
                // What they hold is the next one's.
                (self.request_tap, self.response_tap) = (None, None);
                if fate == Fate::Sampled {
                    pipeline.queue.leave_out(DropReason::Sampled);
                }
                return;
            }
        };
        if self.request_tap.is_some() || self.response_tap.is_some() {
            self.write_bodies(pipeline, outcome);
        }
        self.write_end(took);
        if verdict.slow {
            self.writer.bool(Field::Slow, true);
        }
        if weight > 1.0 {
            self.writer.float(Field::Weight, weight);
        }
        let urgent = verdict.level >= Level::Error;
        // A full queue counts what it refuses; there is nobody to tell here.
        let _ = pipeline.queue.push(self.writer.end(verdict.level, Some(outcome)), urgent);
    }

    #[cold]
    fn write_bodies(&mut self, pipeline: &Pipeline, outcome: Outcome) {
        let (request, response) = (self.request_tap.take(), self.response_tap.take());
        let well = matches!(outcome, Outcome::Completed | Outcome::Upgraded)
            && self.status < 400
            && matches!(self.grpc_status, None | Some(0));
        let unwanted = well && pipeline.bodies.as_ref().is_some_and(|bodies| bodies.only_errors);
        if unwanted || !pipeline.rules.keeps_bodies(&self.chosen, true) {
            return;
        }
        if let Some(tap) = request {
            let whole = self.request_whole
                || self.request_bytes.is_some_and(|size| self.request_read.unwrap_or(0) == size);
            tap.write(&mut self.writer, &pipeline.redactor, &tap::REQUEST, whole);
        }
        if let Some(tap) = response {
            let whole = !matches!(outcome, Outcome::BodyAborted | Outcome::Panicked);
            tap.write(&mut self.writer, &pipeline.redactor, &tap::RESPONSE, whole);
        }
    }

    /// What the head said, or what a tap saw of a body that was read to its end.
    fn request_size(&self) -> Option<u64> {
        self.request_bytes.max(self.request_read.filter(|_| self.request_whole))
    }

    #[inline(always)] // at its one place
    fn write_end(&mut self, took: u64) {
        let (status, ttfb, request_size) = (self.status.into(), self.ttfb, self.request_size());
        match (status, self.response_bytes, request_size) {
            // As it mostly is: all of them stand together.
            (1.., Some(response), Some(request)) => {
                self.writer.numbers([
                    (Field::StatusCode, status),
                    (Field::Ttfb, ttfb),
                    (Field::ResponseSize, response),
                    (Field::RequestSize, request),
                    (Field::Duration, took),
                ]);
            }
            _ => self.write_partial_end(request_size, took),
        }
        if let Some(status) = self.grpc_status {
            self.writer.uint(Field::GrpcStatus, status.into());
        }
        if let Some(gap) = self.chunks.longest_gap {
            self.writer.nanos(Field::LongestGap, gap);
        }
    }

    #[inline(never)]
    fn write_partial_end(&mut self, request_size: Option<u64>, took: u64) {
        let writer = &mut self.writer;
        if self.status != 0 {
            writer.uint(Field::StatusCode, self.status.into());
            writer.nanos(Field::Ttfb, self.ttfb);
            if let Some(size) = self.response_bytes {
                writer.uint(Field::ResponseSize, size);
            }
        }
        if let Some(size) = request_size {
            writer.uint(Field::RequestSize, size);
        }
        writer.nanos(Field::Duration, took);
    }
}

//! What an open exchange shares with the contexts made from it. Pooled per thread: a request allocates none.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use hoplog_entry::trace_headers::{TraceFlags, TraceParent};
use hoplog_entry::{EntryId, Field, Level, Record, RecordWriter, SpanId, TraceId, Value};

use super::rules::{Chosen, Rules, Sampling};
use crate::clock::Moment;

/// Kept per thread. More are in use at once only when more requests are open; those go back to the allocator.
const POOLED: usize = 64;
/// A record buffer that grew beyond this is not kept.
const LARGEST_KEPT: usize = 16 * 1024;

thread_local! {
    static POOL: RefCell<Vec<Arc<Live>>> = const { RefCell::new(Vec::new()) };
}

/// An open exchange: its identity, fixed at the start, and its record.
pub(crate) struct Live {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) flags: TraceFlags,
    /// Valid, or empty.
    pub(crate) tracestate: String,
    /// What `x-trace-id` carries: the trace id in hex, or the caller's opaque one.
    x_trace_id: Vec<u8>,
    opaque: bool,
    request_id: Vec<u8>,
    pub(super) record: Mutex<OpenRecord>,
}

/// The record under way, and what is written into it at the end.
#[derive(Default)]
pub(super) struct OpenRecord {
    pub(super) writer: RecordWriter,
    pub(super) open: bool,
    /// The route is in the record.
    pub(super) routed: bool,
    /// A poll of it unwound.
    pub(super) panicked: bool,
    /// A call ends with the response head: its body's size is what the head says, or unknown.
    pub(super) outgoing: bool,
    /// HEAD: whatever the body declares, none of it is sent.
    pub(super) head_only: bool,
    /// Its trace is not sampled: nothing is written, it is only counted.
    pub(super) left_out: bool,
    pub(super) chosen: Chosen,
    pub(super) sampling: Sampling,
    /// 0 without a response head.
    pub(super) status: u16,
    pub(super) grpc_status: Option<u16>,
    pub(super) started: Moment,
    /// Nanoseconds to the response head.
    pub(super) ttfb: u64,
    /// `None` where the length was not said.
    pub(super) request_bytes: Option<u64>,
}

impl OpenRecord {
    /// Writes the path again, as the route.
    pub(super) fn route_is_path(&mut self, rules: &Rules) {
        let record = Record::read(self.writer.end(Level::Info, None)).ok();
        let path = record.and_then(|(record, _)| match record.get(Field::Path) {
            Some(Value::Text(path)) => Some(path.to_owned()),
            _ => None,
        });
        if let Some(path) = path {
            self.set_route(rules, &path);
        }
    }

    /// The route is known. What its rules leave out goes.
    pub(super) fn set_route(&mut self, rules: &Rules, route: &str) {
        self.routed = true;
        self.writer.text(Field::Route, route);
        rules.choose_route(&mut self.chosen, route);
        let rule = rules.of(self.chosen);
        self.sampling = rule.sampling();
        if !rule.request_headers {
            self.writer.remove(Field::RequestHeader);
        }
        if !rule.response_headers {
            self.writer.remove(Field::ResponseHeader);
        }
    }
}

impl Live {
    fn new() -> Self {
        Self {
            trace_id: TraceId::generate(),
            span_id: SpanId::generate(),
            flags: TraceFlags::SAMPLED,
            tracestate: String::new(),
            x_trace_id: Vec::new(),
            opaque: false,
            request_id: Vec::new(),
            record: Mutex::default(),
        }
    }

    /// Sets what `x-trace-id` and `x-request-id` carry: the caller's where they are given, else ids of our own.
    /// All of them are ASCII.
    pub(super) fn set_ids(&mut self, opaque: Option<&str>, request_id: Option<&[u8]>, id: &EntryId) {
        self.opaque = opaque.is_some();
        self.x_trace_id.clear();
        match opaque {
            Some(opaque) => self.x_trace_id.extend_from_slice(opaque.as_bytes()),
            None => self.x_trace_id.extend_from_slice(&self.trace_id.to_ascii()),
        }
        self.request_id.clear();
        match request_id {
            Some(given) => self.request_id.extend_from_slice(given),
            None => self.request_id.extend_from_slice(&id.to_ascii()),
        }
    }

    /// Whether the caller's `x-trace-id` is not a trace id and travels beside one.
    pub(crate) fn is_opaque(&self) -> bool {
        self.opaque
    }

    pub(crate) fn x_trace_id(&self) -> &str {
        str_of(&self.x_trace_id)
    }

    pub(crate) fn request_id(&self) -> &str {
        str_of(&self.request_id)
    }

    /// [`Live::x_trace_id`] and [`Live::request_id`], nothing checked again.
    pub(super) fn ids(&self) -> (&[u8], &[u8]) {
        (&self.x_trace_id, &self.request_id)
    }

    pub(crate) fn trace_parent(&self) -> TraceParent {
        TraceParent { trace_id: self.trace_id, parent: self.span_id, flags: self.flags }
    }

    /// The record, without a lock: nobody else holds this yet.
    pub(super) fn record_mut(&mut self) -> &mut OpenRecord {
        self.record.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn mark_panicked(&self) {
        crate::sync::lock(&self.record).panicked = true;
    }

    /// Whether its exchange has not ended yet.
    pub(crate) fn is_open(&self) -> bool {
        crate::sync::lock(&self.record).open
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").field("trace_id", &self.trace_id).field("span_id", &self.span_id).finish()
    }
}

fn str_of(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}

/// One for a new exchange; nobody else holds it, so [`Arc::get_mut`] succeeds.
pub(super) fn take() -> Arc<Live> {
    let pooled = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
    pooled.unwrap_or_else(|| Arc::new(Live::new()))
}

/// Puts one back, unless a context still holds it or its buffers grew too large.
pub(super) fn give_back(mut live: Arc<Live>) {
    let Some(alone) = Arc::get_mut(&mut live) else {
        // A context that lives on needs the ids, not the record's buffer.
        crate::sync::lock(&live.record).writer = RecordWriter::default();
        return;
    };
    if alone.record_mut().writer.capacity() + alone.tracestate.capacity() > LARGEST_KEPT {
        return;
    }
    let _ = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        if pool.len() < POOLED {
            pool.push(live);
        }
    });
}

//! What an open exchange shares with the contexts made from it. Pooled per thread: a request allocates none.

use std::cell::RefCell;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use hoplog_entry::trace_headers::{TraceFlags, TraceParent};
use hoplog_entry::{EntryId, RecordWriter, SpanId, TraceId};

use super::record::OpenRecord;
use super::running;
use crate::sync::lock;

/// Kept per thread. More are in use at once only when more requests are open; those go back to the allocator.
const POOLED: usize = 64;
/// A record buffer that grew beyond this is not kept.
pub(super) const LARGEST_KEPT: usize = 16 * 1024;

thread_local! {
    static POOL: RefCell<Vec<Arc<Live>>> = const { RefCell::new(Vec::new()) };
}

/// An open exchange: its identity, fixed at the start, and its record.
pub(crate) struct Live {
    pub(super) identity: Identity,
    /// Shared with the list of what is open, which must not keep [`Arc::get_mut`] from the rest.
    pub(super) record: Arc<Mutex<OpenRecord>>,
    /// Its place in that list.
    listed: running::Listed,
}

/// The ids of an exchange.
pub(crate) struct Identity {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    pub(crate) flags: TraceFlags,
    /// Valid, or empty.
    pub(crate) tracestate: String,
    /// What `x-trace-id` carries: the trace id in hex, or the caller's opaque one. Behind it, what `x-request-id` does.
    ids: [u8; 256],
    /// Where the second begins, and where it ends.
    split: usize,
    ids_end: usize,
    opaque: bool,
}

impl Deref for Live {
    type Target = Identity;

    fn deref(&self) -> &Identity {
        &self.identity
    }
}

impl Live {
    #[cold] // out of the way of those that are taken from the pool
    fn new() -> Arc<Self> {
        let record = Arc::default();
        let identity = Identity {
            trace_id: TraceId::generate(),
            span_id: SpanId::generate(),
            flags: TraceFlags::SAMPLED,
            tracestate: String::new(),
            ids: [0; 256],
            split: 0,
            ids_end: 0,
            opaque: false,
        };
        Arc::new(Self { identity, listed: running::list(&record), record })
    }

    /// Writes into its record, while that is open.
    pub(crate) fn write(&self, f: impl FnOnce(&mut OpenRecord)) {
        let mut record = lock(&self.record);
        if record.is_written() {
            f(&mut record);
        }
    }

    /// A context that lives on needs the ids, not the record's buffer.
    #[cold]
    fn forget_record(&self) {
        lock(&self.record).writer = RecordWriter::default();
    }

    /// Whether its exchange has not ended yet.
    pub(crate) fn is_open(&self) -> bool {
        lock(&self.record).is_open()
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        running::unlist(self.listed);
    }
}

impl Identity {
    /// Sets what `x-trace-id` and `x-request-id` carry: the caller's where they are given, else ids of our own.
    /// All of them are ASCII; the caller's are at most 128 bytes long. `digits` are those of the trace id, where they are
    /// at hand.
    pub(super) fn set_ids(
        &mut self,
        opaque: Option<&str>,
        digits: Option<&[u8; 32]>,
        request_id: Option<&[u8]>,
        id: &EntryId,
    ) {
        self.opaque = opaque.is_some();
        self.split = match (opaque, digits) {
            (Some(opaque), _) => self.set_id(0, opaque.as_bytes()),
            (None, Some(digits)) => self.set_id(0, digits),
            (None, None) => self.set_id(0, &self.trace_id.to_ascii()),
        };
        self.ids_end = match request_id {
            Some(given) => self.set_id(self.split, given),
            None => self.set_id(self.split, &id.to_ascii()),
        };
    }

    /// Writes one id; returns where it ends.
    #[inline]
    fn set_id(&mut self, at: usize, id: &[u8]) -> usize {
        let room = self.ids.get_mut(at..).unwrap_or_default();
        let len = id.len().min(room.len());
        room[..len].copy_from_slice(&id[..len]);
        at + len
    }

    /// Whether the caller's `x-trace-id` is not a trace id and travels beside one.
    pub(crate) fn is_opaque(&self) -> bool {
        self.opaque
    }

    pub(crate) fn x_trace_id(&self) -> &str {
        str_of(self.ids().0)
    }

    pub(crate) fn request_id(&self) -> &str {
        str_of(self.ids().1)
    }

    /// Both, one behind the other, and where the second begins.
    #[inline]
    pub(super) fn joined_ids(&self) -> (&[u8], usize) {
        (&self.ids[..self.ids_end], self.split)
    }

    /// [`Live::x_trace_id`] and [`Live::request_id`], nothing checked again.
    #[inline]
    pub(super) fn ids(&self) -> (&[u8], &[u8]) {
        self.ids[..self.ids_end].split_at(self.split)
    }

    pub(crate) fn trace_parent(&self) -> TraceParent {
        TraceParent { trace_id: self.trace_id, parent: self.span_id, flags: self.flags }
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
    pooled.unwrap_or_else(Live::new)
}

/// Puts one back, unless a context still holds it, its record's buffer grew too large, or the pool is full.
pub(super) fn give_back(live: Arc<Live>, too_large: bool) {
    // A count of one, and no weak ones: nobody can make it more.
    if Arc::strong_count(&live) > 1 {
        return live.forget_record();
    }
    if too_large || live.tracestate.capacity() > LARGEST_KEPT {
        return;
    }
    let _ = POOL.try_with(|pool| {
        let mut pool = pool.borrow_mut();
        if pool.len() < POOLED {
            pool.push(live);
        }
    });
}

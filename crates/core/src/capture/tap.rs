//! The first bytes of a body, copied as they pass.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hoplog_entry::{Field, RecordWriter};

use super::bodies::Bodies;
use super::live::Live;
use super::record::OpenRecord;
use crate::error_chain::harmless;
use crate::queue::Fill;
use crate::redact::{Redactor, Verdict};
use crate::sync::lock;

/// What the bodies of all open requests hold.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// One body under way.
#[derive(Debug)]
pub(super) struct Tap {
    kept: Vec<u8>,
    /// The room that was paid for, and what is left of it.
    room: usize,
    room_left: usize,
    content_type: Box<[u8]>,
    /// More passed by than is kept.
    cut: bool,
}

impl Tap {
    /// A tap that pays for its room at once; without room it keeps nothing, and says so.
    pub(super) fn new(bodies: &Bodies, content_type: &[u8], empty: bool) -> Self {
        let mut room = if empty { 0 } else { bodies.max_body };
        let held = HELD.fetch_add(room, Ordering::Relaxed);
        if held.saturating_add(room) > bodies.budget {
            HELD.fetch_sub(room, Ordering::Relaxed);
            room = 0;
        }
        Self { kept: Vec::new(), room, room_left: room, content_type: content_type.into(), cut: false }
    }

    /// What comes next is out of reach: nothing behind it is kept.
    pub(super) fn skip(&mut self) {
        self.cut = true;
        self.room_left = 0;
    }

    pub(super) fn keep(&mut self, data: &[u8]) {
        let taken = data.len().min(self.room_left);
        self.room_left -= taken;
        // Grown as a vector grows, but never beyond what was paid for.
        let len = self.kept.len() + taken;
        if len > self.kept.capacity() {
            self.kept.reserve_exact(len.max(2 * self.kept.len()).min(self.room) - self.kept.len());
        }
        self.kept.extend_from_slice(&data[..taken]);
        self.cut |= taken < data.len();
    }

    /// Writes what may be kept: text, cut between characters, masked. Of anything else a keyed hash.
    pub(super) fn write(&self, writer: &mut RecordWriter, redactor: &Redactor, side: &Side, whole: bool) {
        let truncated = self.cut || !whole;
        if !self.kept.is_empty() {
            let mut masked = Vec::new();
            let text = text(&self.kept, truncated);
            let judged = text.and_then(|text| {
                harmless(|| redactor.body(&self.content_type, text.as_bytes(), truncated, &mut masked))
            });
            let verdict = judged.unwrap_or(Verdict::Dropped);
            match (verdict, text, std::str::from_utf8(&masked)) {
                (Verdict::Unchanged, Some(text), _) => writer.text(side.body, text),
                (Verdict::Masked, _, Ok(masked)) => writer.text(side.body, masked),
                _ => writer.text(side.hash, &redactor.hash(&self.kept)),
            }
        }
        writer.bool(side.truncated, truncated);
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        HELD.fetch_sub(self.room, Ordering::Relaxed);
    }
}

/// The text in these bytes; a last character that was cut off is left out.
fn text(bytes: &[u8], truncated: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(e) if truncated && e.error_len().is_none() => std::str::from_utf8(&bytes[..e.valid_up_to()]).ok(),
        Err(_) => None,
    }
}

/// The fields of a request's or a response's body.
pub(super) struct Side {
    body: Field,
    truncated: Field,
    hash: Field,
}

pub(super) const REQUEST: Side =
    Side { body: Field::RequestBody, truncated: Field::RequestBodyTruncated, hash: Field::RequestBodyHash };
pub(super) const RESPONSE: Side = Side {
    body: Field::ResponseBody,
    truncated: Field::ResponseBodyTruncated,
    hash: Field::ResponseBodyHash,
};

/// Sees a request's body go by; for glue crates. It may outlive the request.
#[derive(Debug)]
pub struct RequestTap {
    live: Arc<Live>,
}

impl RequestTap {
    /// `None` where nobody wants to see the body, or one sees it already.
    pub(crate) fn new(live: &Arc<Live>) -> Option<Self> {
        let mut record = lock(&live.record);
        let wanted = record.is_open() && record.request_tap_wanted();
        if wanted {
            record.request_read = Some(0);
        }
        wanted.then(|| Self { live: Arc::clone(live) })
    }

    /// Some of the body was read; in order, every piece of it.
    pub fn data(&self, data: &[u8]) {
        self.live.write(|record| record.request_data(data));
    }

    /// Bytes were read that lie in pieces beyond reach: they count, and the kept body ends before them.
    pub fn skipped(&self, bytes: u64) {
        self.live.write(|record| record.request_skipped(bytes));
    }

    /// The body was read to its end.
    pub fn end(&self) {
        self.live.write(|record| record.request_whole = true);
    }
}

impl OpenRecord {
    /// The body is to be kept, or nobody said how long it is.
    fn request_tap_wanted(&self) -> bool {
        self.request_bytes != Some(0)
            && self.request_read.is_none()
            && (self.request_tap.is_some() || self.request_bytes.is_none())
    }

    /// Decides, before its first byte, whether the request's body is kept. True if somebody wants to see it.
    #[inline(always)] // at its one place
    pub(super) fn tap_request(&mut self, content_type: Option<&[u8]>) -> bool {
        if let Some(content_type) = content_type {
            self.tap_request_of(content_type);
        }
        self.request_tap_wanted()
    }

    #[inline(never)] // out of the way of those that have no body
    fn tap_request_of(&mut self, content_type: &[u8]) {
        if let Some(bodies) = self.wanted(|bodies| bodies.request && bodies.takes(content_type)) {
            // One that is empty needs no room, only a word that it is whole.
            let tap = Tap::new(bodies, content_type, self.request_bytes == Some(0));
            self.request_tap = Some(Box::new(tap));
        }
    }

    /// Likewise for the response's body, whose status is known. True if it is kept.
    #[inline]
    pub(super) fn tap_response(&mut self, content_type: &[u8]) -> bool {
        let keeps_any = self.pipeline.as_ref().is_some_and(|pipeline| pipeline.bodies.is_some());
        keeps_any && self.tap_response_of(content_type)
    }

    fn tap_response_of(&mut self, content_type: &[u8]) -> bool {
        let has_body = !self.ends_with_head && !self.has_no_content();
        let well = self.status < 400;
        let wanted = |bodies: &Bodies| {
            has_body && bodies.response && !(bodies.only_errors && well) && bodies.takes(content_type)
        };
        if let Some(bodies) = self.wanted(wanted) {
            self.response_tap = Some(Box::new(Tap::new(bodies, content_type, false)));
        }
        self.response_tap.is_some()
    }

    /// Bodies are the first that is left out when the queue fills up.
    fn wanted(&self, wanted: impl FnOnce(&Bodies) -> bool) -> Option<&Bodies> {
        let pipeline = self.pipeline.as_deref()?;
        let bodies = pipeline.bodies.as_ref()?;
        let kept = pipeline.rules.keeps_bodies(&self.chosen, self.routed);
        (kept && wanted(bodies) && pipeline.queue.fill() < Fill::High).then_some(bodies)
    }

    fn request_data(&mut self, data: &[u8]) {
        self.request_read = Some(self.request_read.unwrap_or(0) + data.len() as u64);
        if let Some(tap) = &mut self.request_tap {
            tap.keep(data);
        }
    }

    fn request_skipped(&mut self, bytes: u64) {
        self.request_read = Some(self.request_read.unwrap_or(0) + bytes);
        if let Some(tap) = &mut self.request_tap {
            tap.skip();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_characters_and_nothing_else_is_text() {
        let euro = "1 €".as_bytes();
        assert_eq!(text(euro, false), Some("1 €"));
        assert_eq!(text(&euro[..4], true), Some("1 "));
        assert_eq!(text(&euro[..4], false), None, "it was not cut, it is broken");
        assert_eq!(text(b"\xff\xfe", true), None);
        assert_eq!(text(b"a\xffb", true), None);
    }

    #[test]
    fn what_exceeds_the_budget_is_not_kept_and_says_so() {
        // The budget is the process's; other tests hold little of it.
        let bodies = Bodies::default().max_body(MOST).budget(2 * MOST);
        const MOST: usize = 1 << 30;
        let (mut a, mut b) = (Tap::new(&bodies, b"", false), Tap::new(&bodies, b"", false));
        a.keep(b"abc");
        b.keep(b"abc");
        assert_eq!((a.kept.len(), a.cut), (3, false));
        let mut c = Tap::new(&bodies, b"", false);
        c.keep(b"abc");
        assert_eq!((c.kept.len(), c.cut), (0, true));
        drop((a, b));
        assert_eq!(Tap::new(&bodies, b"", false).room, MOST, "what is dropped is given back");
    }
}

//! One entry on one line.

use super::entry::Entry;
use super::terminal::{Page, Tone};

/// `2026-03-10T12:00:00.000Z INFO  shop  GET /users/42 200 12.3ms plan=free trace=4bf92f…`
pub(crate) fn line(page: &mut Page, entry: &Entry) {
    page.add(Tone::Dim, format_args!("{}", entry.moment()));
    page.tell(entry.level_tone(), &format!(" {:<5} ", entry.level));
    page.tell(Tone::Strong, &format!("{:<12} ", entry.service));
    entry.what(page, false);
    if let Some(ms) = entry.duration_ms.filter(|_| entry.is_span()) {
        page.add(Tone::Plain, format_args!(" {ms:.1}ms"));
    }
    entry.details(page);
    if let Some(trace) = &entry.trace_id {
        page.tell(Tone::Dim, &format!(" trace={trace}"));
    }
    page.add(Tone::Plain, format_args!("\n"));
}

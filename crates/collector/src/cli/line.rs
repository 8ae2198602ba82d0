//! One entry on one line, in columns.

use super::entry::Entry;
use super::terminal::{Page, Tone, fitted, width};

/// Columns of a service's name, at least and at most; a longer one pushes the rest of its line to the right.
const SERVICE: usize = 8;
const MOST_SERVICE: usize = 24;

/// How wide the columns are.
#[derive(Debug)]
pub(crate) struct Lines {
    service: usize,
}

impl Default for Lines {
    fn default() -> Self {
        Self { service: SERVICE }
    }
}

impl Lines {
    /// Makes room for an entry that will stand in these columns.
    pub(crate) fn measure(&mut self, entry: &Entry) {
        self.service = self.service.max(width(&entry.service).min(MOST_SERVICE));
    }

    /// The names of the columns.
    pub(crate) fn head(&self, page: &mut Page) {
        let Self { service: wide } = self;
        let head = format_args!(
            "{:<24} {:<5} {:<wide$} {:>6} {:>10}  {}\n",
            "TIME", "LEVEL", "SERVICE", "STATUS", "TOOK", "WHAT"
        );
        page.add(Tone::Dim, head);
    }

    /// `2026-03-10T12:00:00.000Z INFO  shop        200     12.3ms  GET /users/42 plan=free trace=4bf92f…`
    pub(crate) fn line(&mut self, page: &mut Page, entry: &Entry) {
        self.measure(entry);
        page.add(Tone::Dim, format_args!("{:<24}", entry.moment()));
        page.tell(entry.level_tone(), &format!(" {:<5} ", entry.level));
        page.add(Tone::Strong, format_args!("{}", fitted(&entry.service, self.service)));
        let status = entry.status_code.map(|status| status.to_string()).unwrap_or_default();
        page.add(entry.tone(), format_args!(" {status:>6}"));
        let took = entry.duration_ms.filter(|_| entry.is_span()).map(|ms| format!("{ms:.1}ms"));
        page.add(Tone::Plain, format_args!(" {:>10}  ", took.unwrap_or_default()));
        entry.what(page, false);
        entry.ending(page);
        entry.details(page);
        if let Some(trace) = &entry.trace_id {
            page.tell(Tone::Dim, &format!(" trace={trace}"));
        }
        page.add(Tone::Plain, format_args!("\n"));
    }
}

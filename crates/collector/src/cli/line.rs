//! One entry on one line, in columns.

use super::entry::Entry;
use super::terminal::{Page, Tone, fitted, is_narrow, width};

/// Columns of a service's name, at least and at most; a longer one pushes the rest of its line to the right.
const SERVICE: usize = 8;
const MOST_SERVICE: usize = 24;
const MOST_NARROW_SERVICE: usize = 12;
/// Of a date and a time, the characters of the date.
const DATE: usize = "2026-03-10".len();

/// How wide the columns are.
#[derive(Debug)]
pub(crate) struct Lines {
    service: usize,
    /// With little room, the date stands on a line of its own where it changes: this is the last one that did.
    date: Option<String>,
}

impl Default for Lines {
    fn default() -> Self {
        Self::of(is_narrow())
    }
}

impl Lines {
    fn of(narrow: bool) -> Self {
        Self { service: SERVICE, date: narrow.then(String::new) }
    }

    /// Makes room for an entry that will stand in these columns.
    pub(crate) fn measure(&mut self, entry: &Entry) {
        let most = if self.date.is_some() { MOST_NARROW_SERVICE } else { MOST_SERVICE };
        self.service = self.service.max(width(&entry.service).min(most));
    }

    /// Of the columns for time, status and duration.
    fn widths(&self) -> (usize, usize, usize) {
        if self.date.is_some() { (12, 3, 9) } else { (24, 6, 10) }
    }

    /// The names of the columns.
    pub(crate) fn head(&self, page: &mut Page) {
        let (wide, (time, status, took)) = (self.service, self.widths());
        let code = if self.date.is_some() { "" } else { "STATUS" };
        let head = format_args!(
            "{:<time$} {:<5} {:<wide$} {:>status$} {:>took$}  {}\n",
            "TIME", "LEVEL", "SERVICE", code, "TOOK", "WHAT"
        );
        page.add(Tone::Dim, head);
    }

    /// `2026-03-10T12:00:00.000Z INFO  shop        200     12.3ms  GET /users/42 plan=free trace=4bf92f…`
    pub(crate) fn line(&mut self, page: &mut Page, entry: &Entry) {
        self.measure(entry);
        let (time, status_width, took_width) = self.widths();
        let moment = self.moment(page, entry);
        page.add(Tone::Dim, format_args!("{moment:<time$}"));
        page.tell(entry.level_tone(), &format!(" {:<5} ", entry.level));
        page.add(Tone::Strong, format_args!("{}", fitted(&entry.service, self.service)));
        let status = entry.status_code.map(|status| status.to_string()).unwrap_or_default();
        page.add(entry.tone(), format_args!(" {status:>status_width$}"));
        let took = entry.duration_ms.filter(|_| entry.is_span()).map(|ms| format!("{ms:.1}ms"));
        page.add(Tone::Plain, format_args!(" {:>took_width$}  ", took.unwrap_or_default()));
        entry.what(page, false);
        entry.ending(page);
        entry.details(page);
        if let Some(trace) = &entry.trace_id {
            page.tell(Tone::Dim, &format!(" trace={trace}"));
        }
        page.add(Tone::Plain, format_args!("\n"));
    }

    /// The time; with little room without its date, of which a new one is told first.
    fn moment(&mut self, page: &mut Page, entry: &Entry) -> String {
        let whole = entry.moment();
        let Some(date) = &mut self.date else { return whole };
        let Some((day, time)) = whole.split_at_checked(DATE).filter(|(_, time)| time.starts_with('T')) else {
            return whole;
        };
        if day != date {
            page.add(Tone::Dim, format_args!("{day} UTC\n"));
            day.clone_into(date);
        }
        time.trim_start_matches('T').trim_end_matches('Z').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_little_room_a_date_is_told_once() {
        let entry = |at: f64, service: &str| Entry {
            created_at: at,
            level: "INFO".to_owned(),
            service: service.to_owned(),
            message: Some("m".to_owned()),
            ..Entry::default()
        };
        let drawn = |narrow: bool| {
            let (mut lines, mut page) = (Lines::of(narrow), Page::new(false));
            for at in [1_773_144_000.5, 1_773_144_001.0, 1_773_230_400.0, -1.0] {
                lines.line(&mut page, &entry(at, "日本"));
            }
            page.text
        };
        let narrow = drawn(true);
        let lines: Vec<&str> = narrow.lines().collect();
        assert_eq!(lines[0], "2026-03-10 UTC");
        assert_eq!(lines[1], "12:00:00.500 INFO  日本                    m");
        assert_eq!(lines[2], "12:00:01.000 INFO  日本                    m");
        assert_eq!((lines[3], &lines[4][..12]), ("2026-03-11 UTC", "12:00:00.000"));
        assert!(lines[5].starts_with("-1 "), "{narrow}");
        assert!(drawn(false).starts_with("2026-03-10T12:00:00.500Z INFO  日本"));
    }
}

//! A whole trace, drawn: when, how long, a bar on a common axis, whose, and what, as a tree.

use super::entry::Entry;
use super::terminal::{Page, Tone, fitted, width};
use super::tree::{Row, arrange};
use std::collections::BTreeSet;

/// Columns of a bar.
const BAR: i64 = 24;
/// A longer service's name pushes the rest of its line to the right.
const MOST_SERVICE: usize = 20;

/// What is drawn: `█` a request, `━` a call, `░` a request that is open, `•` an event.
pub(crate) fn draw(page: &mut Page, trace_id: &str, entries: &[Entry], truncated: bool) {
    let begun = entries.iter().map(Entry::begun).min().unwrap_or_default();
    let ended = entries.iter().map(|e| e.begun().saturating_add(e.lasted())).max().unwrap_or_default();
    let length = ended.saturating_sub(begun).max(1);
    let services: BTreeSet<&str> = entries.iter().map(|e| e.service.as_str()).collect();
    let spans = entries.iter().filter(|e| e.is_span()).count();
    page.tell(Tone::Strong, &format!("trace {trace_id}"));
    if let Some(first) = entries.iter().min_by_key(|e| e.begun()) {
        page.add(Tone::Dim, format_args!("  {}", first.moment()));
    }
    let facts = [
        format!("{} ms", millis(ended.saturating_sub(begun))),
        plural(services.len(), "service"),
        plural(spans, "span"),
        plural(entries.len() - spans, "event"),
    ];
    page.add(Tone::Plain, format_args!("  {}\n", facts.join(", ")));
    page.add(Tone::Dim, format_args!("{:>11} {:>10}\n", "at ms", "took ms"));
    let widest = services.iter().map(|name| width(name)).max().unwrap_or_default().min(MOST_SERVICE);
    for row in arrange(entries) {
        if let Some(entry) = entries.get(row.index) {
            draw_row(page, &row, entry, begun, length, widest);
        }
    }
    if truncated {
        let what = format_args!("The trace has more than these {} entries, its oldest.\n", entries.len());
        page.add(Tone::Warn, what);
    }
}

fn draw_row(page: &mut Page, row: &Row, entry: &Entry, begun: i64, length: i64, widest: usize) {
    let at = entry.begun().saturating_sub(begun);
    let took = match entry {
        _ if entry.is_running() => "open".to_owned(),
        _ if entry.is_span() => millis(entry.lasted()),
        _ => String::new(),
    };
    page.add(Tone::Dim, format_args!("{:>11} ", format!("+{}", millis(at))));
    page.add(Tone::Plain, format_args!("{took:>10} "));
    page.add(Tone::Dim, format_args!("{} ", bar(entry, at, length)));
    page.add(Tone::Strong, format_args!("{} ", fitted(&entry.service, widest)));
    if let Some((own, above)) = row.more.split_last() {
        let lines: String = above.iter().map(|more| if *more { "│  " } else { "   " }).collect();
        page.add(Tone::Dim, format_args!("{lines}{}", if *own { "├─ " } else { "└─ " }));
    }
    if !entry.is_span() {
        page.tell(entry.level_tone(), &format!("{:<5} ", entry.level));
    }
    entry.what(page, true);
    if let Some(status) = entry.status_code {
        page.add(entry.tone(), format_args!(" {status}"));
    }
    entry.ending(page);
    entry.details(page);
    if row.orphan {
        let what = if entry.is_span() { "caller" } else { "span" };
        page.add(Tone::Dim, format_args!(" ({what} not recorded)"));
    }
    page.add(Tone::Plain, format_args!("\n"));
}

/// Where it stands between the trace's begin and end; what is shorter than a column takes one.
fn bar(entry: &Entry, at: i64, length: i64) -> String {
    let column = |micros: i64| i128::from(micros) * i128::from(BAR) / i128::from(length);
    let end = at.saturating_add(entry.lasted());
    let from = column(at).min(i128::from(BAR - 1));
    let to = match entry.is_running() {
        true => i128::from(BAR),
        false => column(end).clamp(from + 1, i128::from(BAR)),
    };
    let mark = match entry {
        _ if entry.is_running() => '░',
        _ if entry.is_call() => '━',
        _ if entry.is_span() => '█',
        _ => '•',
    };
    let within = |column: i64| {
        i128::from(column) >= from
            && i128::from(column) < to
            && (entry.is_span() || i128::from(column) == from)
    };
    (0..BAR).map(|column| if within(column) { mark } else { ' ' }).collect()
}

/// Microseconds as `12.34` milliseconds.
fn millis(micros: i64) -> String {
    let hundredths = micros.saturating_add(5) / 10;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

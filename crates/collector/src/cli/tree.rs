//! A trace as rows: requests and calls under the span that caused them, events under the span that they belong to. Pure.

use super::entry::Entry;
use std::cmp::Reverse;
use std::collections::HashMap;

/// An entry's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Which of the entries.
    pub(crate) index: usize,
    /// For each level above it, from the second on: whether a line goes on there; the last is its own.
    pub(crate) more: Vec<bool>,
    /// Its caller, or the span it belongs to, is not among the entries.
    pub(crate) orphan: bool,
}

/// Deeper entries stand at this depth: a bound for what is drawn of a trace that nests without end.
pub(crate) const DEEPEST: usize = 32;

/// Every entry once, whatever the graph: what has no parent here is a root, a cycle is cut at its earliest member.
pub(crate) fn arrange(entries: &[Entry]) -> Vec<Row> {
    let mut owners = HashMap::new();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.is_span()) {
        if let Some(span) = &entry.span_id {
            owners.entry(span.as_str()).or_insert(index);
        }
    }
    let mut order: Vec<usize> = (0..entries.len()).collect();
    // The caller before the called where a coarse clock gives both the same start.
    order.sort_by_key(|&index| {
        entries.get(index).map(|e| (e.begun(), Reverse(e.begun().saturating_add(e.lasted()))))
    });
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
    let (mut roots, mut orphans) = (Vec::new(), vec![false; entries.len()]);
    for &index in &order {
        let Some(entry) = entries.get(index) else { continue };
        let above = match entry.is_span() {
            true => entry.parent_span_id.as_deref(),
            false => entry.span_id.as_deref().or(entry.parent_span_id.as_deref()),
        };
        let parent = above.and_then(|span| owners.get(span).copied());
        if let Some(orphan) = orphans.get_mut(index) {
            *orphan = above.is_some() && parent.is_none();
        }
        match parent.filter(|parent| *parent != index).and_then(|parent| children.get_mut(parent)) {
            Some(siblings) => siblings.push(index),
            None => roots.push(index),
        }
    }
    let mut rows = Vec::with_capacity(entries.len());
    let mut seen = vec![false; entries.len()];
    // Roots first; what they do not reach hangs in a cycle.
    for root in roots.into_iter().chain(order) {
        let mut waiting = vec![(root, Vec::new())];
        while let Some((index, more)) = waiting.pop() {
            if seen.get(index).copied().unwrap_or(true) {
                continue;
            }
            if let Some(seen) = seen.get_mut(index) {
                *seen = true;
            }
            let below = children.get(index).map(Vec::as_slice).unwrap_or_default();
            for (n, &child) in below.iter().enumerate().rev() {
                let mut more = more.clone();
                more.truncate(DEEPEST - 1);
                more.push(n + 1 < below.len());
                waiting.push((child, more));
            }
            rows.push(Row { index, more, orphan: orphans.get(index).copied().unwrap_or(false) });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, span: &str, parent: &str, ms: f64, lasted: f64) -> Entry {
        let some = |id: &str| Some(id.to_owned()).filter(|id| !id.is_empty());
        Entry {
            kind: Some(kind.to_owned()),
            span_id: some(span),
            parent_span_id: some(parent),
            created_at: 1_773_144_000.0 + ms / 1e3,
            duration_ms: Some(lasted),
            ..Entry::default()
        }
    }

    /// Index, depth and whether it is an orphan.
    fn shape(entries: &[Entry]) -> Vec<(usize, usize, bool)> {
        arrange(entries).iter().map(|row| (row.index, row.more.len(), row.orphan)).collect()
    }

    #[test]
    fn spans_stand_under_their_callers_and_events_under_their_spans() {
        let entries = [
            entry("event", "c", "b", 3.0, 0.0),
            entry("request", "c", "b", 2.0, 5.0),
            entry("outgoing", "b", "a", 1.0, 7.0),
            entry("request", "a", "upstream", 0.0, 9.0),
            entry("event", "a", "", 8.5, 0.0),
        ];
        let expected = [(3, 0, true), (2, 1, false), (1, 2, false), (0, 3, false), (4, 1, false)];
        assert_eq!(shape(&entries), expected);
        let rows = arrange(&entries);
        assert_eq!(
            rows.iter().map(|row| row.more.clone()).collect::<Vec<_>>(),
            [vec![], vec![true], vec![true, false], vec![true, false, false], vec![false]]
        );
    }

    #[test]
    fn orphans_stand_at_the_root_where_they_began() {
        let entries = [
            entry("request", "a", "", 5.0, 1.0),
            entry("event", "gone", "", 1.0, 0.0),
            entry("event", "", "", 2.0, 0.0),
            entry("request", "b", "gone", 9.0, 1.0),
        ];
        assert_eq!(shape(&entries), [(1, 0, true), (2, 0, false), (0, 0, false), (3, 0, true)]);
    }

    #[test]
    fn a_caller_stands_before_what_began_with_it() {
        let entries = [entry("request", "a", "", 0.0, 1.0), entry("request", "b", "", 0.0, 2.0)];
        assert_eq!(shape(&entries), [(1, 0, false), (0, 0, false)]);
    }

    #[test]
    fn any_graph_is_drawn_once_and_no_deeper_than_the_bound() {
        let cycle = [
            entry("request", "a", "b", 2.0, 1.0),
            entry("request", "b", "a", 1.0, 1.0),
            entry("request", "c", "c", 0.0, 1.0),
        ];
        assert_eq!(shape(&cycle), [(2, 0, false), (1, 0, false), (0, 1, false)]);
        let deep: Vec<Entry> = (0..10_000)
            .map(|n| entry("request", &n.to_string(), &(n - 1).to_string(), f64::from(n), 1.0))
            .collect();
        let rows = arrange(&deep);
        assert_eq!(rows.len(), deep.len());
        assert_eq!(rows.iter().map(|row| row.more.len()).max(), Some(DEEPEST));
    }
}

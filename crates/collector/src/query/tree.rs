//! A trace's entries as a tree of spans, with their events. Pure.
//!
//! What is not there is shown as a gap: a span that another one names as its caller and that told nothing stands as a
//! span of `"kind": "not_instrumented"`, and an outgoing call under which nobody answered says so.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Spans that lie deeper stand at this depth: twice as many levels of JSON, which every parser takes.
const DEEPEST: usize = 32;

#[derive(Deserialize)]
struct Entry<'a> {
    id: Cow<'a, str>,
    created_at: f64,
    level: Cow<'a, str>,
    service: Cow<'a, str>,
    message: Option<Cow<'a, str>>,
    kind: Option<Cow<'a, str>>,
    outcome: Option<Cow<'a, str>>,
    method: Option<Cow<'a, str>>,
    path: Option<Cow<'a, str>>,
    route: Option<Cow<'a, str>>,
    status_code: Option<i64>,
    duration_ms: Option<f64>,
    span_id: Option<Cow<'a, str>>,
    parent_span_id: Option<Cow<'a, str>>,
    error_type: Option<Cow<'a, str>>,
    error_message: Option<Cow<'a, str>>,
}

#[derive(Serialize)]
struct Tree<'a> {
    started_at: f64,
    duration_ms: f64,
    services: BTreeSet<&'a str>,
    spans: Vec<Span<'a>>,
    /// Those that belong to no span that is here.
    events: Vec<Event<'a>>,
}

#[derive(Default, Serialize)]
struct Span<'a> {
    /// The entry's id; null for a gap.
    id: Option<&'a str>,
    span_id: Option<&'a str>,
    kind: &'a str,
    service: Option<&'a str>,
    method: Option<&'a str>,
    route: Option<&'a str>,
    path: Option<&'a str>,
    status_code: Option<i64>,
    outcome: Option<&'a str>,
    level: Option<&'a str>,
    started_at: f64,
    duration_ms: Option<f64>,
    /// The part of the duration in which nothing below it went on.
    self_ms: Option<f64>,
    error_type: Option<&'a str>,
    error_message: Option<&'a str>,
    /// Of a call: whether whoever was called told of it.
    callee_instrumented: Option<bool>,
    events: Vec<Event<'a>>,
    children: Vec<Span<'a>>,
}

#[derive(Serialize)]
struct Event<'a> {
    id: &'a str,
    created_at: f64,
    level: &'a str,
    service: &'a str,
    message: Option<&'a str>,
}

impl Entry<'_> {
    fn is_span(&self) -> bool {
        matches!(self.kind.as_deref(), Some("request" | "outgoing" | "running"))
    }

    fn ended(&self) -> f64 {
        self.created_at + self.duration_ms.unwrap_or_default().max(0.0) / 1e3
    }

    fn event(&self) -> Event<'_> {
        Event {
            id: &self.id,
            created_at: self.created_at,
            level: &self.level,
            service: &self.service,
            message: self.message.as_deref(),
        }
    }

    fn span(&self) -> Span<'_> {
        Span {
            id: Some(&self.id),
            span_id: self.span_id.as_deref(),
            kind: self.kind.as_deref().unwrap_or_default(),
            service: Some(&self.service),
            method: self.method.as_deref(),
            route: self.route.as_deref(),
            path: self.path.as_deref(),
            status_code: self.status_code,
            outcome: self.outcome.as_deref(),
            level: Some(&self.level),
            started_at: self.created_at,
            duration_ms: self.duration_ms,
            self_ms: None,
            error_type: self.error_type.as_deref(),
            error_message: self.error_message.as_deref(),
            callee_instrumented: None,
            events: Vec::new(),
            children: Vec::new(),
        }
    }
}

/// The members of an object that tells the tree; `None` where the entries cannot be read.
pub(super) fn tree(logs: &str) -> Option<String> {
    let mut entries: Vec<Entry<'_>> = serde_json::from_str(logs).ok()?;
    // The caller before the called where a coarse clock gives both the same start.
    entries.sort_by(|a, b| a.created_at.total_cmp(&b.created_at).then(b.ended().total_cmp(&a.ended())));
    let started_at = entries.first()?.created_at;
    let ended = entries.iter().map(Entry::ended).fold(started_at, f64::max);
    let (spans, events) = arrange(&entries);
    let tree = Tree {
        started_at,
        duration_ms: millis(ended - started_at),
        services: entries.iter().map(|entry| entry.service.as_ref()).collect(),
        spans,
        events,
    };
    let text = serde_json::to_string(&tree).ok()?;
    Some(text.strip_prefix('{')?.strip_suffix('}')?.to_owned())
}

/// Seconds as milliseconds, to the microsecond.
fn millis(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e3
}

/// Every span once, whatever the graph: what has no caller is a root, a cycle is cut at its earliest member.
fn arrange<'a>(entries: &'a [Entry<'_>]) -> (Vec<Span<'a>>, Vec<Event<'a>>) {
    let mut owners = HashMap::<&str, usize>::new();
    for (index, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.is_span()) {
        if let Some(span) = &entry.span_id {
            owners.entry(span).or_insert(index);
        }
    }
    // A span that is named and not here gets a place behind the entries.
    let mut spans: Vec<Option<Span<'a>>> =
        entries.iter().map(|entry| entry.is_span().then(|| entry.span())).collect();
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
    let (mut roots, mut stray) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let (own, parent) = (entry.span_id.as_deref(), entry.parent_span_id.as_deref());
        if !entry.is_span() {
            let owner = own.or(parent).and_then(|span| owners.get(span)).and_then(|at| spans.get_mut(*at));
            owner.and_then(Option::as_mut).map_or(&mut stray, |span| &mut span.events).push(entry.event());
            continue;
        }
        let Some(parent) = parent.filter(|parent| Some(*parent) != own) else {
            roots.push(index);
            continue;
        };
        let above = *owners.entry(parent).or_insert_with(|| {
            spans.push(Some(gap(parent, entry.created_at)));
            below.push(Vec::new());
            roots.push(spans.len() - 1);
            spans.len() - 1
        });
        below.get_mut(above).into_iter().for_each(|siblings| siblings.push(index));
    }
    let order = from_above(&roots, &below, entries);
    // From the leaves up: however deep, no call within a call.
    let mut children: Vec<Vec<Span<'a>>> = spans.iter().map(|_| Vec::new()).collect();
    let mut top = Vec::new();
    for (index, above) in order.into_iter().rev() {
        let Some(mut span) = spans.get_mut(index).and_then(Option::take) else { continue };
        span.children = children.get_mut(index).map(std::mem::take).unwrap_or_default();
        span.children.sort_by(|a, b| a.started_at.total_cmp(&b.started_at));
        span.finish();
        above.and_then(|above| children.get_mut(above)).unwrap_or(&mut top).push(span);
    }
    top.sort_by(|a, b| a.started_at.total_cmp(&b.started_at));
    (top, stray)
}

/// Every span, those above before those below, and the one it stands under.
fn from_above(roots: &[usize], below: &[Vec<usize>], entries: &[Entry<'_>]) -> Vec<(usize, Option<usize>)> {
    let mut order: Vec<(usize, Option<usize>)> = Vec::new();
    let (mut depths, mut seen) = (Vec::new(), vec![false; below.len()]);
    let spans = entries.iter().enumerate().filter(|(_, entry)| entry.is_span()).map(|(index, _)| index);
    // What the roots do not reach hangs in a cycle.
    for root in roots.iter().copied().chain(spans) {
        let mut at = order.len();
        if let Some(seen) = seen.get_mut(root).filter(|seen| !**seen) {
            *seen = true;
            order.push((root, None));
            depths.push(1);
        }
        while let Some(&(index, above)) = order.get(at) {
            let depth = depths.get(at).copied().unwrap_or_default();
            let under = if depth < DEEPEST { (Some(index), depth + 1) } else { (above, depth) };
            for &child in below.get(index).into_iter().flatten() {
                if let Some(seen) = seen.get_mut(child).filter(|seen| !**seen) {
                    *seen = true;
                    order.push((child, under.0));
                    depths.push(under.1);
                }
            }
            at += 1;
        }
    }
    order
}

/// A span that others name and that told nothing. It began when the first of them did, or before.
fn gap(span_id: &str, started_at: f64) -> Span<'_> {
    Span { span_id: Some(span_id), kind: "not_instrumented", started_at, ..Span::default() }
}

impl Span<'_> {
    /// What follows from those below it.
    fn finish(&mut self) {
        if self.kind == "outgoing" {
            self.callee_instrumented = Some(!self.children.is_empty());
        }
        let Some(ms) = self.duration_ms else { return };
        let ended = self.started_at + ms.max(0.0) / 1e3;
        // They stand by their begin; where two overlap, the time counts once.
        let (mut until, mut busy) = (self.started_at, 0.0);
        for child in &self.children {
            let end = child.started_at + child.duration_ms.unwrap_or_default().max(0.0) / 1e3;
            let (from, to) = (child.started_at.max(until), end.min(ended));
            if to > from {
                busy += to - from;
                until = to;
            }
        }
        self.self_ms = Some(millis((ended - self.started_at - busy).max(0.0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn entry(kind: &str, id: &str, parent: &str, ms: f64, lasted: f64) -> Value {
        let some = |id: &str| Some(id.to_owned()).filter(|id| !id.is_empty());
        json!({"id": format!("{kind}-{id}-{ms}"), "created_at": 1_773_144_000.0 + ms / 1e3, "level": "INFO", "service": "s",
               "kind": kind, "span_id": some(id), "parent_span_id": some(parent), "duration_ms": lasted})
    }

    fn told(entries: &[Value]) -> Value {
        let members = tree(&json!(entries).to_string()).unwrap();
        serde_json::from_str(&format!("{{{members}}}")).unwrap()
    }

    /// `a(b(c)d)`, a gap in brackets.
    fn shape(spans: &Value) -> String {
        let shown = |span: &Value| {
            let id = span["span_id"].as_str().unwrap_or("-");
            let below = shape(&span["children"]);
            let name = if span["kind"] == "not_instrumented" { format!("[{id}]") } else { id.to_owned() };
            if below.is_empty() { name } else { format!("{name}({below})") }
        };
        spans.as_array().unwrap().iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn spans_stand_under_their_callers_and_events_with_their_spans() {
        let tree = told(&[
            entry("event", "c", "b", 3.0, 0.0),
            entry("request", "c", "b", 2.0, 5.0),
            entry("outgoing", "b", "a", 1.0, 7.0),
            entry("request", "a", "", 0.0, 9.0),
            entry("event", "gone", "", 4.0, 0.0),
        ]);
        assert_eq!(shape(&tree["spans"]), "a(b(c))");
        let b = &tree["spans"][0]["children"][0];
        assert_eq!(b["children"][0]["events"].as_array().unwrap().len(), 1);
        assert_eq!((&b["callee_instrumented"], &b["self_ms"]), (&json!(true), &json!(2.0)));
        assert_eq!((&tree["spans"][0]["self_ms"], &tree["duration_ms"]), (&json!(2.0), &json!(9.0)));
        assert_eq!(tree["events"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn who_told_nothing_is_shown_as_a_gap() {
        let tree = told(&[
            entry("request", "b", "x", 1.0, 5.0),
            entry("outgoing", "d", "b", 2.0, 1.0),
            entry("request", "c", "x", 3.0, 1.0),
            entry("request", "e", "y", 0.0, 1.0),
        ]);
        assert_eq!(shape(&tree["spans"]), "[y](e) [x](b(d) c)");
        let call = &tree["spans"][1]["children"][0]["children"][0];
        assert_eq!(call["callee_instrumented"], false);
        assert_eq!(tree["spans"][1]["duration_ms"], Value::Null);
    }

    #[test]
    fn any_graph_is_told_once_and_no_deeper_than_the_bound() {
        let cycle = [
            entry("request", "a", "b", 2.0, 1.0),
            entry("request", "b", "a", 1.0, 1.0),
            entry("request", "c", "c", 0.0, 1.0),
        ];
        assert_eq!(shape(&told(&cycle)["spans"]), "c b(a)");
        let deep: Vec<Value> = (0..5_000)
            .map(|n| {
                entry(
                    "request",
                    &format!("n{n}"),
                    &if n > 0 { format!("n{}", n - 1) } else { String::new() },
                    f64::from(n),
                    1.0,
                )
            })
            .collect();
        let shape = shape(&told(&deep)["spans"]);
        assert_eq!(shape.matches('n').count(), 5_000);
        assert_eq!(
            shape
                .chars()
                .fold((0, 0), |(deep, most): (i32, i32), c| {
                    let deep = deep + i32::from(c == '(') - i32::from(c == ')');
                    (deep, most.max(deep))
                })
                .1,
            31
        );
    }
}

//! What strace(1) wrote of a shop: which orders were promised, and whether they were on the disk by then.

use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) promised: BTreeSet<u64>,
    /// Orders that it said it could not promise.
    pub(super) refused: u64,
    /// Promised, and not synced by then.
    pub(super) false_promises: u64,
    /// Files that were synced after a sync of theirs had failed.
    pub(super) synced_again: u64,
    pub(super) injected: u64,
}

/// A file of the spool.
#[derive(Default)]
struct File {
    written: BTreeSet<u64>,
    synced: BTreeSet<u64>,
    failed: bool,
    /// Whether its directory was synced with its name in it.
    named: bool,
}

#[derive(Default)]
struct State {
    /// Paths by descriptor.
    open: BTreeMap<String, String>,
    files: BTreeMap<String, File>,
    trace: Trace,
}

impl Trace {
    pub(super) fn read(text: &str) -> Self {
        let mut state = State::default();
        // Calls that have begun, by thread.
        let mut begun = BTreeMap::new();
        for line in text.lines() {
            let Some((thread, call)) = line.split_once(' ') else { continue };
            let call = call.trim_start();
            if let Some(head) = call.strip_suffix(" <unfinished ...>") {
                state.begins(head);
                begun.insert(thread, head.to_owned());
            } else if call.starts_with("<... ") {
                let Some((_, result)) = call.split_once(" resumed>") else { continue };
                let head = begun.remove(thread).unwrap_or_default();
                state.ends(&(head + result));
            } else {
                state.begins(call);
                state.ends(call);
            }
        }
        state.trace
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.refused += other.refused;
        self.false_promises += other.false_promises;
        self.synced_again += other.synced_again;
        self.injected += other.injected;
    }
}

impl State {
    /// What is said is said when the call begins.
    fn begins(&mut self, call: &str) {
        let Some(said) = call.strip_prefix("write(1, \"") else { return };
        let mut words = said.split([' ', '\\']);
        match (words.next(), words.next().and_then(|order| order.parse::<u64>().ok())) {
            (Some("durable"), Some(order)) => {
                self.trace.promised.insert(order);
                let safe = self.files.values().any(|file| file.named && file.synced.contains(&order));
                self.trace.false_promises += u64::from(!safe);
            }
            (Some("failed"), Some(_)) => self.trace.refused += 1,
            _ => {}
        }
    }

    /// What is done is done when it ends, and only if it says so.
    fn ends(&mut self, call: &str) {
        let Some((call, result)) = call.rsplit_once(" = ") else { return };
        let (call, arguments) = call.trim_end().split_once('(').unwrap_or_default();
        self.trace.injected += u64::from(result.contains("INJECTED"));
        let number: i64 = result.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(-1);
        let descriptor = arguments.split([',', ')']).next().unwrap_or_default();
        let path = self.open.get(descriptor).cloned().unwrap_or_default();
        match call {
            "openat" if number >= 0 => {
                let path = arguments.split('"').nth(1).unwrap_or_default().to_owned();
                self.open.insert(number.to_string(), path);
            }
            "pwrite64" if number > 0 && !result.contains("INJECTED") => {
                self.files.entry(path).or_default().written.extend(orders(arguments));
            }
            "fdatasync" if path.ends_with(".log") => {
                let file = self.files.entry(path).or_default();
                self.trace.synced_again += u64::from(file.failed);
                match number {
                    0 if !file.failed => file.synced.append(&mut file.written),
                    _ => file.failed = true,
                }
            }
            "fsync" if number == 0 => {
                let inside = |file: &str| file.strip_prefix(&*path).is_some_and(|rest| rest.starts_with('/'));
                self.files
                    .iter_mut()
                    .filter(|(file, _)| inside(file))
                    .for_each(|(_, file)| file.named = true);
            }
            _ => {}
        }
    }
}

/// The numbers in the records that a call writes.
fn orders(bytes: &str) -> impl Iterator<Item = u64> {
    bytes
        .split("order ")
        .skip(1)
        .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
}

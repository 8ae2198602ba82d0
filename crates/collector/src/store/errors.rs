//! Errors, grouped by what makes them the same one.

use super::search::Filter;
use super::signature::{normalise, top_frame};
use hoplog_entry::EntryId;
use serde::{Serialize, Serializer};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A question for the groups of the entries that pass the filter, the most frequent first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ErrorSearch {
    pub(crate) filter: Filter,
    pub(crate) limit: usize,
}

/// Entries that one question reads, the newest: what is older is said to be left out.
pub(crate) const MOST_READ: usize = 100_000;
/// Groups that are told apart.
const MOST_GROUPS: usize = 2_000;
/// Names of a group's services and routes that are kept.
const MOST_NAMES: usize = 20;
/// Bytes of an example that are shown.
const MOST_EXAMPLE: usize = 1_000;

/// An entry, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Occurrence<'a> {
    pub(crate) id: EntryId,
    /// Microseconds since the Unix epoch.
    pub(crate) created_at: i64,
    pub(crate) service: &'a str,
    pub(crate) route: Option<&'a str>,
    pub(crate) message: &'a str,
    pub(crate) error_type: Option<&'a str>,
    pub(crate) error_message: Option<&'a str>,
    pub(crate) stack_trace: Option<&'a str>,
    pub(crate) weight: f64,
}

/// Groups as they grow; whoever fills them goes from new to old.
#[derive(Debug, Default)]
pub(crate) struct ErrorGroups {
    by_signature: BTreeMap<(Option<String>, String, Option<String>), Group>,
    read: usize,
    left_out: bool,
}

#[derive(Debug)]
struct Group {
    count: f64,
    stored: u64,
    first: i64,
    last: i64,
    example: EntryId,
    example_message: String,
    services: BTreeSet<String>,
    routes: BTreeSet<String>,
}

/// One group, as it is shown.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct ErrorGroup {
    pub(crate) error_type: Option<String>,
    /// Without numbers, ids, addresses and quoted strings.
    pub(crate) message: String,
    pub(crate) frame: Option<String>,
    pub(crate) count: u64,
    pub(crate) stored: u64,
    #[serde(serialize_with = "seconds")]
    pub(crate) first_seen: i64,
    #[serde(serialize_with = "seconds")]
    pub(crate) last_seen: i64,
    /// The newest of them.
    #[serde(serialize_with = "text")]
    pub(crate) example_id: EntryId,
    pub(crate) example_message: String,
    pub(crate) services: BTreeSet<String>,
    pub(crate) routes: BTreeSet<String>,
}

/// What is shown of the groups.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct ErrorListing {
    pub(crate) errors: Vec<ErrorGroup>,
    /// Groups beyond the limit, or older entries, are left out.
    pub(crate) truncated: bool,
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
fn seconds<S: Serializer>(micros: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(*micros as f64 / 1e6)
}

fn text<S: Serializer>(id: &EntryId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl ErrorGroups {
    /// Takes one more; false where enough were read.
    pub(crate) fn add(&mut self, one: Occurrence<'_>) -> bool {
        if self.read >= MOST_READ {
            self.left_out = true;
            return false;
        }
        self.read += 1;
        let said = one.error_message.filter(|message| !message.is_empty()).unwrap_or(one.message);
        let error_type = one.error_type.filter(|name| !name.is_empty());
        let frame = one.stack_trace.and_then(top_frame);
        let key = (error_type.map(|name| cut(name, MOST_EXAMPLE).to_owned()), normalise(said), frame);
        if !self.by_signature.contains_key(&key) && self.by_signature.len() >= MOST_GROUPS {
            self.left_out = true;
            return true;
        }
        let group = self.by_signature.entry(key).or_insert_with(|| Group {
            count: 0.0,
            stored: 0,
            first: one.created_at,
            last: one.created_at,
            example: one.id,
            example_message: cut(said, MOST_EXAMPLE).to_owned(),
            services: BTreeSet::new(),
            routes: BTreeSet::new(),
        });
        group.count += one.weight;
        group.stored += 1;
        group.first = group.first.min(one.created_at);
        group.last = group.last.max(one.created_at);
        for (names, name) in [(&mut group.services, Some(one.service)), (&mut group.routes, one.route)] {
            if let Some(name) = name.filter(|name| names.len() < MOST_NAMES && !names.contains(*name)) {
                names.insert(name.to_owned());
            }
        }
        true
    }

    /// The most frequent first, then the latest.
    pub(crate) fn finish(self, limit: usize) -> ErrorListing {
        let mut truncated = self.left_out || self.by_signature.len() > limit;
        let mut errors: Vec<ErrorGroup> = self.by_signature.into_iter().map(shown).collect();
        errors.sort_by_key(|group| (Reverse(group.count), Reverse(group.last_seen)));
        truncated |= errors.len() > limit;
        errors.truncate(limit);
        ErrorListing { errors, truncated }
    }
}

fn shown(
    ((error_type, message, frame), group): ((Option<String>, String, Option<String>), Group),
) -> ErrorGroup {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, NaN is 0")]
    let count = group.count.round() as u64;
    ErrorGroup {
        error_type,
        message,
        frame,
        count,
        stored: group.stored,
        first_seen: group.first,
        last_seen: group.last,
        example_id: group.example,
        example_message: group.example_message,
        services: group.services,
        routes: group.routes,
    }
}

/// The start of a text, of so many bytes at most.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

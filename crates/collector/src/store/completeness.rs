//! What came of what senders say they sent: gaps, losses, how they ended. Decided here, from what a store kept.

use crate::time::{Day, SECOND};
use hoplog_entry::{DropReason, EntryId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Which senders: those heard of from (inclusive) and to (exclusive), in microseconds since the Unix epoch.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) service: Option<String>,
}

/// What a store kept of them, by boot id.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    pub(crate) senders: BTreeMap<String, SenderAccount>,
    /// There were more than one answer holds.
    pub(crate) truncated: bool,
    /// The oldest day that is still kept.
    pub(crate) oldest_day: Option<Day>,
}

/// Entries of a sender by `seq`: from the first up to the next, that one left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) first: i64,
    pub(crate) next: i64,
}

/// What a batch said was lost, as JSON, and when it said so.
#[derive(Debug, Clone)]
pub(crate) struct Loss {
    pub(crate) at: i64,
    pub(crate) by_reason: String,
}

/// What one life of a sending process left.
#[derive(Debug, Default)]
pub(crate) struct SenderAccount {
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    pub(crate) batches: u64,
    /// How many entries it had sealed, as far as it said.
    pub(crate) sealed: Option<i64>,
    pub(crate) source: Option<String>,
    pub(crate) ledger: Option<String>,
    pub(crate) closed: bool,
    pub(crate) stored: u64,
    pub(crate) duplicates: u64,
    pub(crate) id_conflicts: u64,
    pub(crate) rejected: u64,
    pub(crate) spans: Vec<Span>,
    pub(crate) losses: Vec<Loss>,
}

impl SenderAccount {
    /// Adds what a later day has of it.
    pub(crate) fn add(&mut self, later: Self) {
        let first = self.batches == 0;
        self.first_at = if first { later.first_at } else { self.first_at.min(later.first_at) };
        self.last_at = self.last_at.max(later.last_at);
        self.batches += later.batches;
        self.sealed = self.sealed.max(later.sealed);
        self.source = later.source.or(self.source.take());
        self.ledger = later.ledger.or(self.ledger.take());
        self.closed |= later.closed;
        self.stored += later.stored;
        self.duplicates += later.duplicates;
        self.id_conflicts += later.id_conflicts;
        self.rejected += later.rejected;
        self.spans.extend(later.spans);
        self.losses.extend(later.losses);
    }
}

/// How long a sender may say nothing before it counts as ended: the SDK says something every minute.
const SILENCE: i64 = 3 * 60 * SECOND;
/// Gaps, and losses, of one sender that an answer lists; their sums hold all.
const MOST_LISTED: usize = 100;

/// How a sender ended, if it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ended {
    /// It was heard of a moment ago.
    Running,
    /// Its last batch said so.
    Closed,
    /// It fell silent without a word.
    Abruptly,
}

/// The answer to a [`Question`].
#[derive(Debug, Serialize)]
pub(crate) struct Completeness {
    /// Unix seconds, as all times here.
    from: f64,
    to: f64,
    /// No entry is missing or dropped, and no sender ended abruptly.
    complete: bool,
    missing: u64,
    dropped: u64,
    ended_abruptly: usize,
    /// There are more senders than are listed.
    truncated: bool,
    /// The latest heard of first.
    senders: Vec<SenderReport>,
}

/// One life of a sending process.
#[derive(Debug, Serialize)]
struct SenderReport {
    boot_id: String,
    service: Option<String>,
    source: Option<Box<RawValue>>,
    first_seen: f64,
    last_seen: f64,
    ended: Ended,
    batches: u64,
    /// What the sender counted, by its last batch.
    accepted: u64,
    delivered: u64,
    /// What the collector counted.
    stored: u64,
    duplicates: u64,
    id_conflicts: u64,
    rejected: u64,
    /// Sealed by the sender and not here: on its way still, dropped, or lost with the process.
    missing: u64,
    gaps: Vec<Gap>,
    /// By reason, since the process began.
    dropped: BTreeMap<&'static str, u64>,
    /// Left out by sampling, for which others stand by their weight.
    sampled: u64,
    /// When which of them were told of, the latest first.
    losses: Vec<LossReport>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Gap {
    first: i64,
    last: i64,
    entries: u64,
}

#[derive(Debug, PartialEq, Serialize)]
struct LossReport {
    at: f64,
    reason: &'static str,
    entries: u64,
}

/// A sender's counts as it sends them; what is missing or no number is 0.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ledger {
    accepted: serde_json::Value,
    delivered: serde_json::Value,
    dropped: BTreeMap<String, serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    service: serde_json::Value,
}

impl Completeness {
    pub(crate) fn new(question: &Question, accounts: Accounts, now: i64) -> Self {
        let Accounts { senders, truncated, oldest_day } = accounts;
        let report = |(boot_id, account)| SenderReport::new(boot_id, account, oldest_day, now);
        let mut senders: Vec<SenderReport> = senders.into_iter().map(report).collect();
        senders.sort_by(|a, b| b.last_seen.total_cmp(&a.last_seen));
        let missing = senders.iter().map(|s| s.missing).sum();
        let dropped = senders.iter().flat_map(|s| s.dropped.values()).sum();
        let ended_abruptly = senders.iter().filter(|s| s.ended == Ended::Abruptly).count();
        Self {
            from: seconds(question.from),
            to: seconds(question.to),
            complete: missing == 0 && dropped == 0 && ended_abruptly == 0,
            missing,
            dropped,
            ended_abruptly,
            truncated,
            senders,
        }
    }
}

impl SenderReport {
    fn new(boot_id: String, account: SenderAccount, oldest_day: Option<Day>, now: i64) -> Self {
        let ledger: Ledger = read(account.ledger.as_deref());
        let service = read::<Source>(account.source.as_deref()).service.as_str().map(str::to_owned);
        let began = boot_id.parse::<EntryId>().ok().and_then(Day::named_by);
        // Of a sender that is older than what is kept, the first entries may have been here.
        let whole = began.is_some_and(|began| oldest_day.is_some_and(|oldest| oldest <= began));
        let all = gaps(account.spans, whole, account.sealed.unwrap_or_default());
        let mut dropped = by_reason(ledger.dropped);
        let sampled = dropped.remove(DropReason::Sampled.as_str()).unwrap_or_default();
        let mut losses = account.losses;
        losses.sort_by_key(|loss| std::cmp::Reverse(loss.at));
        let losses = losses.iter().flat_map(|loss| {
            let of = by_reason(read(Some(&loss.by_reason)));
            of.into_iter().map(|(reason, entries)| LossReport { at: seconds(loss.at), reason, entries })
        });
        Self {
            boot_id,
            service,
            source: account.source.and_then(|source| RawValue::from_string(source).ok()),
            first_seen: seconds(account.first_at),
            last_seen: seconds(account.last_at),
            ended: match account.closed {
                true => Ended::Closed,
                false if now.saturating_sub(account.last_at) <= SILENCE => Ended::Running,
                false => Ended::Abruptly,
            },
            batches: account.batches,
            accepted: count(&ledger.accepted),
            delivered: count(&ledger.delivered),
            stored: account.stored,
            duplicates: account.duplicates,
            id_conflicts: account.id_conflicts,
            rejected: account.rejected,
            missing: all.iter().map(|gap| gap.entries).sum(),
            gaps: all.into_iter().take(MOST_LISTED).collect(),
            dropped,
            sampled,
            losses: losses.take(MOST_LISTED).collect(),
        }
    }
}

/// When a batch was sealed, as its id says; a batch may have waited long for this collector. An id without a time, or
/// from after its arrival, tells nothing.
pub(super) fn sealed_at(batch_id: &str, received_at: i64) -> i64 {
    let millis = batch_id.parse::<EntryId>().ok().and_then(|id| id.unix_ms());
    let micros = millis.and_then(|ms| i64::try_from(ms).ok()?.checked_mul(1_000));
    micros.filter(|at| *at <= received_at).unwrap_or(received_at)
}

/// The service that a batch's source names, in which no store finds what it cannot hold.
pub(super) fn service_of(source: &str) -> Option<String> {
    read::<Source>(Some(source)).service.as_str().map(|service| service.replace('\0', "\u{fffd}"))
}

/// What lies between spans in any order, before the first one (if that is known to be the first) and up to `sealed`.
fn gaps(mut spans: Vec<Span>, from_the_start: bool, sealed: i64) -> Vec<Gap> {
    spans.sort_unstable();
    let start = spans.first().map_or(sealed, |span| span.first);
    let mut at = if from_the_start { 0 } else { start };
    let mut gaps = Vec::new();
    for span in spans.into_iter().chain([Span { first: sealed, next: sealed }]) {
        if span.first > at {
            gaps.push(Gap { first: at, last: span.first - 1, entries: span.first.abs_diff(at) });
        }
        at = at.max(span.next);
    }
    gaps
}

/// The counts of the reasons that there are; others are nobody's.
fn by_reason(counts: BTreeMap<String, serde_json::Value>) -> BTreeMap<&'static str, u64> {
    let known = |name: &str| DropReason::ALL.iter().map(|r| r.as_str()).find(|r| *r == name);
    counts.iter().filter_map(|(name, n)| Some((known(name)?, count(n)))).filter(|(_, n)| *n > 0).collect()
}

fn read<T: Default + for<'de> Deserialize<'de>>(json: Option<&str>) -> T {
    json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

/// At most 2^53, which no honest count reaches: sums of them do not overflow.
fn count(value: &serde_json::Value) -> u64 {
    value.as_u64().unwrap_or_default().min(1 << 53)
}

fn seconds(micros: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "microseconds of this century fit")]
    {
        micros as f64 / 1e6
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_what_no_span_covers() {
        let spans = |list: &[(i64, i64)]| list.iter().map(|&(first, next)| Span { first, next }).collect();
        for (given, from_the_start, sealed, expected) in [
            (&[(0, 10)][..], true, 10, &[][..]),
            (&[(20, 30), (0, 10), (10, 20)], true, 30, &[]),
            (&[(0, 10), (15, 20)], true, 20, &[(10, 14)]),
            (&[(5, 10)], true, 10, &[(0, 4)]),
            (&[(5, 10)], false, 10, &[]),
            (&[(0, 10), (0, 20), (5, 8)], true, 25, &[(20, 24)]),
            (&[], true, 7, &[(0, 6)]),
            (&[], false, 7, &[]),
            (&[(0, i64::MAX)], true, 0, &[]),
        ] {
            let found: Vec<_> =
                gaps(spans(given), from_the_start, sealed).iter().map(|g| (g.first, g.last)).collect();
            assert_eq!(found, expected, "{given:?} {sealed}");
        }
    }

    #[test]
    fn counts_of_a_hostile_sender_do_no_harm() {
        let account = |boot: &str| {
            let account = SenderAccount {
                ledger: Some(r#"{"accepted":-1,"delivered":"x","dropped":{"queue_full_newest":18446744073709551615,"poison":1e9,"mine":3}}"#.into()),
                source: Some(r#"{"service":[]}"#.into()),
                losses: vec![Loss { at: 1, by_reason: "[]".into() }],
                ..SenderAccount::default()
            };
            (boot.to_owned(), account)
        };
        let question = Question { from: 0, to: 1, service: None };
        let accounts = Accounts {
            senders: (0..2_000).map(|n| account(&n.to_string())).collect(),
            ..Accounts::default()
        };
        let answer = Completeness::new(&question, accounts, i64::MAX);
        assert_eq!(answer.senders[0].dropped, BTreeMap::from([("queue_full_newest", 1 << 53)]));
        assert_eq!((answer.dropped, answer.complete), (2_000 << 53, false));
        assert_eq!(answer.senders[0].losses, []);
    }
}

//! The table of answers: status, body and headers on the left, what is done and how it is counted on the right.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use hoplog_entry::DropReason::{self, EntryTooLarge, Poison};

use super::super::{Answer, Cause, Verdict};
use crate::transport::Failure;

const ENTRIES: u64 = 3;
const GOOD: &str = r#"{"accepted":3,"duplicates":0,"rejected":[]}"#;
const PARTLY: &str = r#"{"accepted":1,"duplicates":1,"rejected":[{"index":2,"id":null,"reason":"no"}]}"#;
const HAD: &str = r#"{"accepted":0,"duplicates":3,"rejected":[]}"#;

/// What is done, without what is said of it.
#[derive(Debug, PartialEq)]
enum Action {
    /// Stored, had before, rejected.
    Delivered(u64, u64, u64),
    Retry(Cause, Option<u64>),
    Pause,
    /// In parts, down to the entry at fault, which is counted so; `false`: where others are taken.
    Part(DropReason, bool),
    Drop(DropReason),
}

impl From<Verdict> for Action {
    fn from(verdict: Verdict) -> Self {
        let said: Cow<'_, str>;
        let action = match verdict {
            Verdict::Delivered { stored, duplicates, rejected } => {
                return Self::Delivered(stored, duplicates, rejected);
            }
            Verdict::Retry { after, cause, why } => {
                said = why;
                Self::Retry(cause, after.map(|wait| wait.as_secs()))
            }
            Verdict::Paused { why } => {
                said = why;
                Self::Pause
            }
            Verdict::Spoiled { why, sure, reason } => {
                said = why.into();
                Self::Part(reason, sure)
            }
            Verdict::Refused { why, reason } => {
                said = why.into();
                Self::Drop(reason)
            }
        };
        assert!(said.starts_with("the") && said.len() > 20, "{said}: says who and what");
        action
    }
}

use Action::{Delivered, Part, Pause, Retry};
use Cause::{Away, BadAnswer, Throttled, Unreachable};

/// 06 Nov 1994 08:49:07 GMT.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_747)
}

fn answer(status: u16, retry_after: Option<&str>, body: &[u8]) -> Answer {
    Answer {
        status,
        retry_after: retry_after.map(Into::into),
        #[cfg(feature = "zstd")]
        accept_encoding: None,
        body: body.to_vec(),
    }
}

type Row = (&'static [u16], Option<&'static str>, &'static str, Action);

/// Counts the rows that pass, and names the others.
fn walk(dialect: &str, rows: Vec<Row>, judge: fn(&Answer, u64, SystemTime) -> Verdict) -> (usize, usize) {
    let (mut passed, mut total) = (0, 0);
    for (statuses, retry_after, body, expected) in rows {
        for status in statuses {
            total += 1;
            let got = Action::from(judge(&answer(*status, retry_after, body.as_bytes()), ENTRIES, now()));
            if got == expected {
                passed += 1;
            } else {
                eprintln!("{dialect} {status} {retry_after:?} {body}: {got:?}, not {expected:?}");
            }
        }
    }
    (passed, total)
}

fn native() -> Vec<Row> {
    let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
    vec![
        (&[200, 202, 207], None, GOOD, Delivered(3, 0, 0)),
        (&[200, 202, 207], None, PARTLY, Delivered(1, 1, 1)),
        (&[200], None, HAD, Delivered(0, 3, 0)),
        (&[200], None, r#"{"status":"ok","count":3}"#, Delivered(3, 0, 0)),
        (&[200, 202, 204, 207], None, "", Retry(BadAnswer, None)),
        (&[200], None, r#"{"accepted":2,"duplicates":0,"rejected":[]}"#, Retry(BadAnswer, None)),
        (&[200], None, r#"{"accepted":18446744073709551615,"duplicates":4}"#, Retry(BadAnswer, None)),
        (&[200], None, "<html>It works!</html>", Retry(BadAnswer, None)),
        (&[400, 422], None, "{}", Part(Poison, true)),
        (&[401, 403], None, "{}", Pause),
        (&[404, 405, 301, 302, 303, 307, 308], None, "{}", Pause),
        (&[408, 425], None, "{}", Retry(Throttled, None)),
        (&[409], None, HAD, Delivered(0, 3, 0)),
        (&[409], None, "{}", Pause),
        (&[413], None, "{}", Part(EntryTooLarge, true)),
        (&[429], Some("7"), GOOD, Retry(Throttled, Some(7))),
        (&[429], None, "{}", Retry(Throttled, None)),
        (&[429], date, "{}", Retry(Throttled, Some(30))),
        (&[429], Some("86400"), "{}", Retry(Throttled, Some(900))),
        (&[429], Some("-1"), "{}", Retry(Throttled, None)),
        (&[429], Some("soon"), "{}", Retry(Throttled, None)),
        (&[500], None, GOOD, Retry(Away, None)),
        (&[501, 505], None, "{}", Pause),
        (&[502, 503, 504, 507, 599], None, "{}", Retry(Away, None)),
        (&[500, 502, 503, 504, 507], Some("7"), "{}", Retry(Away, Some(7))),
        (&[100, 402, 406, 410, 415, 418, 431, 451], None, "{}", Pause),
    ]
}

fn log_collector() -> Vec<Row> {
    vec![
        (&[200, 201], None, r#"{"status":"ok","count":3}"#, Delivered(3, 0, 0)),
        (&[200], None, r#"{"status":"ok","count":2}"#, Delivered(2, 0, 1)),
        (&[200], None, "<html>", Retry(BadAnswer, None)),
        (&[400, 422], None, "{}", Part(Poison, true)),
        (&[413], None, "{}", Part(EntryTooLarge, true)),
        // It says 500 to an entry that its schema refuses, and to all of them when its database is away.
        (&[500], None, "{}", Part(Poison, false)),
        (&[408, 425, 429], Some("7"), "{}", Retry(Throttled, Some(7))),
        (&[502, 503, 504, 507], Some("7"), "{}", Retry(Away, Some(7))),
        (&[301, 401, 403, 404, 405, 409, 410, 415, 501, 505], None, "{}", Pause),
    ]
}

#[cfg(feature = "otlp")]
fn otlp() -> Vec<Row> {
    vec![
        (&[200, 202], None, "", Delivered(3, 0, 0)),
        (&[200], None, "\x0a\x02\x08\x02", Delivered(1, 0, 2)),
        (&[200], None, "<html>", Delivered(3, 0, 0)),
        (&[400, 422], None, "", Part(Poison, true)),
        (&[413], None, "", Part(EntryTooLarge, true)),
        (&[429], Some("7"), "", Retry(Throttled, Some(7))),
        (&[502, 503, 504], Some("7"), "", Retry(Away, Some(7))),
        (&[301, 401, 403, 404, 405, 501, 505], None, "", Pause),
        // As the protocol has it: nothing else is sent again.
        (&[402, 408, 409, 410, 415, 425, 500, 507], None, "", Action::Drop(DropReason::ServerRejected)),
    ]
}

/// No answer at all.
fn failures() -> (usize, usize) {
    let rows = [
        (Failure::Unreachable, Retry(Unreachable, None)),
        (Failure::Silent, Retry(Away, None)),
        (Failure::Lost, Retry(Away, None)),
        (Failure::BrokeOff, Retry(Away, None)),
        (Failure::Impossible, Retry(Away, None)),
        (Failure::Certificate, Pause),
    ];
    let holds =
        |(failure, action): &(_, _)| Action::from(Verdict::of_failure(*failure, "the collector")) == *action;
    (rows.iter().filter(|row| holds(row)).count(), rows.len())
}

#[test]
fn every_row_of_the_table_holds() {
    let walked = [
        walk("native", native(), Verdict::of_native),
        walk("log_collector", log_collector(), Verdict::of_log_collector),
        #[cfg(feature = "otlp")]
        walk("otlp", otlp(), Verdict::of_otlp),
        failures(),
    ];
    let (passed, total) = walked.iter().fold((0, 0), |(p, t), (passed, all)| (p + passed, t + all));
    println!("FIGURE transport.rows_passed {passed}/{total} rows");
    assert_eq!(passed, total);
}

#[test]
fn a_row_that_does_not_hold_is_seen() {
    let rows: Vec<Row> = vec![(&[200, 400], None, GOOD, Delivered(3, 0, 0))];
    assert_eq!(walk("native", rows, Verdict::of_native), (1, 2), "the control");
}

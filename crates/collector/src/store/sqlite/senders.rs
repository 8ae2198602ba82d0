//! What senders say of themselves, and which of their entries came: written beside the entries, in the file of the
//! day on which a batch came.

use super::figures::number;
use super::readers::Files;
use crate::store::StoreError;
use crate::store::batch::{Batch, DEFAULT_PROJECT, Sender, Verdict};
use crate::store::completeness::{Accounts, Loss, Question, SenderAccount, Span, sealed_at};
use crate::time::Day;
use rusqlite::{Connection, OptionalExtension as _, Statement, params};
use std::collections::{BTreeMap, BTreeSet};

/// The statements of one transaction that take note of senders.
pub(super) struct Notes<'c> {
    upsert: Statement<'c>,
    met: Statement<'c>,
    forget: Statement<'c>,
    insert: Statement<'c>,
    lose: Statement<'c>,
}

/// Of a sender's spans those that one from ?3 up to ?4 overlaps or touches: the last one that begins before it, and
/// those that begin in it.
const MET: &str = "FROM spans WHERE project = ?1 AND boot_id = ?2 AND first <= ?4 AND next >= ?3
   AND first >= ifnull((SELECT max(first) FROM spans WHERE project = ?1 AND boot_id = ?2 AND first < ?3), ?3)";

impl<'c> Notes<'c> {
    pub(super) fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            // What it says last counts, whichever batch comes last.
            upsert: connection.prepare(
                "INSERT INTO senders (project, boot_id, first_at, last_at, batches, last_seq, source, ledger, closing,
                   stored, duplicates, id_conflicts, rejected)
                 VALUES (?1, ?2, ?3, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
                 ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at), batches = batches + 1,
                   source = ifnull(excluded.source, source),
                   ledger = iif(ifnull(excluded.last_seq, 0) >= ifnull(last_seq, 0),
                                ifnull(excluded.ledger, ledger), ifnull(ledger, excluded.ledger)),
                   last_seq = max(ifnull(last_seq, excluded.last_seq), ifnull(excluded.last_seq, last_seq)),
                   closing = max(closing, excluded.closing), stored = stored + excluded.stored,
                   duplicates = duplicates + excluded.duplicates,
                   id_conflicts = id_conflicts + excluded.id_conflicts, rejected = rejected + excluded.rejected",
            )?,
            met: connection.prepare(&format!("SELECT min(first), max(next) {MET}"))?,
            forget: connection.prepare(&format!("DELETE {MET}"))?,
            insert: connection.prepare("INSERT INTO spans VALUES (?1, ?2, ?3, ?4)")?,
            // A batch that comes again says the same once.
            lose: connection.prepare("INSERT OR IGNORE INTO losses VALUES (?1, ?2, ?3, ?4, ?5)")?,
        })
    }

    /// Takes note of a batch whose rows have their verdicts.
    pub(super) fn take(
        &mut self,
        sender: &Sender,
        batch: &Batch,
        verdicts: &[Verdict],
    ) -> rusqlite::Result<()> {
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let count = |verdict| whole(verdicts.iter().filter(|v| **v == verdict).count());
        let conflicts = count(Verdict::Conflict);
        let span = sender.seq.and_then(|first| Some((first, first.checked_add(whole(sender.entries))?)));
        self.upsert.execute(params![
            DEFAULT_PROJECT,
            sender.boot_id,
            batch.received_at,
            span.map(|(_, next)| next),
            sender.source,
            sender.ledger,
            sender.closing,
            count(Verdict::Stored),
            count(Verdict::Duplicate) + conflicts,
            conflicts,
            whole(sender.rejected),
        ])?;
        if let Some((first, next)) = span.filter(|(first, next)| first < next) {
            self.cover(&sender.boot_id, first, next)?;
        }
        if let Some(losses) = &sender.losses {
            let Sender { boot_id, batch_id, .. } = sender;
            self.lose.execute(params![DEFAULT_PROJECT, boot_id, batch_id, batch.received_at, losses])?;
        }
        Ok(())
    }

    /// Adds a span, made one with those that it meets.
    fn cover(&mut self, boot_id: &str, first: i64, next: i64) -> rusqlite::Result<()> {
        let place = params![DEFAULT_PROJECT, boot_id, first, next];
        let met = self.met.query_row(place, |row| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get(1)?)))?;
        let (mut from, mut to) = (first, next);
        if let Some((first, next)) = met {
            self.forget.execute(place)?;
            (from, to) = (from.min(first), to.max(next));
        }
        self.insert.execute(params![DEFAULT_PROJECT, boot_id, from, to]).map(drop)
    }
}

/// Senders of one answer; the latest, if there are more.
const MOST_SENDERS: usize = 1_000;
/// Spans of one sender on one day that are looked at.
const MOST_SPANS: i64 = 10_000;
/// Batches with losses of one sender on one day that are looked at, the latest ones.
const MOST_LOSSES: i64 = 100;

/// What is known of the senders that were heard of in a period.
pub(super) fn accounts(files: &Files, question: &Question) -> Result<Accounts, StoreError> {
    let (mut boots, mut truncated) = (BTreeSet::new(), false);
    let oldest_day = files.by_day.keys().next().copied();
    let days = Day::of(question.from)..=Day::of(question.to);
    // The latest first: of too many, the oldest are left out.
    for (&day, connection) in files.by_day.range(days).rev() {
        for boot in heard(connection, question).map_err(files.explain(day))? {
            if boots.len() < MOST_SENDERS {
                boots.insert(boot);
            } else {
                truncated |= !boots.contains(&boot);
            }
        }
    }
    let mut senders = BTreeMap::<String, SenderAccount>::new();
    for (&day, connection) in &files.by_day {
        let mut read = || -> rusqlite::Result<()> {
            let mut ask = Accountant::new(connection)?;
            for boot in &boots {
                let Some(today) = ask.account(boot, question)? else { continue };
                senders.entry(boot.clone()).or_default().add(today);
            }
            Ok(())
        };
        read().map_err(files.explain(day))?;
    }
    Ok(Accounts { senders, truncated, oldest_day })
}

/// The senders of one file that were heard of in the period, the latest first.
fn heard(connection: &Connection, question: &Question) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(
        "SELECT boot_id FROM senders WHERE project = ?1 AND boot_id <> '' AND last_at >= ?2 AND first_at < ?3
           AND (?4 IS NULL OR source ->> '$.service' = ?4) ORDER BY last_at DESC LIMIT ?5",
    )?;
    let most = i64::try_from(MOST_SENDERS).unwrap_or(i64::MAX).saturating_add(1);
    let place = params![DEFAULT_PROJECT, question.from, question.to, question.service, most];
    statement.query_map(place, |row| row.get(0))?.collect()
}

/// The statements that read what one file says of senders.
struct Accountant<'c> {
    sender: Statement<'c>,
    spans: Statement<'c>,
    losses: Statement<'c>,
}

impl<'c> Accountant<'c> {
    fn new(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            sender: connection.prepare(
                "SELECT first_at, last_at, batches, last_seq, source, ledger, closing, stored, duplicates, id_conflicts,
                   rejected FROM senders WHERE project = ?1 AND boot_id = ?2",
            )?,
            spans: connection
                .prepare("SELECT first, next FROM spans WHERE project = ?1 AND boot_id = ?2 LIMIT ?3")?,
            losses: connection.prepare(
                "SELECT batch_id, received_at, losses FROM losses WHERE project = ?1 AND boot_id = ?2
                 ORDER BY received_at DESC LIMIT ?3",
            )?,
        })
    }

    fn account(&mut self, boot_id: &str, question: &Question) -> rusqlite::Result<Option<SenderAccount>> {
        let found = self.sender.query_row(params![DEFAULT_PROJECT, boot_id], |row| {
            Ok(SenderAccount {
                first_at: row.get(0)?,
                last_at: row.get(1)?,
                batches: number(row.get(2)?),
                sealed: row.get(3)?,
                source: row.get(4)?,
                ledger: row.get(5)?,
                closed: row.get(6)?,
                stored: number(row.get(7)?),
                duplicates: number(row.get(8)?),
                id_conflicts: number(row.get(9)?),
                rejected: number(row.get(10)?),
                ..SenderAccount::default()
            })
        });
        let Some(mut account) = found.optional()? else { return Ok(None) };
        let spans = self.spans.query_map(params![DEFAULT_PROJECT, boot_id, MOST_SPANS], |row| {
            Ok(Span { first: row.get(0)?, next: row.get(1)? })
        })?;
        account.spans = spans.collect::<Result<_, _>>()?;
        let losses = self.losses.query_map(params![DEFAULT_PROJECT, boot_id, MOST_LOSSES], |row| {
            let at = sealed_at(&row.get::<_, String>(0)?, row.get(1)?);
            Ok(Loss { at, by_reason: row.get(2)? })
        })?;
        for loss in losses {
            account.losses.extend(Some(loss?).filter(|loss| (question.from..question.to).contains(&loss.at)));
        }
        Ok(Some(account))
    }
}

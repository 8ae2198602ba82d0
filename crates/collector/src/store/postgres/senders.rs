//! What is known of senders, as it was noted with their batches.

use super::wire::{Date, Time};
use crate::store::completeness::{Accounts, Loss, Question, SenderAccount, Span, sealed_at};
use crate::store::figures::number;
use std::collections::BTreeMap;
use tokio_postgres::{Client, Error};

/// Senders of one answer; the latest, if there are more.
const MOST_SENDERS: i64 = 1_000;
/// Spans of one sender that are looked at.
const MOST_SPANS: i64 = 10_000;
/// Batches with losses of one sender that are looked at, the latest ones.
const MOST_LOSSES: i64 = 100;

/// What is known of the senders that were heard of in a period.
pub(super) async fn accounts(
    client: &mut Client,
    project: i64,
    question: &Question,
) -> Result<Accounts, Error> {
    let oldest = client
        .query_one(
            "SELECT least((SELECT min(id_day) FROM log_tally WHERE project_id = $1),
                          (SELECT min(day) FROM log_senders WHERE project_id = $1))",
            &[&project],
        )
        .await?;
    let (from, to, more) = (Time(question.from), Time(question.to), MOST_SENDERS + 1);
    let heard = client
        .query(
            "SELECT boot_id FROM log_senders WHERE project_id = $1 AND boot_id <> '' AND last_at >= $2 AND first_at < $3
               AND ($4::text IS NULL OR service = $4) GROUP BY boot_id
             ORDER BY max(last_at) DESC, boot_id LIMIT $5",
            &[&project, &from, &to, &question.service, &more],
        )
        .await?;
    let mut boots: Vec<String> = heard.iter().map(|row| row.get(0)).collect();
    let most = usize::try_from(MOST_SENDERS).unwrap_or(usize::MAX);
    let truncated = boots.len() > most;
    boots.truncate(most);
    let mut senders = BTreeMap::<String, SenderAccount>::new();
    let said = client
        .query(
            "SELECT boot_id, first_at, last_at, batches, last_seq, source, ledger, closing, stored, duplicates,
               id_conflicts, rejected FROM log_senders WHERE project_id = $1 AND boot_id = ANY($2) ORDER BY day",
            &[&project, &boots],
        )
        .await?;
    for row in &said {
        let (Time(first_at), Time(last_at)) = (row.get(1), row.get(2));
        senders.entry(row.get(0)).or_default().add(SenderAccount {
            first_at,
            last_at,
            batches: number(row.get(3)),
            sealed: row.get(4),
            source: row.get(5),
            ledger: row.get(6),
            closed: row.get(7),
            stored: number(row.get(8)),
            duplicates: number(row.get(9)),
            id_conflicts: number(row.get(10)),
            rejected: number(row.get(11)),
            ..SenderAccount::default()
        });
    }
    let spans = client
        .query(
            "SELECT b.boot_id, s.first, s.next FROM unnest($2::text[]) AS b (boot_id) CROSS JOIN LATERAL (
               SELECT first, next FROM log_spans WHERE project_id = $1 AND boot_id = b.boot_id LIMIT $3) AS s",
            &[&project, &boots, &MOST_SPANS],
        )
        .await?;
    for row in &spans {
        let span = Span { first: row.get(1), next: row.get(2) };
        senders.entry(row.get(0)).or_default().spans.push(span);
    }
    let losses = client
        .query(
            "SELECT b.boot_id, l.batch_id, l.received_at, l.losses FROM unnest($2::text[]) AS b (boot_id)
               CROSS JOIN LATERAL (SELECT batch_id, received_at, losses FROM log_losses
                 WHERE project_id = $1 AND boot_id = b.boot_id ORDER BY received_at DESC LIMIT $3) AS l",
            &[&project, &boots, &MOST_LOSSES],
        )
        .await?;
    for row in &losses {
        let Time(received_at) = row.get(2);
        let loss = Loss { at: sealed_at(row.get(1), received_at), by_reason: row.get(3) };
        if (question.from..question.to).contains(&loss.at) {
            senders.entry(row.get(0)).or_default().losses.push(loss);
        }
    }
    Ok(Accounts { senders, truncated, oldest_day: oldest.get::<_, Option<Date>>(0).map(|date| date.0) })
}

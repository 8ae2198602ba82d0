//! What senders say of themselves, and which of their entries came: written with the entries.

use super::transact::{Session, Work};
use super::trouble::Trouble;
use super::wire::{Date, Time};
use crate::store::batch::{Sender, Verdict};
use crate::store::completeness::service_of;

/// What it says last counts, whichever batch comes last.
const HEARD: &str = "INSERT INTO log_senders AS s (project_id, day, boot_id, first_at, last_at, batches, last_seq, source,
       ledger, closing, stored, duplicates, id_conflicts, rejected, service)
     VALUES ($1, $2, $3, $4, $4, 1, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     ON CONFLICT (project_id, day, boot_id) DO UPDATE SET last_at = greatest(s.last_at, excluded.last_at),
       batches = s.batches + 1, source = coalesce(excluded.source, s.source), service = coalesce(excluded.service, s.service),
       ledger = CASE WHEN coalesce(excluded.last_seq, 0) >= coalesce(s.last_seq, 0)
                     THEN coalesce(excluded.ledger, s.ledger) ELSE coalesce(s.ledger, excluded.ledger) END,
       last_seq = greatest(s.last_seq, excluded.last_seq), closing = s.closing OR excluded.closing,
       stored = s.stored + excluded.stored, duplicates = s.duplicates + excluded.duplicates,
       id_conflicts = s.id_conflicts + excluded.id_conflicts, rejected = s.rejected + excluded.rejected";

/// A span is made one with those that it overlaps or touches.
const COVER: &str = "WITH met AS (DELETE FROM log_spans WHERE project_id = $1 AND day = $2 AND boot_id = $3
       AND first <= $5 AND next >= $4 RETURNING first, next)
     INSERT INTO log_spans SELECT $1, $2, $3, least($4, min(first)), greatest($5, max(next)) FROM met";

/// A batch that comes again says the same once.
const LOSE: &str = "INSERT INTO log_losses VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";

/// Takes note of batches whose rows have their verdicts.
pub(super) async fn take(session: &mut Session, project: i64, works: &[Work]) -> Result<(), Trouble> {
    let heard = works.iter().filter_map(|work| Some((work, work.batch.sender.as_ref()?)));
    if heard.clone().next().is_none() {
        return Ok(());
    }
    for (work, sender) in heard {
        let Sender { boot_id, batch_id, seq, entries, rejected, source, ledger, losses, closing } = sender;
        let day = Date(work.arrived());
        let at = Time(work.batch.received_at);
        let whole = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let count = |verdict| whole(work.verdicts.iter().filter(|v| **v == verdict).count());
        let (stored, conflicts) = (count(Verdict::Stored), count(Verdict::Conflict));
        let duplicates = count(Verdict::Duplicate) + conflicts;
        let span = seq.and_then(|first| Some((first, first.checked_add(whole(*entries))?)));
        let next = span.map(|(_, next)| next);
        let rejected = whole(*rejected);
        let service = source.as_deref().and_then(service_of);
        session
            .execute(
                HEARD,
                &[
                    &project,
                    &day,
                    boot_id,
                    &at,
                    &next,
                    source,
                    ledger,
                    closing,
                    &stored,
                    &duplicates,
                    &conflicts,
                    &rejected,
                    &service,
                ],
            )
            .await?;
        if let Some((first, next)) = span.filter(|(first, next)| first < next) {
            session.execute(COVER, &[&project, &day, boot_id, &first, &next]).await?;
        }
        if let Some(losses) = losses {
            session.execute(LOSE, &[&project, &day, boot_id, batch_id, &at, losses]).await?;
        }
    }
    Ok(())
}

//! Entries whose ids name a day that is yet to come. They lie in the day they came, and their ids lead a copy there.

use super::transact::{Session, Work};
use super::trouble::Trouble;
use super::wire::{Date, Uuid};
use crate::store::batch::{Home, Row};
use crate::time::Day;

/// Remembers ids that name a later day than the one they lie in: when that day is there, they would lead a copy past
/// the first one.
pub(super) async fn note(session: &mut Session, project: i64, works: &[Work]) -> Result<(), Trouble> {
    let ahead =
        |row: &&Row| row.home == Home::Arrival && Day::named_by(row.id).is_some_and(|named| named > row.day);
    let rows: Vec<&Row> = works.iter().flat_map(|work| work.stored().filter(ahead)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = rows.iter().map(|row| Uuid(*row.id.as_bytes())).collect();
    let hashes: Vec<i32> = rows.iter().map(|row| row.hash).collect();
    let days: Vec<Date> = rows.iter().map(|row| Date(row.day)).collect();
    session
        .execute(
            "INSERT INTO log_ids (project_id, id, hash, id_day)
             SELECT $1, * FROM unnest($2::uuid[], $3::integer[], $4::date[]) ON CONFLICT DO NOTHING",
            &[&project, &ids, &hashes, &days],
        )
        .await?;
    session
        .execute("UPDATE log_projects SET kept = true WHERE project_id = $1 AND NOT kept", &[&project])
        .await
        .map(drop)
}

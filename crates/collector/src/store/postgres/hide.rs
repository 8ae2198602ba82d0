//! Entries that came marked as deleted. They are stored as all others, and marked then as anybody may by SQL: the trigger of
//! the table takes them out of the counts.

use super::transact::{Session, Work};
use super::trouble::Trouble;
use super::wire::{Date, Uuid};

pub(super) async fn hide(session: &mut Session, project: i64, works: &[Work]) -> Result<(), Trouble> {
    let marked = works.iter().flat_map(Work::stored).filter(|row| row.deleted);
    let (mut days, ids): (Vec<Date>, Vec<Uuid>) =
        marked.map(|row| (Date(row.day), Uuid(*row.id.as_bytes()))).unzip();
    if ids.is_empty() {
        return Ok(());
    }
    days.sort_unstable();
    days.dedup();
    let sql = "UPDATE logs SET deleted = true WHERE project_id = $1 AND id_day = ANY($2) AND id = ANY($3)";
    session.execute(sql, &[&project, &days, &ids]).await.map(drop)
}

//! The partitions: made before they are needed, by whichever collector comes first.

use super::schema::{self, Indexes};
use super::trouble::Trouble;
use crate::time::Day;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use tokio_postgres::Client;

/// The days that are known to have a partition.
#[derive(Debug, Default)]
pub(super) struct Days(Mutex<BTreeSet<Day>>);

impl Days {
    /// Makes what is missing of these.
    pub(super) async fn ensure(
        &self,
        client: &Client,
        wanted: &BTreeSet<Day>,
        indexes: Indexes,
    ) -> Result<(), Trouble> {
        let missing: Vec<Day> = wanted.difference(&self.known()).copied().collect();
        for day in missing {
            make(client, day, indexes).await?;
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(day);
        }
        Ok(())
    }

    /// Asks the database again, from now on.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn known(&self) -> BTreeSet<Day> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn make(client: &Client, day: Day, indexes: Indexes) -> Result<(), Trouble> {
    let name = schema::partition(day);
    let there = |client| async move { exists(client, &schema::partition(day)).await };
    if there(client).await? {
        return Ok(());
    }
    // A lock of the transaction: gone with it, whatever becomes of this process.
    client.batch_execute(&format!("BEGIN; SELECT pg_advisory_xact_lock({})", schema::LOCK)).await?;
    let made = match exists(client, &name).await {
        Ok(true) => Ok(()),
        Ok(false) => client.batch_execute(&schema::create_day(day, indexes)).await.map_err(Trouble::from),
        Err(trouble) => Err(trouble),
    };
    match made {
        Ok(()) => client.batch_execute("COMMIT").await.map_err(Trouble::from),
        Err(trouble) => {
            // Where the connection is gone, so is the transaction.
            let _ = client.batch_execute("ROLLBACK").await;
            Err(trouble)
        }
    }
}

async fn exists(client: &Client, name: &str) -> Result<bool, Trouble> {
    let row = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&name]).await?;
    Ok(row.get(0))
}

/// The days that have a partition, oldest first, with their bytes.
pub(super) async fn sizes(client: &Client) -> Result<Vec<(Day, u64)>, Trouble> {
    let rows = client
        .query(
            "SELECT c.relname::text, pg_total_relation_size(c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = 'logs'::regclass",
            &[],
        )
        .await?;
    let mut days: Vec<(Day, u64)> = rows
        .iter()
        .filter_map(|row| {
            let digits = row.get::<_, String>(0);
            let digits = digits.strip_prefix("logs_")?.as_bytes();
            let part = |range: std::ops::Range<usize>| std::str::from_utf8(digits.get(range)?).ok();
            let day = Day::parse(&format!("{}-{}-{}", part(0..4)?, part(4..6)?, part(6..8)?))?;
            Some((day, u64::try_from(row.get::<_, i64>(1)).unwrap_or_default()))
        })
        .collect();
    days.sort_unstable();
    Ok(days)
}

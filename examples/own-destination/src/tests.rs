use super::*;
use rusqlite::Connection;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn entries_are_rows_and_those_below_the_level_are_none() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("entries.db");
    let client = client(&path).unwrap();
    client.debug("not that").send();
    client.warn("low on tea").field("cups", 1).send();
    client.flush_blocking(LONG).unwrap();
    let row = Connection::open(&path)
        .unwrap()
        .query_row("SELECT level, message, entry FROM entries", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
        })
        .unwrap();
    assert_eq!((row.0.as_str(), row.1.as_str()), ("WARN", "low on tea"));
    assert!(row.2.starts_with("{\"id\":") && row.2.contains("\"cups\":1"), "{}", row.2);
    let stats = client.stats();
    assert_eq!((stats.destinations[0].delivered, stats.destinations[0].filtered), (1, 1));
}

#[test]
fn a_batch_that_the_database_cannot_take_now_is_kept_until_it_can() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("entries.db");
    let client = client(&path).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("ALTER TABLE entries RENAME TO away").unwrap();
    client.info("kept").send();
    let report = client.flush_blocking(Duration::from_millis(200)).unwrap();
    assert_eq!((report.delivered, report.left), (0, 1));
    other.execute_batch("ALTER TABLE away RENAME TO entries").unwrap();
    assert_eq!(client.flush_blocking(LONG).unwrap().left, 0);
    let rows: u32 = other.query_row("SELECT count(*) FROM entries", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 1);
    assert!(client.stats().destinations[0].retries > 0);
}

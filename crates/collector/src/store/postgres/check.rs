//! Whether a database is whole: looked at beside collectors that may be running, in one view of it, and nothing changed.

use super::address::Address;
use super::connect::Connector;
use super::days;
use super::schema::{VERSION, partition};
use super::sweep::AHEAD;
use super::trouble::{chain, explain};
use crate::error::StartError;
use crate::time::Day;
use tokio_postgres::{Client, Error};

/// A part of the database, and what is wrong with it.
type Part = (String, Vec<String>);

const SETUP: &str =
    "SET default_transaction_read_only = on; SET lock_timeout = '5s'; SET TimeZone = 'UTC'; SET jit = off";

/// The server, the layout, the days to come and the keys; of the `whole` also each day's partition, oldest first.
pub(crate) async fn check(url: &str, today: Day, whole: bool) -> Result<Vec<Part>, StartError> {
    let failed = |error: Error| StartError::new(explain(&error).to_string());
    let client = Connector::new(Address::parse(url)?)?.connect(SETUP).await.map_err(failed)?;
    let mut parts = vec![("server".to_owned(), server(&client).await.map_err(failed)?)];
    let layout = layout(&client).await.map_err(failed)?;
    let is_ours = layout.is_empty();
    parts.push(("layout".to_owned(), layout));
    if !is_ours {
        return Ok(parts);
    }
    let there =
        days::sizes(&client).await.map_err(|trouble| StartError::new(trouble.into_error().to_string()))?;
    let there: Vec<Day> = there.into_iter().map(|(day, _)| day).collect();
    parts.push(("days".to_owned(), days_ahead(&client, &there, today).await.map_err(failed)?));
    parts.push(("keys".to_owned(), keys(&client).await.map_err(failed)?));
    for day in there.into_iter().filter(|_| whole) {
        let looked = look(&client, day).await;
        // What cannot be read is what a check is for.
        let complaints =
            looked.unwrap_or_else(|error| vec![format!("it cannot be read ({}): restore it", chain(&error))]);
        let _ = client.batch_execute("ROLLBACK").await;
        parts.push((partition(day), complaints));
    }
    Ok(parts)
}

async fn server(client: &Client) -> Result<Vec<String>, Error> {
    let row = client
        .query_one(
            "SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
               current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on', pg_is_in_recovery(),
               coalesce((SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()), 0)",
            &[],
        )
        .await?;
    let (version, encoding, checksums): (i32, String, i64) = (row.get(0), row.get(1), row.get(4));
    let mut said = Vec::new();
    if version < 140_000 {
        said.push(format!("PostgreSQL {} is older than 14: upgrade it", version / 10_000));
    }
    if encoding != "UTF8" {
        said.push(format!("the database is encoded in {encoding}: move it to one with ENCODING 'UTF8'"));
    }
    if !row.get::<_, bool>(2) {
        said.push("fsync or full_page_writes is off: what was acknowledged does not outlast a power cut; switch both on".to_owned());
    }
    if row.get(3) {
        said.push("it is a standby, which takes no entries: name the primary in --store".to_owned());
    }
    if checksums > 0 {
        said.push(format!("{checksums} pages had a wrong checksum: look at the disk, and restore a backup"));
    }
    Ok(said)
}

async fn layout(client: &Client) -> Result<Vec<String>, Error> {
    let there = client.query_one("SELECT to_regclass('log_layouts') IS NOT NULL", &[]).await?;
    if !there.get::<_, bool>(0) {
        return Ok(vec![
            "hoplog has no tables here: name the right database, or start a collector on it".to_owned(),
        ]);
    }
    let found = client.query_one("SELECT coalesce(max(version), 0) FROM log_layouts", &[]).await?;
    Ok(match found.get::<_, i32>(0) {
        VERSION => Vec::new(),
        newer if newer > VERSION => {
            vec![format!("it is {newer}, this hoplog knows {VERSION}: run the newer one")]
        }
        older => vec![format!("it is {older}: the next start of a collector brings it to {VERSION}")],
    })
}

/// Entries come for today and, where clocks differ, for tomorrow.
async fn days_ahead(client: &Client, there: &[Day], today: Day) -> Result<Vec<String>, Error> {
    let wanted = (0..=AHEAD).map(|days| Day(today.0.saturating_add(days)));
    let missing = wanted.filter(|day| !there.contains(day));
    let mut said: Vec<String> = missing
        .map(|day| format!("{day} has no partition yet: a collector that runs makes it within the hour"))
        .collect();
    let counted = "SELECT id_day::text, sum(entries)::bigint FROM log_tally WHERE entries > 0 AND to_regclass('logs_' ||
                     to_char(id_day, 'YYYYMMDD')) IS NULL GROUP BY id_day ORDER BY id_day";
    for row in client.query(counted, &[]).await? {
        let (day, entries): (&str, i64) = (row.get(0), row.get(1));
        said.push(format!("log_tally counts {entries} entries of {day}, which has no partition: restore it, or delete these rows"));
    }
    Ok(said)
}

async fn keys(client: &Client) -> Result<Vec<String>, Error> {
    let row = client
        .query_one(
            "SELECT (SELECT count(*) FROM log_key_book), count(*) FILTER (WHERE octet_length(hash) <> 32),
               count(*) > 0 AND (SELECT pepper FROM log_key_book) IS NULL FROM log_keys",
            &[],
        )
        .await?;
    let (books, wrong): (i64, i64) = (row.get(0), row.get(1));
    let mut said = Vec::new();
    if books != 1 {
        said.push(format!("log_key_book has {books} rows in place of one: no key can be made or looked at"));
    }
    if wrong > 0 {
        said.push(format!("{wrong} keys have a hash that is no SHA-256: revoke them and make new ones"));
    }
    if row.get(2) {
        said.push(
            "there are keys, but no print of their pepper: another pepper would not be noticed".to_owned(),
        );
    }
    Ok(said)
}

/// A day's partition, as of one moment.
async fn look(client: &Client, day: Day) -> Result<Vec<String>, Error> {
    let name = partition(day);
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut said = Vec::new();
    let indexes = "SELECT c.relname::text, i.indisvalid AND i.indisready AND i.indislive, CASE WHEN i.indisprimary THEN
                     (SELECT string_agg(a.attname, ', ' ORDER BY k.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, n)
                      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum) END
                   FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass($1)";
    let indexes = client.query(indexes, &[&name]).await?;
    let key = indexes.iter().find_map(|row| row.get::<_, Option<&str>>(2));
    if key.is_none() {
        said.push("its primary key is gone: entries that come twice would be stored twice".to_owned());
    }
    for row in indexes.iter().filter(|row| !row.get::<_, bool>(1)) {
        said.push(format!("the index {0} is not valid: REINDEX INDEX {0}", row.get::<_, &str>(0)));
    }
    // All of it is read, what lies apart too.
    client.batch_execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off").await?;
    let rows = format!(
        "SELECT count(*), count(*) FILTER (WHERE NOT level = ANY ('{{TRACE,DEBUG,INFO,WARN,ERROR,FATAL}}')),
           count(*) FILTER (WHERE l.seq >> 20 > g.last_value), count(*) FILTER (WHERE ended AND kind IS DISTINCT FROM 'running'),
           coalesce(sum(length(metadata::text)), 0) + coalesce(sum(length(detail::text)), 0)
         FROM {name} l CROSS JOIN log_groups g"
    );
    let row = client.query_one(&rows, &[]).await?;
    let (count, levels, late, ended): (i64, i64, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
    for (n, what) in [
        (levels, "have a level that is none: correct them by SQL"),
        (late, "have a number that log_groups has not given yet: setval it to the largest seq >> 20"),
        (ended, "are marked as ended and were never open: nobody sees them; clear `ended`"),
    ] {
        if n > 0 {
            said.push(format!("{n} of its {count} entries {what}"));
        }
    }
    client
        .batch_execute("SET LOCAL enable_indexscan = on; SET LOCAL enable_indexonlyscan = on; SET LOCAL enable_bitmapscan = on; SET LOCAL enable_seqscan = off")
        .await?;
    let by_key = format!(
        "SELECT count(*) FROM (SELECT {key} FROM {name} ORDER BY {key} OFFSET 0) k",
        key = key.unwrap_or("id")
    );
    let by_key: i64 = client.query_one(&by_key, &[]).await?.get(0);
    if by_key != count {
        said.push(format!("{count} entries are there and {by_key} in the key: REINDEX TABLE {name}"));
    }
    client.batch_execute("SET LOCAL enable_seqscan = on").await?;
    let differ = format!(
        "SELECT project_id, coalesce(t.n, 0), coalesce(r.n, 0) FROM
           (SELECT project_id, sum(entries)::bigint AS n FROM log_tally WHERE id_day = '{day}' GROUP BY 1) t
           FULL JOIN (SELECT project_id, count(*) AS n FROM {name} WHERE kind IS DISTINCT FROM 'running' AND NOT deleted
                      GROUP BY 1) r USING (project_id)
         WHERE coalesce(t.n, 0) <> coalesce(r.n, 0) ORDER BY 1 LIMIT 10"
    );
    for row in client.query(&differ, &[]).await? {
        let (project, counted, there): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
        said.push(format!(
            "log_tally counts {counted} entries of project {project}, there are {there}: rows were changed by other means than \
             hoplog's"
        ));
    }
    Ok(said)
}

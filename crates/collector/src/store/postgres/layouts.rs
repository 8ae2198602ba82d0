//! Brings a database to the layout that is written: step by step, each whole or not at all, by one collector while
//! the others wait. Killed at any moment, the next start goes on where this one was.

use super::schema::{self, VERSION};
use super::trouble::{chain, explain};
use crate::error::StartError;
use tokio_postgres::Client;

pub(super) async fn bring_up_to_date(client: &Client) -> Result<(), StartError> {
    let failed = |error: tokio_postgres::Error| StartError::new(explain(&error).to_string());
    let encoding: String = client.query_one("SHOW server_encoding", &[]).await.map_err(failed)?.get(0);
    if encoding != "UTF8" {
        return Err(StartError::new(format!(
            "the database is encoded in {encoding}, which does not hold every text: make one with ENCODING 'UTF8'"
        )));
    }
    for version in before(client).await?.saturating_add(1)..=VERSION {
        let step = format!(
            "BEGIN;
             SELECT pg_advisory_xact_lock({lock});
             CREATE TABLE IF NOT EXISTS log_layouts (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())",
            lock = schema::LOCK
        );
        client.batch_execute(&step).await.map_err(failed)?;
        // Another collector may have taken it meanwhile.
        let taken =
            client.query_one("SELECT EXISTS (SELECT FROM log_layouts WHERE version = $1)", &[&version]).await;
        if !taken.map_err(failed)?.get::<_, bool>(0) {
            let step =
                format!("{}; INSERT INTO log_layouts (version) VALUES ({version})", schema::step(version));
            client.batch_execute(&step).await.map_err(|error| {
                StartError::new(format!(
                    "the tables cannot be brought to layout {version}: {}",
                    chain(&error)
                ))
            })?;
        }
        client.batch_execute("COMMIT").await.map_err(failed)?;
    }
    Ok(())
}

/// The layout that is there; 0 where nothing is.
async fn before(client: &Client) -> Result<i32, StartError> {
    let failed = |error: tokio_postgres::Error| StartError::new(explain(&error).to_string());
    let there = client
        .query_one("SELECT to_regclass('log_layouts') IS NOT NULL, to_regclass('logs') IS NOT NULL", &[])
        .await
        .map_err(failed)?;
    match (there.get::<_, bool>(0), there.get::<_, bool>(1)) {
        (false, false) => Ok(0),
        (false, true) => Err(StartError::new(
            "the database has a table `logs` that hoplog did not make: pass --store with another database, or with \
             ?options=-csearch_path%3D and a schema of its own",
        )),
        (true, _) => {
            let found = client.query_one("SELECT coalesce(max(version), 0) FROM log_layouts", &[]).await;
            match found.map_err(failed)?.get::<_, i32>(0) {
                newer if newer > VERSION => Err(StartError::new(format!(
                    "the database has layout {newer}, this hoplog knows {VERSION}: run the newer hoplog that wrote it"
                ))),
                version => Ok(version),
            }
        }
    }
}

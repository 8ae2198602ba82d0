//! A destination of one's own: entries go into a table of a SQLite database.
//!
//! ```console
//! $ cargo run -p own-destination
//! ```

mod sqlite;

use std::path::Path;
use std::time::Duration;

use hoplog::{Client, Level, Output};
use sqlite::Sqlite;

#[expect(clippy::print_stdout, reason = "a program that shows something")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "own-destination.db".into());
    let client = client(Path::new(&path))?;
    for number in 1..=3 {
        client.info("order placed").field("order", number).send();
    }
    client.warn("low on tea").send();
    client.flush_blocking(Duration::from_secs(2))?;
    for destination in client.stats().destinations {
        println!("{}: {} entries in {path}", destination.name, destination.delivered);
    }
    Ok(())
}

/// A client whose entries go into this database, from INFO on.
fn client(path: &Path) -> Result<Client, Box<dyn std::error::Error>> {
    let database = Output::own(Sqlite::open(path)?).name("database").min_level(Level::Info);
    Ok(Client::builder().service("shop").without_collector().destination(database).build()?)
}

#[cfg(test)]
mod tests;

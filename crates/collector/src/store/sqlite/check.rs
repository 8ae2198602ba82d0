//! Whether files are whole: looked at beside a collector that may be running, and nothing changed.

use super::{connection, schema};
use crate::time::Day;
use rusqlite::Connection;
use std::fs;
use std::io;
use std::path::Path;

/// Complaints about one file that are told.
const MOST: u32 = 10;

/// The days' files of a directory, oldest first, each with what is wrong with it.
pub(crate) fn check(directory: &Path) -> io::Result<Vec<(String, Vec<String>)>> {
    let mut names: Vec<String> = fs::read_dir(directory)?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            let day = name.strip_prefix("logs-").and_then(|rest| rest.strip_suffix(".db"));
            day.and_then(Day::parse).is_some()
        })
        .collect();
    names.sort();
    Ok(names
        .into_iter()
        .map(|name| {
            let path = directory.join(&name);
            let found = connection::for_reading(&path).and_then(|file| complaints(&file));
            let complaints = found.unwrap_or_else(|error| vec![error.to_string()]);
            (name, complaints)
        })
        .collect())
}

fn complaints(file: &Connection) -> rusqlite::Result<Vec<String>> {
    let application: i64 = file.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    if application != schema::APPLICATION {
        return Ok(vec!["it is no file of hoplog's".to_owned()]);
    }
    let mut statement = file.prepare(&format!("PRAGMA integrity_check({MOST})"))?;
    let said = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    let mut complaints: Vec<String> = said.into_iter().filter(|line| line != "ok").collect();
    // Both in one statement, so that they are of one moment.
    let (counted, there): (i64, i64) = file.query_row(
        &format!(
            "SELECT coalesce((SELECT sum(entries) FROM tally), 0), (SELECT count(*) FROM entries WHERE kind IS NOT {})",
            super::running::KIND
        ),
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if counted != there {
        complaints.push(format!("the tally counts {counted} entries, there are {there}"));
    }
    Ok(complaints)
}

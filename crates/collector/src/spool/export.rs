//! `export`: every entry that can be read, as a line of JSON.

use super::json::line;
use super::reading::read;
use super::survey::{SegmentFile, survey};
use hoplog_entry::spool::{Frame, SegmentReader, Source};
use std::io::{self, Write};
use std::path::Path;

/// Prints them; true unless something could not be read.
pub(super) fn run(dir: &Path, all: bool, out: &mut impl Write) -> io::Result<bool> {
    let found = survey(dir)?;
    let mut sound = true;
    for writer in &found.writers {
        for segment in &writer.segments {
            let mut whole = true;
            let read = read(segment, writer.id, |frame, source, delivered| {
                if all || !delivered { print(frame, source, &mut whole, out) } else { Ok(()) }
            });
            sound &= whole;
            match read {
                Ok(reading) => sound &= !reading.is_damaged(),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    if all {
        for (path, len) in found.quarantine {
            let hint = path.with_extension("hint");
            let file = super::survey::open(&path)?;
            let Ok(header) = SegmentReader::new(file)?.header() else { continue };
            let segment = SegmentFile { number: header.segment, path, hint, len, modified: None };
            let mut whole = true;
            read(&segment, header.writer, |frame, source, _| print(frame, source, &mut whole, out))?;
            sound &= whole;
        }
    }
    Ok(sound)
}

fn print(
    frame: &Frame<'_>,
    source: Option<&Source>,
    whole: &mut bool,
    out: &mut impl Write,
) -> io::Result<()> {
    for record in frame.records() {
        match record.and_then(|record| line(&record, source)) {
            Ok(line) => writeln!(out, "{line}")?,
            Err(_) => *whole = false,
        }
    }
    Ok(())
}

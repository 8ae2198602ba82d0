//! `status` and `check`: what is there, in words and in JSON.

use super::reading::{Reading, read};
use super::survey::{Survey, Writer, survey};
use hoplog_entry::spool::BadHeader;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;
use std::time::SystemTime;

/// Who writes, and how much is there.
pub(super) fn status(dir: &Path, as_json: bool, out: &mut impl Write) -> io::Result<bool> {
    let found = survey(dir)?;
    let bytes = |writer: &Writer| writer.segments.iter().map(|segment| segment.len).sum::<u64>();
    let oldest = |writer: &Writer| {
        let modified = writer.segments.iter().filter_map(|segment| segment.modified).min()?;
        SystemTime::now().duration_since(modified).ok().map(|age| age.as_secs())
    };
    if as_json {
        let writers: Vec<Value> = found
            .writers
            .iter()
            .map(|writer| {
                json!({
                    "writer": writer.id.to_string(),
                    "live": writer.live,
                    "segments": writer.segments.len(),
                    "bytes": bytes(writer),
                    "oldest_seconds": oldest(writer),
                })
            })
            .collect();
        writeln!(
            out,
            "{}",
            json!({ "writers": writers, "quarantine": quarantine(&found), "foreign": found.foreign })
        )?;
        return Ok(true);
    }
    for writer in &found.writers {
        let life = if writer.live { "live" } else { "orphan" };
        let age =
            oldest(writer).map_or(String::new(), |seconds| format!(", the oldest written {seconds} s ago"));
        let (segments, bytes) = (writer.segments.len(), bytes(writer));
        writeln!(out, "{} {life}: {segments} segments, {bytes} bytes{age}", writer.id)?;
    }
    if found.writers.is_empty() {
        writeln!(out, "nothing is waiting")?;
    }
    beside(&found, out)?;
    Ok(true)
}

/// Reads every byte.
pub(super) fn check(dir: &Path, as_json: bool, out: &mut impl Write) -> io::Result<bool> {
    let found = survey(dir)?;
    let (mut sound, mut rows) = (true, Vec::new());
    for writer in &found.writers {
        for segment in &writer.segments {
            let reading = match read(segment, writer.id, |_, _, _| Ok(())) {
                Ok(reading) => reading,
                // Delivered and removed while we looked.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            sound &= !reading.is_damaged();
            if as_json {
                rows.push(row(&segment.path, &reading));
            } else {
                writeln!(out, "{}: {}", segment.path.display(), words(&reading))?;
            }
        }
    }
    if as_json {
        let whole = json!({
            "segments": rows, "quarantine": quarantine(&found), "foreign": found.foreign, "sound": sound
        });
        writeln!(out, "{whole}")?;
    } else {
        beside(&found, out)?;
        writeln!(
            out,
            "{}",
            if sound { "sound" } else { "damaged; `hoplog spool repair` says what can be done" }
        )?;
    }
    Ok(sound)
}

fn row(path: &Path, reading: &Reading) -> Value {
    let s = &reading.summary;
    json!({
        "path": path.display().to_string(),
        "state": state(reading),
        "frames": s.frames,
        "entries": s.entries,
        "delivered": reading.delivered,
        "lost": s.lost,
        "damaged_bytes": s.damaged_bytes,
        "torn_bytes": s.torn_bytes,
        "closed": s.closed,
        "bad_hint": reading.bad_hint,
    })
}

fn state(reading: &Reading) -> &'static str {
    match reading.header {
        Err(BadHeader::Unknown { .. }) => "unknown version",
        _ if reading.is_strange() => "no segment",
        _ if reading.is_damaged() => "damaged",
        _ if reading.summary.torn_bytes > 0 => "torn tail",
        _ => "sound",
    }
}

/// One line of what a segment holds.
pub(super) fn words(reading: &Reading) -> String {
    let s = &reading.summary;
    let mut words = state(reading).to_owned();
    if let Err(BadHeader::Unknown { version }) = reading.header {
        words.push_str(&format!(" ({version}), left alone"));
        return words;
    }
    if reading.is_strange() {
        return words;
    }
    words.push_str(&format!(", {} frames, {} entries", s.frames, s.entries));
    for (number, what) in [
        (reading.delivered, "noted as delivered"),
        (s.lost, "entries lost"),
        (s.damaged_bytes, "bytes damaged"),
        (s.torn_bytes, "bytes of a write that did not end"),
    ] {
        if number > 0 {
            words.push_str(&format!(", {number} {what}"));
        }
    }
    if reading.bad_hint {
        words.push_str(", its hint cannot be read");
    }
    words
}

fn quarantine(found: &Survey) -> Value {
    let bytes: u64 = found.quarantine.iter().map(|(_, len)| len).sum();
    json!({ "files": found.quarantine.len(), "bytes": bytes })
}

fn beside(found: &Survey, out: &mut impl Write) -> io::Result<()> {
    if !found.quarantine.is_empty() {
        let bytes: u64 = found.quarantine.iter().map(|(_, len)| len).sum();
        writeln!(out, "quarantine: {} files, {bytes} bytes", found.quarantine.len())?;
    }
    if found.foreign > 0 {
        writeln!(out, "{} files or directories are not the spool's", found.foreign)?;
    }
    Ok(())
}

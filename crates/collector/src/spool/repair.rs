//! `repair`: a plan first; carried out only if told, and only where no process lives.

use super::reading::{Reading, read};
use super::report::words;
use super::survey::{SegmentFile, Writer, about, open, survey};
use hoplog_entry::spool::name::{LOCK, QUARANTINE};
use hoplog_entry::spool::{
    BadHeader, Region, SegmentHeader, Source, Tally, push_entries, push_footer, push_source,
};
use serde_json::{Value, json};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// What is done about one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// What is sound is written to a new file in its place; what is not goes to the quarantine.
    Rewrite,
    /// Nothing in it was ever written to its end.
    Remove,
    /// The hint alone.
    RemoveHint,
}

impl Action {
    fn of(reading: &Reading) -> Option<Self> {
        let s = &reading.summary;
        if reading.is_strange() {
            return None;
        }
        match reading.header {
            Err(BadHeader::Cut) => Some(Self::Remove),
            _ if !reading.bad.is_empty() => Some(if s.frames == 0 { Self::Remove } else { Self::Rewrite }),
            _ => reading.bad_hint.then_some(Self::RemoveHint),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Rewrite => "keep its sound frames, move the rest to the quarantine",
            Self::Remove => "move it to the quarantine: nothing in it can be read",
            Self::RemoveHint => "remove its hint, which costs duplicates at most",
        }
    }
}

/// Prints the plan and, if told, carries it out; true where nothing is left to do.
pub(super) fn run(dir: &Path, apply: bool, as_json: bool, out: &mut impl Write) -> io::Result<bool> {
    let found = survey(dir)?;
    let (mut left, mut rows) = (0, Vec::new());
    for writer in &found.writers {
        // Held until all of it is done, so that no process adopts it meanwhile.
        let lock = if apply { lock(writer)? } else { None };
        let live = if apply { lock.is_none() } else { writer.live };
        for segment in &writer.segments {
            let reading = match read(segment, writer.id, |_, _, _| Ok(())) {
                Ok(reading) => reading,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let Some(action) = Action::of(&reading) else { continue };
            // Its own process reads over damage, and writes at the end.
            if live {
                continue;
            }
            if !as_json {
                writeln!(out, "{}: {}\n  {}", segment.path.display(), words(&reading), action.words())?;
            }
            rows.push(json!({ "path": segment.path.display().to_string(), "action": action.words(), "done": apply }));
            if apply {
                // The plan stands before anything happens.
                out.flush()?;
                carry_out(dir, writer, segment, &reading, action)?;
            } else {
                left += 1;
            }
        }
        drop(lock);
    }
    if as_json {
        writeln!(out, "{}", json!({ "plan": Value::Array(rows), "applied": apply }))?;
    } else if rows.is_empty() {
        writeln!(out, "nothing to put right")?;
    } else {
        writeln!(out, "{}", if apply { "done" } else { "nothing was changed; `--apply` does it" })?;
    }
    Ok(left == 0)
}

/// The lock of a directory; `None` where somebody has it.
fn lock(writer: &Writer) -> io::Result<Option<File>> {
    let path = writer.dir.join(LOCK);
    let file = match open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path)?,
        Err(error) => return Err(about(&path, &error)),
    };
    Ok(file.try_lock().is_ok().then_some(file))
}

fn make(path: &Path) -> io::Result<File> {
    let options = OpenOptions::new().write(true).read(true).create_new(true).mode(0o600).open(path);
    options.map_err(|error| about(path, &error))
}

fn carry_out(
    root: &Path,
    writer: &Writer,
    segment: &SegmentFile,
    reading: &Reading,
    action: Action,
) -> io::Result<()> {
    let remove = |path: &Path| match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(about(path, &error)),
        _ => Ok(()),
    };
    if action == Action::RemoveHint {
        return remove(&segment.hint);
    }
    let quarantine = root.join(QUARANTINE);
    if !quarantine.is_dir() {
        DirBuilder::new().mode(0o700).create(&quarantine).map_err(|error| about(&quarantine, &error))?;
    }
    for region in &reading.bad {
        let name = format!("{}-{:020}-{}.bin", writer.id, segment.number, region.at);
        keep(segment, *region, &quarantine.join(name))?;
    }
    // Frames have other numbers from now on, or none.
    remove(&segment.hint)?;
    if action == Action::Remove {
        remove(&segment.path)?;
    } else {
        rewrite(writer, segment, reading.source.as_ref())?;
    }
    File::open(&writer.dir)?.sync_all()
}

/// Copies a region to the quarantine. One that is there already holds the same bytes.
fn keep(segment: &SegmentFile, region: Region, to: &Path) -> io::Result<()> {
    let from = open(&segment.path)?;
    let mut bytes = vec![0; usize::try_from(region.len).unwrap_or(0).min(segment.len as usize)];
    from.read_exact_at(&mut bytes, region.at).map_err(|error| about(&segment.path, &error))?;
    match make(to) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
        Ok(mut file) => {
            file.write_all(&bytes)?;
            file.sync_all()
        }
    }
}

/// Writes the sound frames to a new file and puts that in the segment's place, in one step.
fn rewrite(writer: &Writer, segment: &SegmentFile, source: Option<&Source>) -> io::Result<()> {
    let created_unix_ms = segment
        .modified
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
        .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0));
    let header = hoplog_entry::spool::SegmentReader::new(open(&segment.path)?)?
        .header()
        .unwrap_or(SegmentHeader { segment: segment.number, writer: writer.id, created_unix_ms });
    let tmp: PathBuf = segment.path.with_extension("log.repair");
    // Left by a repair that did not end; we hold the lock.
    let _ = std::fs::remove_file(&tmp);
    let mut file = make(&tmp)?;
    file.write_all(&header.to_bytes())?;
    let (mut tally, mut buffer) = (Tally::default(), Vec::new());
    if let Some(source) = source {
        push_source(&mut buffer, &mut tally, source);
        file.write_all(&buffer)?;
    }
    read(segment, writer.id, |frame, _, _| {
        buffer.clear();
        push_entries(&mut buffer, &mut tally, frame.count, frame.bytes)
            .map_err(|bad| io::Error::new(io::ErrorKind::InvalidData, bad))?;
        file.write_all(&buffer)
    })?;
    buffer.clear();
    push_footer(&mut buffer, &tally);
    file.write_all(&buffer)?;
    file.sync_all()?;
    std::fs::rename(&tmp, &segment.path).map_err(|error| about(&tmp, &error))
}

//! An entry as a line for people: time, level, what, under which trace. Control characters are made visible.

use std::fmt::Write as _;

use hoplog_entry::{Civil, Field, Item, Kind, Level, Malformed, Record, Value, Visible};

use super::json::{self, Utf8};

/// Appends one line: `12:03:04.567 INFO  GET /users/{id} 200 1.2ms 4bf92f35…  key=value`.
/// With its day before it where it is `dated`.
pub(crate) fn entry_text(
    out: &mut Vec<u8>,
    record: &Record<'_>,
    colour: bool,
    dated: bool,
) -> Result<(), Malformed> {
    let start = out.len();
    if dated {
        day(out, record.created_unix_ns());
    }
    let result = line(out, record, colour);
    if result.is_err() {
        out.truncate(start);
    }
    result
}

fn line(out: &mut Vec<u8>, record: &Record<'_>, colour: bool) -> Result<(), Malformed> {
    time(out, record.created_unix_ns());
    paint(out, colour.then(|| level_colour(record.level())), |out| {
        let _ = write!(Utf8(out), " {:<5} ", record.level());
    });
    let (mut duration, mut trace) = (None, None);
    let (mut method, mut path, mut route, mut status, mut message) = (None, None, None, None, None);
    let mut extra = Vec::new();
    for item in record.items() {
        match item? {
            Item::Field(Field::Method, Value::Text(t)) => method = Some(t),
            Item::Field(Field::Path, Value::Text(t)) => path = Some(t),
            Item::Field(Field::Route, Value::Text(t)) => route = Some(t),
            Item::Field(Field::StatusCode, Value::Uint(n)) => status = Some(n),
            Item::Field(Field::Message, Value::Text(t)) => message = Some(t),
            Item::Field(Field::Duration, Value::Nanos(ns)) => duration = Some(ns),
            Item::Field(Field::TraceId, Value::TraceId(id)) => trace = Some(id),
            Item::Field(Field::ErrorType, Value::Text(t)) => extra.push(("error", Value::Text(t))),
            Item::Field(Field::ErrorMessage, Value::Text(t)) => extra.push(("error_message", Value::Text(t))),
            Item::Custom(name, value) => extra.push((name, value)),
            _ => {}
        }
    }
    match message {
        Some(text) => visible(out, text),
        None => {
            if record.kind() == Kind::Outgoing {
                out.extend_from_slice("→ ".as_bytes());
            }
            visible(out, method.unwrap_or("-"));
            out.push(b' ');
            visible(out, route.or(path).unwrap_or("-"));
            let outcome = record.outcome().map_or("-", |o| o.as_str());
            let _ = match status {
                Some(status) if outcome == "completed" => write!(Utf8(out), " {status}"),
                Some(status) => write!(Utf8(out), " {status} {outcome}"),
                None => write!(Utf8(out), " {outcome}"),
            };
        }
    }
    if let Some(ns) = duration {
        let _ = write!(Utf8(out), " {:.1}ms", ns as f64 / 1e6);
    }
    for (name, value) in extra {
        out.push(b' ');
        visible(out, name);
        out.push(b'=');
        match value {
            Value::Text(text) => visible(out, text),
            Value::Json(text) => visible(out, text),
            value => json::value(out, value),
        }
    }
    if let Some(id) = trace {
        paint(out, colour.then_some("2"), |out| {
            let _ = write!(Utf8(out), " trace={id}");
        });
    }
    out.push(b'\n');
    Ok(())
}

/// `2025-06-01 `, UTC.
fn day(out: &mut Vec<u8>, unix_ns: u64) {
    let Civil { year, month, day, .. } = Civil::from_unix(unix_ns / 1_000_000_000);
    let _ = write!(Utf8(out), "{year:04}-{month:02}-{day:02} ");
}

/// Time of day, UTC.
fn time(out: &mut Vec<u8>, unix_ns: u64) {
    let ms = unix_ns / 1_000_000 % 86_400_000;
    let (s, ms) = (ms / 1_000, ms % 1_000);
    let _ = write!(Utf8(out), "{:02}:{:02}:{:02}.{ms:03}", s / 3_600, s / 60 % 60, s % 60);
}

fn level_colour(level: Level) -> &'static str {
    match level {
        Level::Trace | Level::Debug => "2",
        Level::Info => "32",
        Level::Warn => "33",
        Level::Error | Level::Fatal => "31",
    }
}

fn paint(out: &mut Vec<u8>, colour: Option<&str>, inner: impl FnOnce(&mut Vec<u8>)) {
    if let Some(colour) = colour {
        let _ = write!(Utf8(out), "\x1b[{colour}m");
    }
    inner(out);
    if colour.is_some() {
        out.extend_from_slice(b"\x1b[0m");
    }
}

fn visible(out: &mut Vec<u8>, text: &str) {
    let _ = write!(Utf8(out), "{}", Visible(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use hoplog_entry::{EntryId, Outcome, RecordWriter};

    fn text(build: impl FnOnce(&mut RecordWriter), kind: Kind, outcome: Option<Outcome>) -> String {
        let mut w = RecordWriter::default();
        w.begin(kind, EntryId::generate(1), 45_296_789_000_000);
        build(&mut w);
        let bytes = w.end(Level::Info, outcome).to_vec();
        let mut out = Vec::new();
        entry_text(&mut out, &Record::read(&bytes).unwrap().0, false, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_request_is_one_line() {
        let line = text(
            |w| {
                w.text(Field::Method, "GET");
                w.text(Field::Path, "/users/7");
                w.text(Field::Route, "/users/{id}");
                w.uint(Field::StatusCode, 200);
                w.nanos(Field::Duration, 1_234_567);
            },
            Kind::Request,
            Some(Outcome::Completed),
        );
        assert_eq!(line, "12:34:56.789 INFO  GET /users/{id} 200 1.2ms\n");
    }

    #[test]
    fn nothing_in_an_entry_can_steer_a_terminal() {
        let hostile = "a\x1b[2Jb\r\nc\u{202e}d\u{9b}e\u{200b}f\0g\u{61c}h\u{e0041}i\u{ad}";
        let line = text(
            |w| {
                w.text(Field::Message, hostile);
                w.custom_text(hostile, hostile);
                w.text(Field::ErrorMessage, hostile);
            },
            Kind::Event,
            None,
        );
        assert_eq!(line.matches('\n').count(), 1);
        assert!(line.chars().all(|c| c == '\n' || c == '⏎' || (' '..='~').contains(&c)), "{line:?}");
        assert!(line.contains("\\u{1b}[2J"), "{line}");
    }
}

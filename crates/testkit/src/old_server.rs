//! An existing log-collector server, as strict as it is: its schema's limits are enforced, one entry that breaks one
//! fails its whole batch with 500, and keys without a column are dropped.
//!
//! Stands in for the real one, of which the schema is known.

use serde_json::{Map, Value, json};

use crate::scripted::{Answer, Received};

const ENUMS: [(&str, &[&str]); 4] = [
    ("level", &["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]),
    ("log_type", &["BACKEND", "FRONTEND", "MOBILE", "IOT", "WORKER"]),
    ("environment", &["production", "staging", "development", "test", "local"]),
    ("method", &["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
];

/// Columns of text and the most characters of each.
const TEXTS: [(&str, usize); 12] = [
    ("message", usize::MAX),
    ("service", 100),
    ("service_version", 50),
    ("trace_id", 32),
    ("user_id", 255),
    ("session_id", 100),
    ("error_type", 200),
    ("stack_trace", usize::MAX),
    ("path", 500),
    ("action_type", 50),
    ("function_name", 300),
    ("file_path", 1_000),
];

/// A message that it cannot store for a reason of its own, whatever the sender does.
pub const POISON: &str = "poison";

/// Its answer to a request.
#[must_use]
pub fn judge(request: &Received) -> Answer {
    if request.line != "POST /logs HTTP/1.1" {
        return Answer::saying(404, r#"{"detail":"Not Found"}"#);
    }
    let Some(entries) = request.json["logs"].as_array() else {
        return Answer::saying(400, r#"{"detail":"Invalid logs format"}"#);
    };
    match entries.iter().find_map(|entry| complaint(entry).err()) {
        Some(why) => {
            Answer::saying(500, json!({"detail": format!("Internal server error: {why}")}).to_string())
        }
        None => Answer::body(json!({"status": "ok", "count": entries.len()}).to_string()),
    }
}

/// The rows that it has stored: every entry of every batch that it took.
#[must_use]
pub fn rows(received: &[Received]) -> Vec<Value> {
    let taken = received.iter().filter(|r| r.entries().iter().all(|entry| complaint(entry).is_ok()));
    taken.flat_map(|r| r.entries().iter().cloned()).collect()
}

/// What its database says of an entry.
///
/// # Errors
/// The reason for which the insert fails.
pub fn complaint(entry: &Value) -> Result<(), String> {
    let entry = entry.as_object().ok_or("an entry is no object")?;
    if has_nul(entry) {
        return Err("unsupported Unicode escape sequence \\u0000".into());
    }
    if entry.get("message").is_some_and(|message| message == POISON) {
        return Err("it does not like this one".into());
    }
    for (column, words) in ENUMS {
        if let Some(word) = text(entry, column)?
            && !words.contains(&word)
        {
            return Err(format!("invalid input value for enum {column}: {word}"));
        }
    }
    for (column, most) in TEXTS {
        if let Some(value) = text(entry, column)?
            && value.chars().count() > most
        {
            return Err(format!("{column}: value too long for type character varying({most})"));
        }
    }
    for column in ["created_at", "duration_ms"] {
        let number = entry.get(column).filter(|value| !value.is_null());
        let Some(value) = number else { continue };
        let value = value.as_f64().ok_or(format!("{column} is not a number"))?;
        // numeric(10,3) rounds to its scale before it looks at its precision.
        if column == "duration_ms" && (value * 1_000.0).round() >= 1e10 {
            return Err("numeric field overflow".into());
        }
    }
    match entry.get("metadata") {
        None | Some(Value::Null | Value::Object(_)) => Ok(()),
        Some(_) => Err("metadata is no object".into()),
    }
}

fn text<'e>(entry: &'e Map<String, Value>, column: &str) -> Result<Option<&'e str>, String> {
    match entry.get(column) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or(format!("{column} is not a text")),
    }
}

fn has_nul(members: &Map<String, Value>) -> bool {
    fn inside(value: &Value) -> bool {
        match value {
            Value::String(text) => text.contains('\0'),
            Value::Array(items) => items.iter().any(inside),
            Value::Object(members) => has_nul(members),
            _ => false,
        }
    }
    members.iter().any(|(name, value)| name.contains('\0') || inside(value))
}

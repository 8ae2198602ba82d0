//! A line of a database, a proxy or the like, as a native entry.

use super::Sdk;
use super::members::{Given, is_nothing};
use crate::ingest::translated::Members;
use hoplog_entry::EntryId;

/// Their name, and ours.
const FIELDS: [(&str, &str); 6] = [
    ("timestamp", "timestamp"),
    ("host", "host"),
    ("level", "level"),
    ("message", "message"),
    ("trace_id", "trace_id"),
    ("error_detail", "error_message"),
];

pub(super) fn write(given: &Given<'_>, sdk: &Sdk, out: &mut Members<'_>) {
    let id = given.text("uuid").filter(|id| id.trim().parse::<EntryId>().is_ok());
    if let Some(id) = &id {
        out.text("id", id.trim());
    }
    if let Some(service) = given.text("source_name").or_else(|| given.text("project_slug")) {
        out.text("service", &service);
    }
    out.text("kind", "event");
    for (theirs, ours) in FIELDS {
        if let Some(raw) = given.raw(theirs) {
            out.raw(ours, raw);
        }
    }
    if given.raw("level").is_none() && given.is_true("is_error") {
        out.text("level", "ERROR");
    }
    sdk.write(out);
    // What has no field stands at the top too: the entry's metadata is the client's own.
    for (name, raw) in given.iter() {
        let known = FIELDS.iter().any(|(theirs, _)| *theirs == name);
        let kept = match name {
            "uuid" => id.is_none(),
            _ => !known,
        };
        if kept && !is_nothing(raw) {
            out.name(name).push_str(raw);
        }
    }
}

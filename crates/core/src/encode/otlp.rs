//! `ExportLogsServiceRequest` of opentelemetry.proto.collector.logs.v1, as OTLP/HTTP sends it.
//!
//! ```text
//! request { resource_logs { resource, scope_logs { scope, log_records … }, schema_url } }
//! ```
//!
//! Records are written one after the other as they come; what stands around them is put there when the batch is
//! sealed, for only then their length is known.

#[cfg(test)]
mod messages;
mod names;
mod record;
mod value;
mod wire;

use std::ops::Range;

use hoplog_entry::{Malformed, Record};

use super::contained;
use super::entry::Entry;
use crate::destination::Source;

/// The version of the semantic conventions that the names are of.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.37.0";

const RESOURCE_LOGS: u32 = 1;
const RESOURCE: u32 = 1;
const SCOPE_LOGS: u32 = 2;
const LOG_RECORDS: u32 = 2;
const SCHEMA_URL: u32 = 3;

/// A batch under way.
#[derive(Debug)]
pub(crate) struct OtlpBatch {
    records: Vec<u8>,
    entries: usize,
    /// The `Resource` of the process that wrote them, and the `InstrumentationScope`, as fields of their messages.
    resource: Vec<u8>,
    scope: Vec<u8>,
    whole: Vec<u8>,
}

impl OtlpBatch {
    pub(crate) fn new(source: &Source) -> Self {
        let mut scope = Vec::new();
        wire::message(&mut scope, 1, |out| {
            wire::text(out, 1, "hoplog");
            wire::text(out, 2, env!("CARGO_PKG_VERSION"));
        });
        let mut batch =
            Self { records: Vec::new(), entries: 0, resource: Vec::new(), scope, whole: Vec::new() };
        batch.written_by(source);
        batch
    }

    /// The entries that come were written by that process.
    pub(crate) fn written_by(&mut self, source: &Source) {
        self.resource.clear();
        wire::message(&mut self.resource, RESOURCE, |out| write_resource(out, source, &source.attributes));
    }

    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Appends an entry. A record that cannot be read leaves no trace in the batch.
    pub(crate) fn push(&mut self, record: &Record<'_>) -> Result<(), Malformed> {
        let start = self.records.len();
        let written = contained(|| {
            let entry = Entry::read(record)?;
            wire::message(&mut self.records, LOG_RECORDS, |out| record::write(out, &entry));
            Ok(())
        });
        match written {
            Ok(()) => self.entries += 1,
            Err(_) => self.records.truncate(start),
        }
        written
    }

    pub(crate) fn seal(&mut self) -> &[u8] {
        let mut whole = std::mem::take(&mut self.whole);
        whole.clear();
        self.wrap(&self.resource, &self.records, &mut whole);
        self.whole = whole;
        &self.whole
    }

    /// A request with these records of that resource.
    fn wrap(&self, resource: &[u8], records: &[u8], out: &mut Vec<u8>) {
        let in_scope = self.scope.len() + records.len();
        let in_resource = resource.len()
            + wire::len_of_bytes(SCOPE_LOGS, in_scope)
            + wire::len_of_bytes(SCHEMA_URL, SCHEMA.len());
        wire::head(out, RESOURCE_LOGS, in_resource);
        out.extend_from_slice(resource);
        wire::head(out, SCOPE_LOGS, in_scope);
        out.extend_from_slice(&self.scope);
        out.extend_from_slice(records);
        wire::text(out, SCHEMA_URL, SCHEMA);
    }

    /// Some records of a sealed batch as a request of their own; `None` where it does not have them.
    pub(crate) fn part(&self, sealed: &[u8], entries: Range<u64>) -> Option<Vec<u8>> {
        let (resource, records) = self.unwrap(sealed)?;
        let skip = |rest, times: u64| (0..times).try_fold(rest, |rest, _| Some(wire::field(rest)?.1));
        let from = skip(records, entries.start)?;
        let after = skip(from, entries.end.checked_sub(entries.start)?)?;
        let records = from.get(..from.len() - after.len()).filter(|records| !records.is_empty())?;
        let mut part = Vec::new();
        self.wrap(resource, records, &mut part);
        Some(part)
    }

    /// The resource and the records that [`OtlpBatch::wrap`] was given.
    fn unwrap<'s>(&self, sealed: &'s [u8]) -> Option<(&'s [u8], &'s [u8])> {
        let (in_resource, _) = wire::field(sealed)?;
        let (_, rest) = wire::field(in_resource)?;
        let (resource, rest) = in_resource.split_at_checked(in_resource.len() - rest.len())?;
        let (in_scope, _) = wire::field(rest)?;
        Some((resource, in_scope.strip_prefix(&*self.scope)?))
    }

    /// Starts over in the same memory.
    pub(crate) fn clear(&mut self) {
        self.records.clear();
        self.entries = 0;
    }
}

/// What the process is. What the configuration says goes before what the environment says of the resource, a default
/// does not.
fn write_resource(out: &mut Vec<u8>, source: &Source, attributes: &[(String, String)]) {
    let pid = source.pid.to_string();
    let ours = [
        ("service.name", source.service.as_str(), "unknown"),
        ("service.version", &source.service_version, "v0.0.0-dev"),
        ("deployment.environment.name", &source.environment, "development"),
        ("host.name", &source.host, ""),
        ("process.pid", &pid, ""),
        ("hoplog.log_type", source.log_type.as_deref().unwrap_or_default(), ""),
        ("telemetry.sdk.name", "hoplog", ""),
        ("telemetry.sdk.language", "rust", ""),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION"), ""),
    ];
    let given = |name: &str| attributes.iter().any(|(given, _)| given == name);
    let ours =
        ours.into_iter().filter(|(name, text, default)| !(text.is_empty() || text == default && given(name)));
    for (name, text, _) in ours.clone() {
        value::attribute(out, 1, name, |out| match name {
            "process.pid" => value::int(out, source.pid.into()),
            _ => value::text(out, text),
        });
    }
    for (at, (name, text)) in attributes.iter().enumerate() {
        let again = attributes[at + 1..].iter().any(|(later, _)| later == name);
        if !again && !ours.clone().any(|(our, ..)| our == name) {
            value::attribute(out, 1, name, |out| value::text(out, text));
        }
    }
}

#[cfg(test)]
mod tests;

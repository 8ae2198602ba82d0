//! `POST /api/v1/ingest/logs` and `/api/v1/ingest/infra-logs`: the logs-sdk clients.
//!
//! They send every field they have, so one that is empty, 0 or false says nothing and is left out; what has no field here
//! is kept in the entry's metadata under their name for it. They wait for 200 or 201 with an object as `data`.

pub(super) mod answer;
mod derived;
mod entry;
mod headers;
mod infra;
mod members;

#[cfg(test)]
mod tests;

use super::envelope::{self, BatchLimits};
use super::translated::{Members, Room, Translated, Unread};
use hyper::header::HeaderMap;
use members::Given;

/// What is in a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Requests.
    Logs,
    /// Lines of databases, proxies and the like.
    Infra,
}

/// The client, by its headers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sdk {
    name: Option<String>,
    version: Option<String>,
}

impl Sdk {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        // Longer ones are no names and no versions.
        let text =
            |name: &str| headers.get(name)?.to_str().ok().filter(|text| (1..=40).contains(&text.len()));
        Self {
            name: text("x-sdk-type").map(|kind| format!("logs-sdk-{kind}")),
            version: text("x-sdk-version").map(str::to_owned),
        }
    }

    fn write(&self, out: &mut Members<'_>) {
        for (name, text) in [("sdk", &self.name), ("sdk_version", &self.version)] {
            if let Some(text) = text {
                out.text(name, text);
            }
        }
    }
}

/// Translates a body, of which `nulled` says where a null took the place of what is not JSON.
pub(super) fn translate<'g>(
    body: &[u8],
    nulled: &[usize],
    form: Form,
    sdk: &Sdk,
    room: Room<'g>,
    limits: BatchLimits,
) -> Result<Translated<'g>, Unread> {
    let (text, entries) = envelope::entries(body, limits.entries)?;
    let mut translated = Translated::new(room, limits.entry);
    for raw in entries {
        if !raw.starts_with('{') {
            translated.refuse("not a JSON object");
            continue;
        }
        translated.entry(raw.len(), |out| {
            let given = Given::read(raw);
            match form {
                Form::Logs => entry::write(&given, sdk, out),
                Form::Infra => infra::write(&given, sdk, out),
            }
            envelope::has_one(raw, text, nulled)
        })?;
    }
    Ok(translated)
}

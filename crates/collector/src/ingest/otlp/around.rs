//! What stands around records, their resource and their scope: written once for all that share them.

use super::names::resource;
use super::value::{Any, Written};
use super::wire::Malformed;
use crate::ingest::translated::Members;
use std::borrow::Cow;
use std::collections::HashSet;

/// An attribute: its name, and its value as it came.
pub(super) type Attribute<'a> = (Cow<'a, str>, Any<'a>);

/// The name of our own SDK's scope.
const OURS: &str = "hoplog";

/// A `Resource` and an `InstrumentationScope`, taken apart.
#[derive(Default)]
pub(super) struct Said<'a> {
    pub(super) resource: Vec<Attribute<'a>>,
    pub(super) scope: Vec<Attribute<'a>>,
    pub(super) scope_name: Cow<'a, str>,
    pub(super) scope_version: Cow<'a, str>,
    /// A text in it was not UTF-8.
    pub(super) replaced: bool,
}

/// The same, as it stands in every entry.
pub(super) struct Around {
    /// Members of the entry.
    pub(super) fields: String,
    /// Names and JSON, for the entry's metadata.
    pub(super) metadata: Vec<(String, String)>,
    /// The names in `metadata`.
    pub(super) names: HashSet<String>,
    pub(super) replaced: bool,
    /// It was our own SDK that wrote the records.
    pub(super) ours: bool,
}

impl Around {
    pub(super) fn new(said: &Said<'_>, depth: usize) -> Result<Self, Malformed> {
        let ours = said.scope_name == OURS;
        let mut fields = String::new();
        let mut members = Members::new(&mut fields);
        let mut written = Written { replaced: said.replaced, malformed: false };
        let mut metadata = Vec::new();
        let mut seen = Vec::new();
        let sdk = said.text("telemetry.sdk.name");
        let language = said.text("telemetry.sdk.language").filter(|_| sdk.is_some());
        if let Some(sdk) = &sdk {
            let language = language.map(|language| format!("-{language}")).unwrap_or_default();
            members.text("sdk", &format!("{sdk}{language}"));
        }
        for (name, value) in &said.resource {
            match resource(name).filter(|field| !seen.contains(field)) {
                Some(field) => {
                    seen.push(field);
                    value.write(members.name(field), depth, &mut written);
                }
                None if sdk.is_some()
                    && matches!(&**name, "telemetry.sdk.name" | "telemetry.sdk.language") => {}
                None => metadata.push((name.clone().into_owned(), value.json(depth, &mut written))),
            }
        }
        if !ours {
            // Bridges of logging libraries put the logger's name there.
            if !said.scope_name.is_empty() {
                members.text("target", &said.scope_name);
            }
            if !said.scope_version.is_empty() {
                let mut version = String::new();
                crate::json::quote(&said.scope_version, &mut version);
                metadata.push(("otel.scope.version".to_owned(), version));
            }
        }
        for (name, value) in &said.scope {
            metadata.push((format!("otel.scope.{name}"), value.json(depth, &mut written)));
        }
        let names = metadata.iter().map(|(name, _)| name.clone()).collect();
        let around = Self { fields, metadata, names, replaced: written.replaced, ours };
        if written.malformed { Err(Malformed) } else { Ok(around) }
    }

    /// What it adds to an entry.
    pub(super) fn bytes(&self) -> usize {
        self.fields.len()
            + self.metadata.iter().map(|(name, value)| name.len() + value.len() + 4).sum::<usize>()
    }
}

impl Said<'_> {
    fn text(&self, name: &str) -> Option<String> {
        let (_, value) = self.resource.iter().find(|(other, _)| other == name)?;
        let json = value.json(0, &mut Written::default());
        Some(json.strip_prefix('"')?.strip_suffix('"')?.to_owned()).filter(|text| !text.contains('\\'))
    }
}

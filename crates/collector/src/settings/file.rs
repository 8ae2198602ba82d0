//! The file: TOML into texts by name, each with its line.

use super::table::SETTINGS;
use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A file that is larger is no configuration.
const MAX_BYTES: u64 = 1 << 20;

/// What stands there.
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) values: Vec<String>,
}

/// Reads a file. What is wrong with it is in the complaints, and left out of the result.
pub(super) fn read(path: &Path, complaints: &mut Vec<String>) -> Vec<(String, Place)> {
    let shown = path.display();
    let mut text = String::new();
    let read = File::open(path).and_then(|file| {
        let metadata = file.metadata()?;
        file.take(MAX_BYTES + 1).read_to_string(&mut text)?;
        Ok(metadata)
    });
    let metadata = match read {
        Ok(_) if text.len() as u64 > MAX_BYTES => {
            complaints.push(format!("{shown} is larger than a configuration may be, 1 MiB"));
            return Vec::new();
        }
        Ok(metadata) => metadata,
        Err(error) => {
            complaints.push(format!("{shown} cannot be read: {error}"));
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    let mut complain =
        |at: usize, wrong: String| complaints.push(format!("{shown}:{}: {wrong}", line(&text, at)));
    let (table, errors) = DeTable::parse_recoverable(&text);
    if !errors.is_empty() {
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            complain(at, error.message().trim().replace('\n', " "));
        }
        return Vec::new();
    }
    let mut take = |name: String, value: &Spanned<DeValue<'_>>| match texts(value.get_ref()) {
        Ok(values) => found.push((name, Place { line: line(&text, value.span().start), values })),
        Err(wrong) => complain(value.span().start, format!("`{name}` {wrong}")),
    };
    for (key, value) in table.get_ref() {
        match value.get_ref() {
            DeValue::Table(section) => {
                for (inner, value) in section {
                    take(format!("{}.{}", key.get_ref(), inner.get_ref()), value);
                }
            }
            _ => take(key.get_ref().clone().into_owned(), value),
        }
    }
    found.sort_by_key(|(_, place)| place.line);
    secrets_are_private(&found, &metadata, path, complaints);
    found
}

/// A secret in a file that others may read is none.
fn secrets_are_private(
    found: &[(String, Place)],
    metadata: &Metadata,
    path: &Path,
    complaints: &mut Vec<String>,
) {
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return;
    }
    for (name, place) in found {
        let holds = |values: &[String]| match name.as_str() {
            // A place is no secret, but for the password of one who may go there.
            "store" => {
                values.iter().any(|value| value.split("://").nth(1).is_some_and(|rest| rest.contains('@')))
            }
            _ => true,
        };
        if SETTINGS.iter().any(|setting| setting.secret && setting.name == name) && holds(&place.values) {
            complaints.push(format!(
                "{0}:{1}: `{name}` is a secret, and others may read this file (mode {mode:03o}): chmod 600 {0}, or name a file \
                 of its own by `{name}_file`",
                path.display(),
                place.line
            ));
        }
    }
}

fn texts(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    match value {
        DeValue::String(text) => Ok(vec![text.clone().into_owned()]),
        DeValue::Integer(number) if number.radix() == 10 => Ok(vec![number.as_str().replace('_', "")]),
        DeValue::Boolean(flag) => Ok(vec![flag.to_string()]),
        DeValue::Array(list) => {
            let parts = list.iter().map(|item| match item.get_ref() {
                DeValue::Array(_) => Err("is a list of lists; it must be a list of texts".to_owned()),
                inner => texts(inner),
            });
            Ok(parts.collect::<Result<Vec<_>, _>>()?.concat())
        }
        DeValue::Table(_) => Err("is a table within a table; there are none".to_owned()),
        _ => Err("must be a text, a whole number, true, false or a list of texts".to_owned()),
    }
}

/// Counted from 1.
fn line(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

//! Walking through a TOML document: each key is taken by whoever knows it, what is left over is unknown.

use std::cell::RefCell;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A document and what is wrong with it.
pub(super) struct Document<'a> {
    text: &'a str,
    /// Where lines end.
    ends: Vec<usize>,
    complaints: RefCell<Vec<(usize, String)>>,
}

/// A table of it.
pub(super) struct Section<'a> {
    document: &'a Document<'a>,
    /// As it is shown: `[collector]`; empty for the top.
    name: &'static str,
    line: usize,
    entries: Vec<Entry<'a>>,
    known: Vec<&'static str>,
}

struct Entry<'a> {
    key: String,
    line: usize,
    value: Spanned<DeValue<'a>>,
}

impl<'a> Document<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        Self { text, ends, complaints: RefCell::default() }
    }

    /// The table of the whole; `None` where it is no TOML.
    pub(super) fn root(&'a self) -> Option<Section<'a>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in &errors {
            let at = error.span().map_or(0, |span| span.start);
            self.complain(self.line(at), error.message().trim().replace('\n', " "));
        }
        errors.is_empty().then(|| self.section("", 1, table.into_inner()))
    }

    /// In the order of their lines.
    pub(super) fn complaints(&self) -> Vec<(usize, String)> {
        let mut complaints = self.complaints.take();
        complaints.sort();
        complaints
    }

    fn section(&'a self, name: &'static str, line: usize, table: DeTable<'a>) -> Section<'a> {
        let entries = table.into_iter().map(|(key, value)| Entry {
            line: self.line(key.span().start),
            key: key.into_inner().into_owned(),
            value,
        });
        Section { document: self, name, line, entries: entries.collect(), known: Vec::new() }
    }

    fn complain(&self, line: usize, wrong: String) {
        self.complaints.borrow_mut().push((line, wrong));
    }

    /// Counted from 1.
    fn line(&self, at: usize) -> usize {
        1 + self.ends.partition_point(|&end| end < at)
    }
}

impl<'a> Section<'a> {
    /// The value of a key. A wrong one is a complaint.
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Result<T, String>,
    ) -> Option<T> {
        let entry = self.entry(key)?;
        match read(entry.value.get_ref()) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.document.complain(entry.line, format!("`{key}` {wrong}"));
                None
            }
        }
    }

    /// The table of a key.
    pub(super) fn section(&mut self, key: &'static str) -> Option<Section<'a>> {
        let entry = self.entry(key)?;
        match entry.value.into_inner() {
            DeValue::Table(table) => Some(self.document.section(key, entry.line, table)),
            other => {
                let wrong = format!("`{key}` is {}; it must be a table, `[{key}]`", article(&other));
                self.document.complain(entry.line, wrong);
                None
            }
        }
    }

    /// The tables of a key, `[[key]]`.
    pub(super) fn sections(&mut self, key: &'static str) -> Vec<Section<'a>> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let document = self.document;
        let wrong = |line, value: &DeValue<'_>| {
            document.complain(line, format!("`{key}` is {}; it must be tables, `[[{key}]]`", article(value)));
        };
        let array = match entry.value.into_inner() {
            DeValue::Array(array) => array,
            other => {
                wrong(entry.line, &other);
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for item in array {
            let line = document.line(item.span().start);
            match item.into_inner() {
                DeValue::Table(table) => sections.push(document.section(key, line, table)),
                other => wrong(line, &other),
            }
        }
        sections
    }

    /// What is wrong with the section as a whole.
    pub(super) fn complain(&self, wrong: String) {
        self.document.complain(self.line, wrong);
    }

    /// Keys that nobody has taken are unknown.
    pub(super) fn end(self) {
        let mut known = self.known;
        known.sort_unstable();
        for entry in self.entries {
            let place = if self.name.is_empty() { String::new() } else { format!(" in `{}`", self.name) };
            let wrong = format!("unknown key `{}`{place}; known are {}", entry.key, known.join(", "));
            self.document.complain(entry.line, wrong);
        }
    }

    /// Every key, also those of tables below, with its value as it is written; but for some.
    pub(super) fn written(&self, except: &[&str]) -> BTreeMap<String, String> {
        let mut written = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| !except.contains(&entry.key.as_str())) {
            match entry.value.get_ref() {
                DeValue::Table(table) => written.extend(table.iter().map(|(key, value)| {
                    (format!("{}.{}", entry.key, key.get_ref()), self.document.text_of(value))
                })),
                _ => drop(written.insert(entry.key.clone(), self.document.text_of(&entry.value))),
            }
        }
        written
    }

    fn entry(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.known.push(key);
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.swap_remove(at))
    }
}

impl Document<'_> {
    fn text_of<T>(&self, value: &Spanned<T>) -> String {
        self.text.get(value.span()).unwrap_or_default().to_owned()
    }
}

/// What kind of a value it is, for people.
pub(super) fn article(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

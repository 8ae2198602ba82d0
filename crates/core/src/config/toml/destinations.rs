//! `[[destination]]`: each kind with its keys.

use super::section::Section;
use super::values;
use crate::config::{Console, LogCollector, LogFile, Output};
use crate::destination::Filter;

/// The destination of a table; `None` where it is not one.
pub(super) fn destination(mut table: Section<'_>) -> Option<Output> {
    const KINDS: &str = "`file`, `console`, `log_collector` or `otlp`";
    let kind = table.take("kind", values::text);
    let output = match kind.as_deref() {
        Some("file") => file(&mut table),
        Some("console") => Some(table.take("format", values::console).unwrap_or(Console::Auto).into()),
        Some("log_collector") => log_collector(&mut table),
        #[cfg(feature = "otlp")]
        Some("otlp") => Some(otlp(&mut table)),
        #[cfg(not(feature = "otlp"))]
        Some("otlp") => {
            return refused(&table, "`kind` is `otlp`, but hoplog was built without its `otlp` feature");
        }
        Some(other) => return refused(&table, &format!("`kind` is `{other}`; it must be {KINDS}")),
        None => return refused(&table, &format!("a `[[destination]]` needs `kind`: {KINDS}")),
    };
    // Read also where something else is wrong, so that everything is said at once.
    let common = Common::read(&mut table);
    table.end();
    output.map(|output| common.give(output))
}

fn refused(table: &Section<'_>, wrong: &str) -> Option<Output> {
    table.complain(wrong.to_owned());
    None
}

/// What all of them have.
pub(super) struct Common {
    name: Option<String>,
    filter: Filter,
}

impl Common {
    pub(super) fn read(table: &mut Section<'_>) -> Self {
        let filter = Filter {
            min_level: table.take("min_level", values::level),
            kinds: table.take("kinds", values::kinds),
            targets: table.take("targets", values::texts),
            ..Filter::default()
        };
        Self { name: table.take("name", values::text), filter }
    }

    pub(super) fn give(self, output: Output) -> Output {
        Output { name: self.name, filter: self.filter, ..output }
    }
}

fn file(table: &mut Section<'_>) -> Option<Output> {
    let path = table.take("path", values::text);
    if path.is_none() {
        table.complain("a `[[destination]]` of kind `file` needs `path`".into());
    }
    let mut file = LogFile::new(path.clone().unwrap_or_default());
    if let Some(format) = table.take("format", values::line_format) {
        file = file.format(format);
    }
    if let Some(bytes) = table.take("max_bytes", values::bytes) {
        file = file.max_bytes(bytes);
    }
    if let Some(hourly) = table.take("rotate", values::hourly) {
        file = if hourly { file.hourly() } else { file.daily() };
    }
    if table.take("local_time", local_time) == Some(true) {
        #[cfg(feature = "local-time")]
        {
            file = file.local_time();
        }
    }
    if let Some(archives) = table.take("keep", values::whole) {
        file = file.keep(archives);
    }
    if let Some(age) = table.take("keep_for", values::duration) {
        file = file.keep_for(age);
    }
    if table.take("gzip", values::flag) == Some(true) {
        file = file.gzip();
    }
    if let Some(mode) = table.take("mode", values::mode) {
        file = file.mode(mode);
    }
    if table.take("follow_links", values::flag) == Some(true) {
        file = file.follow_links();
    }
    path.map(|_| file.into())
}

fn local_time(value: &toml::de::DeValue<'_>) -> Result<bool, String> {
    match values::flag(value)? {
        true if !cfg!(feature = "local-time") => {
            Err("is set, but hoplog was built without its `local-time` feature".into())
        }
        wanted => Ok(wanted),
    }
}

fn log_collector(table: &mut Section<'_>) -> Option<Output> {
    let endpoint = table.take("endpoint", values::text);
    if endpoint.is_none() {
        table.complain("a `[[destination]]` of kind `log_collector` needs `endpoint`".into());
    }
    let mut server = LogCollector::new(endpoint.clone().unwrap_or_default());
    for (name, value) in table.take("headers", values::pairs).unwrap_or_default() {
        server = server.header(name, value);
    }
    if let Some(timeout) = table.take("timeout", values::duration) {
        server = server.timeout(timeout);
    }
    if let Some(compression) = table.take("compression", values::compression) {
        server = server.compression(compression);
    }
    if table.take("allow_insecure_http", values::flag) == Some(true) {
        server = server.allow_insecure_http();
    }
    endpoint.map(|_| server.into())
}

#[cfg(feature = "otlp")]
fn otlp(table: &mut Section<'_>) -> Output {
    let mut server = crate::config::Otlp::new();
    if let Some(url) = table.take("endpoint", values::text) {
        server = server.endpoint(url);
    }
    if let Some(url) = table.take("logs_endpoint", values::text) {
        server = server.logs_endpoint(url);
    }
    for (name, value) in table.take("headers", values::pairs).unwrap_or_default() {
        server = server.header(name, value);
    }
    if let Some(timeout) = table.take("timeout", values::duration) {
        server = server.timeout(timeout);
    }
    if let Some(compression) = table.take("compression", values::compression) {
        server = server.compression(compression);
    }
    for (name, value) in table.take("resource", values::pairs).unwrap_or_default() {
        server = server.resource(name, value);
    }
    if table.take("without_variables", values::flag) == Some(true) {
        server = server.without_variables();
    }
    if table.take("allow_insecure_http", values::flag) == Some(true) {
        server = server.allow_insecure_http();
    }
    server.into()
}

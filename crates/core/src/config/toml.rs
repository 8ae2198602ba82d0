//! Configuration out of one TOML file (feature `toml`). Every unknown key and every wrong value is a complaint with its
//! line; all of them come at once.

mod destinations;
mod network;
mod section;
mod values;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::output::What;
use super::settings::Settings;
use super::{ClientBuilder, Compression, Durability, Network, Output, Overflow, Spool};
use crate::level_filter::LevelFilter;
use destinations::Common;
use section::{Document, Section};

/// A file that is larger is no configuration.
const MAX_BYTES: u64 = 1 << 20;

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct FileConfig {
    settings: Settings,
    log: Option<String>,
    max_events_per_request: Option<u32>,
    allow_insecure_http: bool,
    without_collector: bool,
    batch_size: Option<usize>,
    flush_interval: Option<Duration>,
    compression: Option<Compression>,
    network: Network,
    spool: Option<Spool>,
    durability: Option<Durability>,
    queue_bytes: Option<usize>,
    queue_entries: Option<usize>,
    overflow: Option<Overflow>,
    running_after: Option<Duration>,
    outputs: Vec<Output>,
    /// What takes effect at the start only: keys and their values as they were written.
    pub(super) fixed: BTreeMap<String, String>,
}

/// Reads a file. What is wrong with it is in the complaints, and left out of the result.
pub(super) fn read(path: &Path, complaints: &mut Vec<String>) -> FileConfig {
    let shown = path.display();
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
    match read {
        Ok(read) if read as u64 > MAX_BYTES => {
            complaints.push(format!("{shown} is larger than a configuration file may be, 1 MiB"));
            FileConfig::default()
        }
        Ok(_) => parse(&text, &shown.to_string(), complaints),
        Err(error) => {
            complaints.push(format!("{shown} cannot be read: {error}"));
            FileConfig::default()
        }
    }
}

fn parse(text: &str, file: &str, complaints: &mut Vec<String>) -> FileConfig {
    let document = Document::new(text);
    let config = document.root().map(top_level).unwrap_or_default();
    complaints
        .extend(document.complaints().into_iter().map(|(line, wrong)| format!("{file}:{line}: {wrong}")));
    config
}

fn top_level(mut top: Section<'_>) -> FileConfig {
    let mut config = FileConfig { fixed: fixed(&top), ..FileConfig::default() };
    let settings = &mut config.settings;
    settings.service = top.take("service", values::text);
    settings.environment = top.take("environment", values::text);
    settings.service_version = top.take("service_version", values::text);
    settings.log_type = top.take("log_type", values::text);
    settings.hash_key = top.take("hash_key", values::text).map(Into::into);
    settings.enabled = top.take("enabled", values::flag);
    settings.backtraces = top.take("backtraces", values::flag);
    settings.trusted_proxies = top.take("trusted_proxies", values::texts).map(|list| list.join(","));
    config.log = top.take("log", |value| {
        let directives = values::text(value)?;
        let wrong = LevelFilter::default().apply(&directives);
        if wrong.is_empty() { Ok(directives) } else { Err(wrong.join("; ")) }
    });
    config.max_events_per_request = top.take("max_events_per_request", values::whole);
    config.batch_size = top.take("batch_size", values::whole);
    config.flush_interval = top.take("flush_interval", values::duration);
    config.compression = top.take("compression", values::compression);
    config.durability = top.take("durability", values::durability);
    config.network = top.section("network").map(network::network).unwrap_or_default();
    config.spool = top.section("spool").and_then(spool);
    config.queue_bytes = top.take("queue_bytes", values::bytes);
    config.queue_entries = top.take("queue_entries", values::whole);
    config.overflow = top.take("overflow", values::overflow);
    config.running_after = top.take("running_after", values::duration);
    if let Some(mut collector) = top.section("collector") {
        config.without_collector = collector.take("enabled", values::flag) == Some(false);
        config.settings.endpoint = collector.take("endpoint", values::text).map(Into::into);
        config.settings.api_key = collector.take("api_key", values::text).map(Into::into);
        config.allow_insecure_http = collector.take("allow_insecure_http", values::flag).unwrap_or_default();
        let output = Common::read(&mut collector).give(Output::collector());
        if !config.without_collector {
            config.outputs.push(output);
        }
        collector.end();
    }
    config.outputs.extend(top.sections("destination").into_iter().filter_map(destinations::destination));
    top.end();
    config
}

fn spool(mut section: Section<'_>) -> Option<Spool> {
    let dir = section.take("dir", values::text);
    let (max_bytes, max_age) =
        (section.take("max_bytes", values::bytes), section.take("max_age", values::duration));
    let (free, delay) =
        (section.take("leave_free", values::bytes), section.take("sync_after", values::duration));
    let keep_oldest = section.take("keep_oldest", values::flag).unwrap_or_default();
    let open_requests = section.take("open_requests", values::whole);
    if dir.is_none() {
        section.complain("`[spool]` needs `dir`".into());
    }
    section.end();
    let mut spool = Spool::new(dir?);
    if let Some(bytes) = max_bytes {
        spool = spool.max_bytes(bytes);
    }
    if let Some(age) = max_age {
        spool = spool.max_age(age);
    }
    if let Some(bytes) = free {
        spool = spool.leave_free(bytes);
    }
    if let Some(delay) = delay {
        spool = spool.sync_after(delay);
    }
    if let Some(at_most) = open_requests {
        spool = spool.open_requests(at_most);
    }
    Some(if keep_oldest { spool.keep_oldest() } else { spool })
}

/// What acts at the start only: all but destinations, what they take, and levels.
fn fixed(top: &Section<'_>) -> BTreeMap<String, String> {
    let mut written = top.written(&["destination", "log"]);
    let taken = ["enabled", "name", "min_level", "kinds", "targets"];
    written.retain(|key, _| !key.strip_prefix("collector.").is_some_and(|key| taken.contains(&key)));
    written
}

impl FileConfig {
    /// Gives the builder what neither code nor a variable said. Destinations come on top of those that are there.
    pub(super) fn lay_under(self, builder: &mut ClientBuilder) {
        builder.settings.lay_under(self.settings);
        builder.base_levels = self.log;
        builder.max_events_per_request = builder.max_events_per_request.or(self.max_events_per_request);
        builder.allow_insecure_http |= self.allow_insecure_http;
        builder.without_collector |= self.without_collector;
        builder.batch_size = builder.batch_size.or(self.batch_size);
        builder.flush_interval = builder.flush_interval.or(self.flush_interval);
        builder.compression = builder.compression.or(self.compression);
        builder.network.lay_under(self.network);
        builder.durability = builder.durability.or(self.durability);
        if builder.settings.spool.is_none() {
            builder.spool = builder.spool.take().or(self.spool);
        }
        builder.queue_bytes = builder.queue_bytes.or(self.queue_bytes);
        builder.queue_entries = builder.queue_entries.or(self.queue_entries);
        builder.overflow = builder.overflow.or(self.overflow);
        builder.running_after = builder.running_after.or(self.running_after);
        let is_collector = |output: &Output| matches!(output.what, What::Collector);
        let mut outputs = self.outputs;
        if builder.without_collector || builder.outputs.iter().any(is_collector) {
            outputs.retain(|output| !is_collector(output));
        }
        builder.outputs.extend(outputs);
    }
}

#[cfg(test)]
mod tests;

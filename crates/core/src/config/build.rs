//! From settings to a client: everything is checked, then started.

use std::sync::Arc;
use std::time::Duration;

use hoplog_entry::{ApiKey, Diagnostics, EntryId, NotAnApiKey};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

#[cfg(feature = "toml")]
use super::Reloader;
use super::{ClientBuilder, remote};
use crate::capture::Bodies;
use crate::client::Client;
use crate::clock::Clock;
use crate::destination::{BatchLimits, DialectConfig, Memory, Planned, RemoteConfig};
use crate::error::Error;
use crate::level_filter::{LevelFilter, LiveLevels, is_path};
use crate::open_requests::OpenRequests;
use crate::pipeline::{Pipeline, Policy};
use crate::queue::QueueLimits;
use crate::transport::{HttpConfig, Reach, is_loopback};
use crate::worker::Worker;

/// What entries may take in memory.
pub(super) const QUEUE_BYTES: usize = 16 << 20;

impl ClientBuilder {
    pub(super) fn build_from(
        mut self,
        variable: impl Fn(&str) -> Option<String>,
        memory: Option<Memory>,
    ) -> Result<Client, Error> {
        #[cfg(feature = "toml")]
        let blueprint = self.clone();
        let mut complaints = self.settings.fill_from(&variable);
        self.network.fill_from(&variable);
        let fixed = self.fill_from_file(&variable, &mut complaints);
        if complaints.is_empty() && self.settings.enabled == Some(false) {
            return Ok(Client::disabled());
        }
        let limits = self.limits(&mut complaints);
        let in_tests = memory.is_some();
        let (destinations, running) = match memory {
            Some(memory) => (vec![Planned::memory(memory)], Vec::new()),
            None => self.planned(&variable, limits.1, &mut complaints),
        };
        let policy = self.policy(&mut complaints);
        let source = self.settings.source(&mut complaints);
        // Last, for what is complained about is not built, and may be built again.
        if complaints.is_empty() {
            complaints.extend(destinations.iter().filter_map(Planned::give));
        }
        let Some(mut policy) = policy.filter(|_| complaints.is_empty()) else {
            return Err(Error::config(complaints));
        };
        policy.open_requests = destinations.iter().find_map(Planned::reporter).and_then(|reporter| {
            let (dir, places) = reporter.notes();
            let notes = OpenRequests::create(dir, places, &source);
            let warn = |error| {
                Diagnostics::default().warn("open", || format!("open requests cannot be noted: {error}"));
            };
            notes.map_err(warn).ok()
        });
        let pipeline = Arc::new(Pipeline::new(Clock::system(), limits.0, policy));
        let interval = self.flush_interval.unwrap_or(Duration::from_secs(1));
        let worker = Worker::start(Arc::clone(&pipeline), destinations, source, interval)?;
        let client = Client::new(pipeline, worker);
        if !in_tests {
            let ceiling = client.stats().memory_ceiling as f64 / f64::from(1 << 20);
            Diagnostics::default()
                .warn("memory", || format!("entries take {ceiling:.1} MiB of memory at most"));
        }
        #[cfg(feature = "toml")]
        client.reload_by(Reloader::new(blueprint, fixed, running));
        #[cfg(not(feature = "toml"))]
        let _ = (fixed, running);
        Ok(client)
    }

    /// What each stage of capturing says of its own part; `None` where one complains.
    fn policy(&self, complaints: &mut Vec<String>) -> Option<Policy> {
        let levels = self.level_filter(complaints);
        let trust = self.trust.build(self.settings.trusted_proxies.as_deref(), complaints);
        complaints.extend(self.bodies.iter().flat_map(Bodies::complaints));
        let rules = self.requests.build().map_err(|wrong| complaints.extend(wrong)).ok();
        let redactor = self
            .redaction
            .clone()
            .or_hash_key(self.settings.hash_key.as_deref())
            .build()
            .map_err(|wrong| complaints.extend(wrong))
            .ok();
        let mut policy = Policy::with(redactor?, rules?);
        (policy.trust, policy.bodies) = (trust, self.bodies.clone());
        policy.levels = LiveLevels::new(levels);
        policy.max_events = self.max_events_per_request.unwrap_or(policy.max_events);
        policy.backtraces = self.settings.backtraces.unwrap_or(policy.backtraces);
        policy.running_after = self.running_after.unwrap_or(policy.running_after);
        Some(policy)
    }

    /// What the file says, then code, then the variable: the last one counts.
    pub(super) fn level_filter(&self, complaints: &mut Vec<String>) -> LevelFilter {
        let mut levels = LevelFilter::default();
        // Complained about by the line, where it was read.
        self.base_levels.iter().for_each(|directives| drop(levels.apply(directives)));
        self.levels.iter().for_each(|(target, level)| levels.set(target.as_deref(), Some(*level)));
        for target in self.levels.iter().filter_map(|(target, _)| target.as_deref()).filter(|t| !is_path(t)) {
            complaints.push(format!(
                "`min_level_of`: `{target}` names no module; write `my_crate` or `my_crate::db`"
            ));
        }
        let wrong = self.settings.log.as_deref().map(|directives| levels.apply(directives));
        complaints.extend(wrong.into_iter().flatten().map(|wrong| format!("HOPLOG_LOG: {wrong}")));
        levels
    }

    pub(super) fn limits(&self, complaints: &mut Vec<String>) -> (QueueLimits, BatchLimits) {
        let mut check = |name: &str, value: Option<usize>, default: usize, least: usize, most: usize| {
            let value = value.unwrap_or(default);
            if !(least..=most).contains(&value) {
                complaints.push(format!("`{name}` is {value}; it must be from {least} to {most}"));
            }
            value
        };
        let batch =
            BatchLimits { entries: check("batch_size", self.batch_size, 1_000, 1, 10_000), bytes: 1 << 20 };
        let queue = QueueLimits {
            bytes: check("queue_bytes", self.queue_bytes, QUEUE_BYTES, 1 << 20, 1 << 34),
            entries: check("queue_entries", self.queue_entries, 65_536, 1_000, 1 << 30),
            wake_entries: batch.entries,
            wake_bytes: batch.bytes,
            overflow: self.overflow.unwrap_or_default(),
        };
        let interval = self.flush_interval.unwrap_or(Duration::from_secs(1));
        if interval < Duration::from_millis(10) || interval > Duration::from_secs(60) {
            complaints.push(format!("`flush_interval` is {interval:?}; it must be from 10 ms to 60 s"));
        }
        (queue, batch)
    }

    /// The collector's destination, unless something about it is wrong.
    pub(super) fn collector(
        &self,
        limits: BatchLimits,
        complaints: &mut Vec<String>,
    ) -> Option<RemoteConfig> {
        let url = self.settings.logs_url(complaints)?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = &self.settings.api_key {
            if ApiKey::parse(key) == Err(NotAnApiKey::Damaged) {
                complaints.push(
                    "`api_key` is mistyped or cut off: its checksum does not fit, copy it again".into(),
                );
            }
            match HeaderValue::from_str(&format!("Bearer {}", &**key)) {
                Ok(mut value) => {
                    value.set_sensitive(true);
                    headers.insert(AUTHORIZATION, value);
                }
                Err(_) => complaints.push("`api_key` has characters that a header cannot carry".into()),
            }
        }
        if headers.contains_key(AUTHORIZATION)
            && url.scheme() == "http"
            && !self.allow_insecure_http
            && !is_loopback(&url)
        {
            complaints.push(
                "the key would go over plain HTTP to another host: use https, or `allow_insecure_http()` if the way is private"
                    .into(),
            );
        }
        if url.scheme() == "https" && !cfg!(feature = "tls") {
            complaints.push("`endpoint` is https, but hoplog was built without its `tls` feature".into());
        }
        let timeout = remote::timeout("`Network::timeout`", self.network.answered_within(), complaints);
        let clock = Clock::system();
        let boot_id = EntryId::generate(clock.unix_ns(clock.now()) / 1_000_000);
        Some(RemoteConfig {
            http: HttpConfig { url, headers, timeout, reach: Reach::default(), peer: "the collector" },
            dialect: DialectConfig::Native { boot_id },
            limits,
            compression: self.compression.unwrap_or_default(),
            spool: None,
        })
    }
}

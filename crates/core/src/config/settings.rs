//! The settings that have variables.

use std::fmt;
use std::io::IsTerminal as _;
use std::ops::Deref;
use std::path::PathBuf;

use crate::destination::Source;

/// What its entries say that they were written by.
const SDK: &str = "hoplog-rust";
const DEFAULT_ENDPOINT: &str = "http://localhost:8000";

/// A setting that shows itself to nobody, as the debug output of a builder may be printed anywhere.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Deref for Secret {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What code or the environment said; `None` where neither did.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// May have credentials in it, which are complained about, and a path that nobody should know.
    pub(super) endpoint: Option<Secret>,
    pub(super) service: Option<String>,
    pub(super) environment: Option<String>,
    pub(super) service_version: Option<String>,
    pub(super) log_type: Option<String>,
    pub(super) api_key: Option<Secret>,
    pub(super) console: Option<String>,
    pub(super) file: Option<PathBuf>,
    pub(super) spool: Option<PathBuf>,
    pub(super) hash_key: Option<Secret>,
    pub(super) enabled: Option<bool>,
    pub(super) log: Option<String>,
    pub(super) backtraces: Option<bool>,
    pub(super) trusted_proxies: Option<String>,
}

impl Settings {
    /// Fills what is unset from variables; an empty variable counts as unset. Returns complaints.
    pub(super) fn fill_from(&mut self, variable: impl Fn(&str) -> Option<String>) -> Vec<String> {
        let first = |names: &[&str]| names.iter().find_map(|n| variable(n).filter(|v| !v.trim().is_empty()));
        let fill = |slot: &mut Option<String>, names: &[&str]| {
            if slot.is_none() {
                *slot = first(names);
            }
        };
        let fill_secret = |slot: &mut Option<Secret>, names: &[&str]| {
            if slot.is_none() {
                *slot = first(names).map(Secret);
            }
        };
        fill_secret(&mut self.endpoint, &["HOPLOG_ENDPOINT", "LOG_SERVER_URL"]);
        fill(&mut self.service, &["HOPLOG_SERVICE", "SERVICE_NAME", "OTEL_SERVICE_NAME"]);
        fill(&mut self.environment, &["HOPLOG_ENVIRONMENT", "ENVIRONMENT", "NODE_ENV"]);
        fill(&mut self.service_version, &["HOPLOG_SERVICE_VERSION", "SERVICE_VERSION"]);
        fill(&mut self.log_type, &["LOG_TYPE"]);
        fill_secret(&mut self.api_key, &["HOPLOG_API_KEY"]);
        fill_secret(&mut self.hash_key, &["HOPLOG_HASH_KEY"]);
        fill(&mut self.console, &["HOPLOG_CONSOLE"]);
        fill(&mut self.trusted_proxies, &["HOPLOG_TRUSTED_PROXIES"]);
        fill(&mut self.log, &["HOPLOG_LOG"]);
        if self.backtraces.is_none() {
            self.backtraces =
                first(&["RUST_LIB_BACKTRACE", "RUST_BACKTRACE"]).map(|value| value.trim() != "0");
        }
        if self.file.is_none() {
            self.file = first(&["HOPLOG_FILE"]).map(PathBuf::from);
        }
        if self.spool.is_none() {
            self.spool = first(&["HOPLOG_SPOOL"]).map(PathBuf::from);
        }
        let mut complaints = Vec::new();
        if self.enabled.is_none() {
            match first(&["HOPLOG_ENABLED"]).as_deref().map(str::trim) {
                None => {}
                Some("true" | "1" | "yes" | "on") => self.enabled = Some(true),
                Some("false" | "0" | "no" | "off") => self.enabled = Some(false),
                Some(other) => {
                    complaints.push(format!("HOPLOG_ENABLED is `{other}`; it must be `true` or `false`"))
                }
            }
        }
        complaints
    }

    /// Fills what is still unset from what a file says.
    #[cfg(feature = "toml")]
    pub(super) fn lay_under(&mut self, file: Self) {
        fn fill<T>(slot: &mut Option<T>, said: Option<T>) {
            if slot.is_none() {
                *slot = said;
            }
        }
        fill(&mut self.endpoint, file.endpoint);
        fill(&mut self.service, file.service);
        fill(&mut self.environment, file.environment);
        fill(&mut self.service_version, file.service_version);
        fill(&mut self.log_type, file.log_type);
        fill(&mut self.api_key, file.api_key);
        fill(&mut self.hash_key, file.hash_key);
        fill(&mut self.enabled, file.enabled);
        fill(&mut self.backtraces, file.backtraces);
        fill(&mut self.trusted_proxies, file.trusted_proxies);
    }

    /// The URL of `POST /logs` at the endpoint.
    pub(super) fn logs_url(&self, complaints: &mut Vec<String>) -> Option<reqwest::Url> {
        let text = self.endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT).trim();
        let mut url = match reqwest::Url::parse(text) {
            Ok(url) => url,
            Err(error) => {
                // The text itself may hold credentials.
                complaints
                    .push(format!("`endpoint` is not a URL ({error}); it looks like `{DEFAULT_ENDPOINT}`"));
                return None;
            }
        };
        let mut complain = |what: &str| {
            complaints.push(format!("`endpoint` {what}; it looks like `{DEFAULT_ENDPOINT}`"));
            None
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return complain("is neither http nor https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return complain("has credentials in it, which end up in logs: use `api_key`");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return complain("has a query or a fragment");
        }
        let path = format!("{}/logs", url.path().trim_end_matches('/').trim_end_matches("/logs"));
        url.set_path(&path);
        Some(url)
    }

    pub(super) fn source(&self, complaints: &mut Vec<String>) -> Source {
        let mut text = |name: &str, value: &Option<String>, default: &str, limit: usize| {
            let value = value.as_deref().unwrap_or(default).trim().to_owned();
            if value.len() > limit {
                complaints.push(format!("`{name}` has {} bytes; {limit} is the most", value.len()));
            }
            value
        };
        let mut source = Source {
            service: text("service", &self.service, "unknown", 100),
            environment: text("environment", &self.environment, "development", 100),
            service_version: text("service_version", &self.service_version, "v0.0.0-dev", 50),
            log_type: None,
            host: host_name(),
            pid: std::process::id(),
            sdk: SDK.into(),
            sdk_version: env!("CARGO_PKG_VERSION").into(),
            attributes: Vec::new(),
            place: None,
        };
        if let Some(log_type) = &self.log_type {
            let log_type = log_type.trim().to_uppercase();
            if matches!(log_type.as_str(), "BACKEND" | "FRONTEND" | "MOBILE" | "IOT" | "WORKER") {
                source.log_type = Some(log_type);
            } else {
                complaints.push("`log_type` must be BACKEND, FRONTEND, MOBILE, IOT or WORKER".into());
            }
        }
        source
    }
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// Whether standard output shows colours (<https://no-color.org>).
pub(super) fn colours() -> bool {
    let says = |name| std::env::var_os(name).unwrap_or_default();
    is_terminal() && says("NO_COLOR").is_empty() && says("TERM") != "dumb"
}

/// What the system calls this machine; empty where it does not say.
fn host_name() -> String {
    let from_system = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let from_environment = || std::env::var("HOSTNAME").or_else(|_| std::env::var("COMPUTERNAME")).ok();
    from_system.or_else(from_environment).unwrap_or_default().trim().to_owned()
}

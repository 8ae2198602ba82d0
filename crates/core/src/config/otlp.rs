//! Configuration of an OpenTelemetry backend as a destination.

use std::sync::Arc;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::settings::Secret;
use super::{Compression, remote};
use crate::destination::{BatchLimits, DialectConfig, RemoteConfig};
use crate::transport::{HttpConfig, Reach};

const DEFAULT_ENDPOINT: &str = "http://localhost:4318";
/// The protocol's own default.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// An OpenTelemetry backend as a destination: OTLP/HTTP with Protocol Buffers, one log record per entry, attribute
/// names of the HTTP semantic conventions. Feature `otlp`.
///
/// What is not set in code is taken from the variables of the OpenTelemetry specification; an empty one is as good as
/// none. Of two variables the one with `LOGS` in its name counts. Headers of variables go to one server: where several
/// destinations would take them, `build` complains.
///
/// | setter | variable | default |
/// |---|---|---|
/// | `endpoint` | `OTEL_EXPORTER_OTLP_ENDPOINT`; `v1/logs` is added | `http://localhost:4318` |
/// | `logs_endpoint` | `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT`, as it is | – |
/// | `header` | `OTEL_EXPORTER_OTLP_HEADERS`, `…_LOGS_HEADERS`: `name=value,name=value`, percent-encoded | none |
/// | `timeout` | `OTEL_EXPORTER_OTLP_TIMEOUT`, `…_LOGS_TIMEOUT`: milliseconds | 10 s |
/// | `compression` | `OTEL_EXPORTER_OTLP_COMPRESSION`, `…_LOGS_COMPRESSION`: `gzip`, `none` | gzip |
/// | `resource` | `OTEL_RESOURCE_ATTRIBUTES`: `name=value,name=value`, percent-encoded | – |
///
/// Only 429, 502, 503, 504 and failures of the connection are tried again, as the protocol has it; a batch that is
/// answered with another error is dropped and counted. But one that is too large (413), or refused for an entry (400,
/// 422), is sent in parts; one whose compression is not known (415) is sent without; and where the server refuses the
/// credentials (401, 403) or is none at all (404, 405, 3xx, 501, 505), entries are kept and it is asked once a minute:
/// a wrong key is no reason to lose a week. Such a server does not know entries by their ids.
///
/// ```
/// # use std::time::Duration;
/// let client = hoplog::Client::builder()
///     .without_variables()
///     .without_collector()
///     .otlp(hoplog::Otlp::new().endpoint("http://127.0.0.1:4318").resource("service.namespace", "shop"))
///     .build()?;
/// # client.flush_blocking(Duration::ZERO)?;
/// # Ok::<(), hoplog::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "it does nothing until it is given to `ClientBuilder::otlp`"]
pub struct Otlp {
    /// They may hold credentials, until `build` refuses them.
    endpoint: Option<Secret>,
    logs_endpoint: Option<Secret>,
    headers: remote::Headers,
    timeout: Option<Duration>,
    compression: Option<Compression>,
    resource: Vec<(String, String)>,
    allow_insecure_http: bool,
    without_variables: bool,
}

impl Otlp {
    /// The defaults, and what the environment says.
    pub fn new() -> Self {
        Self::default()
    }

    /// The server's URL for all signals; `v1/logs` is added to its path.
    pub fn endpoint(mut self, url: impl Into<String>) -> Self {
        self.endpoint = Some(Into::<String>::into(url).into());
        self
    }

    /// The URL for logs, as it is. Goes before [`Otlp::endpoint`].
    pub fn logs_endpoint(mut self, url: impl Into<String>) -> Self {
        self.logs_endpoint = Some(Into::<String>::into(url).into());
        self
    }

    /// A header for each request, such as an API key. One set in code makes the variables' headers unread.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(name.into(), value.into());
        self
    }

    /// How long an answer is waited for, 1 ms to 10 min. Default: 10 s.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How batches are compressed. Default: gzip, from 1 KiB up, which every OTLP server takes.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = Some(compression);
        self
    }

    /// An attribute of the resource, beside those that hoplog knows: service, version, environment, host, process.
    pub fn resource(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.push((name.into(), value.into()));
        self
    }

    /// Reads no `OTEL_*` variable for this destination: what is not set in code is its default.
    pub fn without_variables(mut self) -> Self {
        self.without_variables = true;
        self
    }

    /// Lets headers go over plain HTTP to another machine. Off by default: anyone on the way can read them.
    pub fn allow_insecure_http(mut self) -> Self {
        self.allow_insecure_http = true;
        self
    }

    pub(super) fn build(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
        limits: BatchLimits,
        complaints: &mut Vec<String>,
    ) -> Option<RemoteConfig> {
        let variables = self.variables(variable);
        let resource = self.resource_attributes(&variables, complaints);
        let compression = self.compression.unwrap_or_else(|| variables.compression(complaints));
        let timeout = self.timeout.or_else(|| variables.timeout(complaints)).unwrap_or(DEFAULT_TIMEOUT);
        let timeout = remote::timeout("`Otlp::timeout`", Some(timeout), complaints);
        let mut headers = self.headers.clone();
        if headers.is_empty() {
            let pairs = variables.signal("HEADERS").map(|(name, text)| pairs(&name, &text, complaints));
            pairs.into_iter().flatten().for_each(|(name, value)| headers.push(name, value));
        }
        let map = headers.build("application/x-protobuf", "`Otlp::header`", complaints);
        let (whose, text, as_it_is) = self.endpoint_of(&variables, complaints);
        let url = remote::url(&whose, &text, DEFAULT_ENDPOINT, complaints)?;
        if headers.exposed_by(&url) && !self.allow_insecure_http {
            complaints.push(
                "`Otlp::header` would go over plain HTTP to another host: use https, or \
                 `Otlp::allow_insecure_http` if the way is private"
                    .into(),
            );
        }
        let url = if as_it_is { url } else { remote::with_path(url, "v1/logs") };
        Some(RemoteConfig {
            http: HttpConfig { url, headers: map, timeout, reach: Reach::default(), peer: "the OTLP server" },
            dialect: DialectConfig::Otlp { resource: Arc::new(resource) },
            limits,
            compression,
            spool: None,
        })
    }

    fn variables<'v>(&self, variable: &'v dyn Fn(&str) -> Option<String>) -> Variables<'v> {
        Variables(if self.without_variables { &|_| None } else { variable })
    }

    /// Scheme, host and port of the server that gets the headers of variables; `None` where none are sent.
    pub(super) fn headers_of_variables_go_to(
        &self,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Option<String> {
        let variables = self.variables(variable);
        variables.signal("HEADERS").filter(|_| self.headers.is_empty())?;
        // What is wrong with the endpoint is said where it is built.
        let (_, url, _) = self.endpoint_of(&variables, &mut Vec::new());
        Some(reqwest::Url::parse(url.trim()).ok()?.origin().ascii_serialization())
    }

    /// Who names the endpoint, what it is, and whether it is the one for logs already.
    fn endpoint_of(&self, variables: &Variables<'_>, complaints: &mut Vec<String>) -> (String, String, bool) {
        if let Some(url) = &self.logs_endpoint {
            return ("`Otlp::logs_endpoint`".into(), url.to_string(), true);
        }
        if let Some(url) = &self.endpoint {
            return ("`Otlp::endpoint`".into(), url.to_string(), false);
        }
        let Some((name, url)) = variables.signal("ENDPOINT") else {
            return ("`Otlp::endpoint`".into(), DEFAULT_ENDPOINT.into(), false);
        };
        // An endpoint for gRPC does not speak HTTP/1.1.
        if let Some((protocol, value)) = variables.signal("PROTOCOL")
            && value.trim() != "http/protobuf"
        {
            complaints.push(format!(
                "{protocol} is `{value}`; hoplog speaks `http/protobuf`: set \
                 OTEL_EXPORTER_OTLP_LOGS_PROTOCOL and OTEL_EXPORTER_OTLP_LOGS_ENDPOINT"
            ));
        }
        let as_it_is = name.contains("LOGS");
        (name, url, as_it_is)
    }

    /// Those of the environment, then those set in code: the last of one name counts.
    fn resource_attributes(
        &self,
        variables: &Variables<'_>,
        complaints: &mut Vec<String>,
    ) -> Vec<(String, String)> {
        const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let text = variables.get(NAME).unwrap_or_default();
        let mut resource = pairs(NAME, &text, complaints);
        resource.extend(self.resource.iter().cloned());
        resource
    }
}

/// The variables of the specification ("OpenTelemetry Protocol Exporter").
struct Variables<'v>(&'v dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    /// An empty one is unset.
    fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.trim().is_empty())
    }

    /// The one for logs, else the one for all signals.
    fn signal(&self, what: &str) -> Option<(String, String)> {
        ["OTEL_EXPORTER_OTLP_LOGS_", "OTEL_EXPORTER_OTLP_"].into_iter().find_map(|prefix| {
            let name = format!("{prefix}{what}");
            self.get(&name).map(|value| (name, value))
        })
    }

    fn timeout(&self, complaints: &mut Vec<String>) -> Option<Duration> {
        let (name, value) = self.signal("TIMEOUT")?;
        let millis = value.trim().parse().ok().map(Duration::from_millis);
        if millis.is_none() {
            complaints.push(format!("{name} is `{value}`; it must be a number of milliseconds"));
        }
        millis
    }

    fn compression(&self, complaints: &mut Vec<String>) -> Compression {
        let Some((name, value)) = self.signal("COMPRESSION") else { return Compression::Gzip };
        match value.trim() {
            "gzip" => Compression::Gzip,
            "none" => Compression::None,
            _ => {
                complaints.push(format!("{name} is `{value}`; it must be `gzip` or `none`"));
                Compression::None
            }
        }
    }
}

/// `name=value,name=value`, percent-encoded as in W3C Baggage. A complaint does not show the values: they may be keys.
fn pairs(variable: &str, text: &str, complaints: &mut Vec<String>) -> Vec<(String, String)> {
    let decode = |part: &str| percent_decode_str(part.trim()).decode_utf8().ok().map(String::from);
    let mut pairs = Vec::new();
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let pair = pair.split_once('=').and_then(|(name, value)| Some((decode(name)?, decode(value)?)));
        match pair.filter(|(name, _)| !name.is_empty()) {
            Some(pair) => pairs.push(pair),
            None => {
                complaints.push(format!("{variable} is not `name=value,name=value`, percent-encoded"));
                return Vec::new();
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests;

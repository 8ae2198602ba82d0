//! What an entry has to say, and how it is held against one.

use serde_json::Value;

use super::run::Window;
use crate::wire::Response;

/// An entry as it must be. Begins as `GET`, 200, completed, INFO, no request body.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    method: &'static str,
    path: &'static str,
    route: Option<&'static str>,
    outcome: &'static str,
    status: Option<u16>,
    level: &'static str,
    request_size: Option<u64>,
    response_size: Size,
    error: Option<&'static str>,
    streamed: bool,
    version: &'static str,
    also: &'static [(&'static str, &'static str)],
}

/// Bytes of the response body.
#[derive(Debug, Clone, Copy)]
pub enum Size {
    /// There was no response, or none that could be seen.
    None,
    /// So many.
    Exactly(u64),
    /// Some, but fewer.
    Below(u64),
    /// The client left at some time after so many.
    AtLeast(u64),
}

impl Entry {
    /// An entry of a request for this path, whose route is the path.
    #[must_use]
    pub const fn of(method: &'static str, path: &'static str) -> Self {
        Self {
            method,
            path,
            route: Some(path),
            outcome: "completed",
            status: Some(200),
            level: "INFO",
            request_size: Some(0),
            response_size: Size::Exactly(0),
            error: None,
            streamed: false,
            version: "1.1",
            also: &[],
        }
    }

    /// The route's template, or none.
    #[must_use]
    pub const fn route(mut self, route: Option<&'static str>) -> Self {
        self.route = route;
        self
    }

    /// How it ended.
    #[must_use]
    pub const fn ended(mut self, outcome: &'static str, status: Option<u16>, level: &'static str) -> Self {
        (self.outcome, self.status, self.level) = (outcome, status, level);
        if status.is_none() {
            self.response_size = Size::None;
        }
        self
    }

    /// Bytes of the response's body.
    #[must_use]
    pub const fn sized(mut self, size: Size) -> Self {
        self.response_size = size;
        self
    }

    /// Bytes of the request's body; `None` where they are not declared.
    #[must_use]
    pub const fn took(mut self, size: Option<u64>) -> Self {
        self.request_size = size;
        self
    }

    /// Its `error_message` contains this.
    #[must_use]
    pub const fn error(mut self, message: &'static str) -> Self {
        self.error = Some(message);
        self
    }

    /// The body came after the head, so the first byte came before the last.
    #[must_use]
    pub const fn streamed(mut self) -> Self {
        self.streamed = true;
        self
    }

    /// Of HTTP.
    #[must_use]
    pub const fn version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Members of the entry with their values.
    #[must_use]
    pub const fn also(mut self, members: &'static [(&'static str, &'static str)]) -> Self {
        self.also = members;
        self
    }

    pub(super) fn method(&self) -> &'static str {
        self.method
    }

    pub(super) fn path(&self) -> &'static str {
        self.path
    }

    pub(super) fn outcome(&self) -> &'static str {
        self.outcome
    }

    pub(super) fn has_head(&self) -> bool {
        self.status.is_some()
    }

    /// Everything that is wrong with `entry`, one per line.
    pub(super) fn complaints(
        &self,
        entry: &Value,
        response: Option<&Response>,
        window: &Window,
    ) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut equal = |name: &str, expected: Value| {
            if entry[name] != expected {
                wrong.push(format!("{name} is {}, not {expected}", entry[name]));
            }
        };
        equal("kind", "request".into());
        equal("method", self.method.into());
        equal("path", self.path.into());
        equal("route", self.route.into());
        equal("outcome", self.outcome.into());
        equal("status_code", self.status.into());
        equal("level", self.level.into());
        equal("request_size", self.request_size.into());
        equal("http_version", self.version.into());
        equal("host_header", "test".into());
        equal("peer", "127.0.0.1".into());
        for (name, value) in self.also {
            equal(name, (*value).into());
        }
        // What the client was told is what the entry says. An answer from outside of the layer carries no ids.
        if let Some(response) = response.filter(|_| self.has_head()) {
            let told = |name: &str| response.header(name).map(Value::from).unwrap_or_default();
            equal("request_id", told("x-request-id"));
            let opaque = !entry["x_trace_id"].is_null();
            equal(if opaque { "x_trace_id" } else { "trace_id" }, told("x-trace-id"));
            equal("status_code", response.status.into());
        }
        wrong.extend(self.wrong_ids(entry));
        wrong.extend(self.wrong_sizes(entry));
        wrong.extend(self.wrong_times(entry, window));
        wrong.extend(self.wrong_error(entry));
        wrong
    }

    fn wrong_ids(&self, entry: &Value) -> Vec<String> {
        let hex = |name: &str, length: usize| {
            let text = entry[name].as_str().unwrap_or_default();
            let good = text.len() == length && text.bytes().all(|b| b.is_ascii_hexdigit());
            (!good).then(|| format!("{name} is {}", entry[name]))
        };
        let id = entry["id"].as_str().unwrap_or_default();
        let version_7 = id.len() == 36 && id.as_bytes()[14] == b'7';
        [hex("trace_id", 32), hex("span_id", 16), (!version_7).then(|| format!("id is {id:?}, no UUIDv7"))]
            .into_iter()
            .flatten()
            .collect()
    }

    fn wrong_sizes(&self, entry: &Value) -> Option<String> {
        let size = entry["response_size"].as_u64();
        let good = match self.response_size {
            Size::None => size.is_none(),
            Size::Exactly(n) => size == Some(n),
            Size::Below(n) => size.is_some_and(|size| size > 0 && size < n),
            Size::AtLeast(n) => size.is_some_and(|size| size >= n),
        };
        (!good).then(|| format!("response_size is {size:?}, not {:?}", self.response_size))
    }

    fn wrong_times(&self, entry: &Value, window: &Window) -> Option<String> {
        let number = |name: &str| entry[name].as_f64();
        let (ttfb, duration, created) = (number("ttfb_ms"), number("duration_ms"), number("created_at"));
        let duration_good = duration.is_some_and(|d| d > 0.0 && d <= window.elapsed_ms());
        let ttfb_good = match (ttfb, self.has_head()) {
            (None, false) => true,
            (Some(ttfb), true) if self.streamed => ttfb > 0.0 && Some(ttfb) < duration,
            (Some(ttfb), true) => ttfb > 0.0 && Some(ttfb) <= duration,
            _ => false,
        };
        let good = duration_good && ttfb_good && created.is_some_and(|at| window.contains(at));
        (!good).then(|| {
            format!("times are wrong: ttfb {ttfb:?} ms, duration {duration:?} ms, created {created:?}, in {window:?}")
        })
    }

    fn wrong_error(&self, entry: &Value) -> Option<String> {
        let message = entry["error_message"].as_str();
        let good = match self.error {
            None => message.is_none(),
            Some(expected) => {
                message.is_some_and(|m| m.contains(expected)) && entry["error_type"].is_string()
            }
        };
        (!good).then(|| {
            format!("the error is {message:?} of type {}, not {:?}", entry["error_type"], self.error)
        })
    }
}

//! An entry as the collector shows it, and what it says of itself in few words.

use super::terminal::{Page, Tone};
use hoplog_entry::Civil;
use serde::Deserialize;
use serde_json::{Map, Value};

/// More of a value of one's own is not printed; `--json` has all of it.
const MOST_VALUE: usize = 200;

/// The fields that are printed. One that is missing, as from another version, is as good as empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Entry {
    /// Unix seconds.
    pub(crate) created_at: f64,
    pub(crate) level: String,
    pub(crate) service: String,
    pub(crate) kind: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) method: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) route: Option<String>,
    pub(crate) query: Option<String>,
    pub(crate) status_code: Option<i64>,
    pub(crate) outcome: Option<String>,
    pub(crate) duration_ms: Option<f64>,
    pub(crate) trace_id: Option<String>,
    pub(crate) span_id: Option<String>,
    pub(crate) parent_span_id: Option<String>,
    pub(crate) error_type: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) slow: Option<bool>,
    pub(crate) weight: Option<f64>,
    pub(crate) metadata: Option<Map<String, Value>>,
}

impl Entry {
    /// A request or a call: something that lasts. Anything else happens at one moment.
    pub(crate) fn is_span(&self) -> bool {
        matches!(self.kind.as_deref(), Some("request" | "outgoing" | "running"))
    }

    /// A request that had not ended when it was last told of.
    pub(crate) fn is_running(&self) -> bool {
        self.kind.as_deref() == Some("running")
    }

    pub(crate) fn is_call(&self) -> bool {
        self.kind.as_deref() == Some("outgoing")
    }

    /// Microseconds since the Unix epoch; whole ones, so that equal times are equal.
    pub(crate) fn begun(&self) -> i64 {
        whole(self.created_at * 1e6)
    }

    /// Microseconds.
    pub(crate) fn lasted(&self) -> i64 {
        whole(self.duration_ms.unwrap_or_default() * 1e3).max(0)
    }

    /// `2026-03-10T12:00:00.000Z`.
    pub(crate) fn moment(&self) -> String {
        match u64::try_from(self.begun()) {
            Ok(micros) => {
                format!("{}.{:03}Z", Civil::from_unix(micros / 1_000_000), micros / 1_000 % 1_000)
            }
            Err(_) => format!("{}", self.created_at),
        }
    }

    /// Whether it is named by what was asked; an event is not, while it has something to say.
    fn is_exchange(&self) -> bool {
        let silent = self.message.as_deref().is_none_or(str::is_empty);
        (self.is_span() || silent) && (self.method.is_some() || self.path.is_some() || self.route.is_some())
    }

    /// By status and outcome for a request or a call, by level for anything else.
    pub(crate) fn tone(&self) -> Tone {
        let outcome = self.outcome.as_deref();
        match self.status_code {
            _ if self.is_running() => Tone::Open,
            _ if matches!(outcome, Some("panicked" | "service_error" | "process_died")) => Tone::Bad,
            Some(500..) => Tone::Bad,
            _ if matches!(outcome, Some("cancelled" | "body_aborted" | "timed_out")) => Tone::Warn,
            Some(400..) => Tone::Warn,
            Some(300..) => Tone::Redirect,
            Some(_) => Tone::Good,
            None if self.is_span() => Tone::Plain,
            None => self.level_tone(),
        }
    }

    pub(crate) fn level_tone(&self) -> Tone {
        match self.level.as_str() {
            "ERROR" | "FATAL" => Tone::Bad,
            "WARN" => Tone::Warn,
            "INFO" => Tone::Plain,
            _ => Tone::Dim,
        }
    }

    /// What was asked and what it came to, or what an event says. `brief` names the route in place of the path.
    pub(crate) fn what(&self, page: &mut Page, brief: bool) {
        if self.is_exchange() {
            let (path, query) = (self.path.as_deref(), self.query.as_deref().unwrap_or_default());
            let route = self.route.as_deref();
            page.add(Tone::Plain, format_args!("{}", if self.is_call() { "→ " } else { "" }));
            page.tell(Tone::Plain, self.method.as_deref().unwrap_or("-"));
            page.tell(Tone::Plain, " ");
            page.tell(Tone::Plain, if brief { route.or(path) } else { path.or(route) }.unwrap_or("-"));
            if !brief && !query.is_empty() {
                page.tell(Tone::Plain, &format!("?{query}"));
            }
        } else {
            page.tell(self.level_tone(), self.message.as_deref().unwrap_or_default());
        }
    }

    /// What it came to, where that is not `completed`.
    pub(crate) fn ending(&self, page: &mut Page) {
        match self.outcome.as_deref() {
            _ if self.is_running() => page.add(Tone::Open, format_args!(" running")),
            None | Some("completed") => {}
            Some(outcome) => page.tell(self.tone(), &format!(" {outcome}")),
        }
    }

    /// What else is worth a word, on the same line: errors, marks, the entry's own fields.
    pub(crate) fn details(&self, page: &mut Page) {
        for (name, value) in [("error", &self.error_type), ("error_message", &self.error_message)] {
            if let Some(text) = value {
                page.tell(Tone::Bad, &format!(" {name}={text}"));
            }
        }
        if self.slow == Some(true) {
            page.add(Tone::Warn, format_args!(" slow"));
        }
        if let Some(weight) = self.weight.filter(|weight| *weight != 1.0) {
            page.add(Tone::Dim, format_args!(" ×{weight}"));
        }
        for (name, value) in self.metadata.iter().flatten() {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            page.tell(Tone::Dim, &format!(" {name}="));
            match text.char_indices().nth(MOST_VALUE) {
                None => page.tell(Tone::Plain, &text),
                Some((end, _)) => {
                    page.tell(Tone::Plain, &format!("{}…", text.get(..end).unwrap_or_default()))
                }
            }
        }
    }
}

/// The nearest whole number; the ends of `i64` beyond them, 0 for no number.
#[expect(clippy::cast_possible_truncation, reason = "as said")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

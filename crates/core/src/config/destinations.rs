//! From what was asked for to destinations that are ready to run, each with a name of its own.

use super::build::QUEUE_BYTES;
use super::output::What;
use super::{ClientBuilder, Durability, LogFile, Output, Spool, settings};
use crate::destination::{BatchLimits, Form, Lines, Planned, Prepared, RemoteConfig, Sink};

/// Entries on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Console {
    /// Text where standard output is a terminal, else JSON: for people while they look, for tools else.
    Auto,
    /// Readable lines, with colours where standard output is a terminal and `NO_COLOR` is unset.
    Text,
    /// One JSON object per line.
    Json,
    /// One JSON object per line, with the names of the Elastic Common Schema.
    Ecs,
}

/// What runs under which name; for a later reload.
pub(super) type Running = Vec<(String, What)>;

impl ClientBuilder {
    /// The collector, then what the settings name, then what was added.
    pub(super) fn planned(
        &mut self,
        variable: &dyn Fn(&str) -> Option<String>,
        limits: BatchLimits,
        complaints: &mut Vec<String>,
    ) -> (Vec<Planned>, Running) {
        let mut outputs = std::mem::take(&mut self.outputs);
        let is_collector = |output: &Output| matches!(output.what, What::Collector);
        let collector = outputs.iter().find(|output| is_collector(output)).cloned();
        let said = outputs.iter().filter(|output| is_collector(output)).count();
        if said > usize::from(!self.without_collector) {
            complaints.push(
                "`destination`: `Output::collector()` stands for the one collector, which is there already: say all of it in one, and leave out `without_collector`"
                    .into(),
            );
        }
        outputs.retain(|output| !is_collector(output));
        let mut all = Vec::new();
        if !self.without_collector {
            all.push(collector.unwrap_or_else(Output::collector));
        }
        all.extend(self.named(complaints));
        all.extend(outputs);
        if all.is_empty() && complaints.is_empty() {
            complaints.push(
                "no destination: `without_collector` needs `console`, `file` or another `destination`".into(),
            );
        }
        let spool = self.spooling(complaints);
        let reach = self.network.reach(complaints);
        let reporter = spool.as_ref().and_then(|(spool, _)| spool.reporter(complaints));
        let (mut planned, mut running) = (Vec::new(), Vec::new());
        for (name, output) in with_names(all, complaints) {
            let mut prepared = self.prepared(&output.what, variable, limits, complaints);
            if let Some(Prepared::Remote(config)) = &mut prepared {
                config.http.reach = reach.clone();
            }
            if let (Some(Prepared::Remote(config)), Some((spool, durability))) = (&mut prepared, &spool) {
                let bytes = self.queue_bytes.unwrap_or(QUEUE_BYTES);
                config.spool = spool.plan(&name, *durability, bytes, reporter.as_ref(), complaints);
            }
            let filter = output.filter;
            planned.extend(prepared.map(|prepared| Planned { name: name.clone(), filter, prepared }));
            running.push((name, output.what));
        }
        #[cfg(feature = "otlp")]
        if let Some(complaint) = headers_for_several(&running, variable) {
            complaints.push(complaint);
        }
        (planned, running)
    }

    /// The directory for what is not delivered, if one is to be used.
    fn spooling(&self, complaints: &mut Vec<String>) -> Option<(Spool, Durability)> {
        let named = self.settings.spool.clone().map(Spool::new);
        let spool = self.spool.clone().or(named);
        let default = if spool.is_some() { Durability::Spool } else { Durability::Memory };
        match (self.durability.unwrap_or(default), spool) {
            (Durability::Memory, _) => None,
            (durability, Some(spool)) => spool.checked(complaints).cloned().map(|spool| (spool, durability)),
            (durability, None) => {
                complaints.push(format!(
                    "`durability` is {durability:?}, which needs a directory: name one by `spool` or HOPLOG_SPOOL"
                ));
                None
            }
        }
    }

    /// `None` where it complains.
    fn prepared(
        &self,
        what: &What,
        variable: &dyn Fn(&str) -> Option<String>,
        limits: BatchLimits,
        complaints: &mut Vec<String>,
    ) -> Option<Prepared> {
        // Only OTLP has variables of its own.
        #[cfg(not(feature = "otlp"))]
        let _ = variable;
        let remote = |config: RemoteConfig| Prepared::Remote(Box::new(config));
        match what {
            What::Collector => self.collector(limits, complaints).map(remote),
            What::LogCollector(server) => server.build(limits, complaints).map(remote),
            #[cfg(feature = "otlp")]
            What::Otlp(server) => server.build(variable, limits, complaints).map(remote),
            What::Console(console) => Some(console.prepared()),
            What::File(file) => file.prepared(complaints),
            What::Own(own) => Some(Prepared::Own(own.clone())),
        }
    }

    /// Those that have settings of their own.
    fn named(&self, complaints: &mut Vec<String>) -> Vec<Output> {
        let console = match self.settings.console.as_deref().map(str::trim) {
            None | Some("" | "off") => None,
            Some("auto") => Some(Console::Auto),
            Some("text") => Some(Console::Text),
            Some("json") => Some(Console::Json),
            Some("ecs") => Some(Console::Ecs),
            Some(other) => {
                complaints.push(format!(
                    "HOPLOG_CONSOLE is `{other}`; it must be `auto`, `text`, `json`, `ecs` or `off`"
                ));
                None
            }
        };
        let file = self.settings.file.as_ref().map(LogFile::new);
        console.map(Output::from).into_iter().chain(file.map(Output::from)).collect()
    }
}

impl Console {
    fn prepared(self) -> Prepared {
        let form = match self {
            Self::Text => Form::Text { colour: settings::colours(), dated: false },
            Self::Auto if settings::is_terminal() => Form::Text { colour: settings::colours(), dated: false },
            Self::Auto | Self::Json => Form::Json,
            Self::Ecs => Form::Ecs,
        };
        Prepared::Lines(Lines { form, sink: Sink::Console })
    }
}

/// A key in a variable is one server's; another one must not get it.
#[cfg(feature = "otlp")]
fn headers_for_several(running: &Running, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut servers = running.iter().filter_map(|(_, what)| match what {
        What::Otlp(server) => server.headers_of_variables_go_to(variable),
        _ => None,
    });
    let first = servers.next()?;
    servers.any(|server| server != first).then(|| {
        "OTEL_EXPORTER_OTLP_HEADERS would go to several servers: give each but one its own `Otlp::header`, or \
         `Otlp::without_variables`"
            .into()
    })
}

/// Gives a name to those that have none; two of the same name are a complaint.
fn with_names(outputs: Vec<Output>, complaints: &mut Vec<String>) -> Vec<(String, Output)> {
    let mut taken: Vec<String> = Vec::new();
    for name in outputs.iter().filter_map(|output| output.name.as_deref()) {
        if name.trim().is_empty() || name.len() > 100 {
            complaints.push(format!("`destination` is named `{name}`; a name has 1 to 100 bytes"));
        } else if taken.iter().any(|other| other == name) {
            complaints.push(format!("`destination`: two are named `{name}`; give each a name of its own"));
        }
        taken.push(name.to_owned());
    }
    let named = outputs.into_iter().map(|output| {
        let name = output.name.clone();
        (name.unwrap_or_else(|| free_name(output.what.default_name(), &mut taken)), output)
    });
    named.collect()
}

/// `file`, `file-2`, `file-3`, …
fn free_name(base: &str, taken: &mut Vec<String>) -> String {
    let numbered = (2u32..).map(|n| format!("{base}-{n}"));
    let free = std::iter::once(base.to_owned()).chain(numbered).find(|name| !taken.contains(name));
    let name = free.unwrap_or_else(|| base.to_owned());
    taken.push(name.clone());
    name
}

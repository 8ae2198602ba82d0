//! From what was asked for to destinations that are ready to run, each with a name of its own.

use super::output::What;
use super::{ClientBuilder, Console, LogFile, Output, settings};
use crate::destination::{BatchLimits, Filter, Form, Lines, Planned, Prepared, RemoteConfig, Sink};

impl ClientBuilder {
    /// The collector, then what the settings name, then what was added.
    pub(super) fn planned(
        &mut self,
        variable: &dyn Fn(&str) -> Option<String>,
        limits: BatchLimits,
        complaints: &mut Vec<String>,
    ) -> Vec<Planned> {
        // Only OTLP has variables of its own.
        #[cfg(not(feature = "otlp"))]
        let _ = variable;
        let outputs = std::mem::take(&mut self.outputs);
        let mut ready: Vec<(Option<String>, Filter, Prepared)> = Vec::new();
        let mut collector = outputs.iter().filter(|output| matches!(output.what, What::Collector));
        if !self.without_collector
            && let Some(config) = self.collector(limits, complaints)
        {
            let said = collector.next();
            let name = said.and_then(|output| output.name.clone());
            let filter = said.map(|output| output.filter.clone()).unwrap_or_default();
            ready.push((name, filter, Prepared::Remote(Box::new(config))));
        }
        if collector.next().is_some() {
            complaints.push(
                "`destination`: `Output::collector()` stands for the one collector, which is there already: say all of it in one, and leave out `without_collector`"
                    .into(),
            );
        }
        ready.extend(self.named(complaints).into_iter().map(|prepared| (None, Filter::default(), prepared)));
        for Output { what, name, filter } in outputs {
            let prepared = match what {
                What::Collector => None,
                What::LogCollector(server) => remote(server.build(limits, complaints)),
                #[cfg(feature = "otlp")]
                What::Otlp(server) => remote(server.build(variable, limits, complaints)),
                What::Console(console) => Some(console.prepared()),
                What::File(file) => file.prepared("`LogFile`", complaints),
                What::Own(own) => Some(Prepared::Own(own)),
            };
            ready.extend(prepared.map(|prepared| (name, filter, prepared)));
        }
        if ready.is_empty() && complaints.is_empty() {
            complaints.push(
                "no destination: `without_collector` needs `console`, `file` or another `destination`".into(),
            );
        }
        with_names(ready, complaints)
    }

    /// Those that have settings of their own.
    fn named(&self, complaints: &mut Vec<String>) -> Vec<Prepared> {
        let mut destinations = Vec::new();
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
        destinations.extend(console.map(Console::prepared));
        if let Some(path) = &self.settings.file {
            destinations.extend(LogFile::new(path).prepared("`file`", complaints));
        }
        destinations
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

fn remote(config: Option<RemoteConfig>) -> Option<Prepared> {
    config.map(|config| Prepared::Remote(Box::new(config)))
}

/// Gives a name to those that have none; two of the same name are a complaint.
fn with_names(ready: Vec<(Option<String>, Filter, Prepared)>, complaints: &mut Vec<String>) -> Vec<Planned> {
    let mut taken: Vec<String> = Vec::new();
    for name in ready.iter().filter_map(|(name, ..)| name.as_deref()) {
        if name.trim().is_empty() || name.len() > 100 {
            complaints.push(format!("`destination` is named `{name}`; a name has 1 to 100 bytes"));
        } else if taken.iter().any(|other| other == name) {
            complaints.push(format!("`destination`: two are named `{name}`; give each a name of its own"));
        }
        taken.push(name.to_owned());
    }
    let mut planned = Vec::new();
    for (name, filter, prepared) in ready {
        let name = name.unwrap_or_else(|| free_name(prepared.default_name(), &mut taken));
        planned.push(Planned { name, filter, prepared });
    }
    planned
}

/// `file`, `file-2`, `file-3`, …
fn free_name(base: &str, taken: &mut Vec<String>) -> String {
    let numbered = (2u32..).map(|n| format!("{base}-{n}"));
    let free = std::iter::once(base.to_owned()).chain(numbered).find(|name| !taken.contains(name));
    let name = free.unwrap_or_else(|| base.to_owned());
    taken.push(name.clone());
    name
}

//! Reading the configuration again while the client runs.

use super::ClientBuilder;
use super::destinations::Running;
use super::from_file::Fixed;
use crate::destination::Planned;
use crate::error::Error;
use crate::level_filter::LevelFilter;

/// What a reload did, from [`Client::reload`](crate::Client::reload).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reloaded {
    /// Destinations that are new, or different from what they were.
    pub begun: Vec<String>,
    /// Destinations that are gone, or were different.
    pub ended: Vec<String>,
    /// Keys whose values are others than at the start, and that act at the start only.
    pub needs_restart: Vec<String>,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Changes {
    /// Every destination that there is to be, and whether it runs already, and need only change its filter.
    pub(crate) destinations: Vec<(Planned, bool)>,
    pub(crate) levels: LevelFilter,
    pub(crate) report: Reloaded,
}

/// How a client was built, and what came of it.
#[derive(Debug)]
pub(crate) struct Reloader {
    /// What code said.
    blueprint: ClientBuilder,
    fixed: Fixed,
    running: Running,
}

impl Reloader {
    pub(super) fn new(blueprint: ClientBuilder, fixed: Fixed, running: Running) -> Self {
        Self { blueprint, fixed, running }
    }

    /// Compares what runs with what variables and file say now, and takes that to be done.
    ///
    /// # Errors
    /// Every complaint at once; nothing is to be changed then.
    pub(crate) fn changes(&mut self) -> Result<Changes, Error> {
        let mut builder = self.blueprint.clone();
        let read = !builder.without_variables;
        let variable = |name: &str| std::env::var(name).ok().filter(|_| read);
        let mut complaints = builder.settings.fill_from(variable);
        builder.network.fill_from(variable);
        let fixed = builder.fill_from_file(&variable, &mut complaints);
        if builder.config_file.is_none() {
            complaints.push("there is no file to read again: use `config_file` or HOPLOG_CONFIG".into());
        }
        let (_, limits) = builder.limits(&mut complaints);
        let levels = builder.level_filter(&mut complaints);
        let (planned, running) = builder.planned(&variable, limits, &mut complaints);
        if !complaints.is_empty() {
            return Err(Error::config(complaints));
        }
        let names = |of: &Running, other: &Running| -> Vec<String> {
            of.iter().filter(|each| !other.contains(each)).map(|(name, _)| name.clone()).collect()
        };
        let report = Reloaded {
            begun: names(&running, &self.running),
            ended: names(&self.running, &running),
            needs_restart: differing(&self.fixed, &fixed),
        };
        let stays = |name: &String| !report.begun.contains(name);
        let destinations = planned.into_iter().map(|each| (stays(&each.name), each));
        let destinations = destinations.map(|(stays, each)| (each, stays)).collect();
        self.running = running;
        Ok(Changes { destinations, levels, report })
    }
}

/// The keys that are in one only, or have other values.
fn differing(before: &Fixed, after: &Fixed) -> Vec<String> {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| before.get(*key) != after.get(*key));
    keys.into_iter().cloned().collect()
}

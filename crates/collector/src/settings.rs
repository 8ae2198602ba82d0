//! A collector's configuration: one TOML file, above it the environment, above that the command line. What is wrong with
//! any of it is said all at once.
//!
//! ```text
//! hoplog.toml  [retention] days = 14   ─┐
//! environment  HOPLOG_RETENTION_DAYS=14 ├─► texts by name ─► one table of settings ─► Config
//! flags        --listen 0.0.0.0:8000   ─┘     (later wins)      reads, and shows
//! ```
//!
//! A secret comes from a file of its own (`api_key_file`, `HOPLOG_API_KEY_FILE`), from the environment, or from a
//! configuration file that only its owner may read. It is never shown.

use crate::config::Config;
use crate::error::StartError;
use crate::store::open::Address;
use crate::store::postgres::check::check;
use crate::time::Day;
use file::Place;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use table::{SETTINGS, Setting};

mod file;
mod forms;
mod table;
#[cfg(test)]
mod tests;

/// What was said of a collector, by name of the setting.
#[derive(Default)]
pub struct Settings {
    said: BTreeMap<&'static str, Said>,
    complaints: Vec<String>,
}

/// What was said of one setting, and where.
struct Said {
    values: Vec<String>,
    origin: String,
}

/// Everything that is wrong with a configuration, a line each.
#[derive(Debug)]
pub struct Complaints(Vec<String>);

/// A configuration, and where each setting comes from.
#[derive(Debug)]
pub struct Effective {
    /// What a collector starts with.
    pub config: Config,
    origins: BTreeMap<&'static str, String>,
}

impl Settings {
    /// Takes what a TOML file says.
    pub fn file(&mut self, path: &Path) {
        for (name, place) in file::read(path, &mut self.complaints) {
            let Place { line, values } = place;
            let origin = format!("{}:{line}", path.display());
            self.say(&name, values, origin, |name| name.to_owned());
        }
    }

    /// Takes what the environment says: `HOPLOG_RETENTION_DAYS` for `retention.days`. Several values stand with commas
    /// between. An empty variable says nothing.
    pub fn environment(&mut self, variable: impl Fn(&str) -> Option<String>) {
        for setting in SETTINGS {
            for suffix in if setting.secret { &["", "_FILE"][..] } else { &[""] } {
                let name = setting.variable() + suffix;
                let Some(value) = variable(&name).filter(|value| !value.trim().is_empty()) else { continue };
                let values = match setting.list {
                    true => value.split(',').map(|part| part.trim().to_owned()).collect(),
                    false => vec![value],
                };
                let key = format!("{}{}", setting.name, suffix.to_ascii_lowercase());
                self.say(&key, values, name.clone(), |_| name.clone());
            }
        }
    }

    /// Takes what a flag of the command line says of a setting.
    pub fn flag(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            let flag = format!("--{}", name.replace(['.', '_'], "-"));
            self.say(name, values, flag.clone(), |_| flag.clone());
        }
    }

    /// Reads all that was said.
    ///
    /// # Errors
    /// Something of it is wrong.
    pub fn config(mut self) -> Result<Effective, Complaints> {
        // A collector that somebody runs has balancers in front of it, or may have.
        let mut config = Config::default().drain_lag(Duration::from_secs(1));
        let mut origins = BTreeMap::new();
        for setting in SETTINGS {
            let Some(Said { values, origin }) = self.said.remove(setting.name) else { continue };
            if let Err(wrong) = (setting.apply)(&mut config, &values) {
                self.complaints.push(format!("{origin}: `{}` {wrong}", setting.name));
            }
            origins.insert(setting.name, origin);
        }
        self.complaints.extend(config.complaints());
        match self.complaints.is_empty() {
            true => Ok(Effective { config, origins }),
            false => Err(Complaints(self.complaints)),
        }
    }

    fn say(&mut self, key: &str, values: Vec<String>, origin: String, shown: impl Fn(&str) -> String) {
        let Some(setting) = SETTINGS.iter().find(|setting| setting.is_meant(key)) else {
            let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            self.complaints
                .push(format!("{origin}: unknown setting `{key}`; known are {}", known.join(", ")));
            return;
        };
        if key == setting.name {
            self.said.insert(setting.name, Said { values, origin });
            return;
        }
        let path = PathBuf::from(values.into_iter().next().unwrap_or_default());
        match std::fs::read_to_string(&path) {
            Ok(secret) => {
                let values = vec![secret.trim_end_matches(['\n', '\r']).to_owned()];
                self.said.insert(setting.name, Said { values, origin });
            }
            Err(error) => {
                let key = shown(key);
                self.complaints
                    .push(format!("{origin}: `{key}`: {} cannot be read: {error}", path.display()));
            }
        }
    }
}

impl Effective {
    /// Where keys are, and entries in SQLite.
    ///
    /// # Errors
    /// The store is of an unknown kind.
    pub fn data_directory(&self) -> Result<PathBuf, StartError> {
        self.config.directory()
    }

    /// What is wrong with the parts of the database that `store` names, but for the entries in it; none of a store of
    /// files.
    ///
    /// # Errors
    /// The store is of an unknown kind, or the database cannot be reached.
    pub async fn database(&self) -> Result<Vec<(String, Vec<String>)>, StartError> {
        match Address::of(&self.config)? {
            Address::Sqlite(_) => Ok(Vec::new()),
            Address::Postgres(url) => check(&url, Day::of(self.config.clock.now()), false).await,
        }
    }

    /// Every setting with its value and where it comes from, in the form of the file; no secret.
    #[must_use]
    pub fn shown(&self) -> String {
        let mut out = String::new();
        let mut section = "";
        let top = SETTINGS.iter().filter(|setting| !setting.name.contains('.'));
        for setting in top.chain(SETTINGS.iter().filter(|setting| setting.name.contains('.'))) {
            let (of, key) = setting.name.split_once('.').unwrap_or(("", setting.name));
            if of != section {
                out.push_str(&format!("\n[{of}]\n"));
                section = of;
            }
            let origin = self.origins.get(setting.name).map_or("default", String::as_str);
            let line = match (setting.show)(&self.config) {
                Some(value) => format!("{key} = {value}"),
                None => format!("# {key} is not set"),
            };
            out.push_str(&format!("{line:<44} # {origin}\n"));
        }
        out
    }
}

impl Complaints {
    /// One line per complaint.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Complaints {}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.said.keys()).finish()
    }
}

impl Setting {
    fn variable(&self) -> String {
        format!("HOPLOG_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// Whether a key says it, or names the file that does.
    fn is_meant(&self, key: &str) -> bool {
        key == self.name || self.secret && key.strip_suffix("_file") == Some(self.name)
    }
}

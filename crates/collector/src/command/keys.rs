//! `hoplog keys`: works on the data directory or the database, also while a collector runs on it, which notices within
//! seconds.
//!
//! Exit codes: 0 done; 1 it could not be done; 2 a wrong call.

use crate::cli::terminal;
use clap::{Args, Subcommand};
use hoplog_collector::{Config, Keys as Store, ListedKey, MadeKey, NewKey, Settings, StartError};
use hoplog_entry::Visible;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Makes and ends the keys by which applications send and people ask.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Makes a key and prints it. It is shown this once: only a hash of it is kept.
    Create {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        what: What,
        /// The word in the key itself, such as live or test.
        #[arg(long, value_name = "WORD", default_value = "live")]
        environment: String,
        /// For which clients: hoplog (one key), or logs-sdk (a pair of clog_pk_… and clog_sk_…).
        #[arg(long, value_name = "FAMILY", default_value = "hoplog", value_parser = ["hoplog", "logs-sdk"])]
        family: String,
        #[arg(long)]
        json: bool,
    },
    /// Takes over a pair that clients of the logs-sdk family have already.
    ///
    /// HOPLOG_IMPORT_SECRET holds the secret, or names nothing: a client that sends none shows its public key alone.
    Import {
        #[command(flatten)]
        place: Place,
        #[command(flatten)]
        what: What,
        /// What they send as X-API-Key.
        #[arg(value_name = "PUBLIC_KEY")]
        key: String,
    },
    /// Lists keys, without their secrets.
    List {
        #[command(flatten)]
        place: Place,
        /// Those of one project.
        #[arg(long, value_name = "NAME")]
        project: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Makes a key that may do what another one may, and ends that one after a time in which both are valid.
    Rotate {
        #[command(flatten)]
        place: Place,
        /// The key's id, as `list` shows it.
        id: String,
        /// How long the old one goes on.
        #[arg(long, value_name = "TIME", default_value = "24h", value_parser = time)]
        grace: Duration,
        #[arg(long)]
        json: bool,
    },
    /// Ends a key now. A collector that runs notices within 5 seconds.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// The key's id, as `list` shows it.
        id: String,
    },
    /// Sets how many bytes of entries, inflated, a project may send per UTC day.
    Allow {
        #[command(flatten)]
        place: Place,
        /// The project's name.
        project: String,
        /// The number; without one, what the collector's configuration says.
        bytes_per_day: Option<u64>,
    },
}

/// Where the keys are.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The collector's file of settings.
    #[arg(long, value_name = "FILE", env = "HOPLOG_CONFIG")]
    config: Option<PathBuf>,
    /// The collector's directory for data. Default: hoplog-data.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<String>,
    /// Where its entries are kept, if not there.
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
}

/// What a key may do.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// Whose entries it is for; made if there is none of this name.
    #[arg(long, value_name = "NAME", default_value = "default")]
    project: String,
    /// What it may do: ingest, query, admin; several with commas between.
    #[arg(long, value_name = "SCOPES", default_value = "ingest", value_delimiter = ',')]
    scope: Vec<String>,
    /// A note for people, such as who has it.
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,
    /// How long it lasts, such as 90d; for ever without.
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires: Option<Duration>,
    /// A network that it may be used from; may be given several times.
    #[arg(long, value_name = "CIDR")]
    from: Vec<String>,
    /// The most requests per second.
    #[arg(long, value_name = "N")]
    requests_per_second: Option<u32>,
    /// The most bytes of entries per second, inflated.
    #[arg(long, value_name = "N")]
    bytes_per_second: Option<u64>,
}

impl Keys {
    pub(crate) fn run(self) -> ExitCode {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return crate::fail(&format!("cannot start: {error}")),
        };
        match runtime.block_on(self.act()) {
            Ok(text) => match io::stdout().write_all(text.as_bytes()) {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => crate::fail(&error.to_string()),
                _ => ExitCode::SUCCESS,
            },
            Err(error) => crate::fail(&error.to_string()),
        }
    }

    /// What to print.
    async fn act(self) -> Result<String, StartError> {
        match self {
            Self::Create { place, what, environment, family, json } => {
                let mut new = what.key();
                (new.environment, new.pair) = (environment, family == "logs-sdk");
                let pair = new.pair;
                Ok(shown(&place.keys()?.create(new).await?, pair, json))
            }
            Self::Import { place, what, key } => {
                let secret = std::env::var("HOPLOG_IMPORT_SECRET").ok().filter(|secret| !secret.is_empty());
                place.keys()?.import(what.key(), key.clone(), secret).await?;
                Ok(format!("{} may be used from now on\n", Visible(&key)))
            }
            Self::List { place, project, json } => {
                let keys = place.keys()?.list(project.as_deref()).await?;
                Ok(if json { as_json(&keys) } else { table(&keys) })
            }
            Self::Rotate { place, id, grace, json } => {
                let made = place.keys()?.rotate(&id, grace).await?;
                Ok(shown(&made, made.id.starts_with("clog_pk_"), json))
            }
            Self::Revoke { place, id } => {
                place.keys()?.revoke(&id).await?;
                Ok(format!("{} is revoked; a collector that runs notices within 5 seconds\n", Visible(&id)))
            }
            Self::Allow { place, project, bytes_per_day } => {
                place.keys()?.allow(&project, bytes_per_day).await?;
                Ok(match bytes_per_day {
                    Some(bytes) => format!("{} may send {bytes} bytes per day\n", Visible(&project)),
                    None => format!("{} may send what the configuration says\n", Visible(&project)),
                })
            }
        }
    }
}

impl Place {
    fn keys(self) -> Result<Store, StartError> {
        Store::open(self.config()?)
    }

    /// What a collector there is told.
    pub(crate) fn config(self) -> Result<Config, StartError> {
        let mut settings = Settings::default();
        if let Some(file) = &self.config {
            settings.file(file);
        }
        settings.environment(|name| std::env::var(name).ok());
        settings.flag("data_dir", self.data_dir);
        settings.flag("store", self.store);
        Ok(settings.config()?.config)
    }
}

impl What {
    fn key(self) -> NewKey {
        let mut new = NewKey::default();
        (new.project, new.label, new.scopes, new.networks) =
            (self.project, self.label, self.scope, self.from);
        new.lasts = self.expires;
        (new.requests_per_second, new.bytes_per_second) = (self.requests_per_second, self.bytes_per_second);
        new
    }
}

/// The key alone on stdout, so that a script can take it; what it is on stderr.
fn shown(made: &MadeKey, pair: bool, json: bool) -> String {
    if json {
        return as_json(&serde_json::json!({ "id": made.id, "secret": made.secret }));
    }
    // Without a stderr there is nobody to tell.
    let _ =
        writeln!(io::stderr(), "hoplog: key {}, shown this once; keep it where secrets are kept", made.id);
    match pair {
        true => format!("X-API-Key: {}\nX-API-Secret: {}\n", made.id, made.secret),
        false => format!("{}\n", made.secret),
    }
}

fn as_json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default() + "\n"
}

fn table(keys: &[ListedKey]) -> String {
    let mut rows = vec![
        ["ID", "PROJECT", "SCOPES", "STATE", "CREATED", "EXPIRES", "LAST USED", "FROM", "LABEL"]
            .map(str::to_owned),
    ];
    let day = |seconds: Option<i64>| seconds.map_or("-".to_owned(), moment);
    rows.extend(keys.iter().map(|key| {
        let visible = |text: &str| Visible(text).to_string();
        [
            visible(&key.id),
            visible(&key.project),
            key.scopes.join(","),
            key.state.to_owned(),
            day(Some(key.created_at)),
            day(key.expires_at),
            day(key.last_used),
            if key.networks.is_empty() { "anywhere".to_owned() } else { key.networks.join(",") },
            visible(&key.label),
        ]
    }));
    let mut widths = [0; 9];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = terminal::width(cell).max(*width);
        }
    }
    let line = |row: &[String; 9]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| terminal::fitted(cell, width));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// `2026-03-10T12:00Z`
fn moment(seconds: i64) -> String {
    let civil = hoplog_entry::Civil::from_unix(seconds.unsigned_abs());
    format!("{:04}-{:02}-{:02}T{:02}:{:02}Z", civil.year, civil.month, civil.day, civil.hour, civil.minute)
}

/// `90d`, `24h`, `30m`, `10s`
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write 90d, 24h, 30m or 10s");
    let (number, unit) = text.split_at(text.len() - text.chars().last().map_or(0, char::len_utf8));
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

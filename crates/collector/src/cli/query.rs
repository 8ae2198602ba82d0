//! `hoplog query`: entries, newest first, or one trace, drawn.

use super::Failure;
use super::drawing::draw;
use super::entry::Entry;
use super::filters::{Filters, Period};
use super::line::line;
use super::remote::{Collector, Remote};
use super::terminal::{self, Page, colours, safe_json};
use clap::builder::NonEmptyStringValueParser;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::SystemTime;

/// The most entries that the collector gives at once.
const PAGE: u64 = 1_000;
const DEFAULT_LIMIT: u64 = 100;

/// Asks a running collector.
///
/// Without --trace: the entries that meet all filters, newest first, one line each.
#[derive(clap::Args)]
pub(crate) struct Query {
    /// Draws a whole trace instead: who called whom, and what was logged meanwhile.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new(),
          conflicts_with_all = ["Filters", "Period", "limit"])]
    trace: Option<String>,
    /// At most so many entries, 100 by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Prints JSON: a line per entry, or the trace as one object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    period: Period,
}

/// `GET /api/v1/logs`
#[derive(Deserialize)]
struct Listing<'a> {
    #[serde(borrow)]
    logs: Vec<&'a RawValue>,
    next_cursor: Option<String>,
}

/// `GET /api/v1/traces/{trace_id}`
#[derive(Deserialize)]
struct Trace {
    trace_id: String,
    truncated: bool,
    logs: Vec<Entry>,
}

impl Query {
    pub(crate) async fn run(&self) -> Result<(), Failure> {
        let collector = self.remote.open()?;
        match &self.trace {
            Some(id) => self.trace(&collector, id).await,
            None => self.list(&collector).await,
        }
    }

    async fn trace(&self, collector: &Collector, id: &str) -> Result<(), Failure> {
        let answer = collector.json(&["api", "v1", "traces", id], &[]).await.map_err(|failure| match failure {
            Failure::Missing(_) => Failure::Failed(format!(
                "no entry of a trace {id}: it may not have arrived yet, or retention removed it; `hoplog query` lists what is there"
            )),
            other => other,
        })?;
        let trace: Trace = serde_json::from_str(&answer).map_err(|_| collector.stranger())?;
        if self.json {
            return terminal::print(&format!("{}\n", safe_json(&answer)));
        }
        let mut page = Page::new(colours());
        draw(&mut page, &trace.trace_id, &trace.logs, trace.truncated);
        page.print()
    }

    async fn list(&self, collector: &Collector) -> Result<(), Failure> {
        let mut asked = self.filters.pairs();
        asked.extend(self.period.pairs(SystemTime::now()));
        let mut page = Page::new(colours());
        let (mut left, mut cursor, mut found) = (self.limit.unwrap_or(DEFAULT_LIMIT), None, false);
        // A page may be cut short for its bytes: what counts is whether there is a next one.
        while left > 0 {
            let mut pairs = asked.clone();
            pairs.push(("limit".to_owned(), left.min(PAGE).to_string()));
            pairs.extend(cursor.take().map(|cursor| ("cursor".to_owned(), cursor)));
            let answer = collector.json(&["api", "v1", "logs"], &pairs).await?;
            let listing: Listing<'_> = serde_json::from_str(&answer).map_err(|_| collector.stranger())?;
            for raw in &listing.logs {
                if self.json {
                    page.text.push_str(&safe_json(raw.get()));
                    page.text.push('\n');
                } else {
                    let entry: Entry = serde_json::from_str(raw.get()).map_err(|_| collector.stranger())?;
                    line(&mut page, &entry);
                }
            }
            page.print()?;
            found |= !listing.logs.is_empty();
            left = left.saturating_sub(u64::try_from(listing.logs.len()).unwrap_or(u64::MAX));
            cursor = listing.next_cursor.filter(|_| !listing.logs.is_empty());
            if cursor.is_none() {
                break;
            }
        }
        if !found {
            terminal::note("no entry meets this");
        } else if cursor.is_some() && self.limit.is_none() {
            terminal::note(&format!("there are more than these {DEFAULT_LIMIT}: pass --limit"));
        }
        Ok(())
    }
}

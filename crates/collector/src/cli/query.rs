//! `hoplog query`: entries, newest first, or one trace, drawn.

use super::Failure;
use super::drawing::draw;
use super::entry::Entry;
use super::filters::{Filters, Period};
use super::line::Lines;
use super::remote::{Collector, Remote};
use super::tail::{Following, Id};
use super::terminal::{self, Page, colours, safe_json};
use clap::builder::NonEmptyStringValueParser;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::time::SystemTime;

/// The most entries that the collector gives at once.
const PAGE: u64 = 1_000;
const DEFAULT_LIMIT: u64 = 100;

/// Asks a running collector.
///
/// Without --trace: the entries that meet all filters, newest first, one line each. Ends with 0 if something was found,
/// 1 if nothing was, 2 if the question cannot be asked, 3 if the collector is not there or failed.
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
    /// Prints oldest first, and then what arrives, until Ctrl-C.
    #[arg(long, short, conflicts_with_all = ["trace", "to"])]
    follow: bool,
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
            None if self.follow => self.follow(&collector).await,
            None => self.list(&collector).await,
        }
    }

    async fn trace(&self, collector: &Collector, id: &str) -> Result<(), Failure> {
        let answer = collector.json(&["api", "v1", "traces", id], &[]).await.map_err(|failure| match failure {
            Failure::Missing(_) => Failure::Missing(format!(
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

    /// Entries page by page, newest first, up to the limit; whether there are more.
    async fn pages(
        &self,
        collector: &Collector,
        mut take: impl FnMut(Vec<String>) -> Result<(), Failure>,
    ) -> Result<bool, Failure> {
        let mut asked = self.filters.pairs();
        asked.extend(self.period.pairs(SystemTime::now()));
        let (mut left, mut cursor) = (self.limit.unwrap_or(DEFAULT_LIMIT), None);
        // A page may be cut short for its bytes: what counts is whether there is a next one.
        while left > 0 {
            let mut pairs = asked.clone();
            pairs.push(("limit".to_owned(), left.min(PAGE).to_string()));
            pairs.extend(cursor.take().map(|cursor| ("cursor".to_owned(), cursor)));
            let answer = collector.json(&["api", "v1", "logs"], &pairs).await?;
            let listing: Listing<'_> = serde_json::from_str(&answer).map_err(|_| collector.stranger())?;
            let found: Vec<String> = listing.logs.iter().map(|raw| raw.get().to_owned()).collect();
            left = left.saturating_sub(u64::try_from(found.len()).unwrap_or(u64::MAX));
            cursor = listing.next_cursor.filter(|_| !found.is_empty());
            take(found)?;
            if cursor.is_none() {
                break;
            }
        }
        Ok(cursor.is_some())
    }

    async fn list(&self, collector: &Collector) -> Result<(), Failure> {
        let (mut page, mut lines, mut found) = (Page::new(colours()), Lines::default(), false);
        let more = self
            .pages(collector, |entries| {
                self.show(collector, &mut page, &mut lines, &entries, !found)?;
                found |= !entries.is_empty();
                page.print()
            })
            .await?;
        if !found {
            return Err(Failure::Missing("no entry meets this".to_owned()));
        }
        if more && self.limit.is_none() {
            terminal::note(&format!("there are more than these {DEFAULT_LIMIT}: pass --limit"));
        }
        Ok(())
    }

    async fn follow(&self, collector: &Collector) -> Result<(), Failure> {
        // First, so that nothing arrives unseen; what is in both is printed once.
        let following = Following::begin(collector, self.filters.pairs()).await?;
        let mut entries = Vec::new();
        self.pages(collector, |found| {
            entries.extend(found);
            Ok(())
        })
        .await?;
        entries.reverse();
        let (mut page, mut lines) = (Page::new(colours()), Lines::default());
        self.show(collector, &mut page, &mut lines, &entries, true)?;
        page.print()?;
        let ids = entries.iter().map(|entry| serde_json::from_str::<Id>(entry).map(|id| id.id));
        let known = ids.collect::<Result<HashSet<_>, _>>().map_err(|_| collector.stranger())?;
        following.print(self.json, &mut lines, &known).await
    }

    fn show(
        &self,
        collector: &Collector,
        page: &mut Page,
        lines: &mut Lines,
        entries: &[String],
        first: bool,
    ) -> Result<(), Failure> {
        if self.json {
            for entry in entries {
                page.text.push_str(&safe_json(entry));
                page.text.push('\n');
            }
            return Ok(());
        }
        let read = |entry: &String| serde_json::from_str(entry).map_err(|_| collector.stranger());
        let entries = entries.iter().map(read).collect::<Result<Vec<Entry>, _>>()?;
        entries.iter().for_each(|entry| lines.measure(entry));
        if first && !entries.is_empty() && terminal::is_watched() {
            lines.head(page);
        }
        entries.iter().for_each(|entry| lines.line(page, entry));
        Ok(())
    }
}

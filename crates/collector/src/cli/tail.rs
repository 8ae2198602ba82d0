//! `hoplog tail`: entries as they arrive.

use super::Failure;
use super::entry::Entry;
use super::filters::Filters;
use super::line::line;
use super::remote::Remote;
use super::sse::{Event, Events};
use super::terminal::{self, Page, colours, safe_json};
use serde::Deserialize;
use std::time::Duration;

/// A collector says something every 15 s.
const SILENCE: Duration = Duration::from_secs(60);

/// Prints entries as they arrive, one line each, until Ctrl-C.
#[derive(clap::Args)]
pub(crate) struct Tail {
    /// Prints a line of JSON per entry.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    remote: Remote,
    #[command(flatten)]
    filters: Filters,
}

#[derive(Deserialize)]
struct Skipped {
    entries: u64,
}

#[derive(Deserialize)]
struct End {
    detail: String,
}

impl Tail {
    pub(crate) async fn run(&self) -> Result<(), Failure> {
        let collector = self.remote.open()?;
        let silent = |_| {
            Failure::Failed(format!("{} has gone silent: look after it, and start again", collector.name()))
        };
        let asked = self.filters.pairs();
        let asking = collector.ask(&["api", "v1", "tail"], &asked);
        let mut answer = tokio::time::timeout(SILENCE, asking).await.map_err(silent)??;
        collector.expect(&answer, "text/event-stream")?;
        terminal::note(&format!("following {}; Ctrl-C ends it", collector.name()));
        let (mut events, mut page) = (Events::default(), Page::new(colours()));
        loop {
            let piece = tokio::time::timeout(SILENCE, answer.chunk()).await.map_err(silent)?;
            let Some(piece) = piece.map_err(|e| collector.broken(&e))? else {
                return Err(Failure::Failed(format!("{} has ended it: start again", collector.name())));
            };
            for event in events.feed(&piece).map_err(|_| collector.stranger())? {
                self.show(&mut page, &event).map_err(|_| collector.stranger())?;
                if event.name == "end" {
                    page.print()?;
                    let End { detail } =
                        serde_json::from_str(&event.data).map_err(|_| collector.stranger())?;
                    return Err(Failure::Failed(format!("{} has ended it: {detail}", collector.name())));
                }
            }
            page.print()?;
        }
    }

    fn show(&self, page: &mut Page, event: &Event) -> Result<(), serde_json::Error> {
        match event.name.as_str() {
            "message" if self.json => {
                page.text.push_str(&safe_json(&event.data));
                page.text.push('\n');
            }
            "message" => line(page, &serde_json::from_str::<Entry>(&event.data)?),
            "skipped" => {
                let Skipped { entries } = serde_json::from_str(&event.data)?;
                terminal::note(&format!(
                    "too slow for what arrives: {entries} entries were passed over; narrow it by filters"
                ));
            }
            _ => {} // of a later version
        }
        Ok(())
    }
}

//! `hoplog tail`: entries as they arrive.

use super::Failure;
use super::entry::Entry;
use super::filters::Filters;
use super::line::Lines;
use super::remote::{Collector, Remote};
use super::sse::{Event, Events};
use super::terminal::{self, Page, colours, safe_json};
use serde::Deserialize;
use std::collections::HashSet;
use std::time::Duration;

/// A collector says something every 15 s.
const SILENCE: Duration = Duration::from_secs(60);
/// Between two tries to come back, the first and the longest.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Prints entries as they arrive, one line each, until Ctrl-C.
///
/// Where the connection breaks or the collector restarts, it comes back by itself and goes on where it was.
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

#[derive(Deserialize)]
pub(crate) struct Id {
    pub(crate) id: String,
}

impl Tail {
    pub(crate) async fn run(&self) -> Result<(), Failure> {
        let collector = self.remote.open()?;
        let following = Following::begin(&collector, self.filters.pairs()).await?;
        terminal::note(&format!("following {}; Ctrl-C ends it", collector.name()));
        following.print(self.json, &mut Lines::default(), &HashSet::new()).await
    }
}

/// A stream of entries that outlives its connections.
pub(crate) struct Following<'c> {
    collector: &'c Collector,
    asked: Vec<(String, String)>,
    answer: reqwest::Response,
    events: Events,
}

impl<'c> Following<'c> {
    /// All that arrives from here on will come.
    pub(crate) async fn begin(
        collector: &'c Collector,
        asked: Vec<(String, String)>,
    ) -> Result<Self, Failure> {
        let answer = connect(collector, &asked, None).await?;
        Ok(Self { collector, asked, answer, events: Events::default() })
    }

    /// Prints what comes, but for entries that are `known`, until something ends it for good.
    pub(crate) async fn print(
        mut self,
        json: bool,
        lines: &mut Lines,
        known: &HashSet<String>,
    ) -> Result<(), Failure> {
        let stranger = || self.collector.stranger();
        let mut page = Page::new(colours());
        loop {
            let lost = match self.piece().await {
                Ok(piece) => {
                    let mut ended = None;
                    for event in self.events.feed(&piece).map_err(|_| stranger())? {
                        if event.name == "end" {
                            let End { detail } = serde_json::from_str(&event.data).map_err(|_| stranger())?;
                            ended = Some(detail);
                        } else {
                            show(&mut page, &event, json, lines, known).map_err(|_| stranger())?;
                        }
                    }
                    page.print()?;
                    let Some(detail) = ended else { continue };
                    format!("{} has ended it: {detail}", self.collector.name())
                }
                Err(lost) => lost,
            };
            terminal::note(&format!("{lost}; coming back"));
            self.come_back().await?;
        }
    }

    /// What comes next, or why nothing does.
    async fn piece(&mut self) -> Result<bytes::Bytes, String> {
        let name = self.collector.name();
        match tokio::time::timeout(SILENCE, self.answer.chunk()).await {
            Err(_) => Err(format!("{name} has gone silent")),
            Ok(Err(_)) => Err(format!("the connection to {name} broke")),
            Ok(Ok(None)) => Err(format!("{name} has ended it")),
            Ok(Ok(Some(piece))) => Ok(piece),
        }
    }

    async fn come_back(&mut self) -> Result<(), Failure> {
        let mut pause = PAUSE;
        loop {
            tokio::time::sleep(pause).await;
            match connect(self.collector, &self.asked, self.events.last_id.as_deref()).await {
                Ok(answer) => {
                    self.answer = answer;
                    self.events.anew();
                    terminal::note(&format!("following {} again", self.collector.name()));
                    return Ok(());
                }
                Err(Failure::Failed(_)) => pause = (pause * 2).min(LONGEST_PAUSE),
                Err(other) => return Err(other),
            }
        }
    }
}

async fn connect(
    collector: &Collector,
    asked: &[(String, String)],
    last_id: Option<&str>,
) -> Result<reqwest::Response, Failure> {
    let silent = |_| Failure::Failed(format!("{} does not answer: look after it", collector.name()));
    tokio::time::timeout(SILENCE, collector.follow(asked, last_id)).await.map_err(silent)?
}

fn show(
    page: &mut Page,
    event: &Event,
    json: bool,
    lines: &mut Lines,
    known: &HashSet<String>,
) -> Result<(), serde_json::Error> {
    match event.name.as_str() {
        "message" => {
            if !known.is_empty() && known.contains(&serde_json::from_str::<Id>(&event.data)?.id) {
                return Ok(());
            }
            if json {
                page.text.push_str(&safe_json(&event.data));
                page.text.push('\n');
            } else {
                lines.line(page, &serde_json::from_str::<Entry>(&event.data)?);
            }
        }
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

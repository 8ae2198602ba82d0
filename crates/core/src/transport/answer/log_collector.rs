//! The answers of an existing log-collector server.

use std::time::SystemTime;

use hoplog_entry::DropReason;
use serde::Deserialize;

use super::{Answer, Cause, Verdict};

#[derive(Deserialize)]
struct Body {
    status: String,
    count: Option<u64>,
}

impl Verdict {
    /// The answer to a batch of `entries`. The server stores all of them or none, and says 500 both where it is in
    /// trouble and where its schema refuses one entry.
    pub(crate) fn of_log_collector(answer: &Answer, entries: u64, now: SystemTime) -> Self {
        match answer.status {
            200..=299 => match serde_json::from_slice::<Body>(&answer.body) {
                // Not to be sent again even where fewer were taken: it would store those a second time.
                Ok(body) if body.status == "ok" => {
                    let stored = body.count.unwrap_or(entries).min(entries);
                    Self::Delivered { stored, duplicates: 0, rejected: entries - stored }
                }
                _ => Self::retry(None, Cause::BadAnswer, "the answer is not a log-collector server's"),
            },
            413 => Self::Spoiled {
                why: "the log-collector server found an entry too large",
                sure: true,
                reason: DropReason::EntryTooLarge,
            },
            400 | 422 => Self::Spoiled {
                why: "the log-collector server refused an entry",
                sure: true,
                reason: DropReason::Poison,
            },
            500 => Self::Spoiled {
                why: "the log-collector server cannot store an entry, or any",
                sure: false,
                reason: DropReason::Poison,
            },
            408 | 425 | 429 => {
                Self::retry(answer.wait(now), Cause::Throttled, "the log-collector server asks to slow down")
            }
            502..=504 | 507 => {
                let why = "the log-collector server cannot store at the moment";
                Self::retry(answer.wait(now), Cause::Away, why)
            }
            401 | 403 => Self::paused("the log-collector server refused the request's credentials"),
            _ => Self::paused("there is no log-collector server at the endpoint; check it"),
        }
    }
}

//! What an answer means for its batch.

use std::time::SystemTime;

use hoplog_entry::DropReason;

use super::load::Part;
use super::{IN_FLIGHT, Remote, now, random};
use crate::ledger::Home;
use crate::transport::{Answer, Cause, Encoding, Lone, SealedBatch, Search, SendError, Step, Verdict};

/// `415 Unsupported Media Type`: where a batch is compressed, its coding is taken to be at fault first (RFC 7694 §3).
const UNKNOWN_CODING: u16 = 415;

impl Remote {
    pub(super) fn resolve(&mut self, mut batch: SealedBatch, result: Result<Answer, SendError>) {
        crate::failpoint::pass(&self.around.source.service, "resolve");
        let (peer, home) = (self.peer, self.home_of(&batch));
        let verdict = match &result {
            Ok(answer) => {
                #[cfg(feature = "zstd")]
                self.former.packer().learn(answer);
                if answer.status == UNKNOWN_CODING
                    && let Some(other) = self.former.repack(&batch)
                {
                    self.around.ledger.retried();
                    return self.again.push_front(other);
                }
                self.former.dialect().verdict(answer, batch.entries, SystemTime::now())
            }
            Err(error) => Verdict::of_failure(error.kind, peer),
        };
        self.searching &= batch.search.is_none();
        self.judge_server(&verdict);
        batch = self.without_search(batch, &verdict);
        let wait = match verdict {
            Verdict::Delivered { stored, duplicates, rejected } => {
                let whole = batch.count();
                let lost = whole.share(rejected);
                self.around.ledger.delivered(home, whole - lost, duplicates);
                if batch.foreign {
                    self.around.ledger.forwarded(stored + duplicates);
                }
                let remark = result.ok().and_then(|answer| self.former.dialect().remark(&answer));
                if rejected > 0 {
                    self.around.ledger.drop_in_flight(home, lost, DropReason::ServerRejected);
                    let why = remark.map(|remark| format!("; {remark}")).unwrap_or_default();
                    self.warn(
                        "rejected",
                        format!("{peer} rejected {rejected} of {} entries{why}", batch.entries),
                    );
                } else if let Some(remark) = remark {
                    self.warn("remark", format!("{peer} took the entries; {remark}"));
                }
                self.successes += 1;
                self.backoff.succeeded();
                self.not_before = None;
                self.settle(&batch);
                if let Some(search) = batch.search {
                    let why = format!("{peer} refused it with others, which it takes without it");
                    self.search_on(batch, search.taken(), &why);
                }
                return;
            }
            Verdict::Refused { why, reason } => {
                self.drop_batch(&batch, reason, &format!("{why}{}", detail(&result)));
                self.backoff.succeeded();
                return;
            }
            Verdict::Spoiled { why, sure: true, reason: DropReason::Poison } if batch.entries > 0 => {
                let step = match batch.search {
                    Some(search) => search.refused(),
                    None => Search::begin(batch.entries, batch.encoding != Encoding::Plain),
                };
                self.search_on(batch, step, &format!("{why}{}", detail(&result)));
                let wait = self.backoff.answered(random());
                return self.wait(wait);
            }
            Verdict::Spoiled { why, sure, reason } => {
                let wait = if sure {
                    self.backoff.answered(random())
                } else {
                    self.backoff.failed(None, Cause::Away, random())
                };
                let mut changed = self.changed(&batch, reason);
                changed.iter_mut().for_each(|part| part.unsure |= !sure);
                if !changed.is_empty() {
                    changed.into_iter().rev().for_each(|part| self.again.push_front(part));
                    self.around.ledger.retried();
                    return self.wait(wait);
                }
                if batch.entries == 1 && (sure || self.is_at_fault(&mut batch)) {
                    self.drop_batch(&batch, reason, &format!("{why}{}", detail(&result)));
                    return self.wait(wait);
                }
                self.warn("down", format!("{why}{}; entries are kept and sent again", detail(&result)));
                wait
            }
            Verdict::Retry { after, cause, why } => {
                self.warn("down", format!("{why}{}; entries are kept and sent again", detail(&result)));
                let wait = self.backoff.failed(after, cause, random());
                if after.is_some() {
                    self.server_wait = self.server_wait.max(Some(now() + wait));
                }
                wait
            }
            Verdict::Paused { why } => {
                self.warn("paused", format!("{why}{}; entries are kept", detail(&result)));
                self.backoff.paused(random())
            }
        };
        // The mark of a clean end is not worth a second attempt.
        if batch.entries > 0 {
            self.around.ledger.retried();
            self.again.push_back(batch);
        }
        self.wait(wait);
    }

    /// The search for an entry that is at fault goes on, or is over.
    fn search_on(&mut self, batch: SealedBatch, step: Step, why: &str) {
        if let Some(entry) = step.at_fault {
            self.drop_batch(&batch.one(entry), DropReason::Poison, why);
        }
        if step.none_at_fault && self.former.give_up_coding(&batch) {
            let why = "takes batches only without compression; is `Content-Encoding` taken away before it?";
            self.warn("coding", format!("{} {why}", self.peer));
        }
        if let Some(next) = step.next {
            self.around.ledger.retried();
            self.again.push_front(batch.searched(next));
        }
    }

    /// Where an answer to a part of a batch says nothing of where the fault is: the part as a batch of its own, and what is
    /// behind it as another.
    fn without_search(&mut self, batch: SealedBatch, verdict: &Verdict) -> SealedBatch {
        let goes_on = match verdict {
            Verdict::Delivered { .. } | Verdict::Retry { .. } | Verdict::Paused { .. } => true,
            Verdict::Spoiled { sure, reason, .. } => *sure && *reason == DropReason::Poison,
            Verdict::Refused { .. } => false,
        };
        let Some(search) = batch.search.filter(|_| !goes_on) else { return batch };
        let rest = self.former.part(&batch, search.to..search.end, false);
        rest.into_iter().for_each(|rest| self.again.push_front(rest));
        self.former.part(&batch, search.from..search.to, !search.any_taken).unwrap_or(batch)
    }

    /// What is sent in place of a batch that is refused for what is in it: halves, or an entry with its texts cut short.
    /// Empty where nothing else can be tried.
    fn changed(&mut self, batch: &SealedBatch, reason: DropReason) -> Vec<SealedBatch> {
        match self.former.halves(batch) {
            Some(halves) => halves.into(),
            None if reason == DropReason::EntryTooLarge => self.former.truncated(batch).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Whether the server is away, and whether a person has to help, as far as this shows it.
    fn judge_server(&mut self, verdict: &Verdict) {
        self.paused = matches!(verdict, Verdict::Paused { .. });
        if !matches!(verdict, Verdict::Retry { cause: Cause::Away | Cause::Unreachable, .. }) {
            self.breaker.answered();
        } else if self.breaker.failed() {
            self.around.ledger.breaker_opened();
        }
    }

    /// Whether an entry that was refused on its own is to blame, and not the server.
    fn is_at_fault(&self, batch: &mut SealedBatch) -> bool {
        let now = now();
        let lone = batch.lone.get_or_insert_with(|| Lone::new(now, self.successes));
        lone.is_at_fault(now, self.successes, self.outstanding.len() >= IN_FLIGHT)
    }

    fn drop_batch(&mut self, batch: &SealedBatch, reason: DropReason, why: &str) {
        self.around.ledger.drop_in_flight(self.home_of(batch), batch.count(), reason);
        self.warn("refused", format!("{} entries were dropped: {why}", batch.entries));
        self.quarantine(batch);
        self.settle(batch);
    }

    fn home_of(&self, batch: &SealedBatch) -> Home {
        let found = self.outstanding.iter().find(|outstanding| outstanding.number == batch.number);
        found.map_or(Home::Memory, |outstanding| outstanding.home)
    }

    /// Entries of a batch have their fate; when all have theirs, the spool may forget them.
    fn settle(&mut self, batch: &SealedBatch) {
        let found = self.outstanding.iter().position(|outstanding| outstanding.number == batch.number);
        let Some(at) = found else { return };
        let outstanding = &mut self.outstanding[at];
        outstanding.left = outstanding.left.saturating_sub(batch.count());
        if outstanding.left.entries == 0 {
            let done = self.outstanding.swap_remove(at);
            done.parts.iter().for_each(Part::settle);
            done.frames.iter().for_each(|frame| frame.settle_all());
        }
    }
}

fn detail(result: &Result<Answer, SendError>) -> String {
    match result {
        Ok(answer) => format!(" (status {})", answer.status),
        Err(error) => format!(" ({})", error.cause),
    }
}

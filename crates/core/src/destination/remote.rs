//! A server that takes batches over HTTP: they are formed, sealed, sent, and sent again until they are answered.
//!
//! ```text
//! inbox ─► waiting chunks ── seal ──► sending (≤ 4) ──► delivered | refused
//!                                        ▲      │ no usable answer
//!                                        └ retry ◄┘  after the backoff, one batch at a time;
//!                                                    where one entry spoils it, in halves
//! ```
//!
//! What differs from server to server is its [`dialect`](super::dialect).

mod former;
mod packer;
mod pulse;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hoplog_entry::DropReason;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::dialect::DialectConfig;
use super::{Inbox, Message, Surroundings, random, sleep_until};
use crate::config::Compression;
use crate::transport::{Answer, Backoff, Http, HttpConfig, Lone, SealedBatch, SendError, Verdict};
pub(crate) use former::BatchLimits;
use former::Former;
use packer::Packer;
use pulse::Pulse;

/// Batches under way at once while all is well; while it is not, one probes.
const IN_FLIGHT: usize = 4;
/// Failures in a row after which the next attempt is made with another batch.
const PATIENCE: u32 = 2;

/// `415 Unsupported Media Type`: where a batch is compressed, its coding is taken to be at fault first (RFC 7694 §3).
const UNKNOWN_CODING: u16 = 415;

/// How this client talks to a server.
#[derive(Debug, Clone)]
pub(crate) struct RemoteConfig {
    pub(crate) http: HttpConfig,
    pub(crate) dialect: DialectConfig,
    pub(crate) limits: BatchLimits,
    pub(crate) compression: Compression,
}

type Sent = (SealedBatch, Result<Answer, SendError>);

/// The task of one server.
pub(crate) struct Remote {
    around: Surroundings,
    /// Who it is, for messages.
    peer: &'static str,
    http: Http,
    former: Former,
    /// Sealed before, to be sent again.
    again: VecDeque<SealedBatch>,
    sending: JoinSet<Sent>,
    backoff: Backoff,
    /// When the next attempt is due after a failure. A flush may hurry it.
    not_before: Option<Instant>,
    /// What the server itself asked for. Nothing but time ends it.
    server_wait: Option<Instant>,
    /// `first` of each batch that has entries without a fate, and how many.
    outstanding: Vec<(u64, u64)>,
    /// Batches delivered.
    successes: u64,
    flushes: Vec<Flush>,
    closing: Option<Closing>,
    pulse: Pulse,
}

/// Somebody waits for the entries up to a mark to be delivered.
struct Flush {
    mark: u64,
    deadline: Instant,
    _done: oneshot::Sender<()>,
}

struct Closing {
    deadline: Instant,
    said_goodbye: bool,
    _done: oneshot::Sender<()>,
}

enum Event {
    Mail(Option<Message>),
    Sent(Sent),
    Timer,
}

impl Remote {
    pub(crate) fn new(config: RemoteConfig, around: Surroundings) -> Self {
        let (dialect, packer) = (config.dialect.speak(&around), Packer::new(config.compression));
        Self {
            peer: config.http.peer,
            http: Http::new(config.http),
            former: Former::new(config.limits, dialect, packer, around.clone()),
            around,
            again: VecDeque::new(),
            sending: JoinSet::new(),
            backoff: Backoff::default(),
            not_before: None,
            server_wait: None,
            outstanding: Vec::new(),
            successes: 0,
            flushes: Vec::new(),
            closing: None,
            pulse: Pulse::default(),
        }
    }

    pub(super) async fn run(mut self, mut inbox: Inbox) {
        let mut open = true;
        loop {
            let now = Instant::now();
            self.start_sends(now);
            self.answer_flushes(now);
            if self.is_done(now) || !open && self.closing.is_none() {
                return self.write_off();
            }
            match self.next_event(&mut inbox, &mut open).await {
                Event::Mail(Some(message)) => self.read(message),
                Event::Mail(None) => open = false,
                Event::Sent((batch, result)) => self.resolve(batch, result),
                Event::Timer => {}
            }
        }
    }

    async fn next_event(&mut self, inbox: &mut Inbox, open: &mut bool) -> Event {
        let timer = self.next_timer();
        tokio::select! {
            // In this order, so that a flood of mail does not keep answers from being read.
            biased;
            Some(done) = self.sending.join_next() => match done {
                Ok(sent) => Event::Sent(sent),
                Err(_) => Event::Timer,
            },
            mail = inbox.recv(), if *open => Event::Mail(mail),
            () = sleep_until(timer), if timer.is_some() => Event::Timer,
        }
    }

    fn next_timer(&self) -> Option<Instant> {
        let flush = self.flushes.iter().map(|f| f.deadline).min();
        let close = self.closing.as_ref().map(|c| c.deadline);
        // While a probe is out there is nothing to do at that time.
        let may_start = self.has_work() && self.sending.len() < self.places();
        let retry = self.not_before.max(self.server_wait).filter(|_| may_start);
        // It waits like any other batch.
        let may_pulse = self.may_pulse() && self.former.dialect().says_goodbye();
        let pulse = self.pulse.next().filter(|_| may_pulse);
        let pulse = pulse.map(|at| Some(at).max(self.not_before).max(self.server_wait).unwrap_or(at));
        [flush, close, retry, pulse].into_iter().flatten().min()
    }

    fn read(&mut self, message: Message) {
        match message {
            Message::Chunk(chunk) => self.former.add(chunk),
            Message::Tick { .. } => self.former.seal_rest(),
            Message::Reopen(_) => {}
            Message::Flush(deadline, done) => {
                self.former.seal_rest();
                self.not_before = None;
                self.flushes.push(Flush { mark: self.former.progress().0, deadline, _done: done });
            }
            Message::Close(deadline, done) => {
                self.former.seal_rest();
                self.not_before = None;
                self.closing = Some(Closing { deadline, said_goodbye: false, _done: done });
            }
        }
    }

    fn start_sends(&mut self, now: Instant) {
        self.not_before.take_if(|t| *t <= now);
        self.server_wait.take_if(|t| *t <= now);
        if self.not_before.is_some() || self.server_wait.is_some() {
            return;
        }
        while self.sending.len() < self.places() {
            let batch = self.next_batch().or_else(|| self.goodbye()).or_else(|| self.sign_of_life(now));
            let Some(batch) = batch else { return };
            self.pulse.sent(now);
            let request = self.http.send(batch.clone());
            self.sending.spawn(async move { (batch, request.await) });
        }
    }

    /// Batches that may be under way now.
    fn places(&self) -> usize {
        if self.backoff.is_failing() { 1 } else { IN_FLIGHT }
    }

    /// What to send next: what failed goes first. When that has failed again and again, fresh batches take their turn
    /// with it, up to the number that may be in flight: one that the server never takes must not stand in the way.
    fn next_batch(&mut self) -> Option<SealedBatch> {
        let fresh_first = self.backoff.failures() > PATIENCE && self.outstanding.len() < IN_FLIGHT;
        if !fresh_first && let Some(batch) = self.again.pop_front() {
            return Some(batch);
        }
        let fresh = self.former.next_batch();
        self.outstanding.extend(fresh.iter().map(|batch| (batch.first, batch.entries)));
        fresh.or_else(|| self.again.pop_front())
    }

    /// The mark of a clean end, once, after everything else.
    fn goodbye(&mut self) -> Option<SealedBatch> {
        if !self.sending.is_empty() || self.backoff.is_failing() {
            return None;
        }
        let closing = self.closing.as_mut().filter(|c| !c.said_goodbye)?;
        closing.said_goodbye = true;
        self.former.goodbye()
    }

    /// An empty batch, where none has gone out for long.
    fn sign_of_life(&mut self, now: Instant) -> Option<SealedBatch> {
        (self.may_pulse() && self.pulse.is_due(now)).then(|| self.former.sign_of_life())?
    }

    fn may_pulse(&self) -> bool {
        self.sending.is_empty() && self.closing.is_none()
    }

    fn resolve(&mut self, mut batch: SealedBatch, result: Result<Answer, SendError>) {
        let peer = self.peer;
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
            Err(error) => Verdict::Retry { after: None, why: format!("{peer} {}", error.what).into() },
        };
        let wait = match verdict {
            Verdict::Delivered { stored, duplicates, rejected } => {
                self.around.ledger.delivered(stored + duplicates, duplicates);
                let remark = result.ok().and_then(|answer| self.former.dialect().remark(&answer));
                if rejected > 0 {
                    self.around.ledger.drop_in_flight(rejected, DropReason::ServerRejected);
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
                return self.settle(&batch);
            }
            Verdict::Refused { why, reason } => {
                self.drop_batch(&batch, reason, &format!("{why}{}", detail(&result)));
                self.backoff.succeeded();
                return;
            }
            Verdict::Spoiled { why, sure, reason } => {
                let wait =
                    if sure { self.backoff.answered(random()) } else { self.backoff.failed(None, random()) };
                if let Some(halves) = self.former.halves(&batch) {
                    halves.into_iter().rev().for_each(|half| self.again.push_front(half));
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
            Verdict::Retry { after, why } => {
                self.warn("down", format!("{why}{}; entries are kept and sent again", detail(&result)));
                let wait = self.backoff.failed(after, random());
                if after.is_some() {
                    self.server_wait = self.server_wait.max(Some(Instant::now() + wait));
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

    /// Whether an entry that was refused on its own is to blame, and not the server.
    fn is_at_fault(&self, batch: &mut SealedBatch) -> bool {
        let now = Instant::now();
        let lone = batch.lone.get_or_insert_with(|| Lone::new(now, self.successes));
        lone.is_at_fault(now, self.successes, self.outstanding.len() >= IN_FLIGHT)
    }

    fn drop_batch(&mut self, batch: &SealedBatch, reason: DropReason, why: &str) {
        self.around.ledger.drop_in_flight(batch.entries, reason);
        self.warn("refused", format!("{} entries were dropped: {why}", batch.entries));
        self.settle(batch);
    }

    /// These entries have their fate.
    fn settle(&mut self, batch: &SealedBatch) {
        if let Some(at) = self.outstanding.iter().position(|(first, _)| *first == batch.first) {
            let left = &mut self.outstanding[at].1;
            *left = left.saturating_sub(batch.entries);
            if *left == 0 {
                self.outstanding.swap_remove(at);
            }
        }
    }

    fn wait(&mut self, wait: Duration) {
        let next = Instant::now() + wait;
        self.not_before = Some(self.not_before.map_or(next, |t| t.max(next)));
    }

    fn warn(&self, subject: &'static str, line: String) {
        self.around.diagnostics.warn(subject, || line);
    }

    fn has_work(&self) -> bool {
        !self.again.is_empty() || self.former.has_work()
    }

    fn is_idle(&self) -> bool {
        !self.has_work() && self.sending.is_empty()
    }

    fn answer_flushes(&mut self, now: Instant) {
        let (_, taken) = self.former.progress();
        let outstanding = self.outstanding.iter().map(|(first, _)| *first).min().unwrap_or(u64::MAX);
        self.flushes.retain(|f| f.deadline > now && (taken < f.mark || outstanding < f.mark));
    }

    fn is_done(&self, now: Instant) -> bool {
        self.closing.as_ref().is_some_and(|c| {
            now >= c.deadline || self.is_idle() && (c.said_goodbye || self.backoff.is_failing())
        })
    }

    /// Time is over: what is left is lost, and counted.
    fn write_off(mut self) {
        let ledger = Arc::clone(&self.around.ledger);
        ledger.drop_queued(self.former.discard(), DropReason::ShutdownDeadline);
        ledger.drop_all_in_flight(DropReason::ShutdownDeadline);
    }
}

fn detail(result: &Result<Answer, SendError>) -> String {
    match result {
        Ok(answer) => format!(" (status {})", answer.status),
        Err(error) => format!(" ({})", error.cause),
    }
}

#[cfg(test)]
mod tests;

//! A server that takes batches over HTTP: they are formed, sealed, sent, and sent again until they are answered.
//!
//! ```text
//! inbox ─► live lane ──┬─ form ──► sending (≤ 4) ──► delivered | refused
//!            │    ▲    │             ▲      │ no usable answer
//!      spill ▼    │    │             └ retry ◄┘  after the backoff, one batch at a time;
//!          keeper ┴─► backlog lane               where one entry spoils it, in parts
//!        (its disk)
//! ```
//!
//! With a spool, the [`keeper`]'s thread writes to the disk: every load before it may be sent (write-through); else what
//! waits while the server fails or the memory fills, what somebody waits for, and in the end what is left. Live entries go
//! first; every fifth batch comes from the backlog, and all of them while nothing is alive.
//!
//! What differs from server to server is its [`dialect`](super::dialect).

mod ending;
mod former;
mod keeper;
mod lane;
mod load;
mod outcome;
mod packer;
mod parts;
mod pulse;
mod spooling;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::dialect::DialectConfig;
use super::{Inbox, Message, Source, Surroundings, now, random, sleep_until};
use crate::config::Compression;
use crate::count::Count;
use crate::ledger::Home;
use crate::open_requests::Reporter;
use crate::spool::{RETAINED, SpoolConfig};
use crate::transport::{
    Answer, Backoff, Breaker, Http, HttpConfig, SealedBatch, SendError, Transport, is_loopback,
};
use ending::{Closing, Flush};
pub(crate) use former::BatchLimits;
use former::{Formed, Former};
use hoplog_entry::EntryId;
use hoplog_entry::record::MAX_RECORD;
use hoplog_entry::spool::MAX_FRAME;
use keeper::{AT_A_TIME, Word};
use load::{Frame, Part};
use packer::Packer;
use pulse::Pulse;
use spooling::Spooling;

/// Batches under way at once while all is well; while it is not, one probes.
const IN_FLIGHT: usize = 4;
/// Failures in a row after which the next attempt is made with another batch.
const PATIENCE: u32 = 2;
/// Of so many batches one comes from the backlog while there is live work.
const BACKLOG_TURN: u64 = 5;

/// How this client talks to a server.
#[derive(Debug, Clone)]
pub(crate) struct RemoteConfig {
    pub(crate) http: HttpConfig,
    pub(crate) dialect: DialectConfig,
    pub(crate) limits: BatchLimits,
    pub(crate) compression: Compression,
    pub(crate) spool: Option<SpoolPlan>,
}

/// What is kept on the disk until it is delivered.
#[derive(Debug, Clone)]
pub(crate) struct SpoolPlan {
    pub(crate) config: SpoolConfig,
    /// Everything is written before it is sent.
    pub(crate) write_through: bool,
    /// Bytes waiting in memory beyond which they are spilled.
    pub(crate) mark: usize,
    /// Tells of processes that died, before the spool is opened.
    pub(crate) reporter: Option<Arc<Reporter>>,
}

impl SpoolPlan {
    fn written_by(mut self, source: Arc<Source>) -> Self {
        self.config.source = Some(source);
        self
    }
}

impl RemoteConfig {
    /// The most bytes that the destination holds of entries, beside those that are in the queue's chunks.
    pub(crate) fn ceiling(&self) -> usize {
        // The last entry of a batch may begin just below its limit; as JSON a record can take twice its bytes.
        let batch = self.limits.bytes + 2 * MAX_RECORD;
        // Under way; one being formed, its packed form, and the part of one that goes in parts.
        let batches = batch * (IN_FLIGHT + 4);
        // A load on its way and one in the lane, each up to one frame more than it is to be; the frame that is read or
        // written; and those that are not synced.
        let spool =
            if self.spool.is_some() { 2 * (AT_A_TIME.1 + MAX_FRAME) + MAX_FRAME + RETAINED } else { 0 };
        batches + spool
    }
}

type Sent = (SealedBatch, Result<Answer, SendError>);

/// The task of one server.
pub(crate) struct Remote {
    around: Surroundings,
    /// Who it is, for messages.
    peer: &'static str,
    transport: Box<dyn Transport>,
    /// What its server calls this process, if it counts what processes send.
    boot: Option<EntryId>,
    former: Former,
    /// Sealed before, to be sent again.
    again: VecDeque<SealedBatch>,
    sending: JoinSet<Sent>,
    backoff: Backoff,
    breaker: Breaker,
    /// Only a person can help; until then it is asked rarely, and with as little as possible.
    paused: bool,
    /// When the next attempt is due after a failure. A flush may hurry it.
    not_before: Option<Instant>,
    /// What the server itself asked for. Nothing but time ends it.
    server_wait: Option<Instant>,
    /// A part of a batch is under way that an entry is searched in.
    searching: bool,
    /// Batches that have entries without a fate.
    outstanding: Vec<Outstanding>,
    /// Fresh batches so far.
    turns: u64,
    /// Batches delivered.
    successes: u64,
    spooling: Option<Spooling>,
    flushes: Vec<Flush>,
    closing: Option<Closing>,
    pulse: Pulse,
}

/// A batch as it was formed, whatever it was parted into since.
struct Outstanding {
    number: u64,
    first: u64,
    /// Entries sealed before it.
    seq: u64,
    /// Entries without a fate.
    left: Count,
    home: Home,
    parts: Arc<Vec<Part>>,
    /// Where its records are in the spool, if they went there after it was formed.
    frames: Vec<Arc<Frame>>,
    /// They were sent there.
    asked: bool,
}

enum Event {
    Mail(Option<Message>),
    Sent(Sent),
    Word(Option<Word>),
    Timer,
}

impl Remote {
    pub(crate) fn new(config: RemoteConfig, around: Surroundings) -> Self {
        let url = &config.http.url;
        if url.scheme() == "http" && !is_loopback(url) {
            let peer = config.http.peer;
            around.diagnostics.warn("plain", || {
                format!("entries go to {peer} over plain HTTP: anyone on the way can read them; use https")
            });
        }
        let transport = Box::new(Http::new(config.http.clone()));
        let source = config.dialect.source(&around.source);
        let plan = config.spool.clone().map(|plan| plan.written_by(source));
        let spooling = plan.and_then(|plan| Spooling::start(plan, &around));
        Self::over(transport, spooling, config, around)
    }

    fn over(
        transport: Box<dyn Transport>,
        spooling: Option<Spooling>,
        config: RemoteConfig,
        around: Surroundings,
    ) -> Self {
        let (dialect, packer) = (config.dialect.speak(&around), Packer::new(config.compression));
        Self {
            peer: config.http.peer,
            transport,
            boot: config.dialect.boot(),
            former: Former::new(config.limits, dialect, packer, around.clone(), spooling.is_some()),
            around,
            again: VecDeque::new(),
            sending: JoinSet::new(),
            backoff: Backoff::default(),
            breaker: Breaker::default(),
            paused: false,
            not_before: None,
            server_wait: None,
            searching: false,
            outstanding: Vec::new(),
            turns: 0,
            successes: 0,
            spooling,
            flushes: Vec::new(),
            closing: None,
            pulse: Pulse::default(),
        }
    }

    pub(super) async fn run(mut self, mut inbox: Inbox) {
        let mut open = true;
        loop {
            let now = now();
            self.ask_for_backlog();
            self.start_sends(now);
            self.spill(now);
            self.leave(now);
            self.answer_flushes(now);
            if self.is_done(now) || !open && self.closing.is_none() {
                return self.write_off();
            }
            match self.next_event(&mut inbox, &mut open).await {
                Event::Mail(Some(message)) => self.read(message),
                Event::Mail(None) => open = false,
                Event::Sent((batch, result)) => self.resolve(batch, result),
                Event::Word(Some(word)) => self.hear(word),
                Event::Word(None) => self.lose_keeper(),
                Event::Timer => {}
            }
        }
    }

    async fn next_event(&mut self, inbox: &mut Inbox, open: &mut bool) -> Event {
        let timer = self.next_timer();
        let has_keeper = self.spooling.is_some();
        tokio::select! {
            // In this order, so that a flood of mail does not keep answers from being read.
            biased;
            Some(done) = self.sending.join_next() => match done {
                Ok(sent) => Event::Sent(sent),
                Err(_) => Event::Timer,
            },
            word = Spooling::next_word(&mut self.spooling), if has_keeper => Event::Word(word),
            mail = inbox.recv(), if *open => Event::Mail(mail),
            () = sleep_until(timer), if timer.is_some() => Event::Timer,
        }
    }

    fn next_timer(&self) -> Option<Instant> {
        let flush = self.flushes.iter().map(Flush::deadline).min();
        let close = self.closing.as_ref().map(Closing::next);
        // While a probe is out there is nothing to do at that time.
        let has_to_send = self.has_work() || self.may_say_goodbye();
        let may_start = has_to_send && self.sending.len() < self.places();
        let retry = self.not_before.max(self.server_wait).filter(|_| may_start);
        // It waits like any other batch.
        let may_pulse = self.may_pulse() && self.former.dialect().says_goodbye();
        let pulse = self.pulse.next().filter(|_| may_pulse);
        let pulse = pulse.map(|at| Some(at).max(self.not_before).max(self.server_wait).unwrap_or(at));
        [flush, close, retry, pulse].into_iter().flatten().min()
    }

    fn read(&mut self, message: Message) {
        match message {
            Message::Chunk(chunk) => self.take_in(chunk),
            Message::Durable(chunks, group) => self.take_in_durable(chunks, group),
            Message::Tick { .. } => self.seal_rest(),
            Message::Reopen(_) => {}
            Message::Save(deadline, done) if self.spooling.is_some() => self.save(deadline, done),
            Message::Flush(deadline, done) | Message::Save(deadline, done) => {
                self.seal_rest();
                (self.not_before, self.paused) = (None, false);
                self.flush(deadline, done);
            }
            Message::Close(deadline, done) => {
                self.seal_rest();
                self.not_before = None;
                self.closing = Some(Closing::new(deadline, self.spooling.is_some(), done));
            }
        }
    }

    fn start_sends(&mut self, now: Instant) {
        self.not_before.take_if(|t| *t <= now);
        self.server_wait.take_if(|t| *t <= now);
        if self.not_before.is_some() || self.server_wait.is_some() || self.is_leaving() {
            return;
        }
        while self.sending.len() < self.places() {
            let batch = self
                .probe()
                .or_else(|| self.next_batch())
                .or_else(|| self.goodbye())
                .or_else(|| self.sign_of_life(now));
            let Some(batch) = batch else { return };
            if !batch.foreign {
                self.pulse.sent(now);
            }
            self.searching |= batch.search.is_some();
            let request = self.transport.send(self.former.outgoing(&batch));
            self.sending.spawn(async move { (batch, request.await) });
        }
    }

    /// Batches that may be under way now. A search has two of them in memory, the whole and the part.
    fn places(&self) -> usize {
        let parted = |batch: &SealedBatch| batch.search.is_some() || batch.unsure;
        let searches = self.searching || self.again.iter().any(parted);
        if self.backoff.is_failing() || searches { 1 } else { IN_FLIGHT }
    }

    /// What to send next: what failed goes first. When that has failed again and again, fresh batches take their turn
    /// with it, up to the number that may be in flight: one that the server never takes must not stand in the way.
    fn next_batch(&mut self) -> Option<SealedBatch> {
        let failing = self.backoff.failures() > PATIENCE && !self.breaker.is_open();
        let fresh_first = failing && self.outstanding.len() < IN_FLIGHT;
        if !fresh_first && let Some(batch) = self.again.pop_front() {
            return Some(batch);
        }
        self.fresh_batch().or_else(|| self.again.pop_front())
    }

    fn fresh_batch(&mut self) -> Option<SealedBatch> {
        let backlog_turn = self.turns % BACKLOG_TURN == BACKLOG_TURN - 1 || !self.former.has_live_work();
        // What is in the spool is well where it is, while what is alive has little time left.
        let from_backlog = backlog_turn && self.former.has_backlog() && self.closing.is_none();
        let formed = self.former.next_batch(from_backlog);
        self.keep_poison();
        let Formed { batch, home, first, seq, parts } = formed?;
        self.turns += 1;
        self.outstanding.push(Outstanding {
            number: batch.number,
            first,
            seq,
            left: batch.count(),
            home,
            parts: Arc::new(parts),
            frames: Vec::new(),
            asked: false,
        });
        Some(batch)
    }

    /// The mark of a clean end, once, after everything else.
    fn goodbye(&mut self) -> Option<SealedBatch> {
        if !self.sending.is_empty() || self.backoff.is_failing() || self.awaits_writes() {
            return None;
        }
        let says = self.closing.as_mut().is_some_and(Closing::says_goodbye);
        says.then(|| self.former.goodbye())?
    }

    /// An empty batch that asks whether a person has helped: where nothing is taken, nothing else need travel.
    fn probe(&mut self) -> Option<SealedBatch> {
        (self.paused && self.closing.is_none()).then(|| self.former.sign_of_life())?
    }

    /// An empty batch, where none has gone out for long.
    fn sign_of_life(&mut self, now: Instant) -> Option<SealedBatch> {
        (self.may_pulse() && self.pulse.is_due(now)).then(|| self.former.sign_of_life())?
    }

    fn may_pulse(&self) -> bool {
        self.sending.is_empty() && self.closing.is_none()
    }

    fn wait(&mut self, wait: Duration) {
        let next = now() + wait;
        self.not_before = Some(self.not_before.map_or(next, |t| t.max(next)));
    }

    fn warn(&self, subject: &'static str, line: String) {
        self.around.diagnostics.warn(subject, || line);
    }

    fn has_work(&self) -> bool {
        let backlog = self.closing.is_none() && self.former.has_backlog();
        !self.again.is_empty() || self.former.has_live_work() || backlog
    }

    fn is_idle(&self) -> bool {
        !self.has_work() && self.sending.is_empty()
    }
}

#[cfg(test)]
mod tests;

//! The collector: batches are formed, sealed, sent, and sent again until they are answered.
//!
//! ```text
//! inbox ─► waiting chunks ── seal ──► sending (≤ 4) ──► delivered | refused
//!                                        ▲      │ no usable answer
//!                                        └ retry ◄┘  after the backoff, one batch at a time
//! ```

mod batch;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hoplog_entry::{DropReason, EntryId, SpanId};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::{Inbox, Message, Surroundings};
use crate::transport::{Answer, Backoff, Http, HttpConfig, SealedBatch, SendError, Verdict};
pub(crate) use batch::BatchLimits;
use batch::Former;

/// Batches under way at once while all is well; while it is not, one probes.
const IN_FLIGHT: usize = 4;

/// How this client talks to its collector.
#[derive(Debug, Clone)]
pub(crate) struct CollectorConfig {
    pub(crate) http: HttpConfig,
    pub(crate) limits: BatchLimits,
    pub(crate) gzip: bool,
    /// Made once per process start.
    pub(crate) boot_id: EntryId,
}

type Sent = (SealedBatch, Result<Answer, SendError>);

/// The task of one collector.
pub(crate) struct Collector {
    around: Surroundings,
    http: Http,
    former: Former,
    /// Sealed before, to be sent again.
    again: VecDeque<SealedBatch>,
    sending: JoinSet<Sent>,
    backoff: Backoff,
    not_before: Option<Instant>,
    /// Who waits for everything so far to be delivered, and until when.
    flushes: Vec<(Instant, oneshot::Sender<()>)>,
    closing: Option<Closing>,
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

impl Collector {
    pub(crate) fn new(config: CollectorConfig, around: Surroundings) -> Self {
        Self {
            http: Http::new(config.http),
            former: Former::new(config.limits, config.gzip, config.boot_id, around.clone()),
            around,
            again: VecDeque::new(),
            sending: JoinSet::new(),
            backoff: Backoff::default(),
            not_before: None,
            flushes: Vec::new(),
            closing: None,
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
        let flush = self.flushes.iter().map(|(deadline, _)| *deadline).min();
        let close = self.closing.as_ref().map(|c| c.deadline);
        let retry = self.not_before.filter(|_| self.has_work());
        [flush, close, retry].into_iter().flatten().min()
    }

    fn read(&mut self, message: Message) {
        match message {
            Message::Chunk(chunk) => self.former.add(chunk),
            Message::Tick => self.former.seal_rest(),
            Message::Flush(deadline, done) => {
                self.former.seal_rest();
                self.not_before = None;
                self.flushes.push((deadline, done));
            }
            Message::Close(deadline, done) => {
                self.former.seal_rest();
                self.not_before = None;
                self.closing = Some(Closing { deadline, said_goodbye: false, _done: done });
            }
        }
    }

    fn start_sends(&mut self, now: Instant) {
        if self.not_before.is_some_and(|t| t > now) {
            return;
        }
        let most = if self.backoff.is_failing() { 1 } else { IN_FLIGHT };
        while self.sending.len() < most {
            let Some(batch) =
                self.again.pop_front().or_else(|| self.former.next_batch()).or_else(|| self.goodbye())
            else {
                return;
            };
            let request = self.http.send(batch.clone());
            self.sending.spawn(async move { (batch, request.await) });
        }
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

    fn resolve(&mut self, batch: SealedBatch, result: Result<Answer, SendError>) {
        let ledger = &self.around.ledger;
        let warn = |subject, line: String| self.around.diagnostics.warn(subject, || line);
        let verdict = match &result {
            Ok(answer) => Verdict::of(answer, batch.entries, SystemTime::now()),
            Err(error) => Verdict::Retry { after: None, why: error.what },
        };
        let wait = match verdict {
            Verdict::Delivered { stored, duplicates, rejected } => {
                ledger.delivered(stored + duplicates, duplicates);
                if rejected > 0 {
                    ledger.drop_in_flight(rejected, DropReason::ServerRejected);
                    warn(
                        "rejected",
                        format!("the collector rejected {rejected} of {} entries", batch.entries),
                    );
                }
                self.backoff.succeeded();
                self.not_before = None;
                return;
            }
            Verdict::Refused { why } => {
                ledger.drop_in_flight(batch.entries, DropReason::ServerRejected);
                warn("refused", format!("{} entries were dropped: {why}{}", batch.entries, detail(&result)));
                self.backoff.succeeded();
                return;
            }
            Verdict::Retry { after, why } => {
                warn("down", format!("{why}{}; entries are kept and sent again", detail(&result)));
                self.backoff.failed(after, random())
            }
            Verdict::Paused { why } => {
                warn("paused", format!("{why}{}; entries are kept", detail(&result)));
                self.backoff.paused(random())
            }
        };
        // The mark of a clean end is not worth a second attempt.
        if batch.entries > 0 {
            ledger.retried();
            self.again.push_back(batch);
        }
        let next = Instant::now() + wait;
        self.not_before = Some(self.not_before.map_or(next, |t| t.max(next)));
    }

    fn has_work(&self) -> bool {
        !self.again.is_empty() || self.former.has_work()
    }

    fn is_idle(&self) -> bool {
        !self.has_work() && self.sending.is_empty()
    }

    fn answer_flushes(&mut self, now: Instant) {
        if self.is_idle() {
            self.flushes.clear();
        } else {
            self.flushes.retain(|(deadline, _)| *deadline > now);
        }
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

/// Uniform in 0..=1; ids are random enough to spread clients.
fn random() -> f64 {
    let bits = u64::from_le_bytes(*SpanId::generate().as_bytes());
    (bits >> 11) as f64 / ((1u64 << 53) - 1) as f64
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => tokio::time::sleep(Duration::MAX).await,
    }
}

//! The life of an own destination: batches in order, one at a time, again where it asks for it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::{Duration, Instant};

use hoplog_entry::DropReason;
use tokio::sync::oneshot;

use super::batch::Contents;
use super::{Batch, Boxed, Delivery, Erased};
use crate::count::Count;
use crate::destination::{Inbox, Message, Parcel, Surroundings, random, sleep_until};
use crate::ledger::Home;
use crate::transport::{Backoff, Cause};

/// The clock has an end.
const LONGEST_WAIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(super) struct Task {
    around: Surroundings,
    waiting: VecDeque<Parcel>,
    /// Entries that ever came in, and those of them that have their fate.
    received: u64,
    settled: u64,
    backoff: Backoff,
    /// A flush may hurry this one,
    not_before: Option<Instant>,
    /// but not this one, which the destination asked for.
    asked: Option<Instant>,
    flushes: Vec<Flush>,
    closing: Option<Closing>,
    /// Nobody will ever write again.
    orphaned: bool,
}

/// Until when, and who waits.
pub(super) type Closing = (Instant, oneshot::Sender<()>);

/// Somebody waits for the entries up to a mark.
struct Flush {
    mark: u64,
    deadline: Instant,
    _done: oneshot::Sender<()>,
}

/// How a call of the destination ended.
enum Ended<T> {
    With(T),
    Panicked,
    /// The deadline of the shutdown came first.
    Late,
}

impl Task {
    pub(super) fn new(around: Surroundings) -> Self {
        Self {
            around,
            waiting: VecDeque::new(),
            received: 0,
            settled: 0,
            backoff: Backoff::default(),
            not_before: None,
            asked: None,
            flushes: Vec::new(),
            closing: None,
            orphaned: false,
        }
    }

    /// Until the end; returns whom to tell of it.
    pub(super) async fn run(mut self, destination: &mut dyn Erased, mut inbox: Inbox) -> Option<Closing> {
        let mut current = None;
        loop {
            if current.is_none() {
                current = Contents::gather(&mut self.waiting, &mut self.settled, &self.around);
            }
            self.answer_flushes(destination, &mut inbox, current.is_none()).await;
            let Some(contents) = &current else {
                if self.closing.is_some() || self.orphaned {
                    return self.end(destination, &mut inbox).await;
                }
                self.wait(&mut inbox, None).await;
                continue;
            };
            if self.is_late() || self.orphaned && self.closing.is_none() {
                return self.end(destination, &mut inbox).await;
            }
            let now = Instant::now();
            self.not_before.take_if(|at| *at <= now);
            self.asked.take_if(|at| *at <= now);
            if let Some(due) = self.not_before.max(self.asked) {
                self.wait(&mut inbox, Some(due)).await;
                continue;
            }
            let source = std::sync::Arc::clone(&self.around.source);
            let batch = Batch::new(contents, &source);
            let ended = self.drive(&mut inbox, destination.deliver(&batch)).await;
            if self.settle(contents.count(), ended) {
                self.settled += contents.taken;
                current = None;
            }
        }
    }

    /// Whether the batch has its fate.
    fn settle(&mut self, entries: Count, ended: Ended<Delivery>) -> bool {
        let ledger = &self.around.ledger;
        let name = &self.around.name;
        let again = match ended {
            Ended::With(Delivery::Delivered) => {
                ledger.delivered(Home::Memory, entries, 0);
                None
            }
            Ended::With(Delivery::Refused(refused)) => {
                let refused = entries.share(refused as u64);
                ledger.delivered(Home::Memory, entries - refused, 0);
                ledger.drop_in_flight(Home::Memory, refused, DropReason::ServerRejected);
                self.around.diagnostics.warn("own-refused", || {
                    format!("`{name}` refused {} of {} entries", refused.entries, entries.entries)
                });
                None
            }
            Ended::With(Delivery::Retry) => Some(None),
            Ended::With(Delivery::RetryAfter(wait)) => Some(Some(wait)),
            Ended::Panicked => {
                ledger.drop_in_flight(Home::Memory, entries, DropReason::Poison);
                self.around.diagnostics.warn("own-panic", || {
                    format!("`{name}` panicked over {} entries; they were dropped", entries.entries)
                });
                None
            }
            Ended::Late => return false,
        };
        let Some(asked) = again else {
            self.backoff.succeeded();
            return true;
        };
        ledger.retried();
        self.around.diagnostics.warn("own-retry", || format!("`{name}` asks for its entries again, later"));
        let due = Instant::now() + self.backoff.failed(asked, Cause::Away, random()).min(LONGEST_WAIT);
        *(if asked.is_some() { &mut self.asked } else { &mut self.not_before }) = Some(due);
        false
    }

    /// Runs a call of the destination while mail is read, until the deadline of a shutdown.
    async fn drive<T>(&mut self, inbox: &mut Inbox, mut call: Boxed<'_, T>) -> Ended<T> {
        let ended = self.race(inbox, &mut call).await;
        // What is dropped half done may panic over it.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(call)));
        ended
    }

    async fn race<T>(&mut self, inbox: &mut Inbox, call: &mut Boxed<'_, T>) -> Ended<T> {
        let mut guarded =
            std::future::poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(cx))) {
                Ok(poll) => poll.map(Ended::With),
                Err(_) => Poll::Ready(Ended::Panicked),
            });
        loop {
            let deadline = self.closing.as_ref().map(|(deadline, _)| *deadline);
            tokio::select! {
                biased;
                ended = &mut guarded => return ended,
                mail = inbox.recv(), if !self.orphaned => self.read(mail),
                () = sleep_until(deadline), if deadline.is_some() => return Ended::Late,
            }
        }
    }

    /// Until mail comes, or the moment.
    async fn wait(&mut self, inbox: &mut Inbox, until: Option<Instant>) {
        let closing = self.closing.as_ref().map(|(deadline, _)| *deadline);
        let flush = self.flushes.iter().map(|flush| flush.deadline).min();
        let timer = [until, closing, flush].into_iter().flatten().min();
        tokio::select! {
            biased;
            mail = inbox.recv(), if !self.orphaned => self.read(mail),
            () = sleep_until(timer), if timer.is_some() => {}
        }
    }

    fn read(&mut self, mail: Option<Message>) {
        match mail {
            Some(Message::Chunk(parcel)) => {
                self.received += parcel.entries() as u64;
                let kept = self.waiting.back_mut().is_some_and(|last| last.absorb(&parcel));
                if !kept {
                    self.waiting.push_back(parcel);
                }
            }
            Some(Message::Flush(deadline, done) | Message::Save(deadline, done)) => {
                self.not_before = None;
                self.flushes.push(Flush { mark: self.received, deadline, _done: done });
            }
            Some(Message::Close(deadline, done)) => {
                self.not_before = None;
                self.closing = Some((deadline, done));
            }
            // The last is for those with a spool alone.
            Some(Message::Tick { .. } | Message::Reopen(_) | Message::Durable(..)) => {}
            None => self.orphaned = true,
        }
    }

    async fn answer_flushes(&mut self, destination: &mut dyn Erased, inbox: &mut Inbox, idle: bool) {
        let settled = if idle { self.received } else { self.settled };
        if self.flushes.iter().any(|flush| flush.mark <= settled) {
            self.drive(inbox, destination.flush()).await;
        }
        let now = Instant::now();
        self.flushes.retain(|flush| flush.mark > settled && flush.deadline > now);
    }

    fn is_late(&self) -> bool {
        self.closing.as_ref().is_some_and(|(deadline, _)| Instant::now() >= *deadline)
    }

    /// What is left is lost, and counted; the destination closes, unless its time is over.
    async fn end(mut self, destination: &mut dyn Erased, inbox: &mut Inbox) -> Option<Closing> {
        let ledger = std::sync::Arc::clone(&self.around.ledger);
        let left: Count = self.waiting.drain(..).map(|parcel| parcel.count()).sum();
        ledger.drop_waiting(Home::Memory, left, DropReason::ShutdownDeadline);
        ledger.drop_all_in_flight(DropReason::ShutdownDeadline);
        self.drive(inbox, destination.close()).await;
        self.closing
    }
}

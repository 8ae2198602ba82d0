//! A destination as the worker sees it: a task to start, an inbox, a share of the memory.

use std::sync::Arc;

use hoplog_entry::DropReason;

use super::episodes::Episodes;
use super::stage::Stage;
use crate::count::Count;
use crate::destination::{Holding, Lines, Mail, Message, Parcel, Prepared, Sink, Surroundings, inbox};
use crate::durable::{Group, NotDurable};
use crate::ledger::Home;
use crate::queue::{Chunk, Overflow};
#[cfg(feature = "toml")]
use {super::GRACE, crate::destination::Filter, std::time::Instant, tokio::sync::oneshot};

/// A destination and the way to its task.
pub(super) struct Outlet {
    prepared: Prepared,
    around: Surroundings,
    mail: Option<Mail>,
    /// Entries that were handed to it, or dropped in its place.
    handed: Count,
    /// Chunks that it holds, and that wait for it here.
    holding: Holding,
    stage: Stage,
    tick: Arc<()>,
    losses: Episodes,
}

impl Outlet {
    /// `handed`: which entries one of the same name had before.
    pub(super) fn new(prepared: Prepared, around: Surroundings, handed: Count) -> Self {
        Self {
            prepared,
            around,
            mail: None,
            handed,
            holding: Holding::default(),
            stage: Stage::default(),
            tick: Arc::default(),
            losses: Episodes::default(),
        }
    }

    /// Hands over a chunk, unless the destination holds `share` chunks already: then this one is lost to it, or others that
    /// came before it.
    pub(super) fn hand_over(&mut self, chunk: &Arc<Chunk>, share: usize) {
        if self.around.pipeline.queue.overflow() == Overflow::DropOldest {
            self.stage.add(Parcel::new(chunk, &self.holding));
            let lost = self.stage.shed(&self.holding, share);
            return self.lose(lost, DropReason::QueueFullOldest);
        }
        if self.holding.chunks().saturating_add(chunk.price()) > share {
            return self.lose(chunk.count(), DropReason::QueueFullNewest);
        }
        self.hand(Parcel::new(chunk, &self.holding));
    }

    /// Of all that was swept, what neither it has nor waits here for it is lost.
    pub(super) fn write_off(&mut self, swept: Count) {
        let known = self.handed + self.stage.count();
        let lost = self.around.ledger.counts().meant(swept).saturating_sub(known);
        self.handed += lost;
        self.around.ledger.drop_waiting(Home::Memory, lost, DropReason::SerializeError);
    }

    /// Lets go of what has waited longest here, until all that is `used`, which is about to come, fits its share.
    pub(super) fn make_room(&mut self, used: usize, share: usize) {
        let to_come = used.saturating_sub(self.holding.chunks());
        let lost = self.stage.shed(&self.holding, share.saturating_sub(to_come));
        self.lose(lost, DropReason::QueueFullOldest);
    }

    fn hand(&mut self, parcel: Parcel) {
        let entries = parcel.count();
        self.send(Message::Chunk(parcel));
        self.handed += entries;
    }

    /// Hands over what waits here, until the destination itself holds so much.
    pub(super) fn hand_on(&mut self, window: usize) {
        while self.holding.chunks() - self.stage.chunks() < window
            && let Some(parcel) = self.stage.next()
        {
            self.hand(parcel);
        }
    }

    /// Entries that it is not handed are lost to it.
    pub(super) fn lose(&mut self, entries: Count, reason: DropReason) {
        if entries.entries == 0 {
            return;
        }
        self.handed += entries;
        self.around.ledger.drop_waiting(Home::Memory, entries, reason);
        let name = &self.around.name;
        self.around.diagnostics.warn("share", || {
            format!("`{name}` stands still and its share of the memory is full; entries are dropped")
        });
    }

    /// Hands chunks over that somebody waits for.
    pub(super) fn hand_over_durable(&mut self, chunks: &[Arc<Chunk>], group: &Arc<Group>, share: usize) {
        let price = chunks.iter().map(|chunk| chunk.price()).sum();
        if !self.has_spool() || self.holding.chunks().saturating_add(price) > share {
            if self.has_spool() {
                group.fail(NotDurable::NoRoom);
            }
            return chunks.iter().for_each(|chunk| self.hand_over(chunk, share));
        }
        let parcels = chunks.iter().map(|chunk| Parcel::new(chunk, &self.holding)).collect();
        self.send(Message::Durable(parcels, Arc::clone(group)));
        self.handed += chunks.iter().map(|chunk| chunk.count()).sum::<Count>();
    }

    pub(super) fn ceiling(&self) -> usize {
        self.prepared.ceiling()
    }

    pub(super) fn tell_of_losses(&mut self) {
        let counts = self.around.ledger.counts();
        self.losses.look(&self.around.pipeline, &self.around.name, counts.dropped());
    }

    /// Whether what it has is also on the disk.
    pub(super) fn has_spool(&self) -> bool {
        matches!(&self.prepared, Prepared::Remote(config) if config.spool.is_some())
    }

    /// Whether everything is on the disk before it is sent.
    pub(super) fn writes_through(&self) -> bool {
        matches!(&self.prepared, Prepared::Remote(config) if config.spool.as_ref().is_some_and(|s| s.write_through))
    }

    /// Says that the flush interval is over, unless the task has not even heard of the last one: what stands still for
    /// days is not told every second.
    pub(super) fn tick(&mut self) {
        if Arc::strong_count(&self.tick) == 1 {
            self.send(Message::Tick { _unread: Arc::clone(&self.tick) });
        }
    }

    /// Sends a message to the task; starts the task, again if it had ended by a panic. Entries in the message are
    /// counted as handed by the caller, afterwards: what a dead task held is written off here.
    pub(super) fn send(&mut self, message: Message) {
        let message = match &self.mail {
            Some(mail) => match mail.send(message) {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => message,
        };
        self.around.ledger.write_off(self.handed, DropReason::SerializeError);
        let (mail, inbox) = inbox();
        tokio::spawn(self.prepared.clone().run(inbox, self.around.clone()));
        let _ = mail.send(message);
        self.mail = Some(mail);
    }

    /// Whether it writes to a file, which may be let go of.
    pub(super) fn has_file(&self) -> bool {
        matches!(&self.prepared, Prepared::Lines(Lines { sink: Sink::File(_), .. }))
    }

    #[cfg(feature = "toml")]
    pub(super) fn name(&self) -> &str {
        &self.around.name
    }

    /// From now on it takes what this filter lets through.
    #[cfg(feature = "toml")]
    pub(super) fn filter(&self, filter: Filter) {
        self.around.gate.replace(filter);
    }

    /// Another task follows the one that runs: it gets what comes from now on, and begins when that one has ended.
    #[cfg(feature = "toml")]
    pub(super) fn replace(&mut self, prepared: Prepared, deadline: Instant) -> oneshot::Receiver<()> {
        let ended = self.close(deadline);
        self.prepared = prepared;
        let (mail, inbox) = inbox();
        let next = self.prepared.clone().run(inbox, self.around.clone());
        let (done, waiting) = oneshot::channel();
        tokio::spawn(async move {
            let _ = tokio::time::timeout_at((deadline + GRACE).into(), ended).await;
            drop::<oneshot::Sender<()>>(done);
            next.await;
        });
        self.mail = Some(mail);
        waiting
    }

    /// Nothing more is handed to it; what it has it delivers until then.
    #[cfg(feature = "toml")]
    pub(super) fn end(mut self, deadline: Instant) -> oneshot::Receiver<()> {
        let ended = self.close(deadline);
        self.around.ledger.end_with(self.handed);
        ended
    }

    #[cfg(feature = "toml")]
    fn close(&mut self, deadline: Instant) -> oneshot::Receiver<()> {
        self.hand_on(usize::MAX);
        let (done, ended) = oneshot::channel();
        if let Some(mail) = self.mail.take()
            && mail.send(Message::Close(deadline, done)).is_err()
        {
            self.around.ledger.write_off(self.handed, DropReason::SerializeError);
        }
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::{Gate, Memory};

    #[test]
    fn a_destination_that_stands_still_is_ticked_one_time() {
        let capture = crate::testing::capture();
        let around = Surroundings {
            name: "stuck".into(),
            pipeline: Arc::clone(capture.client().pipeline().unwrap()),
            ledger: Arc::default(),
            source: Arc::default(),
            diagnostics: Arc::default(),
            gate: Arc::new(Gate::default()),
        };
        let mut outlet = Outlet::new(Prepared::Memory(Memory::default()), around, Count::default());
        let (mail, mut inbox) = inbox();
        outlet.mail = Some(mail);
        for _ in 0..3 {
            (0..1_000).for_each(|_| outlet.tick());
            assert!(matches!(inbox.try_recv(), Ok(Message::Tick { .. })));
            assert!(inbox.is_empty());
        }
    }
}

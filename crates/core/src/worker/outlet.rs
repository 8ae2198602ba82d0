//! A destination as the worker sees it: a task to start, an inbox, a share of the memory.

use std::sync::Arc;

use hoplog_entry::DropReason;

use crate::destination::{Holding, Mail, Message, Parcel, Prepared, Surroundings, inbox};
use crate::queue::Chunk;

/// A destination and the way to its task.
pub(super) struct Outlet {
    prepared: Prepared,
    around: Surroundings,
    mail: Option<Mail>,
    /// Entries that were handed to it, or dropped in its place.
    handed: u64,
    holding: Holding,
}

impl Outlet {
    pub(super) fn new(prepared: Prepared, around: Surroundings) -> Self {
        Self { prepared, around, mail: None, handed: 0, holding: Holding::default() }
    }

    /// Hands over a chunk, unless the destination holds `share` chunks already: then this one is lost to it.
    pub(super) fn hand_over(&mut self, chunk: &Arc<Chunk>, share: usize) {
        let entries = chunk.entries() as u64;
        if self.holding.chunks().saturating_add(chunk.price()) > share {
            self.handed += entries;
            self.around.ledger.drop_queued(entries, DropReason::QueueFullNewest);
            let name = &self.around.name;
            self.around.diagnostics.warn("share", || {
                format!("`{name}` stands still and its share of the memory is full; entries are dropped")
            });
            return;
        }
        self.send(Message::Chunk(Parcel::new(chunk, &self.holding)));
        self.handed += entries;
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
}

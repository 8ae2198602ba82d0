//! Entries kept in memory, for tests of the application.

use std::sync::{Arc, Mutex};

use hoplog_entry::{DropReason, Record};

use super::{Inbox, Message, Surroundings};
use crate::count::Count;
use crate::encode::entry_line;
use crate::ledger::Home;
use crate::sync::lock;

/// Collects entries as JSON lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    pub(crate) lines: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Memory {
    pub(super) async fn run(self, mut inbox: Inbox, around: Surroundings) {
        while let Some(message) = inbox.recv().await {
            let Message::Chunk(chunk) = message else { continue };
            let mut rest = chunk.bytes();
            while !rest.is_empty() {
                let mut line = Vec::new();
                match Record::read(rest) {
                    Ok((record, after)) if !around.takes(&record, Home::Memory) => rest = after,
                    Ok((record, after)) if entry_line(&mut line, &record, &around.source).is_ok() => {
                        rest = after;
                        lock(&self.lines).push(line);
                        around.ledger.written(Count::one(record.bytes()));
                    }
                    Ok((record, after)) => {
                        rest = after;
                        let lost = Count::one(record.bytes());
                        around.ledger.drop_waiting(Home::Memory, lost, DropReason::SerializeError);
                    }
                    Err(_) => break,
                }
            }
        }
    }
}

//! What handlers say of their request while it runs, by [`hoplog::current()`](crate::current): for its entry, and for
//! every entry that is logged in it.

use std::sync::Arc;

use hoplog_entry::{Field, Level, Outcome, RecordWriter};

use super::live::Live;
use super::record::OpenRecord;
use super::rules::{Ended, Fate, Verdict};
use crate::context::Notes;
use crate::pipeline::Pipeline;
use crate::sync::lock;

/// The most bytes of a message; an entry keeps fewer.
const MAX_MESSAGE: usize = 96 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Shared with the entries that are being written.
    notes: Arc<Notes>,
    message: Option<String>,
    pub(crate) level: Option<Level>,
    pub(crate) skip: bool,
    /// Entries beyond what one request may log.
    events_dropped: u64,
}

impl Told {
    pub(crate) fn notes(&mut self) -> &mut Notes {
        Arc::make_mut(&mut self.notes)
    }

    pub(crate) fn set_message(&mut self, message: &str) {
        let end = (0..=MAX_MESSAGE.min(message.len())).rev().find(|end| message.is_char_boundary(*end));
        self.message = Some(message[..end.unwrap_or(0)].to_owned());
    }

    /// Of the exchange before.
    #[cold]
    pub(super) fn forget(told: &mut Option<Box<Self>>) {
        *told = None;
    }

    pub(super) fn write_notes(&self, record: &mut RecordWriter, pipeline: &Arc<Pipeline>) {
        self.notes.write(record, pipeline);
    }

    fn write(&self, record: &mut RecordWriter, pipeline: &Arc<Pipeline>) {
        self.write_notes(record, pipeline);
        if let Some(message) = &self.message {
            record.text(Field::Message, &pipeline.redactor.text(message));
        }
        if self.events_dropped > 0 {
            record.custom_json("events_dropped", &self.events_dropped.to_string());
        }
    }
}

impl Live {
    /// Says something of the request, while it is open.
    pub(crate) fn tell(&self, f: impl FnOnce(&mut Told)) {
        let mut record = lock(&self.record);
        if record.is_open() {
            f(record.told.get_or_insert_default());
        }
    }

    /// What holds for every entry logged in it.
    pub(crate) fn notes(&self) -> Option<Arc<Notes>> {
        lock(&self.record).told.as_ref().map(|told| Arc::clone(&told.notes))
    }

    /// One more entry is logged in it: what holds for that. False if it is one too many, which is counted.
    pub(crate) fn one_more_event(&self, most: u32) -> (bool, Option<Arc<Notes>>) {
        let mut record = lock(&self.record);
        let fits = record.events < most;
        if fits {
            record.events += 1;
        } else {
            record.told.get_or_insert_default().events_dropped += 1;
        }
        (fits, record.told.as_ref().map(|told| Arc::clone(&told.notes)))
    }
}

impl OpenRecord {
    /// Writes what handlers said, and judges as they said.
    #[cold]
    pub(super) fn end_as_told(&mut self, pipeline: &Arc<Pipeline>, ended: Ended) -> Verdict {
        let Some(told) = self.told.as_deref() else {
            return pipeline.rules.end_as_told(&self.chosen, &ended, None);
        };
        let broke = matches!(ended.outcome, Outcome::Panicked | Outcome::ServiceError);
        let verdict = pipeline.rules.end_as_told(&self.chosen, &ended, told.level.filter(|_| !broke));
        if told.skip && !ended.announced && ended.outcome != Outcome::Panicked {
            return Verdict { fate: Fate::Skip, ..verdict };
        }
        told.write(&mut self.writer, pipeline);
        verdict
    }

    /// Whether a `running` entry may tell of it, by what handlers said.
    pub(super) fn is_skipped(&self) -> bool {
        self.told.as_ref().is_some_and(|told| told.skip)
    }
}

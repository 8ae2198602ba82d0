//! What is open in this process, so that a request which takes long is seen before it ends.
//!
//! Every [`Live`](super::live::Live) is listed from its making to its end, not from request to request: the pool
//! hands them out again, so the request path pays nothing for the list.

use std::sync::{Arc, Mutex, Weak};

use hoplog_entry::{EntryId, Field, Kind, Level, RecordWriter};

use super::record::OpenRecord;
use crate::pipeline::Pipeline;
use crate::sync::lock;

static LIST: Mutex<List> = Mutex::new(List { records: Vec::new(), free: Vec::new() });

struct List {
    records: Vec<Weak<Mutex<OpenRecord>>>,
    /// Places in `records` that nobody has.
    free: Vec<usize>,
}

/// A place in the list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Listed(usize);

pub(super) fn list(record: &Arc<Mutex<OpenRecord>>) -> Listed {
    let mut list = lock(&LIST);
    let record = Arc::downgrade(record);
    match list.free.pop() {
        Some(place) => {
            list.records[place] = record;
            Listed(place)
        }
        None => {
            list.records.push(record);
            Listed(list.records.len() - 1)
        }
    }
}

pub(super) fn unlist(Listed(place): Listed) {
    let mut list = lock(&LIST);
    list.records[place] = Weak::new();
    list.free.push(place);
}

/// Writes a `running` entry for each of the client's exchanges that has been open for long enough and has none yet.
pub(crate) fn announce(pipeline: &Arc<Pipeline>) {
    let after = u64::try_from(pipeline.running_after.as_nanos()).unwrap_or(u64::MAX);
    // Copied, so that the list is not locked while records are.
    let records = lock(&LIST).records.clone();
    let mut writer = RecordWriter::default();
    for record in records.iter().filter_map(Weak::upgrade) {
        let mut open = lock(&record);
        let ours = open.pipeline.as_ref().is_some_and(|p| Arc::ptr_eq(p, pipeline));
        let age = pipeline.clock.now().since(open.started);
        if !ours
            || open.announced
            || age < after
            || open.is_skipped()
            || !pipeline.rules.announces(&open.chosen)
        {
            continue;
        }
        open.announced = true;
        open.write_running(&mut writer, pipeline, age);
        drop(open);
        let _ = pipeline.queue.push(writer.end(Level::Info, None), false);
    }
}

impl OpenRecord {
    /// What is known so far, as an entry of its own.
    fn write_running(&self, writer: &mut RecordWriter, pipeline: &Arc<Pipeline>, age: u64) {
        let id = EntryId::generate(pipeline.clock.unix_ns(pipeline.clock.now()) / 1_000_000);
        if let Some(exchange) = writer.begin_as(&self.writer, Kind::Running, id) {
            writer.uuid(Field::ExchangeId, &exchange);
        }
        if let Some(told) = &self.told {
            told.write_notes(writer, pipeline);
        }
        if self.status != 0 {
            writer.uint(Field::StatusCode, self.status.into());
            writer.nanos(Field::Ttfb, self.ttfb);
        }
        writer.nanos(Field::Duration, age);
    }
}

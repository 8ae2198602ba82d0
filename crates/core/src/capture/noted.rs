//! What is noted of an open request: its entry, as it is to be if the process dies now.

use hoplog_entry::{Field, Item, Kind, Level, Outcome, Record, RecordWriter, Value};

use super::record::OpenRecord;
use super::rules::{Ended, Fate, Verdict};
use crate::pipeline::Pipeline;

/// What fits a place, whatever a client sends. Longer ones are cut.
const LONGEST: [(Field, usize); 8] = [
    (Field::Method, 32),
    (Field::Path, 320),
    (Field::Route, 160),
    (Field::Scheme, 8),
    (Field::HttpVersion, 8),
    (Field::RequestId, 128),
    (Field::XTraceId, 128),
    (Field::HostHeader, 64),
];

impl OpenRecord {
    /// It begins.
    #[cold]
    pub(super) fn note(&mut self) {
        let Some(pipeline) = self.pipeline.clone() else { return };
        if let (Some(requests), Some(record)) = (&pipeline.open_requests, self.as_it_would_be(&pipeline)) {
            self.noted = requests.begin(&record);
        }
    }

    /// Its route is known.
    #[cold]
    pub(super) fn note_again(&mut self) {
        let Some(pipeline) = self.pipeline.clone() else { return };
        if let (Some(requests), Some(record)) = (&pipeline.open_requests, self.as_it_would_be(&pipeline)) {
            requests.change(self.noted, &record);
        }
    }

    /// Its entry is with the queue.
    #[cold]
    pub(super) fn note_end(&mut self, pipeline: &Pipeline) {
        let noted = std::mem::take(&mut self.noted);
        pipeline.open_requests.iter().for_each(|requests| requests.end(noted));
    }

    /// The entry of its end by the process's death; `None` where the rules want none. Every value of it was judged
    /// when it was captured.
    fn as_it_would_be(&mut self, pipeline: &Pipeline) -> Option<Vec<u8>> {
        let outcome = Outcome::ProcessDied;
        let Self { status, grpc_status, announced, .. } = *self;
        let ended = Ended { outcome, status, grpc_status, took: 0, announced, failed: true };
        let Verdict { fate: Fate::Keep(weight), level, .. } =
            pipeline.rules.end_as_told(&self.chosen, &ended, None)
        else {
            return None;
        };
        let (record, _) = Record::read(self.writer.end(Level::Info, None)).ok()?;
        let mut writer = RecordWriter::default();
        writer.begin(Kind::Request, record.id(), record.created_unix_ns());
        for item in record.items() {
            match item.ok()? {
                Item::Field(field @ (Field::Ip | Field::Peer), Value::Ip(ip)) => writer.ip(field, ip),
                Item::Field(field, Value::TraceId(id)) => writer.trace_id(field, &id),
                Item::Field(field, Value::SpanId(id)) => writer.span_id(field, &id),
                Item::Field(field, Value::Text(text)) => {
                    if let Some((_, most)) = LONGEST.iter().find(|(known, _)| *known == field) {
                        writer.text(field, cut(text, *most));
                    }
                }
                _ => {}
            }
        }
        if weight > 1.0 {
            writer.float(Field::Weight, weight);
        }
        Some(writer.end(level, Some(outcome)).to_vec())
    }
}

/// The beginning of a text, no character halved.
fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    &text[..end]
}

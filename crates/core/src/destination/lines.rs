//! Entries as lines: text for people, JSON for tools, on the console or in a file.

use std::io;
use std::sync::Arc;

use hoplog_entry::{Diagnostics, DropReason, Malformed, Record};
use tokio::task::JoinHandle;

use super::file::{Appender, Attic, Disk as _, FilePlan, RealDisk, Written, write_whole};
use super::{Inbox, Message, Source, Surroundings};
use crate::count::Count;
use crate::encode::{PANICKED, contained, entry_ecs, entry_line, entry_text};
use crate::ledger::Home;
use crate::queue::Chunk;

/// Chunks that wait are written together, up to about this many bytes of lines.
const TOGETHER: usize = 256 * 1024;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people; `colour` where a terminal shows it, `dated` where it is read on another day.
    Text { colour: bool, dated: bool },
    /// One JSON object per line, as the collector gets it, with the constant fields in each.
    Json,
    /// One JSON object per line, with the names of the Elastic Common Schema.
    Ecs,
}

/// Where lines go.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    /// Standard output.
    Console,
    File(FilePlan),
}

/// A destination of lines.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    pub(crate) form: Form,
    pub(crate) sink: Sink,
}

impl Lines {
    /// Lines that are written together, and those of a chunk that came when there was room for one more.
    pub(super) const CEILING: usize = 2 * (TOGETHER + 2 * hoplog_entry::record::MAX_RECORD);

    pub(super) async fn run(self, mut inbox: Inbox, around: Surroundings) {
        let mut desk = Desk::new(self, around);
        let mut next = inbox.recv().await;
        while let Some(message) = next {
            next = None;
            match message {
                Message::Chunk(chunk) => {
                    desk.encode(&chunk);
                    drop(chunk);
                    while desk.buffer.len() < TOGETHER && next.is_none() {
                        match inbox.try_recv() {
                            Ok(Message::Chunk(chunk)) => desk.encode(&chunk),
                            Ok(other) => next = Some(other),
                            Err(_) => break,
                        }
                    }
                    desk.write().await;
                }
                Message::Tick { .. } => desk.tick().await,
                Message::Reopen(done) => {
                    desk.with_file(Appender::reopen).await;
                    drop(done);
                }
                // For those with a spool alone.
                Message::Durable(..) => {}
                // Everything before it is written.
                Message::Flush(_, done) | Message::Save(_, done) | Message::Close(_, done) => drop(done),
            }
            if next.is_none() {
                next = inbox.recv().await;
            }
        }
    }
}

/// Encodes, and has a thread of its own write: a terminal that is stopped, or a hung file system, must not hold up the
/// worker.
struct Desk {
    form: Form,
    around: Surroundings,
    plan: Option<FilePlan>,
    writer: Option<Writer>,
    buffer: Vec<u8>,
    /// Sizes of the records whose lines are in the buffer.
    sizes: Vec<u32>,
    /// The hour or day of the last look at the clock.
    period: Option<u64>,
    /// Archives are to be looked after, and who does it.
    untidy: bool,
    tidying: Option<JoinHandle<()>>,
}

enum Writer {
    Console,
    File(Box<Appender<RealDisk>>),
}

impl Desk {
    fn new(lines: Lines, around: Surroundings) -> Self {
        let plan = match lines.sink {
            Sink::Console => None,
            Sink::File(plan) => Some(plan),
        };
        let mut new = Self {
            form: lines.form,
            untidy: plan.as_ref().is_some_and(FilePlan::rotates),
            plan,
            around,
            writer: None,
            buffer: Vec::new(),
            sizes: Vec::new(),
            period: None,
            tidying: None,
        };
        new.period = new.period_now();
        new
    }

    fn encode(&mut self, chunk: &Chunk) {
        let (mut rest, mut seen) = (chunk.bytes(), Count::default());
        let (mut bad, mut poison) = (Count::default(), Count::default());
        while let Ok((record, after)) = Record::read(rest) {
            rest = after;
            let entry = Count::one(record.bytes());
            seen += entry;
            if !self.around.takes(&record, Home::Memory) {
                continue;
            }
            // Once more where it panicked: that may have been for once.
            let encoded = match self.encode_one(&record) {
                Err(PANICKED) => self.encode_one(&record),
                encoded => encoded,
            };
            match encoded {
                Ok(()) => self.sizes.push(entry.bytes as u32),
                Err(PANICKED) => poison += entry,
                Err(_) => bad += entry,
            }
        }
        bad += chunk.count().saturating_sub(seen);
        for (lost, reason) in [(bad, DropReason::SerializeError), (poison, DropReason::Poison)] {
            if lost.entries > 0 {
                self.around.ledger.drop_waiting(Home::Memory, lost, reason);
            }
        }
    }

    /// An entry that cannot be written leaves no trace.
    fn encode_one(&mut self, record: &Record<'_>) -> Result<(), Malformed> {
        let start = self.buffer.len();
        let encoded = contained(|| encode(self.form, &mut self.buffer, record, &self.around.source));
        if encoded.is_err() {
            self.buffer.truncate(start);
        }
        encoded
    }

    async fn write(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        if self.sizes.is_empty() {
            return;
        }
        let (bytes, entries) = (buffer.len(), self.sizes.len() as u64);
        let (written, buffer) = self
            .on_a_thread(move |writer| (writer.write(&buffer, entries), buffer))
            .await
            .unwrap_or_else(|| (Written::nothing("the write panicked"), Vec::new()));
        self.buffer = buffer;
        self.buffer.clear();
        let lines = self.sizes.len().min(written.lines as usize);
        let (there, lost) = self.sizes.split_at(lines);
        self.around.ledger.written(Count::of_sizes(there));
        self.untidy |= written.rotated;
        match written.error {
            None => self.around.ledger.encoded(bytes, bytes),
            Some(error) => {
                let (lost, name) = (Count::of_sizes(lost), &self.around.name);
                self.around.ledger.drop_waiting(Home::Memory, lost, DropReason::SpoolIoError);
                self.around.diagnostics.warn("lines", || {
                    format!("{} entries were lost, `{name}` cannot be written: {error}", lost.entries)
                });
            }
        }
        self.sizes.clear();
        self.tidy();
    }

    /// A file whose hour or day is over is rotated also if nothing is written.
    async fn tick(&mut self) {
        let period = self.period_now();
        if period > self.period {
            let turned = self
                .on_a_thread(|writer| match writer {
                    Writer::File(file) => file.turn().unwrap_or(false),
                    Writer::Console => false,
                })
                .await;
            self.untidy |= turned == Some(true);
        }
        self.period = period;
        self.tidy();
    }

    fn period_now(&self) -> Option<u64> {
        let plan = self.plan.as_ref()?;
        plan.rotation.every.map(|every| every.number(plan.disk.now(), &plan.rotation.zone))
    }

    async fn with_file(&mut self, act: impl FnOnce(&mut Appender<RealDisk>) + Send + 'static) {
        let _ = self
            .on_a_thread(|writer| {
                if let Writer::File(file) = writer {
                    act(file);
                }
            })
            .await;
    }

    /// `None` where it panicked; the writer is made anew then.
    async fn on_a_thread<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Option<T> {
        let mut writer = self.writer.take().unwrap_or_else(|| self.new_writer());
        let done = tokio::task::spawn_blocking(move || (act(&mut writer), writer)).await;
        let (result, writer) = done.ok()?;
        self.writer = Some(writer);
        Some(result)
    }

    fn new_writer(&self) -> Writer {
        match &self.plan {
            None => Writer::Console,
            Some(plan) => Writer::File(Box::new(plan.appender(Arc::clone(&self.around.diagnostics)))),
        }
    }

    /// Archives are looked after on the side, by one at a time.
    fn tidy(&mut self) {
        let busy = self.tidying.as_ref().is_some_and(|task| !task.is_finished());
        let Some(plan) = self.plan.as_ref().filter(|_| self.untidy && !busy) else { return };
        self.untidy = false;
        let path = match &self.writer {
            Some(Writer::File(file)) => file.path().to_owned(),
            _ => plan.path.clone(),
        };
        let attic = Attic { disk: plan.disk, path, keep: plan.keep, gzip: plan.gzip };
        let diagnostics = Arc::clone(&self.around.diagnostics);
        self.tidying = Some(tokio::task::spawn_blocking(move || {
            if let Err(error) = attic.tidy() {
                let path = attic.path.display();
                diagnostics.warn("archives", || format!("the archives of {path} are not in order: {error}"));
            }
        }));
    }
}

impl Writer {
    /// One write per call, so that lines of several processes do not mix.
    fn write(&mut self, lines: &[u8], entries: u64) -> Written {
        match self {
            Self::File(file) => file.write(lines),
            Self::Console => {
                let error = write_whole(&mut io::stdout().lock(), lines).1.err();
                Written { lines: if error.is_none() { entries } else { 0 }, rotated: false, error }
            }
        }
    }
}

impl Written {
    fn nothing(why: &'static str) -> Self {
        Self { lines: 0, rotated: false, error: Some(io::Error::other(why)) }
    }
}

impl FilePlan {
    pub(crate) fn appender(&self, diagnostics: Arc<Diagnostics>) -> Appender<RealDisk> {
        Appender::new(self.disk, self.path.clone(), self.rotation.clone(), diagnostics)
    }

    fn rotates(&self) -> bool {
        self.rotation.max_bytes.is_some() || self.rotation.every.is_some()
    }
}

fn encode(form: Form, out: &mut Vec<u8>, record: &Record<'_>, source: &Source) -> Result<(), Malformed> {
    match form {
        Form::Text { colour, dated } => entry_text(out, record, colour, dated),
        Form::Json => entry_line(out, record, source),
        Form::Ecs => entry_ecs(out, record, source),
    }
}

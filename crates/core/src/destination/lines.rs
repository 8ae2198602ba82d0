//! Entries as lines: text for people or JSON for tools, to the console or a file.

use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;

use hoplog_entry::{DropReason, Record};

use super::{Inbox, Message, Surroundings};
use crate::encode::{entry_line, entry_text};
use crate::queue::Chunk;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people; `colour` where a terminal shows it.
    Text { colour: bool },
    /// One JSON object per line, as the collector gets it, with the constant fields in each.
    Json,
}

/// Where lines go.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    /// Standard output.
    Console,
    /// A file that is appended to.
    File(Arc<File>),
}

/// A destination of lines.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    form: Form,
    sink: Sink,
    buffer: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(form: Form, sink: Sink) -> Self {
        Self { form, sink, buffer: Vec::new() }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self.sink {
            Sink::Console => "console",
            Sink::File(_) => "file",
        }
    }

    pub(super) async fn run(mut self, mut inbox: Inbox, around: Surroundings) {
        // A flush finds everything before it written: its sender is dropped here.
        while let Some(message) = inbox.recv().await {
            if let Message::Chunk(chunk) = message {
                self.write(&chunk, &around).await;
            }
        }
    }

    async fn write(&mut self, chunk: &Chunk, around: &Surroundings) {
        self.buffer.clear();
        let (mut rest, mut good, mut bad) = (chunk.bytes(), 0u64, 0u64);
        let mut left_out = 0u64;
        while let Ok((record, after)) = Record::read(rest) {
            rest = after;
            if !around.takes(&record) {
                left_out += 1;
                continue;
            }
            let encoded = match self.form {
                Form::Text { colour } => entry_text(&mut self.buffer, &record, colour),
                Form::Json => entry_line(&mut self.buffer, &record, &around.source),
            };
            *(if encoded.is_ok() { &mut good } else { &mut bad }) += 1;
        }
        bad += (chunk.entries() as u64).saturating_sub(good + bad + left_out);
        if bad > 0 {
            around.ledger.drop_queued(bad, DropReason::SerializeError);
        }
        let bytes = self.buffer.len();
        match self.put().await {
            Ok(()) => {
                around.ledger.encoded(bytes, bytes);
                around.ledger.delivered(good, 0);
            }
            Err(error) => {
                around.ledger.drop_queued(good, DropReason::SpoolIoError);
                around.diagnostics.warn(self.name(), || {
                    format!("{good} entries were lost, `{}` cannot be written: {error}", around.name)
                });
            }
        }
    }

    /// One write per chunk, so that lines of several processes do not mix in a file opened for appending. On a thread
    /// of its own: a terminal that is stopped, or a hung file system, must not hold up the worker.
    async fn put(&mut self) -> io::Result<()> {
        let (sink, buffer) = (self.sink.clone(), std::mem::take(&mut self.buffer));
        let write = tokio::task::spawn_blocking(move || (sink.write(&buffer), buffer));
        let (result, buffer) = write.await.map_err(io::Error::other)?;
        self.buffer = buffer;
        result
    }
}

impl Sink {
    fn write(&self, lines: &[u8]) -> io::Result<()> {
        match self {
            Self::Console => {
                let mut out = io::stdout().lock();
                out.write_all(lines)?;
                out.flush()
            }
            Self::File(file) => (&**file).write_all(lines),
        }
    }
}

//! The layer: spans are kept, events become entries.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hoplog::{Context, DropReason, EntryBuilder, Origin, SpanId, TraceId};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Metadata, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::layer::{self, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::filter::EventFilter;
use crate::level;
use crate::span::{Began, Kept, MOST, names};
use crate::values::Values;

/// Turns events into entries of its client, whatever lets them through; [`layer`](crate::layer()) has it behind the filter
/// that says which ones. By itself it takes the same ones, but those that it does not take cost more.
#[derive(Debug)]
pub struct EventLayer {
    /// Tells what it keeps of a span from what others of its kind keep.
    number: u64,
    filter: EventFilter,
    spans: bool,
}

impl EventLayer {
    pub(crate) fn new(filter: EventFilter, spans: bool) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self { number: LAST.fetch_add(1, Ordering::Relaxed), filter, spans }
    }

    /// The request that a span was made in, or the nearest one around it that was made in one.
    fn made_in<'a, S: LookupSpan<'a>>(&self, span: &SpanRef<'a, S>) -> Option<Context> {
        let of_span = |span| Kept::look(self.number, &span, |kept| kept.context.clone());
        span.scope().take(MOST).filter_map(of_span).find(|context| !context.is_empty())
    }

    /// Whose an event is: the current request's, else that of its span.
    fn context_of<'a, S: LookupSpan<'a>>(&self, span: Option<&SpanRef<'a, S>>) -> Context {
        let context = hoplog::current();
        let others = span.filter(|_| context.is_empty()).and_then(|span| self.made_in(span));
        others.map(|others| context.clone().or(&others)).unwrap_or(context)
    }

    /// Writes the fields of a span and of those around it, and their names.
    fn write_spans<'a, S: LookupSpan<'a>>(&self, entry: &mut EntryBuilder, span: &SpanRef<'a, S>) {
        if Kept::look(self.number, span, |kept| kept.path.get().is_none()).unwrap_or(false) {
            let path = self.filter.client().shared_fields(|fields| fields.value("spans", names(span)));
            if path.is_lasting() {
                // Another thread may have been first, with the same.
                Kept::look(self.number, span, |kept| kept.path.set(path).is_ok());
            } else {
                entry.shared(&path);
            }
        }
        self.write_fields(entry, span, MOST);
    }

    /// From the outside inwards, so that what an inner one says counts.
    fn write_fields<'a, S: LookupSpan<'a>>(
        &self,
        entry: &mut EntryBuilder,
        span: &SpanRef<'a, S>,
        room: usize,
    ) {
        if let Some(parent) = span.parent().filter(|_| room > 1) {
            self.write_fields(entry, &parent, room - 1);
        }
        Kept::look(self.number, span, |kept| {
            entry.shared(&kept.fields);
            if let Some(path) = kept.path.get().filter(|_| room == MOST) {
                entry.shared(path);
            }
        });
    }
}

impl<S> Layer<S> for EventLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: layer::Context<'_, S>) {
        let client = self.filter.client();
        if !client.is_alive() || hoplog::is_worker_thread() {
            return;
        }
        let (Some(span), Some(_turn)) = (context.span(id), Turn::take()) else { return };
        let fields = client.shared_fields(|fields| attributes.record(&mut Values::of_span(fields)));
        let began = self.spans.then(|| Began { at: Instant::now(), trace: trace(attributes.metadata()) });
        Kept::new(self.number, fields, began).keep(&span);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: layer::Context<'_, S>) {
        let client = self.filter.client();
        if !client.is_alive() {
            return;
        }
        let (Some(span), Some(_turn)) = (context.span(id), Turn::take()) else { return };
        // Before the span is locked: the values' own code may log in it.
        let later = client.shared_fields(|fields| values.record(&mut Values::of_span(fields)));
        Kept::record(self.number, &span, &later);
    }

    fn on_event(&self, event: &Event<'_>, context: layer::Context<'_, S>) {
        let client = self.filter.client();
        if !client.is_alive() {
            return;
        }
        let of_log = event.normalized_metadata();
        let metadata = of_log.as_ref().unwrap_or_else(|| event.metadata());
        let level = level(metadata.level());
        if !self.filter.layer_takes(level, metadata.target()) {
            return;
        }
        let Some(_turn) = Turn::take() else {
            client.leave_out(DropReason::RateLimitedLocal);
            return;
        };
        let span = context.event_span(event);
        let whose = self.context_of(span.as_ref());
        let mut entry = client.log_from(level, &origin(metadata, &whose, trace(metadata)));
        if !entry.is_taken() {
            return;
        }
        if let Some(span) = &span {
            self.write_spans(&mut entry, span);
        }
        entry.write(|fields| Values::write_event(fields, event, of_log.is_some()));
        entry.send();
    }

    fn on_close(&self, id: Id, context: layer::Context<'_, S>) {
        let Some(span) = context.span(&id).filter(|_| self.spans) else { return };
        let begun = |kept: &Kept| kept.began.map(|began| (began, kept.context.clone()));
        let Some(Some((began, context))) = Kept::look(self.number, &span, begun) else { return };
        let (metadata, client) = (span.metadata(), self.filter.client());
        let level = level(metadata.level());
        if !self.filter.layer_takes(level, metadata.target()) {
            return;
        }
        // Whoever lets go of it last may be in another request, and another trace.
        let whose = context.or(&self.made_in(&span).unwrap_or_default());
        let origin = origin(metadata, &whose, began.trace).lasted(began.at.elapsed());
        let mut entry = client.log_from(level, &origin);
        self.write_spans(&mut entry, &span);
        entry.write(|fields| fields.message(&format_args!("{}", span.name())));
        entry.send();
    }
}

fn origin<'o>(
    metadata: &'o Metadata<'_>,
    context: &'o Context,
    trace: Option<(TraceId, SpanId)>,
) -> Origin<'o> {
    let origin = Origin::new(metadata.target())
        .function(metadata.module_path().unwrap_or_default())
        .file(metadata.file().unwrap_or_default(), metadata.line().unwrap_or(0))
        .context(context);
    trace.map_or(origin, |(trace, span)| origin.trace(trace, span))
}

/// Where another tracer knows better than hoplog.
#[cfg_attr(not(feature = "opentelemetry"), expect(unused_variables, reason = "there is no other"))]
fn trace(metadata: &Metadata<'_>) -> Option<(TraceId, SpanId)> {
    let known = None;
    #[cfg(feature = "opentelemetry")]
    let known = known.or_else(|| crate::otel::current(metadata.target()));
    known
}

/// How deep this thread is in events that are written while others are read.
struct Turn(u8);

impl Turn {
    /// An event, and one that its values write.
    const MOST: u8 = 2;

    fn take() -> Option<Self> {
        let before = DEPTH.try_with(Cell::get).unwrap_or(0);
        (before < Self::MOST).then(|| {
            let _ = DEPTH.try_with(|depth| depth.set(before + 1));
            Self(before)
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let _ = DEPTH.try_with(|depth| depth.set(self.0));
    }
}

thread_local! {
    static DEPTH: Cell<u8> = const { Cell::new(0) };
}

//! What is kept of a span while it is open, in its extensions: its fields as bytes, its request, when it began.

use std::sync::OnceLock;
use std::time::Instant;

use hoplog::{Context, SharedFields, SpanId, TraceId};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// The most spans around an event whose fields and names it has.
pub(crate) const MOST: usize = 64;
/// Names of further spans, those of the root, are left out.
const LEFT_OUT: &str = "…";

/// Of one layer; others of its kind have theirs behind it.
#[derive(Debug)]
pub(crate) struct Kept {
    layer: u64,
    pub(crate) fields: SharedFields,
    /// The names from the root to here, as the field `spans`; once an event asked for it.
    pub(crate) path: OnceLock<SharedFields>,
    /// The context that it was made in.
    pub(crate) context: Context,
    /// Where its duration is asked for.
    pub(crate) began: Option<Began>,
    next: Option<Box<Kept>>,
}

/// When a span began, and in which trace of another tracer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Began {
    pub(crate) at: Instant,
    pub(crate) trace: Option<(TraceId, SpanId)>,
}

impl Kept {
    pub(crate) fn new(layer: u64, fields: SharedFields, began: Option<Began>) -> Self {
        Self { layer, fields, path: OnceLock::new(), context: hoplog::current(), began, next: None }
    }

    /// Puts it among the extensions of its span.
    pub(crate) fn keep<'a, S: LookupSpan<'a>>(self, span: &SpanRef<'a, S>) {
        let mut extensions = span.extensions_mut();
        if let Some(others) = extensions.replace(self)
            && let Some(kept) = extensions.get_mut::<Self>()
        {
            kept.next = Some(Box::new(others));
        }
    }

    /// What the layer keeps of a span, which is locked meanwhile: nothing of the application's may run in `look`.
    pub(crate) fn look<'a, S: LookupSpan<'a>, T>(
        layer: u64,
        span: &SpanRef<'a, S>,
        look: impl FnOnce(&Self) -> T,
    ) -> Option<T> {
        let extensions = span.extensions();
        let mut kept = extensions.get::<Self>()?;
        while kept.layer != layer {
            kept = kept.next.as_deref()?;
        }
        Some(look(kept))
    }

    /// Fields that were recorded later.
    pub(crate) fn record<'a, S: LookupSpan<'a>>(layer: u64, span: &SpanRef<'a, S>, later: &SharedFields) {
        let mut extensions = span.extensions_mut();
        let mut kept = extensions.get_mut::<Self>();
        while let Some(one) = kept {
            if one.layer == layer {
                return one.fields.overlay(later);
            }
            kept = one.next.as_deref_mut();
        }
    }
}

/// The names of a span and of those around it, root to leaf.
pub(crate) fn names<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>) -> Vec<&'static str> {
    let mut names: Vec<&str> = span.scope().take(MOST + 1).map(|span| span.name()).collect();
    if names.len() > MOST {
        names[MOST] = LEFT_OUT;
    }
    names.reverse();
    names
}

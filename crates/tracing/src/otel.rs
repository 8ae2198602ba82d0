//! OpenTelemetry's current trace.

use std::panic::catch_unwind;

use hoplog::{SpanId, TraceId};
use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;

/// Touched after OpenTelemetry's own thread-local, and so gone before it: while this is here, so is that.
struct Alive;

impl Drop for Alive {
    fn drop(&mut self) {}
}

thread_local! {
    static ALIVE: Alive = {
        Context::map_current(|_| ());
        Alive
    };
}

/// The current trace and span, if there are any, for what `target` says.
pub(crate) fn current(target: &str) -> Option<(TraceId, SpanId)> {
    // OpenTelemetry warns of what goes wrong with its context while that is borrowed.
    if target.starts_with("opentelemetry") {
        return None;
    }
    // A thread that ends may have lost it before it was ever asked.
    let found = catch_unwind(|| ALIVE.try_with(|_| Context::map_current(ids)).ok().flatten());
    found.ok().flatten()
}

fn ids(context: &Context) -> Option<(TraceId, SpanId)> {
    if !context.has_active_span() {
        return None;
    }
    let span = context.span();
    let context = span.span_context();
    let trace = TraceId::from_bytes(context.trace_id().to_bytes());
    context.is_valid().then(|| Some((trace?, SpanId::from_bytes(context.span_id().to_bytes())?))).flatten()
}

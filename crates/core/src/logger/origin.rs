//! Where an entry was written.

use std::panic::Location;
use std::time::Duration;

use hoplog_entry::{SpanId, TraceId};

use crate::context::Context;

/// Where an entry comes from: module, function, file and line; in what context and when, if not here and now. Made by
/// the macros, and by glue crates for [`Client::log_from`](crate::Client::log_from) and
/// [`WeakClient::log_from`](crate::WeakClient::log_from); what is empty or 0 is not told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    pub(crate) target: &'a str,
    pub(crate) function: &'a str,
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) context: Option<&'a Context>,
    pub(crate) trace: Option<(TraceId, SpanId)>,
    pub(crate) lasted: Option<Duration>,
}

impl<'a> Origin<'a> {
    /// The module or component that speaks: what levels per target go by.
    #[must_use]
    pub fn new(target: &'a str) -> Self {
        Self { target, ..Self::default() }
    }

    /// The function that speaks.
    #[must_use]
    pub fn function(mut self, name: &'a str) -> Self {
        self.function = name;
        self
    }

    /// The file and line that speak.
    #[must_use]
    pub fn file(mut self, path: &'a str, line: u32) -> Self {
        (self.file, self.line) = (path, line);
        self
    }

    /// The context that the entry belongs to, in the place of the current one.
    #[must_use]
    pub fn context(mut self, context: &'a Context) -> Self {
        self.context = Some(context);
        self
    }

    /// The trace and span that it belongs to, in the place of those of its request: where another tracer knows better.
    /// A request's trace that is not this one is linked.
    #[must_use]
    pub fn trace(mut self, trace: TraceId, span: SpanId) -> Self {
        self.trace = Some((trace, span));
        self
    }

    /// It is the end of something that took so long: its `duration_ms`, and as much earlier its time.
    #[must_use]
    pub fn lasted(mut self, duration: Duration) -> Self {
        self.lasted = Some(duration);
        self
    }

    /// Of a call with `#[track_caller]`: its module is not known.
    pub(crate) fn of_caller(location: &'a Location<'a>) -> Self {
        Self { file: location.file(), line: location.line(), ..Self::default() }
    }
}

/// The function that `T` was declared in, as the compiler names it; for the macros.
#[doc(hidden)]
#[must_use]
pub fn function_of<T>(_: &T, module: &str) -> &'static str {
    let here = std::any::type_name::<T>();
    let mut name = here.strip_suffix("::__hoplog_here").unwrap_or(here);
    while let Some(around) = name.strip_suffix("::{{closure}}") {
        name = around;
    }
    match name.strip_prefix(module) {
        Some(name) => name.strip_prefix("::").unwrap_or(name),
        None => name,
    }
}

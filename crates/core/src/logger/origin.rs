//! Where an entry was written.

use std::panic::Location;

/// Where in the code an entry was written: module, function, file and line. Made by the macros, and by glue crates for
/// [`Client::log_from`](crate::Client::log_from); what is empty or 0 is not told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    pub(crate) target: &'a str,
    pub(crate) function: &'a str,
    pub(crate) file: &'a str,
    pub(crate) line: u32,
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

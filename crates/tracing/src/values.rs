//! The values of an event or a span, on their way into hoplog's fields.

use std::error::Error;
use std::fmt::Debug;

use hoplog::FieldWriter;
use tracing_core::Event;
use tracing_core::field::{Field, Visit};

/// Writes what it is shown.
pub(crate) struct Values<'a, 'w> {
    fields: &'a mut FieldWriter<'w>,
    /// A record of `log`: where it comes from stands among its fields.
    of_log: bool,
    /// Whether it says something as an event does, by its message; a span's `message` is a field like others.
    says: Says,
}

#[derive(PartialEq, Eq)]
enum Says {
    Nothing,
    Message,
    /// An event without a message: its error speaks for it, if it has one.
    Error,
}

impl<'a, 'w> Values<'a, 'w> {
    /// Writes an event; without a message and an error, its name is what it says.
    pub(crate) fn write_event(fields: &'a mut FieldWriter<'w>, event: &Event<'_>, of_log: bool) {
        let metadata = event.metadata();
        let has_message = metadata.fields().field("message").is_some();
        let says = if has_message { Says::Message } else { Says::Error };
        let mut values = Self { fields, of_log, says };
        event.record(&mut values);
        if values.says == Says::Error {
            values.fields.message(&format_args!("{}", metadata.name()));
        }
    }

    pub(crate) fn of_span(fields: &'a mut FieldWriter<'w>) -> Self {
        Self { fields, of_log: false, says: Says::Nothing }
    }

    /// The field's name in the entry, if it is one.
    fn name(&self, field: &Field) -> Option<&'static str> {
        let name = field.name();
        (!self.of_log || !name.starts_with("log.")).then(|| name.strip_prefix("r#").unwrap_or(name))
    }

    fn speak(&mut self, field: &Field, value: &dyn Debug) {
        if self.says == Says::Error && is_error(field) {
            self.fields.message(value);
            self.says = Says::Message;
        }
    }
}

fn is_error(field: &Field) -> bool {
    matches!(field.name(), "error" | "err")
}

macro_rules! as_they_are {
    ($($record:ident: $type:ty,)+) => {$(
        fn $record(&mut self, field: &Field, value: $type) {
            if let Some(name) = self.name(field) {
                self.fields.value(name, value);
            }
        }
    )+};
}

impl Visit for Values<'_, '_> {
    as_they_are! {
        record_f64: f64,
        record_i64: i64,
        record_u64: u64,
        record_i128: i128,
        record_u128: u128,
        record_bool: bool,
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match self.name(field) {
            Some("message") if self.says == Says::Message => self.fields.message(&format_args!("{value}")),
            Some(name) => {
                self.speak(field, &format_args!("{value}"));
                self.fields.text(name, value);
            }
            None => {}
        }
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        if let Some(name) = self.name(field) {
            self.fields.bytes(name, value);
        }
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        match self.name(field) {
            Some(name) if is_error(field) => {
                self.speak(field, &format_args!("{value}"));
                self.fields.error(name, value);
            }
            Some(name) => self.fields.error_text(name, value),
            None => {}
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match self.name(field) {
            Some("message") if self.says == Says::Message => self.fields.message(value),
            Some(name) => {
                self.speak(field, value);
                self.fields.debug(name, value);
            }
            None => {}
        }
    }
}

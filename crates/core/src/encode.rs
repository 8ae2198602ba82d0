//! Records into the bytes that a destination takes.

mod ecs;
mod entry;
mod gzip;
pub(crate) mod json;
mod log_collector;
mod native;
#[cfg(feature = "otlp")]
mod otlp;
mod source;
mod text;
mod truncate;
#[cfg(feature = "zstd")]
mod zstd;

use hoplog_entry::Malformed;

use crate::error_chain::harmless;
pub(crate) use ecs::entry_ecs;
pub(crate) use gzip::Gzip;
pub(crate) use log_collector::{LogCollectorBatch, part as log_collector_part};
pub(crate) use native::{NativeBatch, entry_line, part as native_part};
#[cfg(feature = "otlp")]
pub(crate) use otlp::OtlpBatch;
pub(crate) use source::write_source;
pub(crate) use text::entry_text;
pub(crate) use truncate::truncate_json;
#[cfg(feature = "zstd")]
pub(crate) use zstd::{Zstd, unzstd};

/// An entry could not be written by a fault of ours, which is not the entry's if it happens once.
pub(crate) const PANICKED: Malformed = Malformed::because("its encoding panicked");

/// Writes one entry. If that panics, by a fault of ours, it is one that cannot be read, and not the end of all that wait with
/// it.
pub(crate) fn contained(write: impl FnOnce() -> Result<(), Malformed>) -> Result<(), Malformed> {
    harmless(write).unwrap_or(Err(PANICKED))
}

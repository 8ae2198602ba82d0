//! Records into the bytes that a destination takes.

mod gzip;
pub(crate) mod json;
mod native;
mod text;

pub(crate) use gzip::Gzip;
pub(crate) use native::{NativeBatch, entry_line};
pub(crate) use text::entry_text;

//! Records into the bytes that a destination takes.

mod ecs;
mod gzip;
pub(crate) mod json;
mod native;
mod text;

pub(crate) use ecs::entry_ecs;
pub(crate) use gzip::Gzip;
pub(crate) use native::{NativeBatch, entry_line};
pub(crate) use text::entry_text;

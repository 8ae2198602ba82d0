//! Entries on their way in: what came over the wire is inflated and parsed within bounds ([`inflate`], [`envelope`]),
//! each entry is read leniently or refused on its own ([`entry`]), the store commits, the sender is told ([`answer`]).

pub(crate) mod answer;
pub(crate) mod entry;
pub(crate) mod envelope;
pub(crate) mod inflate;
pub(crate) mod logs_sdk;
mod metadata;
pub(crate) mod non_numbers;
pub(crate) mod otlp;
pub(crate) mod protocol;
pub(crate) mod routes;
pub(crate) mod translated;
pub(crate) mod user_agent;
pub(crate) mod value;
pub(crate) mod wire;

#[cfg(test)]
mod tests;

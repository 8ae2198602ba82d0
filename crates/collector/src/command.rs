//! Commands for whoever runs a collector: they look at, or change, what is on this machine.

pub(crate) mod doctor;
pub(crate) mod keys;
pub(crate) mod serve;
pub(crate) mod store;

//! Journeys through several crates over real sockets.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)] // a helper of a test fails like the test itself

mod bodies;
mod canary;
#[cfg(unix)]
mod chaos;
mod collector;
mod context;
mod delivery;
mod endings;
mod grpc;
mod http2;
mod hyper_alone;
#[cfg(unix)]
mod last_requests;
mod long_requests;
mod properties_actix;
mod properties_tower;
mod routing;
mod scenarios_actix;
mod scenarios_tower;
mod slow_readers;
mod two_services;
mod upgrades;

//! What hoplog's tests share. Knows no web framework; used from `tests/` folders alone.
//!
//! - [`scenarios`]: one suite of requests over raw sockets that every framework's middleware has to pass
//! - [`courses`]: any order of events, through every framework's glue without sockets
//! - [`wire`]: the raw HTTP/1.1 client behind it
//! - [`scripted`]: a collector that answers as it is told, and remembers what it was sent
//! - [`proxy`]: a proxy for TCP that delays, drips, swallows and cuts what passes
//! - [`old_server`]: the strictness of an existing log-collector server
//! - [`rig`]: an app with the log layer and the same one without
//! - [`facts`] and [`gate`]: tests wait for facts and hold doors shut; they do not sleep
#![expect(clippy::expect_used, clippy::panic, reason = "a helper of a test fails like the test itself")]

pub mod courses;
pub mod facts;
pub mod gate;
pub mod old_server;
pub mod proxy;
pub mod rig;
pub mod scenarios;
pub mod scripted;
pub mod wire;

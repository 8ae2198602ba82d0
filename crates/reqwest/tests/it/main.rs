//! The middleware on real calls to a small server.
#![allow(clippy::unwrap_used, clippy::panic)] // a helper of a test fails like the test itself

mod calls;
mod headers;
mod rig;

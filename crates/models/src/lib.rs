//! The queue's hand-over, as models.
//!
//! [`explored`] and [`shuffled`] compile core's own files of the queue, and of who waits for the disk, a second and a third
//! time. What threads meet in comes from `super::sync` there: core has the standard library's, here each copy has its
//! scheduler's. loom tries every order of the steps of three threads, and every value that a load may see; shuttle tries
//! many orders of ten threads at random. A deadlock is a wake-up that was lost.
//!
//! Both run on one thread of the system, so that [`fault`] can be told to one model alone: with it the model has to fail.

// They panic where a model does not hold, and are here for nothing else.
#![allow(clippy::unwrap_used, clippy::panic)]
// That is the point: with other threads each time.
#![allow(clippy::duplicate_mod)]

#[macro_use]
mod sync;
pub mod explored;
pub mod fault;
mod logger;
pub mod shuffled;

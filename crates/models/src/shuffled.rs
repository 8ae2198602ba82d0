//! Many orders, at random: ten threads, with the worker as it is, by shuttle.

mod models;

use crate::logger;
pub use models::{Tally, races};

#[allow(dead_code)]
mod sync {
    sync_of!(shuttle, 4);
}

#[path = "../../core/src/count.rs"]
#[allow(dead_code, missing_docs, unreachable_pub)]
mod count;
#[path = "../../core/src/durable.rs"]
#[allow(dead_code, missing_docs, unreachable_pub, rustdoc::broken_intra_doc_links)]
mod durable;
#[path = "../../core/src/queue.rs"]
#[allow(
    dead_code,
    missing_docs,
    unexpected_cfgs,
    unreachable_pub,
    rustdoc::broken_intra_doc_links,
    unused_imports
)]
mod queue;

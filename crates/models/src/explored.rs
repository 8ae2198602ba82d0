//! Every order: three threads, few steps, by loom.

mod models;

use crate::logger;
pub use models::{close_while_pushing, wake_ups};

#[allow(dead_code)]
mod sync {
    sync_of!(loom, 1);
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

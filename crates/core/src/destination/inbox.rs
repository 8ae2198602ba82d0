//! The way from the worker to a destination. Unbounded in messages, bounded in memory: chunks are paid
//! for, and there is one tick at most.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::Parcel;
use crate::durable::Group;

/// What a destination is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Records to deliver.
    Chunk(Parcel),
    /// Likewise, and whoever waits in the group is to hear when they are on the disk. For those with a spool.
    Durable(Vec<Parcel>, Arc<Group>),
    /// The flush interval is over: what waits need not wait for more. Dropped when it was read: before that there is no
    /// other.
    Tick { _unread: Arc<()> },
    /// Let go of what is open: the file may have been moved. Drop the sender when done.
    Reopen(oneshot::Sender<()>),
    /// Have all of the above on the disk now, or deliver it where there is no spool; drop the sender when done, or at the
    /// deadline.
    Save(Instant, oneshot::Sender<()>),
    /// Deliver all of the above now; drop the sender when done, or at the deadline.
    Flush(Instant, oneshot::Sender<()>),
    /// Likewise, and then nothing more will come: what is left at the deadline is dropped and counted.
    Close(Instant, oneshot::Sender<()>),
}

pub(crate) type Inbox = mpsc::UnboundedReceiver<Message>;
pub(crate) type Mail = mpsc::UnboundedSender<Message>;

pub(crate) fn inbox() -> (Mail, Inbox) {
    mpsc::unbounded_channel()
}

//! What is asked of all destinations on somebody's behalf: to deliver, to save, to let go, to end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::outlet::Outlet;
use super::{GRACE, Shop};
use crate::destination::Message;
use crate::open_requests::OpenRequests;

/// Nobody waits any longer for a file to be let go of: its disk hangs.
const REOPEN_DEADLINE: Duration = Duration::from_secs(5);

impl Shop {
    pub(super) fn flush(&mut self, deadline: Instant, done: oneshot::Sender<()>) {
        crate::failpoint::pass(&self.source.service, "flush");
        self.distribute();
        let waiting = self.ask(|done| Message::Flush(deadline, done));
        tokio::spawn(async move {
            settle(waiting, deadline).await;
            let _ = done.send(());
        });
    }

    pub(super) fn save(&mut self, deadline: Instant, done: oneshot::Sender<()>) {
        self.distribute();
        let waiting = self.ask(|done| Message::Save(deadline, done));
        tokio::spawn(async move {
            settle(waiting, deadline).await;
            let _ = done.send(());
        });
    }

    pub(super) fn reopen(&mut self, done: oneshot::Sender<()>) {
        // Nobody else has a file, and may stand still.
        let waiting = self.ask_those(Outlet::has_file, Message::Reopen);
        tokio::spawn(async move {
            settle(waiting, Instant::now() + REOPEN_DEADLINE).await;
            let _ = done.send(());
        });
    }

    pub(super) async fn close(&mut self, deadline: Instant, done: oneshot::Sender<()>) {
        self.pipeline.queue.close();
        self.distribute();
        let waiting = self.ask(|done| Message::Close(deadline, done));
        self.orders.close();
        settle(waiting, deadline).await;
        self.end_notes().await;
        #[cfg(feature = "toml")]
        self.see_off(deadline).await;
        let _ = done.send(());
    }

    /// A clean end leaves nothing to report. A disk that hangs is not waited for: without an open request there is
    /// nothing to report either.
    async fn end_notes(&self) {
        if self.pipeline.open_requests.is_some() {
            let pipeline = Arc::clone(&self.pipeline);
            let remove = move || pipeline.open_requests.iter().for_each(OpenRequests::remove);
            let _ = tokio::time::timeout(GRACE, tokio::task::spawn_blocking(remove)).await;
        }
    }

    /// Says something to every destination that holds for all that came before it.
    fn ask(&mut self, message: impl Fn(oneshot::Sender<()>) -> Message) -> Vec<oneshot::Receiver<()>> {
        self.outlets.iter_mut().for_each(|outlet| outlet.hand_on(usize::MAX));
        self.ask_those(|_| true, message)
    }

    fn ask_those(
        &mut self,
        whom: impl Fn(&Outlet) -> bool,
        message: impl Fn(oneshot::Sender<()>) -> Message,
    ) -> Vec<oneshot::Receiver<()>> {
        self.outlets
            .iter_mut()
            .filter(|outlet| whom(outlet))
            .map(|outlet| {
                let (done, waiting) = oneshot::channel();
                outlet.send(message(done));
                waiting
            })
            .collect()
    }
}

/// Each destination drops its sender when it is done, at its deadline, or when it dies. One that is stuck in a write
/// does none of it: a little after the deadline nobody waits any more.
pub(super) async fn settle(waiting: Vec<oneshot::Receiver<()>>, deadline: Instant) {
    for done in waiting {
        let _ = tokio::time::timeout_at((deadline + GRACE).into(), done).await;
    }
}

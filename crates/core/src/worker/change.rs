//! Other destinations for a worker that runs.

use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::asking::settle;
use super::{Command, GRACE, Shop, Worker};
use crate::destination::Planned;

/// What a destination that goes has to deliver what it has.
const DEADLINE: Duration = Duration::from_secs(5);

impl Worker {
    /// From now on there are these destinations; those marked run already and get a filter only. Resolves when those
    /// that go have ended. `None` if the worker is closed.
    pub(crate) fn change(&self, destinations: Vec<(Planned, bool)>) -> Option<oneshot::Receiver<()>> {
        let (done, waiting) = oneshot::channel();
        self.commands.send(Command::Change { destinations, done }).ok().map(|()| waiting)
    }
}

impl Shop {
    pub(super) fn change(&mut self, destinations: Vec<(Planned, bool)>, done: oneshot::Sender<()>) {
        // What was accepted before goes to whom it was meant for.
        self.distribute();
        let deadline = Instant::now() + DEADLINE;
        let (mut waiting, mut before) = (Vec::new(), std::mem::take(&mut self.outlets));
        for (planned, stays) in destinations {
            match before.iter().position(|outlet| outlet.name() == planned.name) {
                None => self.begin(planned),
                Some(at) => {
                    let mut outlet = before.swap_remove(at);
                    outlet.filter(planned.filter);
                    if !stays {
                        waiting.push(outlet.replace(planned.prepared, deadline));
                    }
                    self.outlets.push(outlet);
                }
            }
        }
        self.wake_spools();
        self.know_ceiling();
        waiting.extend(before.into_iter().map(|outlet| outlet.end(deadline)));
        self.leaving.retain(|task| !task.is_finished());
        self.leaving.push(tokio::spawn(async move {
            settle(waiting, deadline).await;
            let _ = done.send(());
        }));
    }

    /// Those that were sent away have until then.
    pub(super) async fn see_off(&mut self, deadline: Instant) {
        for task in self.leaving.drain(..) {
            let _ = tokio::time::timeout_at((deadline + GRACE).into(), task).await;
        }
    }
}

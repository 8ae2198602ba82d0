//! What a framework's test provides.

use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;

use super::Entry;
use crate::gate::Gate;

/// A web framework and hoplog's middleware for it.
pub trait Framework {
    /// `tower`, `actix`: the figure's name.
    const NAME: &'static str;

    /// Serves the app of [`routes`](super::routes) on a free port of loopback. With a client the log layer is in
    /// place; without one the app has none. Slow routes wait at the gate.
    fn serve(&self, client: Option<hoplog::Client>, gate: Gate) -> impl Future<Output = Subject>;

    /// Where this framework departs from a scenario of the table.
    fn deviation(&self, _scenario: &str) -> Option<Deviation> {
        None
    }
}

/// A served app.
pub struct Subject {
    address: SocketAddr,
    stop: Pin<Box<dyn Future<Output = ()>>>,
}

impl Subject {
    /// `stop` ends the server and resolves when nothing of it runs any more.
    pub fn new(address: SocketAddr, stop: impl Future<Output = ()> + 'static) -> Self {
        Self { address, stop: Box::pin(stop) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it.
    pub async fn stop(self) {
        crate::facts::soon("the server's end", self.stop).await;
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("address", &self.address).finish_non_exhaustive()
    }
}

/// How a framework departs from the table, and why.
#[derive(Debug, Clone, Copy)]
pub enum Deviation {
    /// It cannot come to this.
    Impossible(&'static str),
    /// The scenario's one entry is another.
    Differs(&'static str, Entry),
}

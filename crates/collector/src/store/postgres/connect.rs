//! Connections: how one is made, and those that questions take turns on.

use super::address::Address;
use super::tls::Tls;
use super::trouble::explain;
use crate::config::Limits;
use crate::error::StartError;
use crate::store::StoreError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::{Client, Config};

/// For a connection to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// What is sent may be unacknowledged for so long, or nothing be sent.
const SILENCE: Duration = Duration::from_secs(30);

/// Makes connections to one database.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    config: Config,
    tls: Tls,
}

impl Connector {
    pub(super) fn new(address: Address) -> Result<Self, StartError> {
        let Address { mut config, roots } = address;
        config.connect_timeout(CONNECT);
        // A peer that vanished is found out, whoever waits for it.
        config.keepalives_idle(SILENCE);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(SILENCE);
        }
        if config.get_application_name().is_none() {
            config.application_name("hoplog");
        }
        let tls = Tls::new(roots.as_deref()).map_err(StartError::new)?;
        Ok(Self { config, tls })
    }

    /// A new connection, on which `setup` was run.
    pub(super) async fn connect(&self, setup: &str) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        // Ends with its client. What it has to say, the client's own calls say too.
        tokio::spawn(async move { drop(connection.await) });
        client.batch_execute(setup).await?;
        Ok(client)
    }

    /// Ends what `client` is busy with.
    fn cancel(&self, client: &Client) {
        let token = client.cancel_token();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let tls = self.tls.clone();
            runtime.spawn(async move { drop(token.cancel_query(tls).await) });
        }
    }
}

/// What a question reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// What an index leads to.
    Some,
    /// Perhaps everything: few of them at once, as the server's processes share its processors with those that write.
    All,
}

/// Connections for questions: so many at once, none of them for writing.
#[derive(Clone)]
pub(super) struct Readers {
    connector: Connector,
    setup: String,
    idle: Arc<Mutex<Vec<Client>>>,
    slots: Arc<Semaphore>,
    scans: Arc<Semaphore>,
    time: Duration,
}

impl Readers {
    pub(super) fn new(connector: Connector, limits: &Limits) -> Self {
        let time = limits.query_time;
        let setup = format!(
            "SET default_transaction_read_only = on; SET statement_timeout = {}; SET lock_timeout = '5s'; SET jit = off;
             SET TimeZone = 'UTC'; SET idle_in_transaction_session_timeout = '60s';
             SET max_parallel_workers_per_gather = 0",
            time.as_millis().max(1)
        );
        let [slots, scans] = [limits.queries, limits.scans].map(|most| Arc::new(Semaphore::new(most.max(1))));
        Self { connector, setup, idle: Arc::default(), slots, scans, time }
    }

    /// A connection of one's own. Dropped before [`Lease::end`], it takes what is running on it along.
    pub(super) async fn lease(&self, reads: Reads) -> Result<Lease, StoreError> {
        let busy = || StoreError::TooSlow("too many queries at once: try again".to_owned());
        let place = async |places: &Arc<Semaphore>| {
            let place = tokio::time::timeout(self.time, Arc::clone(places).acquire_owned()).await;
            place.map_err(|_| busy())?.map_err(|_| busy())
        };
        // A scan that waits for its turn takes no place that another question could have.
        let scan = if reads == Reads::All { Some(place(&self.scans).await?) } else { None };
        let slot = place(&self.slots).await?;
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let client = match idle {
                Some(client) if client.is_closed() => continue,
                Some(client) => client,
                None => self.connector.connect(&self.setup).await.map_err(|e| explain(&e))?,
            };
            return Ok(Lease { client: Some(client), readers: self.clone(), _places: (scan, slot) });
        }
    }

    pub(super) fn forget_all(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A connection that a question has to itself.
pub(super) struct Lease {
    /// There until the lease ends.
    client: Option<Client>,
    readers: Readers,
    _places: (Option<OwnedSemaphorePermit>, OwnedSemaphorePermit),
}

impl Lease {
    /// Gives the connection back: nothing runs on it any more.
    pub(super) fn end(mut self) {
        if let Some(client) = self.client.take().filter(|client| !client.is_closed()) {
            self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        }
    }

    /// The connection; it is gone from a lease only with the lease itself.
    pub(super) fn client(&mut self) -> Result<&mut Client, StoreError> {
        self.client.as_mut().ok_or_else(|| StoreError::Unavailable("the query was cut off".to_owned()))
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(client) = &self.client {
            self.readers.connector.cancel(client);
        }
    }
}

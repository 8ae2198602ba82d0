//! A collector's life: start, serve, drain.

use crate::config::Config;
use crate::error::StartError;
use crate::floor::Floor;
use crate::http::cors::Origins;
use crate::http::guard::Guard;
use crate::http::{App, router};
use crate::keys::KeyStore as _;
use crate::keys::sqlite::SqliteKeys;
use crate::store::open::Address;
use crate::store::projects::Projects;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tls::Tls;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use way::Ways;

mod accept;
mod stream;
pub(crate) mod tls;
mod way;

/// Starts collectors.
#[derive(Debug)]
pub struct Collector;

impl Collector {
    /// Opens the store, binds the address and begins to serve. Needs a tokio runtime with time and net.
    ///
    /// # Errors
    /// The address cannot be listened on, or is beyond loopback without a key; an origin is none; the data directory
    /// cannot be written to, is in use, or comes from a newer version; the store is of an unknown kind.
    pub async fn start(config: Config) -> Result<Running, StartError> {
        let address = Address::of(&config)?;
        let guard = Guard::new(&config, address.keys()?).await?;
        if matches!(address, Address::Postgres(_)) && !guard.ring.has_keys() {
            keys_left_behind(&config).await?;
        }
        if !config.listen.ip().is_loopback() {
            if !guard.lets_in_others() {
                return Err(StartError::open_without_key(config.listen));
            }
            if config.tls_cert.is_none() && !config.insecure_listen && config.open_from.is_empty() {
                return Err(StartError::plain_beyond_loopback(config.listen));
            }
        }
        let origins = Origins::new(&config.allowed_origins)?;
        // The address first: it is the cheaper of the two to be refused.
        let listener =
            TcpListener::bind(config.listen).await.map_err(|e| StartError::listen(config.listen, e))?;
        let local_addr = listener.local_addr().map_err(|e| StartError::listen(config.listen, e))?;
        // A server of its own looks after its disk, and says when that is full.
        let floor = match &address {
            Address::Sqlite(directory) => {
                Floor::new(directory.clone(), config.disk_floor, config.probe.clone())
            }
            Address::Postgres(_) => Floor::new(config.data_dir.clone(), 0, config.probe.clone()),
        };
        let projects = Projects::open(address.open(&config).await?).await?;
        let tls = Tls::open(&config)?;
        let ways = Ways { tls: tls.clone(), insecure: config.insecure_listen };
        if let Some(tls) = &tls {
            tokio::spawn(Tls::keep(Arc::downgrade(tls)));
        }
        let scheme = if tls.is_some() { "https" } else { "http" };
        let (limits, drain_lag, drain_time) = (config.limits.clone(), config.drain_lag, config.drain_time);
        let app = Arc::new(App::new(config, projects, guard, floor, tls, origins));
        let (stop, stopped) = watch::channel(accept::Phase::Serving);
        let serving = accept::serve(
            listener,
            router::router(Arc::clone(&app)),
            Arc::clone(&app),
            limits,
            ways,
            stopped,
        );
        Ok(Running { local_addr, scheme, app, stop, serving: tokio::spawn(serving), drain_lag, drain_time })
    }
}

/// Keys in a file beside a database that has none: of a collector on SQLite, or of an earlier hoplog. They would open
/// nothing, and without any key loopback would be open.
async fn keys_left_behind(config: &Config) -> Result<(), StartError> {
    let book = SqliteKeys::new(config.data_dir.clone()).news().await;
    if book.is_ok_and(|book| book.is_none_or(|book| book.keys.is_empty())) {
        return Ok(());
    }
    Err(StartError::new(format!(
        "{} holds keys, which count for SQLite alone: with PostgreSQL they are in the database. Make them anew by `hoplog keys \
         create` with the same --store, or move the file away",
        config.data_dir.join("keys.db").display()
    )))
}

/// A collector that serves. Dropped without [`shutdown`](Self::shutdown), it stops at once: what was answered stays
/// stored, requests under way are cut off.
pub struct Running {
    local_addr: SocketAddr,
    scheme: &'static str,
    app: Arc<App>,
    stop: watch::Sender<accept::Phase>,
    serving: JoinHandle<()>,
    drain_lag: Duration,
    drain_time: Duration,
}

impl Running {
    /// The address that it listens on, with the real port.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Where it is asked: scheme, address and port.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.local_addr)
    }

    /// Reads certificates again if they changed, without waiting for the next look at them.
    pub fn reload(&self) {
        if let Some(tls) = &self.app.tls {
            tls.look();
        }
    }

    /// Drains: says no at `/readyz`, stops accepting, lets requests under way end within the drain time, commits,
    /// closes the store. Whoever got no answer by then sends again.
    pub async fn shutdown(mut self) {
        self.app.draining.store(true, Relaxed);
        tokio::time::sleep(self.drain_lag).await;
        self.stop.send_replace(accept::Phase::Draining);
        if tokio::time::timeout(self.drain_time, &mut self.serving).await.is_err() {
            self.stop.send_replace(accept::Phase::Stopped);
        }
        self.app.close().await;
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

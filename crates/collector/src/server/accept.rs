//! Connections: how many, from where, how long. hyper is driven directly, since `axum::serve` bounds none of it.

use super::stream::{Progress, Watched};
use super::way::{Way, Ways};
use crate::config::Limits;
use crate::http::App;
use crate::http::guard::Ends;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt as _;

/// What a server is about. The sender gone means stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Serving,
    /// No new connections; those at work end after the request at hand.
    Draining,
    /// Connections are cut.
    Stopped,
}

/// How long a connection may take for its first request once a drain has begun.
const FRESH: Duration = Duration::from_secs(1);

/// Serves until told to stop and the last connection has ended.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    app: Arc<App>,
    limits: Limits,
    ways: Ways,
    mut phase: watch::Receiver<Phase>,
) {
    let mut connections = JoinSet::new();
    let addresses = Arc::new(Addresses::default());
    let connection_phase = phase.clone();
    let admit = |connections: &mut JoinSet<()>, stream: TcpStream, peer: IpAddr| {
        let ends = Ends { peer, local: stream.local_addr().ok().map(|local| local.ip()) };
        let open = app.guard.is_open(peer);
        if !ways.admit(peer, open) {
            return app.metrics.refused("plain_http");
        }
        let ticket = addresses.enter(peer, limits.connections_per_address, &app);
        let Some(ticket) = ticket.filter(|_| connections.len() < limits.connections) else {
            return app.metrics.connection_refused();
        };
        let (router, limits, phase) = (router.clone(), limits.clone(), connection_phase.clone());
        let ways = ways.clone();
        connections.spawn(async move {
            let _ticket = ticket;
            // A small answer must not wait for the acknowledgement of the one before; failing costs latency only.
            let _ = stream.set_nodelay(true);
            let Some(stream) = ways.take(stream, peer, open, &limits).await else { return };
            connection(stream, ends, router, &limits, phase).await;
        });
    };
    loop {
        let accepted = tokio::select! {
            changed = phase.changed() => match changed {
                Ok(()) if *phase.borrow() == Phase::Serving => continue,
                _ => break,
            },
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: wait for some to come back instead of spinning.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        admit(&mut connections, stream, peer.ip());
    }
    // Whoever has connected by now has been let in by the system; its request is answered too.
    while let Ok(Ok((stream, peer))) = tokio::time::timeout(Duration::ZERO, listener.accept()).await {
        admit(&mut connections, stream, peer.ip());
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    tokio::select! {
        () = ended => {}
        _ = phase.wait_for(|phase| *phase == Phase::Stopped) => {}
    }
}

async fn connection(
    stream: Way,
    ends: Ends,
    router: Router,
    limits: &Limits,
    mut phase: watch::Receiver<Phase>,
) {
    let progress = Arc::new(Progress::default());
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&progress), limits.header_time, limits.write_idle));
    let seen = Arc::clone(&progress);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ends);
        progress.request_began();
        let (router, progress) = (router.clone(), Arc::clone(&progress));
        async move {
            let answer = router.oneshot(request).await;
            progress.request_ended();
            answer
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.keep_alive) // hyper counts the rest between requests in; `Watched` does not
        .max_headers(limits.header_count)
        .max_buf_size(limits.header_bytes.max(8192));
    let mut connection = pin!(http.serve_connection(io, service));
    let draining = async {
        let _ = phase.wait_for(|phase| *phase != Phase::Serving).await;
    };
    // A connection that fails has nobody left to tell.
    tokio::select! {
        _ = connection.as_mut() => {}
        () = draining => {
            // One that was just made has its first request under way; told to end, it would be closed before it is read.
            if seen.is_fresh() && tokio::time::timeout(FRESH, connection.as_mut()).await.is_ok() {
                return;
            }
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Connections per address.
#[derive(Debug, Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

impl Addresses {
    fn enter(self: &Arc<Self>, address: IpAddr, most: usize, app: &Arc<App>) -> Option<Ticket> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_default();
        if *count >= most {
            return None; // `most` > 0 keeps the entry from being an empty one
        }
        *count += 1;
        app.metrics.connection_opened();
        Some(Ticket { addresses: Arc::clone(self), address, app: Arc::clone(app) })
    }
}

/// One connection's place in the count.
struct Ticket {
    addresses: Arc<Addresses>,
    address: IpAddr,
    app: Arc<App>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.app.metrics.connection_closed();
        let mut counts = self.addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}

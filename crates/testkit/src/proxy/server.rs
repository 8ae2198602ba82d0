//! The proxy itself.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

use super::fired::{Counts, add};
use super::relay::relay;
use super::{Cut, Fired, Treatment, Way};

/// See [the module](super). Runs on a thread of its own; dropped, it closes its connections and its port.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
pub(super) struct Shared {
    /// Where connections lead to; `None`: they are reset.
    server: Mutex<Option<SocketAddr>>,
    up: watch::Sender<Treatment>,
    down: watch::Sender<Treatment>,
    cuts: Mutex<VecDeque<Cut>>,
    pub(super) severed: watch::Sender<()>,
    pub(super) stranded: watch::Sender<()>,
    pub(super) counts: Counts,
}

impl Shared {
    pub(super) fn treatments(&self, way: Way) -> watch::Receiver<Treatment> {
        match way {
            Way::Up => self.up.subscribe(),
            Way::Down => self.down.subscribe(),
        }
    }

    pub(super) fn next_cut(&self) -> Option<Cut> {
        self.cuts.lock().expect("no panic while it is held").pop_front()
    }
}

impl Proxy {
    /// Listens on a free port of loopback and leads to this server. Everything passes.
    ///
    /// # Panics
    /// There is no port, or no thread.
    #[must_use]
    pub fn to(server: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("an address to listen on");
        listener.set_nonblocking(true).expect("a listener to be polled");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared {
            server: Mutex::new(Some(server)),
            up: watch::Sender::new(Treatment::Pass),
            down: watch::Sender::new(Treatment::Pass),
            cuts: Mutex::default(),
            severed: watch::Sender::new(()),
            stranded: watch::Sender::new(()),
            counts: Counts::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a runtime with I/O");
                tokio::select! {
                    () = serve(listener, served) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client is pointed to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Treats what passes this way from now on, on every connection.
    pub fn treat(&self, way: Way, treatment: Treatment) {
        let ways = if way == Way::Up { &self.shared.up } else { &self.shared.down };
        ways.send_replace(treatment);
    }

    /// Lets everything pass again.
    pub fn heal(&self) {
        self.treat(Way::Up, Treatment::Pass);
        self.treat(Way::Down, Treatment::Pass);
    }

    /// Cuts the exchanges that begin from now on, one each, in this order.
    ///
    /// # Panics
    /// A thread of the proxy has panicked.
    pub fn cut(&self, cuts: impl IntoIterator<Item = Cut>) {
        self.shared.cuts.lock().expect("no panic while it is held").extend(cuts);
    }

    /// Cuts that have not begun.
    ///
    /// # Panics
    /// A thread of the proxy has panicked.
    #[must_use]
    pub fn cuts_left(&self) -> usize {
        self.shared.cuts.lock().expect("no panic while it is held").len()
    }

    /// Resets every connection that there is now.
    pub fn sever(&self) {
        self.shared.severed.send_replace(());
    }

    /// Leaves every connection that there is now without a peer that does anything, or that ends it: half open. New ones
    /// are as they were.
    pub fn strand(&self) {
        self.shared.stranded.send_replace(());
    }

    /// Leads new connections to this server, or to none: they are reset.
    ///
    /// # Panics
    /// A thread of the proxy has panicked.
    pub fn lead_to(&self, server: Option<SocketAddr>) {
        *self.shared.server.lock().expect("no panic while it is held") = server;
    }

    /// What came to pass so far.
    #[must_use]
    pub fn fired(&self) -> Fired {
        self.shared.counts.fired()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and the test that waited for its facts has failed.
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        add(&shared.counts.connections, 1);
        let _ = client.set_nodelay(true);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let server = *shared.server.lock().expect("no panic while it is held");
            let connected = match server {
                Some(address) => TcpStream::connect(address).await.ok(),
                None => None,
            };
            match connected {
                Some(server) => {
                    let _ = server.set_nodelay(true);
                    relay(client, server, &shared).await;
                }
                None => {
                    add(&shared.counts.refused, 1);
                    let _ = client.set_zero_linger();
                }
            }
        });
    }
}

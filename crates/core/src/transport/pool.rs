//! The connections to one server, by a reqwest client that is now and then a new one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use reqwest::dns::Resolve;
use tokio::time::Instant;

#[cfg(feature = "tls")]
use super::Trust;
use super::http::{HttpConfig, is_loopback};
use super::resolver::Resolver;
use super::{Failure, Proxying, SendError};
use crate::sync::lock;

/// See [the module](self).
pub(super) struct Pool {
    config: HttpConfig,
    /// Outlives the clients, and with it what it knows.
    resolver: Arc<Resolver>,
    current: Mutex<Option<Arc<Generation>>>,
}

/// A client with the connections that it made.
#[derive(Debug)]
pub(super) struct Generation {
    pub(super) client: reqwest::Client,
    /// The same without a pool: each request has a connection of its own. A client with TLS is dear to make, so there is
    /// one for all.
    fresh: OnceLock<reqwest::Client>,
    made: Instant,
    answered: AtomicBool,
}

impl Generation {
    /// A request of it was answered: from now on one may go out on a connection that its server is just closing.
    pub(super) fn was_answered(&self) {
        self.answered.store(true, Ordering::Relaxed);
    }

    pub(super) fn may_be_stale(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }
}

impl Pool {
    pub(super) fn new(config: HttpConfig, resolver: Resolver) -> Self {
        Self { config, resolver: Arc::new(resolver), current: Mutex::default() }
    }

    pub(super) fn config(&self) -> &HttpConfig {
        &self.config
    }

    /// The client to use now. It is made anew after its time, so that a changed address of the server is seen.
    pub(super) fn generation(&self) -> Result<Arc<Generation>, SendError> {
        let mut current = lock(&self.current);
        if let Some(generation) =
            current.as_ref().filter(|g| g.made.elapsed() < self.config.reach.timing.max_age)
        {
            return Ok(Arc::clone(generation));
        }
        let generation = Arc::new(Generation {
            client: self.make(usize::MAX)?,
            fresh: OnceLock::new(),
            made: Instant::now(),
            answered: AtomicBool::new(false),
        });
        *current = Some(Arc::clone(&generation));
        Ok(generation)
    }

    /// A client whose requests go out on connections that were never used.
    pub(super) fn fresh(&self, generation: &Generation) -> Result<reqwest::Client, SendError> {
        if let Some(client) = generation.fresh.get() {
            return Ok(client.clone());
        }
        let client = self.make(0)?;
        Ok(generation.fresh.get_or_init(|| client).clone())
    }

    fn make(&self, most_idle: usize) -> Result<reqwest::Client, SendError> {
        build(&self.config, Arc::clone(&self.resolver) as Arc<dyn Resolve>, most_idle)
            .map_err(|e| SendError { kind: Failure::Impossible, cause: root(&e) })
    }

    /// No request goes out on these connections any more.
    pub(super) fn give_up(&self, generation: &Arc<Generation>) {
        lock(&self.current).take_if(|current| Arc::ptr_eq(current, generation));
    }
}

fn build(
    config: &HttpConfig,
    resolver: Arc<dyn Resolve>,
    most_idle: usize,
) -> reqwest::Result<reqwest::Client> {
    let (url, timing) = (&config.url, &config.reach.timing);
    // reqwest's time to connect begins with the name.
    let named = url.domain().is_some();
    let connect = if named { timing.dns + timing.connect } else { timing.connect };
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("hoplog-rust/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(resolver)
        .connect_timeout(connect)
        .timeout(config.timeout)
        .pool_idle_timeout(timing.idle)
        .pool_max_idle_per_host(most_idle)
        .tcp_keepalive(timing.keep_alive)
        .tcp_keepalive_interval(timing.keep_alive)
        // Features are unified: what the application turns on in reqwest is not to change what is done here.
        .http1_only()
        .no_hickory_dns()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .referer(false)
        // A redirect would carry the key to another host.
        .redirect(reqwest::redirect::Policy::none());
    #[cfg(any(target_os = "android", target_os = "linux"))]
    {
        builder = builder.tcp_user_timeout(timing.unacknowledged);
    }
    builder = match &config.reach.proxying {
        // A proxy is not on this machine: it would get what is meant to stay here, and the key in the clear.
        _ if is_loopback(url) => builder.no_proxy(),
        Proxying::OfSystem => builder,
        Proxying::Straight => builder.no_proxy(),
        Proxying::By(proxy) => builder.proxy((**proxy).clone()),
    };
    #[cfg(feature = "tls")]
    {
        let Trust { roots, identity } = config.reach.trust.clone();
        builder = match (url.scheme(), roots.is_empty()) {
            // A system without certificates must not keep plain HTTP from working; a proxy may speak TLS.
            ("http", true) => builder.tls_certs_only([]),
            (_, true) => builder,
            (_, false) => builder.tls_certs_merge(roots),
        };
        if let Some(identity) = identity {
            builder = builder.identity(identity);
        }
    }
    builder.build()
}

/// The innermost cause.
pub(super) fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

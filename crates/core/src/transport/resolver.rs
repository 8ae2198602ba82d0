//! Names to addresses: within a time, and by the last good answer where there is none.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::time::{Instant, timeout};

use crate::sync::lock;

type Found = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// The addresses of a name; their port counts for nothing.
pub(super) type LookUp = Arc<dyn Fn(String) -> Found + Send + Sync>;

/// Looks names up where the system does, `getaddrinfo`.
pub(super) struct Resolver {
    look_up: LookUp,
    timeout: Duration,
    /// How long an answer is good for where no other comes.
    good_for: Duration,
    /// The server's name, and its proxy's.
    last: Arc<Mutex<HashMap<String, Answered>>>,
}

#[derive(Debug, Clone)]
struct Answered {
    at: Instant,
    addresses: Vec<SocketAddr>,
}

impl Resolver {
    pub(super) fn new(timeout: Duration, good_for: Duration) -> Self {
        Self::over(Arc::new(ask_the_system), timeout, good_for)
    }

    pub(super) fn over(look_up: LookUp, timeout: Duration, good_for: Duration) -> Self {
        Self { look_up, timeout, good_for, last: Arc::default() }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let asked = timeout(self.timeout, (self.look_up)(name.clone()));
        let (good_for, last) = (self.good_for, Arc::clone(&self.last));
        Box::pin(async move {
            let error = match asked.await {
                Ok(Ok(addresses)) if !addresses.is_empty() => {
                    let answered = Answered { at: Instant::now(), addresses: addresses.clone() };
                    lock(&last).insert(name, answered);
                    return Ok(Box::new(addresses.into_iter()) as Addrs);
                }
                Ok(Ok(_)) => io::Error::new(io::ErrorKind::NotFound, "the name has no address"),
                Ok(Err(error)) => error,
                Err(_) => io::Error::new(io::ErrorKind::TimedOut, "no answer for its name in time"),
            };
            match lock(&last).get(&name).filter(|last| last.at.elapsed() < good_for) {
                Some(last) => Ok(Box::new(last.addresses.clone().into_iter()) as Addrs),
                None => Err(error.into()),
            }
        })
    }
}

fn ask_the_system(name: String) -> Found {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

#[cfg(test)]
mod tests;

//! Entries in memory, for tests of the application.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::client::Client;
use crate::config::ClientBuilder;
use crate::destination::Memory;
use crate::error::Error;
use crate::sync::lock;

/// How long [`Capture::entries`] waits for the worker, which does nothing but move memory.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client whose entries stay in memory, and the way to look at them.
///
/// ```
/// let capture = hoplog::testing::capture();
/// capture.client().warn("low on tea").field("cups", 1).send();
/// let entries = capture.entries();
/// assert_eq!(entries[0]["message"], "low on tea");
/// assert_eq!(entries[0]["metadata"]["cups"], 1);
/// ```
///
/// # Panics
/// If the worker thread cannot be started.
#[must_use]
#[expect(clippy::expect_used, reason = "a test helper: a test without a client cannot go on")]
pub fn capture() -> Capture {
    capture_with(Client::builder().service("test")).expect("a client in memory")
}

/// Likewise, with a configuration of your own; its destinations are replaced by memory.
///
/// # Errors
/// As [`ClientBuilder::build`].
pub fn capture_with(builder: ClientBuilder) -> Result<Capture, Error> {
    let memory = Memory::default();
    let lines = Arc::clone(&memory.lines);
    Ok(Capture { client: builder.build_in_memory(memory)?, lines })
}

/// See [`capture`].
#[derive(Debug, Clone)]
pub struct Capture {
    client: Client,
    lines: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Capture {
    /// The client to hand to the code under test.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Every entry so far, oldest first, with the names of the native JSON.
    #[must_use]
    pub fn entries(&self) -> Vec<serde_json::Value> {
        let _ = self.client.flush_blocking(PATIENCE);
        lock(&self.lines).iter().filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }
}

//! One app served twice, with the log layer and without, and the entries of the one.

use hoplog::testing::{Capture, capture};
use serde_json::Value;

use crate::facts::fact;
use crate::gate::Gate;
use crate::scenarios::Subject;

/// Two servers of one app.
#[derive(Debug)]
pub struct Rig {
    /// With the log layer.
    pub logged: Served,
    /// Without it.
    pub bare: Served,
    capture: Capture,
    seen: usize,
}

/// A server and the gate of its slow routes.
#[derive(Debug)]
pub struct Served {
    /// The server.
    pub subject: Subject,
    /// Where its slow routes wait.
    pub gate: Gate,
}

impl Rig {
    /// Serves an app with a client and without one.
    pub async fn new(serve: impl AsyncFn(Option<hoplog::Client>, Gate) -> Subject) -> Self {
        Self::over(capture(), serve).await
    }

    /// Likewise, with a client of the test's own configuration.
    pub async fn over(
        capture: Capture,
        serve: impl AsyncFn(Option<hoplog::Client>, Gate) -> Subject,
    ) -> Self {
        let gates = [Gate::default(), Gate::default()];
        let [logged, bare] = gates;
        Self {
            logged: Served { subject: serve(Some(capture.client()), logged.clone()).await, gate: logged },
            bare: Served { subject: serve(None, bare.clone()).await, gate: bare },
            capture,
            seen: 0,
        }
    }

    /// The next `count` entries, oldest first.
    ///
    /// # Panics
    /// They do not come, or more do.
    pub async fn entries(&mut self, count: usize) -> Vec<Value> {
        let seen = self.seen;
        let fresh = fact(&format!("{count} entries"), || {
            let entries = self.capture.entries();
            (entries.len() >= seen + count).then(|| entries[seen..].to_vec())
        })
        .await;
        assert_eq!(fresh.len(), count, "no more entries than that: {fresh:#?}");
        self.seen += count;
        fresh
    }

    /// The next entry.
    ///
    /// # Panics
    /// It does not come, or more do.
    pub async fn entry(&mut self) -> Value {
        self.entries(1).await.remove(0)
    }

    /// Stops both servers: what they still held has ended then.
    ///
    /// # Panics
    /// There is an entry that nobody asked for.
    pub async fn end(self) {
        self.end_with(0).await;
    }

    /// Likewise, with so many requests still under way; their entries.
    ///
    /// # Panics
    /// There are more entries, or fewer.
    pub async fn end_with(self, count: usize) -> Vec<Value> {
        self.logged.subject.stop().await;
        self.bare.subject.stop().await;
        let entries = self.capture.entries().split_off(self.seen);
        assert_eq!(entries.len(), count, "at the end: {entries:#?}");
        entries
    }
}

/// The members of an entry that tell how it ended, in this order: outcome, status, level, response size.
#[must_use]
pub fn ending(entry: &Value) -> (&str, Option<u64>, &str, Option<u64>) {
    let text = |name: &str| entry[name].as_str().unwrap_or_default();
    (text("outcome"), entry["status_code"].as_u64(), text("level"), entry["response_size"].as_u64())
}

//! A door that the test opens: how slow code is slow without a clock.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::facts::soon;

/// Whoever comes to [`Gate::pass`] waits there until the test opens, once per passer. Works across runtimes.
#[derive(Debug, Clone)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    open: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }
}

impl Gate {
    /// Waits until the gate is opened; dropped before, it leaves the opening for the next.
    pub async fn pass(&self) {
        self.arrived.add_permits(1);
        if let Ok(permit) = self.open.acquire().await {
            permit.forget();
        }
    }

    /// Lets one pass, now or later.
    pub fn open(&self) {
        self.open.add_permits(1);
    }

    /// Forgets arrivals and openings that nobody took.
    pub fn reset(&self) {
        self.arrived.forget_permits(usize::MAX);
        self.open.forget_permits(usize::MAX);
    }

    /// Waits until one more has come to the gate.
    pub async fn arrival(&self) {
        if let Ok(permit) = soon("somebody comes to the gate", self.arrived.acquire()).await {
            permit.forget();
        }
    }
}

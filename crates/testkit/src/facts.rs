//! Waiting for facts: polled until they hold, never longer than [`PATIENCE`].

use std::time::{Duration, Instant};

/// After this a fact is taken to be false.
pub const PATIENCE: Duration = Duration::from_secs(10);

const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// The first `Some` of `look`, or a panic that names the fact.
///
/// # Panics
/// It does not come within [`PATIENCE`].
pub async fn fact<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

/// [`fact`] for synchronous tests.
///
/// # Panics
/// It does not come within [`PATIENCE`].
pub fn fact_blocking<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// Bounds any wait by [`PATIENCE`].
///
/// # Panics
/// The future is not ready by then.
pub async fn soon<F: Future>(what: &str, future: F) -> F::Output {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(output) => output,
        Err(_) => panic!("waited {PATIENCE:?} in vain: {what}"),
    }
}

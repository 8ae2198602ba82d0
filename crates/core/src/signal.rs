//! When a process is asked to end.

/// Waits until the process is asked to end: by SIGTERM or Ctrl-C (SIGINT); elsewhere than on Unix by Ctrl-C. For examples
/// and small services; hoplog installs no handler of a signal by itself.
///
/// From its first poll on the two signals do not end the process any more, also after it has returned: whoever awaits it
/// goes on to stop taking requests, and then calls [`Client::shutdown`](crate::Client::shutdown). Needs a Tokio runtime. Where
/// no handler can be installed it waits forever, and the signals do what they did before.
///
/// ```no_run
/// # async fn run(client: hoplog::Client) {
/// hoplog::shutdown_signal().await;
/// client.shutdown(std::time::Duration::from_secs(5)).await;
/// # }
/// ```
pub async fn shutdown_signal() {
    tokio::select! {
        () = interrupted() => {}
        () = terminated() => {}
    }
}

async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

//! Being asked to stop from outside: Ctrl-C, `kill`, the end of the desktop session.

/// Waits until somebody asks; for ever where the platform offers no such signal.
#[cfg(unix)]
pub async fn requested() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::warn!("signals cannot be watched; stopping from outside will not be in order");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Waits until somebody asks; for ever where the platform offers no such signal.
#[cfg(not(unix))]
pub async fn requested() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

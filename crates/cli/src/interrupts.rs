//! Ctrl-C, and the signals that mean the same.

use dockline_model::{Code, UiError};
use std::io;

/// Ctrl-C, SIGTERM and SIGHUP, one by one. From the first use on none of them ends the program by itself.
pub struct Interrupts {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
}

impl Interrupts {
    /// Begins to listen.
    pub fn new() -> Result<Self, UiError> {
        Self::listen().map_err(|error| {
            UiError::new(Code::Internal, format!("Ctrl-C could not be listened for: {error}."))
        })
    }

    #[cfg(unix)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(signal);
        Ok(Self { signals: [interrupt?, terminate?, hangup?] })
    }

    #[cfg(not(unix))]
    fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            // It cannot be listened for: then it never comes.
            std::future::pending::<()>().await;
        }
    }
}

/// What a command that was stopped ends with.
pub fn cancelled() -> UiError {
    UiError::new(Code::Cancelled, "Stopped.")
}

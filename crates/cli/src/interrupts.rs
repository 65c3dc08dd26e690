//! Ctrl-C, and the signals that mean the same.

use dockline_model::{Code, UiError};
use std::io;

/// Ctrl-C, SIGTERM and SIGHUP, one by one; on Windows Ctrl-C, Ctrl-Break, the closing of the console and the session's end.
/// From the first use on none of them ends the program by itself, though Windows waits only seconds after
/// all but the first two.
pub struct Interrupts {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 3],
    #[cfg(windows)]
    console: Console,
}

/// One type each, in tokio.
#[cfg(windows)]
struct Console {
    interrupt: tokio::signal::windows::CtrlC,
    broken: tokio::signal::windows::CtrlBreak,
    closed: tokio::signal::windows::CtrlClose,
    logoff: tokio::signal::windows::CtrlLogoff,
    shutdown: tokio::signal::windows::CtrlShutdown,
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

    #[cfg(windows)]
    fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
        let (interrupt, broken, closed) = (ctrl_c()?, ctrl_break()?, ctrl_close()?);
        let (logoff, shutdown) = (ctrl_logoff()?, ctrl_shutdown()?);
        Ok(Self { console: Console { interrupt, broken, closed, logoff, shutdown } })
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
    #[cfg(windows)]
    pub async fn next(&mut self) {
        let Console { interrupt, broken, closed, logoff, shutdown } = &mut self.console;
        let heard = tokio::select! {
            heard = interrupt.recv() => heard,
            heard = broken.recv() => heard,
            heard = closed.recv() => heard,
            heard = logoff.recv() => heard,
            heard = shutdown.recv() => heard,
        };
        if heard.is_none() {
            // It can be heard no more: then it never comes.
            std::future::pending::<()>().await;
        }
    }
}

/// What a command that was stopped ends with.
pub fn cancelled() -> UiError {
    UiError::new(Code::Cancelled, "Stopped.")
}

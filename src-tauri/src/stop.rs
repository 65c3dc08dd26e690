//! Being asked to stop from outside: Ctrl-C, `kill`, the end of the desktop session.

#[cfg(windows)]
use std::io;

/// Waits until somebody asks; for ever where signals cannot be watched. What macOS asks of an app at the end of a session
/// comes through the event loop (see `tray`).
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

/// Waits until somebody asks: Ctrl-C or Ctrl-Break in the program's console, or its closing. A program without one, as
/// packages have it, is asked through the icon's window when the session ends (see `tray`), and by the control socket.
#[cfg(windows)]
pub async fn requested() {
    use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_logoff, ctrl_shutdown};
    let watched =
        || io::Result::Ok((ctrl_c()?, ctrl_break()?, ctrl_close()?, ctrl_logoff()?, ctrl_shutdown()?));
    let Ok((mut interrupt, mut broken, mut closed, mut logoff, mut shutdown)) = watched() else {
        tracing::warn!("the console cannot be watched; stopping from outside will not be in order");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = broken.recv() => {}
        _ = closed.recv() => {}
        _ = logoff.recv() => {}
        _ = shutdown.recv() => {}
    }
}

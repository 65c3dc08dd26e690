//! Dockline's desktop shell: a tray icon, a window when one is wanted, notifications. Nothing is decided here that the
//! core could decide; the shell shows its state and passes the person's wishes on.
//!
//! Two programs. `dockline-desktop` is in the tray for as long as the person is logged in: it owns the tunnels (or is a
//! face of the one who does), and never loads a web engine. `dockline-window` is started by it when a window is wanted
//! and gone when that is closed; it asks the owner through the control socket, as the command line does. The two say to
//! each other what [`words`] has, over the window's standard input and output.

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
compile_error!(
    "the desktop app is written for Linux, macOS and Windows; docs/platforms.md says what is proven where"
);

pub mod app;
mod awake;
mod choice;
mod clipboard;
mod demo;
mod desktop;
#[cfg(test)]
mod fixtures;
mod instance;
pub mod link;
mod locale;
mod notifications;
mod notifier;
mod sentences;
mod session;
mod state;
mod stop;
mod strings;
pub mod terminal;
mod tray;
mod window;
pub mod words;

use tracing_subscriber::filter::{LevelFilter, Targets};

/// Writes the program's log to standard error; `DOCKLINE_LOG` says how much.
pub fn log_to_stderr() {
    dockline_cli::log_to_stderr(Targets::new().with_default(LevelFilter::INFO));
}

//! The control socket: how the faces of one person's machine reach the one owner of the tunnels.
//!
//! JSON lines over a Unix socket in a folder of mode 0700 (a named pipe on Windows): the face sends
//! [`dockline_model::Hello`] and then requests, the owner sends envelopes. A hello of any version may ask the owner to
//! end instead. The owner is whoever holds an exclusive
//! lock on `owner.lock`; the system drops it even if the owner is killed, and only its holder may replace a socket
//! that was left behind. On Windows the pipe has a name that nobody can guess, written down beside the lock.

mod client;
mod newest;
#[cfg(any(windows, test))]
mod pipe_name;
mod server;
mod wire;

pub use client::Client;
pub(crate) use client::Unreachable;
pub use newest::{Newest, Told};
pub(crate) use server::{Owner, OwnerLock};

use dockline_model::{Code, UiError};

pub(crate) fn not_running() -> UiError {
    UiError::new(Code::OwnerGone, "Dockline is not running.")
        .hint("Start the desktop app, or `dockline agent`.")
}

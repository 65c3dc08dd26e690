//! Who is at the other end of a local connection: the user it belongs to, and the program's name.
//!
//! The kernel is asked for the one socket whose two ends are the connection's. What it says is [`Found`]; whether that
//! is enough is decided by [`rules`], the same way everywhere.

mod rules;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(any(target_os = "macos", test))]
mod pcb_list;
#[cfg(target_os = "macos")]
use macos as platform;
#[cfg(any(windows, test))]
mod tcp_table;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod unknown;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
use unknown as platform;

pub(crate) use rules::{Bridge, Circle, Denial};

use std::{collections::HashMap, io, net::SocketAddr, time::Duration};

/// The kernel answers within microseconds (Linux) to milliseconds (a table of all connections, elsewhere). Who cannot
/// be told by then is refused.
const LIMIT: Duration = Duration::from_secs(2);

/// What a program can be found by that has a socket: the socket's inode on Linux, the process's id elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Holder(pub u64);

/// A program that has a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// The file name.
    pub name: String,
    /// Whether it is this very process.
    pub is_this_one: bool,
}

/// Whose a socket is, seen from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// The user's whose this process is.
    Ours,
    /// The system's own: root, Windows' LocalSystem. Engines run as it, and it could read our memory anyway.
    System,
    /// Anybody else's, or of a user who has no name here (another user namespace).
    Another,
}

/// What the kernel says about the socket at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A program has it open.
    Socket { owner: Owner, holder: Option<Holder> },
    /// Its program has closed it already, and with it went the owner. (macOS still tells whose it was.)
    #[cfg_attr(target_os = "macos", expect(dead_code, reason = "the owner is told there"))]
    Orphan,
    /// There is none: it is gone, or it is in another network namespace.
    Absent,
}

/// Why the kernel could not be asked.
#[derive(Debug, thiserror::Error)]
enum PeerError {
    /// The request failed.
    #[error("{asking} failed")]
    Ask {
        /// What was asked for.
        asking: &'static str,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The answer is not of the form that is documented.
    #[error("what {asking} answered cannot be read")]
    #[cfg_attr(
        not(any(target_os = "linux", target_os = "macos", windows)),
        expect(dead_code, reason = "nothing is asked there")
    )]
    Answer {
        /// What was asked for.
        asking: &'static str,
    },
    /// Nobody has written this for the platform.
    #[error("this system cannot be asked whose a connection is")]
    #[cfg_attr(any(target_os = "linux", target_os = "macos", windows), expect(dead_code, reason = "it can"))]
    Unsupported,
}

/// Judges the connection from `peer` to our listener at `local`, one of ours for those in `circle`.
///
/// # Errors
/// Why it is refused; also when the kernel cannot be asked, or does not answer in time: what cannot be told to be
/// allowed is not.
pub(crate) async fn judge(
    circle: Circle,
    local: SocketAddr,
    peer: SocketAddr,
) -> Result<Option<Holder>, Denial> {
    let asking = tokio::task::spawn_blocking(move || platform::find(local, peer));
    let found = match tokio::time::timeout(LIMIT, asking).await {
        Ok(Ok(Ok(found))) => found,
        Ok(Ok(Err(error))) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "whose a connection is could not be asked"
            );
            return Err(Denial::Unknown);
        }
        Ok(Err(_)) | Err(_) => return Err(Denial::Unknown),
    };
    rules::decide(circle, peer.ip(), found)
}

/// The programs that have these sockets open, as far as they can be seen. Looks through every process, so ask for
/// many at once. Not for an async thread.
pub(crate) fn program_names(holders: &[Holder]) -> HashMap<Holder, Program> {
    platform::program_names(holders)
}

/// The program that listens where we wanted to. Not for an async thread.
pub(crate) fn listener_owner(address: SocketAddr) -> Option<String> {
    platform::listener_owner(address)
}

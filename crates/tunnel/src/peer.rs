//! Who is at the other end of a local connection: the user it belongs to, and the program's name.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(not(target_os = "linux"))]
mod unknown;
#[cfg(not(target_os = "linux"))]
use unknown as platform;

use std::{collections::HashMap, net::SocketAddr};

/// The kernel's number of a socket, by which a program's open files name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Inode(pub u64);

/// What the kernel says about the socket at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// Its owner may use the tunnel.
    Allowed {
        /// For [`program_names`]; `None` where the platform does not say.
        inode: Option<Inode>,
    },
    /// It belongs to another user, or is not to be found: a connection that cannot be told to be ours is not.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux is asked who it is yet"))]
    Refused,
}

/// Judges the connection from `peer` to our listener at `local`. Reads kernel tables; not for an async thread.
pub(crate) fn judge(local: SocketAddr, peer: SocketAddr) -> Peer {
    platform::judge(local, peer)
}

/// The programs that have these sockets open, as far as they can be seen. Looks through every process, so ask for
/// many at once. Not for an async thread.
pub(crate) fn program_names(inodes: &[Inode]) -> HashMap<Inode, String> {
    platform::program_names(inodes)
}

/// The program that listens where we wanted to. Not for an async thread.
pub(crate) fn listener_owner(address: SocketAddr) -> Option<String> {
    platform::listener_owner(address)
}

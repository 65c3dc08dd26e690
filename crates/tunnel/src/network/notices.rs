//! The system's messages about the network, where they come through a socket.

use super::platform;
use std::{io, os::unix};
use tokio::net::UnixDatagram;

/// Longer messages are cut off, which makes no difference.
const LONGEST: usize = 4096;

/// No Unix datagram socket, but one that is waited for and read in the same way.
pub(super) struct Notices(UnixDatagram);

impl Notices {
    pub(super) fn open() -> io::Result<Self> {
        let socket = unix::net::UnixDatagram::from(platform::socket_of_notices()?);
        Ok(Self(UnixDatagram::from_std(socket)?))
    }

    /// Resolves when something about the network is different.
    pub(super) async fn next(&mut self) {
        let mut message = [0; LONGEST];
        // What is said is of no interest, only that something is; so also where too much was said (ENOBUFS).
        if let Err(error) = self.0.recv(&mut message).await {
            tracing::debug!(%error, "a notice about the network could not be read");
        }
        while self.0.try_recv(&mut message).is_ok() {}
    }
}

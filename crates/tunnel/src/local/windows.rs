//! Listening on Windows, where another program can take over a port that is listened on, unless whoever listens has asked
//! for it alone (“Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE”).

use std::{io, net::SocketAddr, os::windows::io::AsRawSocket as _};
use tokio::net::{TcpListener, TcpSocket};
use windows_sys::Win32::Networking::WinSock::{SO_EXCLUSIVEADDRUSE, SOCKET, SOL_SOCKET, setsockopt};

/// As std's listener has it.
const BACKLOG: u32 = 128;

/// Listens there, alone.
#[allow(clippy::unused_async, reason = "as on other systems")]
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    let alone = 1_i32;
    #[expect(unsafe_code, reason = "no safe wrapper knows this option")]
    // SAFETY: the socket is open, and the option is an int whose size is given.
    let result = unsafe {
        setsockopt(
            socket.as_raw_socket() as SOCKET,
            SOL_SOCKET,
            SO_EXCLUSIVEADDRUSE,
            (&raw const alone).cast(),
            size_of::<i32>() as i32,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_is_listened_on_is_nobody_elses() {
        let first = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let thief = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        thief.set_reuse_address(true).unwrap();
        assert!(thief.bind(&first.local_addr().unwrap().into()).is_err());
    }
}

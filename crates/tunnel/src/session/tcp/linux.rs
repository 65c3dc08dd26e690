//! Linux: `TCP_USER_TIMEOUT` (tcp(7)), which also ends a connection whose peer takes nothing for so long.

use std::{io, time::Duration};
use tokio::net::TcpStream;

pub(super) fn give_up_after(stream: &TcpStream, unacknowledged: Duration) -> io::Result<()> {
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(unacknowledged))
}

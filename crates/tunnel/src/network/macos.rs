//! macOS: a routing socket tells of interfaces, addresses and routes (route(4)).

use socket2::{Domain, Socket, Type};
use std::{io, os::fd::OwnedFd};

pub(super) fn socket_of_notices() -> io::Result<OwnedFd> {
    let socket = Socket::new(Domain::from(libc::PF_ROUTE), Type::from(libc::SOCK_RAW), None)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

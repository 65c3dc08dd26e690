//! Sockets within this machine: where programs connect, and their connections, and those to what is offered to a host.

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::listen;

use std::io;
#[cfg(not(windows))]
use std::net::SocketAddr;
#[cfg(not(windows))]
use tokio::net::TcpListener;
use tokio::net::TcpStream;

/// Listens there, alone: two programs share a port only if both ask for that (SO_REUSEPORT, socket(7)).
#[cfg(not(windows))]
pub(crate) async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Sets them. What cannot be set makes the connection slower, not wrong.
pub(crate) fn tune(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true).and_then(|()| without_pacing(stream)) {
        tracing::debug!(%error, "a connection's options could not be set");
    }
}

/// A congestion control that paces, as BBR does, sets a timer for every few packets, which within one machine takes a
/// fifth of the time and serves nobody. Reno is part of every kernel, allowed to everybody, and does not pace.
#[cfg(target_os = "linux")]
fn without_pacing(stream: &TcpStream) -> io::Result<()> {
    // An engine in a virtual machine or a container's bridge is a network like any other.
    if stream.peer_addr()?.ip().is_loopback() {
        socket2::SockRef::from(stream).set_tcp_congestion(b"reno")?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
#[allow(clippy::unnecessary_wraps, reason = "as on Linux")]
fn without_pacing(_: &TcpStream) -> io::Result<()> {
    Ok(())
}

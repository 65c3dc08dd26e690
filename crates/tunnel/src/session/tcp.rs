//! The TCP connection to an SSH server, made by us so that its options are ours.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(target_os = "macos")]
use macos as platform;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as platform;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
mod unknown;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
use unknown as platform;

use crate::{error::TunnelError, host_options::HostOptions, network::Surroundings};
use futures::stream::{FuturesUnordered, StreamExt as _};
use socket2::{SockRef, TcpKeepalive};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpStream;

/// Data unacknowledged for this long means that the path is dead.
const UNACKNOWLEDGED: Duration = Duration::from_secs(8);
/// With this on the way for so long, the next of the host's addresses is tried beside it (RFC 8305 §8).
const NEXT_ADDRESS: Duration = Duration::from_millis(250);

/// Connects to the first of the host's addresses that answers.
pub(super) async fn connect(
    options: &HostOptions,
    surroundings: &Surroundings,
) -> Result<TcpStream, TunnelError> {
    let (host, port) = (&options.host_name, options.port);
    let connecting = async {
        let mut changes = surroundings.changes();
        loop {
            tokio::select! {
                connected = connect_to_any(host, port, surroundings) => break connected,
                // What was sent into the network that was there before is repeated only after seconds.
                Ok(()) = changes.changed() => {}
            }
        }
    };
    let stream = tokio::time::timeout(options.connect_timeout, connecting).await.map_err(|_| {
        let seconds = options.connect_timeout.as_secs();
        TunnelError::ConnectTimedOut { host: host.clone(), port, seconds }
    })??;
    if let Err(error) = tune(&stream) {
        // It works without, only worse.
        tracing::debug!(%error, "the socket's options could not be set");
    }
    Ok(stream)
}

async fn connect_to_any(
    host: &str,
    port: u16,
    surroundings: &Surroundings,
) -> Result<TcpStream, TunnelError> {
    let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|error| TunnelError::Resolve { host: host.to_owned(), source: Arc::new(error) })?
        .collect();
    surroundings.heading_for(&addresses.iter().map(SocketAddr::ip).collect::<Vec<_>>());
    let is_near = addresses.iter().any(|address| is_near(address.ip()));
    race(addresses).await.map_err(|error| TunnelError::Connect {
        host: host.to_owned(),
        port,
        is_near,
        source: Arc::new(error),
    })
}

/// Whether it is an address of a network of one's own (RFC 1918, 3927, 4193), or of a link (RFC 4291 §2.5.6).
fn is_near(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// Tries one after the other, and the next one beside those that take long.
async fn race(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut waiting = addresses.into_iter();
    let mut connecting = FuturesUnordered::new();
    loop {
        match waiting.next() {
            Some(address) => connecting.push(TcpStream::connect(address)),
            None if connecting.is_empty() => return Err(last),
            None => {}
        }
        let has_more = waiting.len() > 0;
        tokio::select! {
            Some(connected) = connecting.next() => match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            },
            () = tokio::time::sleep(NEXT_ADDRESS), if has_more => {}
        }
    }
}

/// Bytes that may wait in the kernel without having been sent.
#[cfg(target_os = "linux")]
const UNSENT: u32 = 512 << 10;

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(5)).with_interval(Duration::from_secs(2));
    #[cfg(not(windows))]
    let keepalive = keepalive.with_retries(3);
    SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
    // What waits in the kernel goes before every new request, which without this is megabytes on a slow path
    // (`TCP_NOTSENT_LOWAT`, tcp(7)). What is on its way does not count.
    #[cfg(target_os = "linux")]
    SockRef::from(stream).set_tcp_notsent_lowat(UNSENT)?;
    platform::give_up_after(stream, UNACKNOWLEDGED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[test]
    fn a_network_of_ones_own_is_near() {
        let near = |text: &str| is_near(text.parse().unwrap());
        for text in
            ["192.168.1.9", "10.0.0.5", "172.16.0.1", "169.254.3.4", "fd00::1", "fe80::1", "::ffff:10.0.0.5"]
        {
            assert!(near(text), "{text}");
        }
        for text in ["88.88.88.88", "172.32.0.1", "127.0.0.1", "::1", "2001:db8::1"] {
            assert!(!near(text), "{text}");
        }
    }

    #[tokio::test]
    async fn an_address_that_refuses_does_not_hide_one_that_answers() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = race(vec![closed, open.local_addr().unwrap()]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open.local_addr().unwrap());
        let error = race(vec![closed, closed]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(race(Vec::new()).await.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }

    /// The backlog of a listener that accepts nobody swallows what comes after it is full, like a host that is gone.
    #[tokio::test]
    async fn an_address_that_says_nothing_does_not_hide_one_that_answers() {
        let silent = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        silent.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
        silent.listen(0).unwrap();
        let address = silent.local_addr().unwrap().as_socket().unwrap();
        let _fills_it = TcpStream::connect(address).await.unwrap();
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = race(vec![address, open.local_addr().unwrap()]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), open.local_addr().unwrap());
    }
}

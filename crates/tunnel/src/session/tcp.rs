//! The TCP connection to an SSH server, made by us so that its options are ours.

use crate::{error::TunnelError, host_options::HostOptions};
use socket2::{SockRef, TcpKeepalive};
use std::{io, sync::Arc, time::Duration};
use tokio::net::TcpStream;

/// Connects to the first of the host's addresses that answers.
pub(super) async fn connect(options: &HostOptions) -> Result<TcpStream, TunnelError> {
    let (host, port) = (options.host_name.clone(), options.port);
    let timed_out = || TunnelError::ConnectTimedOut {
        host: host.clone(),
        port,
        seconds: options.connect_timeout.as_secs(),
    };
    let connecting = async {
        let addresses = tokio::net::lookup_host((host.as_str(), port))
            .await
            .map_err(|error| TunnelError::Resolve { host: host.clone(), source: Arc::new(error) })?;
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for address in addresses {
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(TunnelError::Connect { host: host.clone(), port, source: Arc::new(last) })
    };
    let stream =
        tokio::time::timeout(options.connect_timeout, connecting).await.map_err(|_| timed_out())??;
    if let Err(error) = tune(&stream) {
        // It works without, only worse.
        tracing::debug!(%error, "the socket's options could not be set");
    }
    Ok(stream)
}

fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive =
        TcpKeepalive::new().with_time(Duration::from_secs(5)).with_interval(Duration::from_secs(2));
    #[cfg(not(windows))]
    let keepalive = keepalive.with_retries(3);
    socket.set_tcp_keepalive(&keepalive)?;
    // Data unacknowledged for this long means that the path is dead (`TCP_USER_TIMEOUT`, tcp(7)).
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(Duration::from_secs(8)))?;
    Ok(())
}

//! Opens a stream to an engine, whatever the platform offers.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

use crate::EngineEndpoint;
use std::io;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// A byte stream both ways.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Connects to `endpoint`.
pub(crate) async fn dial(endpoint: &EngineEndpoint) -> io::Result<Box<dyn Duplex>> {
    match endpoint {
        EngineEndpoint::Unix(path) => platform::unix_socket(path).await,
        EngineEndpoint::NamedPipe(path) => platform::named_pipe(path).await,
        EngineEndpoint::Elsewhere(machine) => machine.dial().await,
        EngineEndpoint::Tcp(address) => Ok(Box::new(TcpStream::connect(address).await?)),
    }
}

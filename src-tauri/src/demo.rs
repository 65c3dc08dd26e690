//! `--demo`: the app on a registry host of its own, inside this process.

use anyhow::Context as _;
use dockline_core::{Paths, Session};
use dockline_demo::DemoHost;
use dockline_model::{Code, Command, InvalidName, RemoteEnd, SshTarget, Target, UiError};
use std::path::Path;

/// Name of the demo's registry.
const REGISTRY: &str = "cr.demo.example";

/// The demo's host; it ends, and its folder goes, when this is dropped.
#[derive(Debug)]
pub struct Demo {
    host: DemoHost,
}

impl Demo {
    /// Starts the host.
    ///
    /// # Errors
    /// If no folder or port is to be had.
    pub async fn start() -> anyhow::Result<Self> {
        Ok(Self { host: DemoHost::start().await.context("the demo's registry host cannot be started")? })
    }

    /// Where the app keeps its files while the demo runs: nothing of the person's own is touched.
    #[must_use]
    pub fn paths(&self) -> Paths {
        Paths::in_folder(&self.host.folder().join("dockline"))
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
        let (ssh, registry) = (self.host.ssh_addr(), self.host.registry_addr());
        let target = Target {
            name: REGISTRY
                .parse()
                .map_err(|error: InvalidName| UiError::new(Code::Internal, error.to_string()))?,
            ssh: SshTarget {
                host: ssh.ip().to_string(),
                user: Some(self.host.user().to_owned()),
                port: Some(ssh.port()),
                identity: Some(self.host.identity().to_owned()),
                jump: None,
            },
            remote: Some(RemoteEnd::Tcp { host: registry.ip().to_string(), port: registry.port() }),
            port: None,
            address: None,
            linger_seconds: None,
            keep_open: false,
        };
        match session.request(Command::AddRegistry { target }).await {
            Err(error) if error.code != Code::RegistryExists => Err(error),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

//! Which engine this is, and what decides how it speaks to a registry: what a change of its settings is planned from.
//!
//! `classify` is pure over an engine's own words (`/info`, `/version`); `process` reads a
//! local dockerd's command line and control group, `builder` the files of `buildx`. [`gather`](EngineFacts::gather)
//! asks and reads; no program is started for it.

mod builder;
mod classify;
mod gather;
#[cfg_attr(not(any(target_os = "linux", test)), expect(dead_code, reason = "there is no /proc to read from"))]
mod process;

pub use builder::Builder;
pub use process::{DaemonProcess, Unit};

use crate::{Engine, EngineEndpoint, EngineError, Surroundings};
use std::net::Ipv4Addr;

/// Whose engine it is, as far as its settings and its loopback are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flavour {
    /// dockerd on this machine, run by root.
    Native,
    /// dockerd on this machine, run by a person in namespaces of their own (docs.docker.com, “Rootless mode”).
    Rootless,
    /// dockerd on this machine from Canonical's snap.
    Snap,
    /// dockerd for Windows containers.
    WindowsNative,
    /// Docker Desktop, on any system.
    DockerDesktop,
    /// colima's virtual machine.
    Colima {
        /// The profile; `default` unless another was made.
        profile: String,
    },
    /// Rancher Desktop's virtual machine.
    RancherDesktop,
    /// OrbStack's virtual machine.
    OrbStack,
    /// Podman on this machine, run by root.
    Podman,
    /// Podman on this machine, run by a person.
    PodmanRootless,
    /// Podman in a virtual machine of its own.
    PodmanMachine,
    /// An engine on another machine.
    Remote {
        /// As the context or `DOCKER_HOST` has it.
        address: String,
    },
    /// An engine that answers here and runs elsewhere, in a virtual machine we do not know.
    Unknown {
        /// What it calls itself.
        name: String,
    },
}

/// Where an engine keeps its images, which decides who speaks to the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageStore {
    /// dockerd's own, with its own registry client.
    Classic,
    /// containerd's, with containerd's client and `certs.d/…/hosts.toml`.
    Containerd,
    /// Podman's (containers/storage, containers/image).
    Podman,
}

/// `/info` → `RegistryConfig`: what the engine goes by at this moment, whatever the files say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistrySettings {
    /// `host:port` of each registry it may speak HTTP to.
    pub insecure: Vec<String>,
    /// Networks it may speak HTTP to, as `127.0.0.0/8`.
    pub insecure_networks: Vec<String>,
    /// Mirrors of Docker Hub.
    pub mirrors: Vec<String>,
}

/// Everything that was found out about the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineFacts {
    /// Whose.
    pub flavour: Flavour,
    /// Its name and version: `Docker 20.10.24`. `None` for an engine that was not asked.
    pub name: Option<String>,
    /// The socket, pipe or address.
    pub endpoint: String,
    /// The Docker context it was chosen by.
    pub context: Option<String>,
    /// Where its images are. `None` for an engine that was not asked.
    pub image_store: Option<ImageStore>,
    /// What it goes by now.
    pub registries: RegistrySettings,
    /// Whether containers survive a restart of the engine (dockerd's `live-restore`).
    pub live_restore: bool,
    /// Names of the containers that run, which a restart would stop.
    pub running: Vec<String>,
    /// Whether requests go through an HTTP proxy.
    pub proxy: Option<Proxy>,
    /// The dockerd on this machine that answers at the endpoint, where it can be told.
    pub daemon: Option<DaemonProcess>,
    /// The address that this machine has on the default bridge, as containers see it.
    pub gateway: Option<Ipv4Addr>,
    /// The BuildKit builder that `docker buildx build` would use, if it is a container.
    pub builder: Option<Builder>,
}

/// The engine's proxy settings. Go's rules: a name that resolves to loopback goes through the proxy, unless it is named
/// in `no_proxy` (golang.org/x/net/http/httpproxy).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Whether plain HTTP goes through it, too.
    pub http: bool,
    /// The exceptions.
    pub no_proxy: String,
}

/// Tells Podman's service on this machine to read registries.conf again (SIGHUP); no container stops. Returns whether
/// there was one to tell: an engine elsewhere has none here, and one that starts reads the new settings by itself.
///
/// # Errors
/// What the system says, mostly that the service is another user's.
pub async fn reload_podman(engine: &Engine) -> std::io::Result<bool> {
    let EngineEndpoint::Unix(socket) = engine.endpoint().clone() else { return Ok(false) };
    match tokio::task::spawn_blocking(move || process::reload_podman(&socket)).await {
        Ok(told) => told,
        Err(error) => Err(std::io::Error::other(error)),
    }
}

/// Where the engine keeps its images.
pub(crate) async fn image_store(engine: &Engine) -> Result<ImageStore, EngineError> {
    gather::image_store(engine.endpoint()).await
}

/// Whose engine it is, for two questions to it. `around` is what it was found in.
///
/// # Errors
/// When it does not answer.
pub async fn flavour(engine: &Engine, around: &Surroundings) -> Result<Flavour, EngineError> {
    gather::flavour(engine.endpoint(), around).await
}

/// `host:port` of each registry that the engine speaks HTTP to by its settings, as it goes by them now.
///
/// # Errors
/// When it does not answer.
pub async fn insecure(engine: &Engine) -> Result<Vec<String>, EngineError> {
    gather::insecure(engine.endpoint()).await
}

impl EngineFacts {
    /// Finds out about the engine that `docker` would talk to in these surroundings.
    ///
    /// # Errors
    /// When there is none, or it does not answer.
    pub async fn gather(around: &Surroundings) -> Result<Self, EngineError> {
        gather::gather(around).await
    }
}

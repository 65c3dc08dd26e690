//! Where the engine listens: as the docker command line finds it, and then a little further.
//!
//! The order is docker/cli's `resolveContextName`: `DOCKER_HOST` overrides any context, then `DOCKER_CONTEXT`,
//! then `currentContext` of config.json, then the platform's default. Only where that default does not exist
//! are the sockets of rootless Docker, Docker Desktop, colima and the others tried, Podman's last.

use crate::{Elsewhere, EngineError};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

/// An engine's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineEndpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// A Windows named pipe, as `\\.\pipe\docker_engine`.
    NamedPipe(PathBuf),
    /// Plain HTTP: `host:port`.
    Tcp(String),
    /// An engine of another machine.
    Elsewhere(Elsewhere),
}

impl fmt::Display for EngineEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) | Self::NamedPipe(path) => path.display().fmt(f),
            Self::Tcp(address) => write!(f, "tcp://{address}"),
            Self::Elsewhere(machine) => machine.fmt(f),
        }
    }
}

/// Which platform's places to look in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux and other Unix.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Platform {
    /// The one this program was built for.
    pub const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(target_os = "macos") {
        Self::MacOs
    } else {
        Self::Linux
    };
}

/// What decides which engine is meant, read from the process once, so that the decision itself is pure.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Whose places to look in.
    pub platform: Platform,
    /// `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// `DOCKER_CONTEXT`.
    pub docker_context: Option<String>,
    /// Whether `DOCKER_TLS_VERIFY` or `DOCKER_TLS` asks for TLS.
    pub tls: bool,
    /// `DOCKER_CONFIG`, else `~/.docker`.
    pub docker_config: Option<PathBuf>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// `BUILDX_CONFIG`, buildx's own folder.
    pub buildx_config: Option<PathBuf>,
    /// `BUILDX_BUILDER`, a builder's name.
    pub buildx_builder: Option<String>,
}

impl Surroundings {
    /// Those of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
        let home = variable(if cfg!(windows) { "USERPROFILE" } else { "HOME" }).map(PathBuf::from);
        Self {
            platform: Platform::HERE,
            docker_host: variable("DOCKER_HOST"),
            docker_context: variable("DOCKER_CONTEXT"),
            tls: variable("DOCKER_TLS_VERIFY").or_else(|| variable("DOCKER_TLS")).is_some(),
            docker_config: variable("DOCKER_CONFIG")
                .map(PathBuf::from)
                .or_else(|| home.as_ref().map(|home| home.join(".docker"))),
            home,
            runtime_dir: variable("XDG_RUNTIME_DIR").map(PathBuf::from),
            buildx_config: variable("BUILDX_CONFIG").map(PathBuf::from),
            buildx_builder: variable("BUILDX_BUILDER"),
        }
    }
}

impl Surroundings {
    /// With a context that the person chose for Dockline alone: it goes before everything else.
    #[must_use]
    pub fn with_context(self, name: Option<String>) -> Self {
        match name {
            Some(_) => Self { docker_host: None, docker_context: name, ..self },
            None => self,
        }
    }
}

/// A Docker context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// Its engine's address, as it stands there.
    pub address: String,
    /// Why that cannot be used.
    pub unusable: Option<String>,
}

/// The contexts there are: the default one first, then by name. Blocks for as long as a folder takes to be read.
#[must_use]
pub fn contexts(around: &Surroundings) -> Vec<Context> {
    let default =
        Surroundings { docker_host: None, docker_context: Some("default".to_owned()), ..around.clone() };
    let address = EngineEndpoint::of(&default).map(|endpoint| endpoint.to_string()).unwrap_or_default();
    let mut contexts = vec![Context { name: "default".to_owned(), address, unusable: None }];
    let meta = around.docker_config.clone().unwrap_or_default().join("contexts").join("meta");
    let folders = fs::read_dir(meta).into_iter().flatten().flatten();
    let mut named: Vec<Context> = folders
        .filter_map(|folder| {
            let text = ThisMachine.read(&folder.path().join("meta.json"))?;
            let meta = serde_json::from_str::<Meta>(&text).ok()?;
            let around = around.clone().with_context(Some(meta.name.clone()));
            let unusable = EngineEndpoint::of(&around).err().map(|error| {
                let EngineError::Endpoint { reason, .. } = error else { return error.to_string() };
                reason.to_owned()
            });
            Some(Context { name: meta.name, address: meta.endpoints.docker.host, unusable })
        })
        .collect();
    named.sort_by(|one, two| one.name.cmp(&two.name));
    contexts.extend(named);
    contexts
}

/// The context that is chosen by name, unless it is the default one.
#[must_use]
pub fn chosen(around: &Surroundings) -> Option<String> {
    chosen_context(around, &ThisMachine)
}

/// The files that detection may look at.
pub trait Files {
    /// Whether something (a socket, a pipe) is at `path`.
    fn exists(&self, path: &Path) -> bool;
    /// The text at `path`, if there is any.
    fn read(&self, path: &Path) -> Option<String>;
}

/// This machine's.
pub(crate) struct ThisMachine;

impl Files for ThisMachine {
    fn exists(&self, path: &Path) -> bool {
        // Unreadable folders count as there: “you may not” is a better answer than “Docker is not running”.
        path.try_exists().unwrap_or(true)
    }

    fn read(&self, path: &Path) -> Option<String> {
        fs::read_to_string(path).ok()
    }
}

const DEFAULT_SOCKET: &str = "/var/run/docker.sock";
const DEFAULT_PIPE: &str = r"\\.\pipe\docker_engine";

impl EngineEndpoint {
    /// The engine that `docker` in this person's shell would talk to; failing that, any that is there.
    ///
    /// Where none is found it is the platform's default, so that connecting to it says what is missing. Cheap:
    /// ask again before each new attempt, since engines come and go.
    ///
    /// # Errors
    /// When `DOCKER_HOST` or the chosen context names an endpoint that cannot be used.
    pub fn detect() -> Result<Self, EngineError> {
        Self::find(&Surroundings::from_process(), &ThisMachine)
    }

    /// [`EngineEndpoint::detect`] for given surroundings on this machine.
    ///
    /// # Errors
    /// When `DOCKER_HOST` or the chosen context names an endpoint that cannot be used.
    pub fn of(around: &Surroundings) -> Result<Self, EngineError> {
        Self::find(around, &ThisMachine)
    }

    /// [`EngineEndpoint::detect`] for given surroundings.
    ///
    /// # Errors
    /// When `DOCKER_HOST` or the chosen context names an endpoint that cannot be used.
    pub fn find(around: &Surroundings, files: &impl Files) -> Result<Self, EngineError> {
        if let Some(address) = &around.docker_host {
            return Self::parse(address, "DOCKER_HOST", around.tls);
        }
        if let Some(name) = chosen_context(around, files) {
            return from_context(&name, around, files);
        }
        let candidates = candidates(around);
        let found = candidates.iter().find(|endpoint| match endpoint {
            Self::Unix(path) | Self::NamedPipe(path) => files.exists(path),
            Self::Tcp(_) | Self::Elsewhere(_) => false,
        });
        Ok(found.cloned().unwrap_or_else(|| match around.platform {
            Platform::Linux | Platform::MacOs => Self::Unix(DEFAULT_SOCKET.into()),
            Platform::Windows => Self::NamedPipe(DEFAULT_PIPE.into()),
        }))
    }

    /// Reads an address as `DOCKER_HOST` has it: `unix://`, `npipe://`, `tcp://`.
    fn parse(address: &str, origin: &str, tls: bool) -> Result<Self, EngineError> {
        let unusable =
            |reason| EngineError::Endpoint { address: address.to_owned(), origin: origin.to_owned(), reason };
        match address.split_once("://") {
            Some(("unix", path)) if !path.is_empty() => Ok(Self::Unix(path.into())),
            Some(("npipe", path)) if !path.is_empty() => Ok(Self::NamedPipe(path.replace('/', "\\").into())),
            Some(("tcp" | "http", _)) if tls => Err(unusable("Dockline does not speak TLS to an engine")),
            Some(("tcp" | "http", rest)) => {
                let authority = rest.split('/').next().unwrap_or_default();
                match authority.rsplit_once(':') {
                    Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => {
                        Ok(Self::Tcp(authority.to_owned()))
                    }
                    // docker/cli's default port of plain HTTP.
                    None if !authority.is_empty() => Ok(Self::Tcp(format!("{authority}:2375"))),
                    Some(_) | None => Err(unusable("it needs a host and a port, as in tcp://127.0.0.1:2375")),
                }
            }
            Some(("ssh", _)) => Err(unusable(
                "that engine runs on another machine, where this machine's tunnels do not reach",
            )),
            Some(_) | None => Err(unusable("it must begin with unix://, npipe:// or tcp://")),
        }
    }
}

/// The context that was chosen by name, unless it is the default one.
pub(crate) fn chosen_context(around: &Surroundings, files: &impl Files) -> Option<String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Config {
        current_context: Option<String>,
    }
    let from_config = || {
        let text = files.read(&around.docker_config.as_ref()?.join("config.json"))?;
        serde_json::from_str::<Config>(&text).ok()?.current_context
    };
    around.docker_context.clone().or_else(from_config).filter(|name| !name.is_empty() && name != "default")
}

/// What is in a context's file, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    #[serde(default)]
    name: String,
    endpoints: Endpoints,
}

#[derive(Deserialize)]
struct Endpoints {
    docker: Docker,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Docker {
    host: String,
}

/// Contexts are kept in `contexts/meta/<SHA-256 of the name>/meta.json` (docker/cli `cli/context/store`).
fn from_context(
    name: &str,
    around: &Surroundings,
    files: &impl Files,
) -> Result<EngineEndpoint, EngineError> {
    let folder = around.docker_config.clone().unwrap_or_default().join("contexts");
    let hash = hex::encode(Sha256::digest(name));
    let path = folder.join("meta").join(&hash).join("meta.json");
    let meta = files.read(&path).and_then(|text| serde_json::from_str::<Meta>(&text).ok());
    let Some(meta) = meta else { return Err(EngineError::Context { name: name.to_owned(), path }) };
    let tls = files.exists(&folder.join("tls").join(&hash).join("docker"));
    EngineEndpoint::parse(&meta.endpoints.docker.host, &format!("the Docker context “{name}”"), tls)
}

/// Where engines listen by default, best first.
fn candidates(around: &Surroundings) -> Vec<EngineEndpoint> {
    let unix = |path: PathBuf| EngineEndpoint::Unix(path);
    let in_home = |path: &str| around.home.as_ref().map(|home| unix(home.join(path)));
    let in_runtime = |path: &str| around.runtime_dir.as_ref().map(|folder| unix(folder.join(path)));
    let pipe = |name: &str| Some(EngineEndpoint::NamedPipe(format!(r"\\.\pipe\{name}").into()));
    let places = match around.platform {
        Platform::Linux => vec![
            Some(unix(DEFAULT_SOCKET.into())),
            in_runtime("docker.sock"),
            in_home(".docker/desktop/docker.sock"),
            in_home(".colima/default/docker.sock"),
            in_home(".rd/docker.sock"),
            in_home(".lima/docker/sock/docker.sock"),
            in_runtime("podman/podman.sock"),
            Some(unix("/run/podman/podman.sock".into())),
        ],
        Platform::MacOs => vec![
            Some(unix(DEFAULT_SOCKET.into())),
            in_home(".docker/run/docker.sock"),
            in_home(".orbstack/run/docker.sock"),
            in_home(".colima/default/docker.sock"),
            in_home(".rd/docker.sock"),
            in_home(".lima/docker/sock/docker.sock"),
            in_home(".local/share/containers/podman/machine/podman.sock"),
        ],
        Platform::Windows => {
            vec![pipe("docker_engine"), pipe("dockerDesktopLinuxEngine"), pipe("podman-machine-default")]
        }
    };
    places.into_iter().flatten().collect()
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;

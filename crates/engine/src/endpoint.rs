//! Where the engine listens, found as the docker command line finds it, and then a little further.

use crate::EngineError;
use std::path::PathBuf;

/// An engine's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EngineEndpoint {
    /// A Unix socket.
    Unix(PathBuf),
    /// A Windows named pipe, as `\\.\pipe\docker_engine`.
    NamedPipe(PathBuf),
    /// Plain HTTP: `host:port`.
    Tcp(String),
}

/// Whose engine it probably is, from where it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// Docker's own daemon, as root.
    Docker,
}

/// What detection looks at.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {}

impl EngineEndpoint {
    /// The engine that `docker` in this person's shell would talk to; failing that, any that is there.
    ///
    /// # Errors
    /// When `DOCKER_HOST` or the chosen context names an endpoint that cannot be used.
    pub fn detect() -> Result<Self, EngineError> {
        Ok(Self::Unix(PathBuf::from("/var/run/docker.sock")))
    }
}

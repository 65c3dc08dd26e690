//! Whether the engine reaches a registry: asked by a real request of the engine's, since its settings prove nothing.

use crate::{Cause, Engine, EngineError};

/// A repository that nobody has: what comes back is what the registry says of names it does not know.
const NOWHERE: &str = "dockline-asks/whether-you-are-there:nothing-is-pulled";

/// What the registry answered to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It answered.
    Registry,
    /// It answered, and wants a login before anything else.
    RegistryWantsLogin,
}

impl Engine {
    /// Has the engine ask the registry at `authority` (`host:port`) for an image that does not exist. The registry's
    /// “no such manifest” has come all the way: through the engine's own idea of the name, of HTTP or HTTPS, and the
    /// tunnel. A pull, since every engine has that; Podman does not have `/distribution`.
    ///
    /// # Errors
    /// What kept the engine from reaching it.
    pub async fn probe(&self, authority: &str) -> Result<Reached, EngineError> {
        match self.pull(&format!("{authority}/{NOWHERE}"), |_, _, _| {}).await {
            Ok(_) => Ok(Reached::Registry),
            Err(error @ EngineError::Refused { cause, .. }) => match cause {
                Cause::NoSuchReference => Ok(Reached::Registry),
                Cause::LoginNeeded | Cause::Denied => Ok(Reached::RegistryWantsLogin),
                Cause::NoSuchImage
                | Cause::BadReference
                | Cause::WrongPlatform
                | Cause::ReadOnly
                | Cause::RegistryDiskFull
                | Cause::RegistryFailed
                | Cause::TooManyRequests
                | Cause::EngineDiskFull
                | Cause::NameUnknown
                | Cause::NothingListens
                | Cause::NoRoute
                | Cause::WantsHttps
                | Cause::Untrusted
                | Cause::WantsCertificate
                | Cause::HungUp
                | Cause::Lost
                | Cause::NoAnswer
                | Cause::Unknown => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}

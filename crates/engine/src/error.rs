//! What goes wrong at the engine, and what to tell the person about it.

use crate::{Cause, EngineEndpoint};
use dockline_model::{Code, UiError, sentence};
use std::{fmt, io, path::PathBuf};

/// What was asked of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Its name and version.
    Describe,
    /// The list of its images.
    ListImages,
    /// One image's id.
    Inspect,
    /// A further name for an image.
    Tag,
    /// One name fewer.
    Untag,
    /// A push.
    Push,
    /// A pull.
    Pull,
    /// An image as an archive.
    Export,
    /// An image from an archive.
    Load,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Describe => "tell its version",
            Self::ListImages => "list its images",
            Self::Inspect => "look up the image",
            Self::Tag => "name the image",
            Self::Untag => "take the name from the image",
            Self::Push => "push",
            Self::Pull => "pull",
            Self::Export => "export",
            Self::Load => "load",
        })
    }
}

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing answers at the endpoint, or this person may not open it.
    #[error("cannot connect to the engine at {endpoint}")]
    Connect {
        /// Where.
        endpoint: EngineEndpoint,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// `DOCKER_HOST` or the context names an endpoint that a tunnel on this machine is no use to, or that
    /// cannot be spoken to.
    #[error("the engine's address {address} (from {origin}) cannot be used: {reason}")]
    Endpoint {
        /// As written.
        address: String,
        /// `DOCKER_HOST`, `the Docker context “x”`.
        origin: String,
        /// Half a sentence.
        reason: &'static str,
    },
    /// The chosen context's description is missing or does not read.
    #[error("the Docker context “{name}” cannot be read from {path}")]
    Context {
        /// The context.
        name: String,
        /// Its meta.json.
        path: PathBuf,
    },
    /// The text cannot be an image reference.
    #[error("“{0}” is not an image reference")]
    Reference(String),
    /// The engine did not answer, or not as an engine does.
    #[error("the engine did not {operation}")]
    Request {
        /// What was asked.
        operation: Operation,
        /// What happened.
        #[source]
        source: Box<bollard::errors::Error>,
    },
    /// The engine, or the registry through it, refused.
    #[error("the engine could not {operation} {reference}: {words}")]
    Refused {
        /// What was asked.
        operation: Operation,
        /// Of which image.
        reference: String,
        /// Why, as read from the words.
        cause: Cause,
        /// The engine's own words.
        words: String,
    },
    /// The layers of an image cannot be read from its store: it is laid out in another way than Docker's.
    #[error("the layers of {image} cannot be read from the engine's store")]
    Store {
        /// Its id.
        image: String,
        /// What is otherwise.
        #[source]
        source: io::Error,
    },
    /// The engine's answer broke off.
    #[error("the engine stopped answering during the {operation} of {reference}")]
    BrokenOff {
        /// What was asked.
        operation: Operation,
        /// Of which image.
        reference: String,
        /// What happened to the connection; nothing where it just ended.
        #[source]
        source: Option<hyper::Error>,
    },
}

impl EngineError {
    /// With the image called `name`, as the person calls it, where the failure is about the image. What is about the way
    /// there keeps the address that the engine uses.
    #[must_use]
    pub fn calling_it(self, name: &str) -> Self {
        match self {
            Self::Refused { operation, reference, cause, words } => {
                let is_the_way = match cause {
                    Cause::NameUnknown
                    | Cause::NothingListens
                    | Cause::NoRoute
                    | Cause::WantsHttps
                    | Cause::Untrusted
                    | Cause::WantsCertificate
                    | Cause::NoAnswer => true,
                    Cause::NoSuchImage
                    | Cause::BadReference
                    | Cause::NoSuchReference
                    | Cause::WrongPlatform
                    | Cause::LoginNeeded
                    | Cause::Denied
                    | Cause::ReadOnly
                    | Cause::RegistryDiskFull
                    | Cause::RegistryFailed
                    | Cause::TooManyRequests
                    | Cause::EngineDiskFull
                    | Cause::HungUp
                    | Cause::Lost
                    | Cause::Unknown => false,
                };
                let reference = if is_the_way { reference } else { name.to_owned() };
                Self::Refused { operation, reference, cause, words }
            }
            Self::BrokenOff { operation, source, .. } => {
                Self::BrokenOff { operation, reference: name.to_owned(), source }
            }
            other @ (Self::Connect { .. }
            | Self::Endpoint { .. }
            | Self::Context { .. }
            | Self::Reference(_)
            | Self::Request { .. }
            | Self::Store { .. }) => other,
        }
    }
}

impl From<&EngineError> for UiError {
    fn from(error: &EngineError) -> Self {
        match error {
            EngineError::Connect { endpoint, source } => unreachable_engine(endpoint, source),
            EngineError::Endpoint { .. } => Self::new(Code::EngineUnavailable, sentence(error))
                .hint("Choose an engine on this machine with `docker context use`, or unset DOCKER_HOST."),
            EngineError::Context { .. } => Self::new(Code::EngineUnavailable, sentence(error)).hint(
                "`docker context ls` lists the contexts there are; `docker context use default` goes back.",
            ),
            EngineError::Reference(_) => Self::new(Code::ReferenceInvalid, sentence(error))
                .hint("A reference looks like cr.boss.org:5000/app:v1, in lower case up to the tag."),
            EngineError::Request { operation, source } => {
                Self::new(Code::EngineFailed, format!("The engine did not {operation}."))
                    .details(source.to_string())
            }
            // Nobody is told, since the image is exported then.
            EngineError::Store { source, .. } => {
                Self::new(Code::EngineFailed, format!("The engine did not {}.", Operation::Export))
                    .details(source.to_string())
            }
            EngineError::Refused { operation, reference, cause, words } => {
                refused(*operation, reference, *cause).details(words.clone())
            }
            EngineError::BrokenOff { operation, reference, source } => {
                let error = Self::new(
                    Code::EngineFailed,
                    format!("The engine stopped answering while it should {operation} {reference}."),
                )
                .hint("See whether Docker was restarted, and try again.");
                match source {
                    Some(source) => error.details(source.to_string()),
                    None => error,
                }
            }
        }
    }
}

fn unreachable_engine(endpoint: &EngineEndpoint, source: &io::Error) -> UiError {
    if source.kind() == io::ErrorKind::PermissionDenied {
        return UiError::new(
            Code::EnginePermission,
            format!("Docker is running, but you may not use it: {endpoint} does not open."),
        )
        .hint(
            "Add yourself to the docker group (`sudo usermod -aG docker $USER`) and log in again; members of it \
             are as good as root on this machine. Rootless Docker or Podman needs no group.",
        )
        .details(source.to_string());
    }
    UiError::new(Code::EngineUnavailable, format!("Docker is not running: nothing answers at {endpoint}."))
        .hint("Start Docker (`sudo systemctl start docker`, or Docker Desktop) and try again; if it runs elsewhere, set DOCKER_HOST.")
        .details(source.to_string())
}

fn refused(operation: Operation, reference: &str, cause: Cause) -> UiError {
    let registry = reference.split('/').next().unwrap_or(reference);
    let host = registry.split(':').next().unwrap_or(registry);
    let ui = |code, message: String, hint: &str| UiError::new(code, message).hint(hint);
    match cause {
        Cause::NoSuchImage => ui(
            Code::ImageNotFound,
            format!("The engine has no image called {reference}."),
            "`docker images` lists those it has.",
        ),
        Cause::BadReference => ui(
            Code::ReferenceInvalid,
            format!("“{reference}” is not an image reference."),
            "A reference looks like cr.boss.org:5000/app:v1, in lower case up to the tag.",
        ),
        Cause::NoSuchReference => ui(
            Code::ReferenceNotFound,
            format!("The registry has no {reference}."),
            "Check the repository's name and the tag.",
        ),
        Cause::WrongPlatform => ui(
            Code::ReferenceNotFound,
            format!("{reference} exists, but was not built for this machine's platform."),
            "Build it for this platform as well (`docker buildx build --platform …`).",
        ),
        Cause::LoginNeeded => ui(
            Code::RegistryAuth,
            format!("The registry wants a login before it lets the engine {operation} {reference}."),
            &format!("Log in with `docker login {registry}` and try again."),
        ),
        Cause::Denied => ui(
            Code::RegistryDenied,
            format!("The registry does not allow this login to {operation} {reference}."),
            &format!("Log in as someone who may (`docker login {registry}`), or ask for the right to."),
        ),
        Cause::ReadOnly => ui(
            Code::RegistryDenied,
            format!("The registry does not take {reference}: it is set to read-only, or is a mirror."),
            "Ask whoever runs the registry when it takes pushes again.",
        ),
        Cause::RegistryDiskFull => ui(
            Code::RegistryDiskFull,
            format!(
                "The registry took a part of {reference} and then no more: its disk is full, most likely."
            ),
            "Look at `df -h` on the registry's host, and for “no space left on device” in the registry's log. Make \
             room (delete tags, then run the registry's garbage collection) and push again: layers that have \
             arrived are not sent twice.",
        ),
        Cause::RegistryFailed => ui(
            Code::RegistryFailed,
            format!("The registry failed when the engine asked it to {operation} {reference}."),
            "Its log says why (`docker logs registry` on its host); a full disk is the usual reason.",
        ),
        Cause::TooManyRequests => ui(
            Code::RegistryFailed,
            format!(
                "The registry did not let the engine {operation} {reference}: it has been asked too often."
            ),
            "Wait a while and try again, or log in: registries that set a limit, Docker Hub among them, let those who \
             are logged in ask more often.",
        ),
        Cause::EngineDiskFull => ui(
            Code::EngineFailed,
            format!("The engine's own disk is full, so it cannot {operation} {reference}."),
            "`docker system df` shows what takes the room, `docker system prune` makes some.",
        ),
        Cause::NameUnknown => ui(
            Code::EngineCannotReach,
            format!("The engine does not know the name {host}."),
            // Go's resolver: `net/hosts.go`, `cacheMaxAge`.
            "Run `dockline setup`, which enters it in this machine's hosts file. If that was just done, try again in five \
             seconds: engines go by the old file for so long. An engine in a virtual machine has a hosts file of its \
             own.",
        ),
        Cause::NothingListens => ui(
            Code::EngineCannotReach,
            format!("Nothing listens at {registry} as the engine sees it."),
            "See that Dockline is running here. A rootless engine, or one in a virtual machine, has a loopback of its \
             own and does not see this one.",
        ),
        Cause::NoRoute => ui(
            Code::EngineCannotReach,
            format!("The engine has no way to {registry}."),
            &format!("If the engine uses a proxy, add {host} to its NO_PROXY setting."),
        ),
        Cause::WantsHttps => ui(
            Code::EngineCannotReach,
            format!("The engine insists on HTTPS for {registry}, which speaks HTTP inside the tunnel."),
            &format!(
                "Run `dockline setup`: it shows what this engine needs for {registry}. Or use the registry's 127.x \
                 address, which Docker takes as plain HTTP."
            ),
        ),
        Cause::Untrusted => ui(
            Code::EngineCannotReach,
            format!("The engine does not trust the certificate of {registry}."),
            &format!(
                "Put the certificate of its CA at /etc/docker/certs.d/{registry}/ca.crt; no restart is needed."
            ),
        ),
        Cause::WantsCertificate => ui(
            Code::ClientCertificateNeeded,
            format!("{registry} asks the engine for a certificate, and the engine shows none that it takes."),
            &format!(
                "Put a client.cert that the registry takes and its client.key into /etc/docker/certs.d/{registry}, or leave \
                 the engine out of it (--direct)."
            ),
        ),
        Cause::HungUp => ui(
            Code::RegistryUnreachable,
            format!(
                "The tunnel answers, but no registry behind it: the connection to {registry} was closed at once."
            ),
            "See that the registry runs on its host (`docker ps`) and listens on the configured port.",
        ),
        Cause::Lost => ui(
            Code::RegistryUnreachable,
            format!("The connection to {registry} was lost on the way, and the engine gave up trying."),
            "Try again when the host can be reached: layers that have arrived are not sent twice.",
        ),
        Cause::NoAnswer => ui(
            Code::RegistryUnreachable,
            format!("{registry} did not answer the engine in time."),
            "See whether the host can be reached (`dockline status`) and its registry runs.",
        ),
        Cause::Unknown => {
            UiError::new(Code::EngineFailed, format!("The engine could not {operation} {reference}."))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asked_too_often_is_told_to_wait_or_to_log_in() {
        // Docker Hub's words, by way of dockerd and of Podman; and what comes without the registry's own.
        for words in [
            "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and \
             upgrading: https://www.docker.com/increase-rate-limit",
            "toomanyrequests: You have reached your unauthenticated pull rate limit. \
             https://www.docker.com/increase-rate-limit",
            "initializing source docker://app:v1: reading manifest v1 in docker.io/library/app: toomanyrequests: You \
             have reached your pull rate limit.",
            "unexpected status from HEAD request to https://cr.boss.org/v2/app/manifests/v1: 429 Too Many Requests",
        ] {
            let (operation, name) = (Operation::Pull, "cr.boss.org:5000/app:v1");
            let evidence = crate::progress::Evidence::default();
            let error = crate::failure::refusal(operation, name, words.to_owned(), evidence);
            assert!(
                matches!(error, EngineError::Refused { cause: Cause::TooManyRequests, .. }),
                "{words}: {error:?}"
            );
            let shown = UiError::from(&error);
            assert_eq!(shown.code, Code::RegistryFailed);
            let hint = shown.hint.unwrap();
            assert!(hint.contains("Wait a while") && hint.contains("log in"), "{hint}");
            assert_eq!(shown.details.as_deref(), Some(words));
        }
    }

    #[test]
    fn a_socket_that_may_not_be_opened_is_no_missing_engine() {
        let shown = |kind: io::ErrorKind| {
            let endpoint = EngineEndpoint::Unix("/var/run/docker.sock".into());
            UiError::from(&EngineError::Connect { endpoint, source: kind.into() })
        };
        let denied = shown(io::ErrorKind::PermissionDenied);
        assert_eq!(denied.code, Code::EnginePermission);
        assert!(denied.hint.is_some_and(|hint| hint.contains("docker group")));
        for kind in [io::ErrorKind::NotFound, io::ErrorKind::ConnectionRefused] {
            assert_eq!(shown(kind).code, Code::EngineUnavailable);
        }
    }
}

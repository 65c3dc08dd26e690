//! What goes wrong with the Docker of a host, as sentences about that host.

use dockline_engine::{Cause, EngineError};
use dockline_model::{Code, SshTarget, UiError};

/// What the Docker on `host` says of `image`.
pub(super) fn told_there(host: &str, image: &str, error: &EngineError) -> UiError {
    let EngineError::Refused { cause, words, .. } = error else {
        return UiError::new(Code::EngineFailed, format!("Docker on {host} stopped answering."))
            .hint("See there whether it was restarted, and try again.")
            .details(error_chain(error));
    };
    let ui = |code, message: String, hint: &str| UiError::new(code, message).hint(hint).details(words);
    match cause {
        Cause::EngineDiskFull | Cause::RegistryDiskFull => ui(
            Code::EngineFailed,
            format!("The disk of {host} is full: Docker there could not store the image."),
            "Free some space there (docker image prune), and ship again; layers that arrived are kept.",
        ),
        Cause::NothingListens | Cause::NoRoute | Cause::NoAnswer | Cause::HungUp | Cause::WantsHttps => ui(
            Code::EngineCannotReach,
            format!(
                "Docker on {host} does not get to 127.0.0.1 of that host, where Dockline offers it the image."
            ),
            "A rootless Docker, or one in a virtual machine, has a 127.0.0.1 of its own. There, use: \
                 docker save IMAGE | ssh HOST docker load",
        ),
        Cause::WrongPlatform => ui(
            Code::EngineFailed,
            format!("{} was built for another platform than that of {host}.", image),
            "Build it for that platform as well (`docker buildx build --platform …`).",
        ),
        Cause::NoSuchImage
        | Cause::BadReference
        | Cause::NoSuchReference
        | Cause::LoginNeeded
        | Cause::Denied
        | Cause::ReadOnly
        | Cause::RegistryFailed
        | Cause::NameUnknown
        | Cause::Untrusted
        | Cause::WantsCertificate
        | Cause::Lost
        | Cause::Unknown => ui(
            Code::EngineFailed,
            format!("Docker on {host} could not take the image."),
            "Its own words are in the details; its log there may say more.",
        ),
    }
}

/// Why `docker version` said nothing.
pub(super) fn no_docker(host: &SshTarget, status: Option<u32>, complaint: &str) -> UiError {
    let words = complaint.to_ascii_lowercase();
    let has = |text: &str| words.contains(text);
    let name = &host.host;
    let error = if status == Some(127) || has("not found") {
        UiError::new(Code::EngineUnavailable, format!("There is no Docker on {name}."))
            .hint("Install Docker there, or name a host that has it.")
    } else if has("permission denied") {
        let user = host.user.as_deref();
        let shown = user.unwrap_or("the user that logs in");
        let user = user.unwrap_or("USER");
        UiError::new(Code::EnginePermission, format!("On {name}, {shown} may not use Docker.")).hint(format!(
            "Add that user to the group docker there (sudo usermod -aG docker {user}), or log in as another."
        ))
    } else if has("cannot connect") || has("is the docker daemon running") {
        UiError::new(Code::EngineUnavailable, format!("Docker does not run on {name}."))
            .hint("Start it there: systemctl start docker")
    } else {
        UiError::new(Code::EngineFailed, format!("Docker on {name} does not say what it is."))
            .hint("See there whether `docker version` answers.")
    };
    error.details(complaint.trim())
}

/// Whether that Docker's client has no `dial-stdio`.
pub(super) fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(u32::MAX));
    (numbers.next().unwrap_or(u32::MAX), numbers.next().unwrap_or(u32::MAX)) < (18, 9)
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_docker_is_told_apart() {
        let host: SshTarget = "deploy@prod".parse().unwrap();
        let told = |status, words: &str| no_docker(&host, Some(status), words).code;
        assert_eq!(told(127, "sh: 1: exec: docker: not found\n"), Code::EngineUnavailable);
        let words = "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock";
        assert_eq!(told(1, words), Code::EnginePermission);
        assert!(no_docker(&host, Some(1), words).message.contains("deploy"));
        let words = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
        assert_eq!(told(1, words), Code::EngineUnavailable);
        assert_eq!(told(1, ""), Code::EngineFailed);
    }

    #[test]
    fn only_a_docker_without_dial_stdio_is_too_old() {
        for (version, old) in
            [("17.12.1-ce", true), ("18.06.3", true), ("18.09.0", false), ("20.10.24+dfsg1", false)]
        {
            assert_eq!(is_too_old(version), old, "{version}");
        }
    }
}

//! What goes wrong with the Docker of a host, as sentences about that host.

use dockline_engine::{Cause, EngineError};
use dockline_model::{Code, SshTarget, UiError};
use dockline_registry::Reference;
use dockline_tunnel::ProgramEnd;

/// What stands before each part of what the programs there say of themselves: start-up files of the shell may speak first.
const PROGRAM: &str = "dockline-program";
const VERSIONS: &str = "dockline-versions";
const ENGINE: &str = "dockline-engine";

/// Whether an engine takes an image by that name: the API has no place for an IPv6 address.
pub(in crate::controller) fn check_name(reference: &Reference) -> Result<(), UiError> {
    if reference.host().is_none_or(|host| !host.starts_with('[')) {
        return Ok(());
    }
    let message = format!("An image cannot be called by an IPv6 address: {reference}.");
    Err(UiError::new(Code::ReferenceInvalid, message).hint("Say what it is to be called there: --as app:v1"))
}

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
        | Cause::TooManyRequests
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

/// What the programs of a host say of themselves.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Said<'a> {
    /// What the shell says of its own before any program does.
    noise: &'a str,
    /// `Docker version 20.10.24, build 297e128`; another program may be called docker.
    program: Option<&'a str>,
    /// The client's and the engine's.
    versions: &'a str,
    /// The engine's components, where it names any (Docker 18.03).
    engine: &'a str,
}

impl<'a> Said<'a> {
    /// What asks them.
    pub(super) fn script() -> String {
        let versions = "{{.Client.Version}} {{.Server.Version}}";
        let components = "{{range .Server.Components}}{{.Name}} {{end}}";
        let program = format!(r#"echo "{PROGRAM} $(docker --version 2>/dev/null)""#);
        // Apart from the components, which old clients do not know.
        let versions =
            format!(r#"said=$(docker version --format "{versions}") || exit $?; echo "{VERSIONS} $said""#);
        let engine = format!(r#"echo "{ENGINE} $(docker version --format "{components}" 2>/dev/null)""#);
        format!("{program}; {versions}; {engine}")
    }

    pub(super) fn of(output: &'a str) -> Self {
        let line = |mark| {
            let (before, rest) = output.split_once(mark)?;
            Some((before.trim(), rest.lines().next().unwrap_or_default().trim()))
        };
        let rest = |mark| line(mark).map_or("", |(_, rest)| rest);
        Self {
            noise: line(PROGRAM).map_or("", |(before, _)| before),
            program: line(PROGRAM).map(|(_, program)| program),
            versions: rest(VERSIONS),
            engine: rest(ENGINE),
        }
    }

    /// What of it is why nobody can ship there.
    pub(super) fn against(&self, host: &SshTarget, end: &ProgramEnd) -> Option<UiError> {
        let name = &host.host;
        let has_podman = |words: &str| words.to_ascii_lowercase().contains("podman");
        if let Some(words) = self.program.into_iter().chain([self.engine]).find(|words| has_podman(words)) {
            let message = format!("The docker of {name} is Podman, and images are shipped to Docker only.");
            let hint = "There, use: docker save IMAGE | ssh HOST podman load";
            return Some(UiError::new(Code::EngineFailed, message).hint(hint).details(words));
        }
        if self.program.is_none() || end.status != Some(0) {
            return Some(no_docker(host, end.status, &end.complaint));
        }
        if let Some(version) = self.versions.split_whitespace().find(|version| is_too_old(version)) {
            let message = format!("Docker {version} on {name} is too old to be shipped to.");
            return Some(
                UiError::new(Code::EngineFailed, message).hint("Docker 18.09 or later is needed there."),
            );
        }
        if self.noise.is_empty() {
            return None;
        }
        let message = format!(
            "The shell on {name} says something before every program, so Docker's answers cannot be read."
        );
        Some(
            UiError::new(Code::EngineFailed, message)
                .hint("Let its start-up files there, such as ~/.bashrc, say nothing where there is no terminal.")
                .details(self.noise),
        )
    }
}

/// Why `docker version` said nothing.
fn no_docker(host: &SshTarget, status: Option<u32>, complaint: &str) -> UiError {
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
fn is_too_old(version: &str) -> bool {
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

    fn end(status: u32) -> ProgramEnd {
        ProgramEnd { status: Some(status), complaint: String::new() }
    }

    #[test]
    fn what_the_shell_says_before_is_not_taken_for_a_version() {
        let docker = "dockline-program Docker version 20.10.24+dfsg1, build 297e128\n\
                      dockline-versions 20.10.24+dfsg1 20.10.24+dfsg1\n\
                      dockline-engine Engine containerd runc \n";
        let host: SshTarget = "deploy@prod".parse().unwrap();
        let said = Said::of(docker);
        assert_eq!(
            said,
            Said {
                noise: "",
                program: Some("Docker version 20.10.24+dfsg1, build 297e128"),
                versions: "20.10.24+dfsg1 20.10.24+dfsg1",
                engine: "Engine containerd runc",
            }
        );
        assert_eq!(said.against(&host, &end(0)), None);
        let noisy = format!("3 updates\nWelcome {docker}");
        let error = Said::of(&noisy).against(&host, &end(0)).unwrap();
        assert!(error.message.contains("The shell on prod"), "{error:?}");
        assert_eq!(error.details.as_deref(), Some("3 updates\nWelcome"));
        // A command that is forced on whoever logs in.
        let error = Said::of("This account is for backups.\n").against(&host, &end(0)).unwrap();
        assert!(error.message.contains("does not say what it is"), "{error:?}");
    }

    #[test]
    fn podman_is_not_an_old_docker() {
        let host: SshTarget = "deploy@prod".parse().unwrap();
        let shim = Said::of("dockline-program podman version 4.9.3\n");
        let socket = "dockline-program Docker version 27.0.1, build 1\ndockline-versions 27.0.1 4.9.3\n\
                      dockline-engine Podman Engine Conmon OCI Runtime (crun)\n";
        for (said, status) in [(shim, 125), (Said::of(socket), 0)] {
            let error = said.against(&host, &end(status)).unwrap();
            assert!(error.message.contains("Podman"), "{error:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_programs_there_are_asked_in_words_that_every_shell_knows() {
        use super::super::crew::in_shell;
        use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};
        let folder = tempfile::tempdir().unwrap();
        let docker = folder.path().join("docker");
        let asked = |program: &str| {
            fs::write(&docker, format!("#!/bin/sh\n{program}\n")).unwrap();
            fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
            let mut path = std::ffi::OsString::from(folder.path());
            path.push(":");
            path.push(std::env::var_os("PATH").unwrap());
            let told = Command::new("sh")
                .args(["-c", &in_shell(&Said::script())])
                .env("PATH", path)
                .output()
                .unwrap();
            (String::from_utf8(told.stdout).unwrap(), told.status.code())
        };
        // A client that has no components to tell of.
        let (output, status) = asked(
            "case \"$*\" in --version) echo Docker version 17.12.1-ce, build 7390fc6;; \
             *Components*) echo no such field >&2; exit 64;; *) echo 17.12.1-ce 18.06.3;; esac",
        );
        let host: SshTarget = "deploy@prod".parse().unwrap();
        assert_eq!(status, Some(0));
        let error = Said::of(&output).against(&host, &end(0)).unwrap();
        assert!(error.message.contains("Docker 17.12.1-ce on prod is too old"), "{error:?}");
        let (output, status) = asked("exit 7");
        assert_eq!((output.as_str(), status), ("dockline-program \n", Some(7)));
    }

    #[test]
    fn an_image_is_not_called_by_an_ipv6_address() {
        let check = |name: &str| check_name(&name.parse().unwrap()).map_err(|error| error.code);
        assert_eq!(check("[fd00::1]:5000/app:v1"), Err(Code::ReferenceInvalid));
        for well in ["app:v1", "team/app:v1", "cr.boss.org:5000/app:v1", "127.0.0.1:5000/app"] {
            assert_eq!(check(well), Ok(()), "{well}");
        }
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

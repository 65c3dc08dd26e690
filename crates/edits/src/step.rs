//! What has to be done as an administrator after a file was written, so that it takes effect.
//!
//! A fixed set: a signal to dockerd, and a few of the system's own programs by their full paths, with fixed arguments and
//! next to no environment.

use crate::{
    CaCertificate, Intent, Platform, daemon_json::Daemon, intent::TrustStore, platform::system_variable,
};
use serde::{Deserialize, Serialize};
use sha1::Digest as _;
use std::{ffi::OsString, path::Path};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SystemStep {
    /// dockerd reads `insecure-registries` again (SIGHUP); nothing stops.
    ReloadDockerd,
    /// A program of the system's.
    Run {
        /// Its full path, and its arguments.
        command: Vec<String>,
        /// What it does.
        words: StepWords,
    },
}

/// What a step does, in whole sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepWords {
    /// In a plan, of what is going to happen.
    pub planned: &'static str,
    /// In a report, of what has happened.
    pub done: &'static str,
}

/// dockerd is told to read its settings again, which stops nothing.
pub(crate) const RELOAD: StepWords = StepWords {
    planned: "dockerd reads its settings again; no container stops.",
    done: "dockerd has read its settings again; no container stopped.",
};

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepOutcome {
    /// What was done, as a sentence.
    pub words: String,
    /// Why it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl SystemStep {
    /// What it does.
    #[must_use]
    pub fn words(&self) -> StepWords {
        match self {
            Self::ReloadDockerd => RELOAD,
            Self::Run { words, .. } => *words,
        }
    }

    /// The program and its arguments, for people; empty for a signal.
    #[must_use]
    pub fn command(&self) -> &[String] {
        match self {
            Self::ReloadDockerd => &[],
            Self::Run { command, .. } => command,
        }
    }

    /// Whether the helper may do it. Since macOS 11 a change of what is trusted is agreed to in a dialogue of the system's
    /// own, which a program that runs as root has no session to show in: the person's own program asks for it.
    #[must_use]
    pub fn is_the_helpers(&self) -> bool {
        !matches!(self, Self::Run { words: TRUST_BY_PERSON | DISTRUST_BY_PERSON, .. })
    }

    /// Whether every container stops with the engine, unless it keeps them alive.
    #[must_use]
    pub fn restarts_engine(&self) -> bool {
        matches!(self, Self::Run { words: RESTART_SNAP | RESTART_SERVICE, .. })
    }
}

const RESTART_SNAP: StepWords =
    StepWords { planned: "The snap restarts Docker.", done: "The snap has restarted Docker." };
const RESTART_SERVICE: StepWords = StepWords {
    planned: "Windows restarts the Docker service.",
    done: "Windows has restarted the Docker service.",
};
const TRUST: StepWords = StepWords {
    planned: "The operating system reads its trusted certificates again.",
    done: "The operating system has read its trusted certificates again.",
};
const DISTRUST: StepWords = StepWords {
    planned: "The operating system forgets the certificate.",
    done: "The operating system has forgotten the certificate.",
};

const TRUST_BY_PERSON: StepWords = StepWords {
    planned: "macOS asks you for leave and then trusts the certificate for your account.",
    done: "macOS trusts the certificate for your account.",
};
const DISTRUST_BY_PERSON: StepWords = StepWords {
    planned: "macOS asks you for leave and then forgets the certificate.",
    done: "macOS has forgotten the certificate.",
};
/// The person's own keychain, by the name that security(1) finds it by. Its trust settings take the person's leave; those
/// of the System keychain take root and a dialogue, and no program has both.
const KEYCHAIN: &str = "login.keychain";

/// What makes a change of `file`'s contents from `before` to `after` take effect, in order. Pure.
#[must_use]
pub fn after(intent: &Intent, file: &Path, before: Option<&[u8]>, after: Option<&[u8]>) -> Vec<SystemStep> {
    match intent {
        Intent::DaemonJson { daemon, .. } => match daemon {
            Daemon::Native => vec![SystemStep::ReloadDockerd],
            Daemon::Snap => one(RESTART_SNAP, &["/usr/bin/snap", "restart", "docker"]),
            Daemon::Windows => one(
                RESTART_SERVICE,
                &[
                    r"C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe",
                    "-NoProfile",
                    "-NonInteractive",
                    "-Command",
                    "Restart-Service docker",
                ],
            ),
            // The person's own engines are restarted by the person's own program.
            Daemon::Rootless | Daemon::Desktop | Daemon::OrbStack => Vec::new(),
        },
        Intent::SystemTrust { store, .. } => trust(*store, file, before, after),
        // Read at each operation, or by the person's own engine at its start.
        Intent::Hosts { .. }
        | Intent::RegistryHosts { .. }
        | Intent::RegistryCertificate { .. }
        | Intent::RegistriesConf { .. }
        | Intent::BuilderConfig { .. }
        | Intent::ColimaYaml { .. }
        | Intent::RancherProvisioning { .. } => Vec::new(),
    }
}

fn one(words: StepWords, command: &[&str]) -> Vec<SystemStep> {
    vec![SystemStep::Run { command: command.iter().map(|part| (*part).to_owned()).collect(), words }]
}

fn trust(store: TrustStore, file: &Path, before: Option<&[u8]>, after: Option<&[u8]>) -> Vec<SystemStep> {
    let name = file.to_string_lossy();
    let words = if after.is_some() { TRUST } else { DISTRUST };
    match (store, before, after) {
        (TrustStore::Debian, None, Some(_)) => one(words, &["/usr/sbin/update-ca-certificates"]),
        // Anew, since what was made of the old one is not looked for otherwise.
        (TrustStore::Debian, ..) => one(words, &["/usr/sbin/update-ca-certificates", "--fresh"]),
        (TrustStore::Fedora | TrustStore::Arch, ..) => one(words, &["/usr/bin/update-ca-trust", "extract"]),
        // These two keep what they were given, whatever becomes of the file: the old authority goes first.
        (TrustStore::MacOs | TrustStore::Windows, Some(_), Some(_)) => {
            [trust(store, file, before, None), trust(store, file, None, after)].concat()
        }
        (TrustStore::MacOs, None, Some(_)) => one(
            TRUST_BY_PERSON,
            &["/usr/bin/security", "add-trusted-cert", "-r", "trustRoot", "-k", KEYCHAIN, &name],
        ),
        (TrustStore::Windows, None, Some(_)) => {
            one(words, &[r"C:\Windows\System32\certutil.exe", "-addstore", "-f", "Root", &name])
        }
        // `-t`: the trust settings go with it.
        (TrustStore::MacOs, _, None) => thumbprint(before).map_or_else(Vec::new, |thumbprint| {
            let delete = ["/usr/bin/security", "delete-certificate", "-Z", &thumbprint, "-t", KEYCHAIN];
            one(DISTRUST_BY_PERSON, &delete)
        }),
        (TrustStore::Windows, _, None) => thumbprint(before).map_or_else(Vec::new, |thumbprint| {
            one(words, &[r"C:\Windows\System32\certutil.exe", "-delstore", "Root", &thumbprint])
        }),
    }
}

/// SHA-1 of the first certificate: both `security delete-certificate -Z` and `certutil -delstore` name one so.
fn thumbprint(contents: Option<&[u8]>) -> Option<String> {
    let certificate: CaCertificate = std::str::from_utf8(contents?).ok()?.parse().ok()?;
    Some(hex::encode_upper(sha1::Sha1::digest(certificate.first_der())))
}

/// Why a step failed. The change it follows stays.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The program is not there, or may not be run.
    #[error("{program} could not be started: {source}.")]
    Start {
        /// Which.
        program: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The program says that it failed.
    #[error("{program} failed ({status}): {said}")]
    Failed {
        /// Which.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// Its last words.
        said: String,
    },
    /// There is no dockerd.
    #[error("dockerd is not running here; it will read its settings when it starts.")]
    NotRunning,
    /// There is more than one dockerd that it could be.
    #[error("more than one dockerd is running, so none was told to read its settings again.")]
    Several,
    /// The running processes could not be listed, or the signal not be sent.
    #[error("dockerd could not be told to read its settings again: {0}.")]
    Signal(#[source] std::io::Error),
}

/// Carries the step out, as whoever runs this.
#[must_use]
pub fn run(step: &SystemStep) -> StepOutcome {
    let done = match step {
        SystemStep::ReloadDockerd => crate::dockerd::reload(),
        SystemStep::Run { command, .. } => run_program(command),
    };
    StepOutcome { words: step.words().done.to_owned(), error: done.err().map(|error| error.to_string()) }
}

fn run_program(command: &[String]) -> Result<(), StepError> {
    let Some((program, arguments)) = command.split_first() else { return Ok(()) };
    let output = std::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment(Platform::current(), system_variable))
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(|source| StepError::Start { program: program.clone(), source })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().lines().last().unwrap_or_default().to_owned();
    Err(StepError::Failed { program: program.clone(), status: output.status, said })
}

/// The few variables that the programs cannot do without, from the system and not from whoever called.
fn environment(
    platform: Platform,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Vec<(&'static str, OsString)> {
    match platform {
        // update-ca-certificates(8) is a shell script.
        Platform::Linux | Platform::MacOs => vec![("PATH", "/usr/sbin:/usr/bin:/sbin:/bin".into())],
        // PowerShell and certutil find their own parts by these.
        Platform::Windows => {
            let root = variable("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
            let drive = variable("SystemDrive").unwrap_or_else(|| "C:".into());
            let mut search = OsString::new();
            for below in [r"\System32;", ";", r"\System32\Wbem;", r"\System32\WindowsPowerShell\v1.0"] {
                search.push(&root);
                search.push(below);
            }
            vec![("SystemRoot", root.clone()), ("windir", root), ("SystemDrive", drive), ("PATH", search)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_windows_gets_what_it_cannot_do_without() {
        let told = |name: &str| match name {
            "SystemRoot" => Some(r"D:\Win".into()),
            "SystemDrive" => Some("D:".into()),
            _ => panic!("{name} is the caller's"),
        };
        let expected = [
            ("SystemRoot", r"D:\Win"),
            ("windir", r"D:\Win"),
            ("SystemDrive", "D:"),
            ("PATH", r"D:\Win\System32;D:\Win;D:\Win\System32\Wbem;D:\Win\System32\WindowsPowerShell\v1.0"),
        ];
        assert_eq!(environment(Platform::Windows, told), expected.map(|(name, text)| (name, text.into())));
        assert_eq!(environment(Platform::Linux, |_| panic!("asked")).len(), 1);
    }

    #[test]
    fn what_macos_asks_the_person_is_not_the_helpers() {
        let pem = "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n".as_bytes();
        for (store, is_the_helpers) in
            [(TrustStore::MacOs, false), (TrustStore::Windows, true), (TrustStore::Debian, true)]
        {
            let intent =
                Intent::SystemTrust { store, name: "cr.boss.org".parse().unwrap(), certificate: None };
            for (before, then) in [(None, Some(pem)), (Some(pem), None)] {
                let [step] = &after(&intent, Path::new("/x.pem"), before, then)[..] else {
                    panic!("{store:?}")
                };
                assert_eq!(step.is_the_helpers(), is_the_helpers, "{store:?}");
            }
        }
        assert!(SystemStep::ReloadDockerd.is_the_helpers());
    }

    #[test]
    fn each_change_has_its_step() {
        let pem = "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n";
        let trust =
            |store| Intent::SystemTrust { store, name: "cr.boss.org".parse().unwrap(), certificate: None };
        let words = |intent: &Intent, added: bool| {
            let (before, after_bytes) =
                if added { (None, Some(pem.as_bytes())) } else { (Some(pem.as_bytes()), None) };
            let steps = after(intent, Path::new("/x.pem"), before, after_bytes);
            assert!(steps.len() < 2, "{steps:?}");
            steps.first().map(|step| step.command().join(" "))
        };
        for (store, add, remove) in [
            (
                TrustStore::Debian,
                "/usr/sbin/update-ca-certificates",
                "/usr/sbin/update-ca-certificates --fresh",
            ),
            (TrustStore::Fedora, "/usr/bin/update-ca-trust extract", "/usr/bin/update-ca-trust extract"),
            (TrustStore::Arch, "/usr/bin/update-ca-trust extract", "/usr/bin/update-ca-trust extract"),
            (
                TrustStore::MacOs,
                "/usr/bin/security add-trusted-cert -r trustRoot -k login.keychain /x.pem",
                "/usr/bin/security delete-certificate -Z 153D254254345B61E20E7B37637DD6F6FD71BA01 -t login.keychain",
            ),
            (
                TrustStore::Windows,
                r"C:\Windows\System32\certutil.exe -addstore -f Root /x.pem",
                r"C:\Windows\System32\certutil.exe -delstore Root 153D254254345B61E20E7B37637DD6F6FD71BA01",
            ),
        ] {
            assert_eq!(words(&trust(store), true).as_deref(), Some(add));
            assert_eq!(words(&trust(store), false).as_deref(), Some(remove));
        }
        let daemon = |daemon| Intent::DaemonJson { daemon, insecure: [].into() };
        assert_eq!(words(&daemon(Daemon::Native), true).as_deref(), Some(""));
        assert_eq!(words(&daemon(Daemon::Snap), true).as_deref(), Some("/usr/bin/snap restart docker"));
        assert!(words(&daemon(Daemon::Windows), true).unwrap().ends_with("Restart-Service docker"));
        assert_eq!(words(&daemon(Daemon::Rootless), true), None);
    }

    /// An authority that nobody wants any more must not stay trusted for any site.
    #[test]
    fn an_authority_that_takes_anothers_place_leaves_none_behind() {
        let old = "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n".as_bytes();
        let new = "-----BEGIN CERTIFICATE-----\nMAEB\n-----END CERTIFICATE-----\n".as_bytes();
        for (store, steps) in [
            (TrustStore::Debian, &["/usr/sbin/update-ca-certificates --fresh"][..]),
            (TrustStore::Fedora, &["/usr/bin/update-ca-trust extract"]),
            (
                TrustStore::MacOs,
                &[
                    "/usr/bin/security delete-certificate -Z 153D254254345B61E20E7B37637DD6F6FD71BA01 -t login.keychain",
                    "/usr/bin/security add-trusted-cert -r trustRoot -k login.keychain /x.pem",
                ],
            ),
            (
                TrustStore::Windows,
                &[
                    r"C:\Windows\System32\certutil.exe -delstore Root 153D254254345B61E20E7B37637DD6F6FD71BA01",
                    r"C:\Windows\System32\certutil.exe -addstore -f Root /x.pem",
                ],
            ),
        ] {
            let intent =
                Intent::SystemTrust { store, name: "cr.boss.org".parse().unwrap(), certificate: None };
            let found = after(&intent, Path::new("/x.pem"), Some(old), Some(new));
            let found: Vec<String> = found.iter().map(|step| step.command().join(" ")).collect();
            assert_eq!(found, steps, "{store:?}");
        }
    }

    #[test]
    fn a_step_that_fails_says_why() {
        let run_ = |command: &[&str]| {
            run(&SystemStep::Run {
                command: command.iter().map(|part| (*part).to_owned()).collect(),
                words: TRUST,
            })
        };
        if cfg!(unix) {
            assert_eq!(run_(&["/bin/true"]).error, None);
            assert!(run_(&["/bin/sh", "-c", "echo no room >&2; exit 3"]).error.unwrap().ends_with("no room"));
            assert_eq!(run_(&["/bin/sh", "-c", "test -z \"$HOME\""]).error, None, "the environment is empty");
        }
        assert!(run_(&["/nowhere/program"]).error.unwrap().contains("could not be started"));
    }
}

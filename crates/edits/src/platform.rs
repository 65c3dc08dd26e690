//! Where each system and each engine keeps its settings, and where the journal of their changes goes.

use crate::{
    Authority, Intent, Refused,
    daemon_json::Daemon,
    intent::{CertificateFolder, Scope, TrustStore},
};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The systems that differ here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Linux, and whatever else is much like it.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

impl Platform {
    /// The one this program was built for.
    #[must_use]
    pub const fn current() -> Self {
        if cfg!(windows) {
            Self::Windows
        } else if cfg!(target_os = "macos") {
            Self::MacOs
        } else {
            Self::Linux
        }
    }
}

/// The hosts file: hosts(5) on Linux and macOS; on Windows below `%SystemRoot%` (the resolver's `DataBasePath`),
/// which `variable` is asked for.
#[must_use]
pub fn hosts_file(platform: Platform, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    match platform {
        Platform::Linux => PathBuf::from("/etc/hosts"),
        // /etc is a link there, and the writer follows none.
        Platform::MacOs => PathBuf::from("/private/etc/hosts"),
        Platform::Windows => {
            let root = variable("SystemRoot").unwrap_or_else(|| r"C:\Windows".into());
            // Joined as text, so that it comes out right on the Linux machine that tests it.
            let mut path = root;
            path.push(r"\System32\drivers\etc\hosts");
            PathBuf::from(path)
        }
    }
}

/// A folder that administrators alone may write and that survives a restart.
fn journal_folder(platform: Platform, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    match platform {
        Platform::Linux => PathBuf::from("/var/lib/dockline/journal"),
        Platform::MacOs => PathBuf::from("/Library/Application Support/Dockline/journal"),
        Platform::Windows => {
            let mut path = variable("ProgramData").unwrap_or_else(|| r"C:\ProgramData".into());
            path.push(r"\Dockline\journal");
            PathBuf::from(path)
        }
    }
}

/// Where Windows itself says that its folders are: an elevated program must not go by its caller's environment.
#[cfg(windows)]
pub use crate::windows::variable as system_variable;

/// The environment, which the helper has emptied.
#[cfg(not(windows))]
pub fn system_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The files a change touches, as parameters: tests, crash tests and the demo have their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The system whose layout it is.
    pub platform: Platform,
    /// Whose files may be changed through this.
    pub scope: Scope,
    /// `/`, or what stands for it. On Windows, what `C:\` is.
    pub root: PathBuf,
    /// The person's home folder.
    pub home: PathBuf,
    /// `$XDG_CONFIG_HOME`: `~/.config` unless it says otherwise.
    pub config_home: PathBuf,
    /// The hosts file.
    pub hosts: PathBuf,
    /// The daemon.json, where an engine was told to read another than its usual one.
    pub daemon_json: Option<PathBuf>,
    /// buildx's folder, where the environment names one (`BUILDX_CONFIG`, `DOCKER_CONFIG`); `~/.docker/buildx` otherwise.
    pub buildx: Option<PathBuf>,
    /// colima's folder, where the engine's own socket or `COLIMA_HOME` tells it; found as colima finds it otherwise.
    pub colima: Option<PathBuf>,
    /// A folder for the journal and for the record of what was applied; made when it is first needed.
    pub journal: PathBuf,
}

impl Paths {
    /// This system's own: what the helper changes.
    #[must_use]
    pub fn system() -> Self {
        let platform = Platform::current();
        let variable = system_variable;
        Self {
            platform,
            scope: Scope::System,
            root: match platform {
                Platform::Linux | Platform::MacOs => PathBuf::from("/"),
                Platform::Windows => {
                    let mut drive = variable("SystemDrive").unwrap_or_else(|| "C:".into());
                    drive.push(r"\");
                    PathBuf::from(drive)
                }
            },
            home: PathBuf::new(),
            config_home: PathBuf::new(),
            hosts: hosts_file(platform, variable),
            daemon_json: None,
            buildx: None,
            colima: None,
            journal: journal_folder(platform, variable),
        }
    }

    /// The person's own files, below `home` and `config_home` (`$XDG_CONFIG_HOME`), with the journal in `state`.
    #[must_use]
    pub fn user(home: &Path, config_home: &Path, state: &Path) -> Self {
        Self {
            scope: Scope::User,
            home: real(home),
            config_home: real(config_home),
            journal: real(state).join("settings-journal"),
            ..Self::system()
        }
    }

    /// A hosts file other than the system's (tests, the demo), with its journal beside it. Every other system file is
    /// the one of that name below the hosts file's folder: `etc/docker/daemon.json`.
    #[must_use]
    pub fn beside(hosts: &Path) -> Self {
        let root = hosts.parent().map(real).unwrap_or_default();
        let hosts = hosts.file_name().map_or_else(|| hosts.to_owned(), |name| root.join(name));
        let mut journal = hosts.as_os_str().to_owned();
        journal.push(".dockline-journal");
        Self { root, hosts, journal: PathBuf::from(journal), ..Self::system() }
    }

    /// Whether these are the system's files, which take an administrator's leave to change.
    #[must_use]
    pub fn are_system(&self) -> bool {
        *self == Self::system()
    }

    /// Whether the journal is the one of the whole machine, which administrators alone may write.
    pub(crate) fn journal_is_system(&self) -> bool {
        self.journal == Self::system().journal
    }

    /// The file an intent is about. Among a person's own files their own links are followed (`~/.docker` may lead to a
    /// folder of dotfiles); in the system's folders none is.
    #[must_use]
    pub fn file(&self, intent: &Intent) -> PathBuf {
        let path = self.usual_file(intent);
        match self.scope {
            Scope::System => path,
            Scope::User => followed(path),
        }
    }

    fn usual_file(&self, intent: &Intent) -> PathBuf {
        // Joined part by part, so that the paths of every system come out right on the Linux machine that tests them.
        let below =
            |base: &Path, parts: &[&str]| parts.iter().fold(base.to_owned(), |path, part| path.join(part));
        let (root, home) = (self.root.as_path(), self.home.as_path());
        match intent {
            Intent::Hosts { .. } => self.hosts.clone(),
            Intent::DaemonJson { daemon, .. } => match (&self.daemon_json, daemon) {
                (Some(path), _) => path.clone(),
                (None, Daemon::Native) => below(&self.etc(), &["docker", "daemon.json"]),
                (None, Daemon::Snap) => {
                    let data = self.snap_data().unwrap_or_else(|| self.snap().join("current"));
                    below(&data, &["config", "daemon.json"])
                }
                (None, Daemon::Windows) => below(root, &["ProgramData", "docker", "config", "daemon.json"]),
                (None, Daemon::Rootless) => below(&self.config_home, &["docker", "daemon.json"]),
                (None, Daemon::Desktop) => below(home, &[".docker", "daemon.json"]),
                (None, Daemon::OrbStack) => below(home, &[".orbstack", "config", "docker.json"]),
            },
            Intent::RegistryHosts { folder, authority, .. } => {
                self.certificates(*folder, authority).join("hosts.toml")
            }
            Intent::RegistryCertificate { folder, authority, .. } => {
                self.certificates(*folder, authority).join("ca.crt")
            }
            Intent::SystemTrust { store, name, .. } => match store {
                TrustStore::Debian => below(
                    root,
                    &["usr", "local", "share", "ca-certificates", &format!("dockline-{name}.crt")],
                ),
                TrustStore::Fedora => below(
                    root,
                    &["etc", "pki", "ca-trust", "source", "anchors", &format!("dockline-{name}.pem")],
                ),
                TrustStore::Arch => below(
                    root,
                    &["etc", "ca-certificates", "trust-source", "anchors", &format!("dockline-{name}.crt")],
                ),
                TrustStore::MacOs => below(
                    root,
                    &["Library", "Application Support", "Dockline", "certificates", &format!("{name}.pem")],
                ),
                TrustStore::Windows => {
                    below(root, &["ProgramData", "Dockline", "certificates", &format!("{name}.pem")])
                }
            },
            Intent::RegistriesConf { scope, .. } => {
                let folder = match scope {
                    Scope::System => self.etc().join("containers"),
                    Scope::User => self.config_home.join("containers"),
                };
                below(&folder, &["registries.conf.d", "dockline.conf"])
            }
            Intent::BuilderConfig { .. } => match &self.buildx {
                Some(folder) => folder.join("buildkitd.default.toml"),
                None => below(home, &[".docker", "buildx", "buildkitd.default.toml"]),
            },
            Intent::ColimaYaml { profile, .. } => below(&self.colima_home(), &[profile, "colima.yaml"]),
            Intent::RancherProvisioning { .. } => match self.platform {
                Platform::Linux => {
                    below(home, &[".local", "share", "rancher-desktop", "lima", "_config", "override.yaml"])
                }
                Platform::MacOs => below(
                    home,
                    &[
                        "Library",
                        "Application Support",
                        "rancher-desktop",
                        "lima",
                        "_config",
                        "override.yaml",
                    ],
                ),
                Platform::Windows => {
                    below(home, &["AppData", "Local", "rancher-desktop", "provisioning", "dockline.start"])
                }
            },
        }
    }

    fn snap(&self) -> PathBuf {
        ["var", "snap", "docker"].iter().fold(self.root.clone(), |path, part| path.join(part))
    }

    /// The snap's folder of settings. snapd makes `current` a link to the folder of the revision that is installed (`2932`,
    /// or `x1` of a snap from a file); the writer follows no link, and no other is followed for it.
    fn snap_data(&self) -> Option<PathBuf> {
        let snap = self.snap();
        let current = snap.join("current");
        let Ok(target) = current.read_link() else { return Some(current) };
        let revision = target.to_str()?;
        let number = revision.strip_prefix('x').unwrap_or(revision);
        let is_plain = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| snap.join(revision))
    }

    /// Why the place of an intent's file cannot be told, if so.
    pub(crate) fn objection(&self, intent: &Intent) -> Option<Refused> {
        let is_snaps = matches!(intent, Intent::DaemonJson { daemon: Daemon::Snap, .. });
        let is_unclear = is_snaps && self.daemon_json.is_none() && self.snap_data().is_none();
        is_unclear.then_some(Refused::SnapRevision)
    }

    /// abiosoft/colima, `config/files.go`: a `~/.colima` that is there wins over any other. (`COLIMA_HOME` wins over that,
    /// and is `self.colima`.)
    fn colima_home(&self) -> PathBuf {
        if let Some(folder) = &self.colima {
            return folder.clone();
        }
        let (usual, xdg) = (self.home.join(".colima"), self.config_home.join("colima"));
        let is_usual = usual.exists() || (self.platform == Platform::MacOs && !xdg.exists());
        if is_usual { usual } else { xdg }
    }

    /// `/etc`. On macOS it is a link, and the writer follows none.
    fn etc(&self) -> PathBuf {
        match self.platform {
            Platform::MacOs if self.root == Path::new("/") => PathBuf::from("/private/etc"),
            Platform::Linux | Platform::MacOs | Platform::Windows => self.root.join("etc"),
        }
    }

    fn certificates(&self, folder: CertificateFolder, authority: &Authority) -> PathBuf {
        let base = match (folder, self.platform) {
            (CertificateFolder::Docker, Platform::Windows) => self.root.join("ProgramData").join("docker"),
            (CertificateFolder::Docker, Platform::Linux | Platform::MacOs) => self.etc().join("docker"),
            (CertificateFolder::DockerRootless, _) => self.config_home.join("docker"),
            (CertificateFolder::DockerDesktop, _) => self.home.join(".docker"),
            (CertificateFolder::Podman, _) => self.etc().join("containers"),
            (CertificateFolder::PodmanRootless, _) => self.config_home.join("containers"),
        };
        // No colon may stand in a file name on Windows; dockerd leaves it out there (moby, `registry/config_windows.go`).
        let name = match self.platform {
            Platform::Windows => authority.to_string().replace(':', ""),
            Platform::Linux | Platform::MacOs => authority.to_string(),
        };
        base.join("certs.d").join(name)
    }
}

/// The folder without the symbolic links that lead to it, as a home folder may have them. From there on none is
/// followed.
fn real(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

/// Links to follow at most, as the kernel does (path_resolution(7)).
#[cfg(unix)]
const LINKS: usize = 40;

/// Where the links on the way lead, as long as they are this process's user's own: nobody else could have laid them. (Root
/// with somebody's home folder, as sudo(8) may have it, follows none of that person's.)
#[cfg(unix)]
fn followed(path: PathBuf) -> PathBuf {
    use std::os::unix::fs::MetadataExt as _;
    let us = rustix::process::geteuid().as_raw();
    let mut now = path.clone();
    for _ in 0..LINKS {
        let mut ancestors: Vec<&Path> = now.ancestors().collect();
        ancestors.reverse();
        let Some(link) = ancestors.into_iter().find(|part| part.is_symlink()) else { return now };
        let is_ours = link.symlink_metadata().is_ok_and(|metadata| metadata.uid() == us);
        let (Ok(rest), Ok(target), true) = (now.strip_prefix(link), link.read_link(), is_ours) else {
            return path;
        };
        let from = link.parent().unwrap_or(Path::new("/"));
        // Joining an absolute path replaces all; `..` is the system's to resolve.
        let led = from.join(target);
        let led = led.canonicalize().unwrap_or(led);
        now = if rest.as_os_str().is_empty() { led } else { led.join(rest) };
    }
    path
}

#[cfg(not(unix))]
fn followed(path: PathBuf) -> PathBuf {
    path
}

#[cfg(test)]
mod tests;

//! What should hold in one file. The helper receives this, and works out path and contents by itself.

use crate::{
    Authority, CaCertificate, Refused,
    builder_toml::{self, BuilderRegistry},
    daemon_json::{self, Daemon},
    hosts, own_file,
    plan::Plan,
    rancher_script, yaml,
};
use dockline_model::{RegistryName, SettingsFile};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    path::Path,
};

/// Whose files: those of the whole machine, which take an administrator, or the person's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// The machine's.
    System,
    /// The person's.
    User,
}

/// Which `certs.d` folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateFolder {
    /// `/etc/docker/certs.d`, or `C:\ProgramData\docker\certs.d`.
    Docker,
    /// `~/.config/docker/certs.d` (rootless).
    DockerRootless,
    /// `~/.docker/certs.d` (Docker Desktop, and colima, which hands it into its machine).
    DockerDesktop,
    /// `/etc/containers/certs.d`.
    Podman,
    /// `~/.config/containers/certs.d`.
    PodmanRootless,
}

impl CertificateFolder {
    const fn scope(self) -> Scope {
        match self {
            Self::Docker | Self::Podman => Scope::System,
            Self::DockerRootless | Self::DockerDesktop | Self::PodmanRootless => Scope::User,
        }
    }

    const fn id(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::DockerRootless => "docker-rootless",
            Self::DockerDesktop => "docker-desktop",
            Self::Podman => "podman",
            Self::PodmanRootless => "podman-rootless",
        }
    }
}

/// Which operating system's trust store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustStore {
    /// Debian, Ubuntu, Alpine: update-ca-certificates(8).
    Debian,
    /// Fedora, RHEL: update-ca-trust(8).
    Fedora,
    /// Arch Linux: update-ca-trust(8).
    Arch,
    /// macOS: security(1), the System keychain.
    MacOs,
    /// Windows: certutil, the Root store.
    Windows,
}

/// A desired state of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Intent {
    /// Dockline's block of the hosts file holds exactly these entries; with none, there is no block.
    Hosts {
        /// The names and their addresses.
        entries: Vec<hosts::Entry>,
        /// The one address beyond 127.0.0.0/8 that an entry may have.
        #[serde(default)]
        gateway: Option<Ipv4Addr>,
    },
    /// Of Dockline's entries, `insecure-registries` of a daemon.json holds exactly these.
    DaemonJson {
        /// Whose.
        daemon: Daemon,
        /// `host:port` each.
        insecure: BTreeSet<Authority>,
    },
    /// How the containerd image store reaches a registry without TLS.
    RegistryHosts {
        /// Where.
        folder: CertificateFolder,
        /// Which registry.
        authority: Authority,
        /// The loopback address to speak HTTP to; without it, the file goes.
        address: Option<Ipv4Addr>,
    },
    /// The authority of a registry's certificate.
    RegistryCertificate {
        /// Where.
        folder: CertificateFolder,
        /// Which registry.
        authority: Authority,
        /// The certificate; without it, the file goes.
        certificate: Option<CaCertificate>,
    },
    /// An authority that the whole operating system trusts.
    SystemTrust {
        /// Which store.
        store: TrustStore,
        /// The registry it is for; it names the file.
        name: RegistryName,
        /// The certificate; without it, the file goes.
        certificate: Option<CaCertificate>,
    },
    /// Podman speaks to exactly these without TLS, as far as Dockline says so.
    RegistriesConf {
        /// `/etc/containers`, or `~/.config/containers`.
        scope: Scope,
        /// `host:port` each.
        insecure: BTreeSet<Authority>,
    },
    /// BuildKit builders speak so to these registries.
    BuilderConfig {
        /// How to which.
        registries: BTreeMap<Authority, BuilderRegistry>,
    },
    /// colima's machine treats these as insecure.
    ColimaYaml {
        /// The profile: a folder's name.
        profile: String,
        /// `host:port` each.
        insecure: BTreeSet<Authority>,
    },
    /// Rancher Desktop's machine treats these as insecure.
    RancherProvisioning {
        /// `host:port` each.
        insecure: BTreeSet<Authority>,
    },
}

impl Intent {
    /// Tells the file from every other, the same every time: `daemon-json:native`.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Hosts { .. } => "hosts".to_owned(),
            Self::DaemonJson { daemon, .. } => format!(
                "daemon-json:{}",
                match daemon {
                    Daemon::Native => "native",
                    Daemon::Snap => "snap",
                    Daemon::Windows => "windows",
                    Daemon::Rootless => "rootless",
                    Daemon::Desktop => "desktop",
                    Daemon::OrbStack => "orb-stack",
                }
            ),
            Self::RegistryHosts { folder, authority, .. } => {
                format!("registry-hosts:{}:{authority}", folder.id())
            }
            Self::RegistryCertificate { folder, authority, .. } => {
                format!("registry-certificate:{}:{authority}", folder.id())
            }
            Self::SystemTrust { name, .. } => format!("system-trust:{name}"),
            Self::RegistriesConf { scope: Scope::System, .. } => "registries-conf:system".to_owned(),
            Self::RegistriesConf { scope: Scope::User, .. } => "registries-conf:user".to_owned(),
            Self::BuilderConfig { .. } => "builder-config".to_owned(),
            Self::ColimaYaml { profile, .. } => format!("colima-yaml:{profile}"),
            Self::RancherProvisioning { .. } => "rancher-provisioning".to_owned(),
        }
    }

    /// Whose file it is.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Hosts { .. } | Self::SystemTrust { .. } => Scope::System,
            Self::DaemonJson { daemon: Daemon::Native | Daemon::Snap | Daemon::Windows, .. } => Scope::System,
            Self::DaemonJson { daemon: Daemon::Rootless | Daemon::Desktop | Daemon::OrbStack, .. } => {
                Scope::User
            }
            Self::RegistryHosts { folder, .. } | Self::RegistryCertificate { folder, .. } => folder.scope(),
            Self::RegistriesConf { scope, .. } => *scope,
            Self::BuilderConfig { .. } | Self::ColimaYaml { .. } | Self::RancherProvisioning { .. } => {
                Scope::User
            }
        }
    }

    /// The kind of file, for the faces.
    #[must_use]
    pub const fn file(&self) -> SettingsFile {
        match self {
            Self::Hosts { .. } => SettingsFile::Hosts,
            Self::DaemonJson { .. } => SettingsFile::DaemonJson,
            Self::RegistryHosts { .. } => SettingsFile::RegistryHosts,
            Self::RegistryCertificate { .. } => SettingsFile::RegistryCertificate,
            Self::SystemTrust { .. } => SettingsFile::SystemTrust,
            Self::RegistriesConf { .. } => SettingsFile::RegistriesConf,
            Self::BuilderConfig { .. } => SettingsFile::BuilderConfig,
            Self::ColimaYaml { .. } => SettingsFile::ColimaYaml,
            Self::RancherProvisioning { .. } => SettingsFile::RancherProvisioning,
        }
    }

    /// The intent that takes everything of Dockline's out of the same file.
    #[must_use]
    pub fn nothing(&self) -> Self {
        match self.clone() {
            Self::Hosts { .. } => Self::Hosts { entries: Vec::new(), gateway: None },
            Self::DaemonJson { daemon, .. } => Self::DaemonJson { daemon, insecure: BTreeSet::new() },
            Self::RegistryHosts { folder, authority, .. } => {
                Self::RegistryHosts { folder, authority, address: None }
            }
            Self::RegistryCertificate { folder, authority, .. } => {
                Self::RegistryCertificate { folder, authority, certificate: None }
            }
            Self::SystemTrust { store, name, .. } => Self::SystemTrust { store, name, certificate: None },
            Self::RegistriesConf { scope, .. } => Self::RegistriesConf { scope, insecure: BTreeSet::new() },
            Self::BuilderConfig { .. } => Self::BuilderConfig { registries: BTreeMap::new() },
            Self::ColimaYaml { profile, .. } => Self::ColimaYaml { profile, insecure: BTreeSet::new() },
            Self::RancherProvisioning { .. } => Self::RancherProvisioning { insecure: BTreeSet::new() },
        }
    }

    /// The change of the file that is called `path` in the diff. Pure. `owned` is what Dockline's record says it added
    /// to this file before.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn plan(&self, path: &Path, owned: &[String], current: Option<&[u8]>) -> Result<Plan, Refused> {
        match self {
            Self::Hosts { entries, gateway } => {
                // A machine without a hosts file is broken in ways that are not Dockline's to mend, but an empty one
                // says the same.
                hosts::plan(path, entries, *gateway, current.unwrap_or_default())
            }
            Self::DaemonJson { insecure, .. } => daemon_json::plan(path, insecure, owned, current),
            Self::RegistryHosts { authority, address, .. } => {
                own_file::registry_hosts(path, authority, *address, current)
            }
            Self::RegistryCertificate { authority, certificate, .. } => {
                own_file::registry_certificate(path, authority, certificate.as_ref(), current)
            }
            Self::SystemTrust { name, certificate, .. } => {
                own_file::system_trust(path, name.as_str(), certificate.as_ref(), current)
            }
            Self::RegistriesConf { insecure, .. } => own_file::registries_conf(path, insecure, current),
            Self::BuilderConfig { registries } => builder_toml::plan(path, registries, current),
            Self::ColimaYaml { insecure, .. } => yaml::colima(path, insecure, owned, current),
            Self::RancherProvisioning { insecure } => rancher_script::plan(path, insecure, current),
        }
    }
}

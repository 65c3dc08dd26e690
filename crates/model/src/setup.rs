//! “Make docker push work here”: what is known of the engine, what is wanted of it, and the plan a person sees.
//!
//! The order of things, in every face:
//! 1. The engine is looked at: [`EngineFacts`].
//! 2. A [`SetupPlan`] is worked out from the facts, the registries ([`SetupTarget`]) and the files as they are. Nothing
//!    has been written when a person sees it. [`SetupVerdict`] says whether anything is to be done at all.
//! 3. The person agrees. Each [`ChangeView`] is applied (those with `needs_admin` by the helper, which plans again and
//!    refuses unless `before` and `after` still hold), and each [`StepView`] carried out in order.
//! 4. What was done can be listed ([`AppliedChange`]) and undone, one by one or all at once.

use crate::{RegistryName, UiError, UnixMillis};
use serde::{Deserialize, Serialize};
use std::{net::Ipv4Addr, path::PathBuf};

/// The operating system of the machine that Dockline runs on (an engine may run in another, in a virtual machine).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum HostSystem {
    /// Linux, and whatever else is much like it.
    Linux,
    /// macOS.
    MacOs,
    /// Windows.
    Windows,
}

/// What kind of engine it is: the kinds that keep their settings in different places, or reach registries differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum EngineKind {
    /// dockerd as root, in this machine's own network: `/etc/docker/daemon.json`.
    DockerNative,
    /// dockerd as an ordinary user, in a network namespace of its own: `$XDG_CONFIG_HOME/docker/daemon.json`.
    DockerRootless,
    /// dockerd from the snap: `/var/snap/docker/current/config/daemon.json`.
    DockerSnap,
    /// Docker Desktop on macOS, Windows or Linux, in a virtual machine: `~/.docker/daemon.json`.
    DockerDesktop,
    /// dockerd for Windows containers: `C:\ProgramData\docker\config\daemon.json`.
    DockerWindows,
    /// OrbStack: `~/.orbstack/config/docker.json`.
    OrbStack,
    /// colima: the `docker:` key of `~/.colima/PROFILE/colima.yaml`.
    Colima {
        /// The profile; `default` unless the person chose another.
        profile: String,
    },
    /// Rancher Desktop: a provisioning script.
    RancherDesktop,
    /// Podman as root, in this machine's own network: `/etc/containers`.
    Podman,
    /// Podman as an ordinary user, in this machine's own network: `~/.config/containers`.
    PodmanRootless,
    /// Podman in a virtual machine of its own.
    PodmanMachine {
        /// The machine; `podman-machine-default` unless the person chose another.
        machine: String,
    },
    /// On another machine (`ssh://` or `tcp://`).
    Remote {
        /// Where, as the context says.
        address: String,
    },
    /// An engine that answers and is none of the above.
    Unknown {
        /// What it calls itself.
        name: String,
    },
    /// No engine answers.
    None,
}

impl EngineKind {
    /// What an engine in a virtual machine calls the machine around it, of which it sees 127.0.0.1 only; `None` for
    /// engines that share a network with this machine, and for those that are on another.
    #[must_use]
    pub fn name_of_host(&self) -> Option<&'static str> {
        if let Self::PodmanMachine { .. } = self {
            return Some("host.containers.internal");
        }
        let is_in_machine =
            matches!(self, Self::DockerDesktop | Self::OrbStack | Self::Colima { .. } | Self::RancherDesktop);
        is_in_machine.then_some("host.docker.internal")
    }
}

/// How the engine stores images, which decides how it treats a registry without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ImageStore {
    /// Docker's own (`overlay2` and the like). Podman's counts as this too.
    Classic,
    /// containerd's (`io.containerd.snapshotter.v1`), the default of fresh installations since Engine 29.
    Containerd,
}

/// A systemd unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SystemdUnit {
    /// `docker.service`.
    pub name: String,
    /// Whether it is one of the person's own (`systemctl --user`).
    pub user: bool,
}

/// The builder that `docker buildx build` would use, if that is one in a container (`docker-container` driver): such a
/// builder ignores daemon.json and speaks to registries from its own container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct BuilderFacts {
    /// Its name.
    pub name: String,
    /// The context or endpoint it was created on.
    pub endpoint: String,
    /// Whether it was created with `--driver-opt network=host`.
    pub host_network: bool,
    /// All its `--driver-opt`s (`network=host`), to be repeated when it is created anew.
    #[serde(default)]
    pub driver_options: Vec<String>,
}

/// What was found out about the engine. Nothing here is a guess: what could not be found out is `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EngineFacts {
    /// What kind it is.
    pub kind: EngineKind,
    /// The system Dockline runs on.
    pub system: HostSystem,
    /// `Docker 20.10.24`; for people.
    pub label: String,
    /// The Docker context it was found through, if there is one.
    #[serde(default)]
    pub context: Option<String>,
    /// How it stores images.
    pub image_store: ImageStore,
    /// The daemon.json it was told to read (`--config-file`), if that is not its kind's usual one.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub config_file: Option<PathBuf>,
    /// Keys of daemon.json that were given as flags on its command line (`insecure-registries` for
    /// `--insecure-registry`). The same key in both keeps dockerd from starting.
    #[serde(default)]
    pub flag_keys: Vec<String>,
    /// `host:port` entries it holds for insecure now (`/info`, `RegistryConfig.IndexConfigs` with `Secure: false`).
    #[serde(default)]
    pub insecure: Vec<String>,
    /// Whether its daemon.json has at least one mirror or insecure entry. Only then does the containerd image store
    /// treat loopback addresses as insecure by themselves.
    #[serde(default)]
    pub has_registry_settings: bool,
    /// Whether containers go on running while it restarts.
    #[serde(default)]
    pub live_restore: bool,
    /// Names of the containers that run now.
    #[serde(default)]
    pub running: Vec<String>,
    /// The process, if it is one of this machine's.
    #[serde(default)]
    pub pid: Option<u32>,
    /// The unit it runs under, if it does.
    #[serde(default)]
    pub unit: Option<SystemdUnit>,
    /// The builder `docker buildx build` would use, if it is one in a container.
    #[serde(default)]
    pub builder: Option<BuilderFacts>,
}

/// How programs speak to the registry at the tunnel's end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum RegistrySecurity {
    /// HTTP: the tunnel does the encrypting.
    #[default]
    Plain,
    /// HTTPS with a certificate that every system trusts.
    Tls,
    /// HTTPS with a certificate of a private authority.
    PrivateCa {
        /// The authority's certificate or certificates, PEM.
        certificate: String,
        /// The file they are kept in, which BuildKit builders are made from.
        #[serde(default)]
        #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
        file: Option<PathBuf>,
    },
}

/// One registry that the engine is to push to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SetupTarget {
    /// The alias.
    pub name: RegistryName,
    /// Its loopback address.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub address: Ipv4Addr,
    /// Its port there.
    pub port: u16,
    /// HTTP, or HTTPS with which certificates.
    #[serde(default)]
    pub security: RegistrySecurity,
    /// An address of this machine beyond loopback where the registry is listened for too (the Docker bridge's
    /// gateway): for pushes from inside containers, and for engines with a network of their own.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub gateway: Option<Ipv4Addr>,
    /// The port on `127.0.0.1` itself where the registry is listened for too. That is where a virtual machine's
    /// `host.docker.internal` leads; without it, an engine in one cannot be set up.
    #[serde(default)]
    pub localhost_port: Option<u16>,
    /// Whether public DNS knows the name. The plan then warns what happens when the alias goes away.
    #[serde(default)]
    pub in_public_dns: bool,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum SetupAction {
    /// Make it work.
    Apply,
    /// Take back everything that Dockline changed.
    Undo,
}

/// Which file a change is of. `id` of [`ChangeView`] tells two of one kind apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum SettingsFile {
    /// The hosts file: one marked block.
    Hosts,
    /// A daemon.json (OrbStack's docker.json is one too): `insecure-registries`.
    DaemonJson,
    /// `certs.d/HOST:PORT/hosts.toml`: how the containerd image store speaks to one registry.
    RegistryHosts,
    /// `certs.d/HOST:PORT/ca.crt`: the authority of one registry's certificate.
    RegistryCertificate,
    /// A certificate file of the operating system's trust store.
    SystemTrust,
    /// Podman's `registries.conf.d`.
    RegistriesConf,
    /// `buildkitd.default.toml`.
    BuilderConfig,
    /// colima.yaml.
    ColimaYaml,
    /// Rancher Desktop's override.yaml or `*.start` script.
    RancherProvisioning,
}

/// Whether there is anything to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum SetupVerdict {
    /// The changes and steps of the plan are needed.
    Needed {
        /// Why: whole sentences.
        why: String,
    },
    /// Nothing needs to be changed.
    AlreadySatisfied {
        /// Why not: whole sentences.
        why: String,
    },
    /// It cannot be done, or not safely; the plan has no changes and no steps.
    Refused {
        /// Why, and what to do instead.
        error: UiError,
    },
}

/// One file that will change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ChangeView {
    /// Tells the change from the plan's others; the same for the same file every time.
    pub id: String,
    /// What kind of file.
    pub file: SettingsFile,
    /// Which file.
    pub path: String,
    /// Why it changes; a whole sentence.
    pub why: String,
    /// A unified diff.
    pub diff: String,
    /// SHA-256 of the file it was planned from, in hex; `absent` if there is none.
    pub before: String,
    /// SHA-256 of the file as it will be, in hex; `absent` if it will be removed.
    pub after: String,
    /// Whether it takes an administrator's rights.
    pub needs_admin: bool,
    /// Where the file cannot be replaced in one stroke and is written over instead: why. A whole sentence.
    #[serde(default)]
    pub in_place_note: Option<String>,
    /// Things the person should know before agreeing; whole sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
}

/// Who carries out a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum StepBy {
    /// The helper, right after it wrote the files; nobody else has to do anything.
    Helper,
    /// Dockline itself, as the person: it runs [`StepView::command`].
    Dockline,
    /// The person; [`StepView::words`] say how.
    Person,
}

/// Something to be done after the files are written, so that they take effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct StepView {
    /// What will be done, in words: “dockerd reads its settings again; no container stops.”
    pub words: String,
    /// The same once it is done: “dockerd has read its settings again; no container stopped.”
    #[serde(default)]
    pub done: String,
    /// Who does it.
    pub by: StepBy,
    /// The program and its arguments, where there is one. No shell is between.
    #[serde(default)]
    pub command: Vec<String>,
    /// Whether the person may leave it out (recreating a builder).
    #[serde(default)]
    pub optional: bool,
    /// Names of the running containers that it stops.
    #[serde(default)]
    pub stops: Vec<String>,
}

/// Under which name the engine reaches a registry when the plan has been carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EngineAuthority {
    /// Which registry.
    pub registry: RegistryName,
    /// `HOST:PORT` for image references on this engine: `cr.boss.org:5000`, or `host.docker.internal:5000` where the
    /// engine lives in a virtual machine.
    pub authority: String,
}

/// An address that Dockline itself listens at once the plan is agreed to, before anything is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PlannedListener {
    /// For which registry.
    pub registry: RegistryName,
    /// The port of 127.0.0.1.
    pub port: u16,
    /// Why; a whole sentence.
    pub why: String,
}

/// All that will be done, before it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SetupPlan {
    /// Which way.
    pub action: SetupAction,
    /// For which engine.
    pub engine: EngineFacts,
    /// Whether there is anything to do.
    pub verdict: SetupVerdict,
    /// Where Dockline listens besides: engines in a virtual machine see 127.0.0.1 only.
    #[serde(default)]
    pub listens: Vec<PlannedListener>,
    /// The files, in the order in which they are written.
    pub changes: Vec<ChangeView>,
    /// What is done afterwards, in order.
    pub steps: Vec<StepView>,
    /// How each registry will be named to this engine. Empty if the verdict is a refusal, and for an undo.
    pub authorities: Vec<EngineAuthority>,
    /// The whole plan in one sentence.
    pub summary: String,
}

impl SetupPlan {
    /// Whether an administrator has to agree too.
    #[must_use]
    pub fn needs_admin(&self) -> bool {
        self.changes.iter().any(|change| change.needs_admin)
            || self.steps.iter().any(|step| step.by == StepBy::Helper)
    }

    /// The running containers that carrying out the plan stops.
    #[must_use]
    pub fn stops(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.steps.iter().flat_map(|step| step.stops.iter().map(String::as_str)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// A change that was made and not undone since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct AppliedChange {
    /// [`ChangeView::id`] of the change that made it.
    pub id: String,
    /// What kind of file.
    pub file: SettingsFile,
    /// Which file.
    pub path: String,
    /// What Dockline added there: `cr.boss.org`, `172.17.0.1:5000`.
    pub entries: Vec<String>,
    /// When.
    pub at: UnixMillis,
    /// Whether undoing it takes an administrator's rights.
    pub needs_admin: bool,
}

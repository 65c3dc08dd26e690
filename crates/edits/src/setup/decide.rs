//! What an engine needs for a registry. Pure: facts in, intents out.
//!
//! The rules are the engines' own; docs/platforms.md has the table with its sources. Three hold everywhere:
//! - A *name* is never made insecure where dockerd decides by the address it leads to. Native dockerd speaks HTTP to every
//!   name that leads to loopback already; with the name in `insecure-registries` it would go on doing so, password and
//!   all, wherever the name leads one day.
//! - Nothing is restarted where a reload serves.
//! - What Dockline cannot set up is refused with the road that is left: pushing without the engine's settings.

use crate::{
    Authority, CaCertificate, CertificateFolder, Intent, Scope, TrustStore,
    builder_toml::BuilderRegistry,
    daemon_json::{Daemon, KEY},
    hosts::Entry,
};
use dockline_model::{
    Code, EngineAuthority, EngineFacts, EngineKind, HostSystem, ImageStore, RegistryName, RegistrySecurity,
    SetupTarget, UiError,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// An intent, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What should hold.
    pub intent: Intent,
    /// Why; a whole sentence.
    pub why: String,
    /// What the person should know before agreeing; whole sentences.
    pub warnings: Vec<String>,
}

/// What an engine needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// What has to hold, in the order in which it is made so.
    pub wanted: Vec<Wanted>,
    /// Why nothing more is needed; whole sentences.
    pub satisfied: Vec<String>,
    /// Under which name the engine will reach each registry.
    pub authorities: Vec<EngineAuthority>,
}

/// Works out what `facts`' engine needs for `targets`. `exists` tells Linux's kinds of trust store apart by their folders.
///
/// # Errors
/// `EngineUnavailable`, `EngineCannotReach`, `SettingsRefused`, `InvalidArgument`.
pub fn decide(
    targets: &[SetupTarget],
    facts: &EngineFacts,
    exists: impl Fn(&Path) -> bool,
) -> Result<Decision, UiError> {
    let mut plan = Planner { facts, decision: Decision::default() };
    match &facts.kind {
        EngineKind::DockerNative => plan.native(targets, Daemon::Native)?,
        EngineKind::DockerSnap => plan.native(targets, Daemon::Snap)?,
        EngineKind::DockerWindows => plan.native(targets, Daemon::Windows)?,
        EngineKind::DockerRootless => plan.rootless(targets)?,
        EngineKind::DockerDesktop
        | EngineKind::OrbStack
        | EngineKind::Colima { .. }
        | EngineKind::RancherDesktop
        | EngineKind::PodmanMachine { .. } => plan.in_machine(targets, &exists)?,
        EngineKind::Podman => plan.podman(targets, Scope::System)?,
        EngineKind::PodmanRootless => plan.podman(targets, Scope::User)?,
        EngineKind::Remote { address } => {
            return Err(cannot_reach(format!(
                "The engine runs on another machine ({address}), which does not see this machine's tunnels and whose \
                 settings are not Dockline's to change."
            )));
        }
        EngineKind::Unknown { name } => {
            return Err(cannot_reach(format!(
                "The engine calls itself “{name}”, and Dockline does not know where such an engine keeps its settings."
            )));
        }
        EngineKind::None => {
            return Err(UiError::new(Code::EngineUnavailable, "No Docker or Podman answers, so there is nothing to set up.")
                .hint("Start the engine and try again. An image archive can be pushed without one: dockline push FILE.tar."));
        }
    }
    plan.builder(targets);
    Ok(plan.decision)
}

fn cannot_reach(message: String) -> UiError {
    UiError::new(Code::EngineCannotReach, message).hint(
        "Push without the engine's settings instead: docker save the image, and dockline push the file.",
    )
}

struct Planner<'a> {
    facts: &'a EngineFacts,
    decision: Decision,
}

impl Planner<'_> {
    fn want(&mut self, intent: Intent, why: impl Into<String>, warnings: Vec<String>) {
        self.decision.wanted.push(Wanted { intent, why: why.into(), warnings });
    }

    fn satisfied(&mut self, why: &str) {
        self.decision.satisfied.push(why.to_owned());
    }

    fn authority(&mut self, target: &SetupTarget, authority: &Authority) {
        let authority = authority.to_string();
        self.decision.authorities.push(EngineAuthority { registry: target.name.clone(), authority });
    }

    /// The line in the hosts file that makes the alias known to this machine's own programs.
    fn hosts(&mut self, targets: &[SetupTarget]) {
        let entries =
            targets.iter().map(|target| Entry { name: target.name.clone(), address: target.address });
        let warnings = targets
            .iter()
            .filter(|target| target.in_public_dns)
            .map(|target| {
                format!(
                    "{name} is also a name in public DNS. Should this line ever go while an image or a script still says \
                     {name}, programs would turn to that machine instead; over HTTPS only, so that no password travels in \
                     the clear.",
                    name = target.name
                )
            })
            .collect();
        self.want(
            Intent::Hosts { entries: entries.collect(), gateway: None },
            "Programs on this machine find each registry by its name.",
            warnings,
        );
    }

    /// dockerd in this machine's own network.
    fn native(&mut self, targets: &[SetupTarget], daemon: Daemon) -> Result<(), UiError> {
        self.hosts(targets);
        let mut insecure = BTreeSet::new();
        for target in targets {
            let alias = alias(target);
            self.authority(target, &alias);
            match &target.security {
                RegistrySecurity::Plain => {
                    insecure
                        .extend(target.gateway.map(|gateway| Authority::of_address(gateway, target.port)));
                    self.plain_on_loopback(target, &alias, daemon)?;
                }
                RegistrySecurity::Tls => {
                    self.satisfied("The registry's certificate is one that every system trusts.")
                }
                RegistrySecurity::PrivateCa { certificate } => {
                    let certificate = read_certificate(&target.name, certificate)?;
                    if daemon == Daemon::Snap {
                        return Err(snap_certificates());
                    }
                    let mut registries: Vec<Authority> = target
                        .gateway
                        .map(|gateway| Authority::of_address(gateway, target.port))
                        .into_iter()
                        .collect();
                    match self.facts.image_store {
                        ImageStore::Classic => self.satisfied(
                            "dockerd does not check the certificate of a registry on a loopback address.",
                        ),
                        ImageStore::Containerd => registries.push(alias),
                    }
                    for authority in registries {
                        self.certificate(CertificateFolder::Docker, authority, certificate.clone());
                    }
                }
            }
        }
        // Also with none: an entry from an earlier setup goes.
        if !insecure.is_empty() {
            self.no_flag()?;
        }
        let gateways = list(&insecure);
        self.want(
            Intent::DaemonJson { daemon, insecure },
            match gateways.is_empty() {
                true => "No registry is offered to containers, so dockerd needs no exception.".to_owned(),
                false => format!("dockerd speaks HTTP to {gateways}, the address where containers reach the registry too."),
            },
            match gateways.is_empty() {
                true => Vec::new(),
                false => vec![format!(
                    "Programs in containers on this machine can reach {gateways}, within the registry's access rules."
                )],
            },
        );
        Ok(())
    }

    fn plain_on_loopback(
        &mut self,
        target: &SetupTarget,
        alias: &Authority,
        daemon: Daemon,
    ) -> Result<(), UiError> {
        match self.facts.image_store {
            ImageStore::Classic => self.satisfied(
                "dockerd on this machine speaks HTTP by itself to every registry on a loopback address.",
            ),
            ImageStore::Containerd if self.facts.has_registry_settings => self.satisfied(
                "The containerd image store speaks HTTP to loopback addresses, since daemon.json has a mirror or an insecure registry.",
            ),
            ImageStore::Containerd if daemon == Daemon::Snap => return Err(snap_certificates()),
            ImageStore::Containerd => self.want(
                Intent::RegistryHosts {
                    folder: CertificateFolder::Docker,
                    authority: alias.clone(),
                    address: Some(target.address),
                },
                format!("With its containerd image store, Docker would ask {alias} over HTTPS otherwise."),
                Vec::new(),
            ),
        }
        Ok(())
    }

    fn rootless(&mut self, targets: &[SetupTarget]) -> Result<(), UiError> {
        let mut insecure = BTreeSet::new();
        for target in targets {
            let Some(gateway) = target.gateway else {
                return Err(cannot_reach(format!(
                    "Docker runs rootless here, in a network of its own, and does not see {}, the loopback address of {}.",
                    target.address, target.name
                ))
                .hint(
                    "Let the registry listen on a gateway address too (dockline add --gateway), or push without the \
                     engine's settings: docker save the image, and dockline push the file.",
                ));
            };
            let authority = Authority::of_address(gateway, target.port);
            self.authority(target, &authority);
            match &target.security {
                RegistrySecurity::Plain => drop(insecure.insert(authority)),
                RegistrySecurity::Tls => self.decision.satisfied.push(must_name(&authority)),
                RegistrySecurity::PrivateCa { certificate } => {
                    let certificate = read_certificate(&target.name, certificate)?;
                    self.certificate(CertificateFolder::DockerRootless, authority, certificate);
                }
            }
        }
        if !insecure.is_empty() {
            self.no_flag()?;
        }
        let gateways = list(&insecure);
        self.want(
            Intent::DaemonJson { daemon: Daemon::Rootless, insecure },
            format!("Rootless dockerd reaches the registry at {gateways}, which is not a loopback address, and so wants leave to speak HTTP."),
            Vec::new(),
        );
        Ok(())
    }

    /// An engine in a virtual machine of its own, which has a name for the machine around it.
    fn in_machine(
        &mut self,
        targets: &[SetupTarget],
        exists: &impl Fn(&Path) -> bool,
    ) -> Result<(), UiError> {
        let kind = &self.facts.kind;
        let name = match kind {
            EngineKind::PodmanMachine { .. } => "host.containers.internal",
            EngineKind::DockerDesktop
            | EngineKind::OrbStack
            | EngineKind::Colima { .. }
            | EngineKind::RancherDesktop
            | EngineKind::DockerNative
            | EngineKind::DockerRootless
            | EngineKind::DockerSnap
            | EngineKind::DockerWindows
            | EngineKind::Podman
            | EngineKind::PodmanRootless
            | EngineKind::Remote { .. }
            | EngineKind::Unknown { .. }
            | EngineKind::None => "host.docker.internal",
        };
        let name: RegistryName =
            name.parse().map_err(|error| UiError::new(Code::Internal, format!("{error}.")))?;
        let mut insecure = BTreeSet::new();
        for target in targets {
            let Some(port) = target.localhost_port else {
                return Err(cannot_reach(format!(
                    "The engine runs in a virtual machine, where {} means the machine itself; of this machine it sees \
                     127.0.0.1 only, as {name}, and {} is not listened for there.",
                    target.address, target.name
                )));
            };
            let authority = Authority::of_name(name.clone(), port);
            self.authority(target, &authority);
            match &target.security {
                RegistrySecurity::Plain => drop(insecure.insert(authority)),
                RegistrySecurity::Tls => self.decision.satisfied.push(must_name(&authority)),
                RegistrySecurity::PrivateCa { certificate } => {
                    let certificate = read_certificate(&target.name, certificate)?;
                    self.certificate_in_machine(target, authority, certificate, exists)?;
                }
            }
        }
        let entries = list(&insecure);
        let intent = match kind {
            EngineKind::DockerDesktop => Intent::DaemonJson { daemon: Daemon::Desktop, insecure },
            EngineKind::OrbStack => Intent::DaemonJson { daemon: Daemon::OrbStack, insecure },
            EngineKind::Colima { profile } => Intent::ColimaYaml { profile: profile.clone(), insecure },
            EngineKind::RancherDesktop => Intent::RancherProvisioning { insecure },
            EngineKind::PodmanMachine { .. } => Intent::RegistriesConf { scope: Scope::User, insecure },
            EngineKind::DockerNative
            | EngineKind::DockerRootless
            | EngineKind::DockerSnap
            | EngineKind::DockerWindows
            | EngineKind::Podman
            | EngineKind::PodmanRootless
            | EngineKind::Remote { .. }
            | EngineKind::Unknown { .. }
            | EngineKind::None => return Ok(()),
        };
        self.want(
            intent,
            format!("The engine's virtual machine reaches the registry at {entries}, and wants leave to speak HTTP to it."),
            Vec::new(),
        );
        Ok(())
    }

    fn podman(&mut self, targets: &[SetupTarget], scope: Scope) -> Result<(), UiError> {
        self.hosts(targets);
        let folder = match scope {
            Scope::System => CertificateFolder::Podman,
            Scope::User => CertificateFolder::PodmanRootless,
        };
        let mut insecure = BTreeSet::new();
        for target in targets {
            let alias = alias(target);
            self.authority(target, &alias);
            match &target.security {
                RegistrySecurity::Plain => drop(insecure.insert(alias)),
                RegistrySecurity::Tls => {
                    self.satisfied("The registry's certificate is one that every system trusts.")
                }
                RegistrySecurity::PrivateCa { certificate } => {
                    let certificate = read_certificate(&target.name, certificate)?;
                    self.certificate(folder, alias, certificate);
                }
            }
        }
        let warnings = match insecure.is_empty() {
            true => Vec::new(),
            false => vec![
                "Podman knows no exception for loopback addresses. While this setting is there, it would send a password \
                 in the clear to wherever the name leads; so undo it together with the line in the hosts file."
                    .to_owned(),
            ],
        };
        self.want(
            Intent::RegistriesConf { scope, insecure },
            "Podman speaks HTTP only to registries that its settings name.",
            warnings,
        );
        Ok(())
    }

    /// A BuildKit builder in a container reads nothing of the above.
    fn builder(&mut self, targets: &[SetupTarget]) {
        let Some(builder) = &self.facts.builder else { return };
        let mut registries = BTreeMap::new();
        for target in targets {
            let authority = match (builder.host_network, target.gateway) {
                (_, Some(gateway)) => Authority::of_address(gateway, target.port),
                (true, None) => alias(target),
                (false, None) => {
                    self.decision.satisfied.push(format!(
                        "The builder “{}” runs in a container that does not see {}; let the registry listen on a gateway \
                         address, or push with docker push after building with --load.",
                        builder.name, target.address
                    ));
                    continue;
                }
            };
            match &target.security {
                RegistrySecurity::Plain => drop(registries.insert(authority, BuilderRegistry::Plain {})),
                RegistrySecurity::Tls | RegistrySecurity::PrivateCa { .. } => {}
            }
        }
        let why = format!(
            "The builder “{}” runs in a container and reads this file instead of Docker's, when it is made.",
            builder.name
        );
        self.want(Intent::BuilderConfig { registries }, why, Vec::new());
    }

    fn certificate(&mut self, folder: CertificateFolder, authority: Authority, certificate: CaCertificate) {
        let why = format!("The engine checks the certificate of {authority} against this authority.");
        let warnings = vec![fingerprint(&certificate)];
        self.want(
            Intent::RegistryCertificate { folder, authority, certificate: Some(certificate) },
            why,
            warnings,
        );
    }

    fn certificate_in_machine(
        &mut self,
        target: &SetupTarget,
        authority: Authority,
        certificate: CaCertificate,
        exists: &impl Fn(&Path) -> bool,
    ) -> Result<(), UiError> {
        let by_hand = |what: &str| {
            UiError::new(
                Code::SettingsRefused,
                format!("Dockline does not know how {what} takes the certificate of a private authority."),
            )
            .hint("Add it by hand, or push without the engine's settings: docker save the image, and dockline push the file.")
        };
        self.decision.satisfied.push(must_name(&authority));
        match &self.facts.kind {
            // Both hand ~/.docker/certs.d into their machine (docs.docker.com/desktop; abiosoft/colima,
            // `environment/vm/lima/certs.go`).
            EngineKind::DockerDesktop | EngineKind::Colima { .. } => {
                self.certificate(CertificateFolder::DockerDesktop, authority, certificate);
                Ok(())
            }
            EngineKind::OrbStack | EngineKind::RancherDesktop => {
                let store =
                    trust_store(self.facts.system, exists).ok_or_else(|| by_hand("this operating system"))?;
                let warnings = vec![
                    format!(
                        "Every program on this machine will trust the authority behind {}, for any site.",
                        target.name
                    ),
                    fingerprint(&certificate),
                ];
                self.want(
                    Intent::SystemTrust { store, name: target.name.clone(), certificate: Some(certificate) },
                    "The engine trusts the authorities that the operating system trusts, and no others.",
                    warnings,
                );
                Ok(())
            }
            EngineKind::PodmanMachine { .. } => Err(by_hand("a Podman machine")),
            EngineKind::DockerNative
            | EngineKind::DockerRootless
            | EngineKind::DockerSnap
            | EngineKind::DockerWindows
            | EngineKind::Podman
            | EngineKind::PodmanRootless
            | EngineKind::Remote { .. }
            | EngineKind::Unknown { .. }
            | EngineKind::None => Ok(()),
        }
    }

    /// dockerd does not start with the same key on its command line and in its file.
    fn no_flag(&self) -> Result<(), UiError> {
        if !self.facts.flag_keys.iter().any(|key| key == KEY) {
            return Ok(());
        }
        let reason = crate::Refused::FlagConflict;
        Err(UiError::new(Code::SettingsRefused, format!("daemon.json is left as it is: {reason}."))
            .hint(reason.remedy()))
    }
}

fn alias(target: &SetupTarget) -> Authority {
    Authority::of_name(target.name.clone(), target.port)
}

fn list(authorities: &BTreeSet<Authority>) -> String {
    authorities.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn must_name(authority: &Authority) -> String {
    format!(
        "The registry's certificate has to be valid for the name by which the engine reaches it, {authority}."
    )
}

fn fingerprint(certificate: &CaCertificate) -> String {
    format!("Compare the certificate's SHA-256 fingerprint with its owner's: {}", certificate.fingerprint())
}

fn read_certificate(name: &RegistryName, text: &str) -> Result<CaCertificate, UiError> {
    text.parse().map_err(|error| {
        UiError::new(Code::InvalidArgument, format!("The certificate for {name} cannot be used: {error}."))
            .hint("Give the authority's certificate as PEM (-----BEGIN CERTIFICATE-----).")
    })
}

fn snap_certificates() -> UiError {
    UiError::new(
        Code::SettingsRefused,
        "Docker from the snap reads no settings for single registries outside its own folder.",
    )
    .hint("Install Docker from your distribution or from docker.com, or push without the engine's settings.")
}

/// Which trust store the system has; on Linux its folder tells.
fn trust_store(system: HostSystem, exists: &impl Fn(&Path) -> bool) -> Option<TrustStore> {
    match system {
        HostSystem::MacOs => Some(TrustStore::MacOs),
        HostSystem::Windows => Some(TrustStore::Windows),
        HostSystem::Linux => [
            ("/etc/pki/ca-trust/source/anchors", TrustStore::Fedora),
            ("/etc/ca-certificates/trust-source/anchors", TrustStore::Arch),
            ("/usr/local/share/ca-certificates", TrustStore::Debian),
        ]
        .into_iter()
        .find_map(|(folder, store)| exists(Path::new(folder)).then_some(store)),
    }
}

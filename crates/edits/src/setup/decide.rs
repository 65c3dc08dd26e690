//! What an engine needs for a registry. Pure: facts in, intents out.
//!
//! The rules are the engines' own; docs/platforms.md has the table with its sources. Three hold everywhere:
//! - A *name* is never made insecure where dockerd decides by the address it leads to. Native dockerd speaks HTTP to every
//!   name that leads to loopback already; with the name in `insecure-registries` it would go on doing so, password and
//!   all, wherever the name leads one day.
//! - Nothing is restarted where a reload serves.
//! - What Dockline cannot set up is refused with the road that is left: pushing without the engine's settings.

mod machine;

use crate::{
    Authority, CaCertificate, CertificateFolder, Intent, Scope,
    builder_toml::BuilderRegistry,
    daemon_json::{Daemon, KEY},
    hosts::Entry,
};
use dockline_model::{
    BuilderFacts, Code, EngineAuthority, EngineFacts, EngineKind, ImageStore, RegistryName, RegistrySecurity,
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
        | EngineKind::PodmanMachine { .. } => {
            let host = facts.kind.name_of_host().unwrap_or("host.docker.internal");
            plan.in_machine(host, targets, &exists)?;
        }
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
    plan.builder(targets)?;
    Ok(plan.decision)
}

fn cannot_reach(message: String) -> UiError {
    UiError::new(Code::EngineCannotReach, message)
        .hint("Push with `dockline push IMAGE` instead, which needs no setting.")
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
                RegistrySecurity::PrivateCa { certificate, .. } => {
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
                    "Push with `dockline push IMAGE`, which needs no setting. Or give the registry the address of a bridge that \
                     the engine's network reaches (“Address for containers” in the window, gateway in the configuration), \
                     then run dockline setup again.",
                ));
            };
            let authority = Authority::of_address(gateway, target.port);
            self.authority(target, &authority);
            match &target.security {
                RegistrySecurity::Plain => drop(insecure.insert(authority)),
                RegistrySecurity::Tls => self.decision.satisfied.push(must_name(&authority)),
                RegistrySecurity::PrivateCa { certificate, .. } => {
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
                RegistrySecurity::PrivateCa { certificate, .. } => {
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
    fn builder(&mut self, targets: &[SetupTarget]) -> Result<(), UiError> {
        let Some(builder) = &self.facts.builder else { return Ok(()) };
        let mut registries = BTreeMap::new();
        for target in targets {
            let Some(authority) = self.seen_by_builder(builder, target)? else {
                self.decision.satisfied.push(format!(
                    "The builder “{}” runs in a container that does not see {}; let the registry listen on a gateway \
                     address, or push with docker push after building with --load.",
                    builder.name, target.address
                ));
                continue;
            };
            match &target.security {
                RegistrySecurity::Plain => drop(registries.insert(authority, BuilderRegistry::Plain {})),
                // buildx copies the file into the builder when it makes it.
                RegistrySecurity::PrivateCa { file: Some(path), .. } => {
                    registries.insert(authority, BuilderRegistry::Certificate { path: path.clone() });
                }
                RegistrySecurity::Tls | RegistrySecurity::PrivateCa { file: None, .. } => {}
            }
        }
        let why = format!(
            "The builder “{}” runs in a container and reads this file instead of Docker's, when it is made.",
            builder.name
        );
        self.want(Intent::BuilderConfig { registries }, why, Vec::new());
        Ok(())
    }

    /// Under which name the builder's container gets to the registry.
    fn seen_by_builder(
        &self,
        builder: &BuilderFacts,
        target: &SetupTarget,
    ) -> Result<Option<Authority>, UiError> {
        // In a virtual machine, containers know the machine around it as the engine does.
        if let Some(host) = self.facts.kind.name_of_host() {
            let host = machine::name(host)?;
            return Ok(target.localhost_port.map(|port| Authority::of_name(host, port)));
        }
        let by_gateway = target.gateway.map(|gateway| Authority::of_address(gateway, target.port));
        let by_name = || builder.host_network.then(|| alias(target));
        Ok(by_gateway.or_else(by_name))
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

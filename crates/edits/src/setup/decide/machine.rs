//! Engines in a virtual machine of their own: of this machine they see 127.0.0.1, under a name that they have for it.

use super::{Planner, cannot_reach, fingerprint, list, must_name, read_certificate};
use crate::{Authority, CaCertificate, CertificateFolder, Intent, Scope, TrustStore, daemon_json::Daemon};
use dockline_model::{Code, EngineKind, HostSystem, RegistryName, RegistrySecurity, SetupTarget, UiError};
use std::{collections::BTreeSet, path::Path};

impl Planner<'_> {
    /// `host` is what the engine calls this machine.
    pub(super) fn in_machine(
        &mut self,
        host: &str,
        targets: &[SetupTarget],
        exists: &impl Fn(&Path) -> bool,
    ) -> Result<(), UiError> {
        let name = name(host)?;
        let mut insecure = BTreeSet::new();
        for target in targets {
            let Some(port) = target.localhost_port else {
                return Err(cannot_reach(format!(
                    "The engine runs in a virtual machine, where {} means the machine itself; of this machine it sees \
                     127.0.0.1 only, as {name}, and no port is left there for {}.",
                    target.address, target.name
                )));
            };
            let authority = Authority::of_name(name.clone(), port);
            self.authority(target, &authority);
            match &target.security {
                RegistrySecurity::Plain => drop(insecure.insert(authority)),
                RegistrySecurity::Tls => self.decision.satisfied.push(must_name(&authority)),
                RegistrySecurity::PrivateCa { certificate, .. } => {
                    let certificate = read_certificate(&target.name, certificate)?;
                    self.certificate_in_machine(target, authority, certificate, exists)?;
                }
            }
        }
        let why = match insecure.is_empty() {
            true => "No registry that the engine's virtual machine reaches speaks HTTP.".to_owned(),
            false => format!(
                "The engine's virtual machine reaches the registry at {}, and wants leave to speak HTTP to it.",
                list(&insecure)
            ),
        };
        if let Some(intent) = settings(&self.facts.kind, insecure) {
            self.want(intent, why, Vec::new());
        }
        Ok(())
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
            .hint("Add it by hand, or push with `dockline push IMAGE`, which needs no setting.")
        };
        self.decision.satisfied.push(must_name(&authority));
        let kind = &self.facts.kind;
        if let EngineKind::PodmanMachine { .. } = kind {
            return Err(by_hand("a Podman machine"));
        }
        // Both hand ~/.docker/certs.d into their machine (docs.docker.com/desktop; abiosoft/colima,
        // `environment/vm/lima/certs.go`).
        if matches!(kind, EngineKind::DockerDesktop | EngineKind::Colima { .. }) {
            self.certificate(CertificateFolder::DockerDesktop, authority, certificate);
            return Ok(());
        }
        // OrbStack and Rancher Desktop.
        let store = trust_store(self.facts.system, exists).ok_or_else(|| by_hand("this operating system"))?;
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
}

/// What the engine calls this machine, as a part of an authority.
pub(super) fn name(host: &str) -> Result<RegistryName, UiError> {
    host.parse().map_err(|error| UiError::new(Code::Internal, format!("{error}.")))
}

/// Where such an engine has its insecure registries; `None` for the kinds that are in no machine.
fn settings(kind: &EngineKind, insecure: BTreeSet<Authority>) -> Option<Intent> {
    Some(match kind {
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
        | EngineKind::None => return None,
    })
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

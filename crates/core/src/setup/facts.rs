//! What the engine crate found out, in the words that a plan is made from.

use dockline_engine::EngineFacts as Found;
use dockline_engine::{EngineEndpoint, EngineError, Flavour, ImageStore as Store, Platform, Surroundings};
use dockline_model::{BuilderFacts, EngineFacts, EngineKind, HostSystem, ImageStore, SystemdUnit, UiError};
use std::net::Ipv4Addr;

/// The engine of this process's environment.
#[derive(Debug, Clone)]
pub struct Looked {
    /// What a plan is made from.
    pub facts: EngineFacts,
    /// How to talk to it; nothing for one on another machine, and where there is none.
    pub endpoint: Option<EngineEndpoint>,
    /// This machine's address on the engine's default bridge.
    pub gateway: Option<Ipv4Addr>,
    /// What a person should know about the engine whatever is planned; whole sentences.
    pub remarks: Vec<String>,
    /// Why there is none.
    pub absent: Option<UiError>,
}

/// Asks the engine that `docker` in these surroundings would talk to. Never fails: no engine is a fact as well.
pub async fn look(around: &Surroundings) -> Looked {
    match Found::gather(around).await {
        Ok(found) => {
            let is_elsewhere = matches!(found.flavour, Flavour::Remote { .. });
            let endpoint = if is_elsewhere { None } else { EngineEndpoint::of(around).ok() };
            let (gateway, remarks) = (found.gateway, remarks(&found));
            Looked { facts: facts(found, around.platform), endpoint, gateway, remarks, absent: None }
        }
        Err(error) => Looked {
            facts: none(around.platform),
            endpoint: None,
            gateway: None,
            remarks: Vec::new(),
            absent: Some(told(&error)),
        },
    }
}

fn told(error: &EngineError) -> UiError {
    UiError::from(error)
}

fn system(platform: Platform) -> HostSystem {
    match platform {
        Platform::Linux => HostSystem::Linux,
        Platform::MacOs => HostSystem::MacOs,
        Platform::Windows => HostSystem::Windows,
    }
}

fn none(platform: Platform) -> EngineFacts {
    EngineFacts {
        kind: EngineKind::None,
        system: system(platform),
        label: "no engine".to_owned(),
        context: None,
        image_store: ImageStore::Classic,
        config_file: None,
        flag_keys: Vec::new(),
        insecure: Vec::new(),
        has_registry_settings: false,
        live_restore: false,
        running: Vec::new(),
        pid: None,
        unit: None,
        builder: None,
    }
}

fn facts(found: Found, platform: Platform) -> EngineFacts {
    let daemon = found.daemon;
    let has_registry_settings = !found.registries.insecure.is_empty()
        || !found.registries.mirrors.is_empty()
        || found.registries.insecure_networks.iter().any(|network| !BUILT_IN.contains(&network.as_str()));
    let label = match (&found.name, &found.flavour) {
        (Some(name), _) => name.clone(),
        (None, _) => format!("the engine at {}", found.endpoint),
    };
    EngineFacts {
        kind: kind(found.flavour, found.context.as_deref()),
        system: system(platform),
        label,
        image_store: match found.image_store {
            Some(Store::Containerd) => ImageStore::Containerd,
            Some(Store::Classic | Store::Podman) | None => ImageStore::Classic,
        },
        config_file: daemon.as_ref().and_then(|daemon| daemon.config_file.clone()),
        flag_keys: daemon.as_ref().map(|daemon| daemon.flags.iter().cloned().collect()).unwrap_or_default(),
        insecure: found.registries.insecure,
        has_registry_settings,
        live_restore: found.live_restore,
        running: found.running,
        pid: daemon.as_ref().map(|daemon| daemon.pid),
        unit: daemon
            .and_then(|daemon| daemon.unit)
            .map(|unit| SystemdUnit { name: unit.name, user: unit.user }),
        builder: found.builder.map(|builder| BuilderFacts {
            name: builder.name,
            // Where neither says, buildx takes the engine that is in use now.
            endpoint: builder.endpoint.or_else(|| found.context.clone()).unwrap_or_default(),
            host_network: builder.host_network,
            driver_options: builder
                .driver_options
                .iter()
                .map(|(option, value)| format!("{option}={value}"))
                .collect(),
        }),
        context: found.context,
    }
}

/// Networks that dockerd has always (moby, `registry/config.go`): they are no setting of anybody's.
const BUILT_IN: &[&str] = &["127.0.0.0/8", "::1/128"];

/// Whose engine it is, in the model's words. `context` is the Docker context that it was chosen by.
pub(crate) fn kind(flavour: Flavour, context: Option<&str>) -> EngineKind {
    match flavour {
        Flavour::Native => EngineKind::DockerNative,
        Flavour::Rootless => EngineKind::DockerRootless,
        Flavour::Snap => EngineKind::DockerSnap,
        Flavour::WindowsNative => EngineKind::DockerWindows,
        Flavour::DockerDesktop => EngineKind::DockerDesktop,
        Flavour::Colima { profile } => EngineKind::Colima { profile },
        Flavour::RancherDesktop => EngineKind::RancherDesktop,
        Flavour::OrbStack => EngineKind::OrbStack,
        Flavour::Podman => EngineKind::Podman,
        Flavour::PodmanRootless => EngineKind::PodmanRootless,
        Flavour::PodmanMachine => EngineKind::PodmanMachine {
            // `podman machine` names its Docker context after the machine.
            machine: context.unwrap_or("podman-machine-default").to_owned(),
        },
        Flavour::Remote { address } => EngineKind::Remote { address },
        Flavour::Unknown { name } => EngineKind::Unknown { name },
    }
}

/// A proxy is in the way of every alias: Go sends a *name* through it even if the name leads to loopback. Docker
/// Desktop's engine always names one, its own (`http.docker.internal:3128`), which leads to this machine as it should;
/// a proxy of the person's is behind that one, where the engine does not see it.
fn remarks(found: &Found) -> Vec<String> {
    if found.flavour == Flavour::DockerDesktop {
        return Vec::new();
    }
    let Some(proxy) = &found.proxy else { return Vec::new() };
    vec![format!(
        "The engine goes through an HTTP proxy. Registries must be among its exceptions (NO_PROXY, now “{}”), or the \
         proxy is asked for them.",
        proxy.no_proxy
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_engine::facts::{DaemonProcess, Proxy, RegistrySettings, Unit};

    fn found() -> Found {
        Found {
            flavour: Flavour::Native,
            name: Some("Docker 28.5.2".into()),
            endpoint: "/var/run/docker.sock".into(),
            context: None,
            image_store: Some(Store::Containerd),
            registries: RegistrySettings {
                insecure_networks: vec!["::1/128".into(), "127.0.0.0/8".into()],
                ..RegistrySettings::default()
            },
            live_restore: true,
            running: vec!["web".into()],
            proxy: None,
            daemon: Some(DaemonProcess {
                pid: 7,
                config_file: None,
                flags: ["insecure-registries".to_owned()].into(),
                config_home: None,
                unit: Some(Unit { name: "docker.service".into(), user: false }),
            }),
            gateway: None,
            builder: None,
        }
    }

    #[test]
    fn what_every_dockerd_has_is_no_setting() {
        let plain = facts(found(), Platform::Linux);
        assert!(!plain.has_registry_settings);
        assert_eq!((plain.image_store, plain.pid), (ImageStore::Containerd, Some(7)));
        assert_eq!(plain.flag_keys, ["insecure-registries"]);
        assert_eq!(plain.unit, Some(SystemdUnit { name: "docker.service".into(), user: false }));
        let mut set = found();
        set.registries.insecure_networks.push("10.0.0.0/8".into());
        assert!(facts(set, Platform::Linux).has_registry_settings);
    }

    #[test]
    fn a_proxy_is_remarked_upon() {
        assert!(remarks(&found()).is_empty());
        let proxied = Found { proxy: Some(Proxy { http: true, no_proxy: ".corp".into() }), ..found() };
        assert!(remarks(&proxied)[0].contains("“.corp”"));
        let desktop = Found { flavour: Flavour::DockerDesktop, ..proxied };
        assert!(remarks(&desktop).is_empty(), "everybody's there has one");
    }
}

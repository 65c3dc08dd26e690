//! Asking the engine and reading the files: the part with IO.

use super::{EngineFacts, Flavour, RegistrySettings, builder, classify, process};
use crate::{
    EngineEndpoint, EngineError, Files, Operation, Platform, Surroundings,
    endpoint::{ThisMachine, chosen_context},
    transport,
};
use serde::{Deserialize, de::DeserializeOwned};
use std::{net::Ipv4Addr, path::Path};

pub(super) async fn gather(around: &Surroundings) -> Result<EngineFacts, EngineError> {
    let context = context(around);
    let endpoint = match EngineEndpoint::find(around, &ThisMachine) {
        Ok(endpoint) => endpoint,
        Err(EngineError::Endpoint { address, .. }) if is_elsewhere(&address) => {
            return Ok(elsewhere(address, context));
        }
        Err(error) => return Err(error),
    };
    let (info, version) = tokio::try_join!(
        ask::<classify::Info>(&endpoint, "/info"),
        ask::<classify::Version>(&endpoint, "/version")
    )?;
    let here = this_machine();
    let flavour = classify::classify(&endpoint, context.as_deref(), &info, &version, &here);
    // What only some engines tell is no reason to fail.
    let (containers, network) = tokio::join!(
        ask::<Vec<Container>>(&endpoint, "/containers/json"),
        ask::<Network>(&endpoint, "/networks/bridge")
    );
    // Those of other kinds are in a virtual machine, or have no settings that hang on the process.
    let daemon = if let Flavour::Native | Flavour::Rootless | Flavour::Snap = flavour
        && let EngineEndpoint::Unix(socket) = &endpoint
    {
        daemon_at(socket).await
    } else {
        None
    };
    let builder = chosen_builder(around, context.as_deref(), &endpoint);
    Ok(EngineFacts {
        flavour,
        name: Some(classify::name_and_version(&version)),
        endpoint: endpoint.to_string(),
        context,
        image_store: Some(classify::image_store(&info, &version)),
        registries: classify::registries(&info),
        live_restore: classify::live_restore(&info),
        running: containers.unwrap_or_default().into_iter().map(Container::name).collect(),
        proxy: classify::proxy(&info),
        daemon,
        gateway: network.ok().and_then(Network::gateway),
        builder,
    })
}

/// The context that the engine is chosen by; none where the environment names the engine itself.
fn context(around: &Surroundings) -> Option<String> {
    match around.docker_host {
        Some(_) => None,
        None => chosen_context(around, &ThisMachine),
    }
}

pub(super) async fn flavour(
    endpoint: &EngineEndpoint,
    around: &Surroundings,
) -> Result<Flavour, EngineError> {
    if let EngineEndpoint::Elsewhere(machine) = endpoint {
        return Ok(Flavour::Remote { address: machine.to_string() });
    }
    let (info, version) = tokio::try_join!(
        ask::<classify::Info>(endpoint, "/info"),
        ask::<classify::Version>(endpoint, "/version")
    )?;
    Ok(classify::classify(endpoint, context(around).as_deref(), &info, &version, &this_machine()))
}

pub(super) async fn image_store(endpoint: &EngineEndpoint) -> Result<super::ImageStore, EngineError> {
    let (info, version) = tokio::try_join!(
        ask::<classify::Info>(endpoint, "/info"),
        ask::<classify::Version>(endpoint, "/version")
    )?;
    Ok(classify::image_store(&info, &version))
}

pub(super) async fn insecure(endpoint: &EngineEndpoint) -> Result<Vec<String>, EngineError> {
    let info = ask::<classify::Info>(endpoint, "/info").await?;
    Ok(classify::registries(&info).insecure)
}

/// An address of another machine's engine, which is not asked anything: nothing here could change its settings.
fn is_elsewhere(address: &str) -> bool {
    match address.split_once("://") {
        Some(("ssh", _)) => true,
        Some(("tcp" | "http" | "https", rest)) => {
            !classify::is_loopback(rest.split('/').next().unwrap_or(rest))
        }
        Some(_) | None => false,
    }
}

fn elsewhere(address: String, context: Option<String>) -> EngineFacts {
    EngineFacts {
        flavour: Flavour::Remote { address: address.clone() },
        name: None,
        endpoint: address,
        context,
        image_store: None,
        registries: RegistrySettings::default(),
        live_restore: false,
        running: Vec::new(),
        proxy: None,
        daemon: None,
        gateway: None,
        builder: None,
    }
}

async fn ask<T: DeserializeOwned>(endpoint: &EngineEndpoint, path: &str) -> Result<T, EngineError> {
    transport::get(endpoint, path)
        .await
        .map_err(|error| crate::failure::request_failed(endpoint, Operation::Describe, None, error))
}

/// Reading /proc, and connecting to a socket without tokio, block; for microseconds, though of another's choosing.
async fn daemon_at(socket: &Path) -> Option<super::DaemonProcess> {
    let socket = socket.to_owned();
    tokio::task::spawn_blocking(move || process::of_socket(&socket)).await.ok().flatten()
}

fn this_machine() -> classify::ThisMachine {
    let line =
        |path: &str| ThisMachine.read(Path::new(path)).map(|text| text.trim().to_owned()).unwrap_or_default();
    classify::ThisMachine {
        platform: Platform::HERE,
        host_name: line("/proc/sys/kernel/hostname"),
        kernel: line("/proc/sys/kernel/osrelease"),
    }
}

fn chosen_builder(
    around: &Surroundings,
    context: Option<&str>,
    endpoint: &EngineEndpoint,
) -> Option<builder::Builder> {
    // docker/buildx `util/dockerutil`, `GetCurrentEndpoint`: the context's name, or the default one's address.
    let key = match (context, &around.docker_host, endpoint) {
        (Some(context), ..) => context.to_owned(),
        (None, Some(address), _) => address.clone(),
        (None, None, EngineEndpoint::Unix(path)) => format!("unix://{}", path.display()),
        (None, None, EngineEndpoint::NamedPipe(path)) => {
            format!("npipe://{}", path.display().to_string().replace('\\', "/"))
        }
        (None, None, EngineEndpoint::Tcp(address)) => format!("tcp://{address}"),
        (None, None, EngineEndpoint::Elsewhere(machine)) => machine.to_string(),
    };
    builder::chosen(around, &key, &ThisMachine)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Container {
    id: String,
    #[serde(default)]
    names: Option<Vec<String>>,
}

impl Container {
    /// Names begin with a slash, those of links with two.
    fn name(self) -> String {
        let name =
            self.names.into_iter().flatten().next().map(|name| name.trim_start_matches('/').to_owned());
        name.unwrap_or_else(|| self.id.chars().take(12).collect())
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    #[serde(rename = "IPAM", default)]
    ipam: Option<Ipam>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ipam {
    #[serde(default)]
    config: Option<Vec<Subnet>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Subnet {
    #[serde(default)]
    gateway: Option<String>,
}

impl Network {
    /// The first IPv4 one.
    fn gateway(self) -> Option<Ipv4Addr> {
        let subnets = self.ipam?.config?;
        subnets.into_iter().find_map(|subnet| subnet.gateway?.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gateway_is_the_first_of_ipv4() {
        let gateway = |json: &str| serde_json::from_str::<Network>(json).unwrap().gateway();
        assert_eq!(
            gateway(
                r#"{"IPAM":{"Config":[{"Subnet":"fd00::/64","Gateway":"fd00::1"},{"Gateway":"172.17.0.1"}]}}"#
            ),
            Some(Ipv4Addr::new(172, 17, 0, 1))
        );
        for none in [r#"{"IPAM":{"Config":null}}"#, r#"{"IPAM":{"Config":[{"Subnet":"10.0.0.0/8"}]}}"#, "{}"]
        {
            assert_eq!(gateway(none), None, "{none}");
        }
    }

    #[test]
    fn a_container_is_called_by_its_name() {
        let name = |json: &str| serde_json::from_str::<Container>(json).unwrap().name();
        assert_eq!(name(r#"{"Id":"0123456789abcdef","Names":["/web"]}"#), "web");
        assert_eq!(name(r#"{"Id":"0123456789abcdef","Names":null}"#), "0123456789ab");
    }

    #[test]
    fn an_engine_elsewhere_is_told_by_its_address() {
        for there in ["ssh://deploy@prod", "tcp://10.0.0.7:2376", "tcp://engine"] {
            assert!(is_elsewhere(there), "{there}");
        }
        for here in ["tcp://127.0.0.1:2376", "tcp://localhost:2376", "tcp://[::1]:2376", "unix:///x", "fd://"]
        {
            assert!(!is_elsewhere(here), "{here}");
        }
    }
}

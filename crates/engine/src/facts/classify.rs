//! Whose engine it is, from its own words. Pure.

use super::{Flavour, ImageStore, Proxy, RegistrySettings};
use crate::{EngineEndpoint, Platform};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// `/info`, as far as it matters here. Not bollard's type, which has no place for Podman's `Rootless`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Info {
    #[serde(deserialize_with = "or_default")]
    name: String,
    #[serde(deserialize_with = "or_default")]
    operating_system: String,
    #[serde(rename = "OSType", deserialize_with = "or_default")]
    os_type: String,
    #[serde(deserialize_with = "or_default")]
    kernel_version: String,
    #[serde(deserialize_with = "or_default")]
    docker_root_dir: String,
    #[serde(deserialize_with = "or_default")]
    driver_status: Vec<Vec<String>>,
    #[serde(deserialize_with = "or_default")]
    security_options: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    registry_config: RegistryConfig,
    #[serde(deserialize_with = "or_default")]
    live_restore_enabled: bool,
    #[serde(deserialize_with = "or_default")]
    http_proxy: String,
    #[serde(deserialize_with = "or_default")]
    https_proxy: String,
    #[serde(deserialize_with = "or_default")]
    no_proxy: String,
    /// Podman's alone.
    #[serde(deserialize_with = "or_default")]
    rootless: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct RegistryConfig {
    #[serde(rename = "InsecureRegistryCIDRs", deserialize_with = "or_default")]
    networks: Vec<String>,
    #[serde(rename = "IndexConfigs", deserialize_with = "or_default")]
    indexes: BTreeMap<String, Index>,
    #[serde(rename = "Mirrors", deserialize_with = "or_default")]
    mirrors: Vec<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Index {
    secure: bool,
}

/// `/version`, as far as it matters here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Version {
    #[serde(deserialize_with = "or_default")]
    version: String,
    #[serde(deserialize_with = "or_default")]
    platform: Named,
    #[serde(deserialize_with = "or_default")]
    components: Vec<Named>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Named {
    name: String,
}

/// Go writes an empty list as `null`.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// What this machine says of itself, to be told from a virtual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ThisMachine {
    pub platform: Platform,
    pub host_name: String,
    /// uname(2) `release`.
    pub kernel: String,
}

/// Whose engine it is. A product that names itself is believed first; what is left runs here if it names this very
/// host and kernel, and in a virtual machine otherwise.
pub(super) fn classify(
    endpoint: &EngineEndpoint,
    context: Option<&str>,
    info: &Info,
    version: &Version,
    here: &ThisMachine,
) -> Flavour {
    if let EngineEndpoint::Tcp(address) = endpoint
        && !is_loopback(address)
    {
        return Flavour::Remote { address: format!("tcp://{address}") };
    }
    let path = match endpoint {
        EngineEndpoint::Unix(path) | EngineEndpoint::NamedPipe(path) => path.to_string_lossy().into_owned(),
        EngineEndpoint::Tcp(_) | EngineEndpoint::Elsewhere(_) => String::new(),
    };
    let is_here =
        here.platform == Platform::Linux && info.name == here.host_name && info.kernel_version == here.kernel;
    if is_podman(version) {
        return match (is_here, info.rootless) {
            (false, _) => Flavour::PodmanMachine,
            (true, true) => Flavour::PodmanRootless,
            (true, false) => Flavour::Podman,
        };
    }
    // “Docker Desktop 4.33.0 (160616)”; older ones say so as the operating system only.
    if version.platform.name.starts_with("Docker Desktop") || info.operating_system == "Docker Desktop" {
        return Flavour::DockerDesktop;
    }
    if info.operating_system == "OrbStack" || path.contains("/.orbstack/") {
        return Flavour::OrbStack;
    }
    if info.name == "lima-rancher-desktop"
        || info.operating_system.starts_with("Rancher Desktop")
        || path.contains("/.rd/")
    {
        return Flavour::RancherDesktop;
    }
    if let Some(profile) = colima_profile(&path, context, &info.name) {
        return Flavour::Colima { profile };
    }
    if info.os_type == "windows" {
        return Flavour::WindowsNative;
    }
    if !is_here {
        let name = if info.name.is_empty() { info.operating_system.clone() } else { info.name.clone() };
        return Flavour::Unknown { name };
    }
    if info.security_options.iter().any(|option| option == "name=rootless") {
        return Flavour::Rootless;
    }
    // The snap's daemon may use nothing outside its own folder.
    if info.docker_root_dir.starts_with("/var/snap/docker/") {
        return Flavour::Snap;
    }
    Flavour::Native
}

fn is_podman(version: &Version) -> bool {
    version.components.iter().any(|part| part.name.contains("Podman"))
}

pub(super) fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// colima's sockets are `~/.colima/PROFILE/docker.sock` (before 0.4 `~/.colima/docker.sock`), its contexts and hosts
/// `colima` and `colima-PROFILE` (abiosoft/colima, `config/profile.go`).
fn colima_profile(path: &str, context: Option<&str>, host: &str) -> Option<String> {
    if let Some((_, rest)) = path.split_once("/.colima/") {
        let profile = rest.split('/').next().filter(|folder| *folder != "docker.sock");
        return Some(profile.unwrap_or("default").to_owned());
    }
    [context, Some(host)].into_iter().flatten().find_map(|name| match name.strip_prefix("colima") {
        Some("") => Some("default".to_owned()),
        Some(rest) => rest.strip_prefix('-').map(str::to_owned),
        None => None,
    })
}

/// `Docker 20.10.24`. Debian's `20.10.24+dfsg1` tells a person nothing more.
pub(super) fn name_and_version(version: &Version) -> String {
    let name = if is_podman(version) { "Podman" } else { "Docker" };
    let number = version.version.split('+').next().unwrap_or_default();
    format!("{name} {number}").trim_end().to_owned()
}

/// dockerd with containerd's store names the snapshotter's plugin type as its driver's (moby, `daemon/info.go`).
pub(super) fn image_store(info: &Info, version: &Version) -> ImageStore {
    let is_containerd = info
        .driver_status
        .iter()
        .any(|pair| pair.iter().map(String::as_str).eq(["driver-type", "io.containerd.snapshotter.v1"]));
    match (is_podman(version), is_containerd) {
        (true, _) => ImageStore::Podman,
        (false, true) => ImageStore::Containerd,
        (false, false) => ImageStore::Classic,
    }
}

pub(super) fn registries(info: &Info) -> RegistrySettings {
    let config = &info.registry_config;
    RegistrySettings {
        insecure: config
            .indexes
            .iter()
            .filter(|(_, index)| !index.secure)
            .map(|(name, _)| name.clone())
            .collect(),
        insecure_networks: config.networks.clone(),
        mirrors: config.mirrors.clone(),
    }
}

pub(super) fn live_restore(info: &Info) -> bool {
    info.live_restore_enabled
}

pub(super) fn proxy(info: &Info) -> Option<Proxy> {
    (!info.http_proxy.is_empty() || !info.https_proxy.is_empty())
        .then(|| Proxy { http: !info.http_proxy.is_empty(), no_proxy: info.no_proxy.clone() })
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;

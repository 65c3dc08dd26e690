//! The builder that `docker buildx build` would use, from buildx's own files. Pure over [`Files`].
//!
//! docker/buildx `store/store.go`: `current` holds one choice, `defaults/HASH` one for each engine or context,
//! `instances/NAME` the builders; `BUILDX_BUILDER` beats them all, `BUILDX_CONFIG` names another folder.

use crate::{Files, Surroundings};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;

/// A BuildKit builder that runs in a container. It reads a file of its own when it is made, and never daemon.json.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Builder {
    /// Its name, as `docker buildx ls` shows it.
    pub name: String,
    /// The context, or the address of the engine, that its first node was made on.
    pub endpoint: Option<String>,
    /// Whether it shares the machine's network (`--driver-opt network=host`), and with it its loopback.
    pub host_network: bool,
    /// The options it was made with, to be repeated when it is made anew.
    pub driver_options: Vec<(String, String)>,
    /// `buildkitd.toml` as it was when the builder was made, if it was made with one.
    pub config: Option<String>,
    /// What it is made with next time, unless told otherwise: `buildkitd.default.toml`.
    pub default_config: PathBuf,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Current {
    #[serde(default)]
    key: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    global: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Instance {
    driver: String,
    #[serde(default)]
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Node {
    #[serde(default)]
    endpoint: Option<String>,
    #[serde(default)]
    driver_opts: Option<std::collections::BTreeMap<String, String>>,
    /// Contents in base64, as Go writes bytes.
    #[serde(default)]
    files: Option<std::collections::BTreeMap<String, String>>,
}

/// The builder for the engine that is called `key` (the context's name, or the address if there is none).
pub(super) fn chosen(around: &Surroundings, key: &str, files: &impl Files) -> Option<Builder> {
    let own = || Some(around.docker_config.as_ref()?.join("buildx"));
    let folder = around.buildx_config.clone().or_else(own)?;
    let name = match &around.buildx_builder {
        Some(name) => name.clone(),
        None => {
            let current = files
                .read(&folder.join("current"))
                .and_then(|text| serde_json::from_str::<Current>(&text).ok())
                .filter(|current| !current.name.is_empty() && (current.global || current.key == key));
            match current {
                Some(current) => current.name,
                None => {
                    let hash = hex::encode(Sha256::digest(key));
                    files.read(&folder.join("defaults").join(hash))?.trim().to_owned()
                }
            }
        }
    };
    // The name becomes a part of a path.
    if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
        return None;
    }
    let instance = files.read(&folder.join("instances").join(&name))?;
    let instance: Instance = serde_json::from_str(&instance).ok()?;
    if instance.driver != "docker-container" {
        return None;
    }
    let node = instance.nodes.into_iter().next();
    let (endpoint, options, kept) =
        node.map(|node| (node.endpoint, node.driver_opts, node.files)).unwrap_or_default();
    let driver_options: Vec<_> = options.unwrap_or_default().into_iter().collect();
    let config = kept.unwrap_or_default().remove("buildkitd.toml").and_then(|text| decoded(&text));
    Some(Builder {
        name,
        endpoint: endpoint.filter(|endpoint| !endpoint.is_empty()),
        host_network: driver_options.iter().any(|(key, value)| key == "network" && value == "host"),
        driver_options,
        config,
        default_config: folder.join("buildkitd.default.toml"),
    })
}

/// RFC 4648 §4.
fn decoded(text: &str) -> Option<String> {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Platform;
    use std::{collections::BTreeMap, path::Path};

    struct Store(BTreeMap<PathBuf, String>);

    impl Files for Store {
        fn exists(&self, path: &Path) -> bool {
            self.0.contains_key(path)
        }
        fn read(&self, path: &Path) -> Option<String> {
            self.0.get(path).cloned()
        }
    }

    const SOCKET: &str = "unix:///var/run/docker.sock";

    fn found(files: &[(&str, &str)], variable: Option<&str>) -> Option<Builder> {
        let around = Surroundings {
            platform: Platform::Linux,
            docker_host: None,
            docker_context: None,
            tls: false,
            docker_config: Some("/h/.docker".into()),
            home: Some("/h".into()),
            runtime_dir: None,
            buildx_config: None,
            buildx_builder: variable.map(str::to_owned),
        };
        let store = files
            .iter()
            .map(|(name, text)| (Path::new("/h/.docker/buildx").join(name), (*text).to_owned()))
            .collect();
        chosen(&around, SOCKET, &Store(store))
    }

    /// As buildx 0.29 writes it (`docker buildx create --driver-opt network=host --config …`), shortened.
    const IN_CONTAINER: &str = r#"{"Name":"mine","Driver":"docker-container","Nodes":[{"Name":"mine0",
        "Endpoint":"unix:///var/run/docker.sock","Platforms":null,"DriverOpts":{"network":"host"},"Flags":null,
        "Files":{"buildkitd.toml":"ZGVidWcgPSB0cnVlCg=="}}],"Dynamic":false}"#;
    const IN_ENGINE: &str =
        r#"{"Name":"plain","Driver":"docker","Nodes":[{"Name":"plain","DriverOpts":null}]}"#;

    #[test]
    fn the_chosen_builder_is_found_and_only_one_in_a_container_counts() {
        let mine = Builder {
            endpoint: Some(SOCKET.into()),
            name: "mine".into(),
            host_network: true,
            driver_options: vec![("network".into(), "host".into())],
            config: Some("debug = true\n".into()),
            default_config: "/h/.docker/buildx/buildkitd.default.toml".into(),
        };
        let instance = ("instances/mine", IN_CONTAINER);
        let here = r#"{"Key":"unix:///var/run/docker.sock","Name":"mine","Global":false}"#;
        let elsewhere = r#"{"Key":"colima","Name":"mine","Global":false}"#;
        let everywhere = r#"{"Key":"colima","Name":"mine","Global":true}"#;
        assert_eq!(found(&[instance, ("current", here)], None), Some(mine.clone()));
        assert_eq!(found(&[instance, ("current", elsewhere)], None), None);
        assert_eq!(found(&[instance, ("current", everywhere)], None), Some(mine.clone()));
        let default = format!("defaults/{}", hex::encode(Sha256::digest(SOCKET)));
        assert_eq!(found(&[instance, ("current", elsewhere), (&default, "mine")], None), Some(mine.clone()));
        assert_eq!(found(&[instance], Some("mine")), Some(mine));
        assert_eq!(found(&[("instances/plain", IN_ENGINE)], Some("plain")), None);
        assert_eq!(found(&[instance], Some("../instances/mine")), None);
        assert_eq!(found(&[], None), None);
        assert_eq!(found(&[("instances/mine", "{")], Some("mine")), None);
    }
}

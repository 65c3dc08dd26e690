//! For which registries a login is kept on this machine. No login is looked at: no keyring is unlocked, no helper runs.

use super::{
    docker_config::{self, DockerConfig},
    docker_key, kept,
};
use crate::Paths;
use std::collections::BTreeMap;

/// What the lists of Dockline and of Docker say.
pub(crate) struct Known {
    ours: BTreeMap<String, String>,
    docker: DockerConfig,
}

impl Known {
    /// Reads both. A list that does not read has nothing in it: no login would be found with it either.
    pub(crate) async fn read(paths: &Paths) -> Self {
        let docker = docker_config::folder(paths.ssh.home_ssh.parent()).join("config.json");
        Self {
            ours: kept::names(&paths.state_dir).await,
            docker: DockerConfig::read(&docker).await.unwrap_or_default(),
        }
    }

    /// Whether a login is kept for the registry that references call `authority`.
    pub(crate) fn has(&self, authority: &str) -> bool {
        let key = docker_key(authority);
        self.ours.contains_key(key) || self.docker.names(key)
    }
}

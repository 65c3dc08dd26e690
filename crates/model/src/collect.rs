//! Collecting a registry's garbage: what nothing refers to any more keeps its room until the registry's own program
//! removes it, on the registry's host and while it serves nobody.

use crate::{RegistryName, SshTarget};
use serde::{Deserialize, Serialize};

/// How a registry runs on its host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum RegistryRun {
    /// In a container of that host's engine.
    Container {
        /// `docker` or `podman`.
        engine: String,
        /// The container's id.
        id: String,
        /// The container's name.
        name: String,
        /// What it was made of: `registry:2`.
        image: String,
    },
    /// As a unit of systemd's.
    Unit {
        /// `docker-registry.service`.
        name: String,
    },
}

/// What collecting would remove. Nothing has been removed when a person sees this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct CollectPlan {
    /// Which registry's.
    pub registry: RegistryName,
    /// Where to log in for it.
    pub ssh: SshTarget,
    /// How it runs there. It is stopped while garbage is collected, and started again after it.
    pub run: RegistryRun,
    /// Its version, if it says: `2.8.2`.
    pub version: Option<String>,
    /// Its configuration file, as it sees it.
    pub configuration: String,
    /// Whether manifests that no tag names go as well.
    pub untagged: bool,
    /// Blobs that would go.
    pub blobs: u64,
    /// Manifests that would go.
    pub manifests: u64,
    /// Bytes of those blobs; `None` where they cannot be measured (a store that is not on that host's disk).
    pub bytes: Option<u64>,
    /// Whole sentences that a person should read before they agree.
    pub notes: Vec<String>,
}

impl CollectPlan {
    /// Whether there is nothing to remove.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.blobs == 0 && self.manifests == 0
    }
}

/// What collecting has removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Collected {
    /// Blobs that went.
    pub blobs: u64,
    /// Manifests that went.
    pub manifests: u64,
    /// Bytes that were freed; `None` where they cannot be measured.
    pub bytes: Option<u64>,
    /// Seconds for which the registry was stopped.
    pub stopped_seconds: u64,
}

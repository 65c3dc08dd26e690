//! The container engine and its images.

use crate::{UiError, UnixMillis};
use serde::{Deserialize, Serialize};

/// An image that an engine has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ImageView {
    /// `sha256:…`.
    pub id: String,
    /// `app:v1` and every other name it has; empty for a dangling image.
    pub tags: Vec<String>,
    /// Bytes on disk, shared layers counted in.
    pub size: u64,
    /// When it was built.
    pub created: UnixMillis,
    /// Repositories that have it (`cr.boss.org:5000/app`), as far as the engine has pushed it there or pulled it from
    /// there and keeps a record of that: dockerd's own store does; containerd's and Podman's do not, and leave it empty.
    #[serde(default)]
    pub held_at: Vec<String>,
}

/// Whether there is an engine to talk to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum EngineState {
    /// Not asked yet.
    Unknown,
    /// It answers.
    Ready {
        /// `Docker 20.10.24`, `Podman 4.3.1`.
        name: String,
    },
    /// It does not.
    Unavailable {
        /// Why, and what to do.
        error: UiError,
    },
}

/// The engine and what it has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EngineView {
    /// Whether it answers.
    pub state: EngineState,
    /// Its images, newest first.
    pub images: Vec<ImageView>,
}

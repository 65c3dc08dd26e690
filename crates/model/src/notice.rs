//! Which notifications a person wants.

use serde::{Deserialize, Serialize};

/// The kinds of notifications; each is shown unless it is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Notices {
    /// A push or pull has ended well.
    pub done: bool,
    /// A push or pull has failed.
    pub failed: bool,
    /// A host's key is not the one it had.
    pub host_key: bool,
    /// A tunnel is lost, and only a person can get it back.
    pub tunnel_lost: bool,
    /// There is a newer version of Dockline. Only where somebody asked for that to be looked after.
    pub update: bool,
}

impl Default for Notices {
    fn default() -> Self {
        Self { done: true, failed: true, host_key: true, tunnel_lost: true, update: true }
    }
}

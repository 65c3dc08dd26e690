//! The hosts file, as a plan to look at.

use serde::{Deserialize, Serialize};

/// What to do with the hosts file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum HostsAction {
    /// Make it name every configured registry.
    Apply,
    /// Take all of Dockline's lines out again.
    Undo,
}

/// A planned change of the hosts file. Nothing has been written when a person sees this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct HostsView {
    /// `/etc/hosts`, or the platform's equal.
    pub path: String,
    /// What it was planned for.
    pub action: HostsAction,
    /// A unified diff; empty if the file is right already.
    pub diff: String,
    /// SHA-256 of the file it was planned from, in hex.
    pub before: String,
    /// SHA-256 of the file as it will be, in hex.
    pub after: String,
    /// Whether the file is as the plan wants it.
    pub satisfied: bool,
    /// Things the person should know before agreeing.
    pub warnings: Vec<String>,
}

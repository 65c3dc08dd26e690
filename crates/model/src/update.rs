//! Newer versions of Dockline: what was asked, and what the answer was. Nothing is downloaded or installed.

use crate::{UiError, UnixMillis};
use serde::{Deserialize, Serialize};

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct UpdatesView {
    /// The version of the owner that runs.
    pub running: String,
    /// Whether it is being asked right now.
    pub asking: bool,
    /// The last answer of whoever is asked now; `None` before the first.
    pub last: Option<Asked>,
    /// Why there is no later answer than that; `None` if the last request was answered.
    pub failure: Option<UpdateFailure>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// When.
    pub at: UnixMillis,
    /// The newest version there is, as the answer has it; it may be the one that runs, or older.
    pub newest: String,
    /// That version, if it is newer than the one that runs.
    pub release: Option<Release>,
    /// Whether no earlier answer had named that version or a later one: it is worth telling, once.
    pub is_news: bool,
}

/// A newer version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Release {
    /// Its version (Semantic Versioning 2.0.0).
    pub version: String,
    /// The page about it: `https`, or on this machine.
    pub url: String,
    /// What is new, in its makers' words; may have several lines, and is no markup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A request that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct UpdateFailure {
    /// When.
    pub at: UnixMillis,
    /// Why.
    pub error: UiError,
}

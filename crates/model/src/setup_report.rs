//! What came of carrying out a [`SetupPlan`](crate::SetupPlan), and how far it is meanwhile.

use crate::{RegistryName, SetupAction, UiError};
use serde::{Deserialize, Serialize};

/// How far the carrying out of a plan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SetupProgress {
    /// What is being done now: “Asking for the registry through Docker 20.10.24”.
    pub words: String,
    /// How many things are done.
    pub done: u32,
    /// How many there are in all.
    pub total: u32,
}

/// What a real request of the engine's to the registry came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum CheckOutcome {
    /// The registry answered the engine.
    Reached {
        /// It wants a login before anything else (`docker login`).
        login_wanted: bool,
    },
    /// The engine did not get to the registry.
    NotReached {
        /// Why, in the engine's terms, and what to do.
        error: UiError,
    },
    /// The engine no longer goes by the setting, as an undo wants it.
    Withdrawn,
    /// There was nobody to ask, or nothing to ask about.
    NotAsked {
        /// Why: a whole sentence.
        why: String,
    },
}

/// One registry, asked for by the engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct EngineCheck {
    /// Which.
    pub registry: RegistryName,
    /// `host:port`, as it was asked for.
    pub authority: String,
    /// What came of it.
    pub outcome: CheckOutcome,
}

/// Something that a person may or has to do themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct LeftForYou {
    /// What; whole sentences.
    pub words: String,
    /// The program that does it and its arguments, where there is one.
    #[serde(default)]
    pub command: Vec<String>,
}

/// What was done, and whether it works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SetupReport {
    /// Which way.
    pub action: SetupAction,
    /// All of it in one sentence.
    pub summary: String,
    /// What was done, in order; whole sentences.
    pub done: Vec<String>,
    /// What is left for the person to do.
    pub left: Vec<LeftForYou>,
    /// Why the first of Dockline's own steps that failed did; it stands under what is left as well.
    #[serde(default)]
    pub failed: Option<UiError>,
    /// What the engine says now, registry by registry.
    pub checks: Vec<EngineCheck>,
}

impl SetupReport {
    /// Why it does not work after all, if it does not.
    #[must_use]
    pub fn failure(&self) -> Option<&UiError> {
        self.failed.as_ref().or_else(|| self.checks.iter().find_map(EngineCheck::refusal))
    }
}

impl EngineCheck {
    const fn refusal(&self) -> Option<&UiError> {
        match &self.outcome {
            CheckOutcome::NotReached { error } => Some(error),
            CheckOutcome::Reached { .. } | CheckOutcome::Withdrawn | CheckOutcome::NotAsked { .. } => None,
        }
    }
}

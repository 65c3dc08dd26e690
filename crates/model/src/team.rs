//! The team file: registries to hand on, without secrets and without what is one person's own.

use crate::{RegistryName, RegistrySpec, Target, UiError};
use serde::{Deserialize, Serialize};

/// What a team file would do with one of its registries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ImportVerdict {
    /// It is new and will be added.
    Add,
    /// It is configured the same way already.
    Same,
    /// A registry of that name leads elsewhere, or its place is taken: the person has to decide.
    Conflict {
        /// What is in the way, and what to do.
        error: UiError,
    },
}

/// One registry of a team file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ImportEntry {
    /// Which.
    pub registry: RegistryName,
    /// As it would be added.
    pub target: Box<Target>,
    /// What would be done.
    pub verdict: ImportVerdict,
    /// As it is configured now, where one of that name is.
    pub present: Option<Box<RegistrySpec>>,
}

/// What a team file would change. Nothing has been changed when a person sees this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ImportPlan {
    /// In the file's order.
    pub entries: Vec<ImportEntry>,
    /// All of it in one sentence.
    pub summary: String,
}

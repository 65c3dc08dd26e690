//! The team file: registries to hand on, without secrets and without what is one person's own.

use crate::{Code, RegistryName, RegistrySpec, Target, UiError};
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
    /// What a person should know before it is added, in sentences.
    #[serde(default)]
    pub warnings: Vec<String>,
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

impl ImportPlan {
    /// Whether something would be added that a person should think about first.
    #[must_use]
    pub fn wants_thought(&self) -> bool {
        let adds = self.entries.iter().filter(|entry| matches!(entry.verdict, ImportVerdict::Add));
        adds.flat_map(|entry| &entry.warnings).next().is_some()
    }

    /// With these entries, and the sentence about them.
    #[must_use]
    pub fn of(entries: Vec<ImportEntry>) -> Self {
        Self { summary: summary(&entries), entries }
    }

    /// The same for the registries in `names` alone, or for all where none is named.
    ///
    /// # Errors
    /// `RegistryUnknown` for one that is not in the file.
    pub fn only(self, names: &[RegistryName]) -> Result<Self, UiError> {
        if names.is_empty() {
            return Ok(self);
        }
        if let Some(missing) =
            names.iter().find(|name| self.entries.iter().all(|entry| entry.registry != **name))
        {
            return Err(UiError::new(
                Code::RegistryUnknown,
                format!("The team file has no registry named {missing}."),
            ));
        }
        Ok(Self::of(self.entries.into_iter().filter(|entry| names.contains(&entry.registry)).collect()))
    }
}

fn summary(entries: &[ImportEntry]) -> String {
    let count =
        |wanted: fn(&ImportVerdict) -> bool| entries.iter().filter(|entry| wanted(&entry.verdict)).count();
    let (new, same) =
        (count(|v| matches!(v, ImportVerdict::Add)), count(|v| matches!(v, ImportVerdict::Same)));
    let conflicts = entries.len() - new - same;
    let registries = |n: usize| if n == 1 { "1 registry".to_owned() } else { format!("{n} registries") };
    let mut parts = Vec::new();
    if new > 0 {
        parts.push(format!("{} will be added", registries(new)));
    }
    if same > 0 {
        parts.push(format!(
            "{} here already",
            if same == 1 { "1 is".to_owned() } else { format!("{same} are") }
        ));
    }
    if conflicts > 0 {
        parts.push(format!(
            "{} to be decided",
            if conflicts == 1 { "1 is".to_owned() } else { format!("{conflicts} are") }
        ));
    }
    match parts.as_slice() {
        [] => "The team file has no registries.".to_owned(),
        parts => format!("{}.", parts.join(", ")),
    }
}

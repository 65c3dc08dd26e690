//! Planning, applying and recovering a change: the order of things that makes a crash harmless.

use crate::{EditError, Paths, Plan, Sha256, hosts};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What should hold. The helper receives this, never bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Intent {
    /// Dockline's block of the hosts file holds exactly these entries; with none, there is no block.
    Hosts {
        /// The names and their addresses.
        entries: Vec<hosts::Entry>,
    },
}

/// What came of [`apply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The file was right already.
    AlreadySatisfied,
    /// A new file took the old one's place.
    Replaced,
    /// The file was written over in place, since it cannot be replaced here.
    Rewritten,
}

/// What [`recover`] found and did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Recovery {
    /// No change had been interrupted.
    NothingToDo,
    /// The interrupted change had not begun, or not touched the file yet.
    NotBegun,
    /// The interrupted change was complete.
    Complete,
    /// The file was half written; its old contents were put back.
    Reverted,
    /// Somebody else wrote the file since. It is left alone; its old contents are kept in `kept`.
    Foreign {
        /// Where.
        kept: PathBuf,
    },
}

/// Reads the file and plans. Nothing is written.
///
/// # Errors
/// [`EditError::Refused`], [`EditError::NotRegular`], [`EditError::Read`].
pub fn plan(paths: &Paths, intent: &Intent) -> Result<Plan, EditError> {
    let _ = (paths, intent);
    unimplemented!()
}

/// Carries out `intent`, if it still means the change from `before` to `after`.
///
/// # Errors
/// Any [`EditError`]; [`EditError::Changed`] if either hash differs.
pub fn apply(paths: &Paths, intent: &Intent, before: &Sha256, after: &Sha256) -> Result<Outcome, EditError> {
    let _ = (paths, intent, before, after);
    unimplemented!()
}

/// Whether a change was interrupted, so that [`recover`] has something to do. Needs no special rights.
#[must_use]
pub fn pending(paths: &Paths) -> bool {
    let _ = paths;
    unimplemented!()
}

/// Finishes or takes back what a crash interrupted.
///
/// # Errors
/// [`EditError::Journal`], [`EditError::JournalInvalid`], [`EditError::Read`], [`EditError::Write`].
pub fn recover(paths: &Paths) -> Result<Recovery, EditError> {
    let _ = paths;
    unimplemented!()
}

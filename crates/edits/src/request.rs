//! What the helper is asked, and what it answers: one JSON object each.

use crate::{EditError, Intent, Outcome, Paths, Recovery, Sha256, apply, hosts::Entry, recover};
use dockline_model::UiError;
use serde::{Deserialize, Serialize};

/// Everything the elevated helper can be asked to do. No paths and no file contents come from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HelperRequest {
    /// Make Dockline's block of the hosts file hold exactly `entries`; with none, take it out.
    Hosts {
        /// The names and their addresses.
        entries: Vec<Entry>,
        /// Hash of the file the person saw the plan of.
        before: Sha256,
        /// Hash of the file as that plan leaves it.
        after: Sha256,
    },
    /// Finish or take back what a crash interrupted. (A struct, since serde would let an internally tagged unit
    /// variant carry unknown fields.)
    Recover {},
}

/// What the helper prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum HelperAnswer {
    /// It is done.
    Done {
        /// What came of it.
        outcome: Outcome,
    },
    /// What the journal held, for [`HelperRequest::Recover`].
    Recovered {
        /// What was found and done.
        recovery: Recovery,
    },
    /// It is not done.
    Failed {
        /// Why, and what to do.
        error: UiError,
    },
}

/// Does what is asked, in this process and with its rights. A change that a crash interrupted is settled first.
///
/// # Errors
/// What [`apply`] and [`recover`] say.
pub fn perform(paths: &Paths, request: &HelperRequest) -> Result<HelperAnswer, EditError> {
    match request {
        HelperRequest::Hosts { entries, before, after } => {
            let intent = Intent::Hosts { entries: entries.clone() };
            apply(paths, &intent, before, after).map(|outcome| HelperAnswer::Done { outcome })
        }
        HelperRequest::Recover {} => recover(paths).map(|recovery| HelperAnswer::Recovered { recovery }),
    }
}

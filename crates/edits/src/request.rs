//! What the helper is asked, and what it answers: one JSON object each.

use crate::{
    Agreed, EditError, Intent, Outcome, Paths, Recovery, applied, apply,
    change::{self, Contents},
    hosts,
    journal::Journal,
    recover,
    step::{self, StepOutcome, SystemStep},
};
use dockline_model::UiError;
use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

/// Everything the elevated helper can be asked to do. No paths and no file contents come from outside; the one text that
/// ends up in a file, a certificate, is taken apart and written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HelperRequest {
    /// Make all of these changes, or none; then make them take effect. (A daemon.json takes effect also where it was right
    /// already.)
    Apply {
        /// What the person agreed to.
        changes: Vec<Agreed>,
    },
    /// Take everything out that Dockline put into any file, as far as its own record tells, without the app.
    UndoAll {},
    /// Tell dockerd to read its settings again.
    ReloadDockerd {},
    /// Finish or take back what a crash interrupted. (A struct, since serde would let an internally tagged unit
    /// variant carry unknown fields.)
    Recover {},
}

/// What the helper prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum HelperAnswer {
    /// The files are as wanted.
    Done {
        /// What came of each change, in the order in which they were asked for.
        outcomes: Vec<Outcome>,
        /// What was done so that they take effect.
        #[serde(default)]
        steps: Vec<StepOutcome>,
    },
    /// What the journal held, for [`HelperRequest::Recover`].
    Recovered {
        /// What was found and done.
        recovery: Recovery,
    },
    /// For [`HelperRequest::UndoAll`].
    Undone {
        /// Files that are free of Dockline now; [`Intent::id`] each.
        undone: Vec<String>,
        /// Files that are not, and why.
        failed: Vec<UiError>,
        /// What was done so that it takes effect.
        steps: Vec<StepOutcome>,
    },
    /// It is not done.
    Failed {
        /// Why, and what to do.
        error: UiError,
    },
}

/// Does what is asked, in this process and with its rights. A change that a crash interrupted is settled first. Of the
/// system's own files every request is logged, with the number of the user who asked for it.
///
/// # Errors
/// What [`apply`] and [`recover`] say.
pub fn perform(
    paths: &Paths,
    request: &HelperRequest,
    caller: Option<u32>,
) -> Result<HelperAnswer, EditError> {
    let answer = match request {
        HelperRequest::Apply { changes } => {
            let steps = steps_of(paths, changes);
            apply(paths, changes).map(|outcomes| {
                let due = changes.iter().zip(&outcomes).zip(steps).filter(|((agreed, outcome), _)| {
                    // A daemon.json that is right already is asked for where its engine does not go by it: its last
                    // reload or restart failed.
                    **outcome != Outcome::AlreadySatisfied
                        || matches!(agreed.intent, Intent::DaemonJson { .. })
                });
                // Whoever planned this takes the person's own steps.
                let due = due.flat_map(|(_, steps)| steps).filter(SystemStep::is_the_helpers);
                HelperAnswer::Done { steps: run_all(paths, due), outcomes }
            })
        }
        HelperRequest::UndoAll {} => undo_all(paths),
        HelperRequest::ReloadDockerd {} => Ok(HelperAnswer::Done {
            outcomes: Vec::new(),
            steps: run_all(paths, [SystemStep::ReloadDockerd]),
        }),
        HelperRequest::Recover {} => recover(paths).map(|recovery| HelperAnswer::Recovered { recovery }),
    };
    if paths.journal.exists() {
        log(paths, request, &answer, caller)?;
    }
    answer
}

/// What will make each change take effect; looked up before the files change, since a certificate's thumbprint is in
/// the file that goes.
fn steps_of(paths: &Paths, changes: &[Agreed]) -> Vec<Vec<SystemStep>> {
    let steps = |agreed: &Agreed| match change::contents(paths, &agreed.intent) {
        Ok(Contents { path, before, after }) => {
            step::after(&agreed.intent, &path, before.as_deref(), after.as_deref())
        }
        // It will not be changed either.
        Err(_) => Vec::new(),
    };
    changes.iter().map(steps).collect()
}

/// Each step once. Stand-ins for the system's files (tests, the demo) leave the system alone.
fn run_all(paths: &Paths, steps: impl IntoIterator<Item = SystemStep>) -> Vec<StepOutcome> {
    let mut due: Vec<SystemStep> = Vec::new();
    for step in steps {
        if paths.are_system() && !due.contains(&step) {
            due.push(step);
        }
    }
    due.iter()
        .map(|step| if step.is_the_helpers() { step::run(step) } else { left_to_person(step) })
        .collect()
}

/// What the helper cannot do, where nobody else is there to do it.
fn left_to_person(step: &SystemStep) -> StepOutcome {
    let error = format!("macOS lets nobody but you do this: {}", step.command().join(" "));
    StepOutcome { words: step.words().done.to_owned(), error: Some(error) }
}

/// File by file: one that cannot be mended must not keep the others.
fn undo_all(paths: &Paths) -> Result<HelperAnswer, EditError> {
    recover(paths)?;
    let mut intents: Vec<Intent> = applied(paths)?.iter().map(|entry| entry.intent.nothing()).collect();
    let hosts = Intent::Hosts { entries: Vec::new(), gateway: None };
    // The block tells by itself whose it is.
    if !intents.contains(&hosts) && std::fs::read(&paths.hosts).is_ok_and(|bytes| hosts::has_block(&bytes)) {
        intents.push(hosts);
    }
    let (mut undone, mut failed, mut steps) = (Vec::new(), Vec::new(), Vec::new());
    for intent in intents {
        let agreed = match change::plan(paths, &intent) {
            Ok(plan) => [Agreed { intent, before: plan.before, after: plan.after }],
            Err(error) => {
                failed.push(UiError::from(&error));
                continue;
            }
        };
        let due = steps_of(paths, &agreed);
        match apply(paths, &agreed) {
            Ok(_) => {
                undone.push(agreed[0].intent.id());
                steps.extend(due.into_iter().flatten());
            }
            Err(error) => failed.push(UiError::from(&error)),
        }
    }
    Ok(HelperAnswer::Undone { undone, failed, steps: run_all(paths, steps) })
}

/// One line: when, who, what, and what came of it.
fn log(
    paths: &Paths,
    request: &HelperRequest,
    answer: &Result<HelperAnswer, EditError>,
    caller: Option<u32>,
) -> Result<(), EditError> {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let caller = caller.map_or_else(|| "-".to_owned(), |uid| uid.to_string());
    let what = match request {
        HelperRequest::Apply { changes } => changes
            .iter()
            .map(|agreed| {
                format!(
                    "{} {:.12}->{:.12}",
                    agreed.intent.id(),
                    agreed.before.as_str(),
                    agreed.after.as_str()
                )
            })
            .collect::<Vec<_>>()
            .join(", "),
        HelperRequest::UndoAll {} => "undo-all".to_owned(),
        HelperRequest::ReloadDockerd {} => "reload-dockerd".to_owned(),
        HelperRequest::Recover {} => "recover".to_owned(),
    };
    let result = match answer {
        Ok(HelperAnswer::Done { outcomes, steps }) => format!("done {outcomes:?} {steps:?}"),
        Ok(HelperAnswer::Recovered { recovery }) => format!("recovered {recovery:?}"),
        Ok(HelperAnswer::Undone { undone, failed, .. }) => {
            format!("undone {undone:?}, {} failed", failed.len())
        }
        Ok(HelperAnswer::Failed { error }) => format!("failed {error}"),
        Err(error) => format!("failed {error}"),
    };
    // No line break of somebody else's making may begin a line of the log's.
    let line = format!("{seconds} uid={caller} {what}: {result}").replace(char::is_control, "?");
    Journal::open(paths)?.log(&format!("{line}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TrustStore;

    #[test]
    fn what_is_left_to_the_person_is_told_with_its_command() {
        let pem = b"-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n";
        let name = "cr.boss.org".parse().unwrap();
        let intent = Intent::SystemTrust { store: TrustStore::MacOs, name, certificate: None };
        let steps = step::after(&intent, std::path::Path::new("/x.pem"), Some(pem), None);
        let error = left_to_person(&steps[0]).error.unwrap();
        assert!(error.contains("you do this: /usr/bin/security delete-certificate -Z 153D"), "{error}");
    }
}

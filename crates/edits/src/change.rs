//! Planning, applying and recovering a change: the order of things that makes a crash harmless.

use crate::{
    EditError, Paths, Plan, Sha256, hosts,
    journal::{self, Begun, Journal, Method, Record},
    write::{self, Found, Inspected, Replaced},
};
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
    /// Somebody else wrote the file since. It is left alone.
    Foreign {
        /// Where the contents from before the interrupted change are, if the file could have been half written
        /// when the other program read it.
        kept: Option<PathBuf>,
    },
}

/// Reads the file and plans. Nothing is written.
///
/// # Errors
/// [`EditError::Refused`], [`EditError::NotRegular`], [`EditError::Read`].
pub fn plan(paths: &Paths, intent: &Intent) -> Result<Plan, EditError> {
    plan_from(paths, intent, &inspect(paths)?)
}

/// Carries out `intent`, if it still means the change from `before` to `after`.
///
/// # Errors
/// Any [`EditError`]; [`EditError::Changed`] if either hash differs.
pub fn apply(paths: &Paths, intent: &Intent, before: &Sha256, after: &Sha256) -> Result<Outcome, EditError> {
    let journal = Journal::open(&paths.journal)?;
    settle(paths, &journal)?;
    let found = inspect(paths)?;
    let plan = plan_from(paths, intent, &found)?;
    if plan.satisfied && plan.after == *after {
        return Ok(Outcome::AlreadySatisfied);
    }
    for (expected, found) in [(before, &plan.before), (after, &plan.after)] {
        if expected != found {
            return Err(changed(paths, expected, found.clone()));
        }
    }
    let method = if found.in_place_because.is_some() { Method::InPlace } else { Method::Replace };
    let record = Record { intent: intent.clone(), before: plan.before, after: plan.after, method };
    journal.begin(&record, &found.bytes, &plan.bytes)?;
    match write_by(paths, &journal, &record, &plan.bytes) {
        Ok(outcome) => journal.clear().map(|()| outcome),
        Err(error) => {
            // Half a file after a full disk is put back now rather than at the next start.
            settle(paths, &journal)?;
            Err(error)
        }
    }
}

/// Whether a change was interrupted, so that [`recover`] has something to do. Needs no special rights.
#[must_use]
pub fn pending(paths: &Paths) -> bool {
    journal::has_record(&paths.journal)
}

/// Finishes or takes back what a crash interrupted.
///
/// # Errors
/// [`EditError::Journal`], [`EditError::JournalInvalid`], [`EditError::Read`], [`EditError::Write`].
pub fn recover(paths: &Paths) -> Result<Recovery, EditError> {
    if !paths.journal.exists() {
        return Ok(Recovery::NothingToDo);
    }
    settle(paths, &Journal::open(&paths.journal)?)
}

fn plan_from(paths: &Paths, intent: &Intent, found: &Found) -> Result<Plan, EditError> {
    let planned = match intent {
        Intent::Hosts { entries } => hosts::plan(&paths.hosts, entries, &found.bytes),
    };
    let mut plan = planned.map_err(|reason| EditError::Refused { path: paths.hosts.clone(), reason })?;
    if let Some(reason) = found.in_place_because.filter(|_| !plan.satisfied) {
        plan.warnings.push(format!(
            "{} is written in place because {reason}; a copy is kept in {} until that is done.",
            paths.hosts.display(),
            paths.journal.display()
        ));
    }
    Ok(plan)
}

fn inspect(paths: &Paths) -> Result<Found, EditError> {
    match write::inspect(&paths.hosts) {
        Ok(Inspected::File(found)) => Ok(found),
        Ok(Inspected::NotRegular(what)) => Err(EditError::NotRegular { path: paths.hosts.clone(), what }),
        Err(source) => Err(EditError::Read { path: paths.hosts.clone(), source }),
    }
}

fn write_by(paths: &Paths, journal: &Journal, record: &Record, bytes: &[u8]) -> Result<Outcome, EditError> {
    let failed = |source| EditError::Write { path: paths.hosts.clone(), source };
    let replaced = match record.method {
        Method::Replace => write::replace(&paths.hosts, &record.before, bytes).map_err(failed)?,
        Method::InPlace => Replaced::Impossible,
    };
    let outcome = match replaced {
        Replaced::Yes => Outcome::Replaced,
        Replaced::Changed => {
            return Err(changed(paths, &record.before, Sha256::of(&inspect(paths)?.bytes)));
        }
        Replaced::Impossible => {
            journal.switch_to_in_place(record)?;
            write::overwrite(&paths.hosts, bytes).map_err(failed)?;
            Outcome::Rewritten
        }
    };
    match Sha256::of(&inspect(paths)?.bytes) {
        hash if hash == record.after => Ok(outcome),
        hash => Err(changed(paths, &record.after, hash)),
    }
}

/// Brings the file and the journal in step; the journal is empty afterwards.
fn settle(paths: &Paths, journal: &Journal) -> Result<Recovery, EditError> {
    let failed = |source| EditError::Write { path: paths.hosts.clone(), source };
    write::discard_temporary(&paths.hosts).map_err(failed)?;
    let Some(Begun { record, before, after }) = journal.read()? else {
        journal.clear()?;
        return Ok(Recovery::NothingToDo);
    };
    let current = inspect(paths)?.bytes;
    let recovery = if current == before {
        Recovery::NotBegun
    } else if current == after {
        Recovery::Complete
    } else if record.method == Method::InPlace && is_half_written(&current, &before, &after) {
        write::overwrite(&paths.hosts, &before).map_err(failed)?;
        Recovery::Reverted
    } else {
        match record.method {
            Method::Replace => Recovery::Foreign { kept: None },
            Method::InPlace => Recovery::Foreign { kept: Some(journal.keep_before(&record)?) },
        }
    };
    journal.clear().map(|()| recovery)
}

/// Whether `current` can be what an interrupted overwriting left: every byte the old or the new one at its place
/// (or zero, where the power went after the file grew and before the data was on the disk).
fn is_half_written(current: &[u8], before: &[u8], after: &[u8]) -> bool {
    let (short, long) = (before.len().min(after.len()), before.len().max(after.len()));
    (short..=long).contains(&current.len())
        && current.iter().enumerate().all(|(place, byte)| {
            before.get(place) == Some(byte)
                || after.get(place) == Some(byte)
                || (place >= short && *byte == 0)
        })
}

fn changed(paths: &Paths, expected: &Sha256, found: Sha256) -> EditError {
    EditError::Changed { path: paths.hosts.clone(), expected: expected.clone(), found }
}

#[cfg(test)]
mod tests;

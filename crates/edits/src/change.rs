//! Planning, applying and recovering a change: the order of things that makes a crash harmless.
//!
//! A change may be of several files; all of them are changed, or none. Every plan is checked before the first byte is
//! written.

mod settle;

use crate::{
    EditError, Fingerprint, Intent, Paths, Plan,
    journal::{self, Applied, Copies, FileRecord, Journal, MOST_FILES, Method, Record},
    write::{self, Found, Inspected, Replaced},
};
use dockline_model::SettingsFile;
use serde::{Deserialize, Serialize};
use settle::settle;
use std::{
    io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// An intent, and the change it meant when the person agreed to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreed {
    /// What should hold.
    pub intent: Intent,
    /// Of the file the person saw the plan of.
    pub before: Fingerprint,
    /// Of the file as that plan leaves it.
    pub after: Fingerprint,
}

/// What came of one intent of [`apply`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The file was right already.
    AlreadySatisfied,
    /// A new file took the old one's place, or was made, or the old one was removed.
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
    /// The interrupted change had not begun, or not touched any file yet.
    NotBegun,
    /// The interrupted change was complete.
    Complete,
    /// Some of it was done; all files have their old contents again.
    Reverted,
    /// Somebody else wrote a file since. It is left alone; the change's other files have their old contents again.
    Foreign {
        /// Where the contents from before the interrupted change are, if the file could have been half written
        /// when the other program read it.
        kept: Option<PathBuf>,
    },
}

/// Reads the file and plans. Nothing is written.
///
/// # Errors
/// [`EditError::Refused`], [`EditError::NotRegular`], [`EditError::Read`], [`EditError::Journal`].
pub fn plan(paths: &Paths, intent: &Intent) -> Result<Plan, EditError> {
    let applied = journal::applied(&paths.journal)?;
    let path = placed(paths, intent, &applied)?;
    plan_from(paths, &path, intent, &applied, &inspect(&path, intent.file())?)
}

/// The file an intent is about, its contents now, and as they would be.
pub(crate) struct Contents {
    pub path: PathBuf,
    pub before: Option<Vec<u8>>,
    pub after: Option<Vec<u8>>,
}

/// See [`Contents`]. Nothing is written.
pub(crate) fn contents(paths: &Paths, intent: &Intent) -> Result<Contents, EditError> {
    let applied = journal::applied(&paths.journal)?;
    let path = placed(paths, intent, &applied)?;
    let found = inspect(&path, intent.file())?;
    let plan = plan_from(paths, &path, intent, &applied, &found)?;
    Ok(Contents { path, before: found.contents, after: plan.contents })
}

/// What was applied through these paths and not undone since, oldest first.
///
/// # Errors
/// [`EditError::Journal`], [`EditError::JournalInvalid`].
pub fn applied(paths: &Paths) -> Result<Vec<Applied>, EditError> {
    journal::applied(&paths.journal)
}

/// Carries out all of `agreed`, or nothing, if each still means the change that was agreed to.
///
/// # Errors
/// Any [`EditError`]; [`EditError::Changed`] if a fingerprint differs.
pub fn apply(paths: &Paths, agreed: &[Agreed]) -> Result<Vec<Outcome>, EditError> {
    let journal = Journal::open(paths)?;
    settle(paths, &journal)?;
    let mut ids: Vec<String> = agreed.iter().map(|agreed| agreed.intent.id()).collect();
    ids.sort();
    ids.dedup();
    if ids.len() != agreed.len() || agreed.len() > MOST_FILES {
        return Err(EditError::Unreasonable);
    }
    let already = journal.applied()?;
    let mut record = Record { files: Vec::new(), applied: already.clone() };
    let mut copies = Vec::new();
    // Which of the record's files belongs to which intent.
    let mut places = Vec::new();
    for agreed in agreed {
        let (file, copy) = match checked_plan(paths, agreed, &already, &mut record.applied)? {
            Some(planned) => planned,
            None => {
                places.push(None);
                continue;
            }
        };
        places.push(Some(record.files.len()));
        record.files.push(file);
        copies.push(copy);
    }
    if record.files.is_empty() && record.applied == already {
        return Ok(vec![Outcome::AlreadySatisfied; agreed.len()]);
    }
    journal.begin(&record, &copies)?;
    let written = write_all(&journal, &mut record, &copies);
    if written.is_err() {
        // Half of it after a full disk is put back now rather than at the next start.
        settle(paths, &journal)?;
    }
    let outcomes = written?;
    finish(&journal, &record)?;
    Ok(places
        .into_iter()
        .map(|place| place.map_or(Outcome::AlreadySatisfied, |index| outcomes[index]))
        .collect())
}

/// Plans again what was agreed to; `None` if the file is right already. Notes in `applied` what will be Dockline's.
fn checked_plan(
    paths: &Paths,
    agreed: &Agreed,
    already: &[Applied],
    applied: &mut Vec<Applied>,
) -> Result<Option<(FileRecord, Copies)>, EditError> {
    let Agreed { intent, before, after } = agreed;
    let path = placed(paths, intent, already)?;
    let found = inspect(&path, intent.file())?;
    let plan = plan_from(paths, &path, intent, already, &found)?;
    if !(plan.satisfied && plan.after == *after) {
        for (expected, found) in [(before, &plan.before), (after, &plan.after)] {
            if expected != found {
                return Err(changed(&path, intent, expected, found.clone()));
            }
        }
    }
    let earlier = recorded(already, &path, intent);
    // The record says which folders went with the file; only those that lead to it are Dockline's to remove.
    let mut earlier_folders = earlier.map(|entry| entry.made_folders.clone()).unwrap_or_default();
    earlier_folders.retain(|folder| settle::leads_to(folder, &path));
    let made_folders = match plan.contents {
        Some(_) => write::missing_folders(&path),
        None => Vec::new(),
    };
    applied.retain(|entry| earlier != Some(entry));
    if !plan.owned.is_empty() {
        let kept = [earlier_folders.clone(), made_folders.clone()].concat();
        applied.push(match earlier {
            Some(entry) if plan.satisfied => Applied { owned: plan.owned.clone(), ..entry.clone() },
            Some(_) | None => Applied {
                intent: intent.clone(),
                path: path.clone(),
                owned: plan.owned.clone(),
                made_folders: kept,
                at: now(),
            },
        });
    }
    if plan.satisfied {
        return Ok(None);
    }
    let removed_folders = if plan.contents.is_none() { earlier_folders } else { Vec::new() };
    let method = if found.in_place_because.is_some() { Method::InPlace } else { Method::Replace };
    let file = FileRecord {
        intent: intent.clone(),
        path,
        before: plan.before,
        after: plan.after,
        method,
        made_folders,
        removed_folders,
    };
    Ok(Some((file, Copies { before: found.contents, after: plan.contents })))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Whether a change was interrupted, so that [`recover`] has something to do. Needs no special rights.
#[must_use]
pub fn pending(paths: &Paths) -> bool {
    journal::has_record(&paths.journal)
}

/// Finishes or takes back what a crash interrupted.
///
/// # Errors
/// [`EditError::Journal`], [`EditError::JournalInvalid`], [`EditError::JournalMisplaced`], [`EditError::Read`],
/// [`EditError::Write`].
pub fn recover(paths: &Paths) -> Result<Recovery, EditError> {
    if !paths.journal.exists() {
        return Ok(Recovery::NothingToDo);
    }
    settle(paths, &Journal::open(paths)?)
}

/// The file, if these paths may be used to change it.
fn checked_file(paths: &Paths, intent: &Intent) -> Result<PathBuf, EditError> {
    let is_plain = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let is_reasonable = match intent {
        Intent::ColimaYaml { profile, .. } => is_plain(profile),
        Intent::Hosts { .. }
        | Intent::DaemonJson { .. }
        | Intent::RegistryHosts { .. }
        | Intent::RegistryCertificate { .. }
        | Intent::SystemTrust { .. }
        | Intent::RegistriesConf { .. }
        | Intent::BuilderConfig { .. }
        | Intent::RancherProvisioning { .. } => true,
    };
    if intent.scope() != paths.scope || !is_reasonable {
        return Err(EditError::Unreasonable);
    }
    let path = paths.file(intent);
    match paths.objection(intent) {
        Some(reason) => Err(EditError::Refused { path, file: intent.file(), reason }),
        None => Ok(path),
    }
}

/// The file that an intent is about. Where colima has its folder is known best while it runs, and an undo may come later.
fn placed(paths: &Paths, intent: &Intent, applied: &[Applied]) -> Result<PathBuf, EditError> {
    let path = checked_file(paths, intent)?;
    let is_colimas_undo = matches!(intent, Intent::ColimaYaml { .. }) && *intent == intent.nothing();
    let is_there = |entry: &&Applied| entry.intent.id() == intent.id() && entry.path.exists();
    let recorded = applied.iter().find(is_there).filter(|_| is_colimas_undo);
    Ok(recorded.map_or(path, |entry| entry.path.clone()))
}

/// What the record says of the file.
fn recorded<'a>(applied: &'a [Applied], path: &Path, intent: &Intent) -> Option<&'a Applied> {
    let mut of_it = applied.iter().filter(|entry| entry.is_of(path, intent));
    of_it.clone().find(|entry| entry.path == path).or_else(|| of_it.next())
}

fn plan_from(
    paths: &Paths,
    path: &Path,
    intent: &Intent,
    applied: &[Applied],
    found: &Found,
) -> Result<Plan, EditError> {
    let path = path.to_owned();
    if found.contents.is_none() && matches!(intent, Intent::Hosts { .. }) {
        // A machine without one is broken in ways that are not Dockline's to mend.
        return Err(EditError::Read { path, source: io::ErrorKind::NotFound.into() });
    }
    let owned = recorded(applied, &path, intent).map(|entry| entry.owned.as_slice()).unwrap_or_default();
    let planned = intent.plan(&path, owned, found.contents.as_deref());
    let mut plan =
        planned.map_err(|reason| EditError::Refused { path: path.clone(), file: intent.file(), reason })?;
    if let Some(reason) = found.in_place_because.filter(|_| !plan.satisfied) {
        plan.in_place_note = Some(format!(
            "{} is written in place because {reason}; a copy is kept in {} until that is done.",
            path.display(),
            paths.journal.display()
        ));
    }
    Ok(plan)
}

fn inspect(path: &Path, file: SettingsFile) -> Result<Found, EditError> {
    match write::inspect(path) {
        Ok(Inspected::File(found)) => Ok(found),
        Ok(Inspected::NotRegular(what)) => Err(EditError::NotRegular { path: path.to_owned(), file, what }),
        Err(source) => Err(EditError::Read { path: path.to_owned(), source }),
    }
}

fn write_all(journal: &Journal, record: &mut Record, copies: &[Copies]) -> Result<Vec<Outcome>, EditError> {
    (0..record.files.len())
        .map(|index| write_one(journal, record, index, copies[index].after.as_deref()))
        .collect()
}

fn write_one(
    journal: &Journal,
    record: &mut Record,
    index: usize,
    after: Option<&[u8]>,
) -> Result<Outcome, EditError> {
    let file = record.files[index].clone();
    let failed = |source| EditError::Write { path: file.path.clone(), source };
    write::make_folders(&file.made_folders).map_err(failed)?;
    let replaced = match (file.method, after) {
        (Method::InPlace, Some(_)) if !file.before.is_absent() => Replaced::Impossible,
        (Method::InPlace | Method::Replace, _) => {
            write::replace(&file.path, &file.before, after).map_err(failed)?
        }
    };
    let (replaced, outcome) = match (replaced, after) {
        (Replaced::Impossible, Some(bytes)) => {
            journal.switch(record, index, Method::InPlace)?;
            let written = write::overwrite(&file.path, &file.before, bytes).map_err(failed)?;
            if written == Replaced::Changed {
                // Nothing was written, so what is there now is no half of ours, however it may look.
                journal.switch(record, index, Method::Replace)?;
            }
            (written, Outcome::Rewritten)
        }
        (replaced, _) => (replaced, Outcome::Replaced),
    };
    if replaced != Replaced::Yes {
        let found = Fingerprint::of(inspect(&file.path, file.intent.file())?.contents.as_deref());
        return Err(changed(&file.path, &file.intent, &file.before, found));
    }
    match Fingerprint::of(inspect(&file.path, file.intent.file())?.contents.as_deref()) {
        found if found == file.after => Ok(outcome),
        found => Err(changed(&file.path, &file.intent, &file.after, found)),
    }
}

/// What is left to do when every file has its new contents. May be done twice.
fn finish(journal: &Journal, record: &Record) -> Result<(), EditError> {
    for file in &record.files {
        remove_folders(file, &file.removed_folders)?;
    }
    journal.adopt_applied(&record.applied)?;
    journal.clear()
}

fn remove_folders(file: &FileRecord, folders: &[PathBuf]) -> Result<(), EditError> {
    let failed = |source| EditError::Write { path: file.path.clone(), source };
    folders.iter().rev().try_for_each(|folder| write::remove_folder(folder)).map_err(failed)
}

fn changed(path: &Path, intent: &Intent, expected: &Fingerprint, found: Fingerprint) -> EditError {
    EditError::Changed { path: path.to_owned(), file: intent.file(), expected: expected.clone(), found }
}

#[cfg(test)]
mod tests;

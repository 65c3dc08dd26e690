//! Settling a change that was interrupted: finished if it was complete, taken back if not.

use super::{Recovery, checked_file, finish, remove_folders};
use crate::{
    EditError, Fingerprint, Paths,
    journal::{Applied, Begun, Copies, FileRecord, Journal, MOST_FILES, Method, Record},
    write::{self, Found, Inspected, Replaced},
};
use std::path::Path;

/// Brings the files and the journal in step; there is no record afterwards.
pub fn settle(paths: &Paths, journal: &Journal) -> Result<Recovery, EditError> {
    let Some(Begun { mut record, copies }) = journal.read()? else {
        journal.clear()?;
        return Ok(Recovery::NothingToDo);
    };
    check(paths, &record)?;
    let (mut standings, mut founds) = (Vec::new(), Vec::new());
    for (file, copies) in record.files.iter().zip(&copies) {
        write::discard_temporary(&file.path)
            .map_err(|source| EditError::Write { path: file.path.clone(), source })?;
        let found = inspect_loosely(&file.path)?;
        founds.push(Fingerprint::of(found.as_ref().and_then(|found| found.contents.as_deref())));
        standings.push(standing(file, copies, &found));
    }
    if standings.iter().all(|standing| *standing == Standing::After) {
        return finish(journal, &record).map(|()| Recovery::Complete);
    }
    let mut recovery = match standings.iter().all(|standing| *standing == Standing::Before) {
        true => Recovery::NotBegun,
        false => Recovery::Reverted,
    };
    let mut applied = journal.applied()?;
    // In reverse, so that folders are empty when their turn comes.
    for index in (0..record.files.len()).rev() {
        let before = copies[index].before.as_deref();
        match standings[index] {
            Standing::Before => {}
            Standing::After | Standing::Half => {
                put_back(journal, &mut record, index, &founds[index], before)?
            }
            Standing::Foreign => {
                let file = &record.files[index];
                let kept = match (file.method, before) {
                    (Method::InPlace, Some(before)) => Some(journal.keep_before(file, before)?),
                    (Method::InPlace | Method::Replace, _) => None,
                };
                recovery = Recovery::Foreign { kept };
                // What of ours the other program took over must still be found by an undo.
                let is_same = |entry: &&Applied| entry.is_of(&file.path, &file.intent);
                if let Some(entry) = record.applied.iter().find(is_same) {
                    applied.retain(|entry| !is_same(&entry));
                    applied.push(entry.clone());
                }
            }
        }
        let file = &record.files[index];
        if standings[index] != Standing::Foreign {
            remove_folders(file, &file.made_folders)?;
        }
    }
    if applied != journal.applied()? {
        journal.adopt_applied(&applied)?;
    }
    journal.clear().map(|()| recovery)
}

/// A record is believed only of the files that its intents are about here: whoever got one into the journal could name any
/// file of the machine otherwise.
fn check(paths: &Paths, record: &Record) -> Result<(), EditError> {
    let misplaced =
        |file: &Path| EditError::JournalMisplaced { path: paths.journal.clone(), file: file.to_owned() };
    for (index, file) in record.files.iter().enumerate() {
        // Elsewhere the journal is its owner's alone, and where an engine's settings are may have been told to whoever
        // began the change, by an environment or by the engine.
        let may_be_told = cfg!(unix) && !matches!(file.intent, crate::Intent::Hosts { .. });
        let is_its_own = may_be_told || checked_file(paths, &file.intent).is_ok_and(|path| path == file.path);
        if !is_its_own || index >= MOST_FILES {
            return Err(misplaced(&file.path));
        }
        let mut folders = file.made_folders.iter().chain(&file.removed_folders);
        if let Some(folder) = folders.find(|folder| !leads_to(folder, &file.path)) {
            return Err(misplaced(folder));
        }
    }
    Ok(())
}

/// Whether the file is somewhere below the folder.
pub fn leads_to(folder: &Path, file: &Path) -> bool {
    folder != file && file.starts_with(folder)
}

/// How a file stands to a change that was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Before,
    After,
    /// Written over in part.
    Half,
    Foreign,
}

/// The contents as far as a file stands there: what somebody put in its place since is foreign, whatever it is.
fn inspect_loosely(path: &Path) -> Result<Option<Found>, EditError> {
    match write::inspect(path) {
        Ok(Inspected::File(found)) => Ok(Some(found)),
        Ok(Inspected::NotRegular(_)) => Ok(None),
        Err(source) => Err(EditError::Read { path: path.to_owned(), source }),
    }
}

fn standing(file: &FileRecord, copies: &Copies, found: &Option<Found>) -> Standing {
    let Some(found) = found else { return Standing::Foreign };
    let current = found.contents.as_deref();
    if current == copies.before.as_deref() {
        Standing::Before
    } else if current == copies.after.as_deref() {
        Standing::After
    } else {
        match (file.method, current, &copies.before, &copies.after) {
            (Method::InPlace, Some(current), Some(before), Some(after))
                if is_half_written(current, before, after) =>
            {
                Standing::Half
            }
            (Method::InPlace | Method::Replace, ..) => Standing::Foreign,
        }
    }
}

fn put_back(
    journal: &Journal,
    record: &mut Record,
    index: usize,
    found: &Fingerprint,
    before: Option<&[u8]>,
) -> Result<(), EditError> {
    let file = record.files[index].clone();
    let failed = |source| EditError::Write { path: file.path.clone(), source };
    let replaced = match (file.method, before) {
        (Method::InPlace, Some(_)) if !file.after.is_absent() => Replaced::Impossible,
        (Method::InPlace | Method::Replace, _) => {
            write::replace(&file.path, &file.after, before).map_err(failed)?
        }
    };
    match (replaced, before) {
        // Changed in the instant since it was looked at: it is somebody else's now.
        (Replaced::Yes | Replaced::Changed, _) | (Replaced::Impossible, None) => Ok(()),
        (Replaced::Impossible, Some(before)) => {
            if file.method == Method::Replace {
                journal.switch(record, index, Method::InPlace)?;
            }
            write::overwrite(&file.path, found, before).map(drop).map_err(failed)
        }
    }
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

//! The record of a change, written before it begins and removed when it is complete.
//!
//! A folder with the file's bytes before and after, and `change.json`, which is written last: while that exists a
//! change may be half done. A lock file keeps two writers apart; the system drops the lock when its holder dies.

use crate::{EditError, Intent, Sha256, write};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// How the file is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A new file takes its place: it is the old one or the new one at every moment.
    Replace,
    /// Written over: it may be half written.
    InPlace,
}

/// `change.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// What was wanted.
    pub intent: Intent,
    /// Hash of the bytes in `before`.
    pub before: Sha256,
    /// Hash of the bytes in `after`.
    pub after: Sha256,
    /// How.
    pub method: Method,
}

/// A change that was begun and not completed.
#[derive(Debug)]
pub struct Begun {
    /// What is known of it.
    pub record: Record,
    /// The whole file as it was.
    pub before: Vec<u8>,
    /// The whole file as it was to be.
    pub after: Vec<u8>,
}

const RECORD: &str = "change.json";
const NEW_RECORD: &str = "change.json.new";
const BEFORE: &str = "before";
const AFTER: &str = "after";

/// The journal, locked for as long as this lives.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    _lock: File,
}

/// Whether there is a record, without taking the lock.
pub fn has_record(folder: &Path) -> bool {
    folder.join(RECORD).exists()
}

impl Journal {
    /// Makes the folder if need be and waits for the lock.
    pub fn open(folder: &Path) -> Result<Self, EditError> {
        let failed = |source| EditError::Journal { path: folder.to_owned(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let path = folder.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        Ok(Self { folder: folder.to_owned(), _lock: lock })
    }

    /// Puts everything on the disk that [`Self::read`] needs.
    pub fn begin(&self, record: &Record, before: &[u8], after: &[u8]) -> Result<(), EditError> {
        let write_all = || {
            write_synced(&self.folder.join(BEFORE), before)?;
            write_synced(&self.folder.join(AFTER), after)?;
            self.write_record(record)
        };
        write_all().map_err(|source| self.failed(source))
    }

    /// Notes that the file is going to be written in place after all.
    pub fn switch_to_in_place(&self, record: &Record) -> Result<(), EditError> {
        let record = Record { method: Method::InPlace, ..record.clone() };
        self.write_record(&record).map_err(|source| self.failed(source))
    }

    fn write_record(&self, record: &Record) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(record).map_err(io::Error::other)?;
        let temporary = self.folder.join(NEW_RECORD);
        write_synced(&temporary, &json)?;
        fs::rename(&temporary, self.folder.join(RECORD))?;
        write::sync_folder(&self.folder)
    }

    /// The interrupted change, if there is one.
    pub fn read(&self) -> Result<Option<Begun>, EditError> {
        let json = match fs::read(self.folder.join(RECORD)) {
            Ok(json) => json,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        let record: Record = serde_json::from_slice(&json)
            .map_err(|source| EditError::JournalInvalid { path: self.folder.clone(), source })?;
        let bytes = |name: &str, hash: &Sha256| {
            let bytes = fs::read(self.folder.join(name)).map_err(|source| self.failed(source))?;
            if Sha256::of(&bytes) == *hash {
                Ok(bytes)
            } else {
                Err(self
                    .failed(io::Error::new(io::ErrorKind::InvalidData, "its copy of the file is damaged")))
            }
        };
        let (before, after) = (bytes(BEFORE, &record.before)?, bytes(AFTER, &record.after)?);
        Ok(Some(Begun { record, before, after }))
    }

    /// Forgets the change: it is complete, or it has been taken back.
    pub fn clear(&self) -> Result<(), EditError> {
        let remove = || {
            // The record first: without it the copies mean nothing.
            for name in [RECORD, NEW_RECORD, BEFORE, AFTER] {
                match fs::remove_file(self.folder.join(name)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                }
            }
            write::sync_folder(&self.folder)
        };
        remove().map_err(|source| self.failed(source))
    }

    /// Keeps the bytes from before the change under a name of their own, where [`Self::clear`] leaves them.
    pub fn keep_before(&self, record: &Record) -> Result<PathBuf, EditError> {
        let kept = self.folder.join(format!("kept-{}", &record.before.as_str()[..12]));
        fs::copy(self.folder.join(BEFORE), &kept).map_err(|source| self.failed(source))?;
        Ok(kept)
    }

    fn failed(&self, source: io::Error) -> EditError {
        EditError::Journal { path: self.folder.clone(), source }
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

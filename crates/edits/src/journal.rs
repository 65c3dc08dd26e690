//! The record of a change, written before it begins and removed when it is complete; and the record of what was applied,
//! which stays until it is undone.
//!
//! One folder. `change.json` names the files of one change (all of them are changed, or none), and is written after the
//! copies of their bytes before and after: while it exists a change may be half done. `applied.json` lists what
//! Dockline has added to which file; its next version lies beside it before the change begins, so that completing a
//! change takes no more room on the disk. A lock file keeps two writers apart; the system drops the lock when its holder
//! dies.

use crate::{EditError, Fingerprint, Intent, Paths, daemon_json::Daemon, write::Folder};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
};

/// How a file is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A new file takes its place: it is the old one or the new one at every moment.
    Replace,
    /// Written over: it may be half written.
    InPlace,
}

/// One file of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FileRecord {
    /// What was wanted.
    pub intent: Intent,
    /// Which file. Worked out by the writer of this record, not by whoever asked for the change.
    pub path: PathBuf,
    /// Of its contents before.
    pub before: Fingerprint,
    /// Of its contents after.
    pub after: Fingerprint,
    /// How it is written.
    pub method: Method,
    /// Folders that are made for it, outermost first.
    pub made_folders: Vec<PathBuf>,
    /// Folders that were made for it once and that go with it, outermost first.
    pub removed_folders: Vec<PathBuf>,
}

/// `change.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Record {
    /// The files, in the order in which they are written.
    pub files: Vec<FileRecord>,
    /// `applied.json` as it will be.
    pub applied: Vec<Applied>,
}

/// An entry of `applied.json`: what Dockline has put into one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Applied {
    /// What was wanted.
    pub intent: Intent,
    /// Which file.
    pub path: PathBuf,
    /// What in it is Dockline's.
    pub owned: Vec<String>,
    /// Folders that were made for it, outermost first.
    pub made_folders: Vec<PathBuf>,
    /// When, in milliseconds since 1970.
    pub at: u64,
}

impl Applied {
    /// Whether this is about an intent's file, which is at `path` now. Two kinds of file move with all that is in them: the
    /// snap's, to the folder of each new revision, and colima's, when a person moves its folder.
    pub fn is_of(&self, path: &Path, intent: &Intent) -> bool {
        let has_moved = match intent {
            Intent::DaemonJson { daemon: Daemon::Snap, .. } => true,
            Intent::ColimaYaml { .. } => !self.path.exists(),
            Intent::Hosts { .. }
            | Intent::DaemonJson { .. }
            | Intent::RegistryHosts { .. }
            | Intent::RegistryCertificate { .. }
            | Intent::SystemTrust { .. }
            | Intent::RegistriesConf { .. }
            | Intent::BuilderConfig { .. }
            | Intent::RancherProvisioning { .. } => false,
        };
        self.intent.id() == intent.id() && (self.path == path || has_moved)
    }
}

/// The bytes of a file before and after; `None` is no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copies {
    /// The whole file as it was.
    pub before: Option<Vec<u8>>,
    /// The whole file as it is to be.
    pub after: Option<Vec<u8>>,
}

/// A change that was begun and not completed.
#[derive(Debug)]
pub struct Begun {
    /// What is known of it.
    pub record: Record,
    /// For each of its files.
    pub copies: Vec<Copies>,
}

const RECORD: &str = "change.json";
const NEW_RECORD: &str = "change.json.new";
const APPLIED: &str = "applied.json";
const NEW_APPLIED: &str = "applied.json.new";
const LOG: &str = "log";

/// More files than this in one change is nothing that Dockline asks for.
pub const MOST_FILES: usize = 64;

fn copy_name(which: &str, index: usize) -> String {
    format!("{which}-{index}")
}

/// The journal, locked for as long as this lives.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    folder: Folder,
    _lock: File,
}

/// Whether there is a record, without taking the lock.
pub fn has_record(folder: &Path) -> bool {
    folder.join(RECORD).exists()
}

/// What was applied and not undone, without taking the lock. A change that is under way is not seen.
pub fn applied(path: &Path) -> Result<Vec<Applied>, EditError> {
    match Folder::open(path) {
        Ok(folder) => read_applied(path, &folder),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(EditError::Journal { path: path.to_owned(), source }),
    }
}

fn read_applied(path: &Path, folder: &Folder) -> Result<Vec<Applied>, EditError> {
    let failed = |source| EditError::Journal { path: path.to_owned(), source };
    match folder.read(APPLIED).map_err(failed)? {
        None => Ok(Vec::new()),
        Some(json) => serde_json::from_slice(&json)
            .map_err(|source| EditError::JournalInvalid { path: path.to_owned(), source }),
    }
}

impl Journal {
    /// Makes the folder if need be and waits for the lock.
    pub fn open(paths: &Paths) -> Result<Self, EditError> {
        let path = paths.journal.as_path();
        let failed = |source| EditError::Journal { path: path.to_owned(), source };
        let folder = Folder::of_journal(path, paths.journal_is_system()).map_err(failed)?;
        let lock = folder.lock_file("lock").map_err(failed)?;
        lock.lock().map_err(failed)?;
        if paths.journal_is_system() {
            folder.publish(APPLIED).map_err(failed)?;
        }
        Ok(Self { path: path.to_owned(), folder, _lock: lock })
    }

    /// What was applied and not undone.
    pub fn applied(&self) -> Result<Vec<Applied>, EditError> {
        read_applied(&self.path, &self.folder)
    }

    /// Puts everything on the disk that [`Self::read`] needs.
    pub fn begin(&self, record: &Record, copies: &[Copies]) -> Result<(), EditError> {
        let write_all = || {
            for (index, copies) in copies.iter().enumerate() {
                for (which, bytes) in [("before", &copies.before), ("after", &copies.after)] {
                    if let Some(bytes) = bytes {
                        self.folder.write(&copy_name(which, index), bytes, false)?;
                    }
                }
            }
            let applied = serde_json::to_vec_pretty(&record.applied).map_err(io::Error::other)?;
            self.folder.write(NEW_APPLIED, &applied, true)?;
            self.write_record(record)
        };
        let written = write_all();
        if written.is_err() && !has_record(&self.path) {
            // A full disk. What was written so far means nothing; the next change would clear it too.
            drop(self.clear());
        }
        written.map_err(|source| self.failed(source))
    }

    /// Notes how a file is going to be written after all.
    pub fn switch(&self, record: &mut Record, index: usize, method: Method) -> Result<(), EditError> {
        record.files[index].method = method;
        self.write_record(record).map_err(|source| self.failed(source))
    }

    fn write_record(&self, record: &Record) -> io::Result<()> {
        let json = serde_json::to_vec_pretty(record).map_err(io::Error::other)?;
        self.folder.write(NEW_RECORD, &json, false)?;
        self.folder.rename(NEW_RECORD, RECORD)
    }

    /// The interrupted change, if there is one.
    pub fn read(&self) -> Result<Option<Begun>, EditError> {
        let read = |name: &str| self.folder.read(name).map_err(|source| self.failed(source));
        let Some(json) = read(RECORD)? else { return Ok(None) };
        let record: Record = serde_json::from_slice(&json)
            .map_err(|source| EditError::JournalInvalid { path: self.path.clone(), source })?;
        let bytes = |which: &str, index: usize, fingerprint: &Fingerprint| {
            if fingerprint.is_absent() {
                return Ok(None);
            }
            let bytes = read(&copy_name(which, index))?;
            if Fingerprint::of(bytes.as_deref()) == *fingerprint {
                Ok(bytes)
            } else {
                Err(self.failed(io::Error::new(io::ErrorKind::InvalidData, "its copy of a file is damaged")))
            }
        };
        let copies = record.files.iter().enumerate().map(|(index, file)| {
            let (before, after) =
                (bytes("before", index, &file.before)?, bytes("after", index, &file.after)?);
            Ok(Copies { before, after })
        });
        let copies = copies.collect::<Result<_, _>>()?;
        Ok(Some(Begun { record, copies }))
    }

    /// Makes the record's list of what was applied the current one.
    pub fn adopt_applied(&self, applied: &[Applied]) -> Result<(), EditError> {
        let adopt = || {
            let json = serde_json::to_vec_pretty(applied).map_err(io::Error::other)?;
            match (self.folder.read(NEW_APPLIED)?, self.folder.read(APPLIED)?) {
                // Adopted before the crash.
                (_, Some(current)) if current == json => return Ok(()),
                (Some(new), _) if new == json => {}
                _ => self.folder.write(NEW_APPLIED, &json, true)?,
            }
            self.folder.rename(NEW_APPLIED, APPLIED)
        };
        adopt().map_err(|source| self.failed(source))
    }

    /// Forgets the change: it is complete, or it has been taken back.
    pub fn clear(&self) -> Result<(), EditError> {
        let remove = || {
            // The record first: without it the copies mean nothing.
            self.folder.remove(RECORD)?;
            self.folder.remove(NEW_RECORD)?;
            self.folder.remove(NEW_APPLIED)?;
            // They are numbered from 0 without a gap, though one of a pair may be absent. From the last one backwards,
            // so that this holds for what a crash leaves in the middle of it.
            let is_there = |index: &usize| {
                ["before", "after"].iter().any(|which| {
                    self.folder.read(&copy_name(which, *index)).is_ok_and(|bytes| bytes.is_some())
                })
            };
            let count = (0..MOST_FILES).take_while(is_there).count();
            for index in (0..count).rev() {
                self.folder.remove(&copy_name("before", index))?;
                self.folder.remove(&copy_name("after", index))?;
            }
            self.folder.sync()
        };
        remove().map_err(|source| self.failed(source))
    }

    /// Keeps the bytes from before the change under a name of their own, where [`Self::clear`] leaves them.
    pub fn keep_before(&self, file: &FileRecord, before: &[u8]) -> Result<PathBuf, EditError> {
        let name = format!("kept-{}", &file.before.as_str()[..12]);
        self.folder.write(&name, before, false).map_err(|source| self.failed(source))?;
        Ok(self.path.join(name))
    }

    /// Adds a line to the log that administrators read.
    pub fn log(&self, line: &str) -> Result<(), EditError> {
        self.folder.append(LOG, line.as_bytes()).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> EditError {
        EditError::Journal { path: self.path.clone(), source }
    }
}

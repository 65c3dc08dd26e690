//! The unfinished file of a pull: beside its target, so that it can be renamed into place, under a name that the same
//! pull finds again after a kill.
//!
//! A journal beside it says how much of each blob is there. It is no proof: what it says is hashed again before it is
//! built upon. A pull that lives holds the file's lock.
//!
//! The names can be guessed, and the folder may be one that others write in, as /tmp is: what bears such a name is
//! written to only if it is ours.

mod own;
mod place;

use crate::{Digest, FileOperation, RegistryError};
use std::{
    collections::HashMap,
    fs::{File, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::task::JoinHandle;

const PART: &str = ".part";
const JOURNAL: &str = ".part-journal";
/// Bytes that are read or written at once.
const BUFFER: usize = 256 << 10;

/// See the module. Unless it is kept, or stays, it goes with its owner.
#[derive(Debug)]
pub(super) struct Part {
    contents: Contents,
    journal: Mutex<File>,
    journal_path: PathBuf,
    /// How much of each blob was there.
    known: HashMap<usize, u64>,
    stays: bool,
    /// Whether it stays for the next try, which finds it unlocked, when it is dropped now.
    pub(super) may_stay: Arc<AtomicBool>,
}

/// What is in the file, by the one handle that holds its lock: on Windows that keeps every other handle out, of this
/// process as well (`LockFileEx`). A handle has one place where it reads and writes, so one does at a time.
#[derive(Debug, Clone)]
pub(super) struct Contents {
    path: Arc<Path>,
    /// `None` once the pull is over, whoever was still writing.
    file: Arc<Mutex<Option<File>>>,
}

/// Writes to the file from one place on, while the next bytes arrive.
#[derive(Debug)]
pub(super) struct Writer {
    contents: Contents,
    at: u64,
    buffer: Vec<u8>,
    /// What is being written; gives its buffer back.
    pending: Option<JoinHandle<io::Result<Vec<u8>>>>,
}

impl Part {
    /// The unfinished file of `target`, `length` bytes long, with everything in it that is known: `pieces`, with their
    /// places. What an earlier pull of the same was killed over is taken up. Blocks.
    pub(super) fn open(target: &Path, pieces: &[(u64, Vec<u8>)], length: u64) -> Result<Self, RegistryError> {
        let (folder, prefix) = (own::folder(target), own::prefix(target));
        // The same layout is the same image in the same format.
        let layout: Vec<u8> = pieces
            .iter()
            .flat_map(|(at, bytes)| at.to_le_bytes().into_iter().chain(bytes.iter().copied()))
            .chain(length.to_le_bytes())
            .collect();
        let name = format!("{prefix}{}", Digest::of(&layout).short());
        remove_abandoned(folder, &prefix, Some(&name));
        Self::open_as(target, &folder.join(name), pieces, length).map_err(|source| failed(target, source))
    }

    fn open_as(target: &Path, first: &Path, pieces: &[(u64, Vec<u8>)], length: u64) -> io::Result<Self> {
        let mut number = 0;
        let (path, mut file, journal_path, mut journal) = loop {
            // Another pull of the same that lives has the first name, or somebody has put something else there.
            let mut path = first.as_os_str().to_owned();
            path.push(if number == 0 { PART.to_owned() } else { format!("-{number}{PART}") });
            let path = PathBuf::from(path);
            let Some(file) = own::open(&path, target)? else {
                number += 1;
                continue;
            };
            match file.try_lock() {
                // It may have been renamed into place since it was opened.
                Ok(()) if !path.exists() => continue,
                Err(TryLockError::WouldBlock) => {
                    number += 1;
                    continue;
                }
                // A filesystem without locks: there nothing is removed either.
                Err(TryLockError::Error(error)) if error.kind() != io::ErrorKind::Unsupported => {
                    return Err(error);
                }
                Ok(()) | Err(TryLockError::Error(_)) => {}
            }
            let journal_path = path.with_extension(&JOURNAL[1..]);
            if let Some(journal) = own::open(&journal_path, target)? {
                break (path, file, journal_path, journal);
            }
            remove(&path);
            number += 1;
        };
        let mut known = HashMap::new();
        if file.metadata()?.len() == length {
            let mut notes = Vec::new();
            journal.read_to_end(&mut notes)?;
            for line in String::from_utf8_lossy(&notes).lines() {
                if let Some((blob, bytes)) = line.split_once(' ')
                    && let (Ok(blob), Ok(bytes)) = (blob.parse(), bytes.parse())
                {
                    known.insert(blob, bytes);
                }
            }
        } else {
            file.set_len(0)?;
            place::make_sparse(&file);
            file.set_len(length)?;
        }
        if known.is_empty() {
            journal.rewind()?;
            journal.set_len(0)?;
        }
        for (offset, bytes) in pieces {
            file.seek(SeekFrom::Start(*offset))?;
            file.write_all(bytes)?;
        }
        let contents = Contents { path: path.into(), file: Arc::new(Mutex::new(Some(file))) };
        Ok(Self {
            contents,
            journal: Mutex::new(journal),
            journal_path,
            known,
            stays: false,
            may_stay: Arc::default(),
        })
    }

    /// What is in the file, to be read and written by whoever fetches a blob.
    pub(super) fn contents(&self) -> Contents {
        self.contents.clone()
    }

    /// How much of a blob an earlier pull left, as its journal has it.
    pub(super) fn known(&self, blob: usize) -> u64 {
        self.known.get(&blob).copied().unwrap_or_default()
    }

    /// Notes that this much of a blob has been written.
    pub(super) fn note(&self, blob: usize, bytes: u64) {
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = journal.write_all(format!("{blob} {bytes}\n").as_bytes()) {
            tracing::debug!(%error, "a pull that is killed now would begin this blob again");
        }
    }

    /// It stays for the next try. Blocks.
    pub(super) fn leave(mut self) {
        self.stays = true;
    }

    /// Renames it into place, if nothing is there. Blocks.
    pub(super) fn keep(mut self, target: &Path) -> Result<(), RegistryError> {
        let is_whole = self.contents.at(0, |file| {
            if let Err(error) = own::make_ordinary(file, target) {
                tracing::warn!(%error, "nobody else can read {}", target.display());
            }
            file.sync_all()
        });
        is_whole.map_err(|source| failed(target, source))?;
        match place::rename(&self.contents.path, target) {
            Ok(()) => {
                remove(&self.journal_path);
                self.stays = true;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(RegistryError::FileExists { path: target.to_owned() })
            }
            Err(source) => {
                // It may have taken hours. The next try finds it, and so does the person.
                self.stays = true;
                let source = io::Error::new(
                    source.kind(),
                    format!("{source}; all of it is in {}", self.contents.path.display()),
                );
                Err(failed(target, source))
            }
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.stays || self.may_stay.load(Ordering::Relaxed) {
            // What is still being written ends first, and what would have been written next does nothing.
            let file = self.contents.file.lock().unwrap_or_else(PoisonError::into_inner).take();
            // Closing it is not enough: a program that is just being started has the lock too, until it is another program
            // (flock(2)).
            if let Some(Err(error)) = file.as_ref().map(File::unlock) {
                tracing::debug!(%error, "an unfinished file stays locked for a moment");
            }
        } else {
            remove(&self.contents.path);
            remove(&self.journal_path);
        }
    }
}

impl Contents {
    /// Feeds what is there from `offset` on to `each`; less than `length` if the file is shorter. Blocks.
    pub(super) fn read(
        &self,
        offset: u64,
        length: u64,
        mut each: impl FnMut(&[u8]),
    ) -> Result<u64, RegistryError> {
        let mut buffer = vec![0; BUFFER];
        let mut total = 0;
        while total < length {
            let most = usize::try_from(length - total).unwrap_or(BUFFER).min(BUFFER);
            let read = self.at(offset + total, |file| file.read(&mut buffer[..most]));
            match read.map_err(|source| failed(&self.path, source))? {
                0 => break,
                read => {
                    each(&buffer[..read]);
                    total += read as u64;
                }
            }
        }
        Ok(total)
    }

    pub(super) fn writer_at(self, offset: u64) -> Writer {
        Writer { contents: self, at: offset, buffer: Vec::new(), pending: None }
    }

    /// Does something to the file at a place in it. Blocks.
    fn at<T>(&self, offset: u64, work: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
        let mut held = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let file = held.as_mut().ok_or_else(|| io::Error::other("the pull is over"))?;
        file.seek(SeekFrom::Start(offset))?;
        work(file)
    }
}

impl Writer {
    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<(), RegistryError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.begin().await } else { Ok(()) }
    }

    /// Has everything written that was given to it so far.
    pub(super) async fn flush(&mut self) -> Result<(), RegistryError> {
        if !self.buffer.is_empty() {
            self.begin().await?;
        }
        self.end().await.map(drop)
    }

    async fn begin(&mut self) -> Result<(), RegistryError> {
        let empty = self.end().await?;
        let mut full = std::mem::replace(&mut self.buffer, empty);
        let (contents, at) = (self.contents.clone(), self.at);
        self.at += full.len() as u64;
        self.pending = Some(tokio::task::spawn_blocking(move || {
            contents.at(at, |file| file.write_all(&full))?;
            full.clear();
            Ok(full)
        }));
        Ok(())
    }

    async fn end(&mut self) -> Result<Vec<u8>, RegistryError> {
        let Some(pending) = self.pending.take() else { return Ok(Vec::with_capacity(BUFFER)) };
        let written = pending.await.map_err(|source| RegistryError::Worker { source })?;
        written.map_err(|source| failed(&self.contents.path, source))
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "an unfinished file stays: {}", path.display());
    }
}

fn failed(path: &Path, source: io::Error) -> RegistryError {
    RegistryError::File { operation: FileOperation::Write, path: path.to_owned(), source }
}

/// Removes what ended pulls to `target` have left unfinished. Blocks.
pub fn remove_parts(target: &Path) {
    remove_abandoned(own::folder(target), &own::prefix(target), None);
}

/// Removes what pulls to the same target left behind that were killed; not that of the `own` name.
fn remove_abandoned(folder: &Path, prefix: &str, own: Option<&str>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_other = name.to_str().is_some_and(|name| {
            let is_own = own.is_some_and(|own| name.starts_with(own));
            name.starts_with(prefix) && name.ends_with(PART) && !is_own
        });
        // Not a pipe: whoever opened that would wait for somebody who writes into it.
        if is_other
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            remove(&entry.path());
            remove(&entry.path().with_extension(&JOURNAL[1..]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        std::fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn parts_of_killed_pulls_are_taken_up_or_go_and_those_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("app.tar");
        let of_another = folder.path().join(format!("{}Abc123.part", own::prefix(Path::new("other.tar"))));
        std::fs::write(&of_another, "x").unwrap();
        let killed = Part::open(&target, &[(0, b"x".to_vec())], 10).unwrap();
        killed.note(3, 5);
        killed.note(3, 7);
        let late = killed.contents();
        killed.leave();
        assert!(late.read(0, 1, |_| ()).is_err(), "who writes on would write into the next pull's file");
        let again = Part::open(&target, &[(0, b"x".to_vec())], 10).unwrap();
        assert_eq!((again.known(3), again.known(2)), (7, 0));
        let second = Part::open(&target, &[(0, b"x".to_vec())], 10).unwrap();
        assert_eq!(second.known(3), 0, "what lives is not shared");
        assert!(again.contents.path.exists() && second.contents.path != again.contents.path);
        again.leave();
        // Another image to the same target: the killed one's file is of no use.
        let other = Part::open(&target, &[(0, b"y".to_vec())], 10).unwrap();
        assert_eq!(other.known(3), 0);
        assert!(second.contents.path.exists(), "a pull that lives keeps its file");
        second.keep(&target).unwrap();
        assert!(matches!(other.keep(&target), Err(RegistryError::FileExists { .. })));
        assert_eq!(names(folder.path()), 2, "the target, and the other target's");
    }

    #[test]
    fn what_cannot_be_put_in_its_place_is_kept_and_named() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("app.tar");
        let part = Part::open(&target, &[(0, b"x".to_vec())], 10).unwrap();
        let path = part.contents.path.clone();
        // As a folder that has gone, or a place on another disk.
        let error = part.keep(&folder.path().join("nowhere/app.tar")).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        assert_eq!(std::fs::read(&path).unwrap().len(), 10);
        let again = Part::open(&target, &[(0, b"x".to_vec())], 10).unwrap();
        assert_eq!(again.contents.path, path, "the next pull does not find it");
        again.keep(&target).unwrap();
        assert_eq!(names(folder.path()), 1);
    }
}

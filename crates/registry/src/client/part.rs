//! The unfinished file of a pull: beside its target, so that it can be renamed into place, under a name that the same
//! pull finds again after a kill.
//!
//! A journal beside it says how much of each blob is there. It is no proof: what it says is hashed again before it is
//! built upon. A pull that lives holds the file's lock.

use crate::{Digest, FileOperation, RegistryError};
use std::{
    collections::HashMap,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

const PART: &str = ".part";
const JOURNAL: &str = ".part-journal";

/// See the module. Unless it is kept, it goes with its owner.
#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    /// Holds the lock.
    file: File,
    journal: Mutex<File>,
    journal_path: PathBuf,
    /// How much of each blob was there.
    known: HashMap<usize, u64>,
    stays: bool,
}

impl Part {
    /// The unfinished file of `target`, `length` bytes long, with everything in it that is known: `pieces`, with their
    /// places. What an earlier pull of the same was killed over is taken up. Blocks.
    pub(super) fn open(target: &Path, pieces: &[(u64, Vec<u8>)], length: u64) -> Result<Self, RegistryError> {
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            Some(_) | None => PathBuf::from("."),
        };
        let prefix = prefix(target);
        // The same layout is the same image in the same format.
        let layout: Vec<u8> = pieces
            .iter()
            .flat_map(|(at, bytes)| at.to_le_bytes().into_iter().chain(bytes.iter().copied()))
            .chain(length.to_le_bytes())
            .collect();
        let name = format!("{prefix}{}", Digest::of(&layout).short());
        remove_abandoned(&folder, &prefix, &name);
        Self::open_as(&folder, &name, pieces, length).map_err(|source| failed(target, source))
    }

    fn open_as(folder: &Path, name: &str, pieces: &[(u64, Vec<u8>)], length: u64) -> io::Result<Self> {
        let mut number = 0;
        let (path, file) = loop {
            // Another pull of the same that lives has the first name.
            let own = if number == 0 { name.to_owned() } else { format!("{name}-{number}") };
            let path = folder.join(own + PART);
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
            match file.try_lock() {
                // It may have been renamed into place since it was opened.
                Ok(()) if path.exists() => break (path, file),
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => number += 1,
                // A filesystem without locks: there nothing is removed either.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    break (path, file);
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
        };
        let journal_path = path.with_extension(&JOURNAL[1..]);
        let mut known = HashMap::new();
        if file.metadata()?.len() == length {
            for line in std::fs::read_to_string(&journal_path).unwrap_or_default().lines() {
                if let Some((blob, bytes)) = line.split_once(' ')
                    && let (Ok(blob), Ok(bytes)) = (blob.parse(), bytes.parse())
                {
                    known.insert(blob, bytes);
                }
            }
        } else {
            file.set_len(0)?;
            file.set_len(length)?;
        }
        let is_fresh = known.is_empty();
        let journal = OpenOptions::new()
            .write(true)
            .create(true)
            .append(!is_fresh)
            .truncate(is_fresh)
            .open(&journal_path)?;
        let mut writer = &file;
        for (offset, bytes) in pieces {
            writer.seek(SeekFrom::Start(*offset))?;
            writer.write_all(bytes)?;
        }
        writer.flush()?;
        Ok(Self { path, file, journal: Mutex::new(journal), journal_path, known, stays: false })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
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

    /// Feeds what is there of a blob, from `offset` on, to `each`; less than `length` if the file is shorter. Blocks.
    pub(super) fn read(
        path: &Path,
        offset: u64,
        length: u64,
        mut each: impl FnMut(&[u8]),
    ) -> io::Result<u64> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut file = file.take(length);
        let mut buffer = vec![0; 256 << 10];
        let mut total = 0;
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(total),
                read => {
                    each(&buffer[..read]);
                    total += read as u64;
                }
            }
        }
    }

    /// It stays for the next try.
    pub(super) fn leave(mut self) {
        self.stays = true;
    }

    /// Renames it into place, if nothing is there. Blocks.
    pub(super) fn keep(mut self, target: &Path) -> Result<(), RegistryError> {
        self.file.sync_all().map_err(|source| failed(target, source))?;
        let whole = tempfile::TempPath::try_from_path(&self.path).map_err(|source| failed(target, source))?;
        match whole.persist_noclobber(target) {
            Ok(()) => {
                remove(&self.journal_path);
                self.stays = true;
                Ok(())
            }
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(RegistryError::FileExists { path: target.to_owned() })
            }
            Err(error) => Err(failed(target, error.error)),
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.stays {
            remove(&self.path);
            remove(&self.journal_path);
        }
    }
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, "an unfinished file stays: {}", path.display());
    }
}

pub(super) fn failed(path: &Path, source: io::Error) -> RegistryError {
    RegistryError::File { operation: FileOperation::Write, path: path.to_owned(), source }
}

/// How the names of `target`'s unfinished files begin: with a hash, since its name may be as long as a name can be.
fn prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or(target.as_os_str());
    format!(".dockline-{}-", Digest::of(name.as_encoded_bytes()).short())
}

/// Removes what pulls of something else to the same target left behind that were killed.
fn remove_abandoned(folder: &Path, prefix: &str, own: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_other = name
            .to_str()
            .is_some_and(|name| name.starts_with(prefix) && !name.starts_with(own) && name.ends_with(PART));
        if is_other
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
        let of_another = folder.path().join(format!("{}Abc123.part", prefix(Path::new("other.tar"))));
        std::fs::write(&of_another, "x").unwrap();
        let killed = Part::open(&target, &[(0, b"x".to_vec())], 10).unwrap();
        killed.note(3, 5);
        killed.note(3, 7);
        killed.leave();
        let again = Part::open(&target, &[(0, b"x".to_vec())], 10).unwrap();
        assert_eq!((again.known(3), again.known(2)), (7, 0));
        let second = Part::open(&target, &[(0, b"x".to_vec())], 10).unwrap();
        assert_eq!(second.known(3), 0, "what lives is not shared");
        assert!(again.path().exists() && second.path() != again.path());
        again.leave();
        // Another image to the same target: the killed one's file is of no use.
        let other = Part::open(&target, &[(0, b"y".to_vec())], 10).unwrap();
        assert_eq!(other.known(3), 0);
        assert!(second.path().exists(), "a pull that lives keeps its file");
        second.keep(&target).unwrap();
        assert!(matches!(other.keep(&target), Err(RegistryError::FileExists { .. })));
        assert_eq!(names(folder.path()), 2, "the target, and the other target's");
    }
}

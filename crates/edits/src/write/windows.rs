//! On Windows a file that is there is always written in place: that keeps its access list and attributes, which a new
//! file would not have. Type-checked only, never run; see docs/platforms.md.

use super::{Found, Inspected, Replaced, guarded};
use crate::{Fingerprint, windows};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::windows::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};
use windows_sys::Win32::Storage::FileSystem::FILE_SHARE_READ;

/// A folder, by its path.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Of a folder that administrators alone may write: it and the one above, held open so that neither can be moved.
    held: Vec<File>,
}

impl Folder {
    /// A journal's folder, made if need be. The whole machine's has to be one that administrators alone can have
    /// written in, and so has the one above it.
    pub fn of_journal(path: &Path, is_system: bool) -> io::Result<Self> {
        if !is_system {
            make_folders(&missing_folders(&path.join("lock")))?;
            return Self::open(path);
        }
        let above = path.parent().ok_or_else(super::no_file_name)?;
        let held = vec![
            windows::guarded_folder(above, guarded::READABLE)?,
            windows::guarded_folder(path, guarded::JOURNAL)?,
        ];
        Ok(Self { path: path.to_owned(), held })
    }

    /// The folder, if it is one and no link.
    pub fn open(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path)?.is_dir() {
            true => Ok(Self { path: path.to_owned(), held: Vec::new() }),
            false => Err(io::Error::new(io::ErrorKind::NotADirectory, "it is a link or no folder")),
        }
    }

    /// The whole file of that name; `None` if there is none.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file of that name anew, to the disk; readable by others if `public`. (In a folder of the person's own,
    /// who may read it is the folder's affair.)
    pub fn write(&self, name: &str, bytes: &[u8], public: bool) -> io::Result<()> {
        let path = self.path.join(name);
        let mut file = match public && !self.held.is_empty() {
            true => windows::create_readable(&path)?,
            false => File::create(path)?,
        };
        file.write_all(bytes)?;
        file.sync_all()
    }

    /// Who may read it was said when it was made.
    pub fn publish(&self, _name: &str) -> io::Result<()> {
        Ok(())
    }

    /// Adds to the end of the file of that name.
    pub fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        OpenOptions::new().create(true).append(true).open(self.path.join(name))?.write_all(bytes)
    }

    /// Gives the file `from` the name `to`.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    /// Removes the file of that name, if there is one.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        ignoring_absence(fs::remove_file(self.path.join(name)))
    }

    /// A file to lock; it stays.
    pub fn lock_file(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().create(true).truncate(false).write(true).open(self.path.join(name))
    }

    /// NTFS keeps its own journal of folders, and offers no handle to sync one.
    pub fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads the file and finds out how it can be written.
pub fn inspect(path: &Path) -> io::Result<Inspected> {
    let kind = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Inspected::File(Found { contents: None, in_place_because: None }));
        }
        Err(error) => return Err(error),
    };
    if kind.is_symlink() {
        return Ok(Inspected::NotRegular("a symbolic link"));
    }
    if !kind.is_file() {
        return Ok(Inspected::NotRegular("a folder"));
    }
    let in_place_because = Some("a new file would not keep its access list");
    Ok(Inspected::File(Found { contents: Some(fs::read(path)?), in_place_because }))
}

/// Makes or removes a file; one that is there is never replaced here.
pub fn replace(path: &Path, before: &Fingerprint, wanted: Option<&[u8]>) -> io::Result<Replaced> {
    match (before.is_absent(), wanted) {
        (true, None) => Ok(Replaced::Yes),
        (true, Some(bytes)) => {
            let temporary = temporary(path)?;
            // Never one that is there: it could be a link.
            ignoring_absence(fs::remove_file(&temporary))?;
            let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            drop(file);
            match fs::hard_link(&temporary, path) {
                Ok(()) => fs::remove_file(&temporary).map(|()| Replaced::Yes),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    fs::remove_file(&temporary).map(|()| Replaced::Changed)
                }
                Err(error) => Err(error),
            }
        }
        (false, None) => match Fingerprint::of(Some(&fs::read(path)?)) == *before {
            true => fs::remove_file(path).map(|()| Replaced::Yes),
            false => Ok(Replaced::Changed),
        },
        (false, Some(_)) => Ok(Replaced::Impossible),
    }
}

/// Writes over the file in place, if it still is the one whose fingerprint is `before`. Not atomic: the caller keeps a copy
/// first. Never [`Replaced::Impossible`]. While it is open, nobody else writes it, renames it or removes it.
pub fn overwrite(path: &Path, before: &Fingerprint, bytes: &[u8]) -> io::Result<Replaced> {
    let mut file = match OpenOptions::new().read(true).write(true).share_mode(FILE_SHARE_READ).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Replaced::Changed),
        Err(error) => return Err(error),
    };
    super::overwrite_open(&mut file, before, bytes)
}

/// Removes the new file of a replacement that a crash interrupted.
pub fn discard_temporary(path: &Path) -> io::Result<()> {
    ignoring_absence(fs::remove_file(temporary(path)?))
}

/// The folders above `path` that are not there, outermost first.
pub fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> =
        path.ancestors().skip(1).take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    missing.reverse();
    missing
}

/// Makes folders, each inside one that is there.
pub fn make_folders(folders: &[PathBuf]) -> io::Result<()> {
    for folder in folders {
        match fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Removes a folder if it is there and empty.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
        done => ignoring_absence(done),
    }
}

fn temporary(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(super::no_file_name)?;
    Ok(path.with_file_name(super::temporary_name(name)))
}

fn ignoring_absence(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

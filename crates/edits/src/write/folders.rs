//! The folders that files are put in: which are missing, making them, and removing them when they are empty.

use super::{
    modes::has_mode,
    system::{FOLDER, NEW_FOLDER, open_parent},
};
use rustix::{
    fs::{AtFlags, Mode},
    io::Errno,
};
use std::{
    io,
    path::{Path, PathBuf},
};

/// The folders above `path` that are not there, outermost first.
pub fn missing_folders(path: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = path
        .ancestors()
        .skip(1)
        .take_while(|folder| {
            folder.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
        })
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    missing
}

/// Makes folders, each inside one that is there.
pub fn make_folders(folders: &[PathBuf]) -> io::Result<()> {
    for path in folders {
        let (folder, name) = open_parent(path)?;
        match rustix::fs::mkdirat(&folder, name, NEW_FOLDER) {
            Ok(()) => {
                has_mode(rustix::fs::openat(&folder, name, FOLDER, Mode::empty())?, NEW_FOLDER)?;
                rustix::fs::fsync(&folder)?;
            }
            Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// Removes a folder if it is there and empty.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    let (folder, name) = match open_parent(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    match rustix::fs::unlinkat(&folder, name, AtFlags::REMOVEDIR) {
        Ok(()) => Ok(rustix::fs::fsync(&folder)?),
        Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

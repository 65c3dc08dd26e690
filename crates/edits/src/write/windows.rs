//! On Windows the file is always written in place: that keeps its access list and attributes, which a new file
//! would not have. Type-checked only, never run; see docs/platforms.md.

use super::{Found, Inspected, Replaced, no_file_name, temporary_name};
use crate::Sha256;
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    path::Path,
};

/// Reads the file and finds out how it can be written.
pub fn inspect(path: &Path) -> io::Result<Inspected> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_symlink() {
        return Ok(Inspected::NotRegular("a symbolic link"));
    }
    if !kind.is_file() {
        return Ok(Inspected::NotRegular("a folder"));
    }
    let in_place_because = Some("a new file would not keep its access list");
    Ok(Inspected::File(Found { bytes: fs::read(path)?, in_place_because }))
}

/// Never possible here.
pub fn replace(_path: &Path, _before: &Sha256, _bytes: &[u8]) -> io::Result<Replaced> {
    Ok(Replaced::Impossible)
}

/// Writes over the file in place. Not atomic: the caller keeps a copy first.
pub fn overwrite(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Removes the new file of a replacement that a crash interrupted.
pub fn discard_temporary(path: &Path) -> io::Result<()> {
    let name = path.file_name().ok_or_else(no_file_name)?;
    match fs::remove_file(path.with_file_name(temporary_name(name))) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// NTFS keeps its own journal of folders, and offers no handle to sync one.
pub fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

//! Which files beside a pull's target are its own. Their names can be guessed, and the folder may be one that others
//! write in, as /tmp is: a link that stands there would lead what is written to wherever its owner wants.

use crate::Digest;
use std::{
    fs::{File, Metadata, OpenOptions},
    io,
    path::Path,
};

pub(super) fn folder(target: &Path) -> &Path {
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// How the names of `target`'s unfinished files begin: with a hash, since its name may be as long as a name can be.
pub(super) fn prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or(target.as_os_str());
    format!(".dockline-{}-", Digest::of(name.as_encoded_bytes()).short())
}

/// Opens a file of ours to read and to write it, or makes it, for nobody else to read; `None` if what bears its name is
/// another's, or no file, or a file elsewhere.
pub(super) fn open(path: &Path, target: &Path) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    let mut new = options.clone();
    new.create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut new, 0o600);
    loop {
        // This follows no link (open(2), O_EXCL).
        match new.open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(Some),
        }
        // Before it is opened: that alone would do something to a device.
        let seen = match path.symlink_metadata() {
            Ok(seen) if seen.is_file() => seen,
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let file = match options.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
            Err(error) => return Err(error),
        };
        // And afterwards: a link that took its place meanwhile has led elsewhere.
        return Ok(is_own(&seen, &file.metadata()?, target)?.then_some(file));
    }
}

/// Whether what was opened is what was seen, belongs to us, and has no other name.
#[cfg(unix)]
fn is_own(seen: &Metadata, opened: &Metadata, target: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let is_seen = (seen.dev(), seen.ino()) == (opened.dev(), opened.ino());
    Ok(is_seen && opened.is_file() && opened.nlink() == 1 && opened.uid() == ordinary(target)?.uid())
}

/// There it takes a privilege to make a symbolic link, and a folder says who reads and writes the files in it.
#[cfg(not(unix))]
fn is_own(_: &Metadata, opened: &Metadata, _: &Path) -> io::Result<bool> {
    Ok(opened.is_file())
}

/// Lets those read the file who may read any that is made there.
#[cfg(unix)]
pub(super) fn make_ordinary(file: &File, target: &Path) -> io::Result<()> {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
    let wanted = ordinary(target)?.permissions().mode() & 0o777;
    if file.metadata()?.permissions().mode() & 0o777 == wanted {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(wanted))
}

#[cfg(not(unix))]
pub(super) fn make_ordinary(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Whose a file is that we make beside `target`, and who may read it. A process knows neither of itself: a filesystem
/// may map users, and a folder may say who reads what is in it.
#[cfg(unix)]
fn ordinary(target: &Path) -> io::Result<Metadata> {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
    // Should it outlive a kill, it goes with the next pull to the same target.
    tempfile::Builder::new()
        .prefix(&prefix(target))
        .suffix(super::PART)
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder(target))?
        .as_file()
        .metadata()
}

#[cfg(test)]
#[cfg(unix)]
mod tests;

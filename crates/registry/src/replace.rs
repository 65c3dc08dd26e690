//! A file that was written beside its place is put there, over what is there.

use std::{io, path::Path};
use tempfile::NamedTempFile;

/// How often a file that somebody has open is tried for, and how long apart: together about a second.
#[cfg(any(windows, test))]
const TRIES: u32 = 20;
#[cfg(windows)]
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);

/// Renames `file` to `target`, in the place of what is there. If that fails, the file is gone. Blocks.
///
/// # Errors
/// What the rename says.
pub fn replace_file(file: NamedTempFile, target: &Path) -> io::Result<()> {
    #[cfg(not(windows))]
    return file.persist(target).map(drop).map_err(|error| error.error);
    #[cfg(windows)]
    return replace_what_is_open(file, target);
}

/// `tempfile` asks for what Windows refuses while anybody has the target open (a virus scanner, an editor, our own look at
/// it); `std` asks for what POSIX means by a rename, which is refused only if they do not share it.
#[cfg(windows)]
fn replace_what_is_open(file: NamedTempFile, target: &Path) -> io::Result<()> {
    // No temporary file any more (`FILE_ATTRIBUTE_TEMPORARY`), of which Windows would rather write nothing to the disk.
    let path = file.into_temp_path().keep().map_err(|error| error.error)?;
    let renamed = tried(|| std::fs::rename(&path, target), || std::thread::sleep(PAUSE));
    if renamed.is_err() {
        // It is no more than a leftover.
        let _ = std::fs::remove_file(&path);
    }
    renamed
}

/// Does `attempt` until it works, fails for another reason than that somebody has the file, or has been done often.
#[cfg(any(windows, test))]
fn tried(mut attempt: impl FnMut() -> io::Result<()>, mut pause: impl FnMut()) -> io::Result<()> {
    for _ in 1..TRIES {
        match attempt() {
            Err(error) if is_in_use(&error) => pause(),
            done => return done,
        }
    }
    attempt()
}

/// Windows says "access denied" and "sharing violation" (`ERROR_SHARING_VIOLATION`, `ERROR_LOCK_VIOLATION`).
#[cfg(any(windows, test))]
fn is_in_use(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied || matches!(error.raw_os_error(), Some(32 | 33))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_replaced_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("list.json");
        for text in ["one", "two"] {
            let mut file = tempfile::Builder::new().tempfile_in(folder.path()).unwrap();
            io::Write::write_all(&mut file, text.as_bytes()).unwrap();
            replace_file(file, &target).unwrap();
            assert_eq!(std::fs::read_to_string(&target).unwrap(), text);
        }
        let taken = folder.path().join("taken");
        std::fs::create_dir_all(taken.join("inside")).unwrap();
        replace_file(tempfile::Builder::new().tempfile_in(folder.path()).unwrap(), &taken).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "the attempt is gone");
    }

    #[test]
    fn a_file_that_somebody_has_open_is_tried_for_again_and_nothing_else_is() {
        let after = |failures: u32, error: fn() -> io::Error| {
            let (mut attempts, mut pauses) = (0, 0);
            let attempt = || {
                attempts += 1;
                if attempts <= failures { Err(error()) } else { Ok(()) }
            };
            let result = tried(attempt, || pauses += 1);
            (result.is_ok(), attempts, pauses)
        };
        assert_eq!(after(0, || io::ErrorKind::PermissionDenied.into()), (true, 1, 0));
        assert_eq!(after(3, || io::ErrorKind::PermissionDenied.into()), (true, 4, 3));
        assert_eq!(after(3, || io::Error::from_raw_os_error(32)), (true, 4, 3));
        assert_eq!(after(99, || io::ErrorKind::PermissionDenied.into()), (false, TRIES, TRIES - 1));
        assert_eq!(after(3, || io::ErrorKind::StorageFull.into()), (false, 1, 0));
    }
}

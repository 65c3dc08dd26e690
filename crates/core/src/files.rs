//! Work with files: off the runtime's threads, and whole or not at all.

use crate::paths::make_private;
use dockline_model::{Code, UiError};
use std::{
    ffi::OsString,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use tokio::task::JoinError;

/// Runs file work where it may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, UiError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| task_failed(&error))
}

/// A task that panicked, or was ended with the runtime.
pub(crate) fn task_failed(error: &JoinError) -> UiError {
    UiError::new(Code::Internal, format!("A background task of Dockline failed: {error}."))
}

/// Puts `bytes` in the place of what `path` holds, readable by its owner alone: a crash leaves the old file or the new
/// one, and nothing half-written. A folder that is not there is made, private to this account. Blocks.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = resolved(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    make_private(folder)?;
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    // `tempfile` makes it with mode 0600, and removes it where one of the next steps fails.
    let mut file = tempfile::Builder::new().prefix(&prefix).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    dockline_registry::replace_file(file, &path)?;
    // The rename itself is on disk only once the folder is; Windows has no such call.
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    Ok(())
}

/// Where `path` leads: dotfiles are often links, and replacing the link would orphan the real file.
fn resolved(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("new/folder/list.json");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let folder = path.parent().unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
        // A folder stands where the file is to be.
        fs::create_dir(folder.join("taken")).unwrap();
        fs::write(folder.join("taken/inside"), "").unwrap();
        replace(&folder.join("taken"), b"three").unwrap_err();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 2, "the attempt is gone");
    }

    #[cfg(unix)]
    #[test]
    fn file_and_folder_are_their_owners_alone_and_a_link_stays_one() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};

        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("made/logins.json");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        replace(&path, b"one").unwrap();
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let link = home.path().join("link.json");
        symlink(&path, &link).unwrap();
        replace(&link, b"two").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (&b"two"[..], 0o600));
    }

    #[tokio::test]
    async fn a_task_that_panics_is_an_error() {
        assert_eq!(blocking(|| 7).await, Ok(7));
        let error = blocking(|| panic!("so it goes")).await.unwrap_err();
        assert_eq!(error.code, Code::Internal);
    }
}

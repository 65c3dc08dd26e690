//! The image as a file on this machine, for as long as it is on its way.

use super::told;
use crate::files::blocking;
use dockline_engine::Engine;
use dockline_model::{Code, UiError};
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;

/// What an archive on its way is called.
const ARCHIVE: &str = ".tar.part";
/// Shared by everybody who has an archive in the folder, from before it is there until it is gone. It stays. The archive
/// itself is not locked: on Windows a lock keeps everybody from reading, its owner's other handles too (`LockFileEx`).
const LOCK: &str = "archives.lock";

/// An archive that is gone when this is dropped; or, when this process was killed, at the next owner's start.
#[derive(Debug)]
pub(super) struct Archive {
    // Dropped first: it is nobody's once the lock is let go of.
    file: NamedTempFile,
    _lock: File,
}

impl Archive {
    /// An empty one. What killed processes have left goes first, if nobody else has one there. Blocks.
    fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let lock = File::options().write(true).create(true).truncate(false).open(folder.join(LOCK))?;
        clean(folder);
        match lock.lock_shared() {
            // There nothing is removed either.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => locked?,
        }
        let file = tempfile::Builder::new().prefix("image-").suffix(ARCHIVE).tempfile_in(folder)?;
        Ok(Self { file, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }
}

/// Removes what killed owners left in the folder, unless somebody has an archive on its way there. Blocks.
pub(in crate::controller) fn clean(folder: &Path) {
    // Where there is none, nobody has had an archive.
    let Ok(lock) = File::options().write(true).open(folder.join(LOCK)) else { return };
    if lock.try_lock().is_err() {
        return;
    }
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().ends_with(ARCHIVE)
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::warn!(%error, "the archive of an earlier transfer stays: {}", entry.path().display());
        }
    }
}

/// Writes the engine's image into a file.
pub(super) async fn export(engine: Engine, image: String, folder: PathBuf) -> Result<Archive, UiError> {
    let failed = |error: io::Error| {
        let is_full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let hint = if is_full {
            "This machine's disk is full; the image needs room here while it is on its way."
        } else {
            "Check the folder's disk and who may write there."
        };
        UiError::new(Code::FileIo, format!("The image could not be written to a temporary file: {error}."))
            .hint(hint)
    };
    let archive = blocking(move || Archive::new(&folder)).await?.map_err(failed)?;
    let mut file = tokio::fs::File::from_std(archive.file.as_file().try_clone().map_err(failed)?);
    let mut export = engine.export(&image).await.map_err(told)?;
    while let Some(bytes) = export.chunk().await.map_err(told)? {
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(archive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn what_the_killed_left_goes_when_nobody_has_an_archive_on_its_way() {
        let folder = tempfile::tempdir().unwrap();
        clean(&folder.path().join("not there"));
        let mut living = Archive::new(folder.path()).unwrap();
        living.file.write_all(b"an image").unwrap();
        // Its owner was killed, and holds no lock any more.
        let left = folder.path().join(format!("image-left{ARCHIVE}"));
        fs::write(&left, "half an image").unwrap();
        let note = folder.path().join("host.way");
        fs::write(&note, "gzip").unwrap();

        let other = Archive::new(folder.path()).unwrap();
        clean(folder.path());
        // Read by another handle than the one that wrote it, as the shelf does.
        assert_eq!(fs::read(living.path()).unwrap(), b"an image");
        assert!(other.path().exists());

        let gone = living.path().to_owned();
        drop((living, other));
        assert!(!gone.exists() && left.exists());
        let next = Archive::new(folder.path()).unwrap();
        assert!(next.path().exists() && note.exists() && !left.exists());
    }
}

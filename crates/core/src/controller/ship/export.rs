//! The image as a file on this machine, for as long as it is on its way.

use super::told;
use crate::files::blocking;
use dockline_engine::Engine;
use dockline_model::{Code, UiError};
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::io::AsyncWriteExt as _;

/// What an archive on its way is called.
const ARCHIVE: &str = ".tar.part";

/// Removes what a killed owner left in the folder. One that lives holds its file's lock.
pub(in crate::controller) fn clean(folder: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().ends_with(ARCHIVE)
            && let Ok(file) = std::fs::File::open(entry.path())
            && file.try_lock().is_ok()
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, "the archive of an earlier transfer stays: {}", entry.path().display());
        }
    }
}

/// Writes the engine's image into a file that is gone when it is dropped, or when this process is no more and the next
/// owner starts.
pub(super) async fn export(
    engine: Engine,
    image: String,
    folder: PathBuf,
) -> Result<tempfile::NamedTempFile, UiError> {
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
    let begin = move || {
        std::fs::create_dir_all(&folder)?;
        clean(&folder);
        let file = tempfile::Builder::new().prefix("image-").suffix(ARCHIVE).tempfile_in(&folder)?;
        match file.as_file().lock() {
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => locked?,
        }
        Ok(file)
    };
    let archive = blocking(begin).await?.map_err(failed)?;
    let mut file = tokio::fs::File::from_std(archive.as_file().try_clone().map_err(failed)?);
    let mut export = engine.export(&image).await.map_err(told)?;
    while let Some(bytes) = export.chunk().await.map_err(told)? {
        file.write_all(&bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(archive)
}

//! Names given to images for the length of a transfer, noted on disk first: an owner that is killed leaves a note
//! from which the next one removes them.

use super::engine::Engines;
use dockline_engine::Engine;
use dockline_model::{Code, UiError};
use sha2::{Digest, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::fs;

/// The notes: one file a name, in a folder of their own.
#[derive(Debug, Clone)]
pub(super) struct Traces {
    folder: PathBuf,
}

/// A name that is ours to remove.
pub(super) struct Trace {
    engine: Engine,
    name: String,
    note: PathBuf,
}

impl Traces {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join("temporary-names") }
    }

    /// Notes that `name` is about to be made; `None` if the image has it already, and it is the person's then.
    pub(super) async fn begin(&self, engine: &Engine, name: &str) -> Result<Option<Trace>, UiError> {
        let note = self.folder.join(hex::encode(&Sha256::digest(name)[..16]));
        let was_ours = fs::try_exists(&note).await.unwrap_or(false);
        if !was_ours && engine.image_id(name).await.is_ok() {
            return Ok(None);
        }
        let written = async {
            fs::create_dir_all(&self.folder).await?;
            fs::write(&note, name).await
        };
        written.await.map_err(|error| {
            UiError::new(Code::FileIo, format!("{} cannot be written: {error}.", note.display()))
        })?;
        Ok(Some(Trace { engine: engine.clone(), name: name.to_owned(), note }))
    }

    /// Removes what a killed owner left behind. An engine that does not answer now may do so at the next start.
    pub(super) async fn clean(self, engines: Engines) {
        let Ok(mut notes) = fs::read_dir(&self.folder).await else { return };
        while let Ok(Some(note)) = notes.next_entry().await {
            let (Ok(name), Ok(engine)) = (fs::read_to_string(note.path()).await, engines.find()) else {
                continue;
            };
            Trace { engine, name, note: note.path() }.remove().await;
        }
    }
}

impl Trace {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the name from the image, and then the note away.
    pub(super) async fn remove(self) {
        if let Err(error) = self.engine.untag(&self.name).await
            && UiError::from(&error).code != Code::ImageNotFound
        {
            tracing::warn!(%error, name = self.name, "the temporary name of an image stays for now");
            return;
        }
        if let Err(error) = fs::remove_file(&self.note).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the note of a temporary name stays for now");
        }
    }
}

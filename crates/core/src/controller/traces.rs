//! Names given to images, and containers made, for the length of a transfer, noted on disk first: an owner that is killed
//! leaves a note from which the next one removes them.

use super::engine::Engines;
use dockline_engine::Engine;
use dockline_model::{Code, UiError};
use sha2::{Digest, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
};
use tokio::{fs, runtime::Handle};

/// The notes: one file a name, in a folder of their own.
#[derive(Debug, Clone)]
pub(super) struct Traces {
    folder: PathBuf,
}

/// What is ours to remove. A container is removed when this is dropped, too, if the runtime goes on.
#[derive(Debug)]
pub(super) struct Trace {
    engine: Engine,
    kind: Kind,
    name: String,
    note: PathBuf,
    /// Somebody removes it already.
    is_over: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name of an image.
    Name,
    /// A container that layers are read through.
    Container,
}

/// What the note of a container begins with; no image is called so.
const CONTAINER: &str = "container ";

impl Traces {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join("temporary-names") }
    }

    /// Notes that `name` is about to be made; `None` if the image has it already, and it is the person's then.
    pub(super) async fn begin(&self, engine: &Engine, name: &str) -> Result<Option<Trace>, UiError> {
        let note = self.note(name);
        let was_ours = fs::try_exists(&note).await.unwrap_or(false);
        if !was_ours && engine.image_id(name).await.is_ok() {
            return Ok(None);
        }
        self.write(&note, name).await?;
        Ok(Some(Trace {
            engine: engine.clone(),
            kind: Kind::Name,
            name: name.to_owned(),
            note,
            is_over: false,
        }))
    }

    /// Notes that a container is about to be made, and makes up its name.
    pub(super) async fn container(&self, engine: &Engine) -> Result<Trace, UiError> {
        let name = format!("dockline-reads-{}", hex::encode(rand::random::<[u8; 8]>()));
        let note = self.note(&name);
        self.write(&note, &format!("{CONTAINER}{name}")).await?;
        Ok(Trace { engine: engine.clone(), kind: Kind::Container, name, note, is_over: false })
    }

    fn note(&self, name: &str) -> PathBuf {
        self.folder.join(hex::encode(&Sha256::digest(name)[..16]))
    }

    async fn write(&self, note: &Path, text: &str) -> Result<(), UiError> {
        let written = async {
            fs::create_dir_all(&self.folder).await?;
            fs::write(note, text).await
        };
        written.await.map_err(|error| {
            UiError::new(Code::FileIo, format!("{} cannot be written: {error}.", note.display()))
        })
    }

    /// Removes what a killed owner left behind. An engine that does not answer now may do so at the next start.
    pub(super) async fn clean(self, engines: Engines) {
        let Ok(mut notes) = fs::read_dir(&self.folder).await else { return };
        while let Ok(Some(note)) = notes.next_entry().await {
            let (Ok(text), Ok(engine)) = (fs::read_to_string(note.path()).await, engines.find()) else {
                continue;
            };
            let (kind, name) = match text.strip_prefix(CONTAINER) {
                Some(name) => (Kind::Container, name),
                None => (Kind::Name, text.as_str()),
            };
            let name = name.to_owned();
            Trace { engine, kind, name, note: note.path(), is_over: false }.remove().await;
        }
    }
}

impl Trace {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the name from the image, or the container away, and then the note.
    pub(super) async fn remove(mut self) {
        self.is_over = true;
        let removed = match self.kind {
            Kind::Name => self.engine.untag(&self.name).await.map(drop),
            Kind::Container => self.engine.close_store(&self.name).await,
        };
        if let Err(error) = removed
            && UiError::from(&error).code != Code::ImageNotFound
        {
            tracing::warn!(%error, kind = ?self.kind, name = self.name, "what a transfer made at the engine stays for now");
            return;
        }
        if let Err(error) = fs::remove_file(&self.note).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the note of it stays for now");
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // A name may be in use by the next try.
        if self.is_over || self.kind == Kind::Name {
            return;
        }
        if let Ok(runtime) = Handle::try_current() {
            let (engine, name, note) = (self.engine.clone(), self.name.clone(), self.note.clone());
            runtime.spawn(Self { engine, kind: self.kind, name, note, is_over: false }.remove());
        }
    }
}

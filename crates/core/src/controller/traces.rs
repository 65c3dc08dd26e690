//! Names given to images, and containers made, for the length of a transfer, noted on disk first: an owner that is killed
//! leaves a note from which the next one removes them.

use super::engine::Engines;
use dockline_engine::Engine;
use dockline_model::{Code, UiError};
use futures::future::join_all;
use sha2::{Digest, Sha256};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    fs,
    runtime::Handle,
    sync::Mutex,
    task::{JoinError, JoinHandle},
};
use tokio_util::task::TaskTracker;

/// An engine asked to make something by an owner that is killed then has made it after so long.
const MADE: Duration = Duration::from_secs(5);

/// The notes: one file a name, in a folder of their own.
#[derive(Debug, Clone)]
pub(super) struct Traces {
    folder: PathBuf,
    /// Held while names of an earlier owner's are removed: the first transfers may want the same ones.
    names: Arc<Mutex<()>>,
    /// What the owner waits for at its end.
    tasks: TaskTracker,
}

/// What is ours to remove. A container is removed when this is dropped, too, unless its removal has begun; the owner waits for
/// that at its end.
#[derive(Debug)]
pub(super) struct Trace {
    engine: Engine,
    kind: Kind,
    name: String,
    note: PathBuf,
    /// Requests that make it. The engine carries out what it was asked for, so they are not dropped halfway.
    making: TaskTracker,
    /// The owner's.
    tasks: TaskTracker,
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

/// What a note says.
#[derive(Debug, PartialEq, Eq)]
struct Note<'a> {
    kind: Kind,
    name: &'a str,
    /// The engine where it is, as [`EngineEndpoint`](dockline_engine::EngineEndpoint) is shown; earlier versions noted none.
    engine: Option<&'a str>,
}

impl<'a> Note<'a> {
    /// `None` for one whose owner was killed while it wrote it, before it made anything.
    fn read(text: &'a str) -> Option<Self> {
        let (first, engine) = match text.split_once('\n') {
            Some((first, rest)) => (first, Some(rest.strip_suffix('\n')?)),
            None => (text, None),
        };
        let (kind, name) = match first.strip_prefix(CONTAINER) {
            Some(name) => (Kind::Container, name),
            None => (Kind::Name, first),
        };
        (!name.is_empty()).then_some(Self { kind, name, engine })
    }

    fn text(&self) -> String {
        let prefix = match self.kind {
            Kind::Name => "",
            Kind::Container => CONTAINER,
        };
        let engine = self.engine.map(|engine| format!("\n{engine}\n")).unwrap_or_default();
        format!("{prefix}{}{engine}", self.name)
    }
}

impl Traces {
    /// `tasks`: what the owner waits for at its end.
    pub(super) fn new(state_dir: &Path, tasks: TaskTracker) -> Self {
        Self { folder: state_dir.join("temporary-names"), names: Arc::default(), tasks }
    }

    /// Notes that `name` is about to be made; `None` if the image has it already, and it is the person's then.
    pub(super) async fn begin(&self, engine: &Engine, name: &str) -> Result<Option<Trace>, UiError> {
        drop(self.names.lock().await);
        let note = self.note(engine, name);
        let was_ours = fs::try_exists(&note).await.unwrap_or(false);
        if !was_ours && engine.image_id(name).await.is_ok() {
            return Ok(None);
        }
        self.write(&note, engine, Kind::Name, name).await?;
        Ok(Some(self.trace(engine.clone(), Kind::Name, name.to_owned(), note)))
    }

    /// Notes that a container is about to be made, and makes up its name.
    pub(super) async fn container(&self, engine: &Engine) -> Result<Trace, UiError> {
        let name = format!("dockline-reads-{}", hex::encode(rand::random::<[u8; 8]>()));
        let note = self.note(engine, &name);
        self.write(&note, engine, Kind::Container, &name).await?;
        Ok(self.trace(engine.clone(), Kind::Container, name, note))
    }

    fn trace(&self, engine: Engine, kind: Kind, name: String, note: PathBuf) -> Trace {
        let (making, tasks) = (TaskTracker::new(), self.tasks.clone());
        Trace { engine, kind, name, note, making, tasks, is_over: false }
    }

    fn note(&self, engine: &Engine, name: &str) -> PathBuf {
        let what = format!("{name}\n{}", engine.endpoint());
        self.folder.join(hex::encode(&Sha256::digest(what)[..16]))
    }

    async fn write(&self, note: &Path, engine: &Engine, kind: Kind, name: &str) -> Result<(), UiError> {
        let engine = engine.endpoint().to_string();
        let text = Note { kind, name, engine: Some(&engine) }.text();
        let written = async {
            fs::create_dir_all(&self.folder).await?;
            fs::write(note, text).await
        };
        written.await.map_err(|error| {
            UiError::new(Code::FileIo, format!("{} cannot be written: {error}.", note.display()))
        })
    }

    /// What a killed owner left behind, before this one leaves anything: it goes in the background. An engine that does not
    /// answer now may do so at the next start.
    pub(super) async fn clean(&self, engines: &Engines) {
        let Ok(mut notes) = fs::read_dir(&self.folder).await else { return };
        let (mut names, mut containers) = (Vec::new(), Vec::new());
        while let Ok(Some(note)) = notes.next_entry().await {
            let note = note.path();
            let (Ok(text), Ok(engine)) = (fs::read_to_string(&note).await, engines.find()) else { continue };
            let Some(Note { kind, name, engine: place }) = Note::read(&text) else {
                drop(fs::remove_file(&note).await);
                continue;
            };
            // Another engine, as that of another context, knows nothing of it, and would have it forgotten.
            if place.is_some_and(|place| place != engine.endpoint().to_string()) {
                continue;
            }
            let trace = self.trace(engine, kind, name.to_owned(), note);
            match kind {
                Kind::Name => names.push(trace),
                Kind::Container => containers.push(trace),
            }
        }
        let held = self.names.clone().lock_owned().await;
        tokio::spawn(async move {
            join_all(names.into_iter().map(Trace::remove)).await;
            drop(held);
        });
        containers.into_iter().for_each(|container| drop(tokio::spawn(container.remove_late())));
    }
}

impl Trace {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where the requests that make it run.
    pub(super) const fn making(&self) -> &TaskTracker {
        &self.making
    }

    /// Makes it: runs to its end even if this is dropped.
    pub(super) async fn make<T: Send + 'static>(
        &self,
        request: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.making.spawn(request).await.map_err(JoinError::try_into_panic) {
            Ok(made) => made,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // Aborted: it ends with the runtime, and so does whoever waits here.
            Err(Err(_)) => std::future::pending().await,
        }
    }

    /// Takes the name from the image, or the container away, and then the note, even if nobody waits for it.
    pub(super) fn removal(self) -> JoinHandle<()> {
        self.tasks.clone().spawn(self.remove())
    }

    /// The same, now.
    pub(super) async fn remove(mut self) {
        self.is_over = true;
        if !self.take_away().await {
            return;
        }
        if let Err(error) = fs::remove_file(&self.note).await
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the note of it stays for now");
        }
    }

    /// The same after a kill -9, whose last request may still be on its way through the engine.
    async fn remove_late(mut self) {
        self.is_over = true;
        let noted = fs::metadata(&self.note).await.and_then(|note| note.modified()).ok();
        let age = noted.and_then(|noted| SystemTime::now().duration_since(noted).ok()).unwrap_or_default();
        if age < MADE {
            self.take_away().await;
            tokio::time::sleep(MADE - age).await;
        }
        self.remove().await;
    }

    /// Whether it is gone from the engine.
    async fn take_away(&self) -> bool {
        self.making.close();
        self.making.wait().await;
        let removed = match self.kind {
            Kind::Name => self.engine.untag(&self.name).await.map(drop),
            Kind::Container => self.engine.close_store(&self.name).await,
        };
        match removed {
            Err(error) if UiError::from(&error).code != Code::ImageNotFound => {
                let (kind, name) = (self.kind, &self.name);
                tracing::warn!(%error, ?kind, name, "what a transfer made at the engine stays for now");
                false
            }
            Ok(()) | Err(_) => true,
        }
    }
}

impl Drop for Trace {
    fn drop(&mut self) {
        // A name may be in use by the next try.
        if self.is_over || self.kind == Kind::Name || Handle::try_current().is_err() {
            return;
        }
        let dropped = Self {
            engine: self.engine.clone(),
            kind: self.kind,
            name: self.name.clone(),
            note: self.note.clone(),
            making: self.making.clone(),
            tasks: self.tasks.clone(),
            is_over: true,
        };
        drop(dropped.removal());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_tells_what_is_where() {
        let note = |kind, name, engine| Note { kind, name, engine };
        for known in [
            note(Kind::Name, "cr.boss.org:5000/app:v1", Some("/var/run/docker.sock")),
            note(Kind::Container, "dockline-reads-0", Some("tcp://10.0.0.1:2375")),
            note(Kind::Name, "app:v1", None),
        ] {
            assert_eq!(Note::read(&known.text()), Some(known));
        }
        for half in ["", "app:v1\n", "app:v1\n/var/run/dock"] {
            assert_eq!(Note::read(half), None, "{half:?}");
        }
        assert_eq!(
            Note::read("container x"),
            Some(note(Kind::Container, "x", None)),
            "an earlier Dockline's"
        );
    }
}

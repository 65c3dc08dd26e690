//! Pulls into the engine. Mostly it fetches the image itself; where it has no way to the registry, Dockline does, and hands
//! it over as an archive: that needs no setting of the engine's at all.

use super::{
    Message,
    run::{Transfer, told},
};
use dockline_model::{ArchiveFormat, Code, LayerState, LayerView, Road, UiError, Verified};
use dockline_registry::{InvalidPlatform, Reference, Scope};
use futures::{StreamExt as _, stream};
use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{fs::File, io::AsyncReadExt as _};

/// What is read of an archive at once.
const PIECE: usize = 256 << 10;

impl Transfer {
    pub(super) async fn pull_engine_image(
        &mut self,
        reference: &Reference,
        platform: Option<&str>,
    ) -> Result<Verified, UiError> {
        let why = match self.pull_image(reference, platform).await {
            Ok(verified) => {
                self.note_engines(reference, &verified).await;
                return Ok(verified);
            }
            Err(error) if error.code == Code::EngineCannotReach => format!("Directly: {}", error.message),
            Err(error) => return Err(error),
        };
        tracing::info!(why, "a pull on the direct road");
        let id = self.context().id;
        self.context().mailbox.post(Message::TransferRoad { id, road: Road::Direct, why });
        self.pull_directly(reference, platform).await
    }

    /// Every blob is compared with its digest on its way into a file, which the engine gets then.
    async fn pull_directly(
        &self,
        reference: &Reference,
        platform: Option<&str>,
    ) -> Result<Verified, UiError> {
        let context = self.context();
        let engine = context.engines.find().map_err(told)?;
        let named = self.named(reference, &context.spec.authority())?;
        let platform = platform.map(str::parse).transpose();
        let platform = platform
            .map_err(|error: InvalidPlatform| UiError::new(Code::InvalidArgument, format!("{error}.")))?;
        let scope = Scope { platform, ..Scope::default() };
        let (spool, shown) = (context.spool.clone(), context.spool.clone());
        let made = super::blocking(move || {
            std::fs::create_dir_all(&spool)?;
            tempfile::Builder::new().prefix("pull-").tempdir_in(&spool)
        });
        let folder = made.await?.map_err(|error| unwritable(&shown, &error))?;
        let path = folder.path().join("image.tar");
        let (figures, last) = (context.figures.clone(), Arc::new(Mutex::new((Vec::new(), 0))));
        let seen = last.clone();
        let digest = self
            .client()?
            .pull_archive_as(
                reference.repository(),
                &reference.tag_or_digest(),
                &path,
                (ArchiveFormat::Oci, &scope),
                move |layers, current, total| {
                    *seen.lock().unwrap_or_else(PoisonError::into_inner) = (layers.to_vec(), total);
                    figures.write(layers, current, total);
                },
            )
            .await
            .map_err(|error| UiError::from(&error))?;
        // The bars say that the engine has the layers now.
        let (mut layers, total) = std::mem::take(&mut *last.lock().unwrap_or_else(PoisonError::into_inner));
        layers.iter_mut().for_each(|layer: &mut LayerView| layer.state = LayerState::Extracting);
        context.figures.write(&layers, total, total);
        let file = File::open(&path).await.map_err(|error| unwritable(&path, &error))?;
        engine.load(&named, pieces(file)).await.map_err(told)?;
        layers.iter_mut().for_each(|layer| layer.state = LayerState::Done);
        context.figures.write(&layers, total, total);
        Ok(Verified { digest: digest.to_string(), at_registry: true })
    }
}

fn pieces(file: File) -> impl futures::Stream<Item = io::Result<bytes::Bytes>> + Send + 'static {
    let next = |file: Option<File>| async {
        let mut file = file?;
        let mut piece = bytes::BytesMut::with_capacity(PIECE);
        match file.read_buf(&mut piece).await {
            Ok(0) => None,
            Ok(_) => Some((Ok(piece.freeze()), Some(file))),
            Err(error) => Some((Err(error), None)),
        }
    };
    stream::unfold(Some(file), next).boxed()
}

fn unwritable(path: &Path, error: &io::Error) -> UiError {
    UiError::new(Code::FileIo, format!("{} cannot be used: {error}.", path.display()))
        .hint("An image is kept there until the engine has it; see that there is room.")
}

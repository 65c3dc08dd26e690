//! Pulls into the engine. Mostly it fetches the image itself; where it has no way to the registry, Dockline does, and hands
//! it over as an archive: that needs no setting of the engine's at all.

mod spooled;

pub(super) use spooled::clean as clean_spool;

use super::{
    Message,
    request::wanted,
    run::{Transfer, told},
};
use crate::files::blocking;
use dockline_model::{ArchiveFormat, Code, LayerState, Road, UiError, Verified};
use dockline_registry::{Reference, Scope, Wanted};
use spooled::Spooled;
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

/// What is read of an archive at once.
const PIECE: usize = 256 << 10;

impl Transfer {
    pub(super) async fn pull_engine_image(
        &mut self,
        reference: &Reference,
        platform: Option<&str>,
        road: Option<Road>,
    ) -> Result<Verified, UiError> {
        let wanted = platform.map(wanted).transpose()?;
        if road == Some(Road::Direct) {
            self.go_directly("Directly, as you asked; the engine gets the image from Dockline.".to_owned());
            return self.pull_directly(reference, wanted).await;
        }
        // Before the engine has anything: the name must not lead to an image that is none of what was asked for.
        let seen = match &wanted {
            Some(wanted) => Some(self.check_platform(reference, wanted).await?),
            None => None,
        };
        let why = match self.pull_image(reference, platform).await {
            Ok(verified) => {
                if let (Some(wanted), Some(seen)) = (&wanted, seen)
                    && verified.digest != seen
                {
                    // Somebody pushed meanwhile.
                    self.check_platform(reference, wanted).await?;
                }
                self.note_engines(reference, &verified).await;
                return Ok(verified);
            }
            Err(error) if road.is_none() && error.code == Code::EngineCannotReach => {
                format!("Directly: {}", error.message)
            }
            Err(error) => return Err(error),
        };
        self.go_directly(why);
        self.pull_directly(reference, wanted).await
    }

    fn go_directly(&self, why: String) {
        tracing::info!(why, "a pull on the direct road");
        let id = self.context().id;
        self.context().mailbox.post(Message::TransferRoad { id, road: Road::Direct, why });
    }

    /// Asks the registry whether it has the image for that platform; the digest of what it has.
    async fn check_platform(&self, reference: &Reference, wanted: &Wanted) -> Result<String, UiError> {
        let checked =
            self.client()?.check_platform(reference.repository(), &reference.tag_or_digest(), wanted).await;
        checked.map(|digest| digest.to_string()).map_err(|error| self.refused(&error))
    }

    /// Every blob is compared with its digest on its way into a file, which the engine gets then.
    async fn pull_directly(
        &self,
        reference: &Reference,
        platform: Option<Wanted>,
    ) -> Result<Verified, UiError> {
        let context = self.context();
        let engine = context.engines.find().map_err(told)?;
        let named = self.named(reference, &context.spec.authority())?;
        let (spool, shown) = (context.spool.clone(), context.spool.clone());
        let wanted = platform.as_ref().map(ToString::to_string).unwrap_or_default();
        let what = format!("{}\n{named}\n{wanted}", self.place());
        let made = blocking(move || Spooled::of(&spool, &what)).await?;
        let spooled = Arc::new(made.map_err(|error| unwritable(&shown, &error))?);
        let (path, digest) = self.fetched(reference, platform, &spooled).await?;
        // The bars say that the engine has the layers now.
        let (mut layers, total) = {
            let latest = context.figures.latest();
            (latest.layers.clone(), latest.total)
        };
        layers.iter_mut().for_each(|layer| layer.state = LayerState::Extracting);
        context.figures.write(&layers, total, total);
        let file = File::open(&path).await.map_err(|error| unwritable(&path, &error))?;
        engine.load(&named, ReaderStream::with_capacity(file, PIECE)).await.map_err(told)?;
        layers.iter_mut().for_each(|layer| layer.state = LayerState::Done);
        context.figures.write(&layers, total, total);
        if let Some(spooled) = Arc::into_inner(spooled) {
            blocking(move || spooled.remove()).await?;
        }
        Ok(Verified { digest, at_registry: true })
    }

    /// The image in a file, and its digest. It stays there until the engine has it.
    async fn fetched(
        &self,
        reference: &Reference,
        platform: Option<Wanted>,
        spooled: &Arc<Spooled>,
    ) -> Result<(PathBuf, String), UiError> {
        let client = self.client()?;
        let (repository, asked) = (reference.repository(), reference.tag_or_digest());
        let path = spooled.image();
        let unusable = |error: &io::Error| unwritable(&path, error);
        let kept = spooled.clone();
        if let Some(whole) = blocking(move || kept.whole()).await?.map_err(|error| unusable(&error))? {
            let there = client.manifest_digest(repository, &asked).await;
            if there.map_err(|error| self.refused(&error))?.to_string() == whole {
                tracing::info!("what an earlier pull has fetched is still the image");
                return Ok((path, whole));
            }
            let kept = spooled.clone();
            blocking(move || kept.empty()).await?.map_err(|error| unusable(&error))?;
        }
        let figures = self.context().figures.clone();
        let scope = Scope { platform, ..Scope::default() };
        let digest = client
            .leaving_parts()
            .pull_archive_as(
                repository,
                &asked,
                &path,
                (ArchiveFormat::Oci, &scope),
                move |layers, current, total| figures.write(layers, current, total),
            )
            .await
            .map_err(|error| self.refused(&error))?
            .to_string();
        let (kept, noted) = (spooled.clone(), digest.clone());
        blocking(move || kept.note_whole(&noted)).await?;
        Ok((path, digest))
    }
}

fn unwritable(path: &Path, error: &io::Error) -> UiError {
    UiError::new(Code::FileIo, format!("{} cannot be used: {error}.", path.display()))
        .hint("An image is kept there until the engine has it; see that there is room.")
}

//! What goes to the registry as an archive: a person's file, and an engine's export with all that the engine has of an image.

use super::{
    super::{
        road,
        run::{Transfer, told},
    },
    stands,
};
use dockline_engine::{Engine, ImageStore};
use dockline_model::{Code, LayerView, PushOptions, UiError, Verified};
use dockline_registry::{Reference, RegistryError, Scope, archive::ArchiveError};
use futures::{StreamExt as _, stream};
use std::{borrow::Cow, io, path::Path};

impl Transfer {
    /// Pushes an archive: one image of it, or all that `scope` says.
    pub(in crate::controller) async fn push_archive_file(
        &self,
        (path, image): (&Path, Option<&str>),
        reference: &Reference,
        options: PushOptions,
        scope: &Scope,
    ) -> Result<Verified, UiError> {
        let client = self.client()?;
        // Says at once, too, if nobody is there.
        let answer_time = client.answer_time().await.map_err(|error| self.refused(&error))?;
        let is_whole = scope.all_platforms || scope.referrers;
        let choice = match is_whole {
            true => road::whole_archive(self.line(answer_time)),
            false => road::archive(options, self.line(answer_time)),
        };
        self.chosen(&choice);
        let client = client.telling(self.hearer(Some(choice.why.clone())));
        let sending = self.sending(&choice);
        let figures = self.context().figures.clone();
        let place = (reference.repository(), reference.tag_or_latest());
        let report = move |layers: &[LayerView], current, total| figures.write(layers, current, total);
        let pushed = match is_whole {
            true => client.push_archive_whole((path, image), scope, place, &sending, report).await,
            false => client.push_archive_as(path, image, place.0, place.1, &sending, report).await,
        };
        Ok(stands(&pushed.map_err(|error| self.refused(&error))?))
    }

    /// Whether the engine may have more than one image under that name: Docker's own store keeps one, and so does Podman,
    /// but for the lists that it makes, which it hands over to nobody.
    pub(super) async fn may_be_several(&self, engine: &Engine, image: &str) -> Result<bool, UiError> {
        match engine.image_store().await.map_err(told)? {
            ImageStore::Containerd => Ok(true),
            ImageStore::Classic => Ok(false),
            ImageStore::Podman if engine.is_list(image).await.map_err(told)? => Err(UiError::new(
                Code::InvalidArgument,
                format!("{image} is a list of images, and Podman hands over only one of them."),
            )
            .hint(format!("Let Podman send all of it: podman manifest push --all {image} …"))),
            ImageStore::Podman => Ok(false),
        }
    }

    /// Pushes all that the engine has under that name, as it is: the index with its platforms and attestations.
    pub(super) async fn push_all_of(
        &self,
        engine: &Engine,
        image: &str,
        reference: &Reference,
    ) -> Result<Verified, UiError> {
        let client = self.client()?;
        let answer_time = client.answer_time().await.map_err(|error| self.refused(&error))?;
        let choice = road::whole_of_an_engine(self.line(answer_time));
        self.chosen(&choice);
        let parts = engine.parts(image).await.map_err(told)?;
        let _turns = self.turns(parts.layers).await;
        let sending = self.sending(&choice);
        let figures = self.context().figures.clone();
        let report = move |layers: &[LayerView], current, total| figures.write(layers, current, total);
        let spooled = (exported(engine, &alone(image, &parts.id)).await?, self.context().spool.as_path());
        let scope = Scope { all_platforms: true, ..Scope::default() };
        let place = (reference.repository(), reference.tag_or_latest());
        match client.push_spooled(spooled, &scope, place, &sending, report).await {
            Ok(digest) => Ok(stands(&digest)),
            Err(RegistryError::Archive(ArchiveError::Incomplete { missing })) => Err(UiError::new(
                Code::InvalidArgument,
                format!("The engine does not have all of {image}: it lacks {missing}, and so does the registry."),
            )
            .hint(
                "Push it without --all-platforms, or move all of it from registry to registry: dockline copy FROM TO \
                 --all-platforms",
            )),
            Err(error) => Err(self.refused(&error)),
        }
    }
}

/// The name under which an engine exports `image` and nothing else: of a repository's bare name it would be every tag
/// (moby, `daemon/containerd/image_exporter.go`, and `image/tarexport` of the classic store).
pub(super) fn alone<'a>(image: &'a str, id: &str) -> Cow<'a, str> {
    let is_tagged = image.contains('@') || image.rsplit('/').next().is_some_and(|name| name.contains(':'));
    let is_id = id.strip_prefix("sha256:").unwrap_or(id).starts_with(image);
    if is_tagged || is_id { Cow::Borrowed(image) } else { Cow::Owned(format!("{image}:latest")) }
}

/// The export, with errors that a reader can be given.
pub(super) async fn exported(
    engine: &Engine,
    image: &str,
) -> Result<impl futures::Stream<Item = io::Result<bytes::Bytes>> + Send + Unpin + 'static, UiError> {
    let export = engine.export(image).await.map_err(told)?;
    let pieces = stream::unfold(Some(export), |export| async {
        let mut export = export?;
        match export.chunk().await {
            Ok(Some(bytes)) => Some((Ok(bytes), Some(export))),
            Ok(None) => None,
            Err(error) => Some((Err(io::Error::other(error)), None)),
        }
    });
    Ok(pieces.boxed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_repository_with_several_tags_one_image_is_exported() {
        let id = "sha256:1f2e3d4c5b6a";
        for (image, asked) in [
            ("app", "app:latest"),
            ("cr.boss.org:5000/team/app", "cr.boss.org:5000/team/app:latest"),
            ("cr.boss.org:5000/team/app:v1", "cr.boss.org:5000/team/app:v1"),
            ("app@sha256:00", "app@sha256:00"),
            ("1f2e3d", "1f2e3d"),
            (id, id),
        ] {
            assert_eq!(alone(image, id), asked);
        }
    }
}

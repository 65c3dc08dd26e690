//! What a registry has of an image already: read from the images that stand in the repository.

use super::{Client, Manifest, blob::PullError, push::Placed};
use crate::{Digest, RegistryError, media, pack::Encoding, platform::Wanted, records::Records};
use oci_spec::image::{Descriptor, ImageManifest};
use serde::Deserialize;
use std::sync::Arc;

/// Configurations are kilobytes.
const LARGEST_CONFIG: u64 = 4 << 20;
/// Besides the tag that is pushed to.
const OTHER_TAGS: usize = 2;

#[derive(Deserialize)]
struct Head {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// An image that stands in a repository.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    manifest: Manifest,
    image: ImageManifest,
}

impl Standing {
    /// Whether it is the image of this configuration and these layers: then its manifest, byte for byte, serves once
    /// more, so that the same image keeps its digest, whoever wrote it down first.
    pub(super) fn is(&self, config: &Digest, layers: &[Placed]) -> bool {
        let is = |part: &Descriptor, digest: &Digest| media::digest(part).is_ok_and(|own| own == *digest);
        is(self.image.config(), config)
            && self.image.layers().len() == layers.len()
            && self.image.layers().iter().zip(layers).all(|(own, placed)| {
                is(own, &placed.digest)
                    && own.size() == placed.size
                    && own.urls().as_ref().is_none_or(Vec::is_empty)
                    && media::encoding(own.media_type().as_ref()) == Some(placed.encoding)
            })
    }

    /// Its media type and its bytes.
    pub(super) fn manifest(&self) -> (String, Vec<u8>) {
        (self.manifest.media_type.clone(), self.manifest.bytes.clone())
    }
}

/// A layer's diff id, and the digest, size and encoding of its blob.
type Layer = (Digest, Digest, u64, Encoding);

impl Client {
    /// Finds out as which blobs the registry has the layers `wanted`, where the records do not tell: from the image
    /// that the tag names now, or else from the repository's last tags. Whoever pushed those, with whatever compressor.
    ///
    /// That a blob is the layer is those images' word, which only somebody with leave to write in the repository can
    /// give; so it counts in this repository alone. Engines compare each layer with the configuration when they pull.
    ///
    /// # Errors
    /// When the registry does not answer. An image that does not read merely teaches nothing.
    pub async fn learn(
        &self,
        repository: &str,
        tag: &str,
        wanted: &[&Digest],
        records: &Records,
    ) -> Result<(), RegistryError> {
        let is_unknown = |layer: &&&Digest| records.usable(self.recorded_as(), repository, layer).is_empty();
        if !wanted.iter().any(|layer| is_unknown(&layer)) {
            return Ok(());
        }
        let standing = self.standing(repository, tag).await?;
        self.learn_beside(standing, None, (repository, tag), wanted, records).await.map(drop)
    }

    /// [`Self::learn`], for whoever has read already what the tag names. `tags`: what was answered to who asked for
    /// them already. All images that were read on the way.
    pub(super) async fn learn_beside(
        &self,
        standing: Option<Standing>,
        tags: Option<Result<Vec<String>, RegistryError>>,
        (repository, tag): (&str, &str),
        wanted: &[&Digest],
        records: &Records,
    ) -> Result<Vec<Standing>, RegistryError> {
        let registry = self.recorded_as();
        let is_unknown = || wanted.iter().any(|layer| records.usable(registry, repository, layer).is_empty());
        let mut seen: Vec<Standing> = standing.into_iter().collect();
        if !is_unknown() {
            return Ok(seen);
        }
        if let Some(standing) = seen.first() {
            self.learn_from(repository, standing, records).await?;
        }
        if !is_unknown() {
            return Ok(seen);
        }
        let tags = match tags {
            Some(tags) => tags,
            None => self.tags(repository).await,
        };
        let tags = match tags {
            Ok(tags) => tags,
            Err(error) => return unless_lost(error).map(|()| seen),
        };
        for other in tags.iter().rev().filter(|other| *other != tag).take(OTHER_TAGS) {
            if let Some(standing) = self.standing(repository, other).await? {
                self.learn_from(repository, &standing, records).await?;
                seen.push(standing);
            }
            if !is_unknown() {
                break;
            }
        }
        Ok(seen)
    }

    /// Notes that this machine's engine has pushed or pulled the image `reference` (a tag or a digest), so that it knows
    /// as which blobs the registry has the layers, and leaves those out of its pushes.
    /// (moby's `distribution/metadata`: a layer is asked for only under digests that a push or pull has noted.)
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn learn_of_engine(
        &self,
        repository: &str,
        reference: &str,
        records: &Arc<Records>,
    ) -> Result<(), RegistryError> {
        let Some(standing) = self.standing(repository, reference).await? else { return Ok(()) };
        for (diff_id, digest, size, encoding) in self.layers_of(repository, &standing).await? {
            let registry = self.recorded_as();
            records.remember(registry, repository, &diff_id, &digest, size, encoding, None);
            records.note_engines(registry, &diff_id, &digest);
        }
        super::push::save(records).await;
        Ok(())
    }

    async fn learn_from(
        &self,
        repository: &str,
        standing: &Standing,
        records: &Records,
    ) -> Result<(), RegistryError> {
        for (diff_id, digest, size, encoding) in self.layers_of(repository, standing).await? {
            records.remember(self.recorded_as(), repository, &diff_id, &digest, size, encoding, None);
        }
        Ok(())
    }

    /// The image that `reference` names; of several, this machine's. `None` if there is none, or none that reads.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub(super) async fn standing(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Option<Standing>, RegistryError> {
        let read = async {
            let top = self.get_manifest(repository, reference).await?;
            let shown = super::manifest::image_name(repository, reference);
            let manifest = match media::is_index(&top.media_type) {
                true => self.choose(repository, &shown, &top, &Wanted::host()).await?.1,
                false => top,
            };
            if !media::is_manifest(&manifest.media_type) {
                return Ok(None);
            }
            let image = serde_json::from_slice(&manifest.bytes);
            let image = image.map_err(|error| self.protocol(format!("{shown} does not read: {error}")))?;
            Ok(Some(Standing { manifest, image }))
        };
        match read.await {
            Ok(standing) => Ok(standing),
            Err(error) => unless_lost(error).map(|()| None),
        }
    }

    /// The image's layers. None, if that does not read.
    async fn layers_of(&self, repository: &str, standing: &Standing) -> Result<Vec<Layer>, RegistryError> {
        match self.read_layers(repository, &standing.image).await {
            Ok(layers) => Ok(layers),
            Err(error) => unless_lost(error).map(|()| Vec::new()),
        }
    }

    async fn read_layers(
        &self,
        repository: &str,
        image: &ImageManifest,
    ) -> Result<Vec<Layer>, RegistryError> {
        let config = media::digest(image.config()).map_err(|error| self.protocol(error.to_string()))?;
        if image.config().size() > LARGEST_CONFIG {
            return Ok(Vec::new());
        }
        let mut bytes = Vec::new();
        self.pull_blob(repository, &config, image.config().size(), &mut bytes, |_| ()).await.map_err(
            |error| match error {
                PullError::Registry(error) => error,
                PullError::Write(source) => RegistryError::Source { source },
            },
        )?;
        let head: Head = serde_json::from_slice(&bytes).map_err(|error| self.protocol(error.to_string()))?;
        if head.rootfs.diff_ids.len() != image.layers().len() {
            return Ok(Vec::new());
        }
        let pairs = head.rootfs.diff_ids.iter().zip(image.layers());
        Ok(pairs
            .filter_map(|(diff_id, layer)| {
                let encoding = media::encoding(layer.media_type().as_ref())?;
                Some((diff_id.parse().ok()?, media::digest(layer).ok()?, layer.size(), encoding))
            })
            .collect())
    }
}

/// That there is no such image, or none that reads, is no failure of a push.
fn unless_lost(error: RegistryError) -> Result<(), RegistryError> {
    if matches!(error, RegistryError::Unreachable { .. } | RegistryError::TimedOut { .. }) {
        return Err(error);
    }
    tracing::debug!(%error, "nothing to be learnt from what the registry has");
    Ok(())
}

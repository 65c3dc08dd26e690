//! What a registry has of an image already: read from the images that stand in the repository.

use super::{Client, blob::PullError};
use crate::{Digest, RegistryError, media, pack::Encoding, records::Records};
use oci_spec::image::ImageManifest;
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

impl Client {
    /// Finds out as which blobs the registry has the layers `wanted`, where the records do not tell: from the image
    /// that the tag names now, or else from the repository's last tags. Whoever pushed those, with whatever compressor.
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
        let is_unknown = || wanted.iter().any(|layer| records.known(self.authority(), layer).is_empty());
        if !is_unknown() {
            return Ok(());
        }
        self.learn_from(repository, tag, records).await?;
        if !is_unknown() {
            return Ok(());
        }
        let tags = match self.tags(repository).await {
            Ok(tags) => tags,
            Err(error) => return unless_lost(error),
        };
        for other in tags.iter().rev().filter(|other| *other != tag).take(OTHER_TAGS) {
            self.learn_from(repository, other, records).await?;
            if !is_unknown() {
                break;
            }
        }
        Ok(())
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
        match self.layers_of(repository, reference).await {
            Ok(layers) => {
                let registry = self.authority();
                for (diff_id, digest, size, encoding) in layers {
                    records.remember(registry, repository, &diff_id, &digest, size, encoding, None);
                    records.note_engines(registry, &diff_id, &digest);
                }
                super::push::save(records).await;
                Ok(())
            }
            Err(error) => unless_lost(error),
        }
    }

    async fn learn_from(&self, repository: &str, tag: &str, records: &Records) -> Result<(), RegistryError> {
        match self.layers_of(repository, tag).await {
            Ok(layers) => {
                for (diff_id, digest, size, encoding) in layers {
                    records.remember(self.authority(), repository, &diff_id, &digest, size, encoding, None);
                }
                Ok(())
            }
            Err(error) => unless_lost(error),
        }
    }

    /// The image's layers: diff id, and the blob's digest, size and encoding.
    async fn layers_of(
        &self,
        repository: &str,
        tag: &str,
    ) -> Result<Vec<(Digest, Digest, u64, Encoding)>, RegistryError> {
        let unreadable = |error: serde_json::Error| self.protocol(error.to_string());
        let manifest = self.get_manifest(repository, tag).await?;
        if !media::is_manifest(&manifest.media_type) {
            return Ok(Vec::new());
        }
        let image: ImageManifest = serde_json::from_slice(&manifest.bytes).map_err(unreadable)?;
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
        let head: Head = serde_json::from_slice(&bytes).map_err(unreadable)?;
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

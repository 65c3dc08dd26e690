//! The direct road to the registry: an archive is pushed without any engine.

use super::{Client, retry};
use crate::{
    Digest, RegistryError,
    archive::{self, ArchiveError, Layer, LayerKind, ManifestPlan, SectionReader, Selected, Tarball},
    board::Board,
    media,
    pack::{self, Abandon, Encoding, PackedBody},
    reference,
};
use dockline_model::{LayerState, LayerView};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use oci_spec::image::{Descriptor, ImageManifestBuilder, MediaType};
use std::{io::Seek as _, path::Path, str::FromStr as _, sync::Arc};
use tokio::io::AsyncReadExt as _;

/// A layer at the registry, as the manifest will name it.
#[derive(Debug, Clone)]
struct Placed {
    digest: Digest,
    size: u64,
    encoding: Encoding,
}

impl Client {
    /// Pushes the image of the archive at `path` and asks the registry afterwards whether it is there.
    ///
    /// If the archive holds several images, the one that is called `repository:tag` (at whatever registry) is
    /// taken; of a multi-platform image, this machine's platform (the only one, if there is only one).
    /// `progress` gets all layers, the bytes so far and the bytes in all; bytes are counted as they are in the
    /// archive, so the total is known from the start.
    ///
    /// An image whose layers are compressed already keeps its digest; bare tars are compressed on the way, the
    /// same way every time.
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the push.
    pub async fn push_archive(
        &self,
        path: &Path,
        repository: &str,
        tag: &str,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        reference::check_repository(repository)?;
        reference::check_tag(tag)?;
        let (path, wanted) = (path.to_owned(), (repository.to_owned(), tag.to_owned()));
        let (tarball, selected) = blocking(move || {
            let tarball = Tarball::open(&path)?;
            let selected = archive::select(&tarball, &wanted.0, &wanted.1)?;
            Ok::<_, ArchiveError>((Arc::new(tarball), selected))
        })
        .await?;
        let Selected { config, layers, manifest } = selected;

        // The same file twice (empty layers often are) is one job.
        let mut jobs: Vec<Layer> = Vec::new();
        let order: Vec<usize> = layers
            .into_iter()
            .map(|layer| match jobs.iter().position(|job| job.section == layer.section) {
                Some(known) => known,
                None => {
                    jobs.push(layer);
                    jobs.len() - 1
                }
            })
            .collect();
        let board = Board::new(jobs.iter().map(|job| (short_id(&job.kind), job.section.size)), progress);
        let pushes: Vec<_> = jobs
            .into_iter()
            .enumerate()
            .map(|(index, job)| self.push_layer(&tarball, repository, job, index, &board))
            .collect();
        // The order of the results is the order of the jobs, however many run at once.
        let placed: Vec<Placed> =
            stream::iter(pushes).buffered(self.config.parallel.max(1)).try_collect().await?;
        let placed: Vec<Placed> = order.into_iter().map(|job| placed[job].clone()).collect();

        let config_digest = Digest::of(&config);
        let config_size = config.len() as u64;
        if !self.blob_exists(repository, &config_digest).await? {
            let body = std::io::Cursor::new(config);
            self.push_blob(repository, &config_digest, config_size, body, |_| ()).await?;
        }
        let (media_type, bytes) = manifest_bytes(manifest, &config_digest, config_size, &placed)
            .map_err(|what| ArchiveError::Inconsistent { what: what.to_string() })?;
        let pushed = self.push_manifest(repository, tag, &media_type, bytes).await?;
        let there = self.manifest_digest(repository, tag).await?;
        if there != pushed {
            let what = super::manifest::image_name(repository, tag);
            return Err(RegistryError::DigestMismatch { what, expected: pushed, actual: there });
        }
        Ok(pushed)
    }

    async fn push_layer<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        tarball: &Arc<Tarball>,
        repository: &str,
        layer: Layer,
        index: usize,
        board: &Board<F>,
    ) -> Result<Placed, RegistryError> {
        // A digest that is known needs no packing to be asked for.
        if let LayerKind::Ready { digest } = &layer.kind
            && self.blob_exists(repository, digest).await?
        {
            board.state(index, LayerState::Exists);
            return Ok(Placed { digest: digest.clone(), size: layer.section.size, encoding: Encoding::Gzip });
        }
        let (_abandon, abandoned) = Abandon::new();
        let (source, name, total) = (tarball.clone(), layer.name.clone(), layer.section.size);
        let is_ready = matches!(layer.kind, LayerKind::Ready { .. });
        let packed = blocking(move || pack::pack(&source, &layer, &abandoned)).await?;
        let placed = Placed { digest: packed.digest, size: packed.size, encoding: packed.encoding };
        if !is_ready && self.blob_exists(repository, &placed.digest).await? {
            board.state(index, LayerState::Exists);
            return Ok(placed);
        }
        // Bars count what is in the archive, so that the total does not change once the layer is compressed.
        let scale = |sent: u64| {
            let scaled = u128::from(sent) * u128::from(total) / u128::from(placed.size.max(1));
            u64::try_from(scaled).unwrap_or(total)
        };
        let mut waits = retry::WAITS.into_iter();
        loop {
            board.advance(index, 0);
            let file = body_file(tarball, &packed.body).await?;
            let body = tokio::fs::File::from_std(file).take(placed.size);
            let progress = |sent| board.advance(index, scale(sent));
            match self.push_blob(repository, &placed.digest, placed.size, body, progress).await {
                Ok(()) => break board.state(index, LayerState::Done),
                // The bytes came from the archive, so it is the archive that is damaged.
                Err(RegistryError::DigestMismatch { expected, actual, .. }) => {
                    return Err(ArchiveError::WrongDigest { name, expected, actual }.into());
                }
                Err(error) => retry::wait_or_give_up(error, &mut waits, index, board).await?,
            }
        }
        Ok(placed)
    }
}

/// The packed layer, open at its first byte.
async fn body_file(tarball: &Arc<Tarball>, body: &PackedBody) -> Result<std::fs::File, RegistryError> {
    match body {
        PackedBody::Temporary(file) => {
            let again = file.try_clone().and_then(|mut file| file.rewind().map(|()| file));
            again.map_err(|source| RegistryError::Source { source })
        }
        PackedBody::InArchive(section) => {
            let (tarball, section) = (tarball.clone(), *section);
            blocking(move || {
                let read = |source| ArchiveError::Read { path: tarball.shown().to_owned(), source };
                tarball.reader(section).map(SectionReader::into_file).map_err(read)
            })
            .await
        }
    }
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static, E: Into<RegistryError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, RegistryError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|source| RegistryError::Worker { source })?
        .map_err(Into::into)
}

fn short_id(kind: &LayerKind) -> String {
    match kind {
        LayerKind::Ready { digest } => digest.short().to_owned(),
        LayerKind::Raw { diff_id } | LayerKind::Packed { diff_id, .. } => diff_id.short().to_owned(),
    }
}

fn manifest_bytes(
    plan: ManifestPlan,
    config: &Digest,
    config_size: u64,
    layers: &[Placed],
) -> Result<(String, Vec<u8>), oci_spec::OciSpecError> {
    match plan {
        ManifestPlan::Verbatim { bytes, media_type } => Ok((media_type, bytes)),
        ManifestPlan::Compressed(mut manifest) => {
            let replaced = manifest
                .layers()
                .iter()
                .zip(layers)
                .map(|(old, placed)| {
                    if !media::is_bare_tar(old.media_type().as_ref()) {
                        return Ok(old.clone());
                    }
                    let kind = match old.media_type().as_ref().starts_with("application/vnd.docker.") {
                        true => media::DOCKER_LAYER_GZIP,
                        false => media::OCI_LAYER_GZIP,
                    };
                    let mut new = descriptor(kind, &placed.digest, placed.size)?;
                    new.set_annotations(old.annotations().clone());
                    Ok(new)
                })
                .collect::<Result<Vec<_>, oci_spec::OciSpecError>>()?;
            manifest.set_layers(replaced);
            let media_type = manifest
                .media_type()
                .as_ref()
                .map_or_else(|| media::OCI_MANIFEST.to_owned(), ToString::to_string);
            Ok((media_type, serde_json::to_vec(&manifest)?))
        }
        ManifestPlan::Docker => {
            let layers = layers
                .iter()
                .map(|placed| {
                    let kind = match placed.encoding {
                        Encoding::Gzip => media::DOCKER_LAYER_GZIP,
                        // Docker's own format has no name for zstd; engines read the OCI one beside it.
                        Encoding::Zstd => media::OCI_LAYER_ZSTD,
                    };
                    descriptor(kind, &placed.digest, placed.size)
                })
                .collect::<Result<Vec<_>, _>>()?;
            let manifest = ImageManifestBuilder::default()
                .schema_version(2_u32)
                .media_type(media::DOCKER_MANIFEST)
                .config(descriptor(media::DOCKER_CONFIG, config, config_size)?)
                .layers(layers)
                .build()?;
            Ok((media::DOCKER_MANIFEST.to_owned(), serde_json::to_vec(&manifest)?))
        }
    }
}

fn descriptor(media_type: &str, digest: &Digest, size: u64) -> Result<Descriptor, oci_spec::OciSpecError> {
    let digest = oci_spec::image::Digest::from_str(&digest.to_string())?;
    Ok(Descriptor::new(MediaType::from(media_type), size, digest))
}

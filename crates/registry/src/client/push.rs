//! The direct road to the registry: archives without any engine, and an engine's images from its export.

use super::{
    Client, compose,
    layer::{Job, JobKind, Open},
    learn::Standing,
    retry,
};
use crate::{
    Digest, RegistryError,
    archive::{self, ArchiveError, Layer, LayerKind, ManifestPlan, Selected, Tarball},
    board::Board,
    pack::{self, Abandon, Encoding, Packing},
    records::Records,
    reference,
};
use dockline_model::{Compression, LayerView};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use std::{path::Path, sync::Arc, time::Duration};

/// How many layers are asked about at once. Each of them has a connection, and an SSH session takes two: logging in
/// once more takes longer than one more round of questions.
pub(super) const QUESTIONS: usize = 4;

/// How a push goes about it.
#[derive(Debug, Clone)]
pub struct Sending {
    /// How bare layers are packed.
    pub packing: Packing,
    /// Whether the registry's own copy of a layer will do however it is packed (gzip or not at all; zstd only where
    /// `packing` is zstd).
    pub takes_any: bool,
    /// Whether a layer of which an earlier push has sent a part may go on at the level that it began with.
    pub takes_any_level: bool,
    /// What earlier pushes left behind.
    pub records: Arc<Records>,
    /// Layers that are sent at once.
    pub at_once: usize,
    /// Whether the line takes the time, and not the packing.
    pub slow_line: bool,
    /// How long it takes to the registry's host and back, where that is known without asking the registry.
    pub round_trip: Option<Duration>,
}

impl Default for Sending {
    /// gzip, whatever is there already, nothing remembered, and three at once.
    fn default() -> Self {
        let records = Arc::new(Records::nowhere());
        Self {
            packing: Packing::default(),
            takes_any: true,
            takes_any_level: true,
            records,
            at_once: 3,
            slow_line: false,
            round_trip: None,
        }
    }
}

/// A layer at the registry, as the manifest will name it.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) encoding: Encoding,
}

impl Client {
    /// Pushes the image of the archive at `path`: [`Client::push_archive_as`] with nothing decided.
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
        self.push_archive_as(path, None, repository, tag, &Sending::default(), progress).await
    }

    /// Pushes the image of the archive at `path` and asks the registry afterwards whether it is there.
    ///
    /// If the archive holds several images, the one that is called `image` is taken, or without it the one that is
    /// called `repository:tag` (at whatever registry); of a multi-platform image, this machine's platform (the only
    /// one, if there is only one).
    /// `progress` gets all layers, the bytes so far and the bytes in all; bytes are counted as they are in the
    /// archive, so the total is known from the start.
    ///
    /// An image whose layers are compressed already keeps its digest; bare tars are compressed on the way, the
    /// same way every time.
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the push.
    pub async fn push_archive_as(
        &self,
        path: &Path,
        image: Option<&str>,
        repository: &str,
        tag: &str,
        sending: &Sending,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        reference::check_repository(repository)?;
        reference::check_tag(tag)?;
        let image = image.map(str::parse::<reference::Reference>).transpose()?;
        let (path, own) = (path.to_owned(), (repository.to_owned(), tag.to_owned()));
        let (tarball, selected) = blocking(move || {
            let tarball = Tarball::open(&path)?;
            let wanted = match &image {
                Some(image) => archive::Wish::Named(image),
                None => archive::Wish::Like { repository: &own.0, tag: &own.1 },
            };
            let selected = archive::select(&tarball, &wanted)?;
            Ok::<_, ArchiveError>((Arc::new(tarball), selected))
        })
        .await?;
        let Selected { config, layers, manifest, one } = selected;
        if let Some(one) = one {
            self.hearer.hear(&one);
        }

        // The same file twice (empty layers often are) is one job.
        let mut distinct: Vec<Layer> = Vec::new();
        let order: Vec<usize> = layers
            .into_iter()
            .map(|layer| match distinct.iter().position(|known| known.is_same(&layer)) {
                Some(known) => known,
                None => {
                    distinct.push(layer);
                    distinct.len() - 1
                }
            })
            .collect();
        let mut jobs = Vec::with_capacity(distinct.len());
        for layer in distinct {
            jobs.push(archive_job(&tarball, layer, sending.packing).await?);
        }
        self.push_jobs(jobs, &order, config, manifest, (repository, tag), sending, progress).await
    }

    /// Sends whatever of `jobs` the registry lacks, then the configuration and the manifest. `order` gives each layer
    /// of the manifest its job.
    #[expect(clippy::too_many_arguments, reason = "an image has as many parts")]
    pub(crate) async fn push_jobs(
        &self,
        jobs: Vec<Job>,
        order: &[usize],
        config: Vec<u8>,
        manifest: ManifestPlan,
        (repository, tag): (&str, &str),
        sending: &Sending,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        let board = Board::new(jobs.iter().map(|job| (job.short_id(), job.size)), progress);
        let wanted: Vec<&Digest> = jobs.iter().filter_map(Job::diff_id).collect();
        let standing = match manifest {
            ManifestPlan::Verbatim { .. } => None,
            ManifestPlan::Compressed(_) | ManifestPlan::Docker => self.standing(repository, tag).await?,
        };
        let standing =
            self.learn_beside(standing, None, (repository, tag), &wanted, &sending.records).await?;
        let (placed, config) = futures::join!(
            self.send_jobs(&jobs, repository, &[], sending, &board),
            self.put_config(repository, &config)
        );
        let placed = placed?;
        let layers: Vec<Placed> = order.iter().map(|job| placed[*job].clone()).collect();
        self.complete((repository, tag), config?, manifest, &layers, &standing).await
    }

    /// Sends whatever of `jobs` the registry lacks; where each of them is then. `absent`: what it has just said that the
    /// repository does not have.
    pub(super) async fn send_jobs<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        jobs: &[Job],
        repository: &str,
        absent: &[Digest],
        sending: &Sending,
        board: &Board<F>,
    ) -> Result<Vec<Placed>, RegistryError> {
        let shared = self.shared(repository, sending, board);
        let asked = jobs.iter().enumerate().map(|job| self.find_layer(&shared, job, absent));
        let mut placed: Vec<Option<Placed>> =
            stream::iter(asked.collect::<Vec<_>>()).buffered(QUESTIONS).try_collect().await?;

        for (job, _) in jobs.iter().zip(&placed).filter(|(_, placed)| placed.is_some()) {
            self.forget_upload(&shared, job).await;
        }

        // The largest first: what is begun last should not take longest.
        let mut missing: Vec<usize> = (0..jobs.len()).filter(|index| placed[*index].is_none()).collect();
        missing.sort_by_key(|index| std::cmp::Reverse(jobs[*index].size));
        let sends: Vec<_> = missing
            .into_iter()
            .map(|index| {
                let (shared, job) = (&shared, &jobs[index]);
                async move { Ok::<_, RegistryError>((index, self.send_layer(shared, job, index).await?.0)) }
            })
            .collect();
        let mut sends = stream::iter(sends).buffer_unordered(sending.at_once.max(1));
        let mut outcome = Ok(());
        while let Some(sent) = sends.next().await {
            match sent {
                Ok((index, layer)) => placed[index] = Some(layer),
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        drop(sends);
        // What has arrived counts, however the rest went.
        save(&sending.records).await;
        outcome?;
        let placed: Option<Vec<Placed>> = placed.into_iter().collect();
        placed.ok_or_else(|| self.protocol("a layer was neither found nor sent"))
    }

    /// Sends the configuration; its digest, and its length in bytes.
    pub(crate) async fn put_config(
        &self,
        repository: &str,
        config: &[u8],
    ) -> Result<(Digest, u64), RegistryError> {
        let digest = Digest::of(config);
        let mut waits = retry::WAITS.into_iter();
        while let Err(error) = self.put_small(repository, &digest, config).await {
            retry::wait_silently(error, &mut waits).await?;
        }
        Ok((digest, config.len() as u64))
    }

    /// Sends a small blob, unless it is there.
    async fn put_small(&self, repository: &str, digest: &Digest, bytes: &[u8]) -> Result<(), RegistryError> {
        if self.blob_exists(repository, digest).await? {
            return Ok(());
        }
        let body = std::io::Cursor::new(bytes.to_vec());
        self.push_blob(repository, digest, bytes.len() as u64, body, |_| ()).await
    }

    /// The manifest, once everything that it names is there. `standing`: images that the repository has.
    pub(crate) async fn complete(
        &self,
        (repository, tag): (&str, &str),
        (config, config_size): (Digest, u64),
        manifest: ManifestPlan,
        layers: &[Placed],
        standing: &[Standing],
    ) -> Result<Digest, RegistryError> {
        let (media_type, bytes) = compose::manifest(manifest, (&config, config_size), layers, standing)
            .map_err(|what| ArchiveError::Inconsistent { what: what.to_string() })?;
        self.tag(repository, tag, &media_type, bytes).await
    }

    /// Stores the manifest under the tag, and makes sure of it.
    async fn tag(
        &self,
        repository: &str,
        tag: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<Digest, RegistryError> {
        let (mut is_again, mut waits) = (false, retry::WAITS.into_iter());
        loop {
            let pushed = match self.push_manifest(repository, tag, media_type, bytes.clone()).await {
                Ok(pushed) => pushed,
                // Twice the same manifest is once.
                Err(error) => {
                    retry::wait_silently(error, &mut waits).await?;
                    continue;
                }
            };
            match self.manifest_digest(repository, tag).await {
                Ok(there) if there == pushed => return Ok(pushed),
                Ok(found) if self.manifest_digest(repository, &pushed.to_string()).await.is_ok() => {
                    let what = super::manifest::image_name(repository, tag);
                    return Err(RegistryError::Overtaken { what, found, pushed });
                }
                Ok(there) => {
                    let what = super::manifest::image_name(repository, tag);
                    return Err(RegistryError::DigestMismatch { what, expected: pushed, actual: there });
                }
                // Somebody deleted it in that moment.
                Err(RegistryError::NotFound { .. }) if !is_again => is_again = true,
                Err(error) => return Err(error),
            }
        }
    }
}

/// Writes the records.
pub(crate) async fn save(records: &Arc<Records>) {
    noted(records, Records::save).await;
}

/// Writes something of the records where that may take a moment.
pub(super) async fn noted(records: &Arc<Records>, note: impl FnOnce(&Records) + Send + 'static) {
    let records = records.clone();
    // Only a panic could be the error, and it has been printed.
    let _ = blocking(move || {
        note(&records);
        Ok::<_, RegistryError>(())
    })
    .await;
}

impl JobKind {
    /// Of a bare tar.
    pub(super) fn of_bare(diff_id: &Digest, packing: Packing) -> Self {
        match packing.compression() {
            Compression::Gzip | Compression::Zstd => Self::Pack { diff_id: Some(diff_id.clone()) },
            Compression::None => Self::Verbatim { digest: diff_id.clone(), encoding: Encoding::Bare },
        }
    }
}

async fn archive_job(tarball: &Arc<Tarball>, layer: Layer, packing: Packing) -> Result<Job, RegistryError> {
    let kind = match &layer.kind {
        LayerKind::Raw { diff_id } => JobKind::of_bare(diff_id, packing),
        LayerKind::Ready { digest } => JobKind::Verbatim { digest: digest.clone(), encoding: Encoding::Gzip },
        LayerKind::Elsewhere { digest } => JobKind::There(Placed {
            digest: digest.clone(),
            size: layer.section.size,
            encoding: Encoding::Gzip,
        }),
        LayerKind::Packed { .. } => {
            let (_abandon, abandoned) = Abandon::new();
            let (source, layer) = (tarball.clone(), layer.clone());
            let checked = blocking(move || pack::check(&source, &layer, &abandoned)).await?;
            JobKind::Verbatim { digest: checked.digest, encoding: checked.encoding }
        }
    };
    let (source, section) = (tarball.clone(), layer.section);
    let open: Open = Arc::new(move || Ok(Box::new(source.reader(section)) as Box<dyn std::io::Read + Send>));
    Ok(Job {
        name: layer.name,
        shown: tarball.shown().to_owned(),
        size: layer.section.size,
        kind,
        open,
        is_stream: false,
    })
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

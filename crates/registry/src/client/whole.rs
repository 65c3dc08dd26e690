//! An archive's image with all that belongs to it: every platform, attestations, signatures. Nothing is packed anew, so
//! that each digest is the archive's.

use super::{
    Client, Manifest, Scope,
    company::Traveller,
    layer::{Job, JobKind, Open},
    push::{Sending, blocking},
};
use crate::{
    Digest, RegistryError,
    archive::{self, ArchiveError, Tarball, Whole},
    board::Board,
    media,
    pack::Packing,
    reference,
};
use dockline_model::{Compression, LayerView};
use std::{io::Read, path::Path, sync::Arc};

impl Client {
    /// Pushes what `scope` says of the archive at `path`: of an image with several platforms all of them, or this
    /// machine's, and what refers to it. Its bytes stay as they are, and so do all digests. Otherwise as
    /// [`Client::push_archive_as`], which an archive of docker's older layout is left to: that holds single images.
    ///
    /// # Errors
    /// [`ArchiveError::Incomplete`] where the archive lacks a platform that the registry lacks, too. See
    /// [`RegistryError`]; dropping the future stops the push.
    pub async fn push_archive_whole(
        &self,
        (path, image): (&Path, Option<&str>),
        scope: &Scope,
        (repository, tag): (&str, &str),
        sending: &Sending,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        reference::check_repository(repository)?;
        reference::check_tag(tag)?;
        let named = image.map(str::parse::<reference::Reference>).transpose()?;
        let (owned, own) = (path.to_owned(), (repository.to_owned(), tag.to_owned()));
        let (all_platforms, referrers) = (scope.all_platforms, scope.referrers);
        let (tarball, whole) = blocking(move || {
            let tarball = Tarball::open(&owned)?;
            let wish = match &named {
                Some(image) => archive::Wish::Named(image),
                None => archive::Wish::Like { repository: &own.0, tag: &own.1 },
            };
            let whole = archive::gather(&tarball, &wish, all_platforms, referrers)?;
            Ok::<_, ArchiveError>((Arc::new(tarball), whole))
        })
        .await?;
        let Some(whole) = whole else {
            return self.push_archive_as(path, image, repository, tag, sending, progress).await;
        };
        if let Some(one) = &whole.one {
            self.hearer.hear(one);
        }
        self.refuse_incomplete(repository, &whole).await?;
        // Configurations are a few kilobytes, and no layers.
        let (layers, others): (Vec<_>, Vec<_>) =
            whole.blobs.iter().partition(|blob| media::is_layer(&blob.media_type));
        let jobs =
            |blobs: Vec<_>| -> Vec<Job> { blobs.into_iter().map(|it| verbatim(&tarball, it)).collect() };
        let (layers, others) = (jobs(layers), jobs(others));
        let board = Board::new(layers.iter().map(|job| (job.short_id(), job.size)), progress);
        let silent = |_: &[LayerView], _, _| ();
        let unseen = Board::new(others.iter().map(|job| (job.short_id(), job.size)), silent);
        let packing = Packing::new(Compression::None, 0);
        let sending = Sending { packing, ..sending.clone() };
        tokio::try_join!(
            self.send_jobs(&layers, repository, &[], &sending, &board),
            self.send_jobs(&others, repository, &[], &sending, &unseen),
        )?;
        let travellers: Vec<Traveller> = whole
            .manifests
            .into_iter()
            .map(|part| Traveller {
                manifest: Manifest { media_type: part.media_type, digest: part.digest, bytes: part.bytes },
                tag: part.tag,
                subject: part.subject,
            })
            .collect();
        self.settle(&travellers, (repository, tag)).await
    }

    /// An index may name what the archive lacks, as Docker's does that saves the platforms it has, if the registry has it.
    async fn refuse_incomplete(&self, repository: &str, whole: &Whole) -> Result<(), RegistryError> {
        let mut missing = Vec::new();
        for absent in &whole.absent {
            match self.manifest_digest(repository, &absent.digest.to_string()).await {
                Ok(_) => {}
                Err(RegistryError::NotFound { .. }) => missing.push(absent.platform.clone()),
                Err(error) => return Err(error),
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.dedup();
        Err(ArchiveError::Incomplete { missing: missing.join(", ") }.into())
    }
}

fn verbatim(tarball: &Arc<Tarball>, blob: &archive::Blob) -> Job {
    let (source, section) = (tarball.clone(), blob.section);
    let open: Open = Arc::new(move || Ok(Box::new(source.reader(section)) as Box<dyn Read + Send>));
    Job {
        name: blob.digest.layout_path(),
        shown: tarball.shown().to_owned(),
        size: blob.section.size,
        kind: JobKind::Verbatim { digest: blob.digest.clone(), encoding: blob.encoding() },
        open,
        is_stream: false,
    }
}

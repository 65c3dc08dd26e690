//! The direct road from the registry: an image is pulled into an archive without any engine.

use super::{
    Client,
    company::{Company, Scope},
    part::Part,
    push::blocking,
    retry,
};
use crate::{
    Digest, Operation, RegistryError,
    archive::write::{self, Plan, Slot},
    board::Board,
    digest::Hasher,
    media,
};
use dockline_model::{ArchiveFormat, LayerState, LayerView};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use oci_spec::image::{Descriptor, ImageManifest, MediaType};
use std::{
    path::Path,
    str::FromStr as _,
    sync::{Arc, atomic::AtomicBool},
};

/// Bytes after which it is noted how far a blob is.
const NOTE_EVERY: u64 = 4 << 20;

/// How far a blob is.
struct Reached {
    bytes: u64,
    hasher: Hasher,
}

impl Client {
    /// The same client, whose pulls leave what they have got to the next one of the same however they end, as one that is
    /// stopped: for places that nobody looks into, and somebody cleans.
    #[must_use]
    pub fn leaving_parts(&self) -> Self {
        self.leaving_parts_if(&Arc::new(AtomicBool::new(true)))
    }

    /// The same, of pulls that end while `is_so`. [`remove_parts`](crate::remove_parts) removes what nobody goes on with.
    #[must_use]
    pub fn leaving_parts_if(&self, is_so: &Arc<AtomicBool>) -> Self {
        Self { leaves_parts: is_so.clone(), ..self.clone() }
    }

    /// [`Self::pull_archive_as`]: this machine's image, as an OCI archive.
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the pull.
    pub async fn pull_archive(
        &self,
        repository: &str,
        reference: &str,
        path: &Path,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        let how = (ArchiveFormat::Oci, &Scope::default());
        self.pull_archive_as(repository, reference, path, how, progress).await
    }

    /// Pulls an image into a new archive at `path` that `docker load`, `podman load` and `skopeo` read, and returns the
    /// digest `reference` (a tag or a digest) had. Of a multi-platform image one platform is taken unless `scope` says
    /// otherwise; the digest is the whole index's then. Nothing is at `path` unless all of it is there and checked;
    /// what exists there is never overwritten.
    ///
    /// What a pull of the same to the same place had got when it was killed, or its way was lost for good, is not
    /// fetched again. See [`Client::leaving_parts`].
    ///
    /// `progress` gets all layers, the bytes so far and the bytes in all.
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the pull.
    pub async fn pull_archive_as(
        &self,
        repository: &str,
        reference: &str,
        path: &Path,
        (format, scope): (ArchiveFormat, &Scope),
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        if path.exists() {
            return Err(RegistryError::FileExists { path: path.to_owned() });
        }
        let shown = super::manifest::image_name(repository, reference);
        // Not by a question of its own: by then a tag may name another image than the one that is written.
        let company = self.gather(repository, reference, scope).await?;
        let asked = company.asked.clone();
        let Plan { pieces, blobs, length } = self.plan(company, (repository, reference), &shown, format)?;
        let target = path.to_owned();
        let mut part = blocking(move || Part::open(&target, &pieces, length)).await?;
        part.may_stay = self.leaves_parts.clone();
        // Configurations are a few kilobytes, and no layers.
        let board = Board::new(
            blobs.iter().filter(|slot| slot.is_layer).map(|slot| (slot.digest.short().to_owned(), slot.size)),
            progress,
        );
        let mut layers = 0;
        let pulls: Vec<_> = blobs
            .iter()
            .enumerate()
            .map(|(number, slot)| {
                let bar = slot.is_layer.then_some(layers);
                layers += usize::from(slot.is_layer);
                self.fetch(repository, (number, slot), &part, (bar, &board))
            })
            .collect();
        let fetched =
            stream::iter(pulls).buffer_unordered(self.config.parallel.max(1)).try_collect::<Vec<()>>().await;
        if let Err(error) = fetched {
            // What has nothing to do with the bytes that are there.
            if matches!(
                error,
                RegistryError::Unreachable { .. }
                    | RegistryError::TimedOut { .. }
                    | RegistryError::Failed { .. }
                    | RegistryError::Auth { .. }
                    | RegistryError::Denied { .. }
            ) {
                let left = move || {
                    part.leave();
                    Ok::<_, RegistryError>(())
                };
                blocking(left).await?;
            } else {
                // Nobody could go on with it, and a full disk wants its room back.
                part.may_stay = Arc::default();
            }
            return Err(error);
        }
        let target = path.to_owned();
        blocking(move || part.keep(&target)).await?;
        Ok(asked)
    }

    /// Where everything will be in the archive.
    fn plan(
        &self,
        company: Company,
        (repository, reference): (&str, &str),
        shown: &str,
        format: ArchiveFormat,
    ) -> Result<Plan, RegistryError> {
        let unfit = |error: &dyn std::fmt::Display| {
            self.protocol(format!("{shown} does not fit an archive: {error}"))
        };
        let Some(image) = company.travellers.last() else {
            return Err(self.protocol("an image without a manifest"));
        };
        let tag = (!reference.contains(':')).then_some(reference);
        let name = tag.map(|tag| format!("{}/{repository}:{tag}", self.authority()));
        let single = if media::is_manifest(&image.manifest.media_type) {
            let manifest: ImageManifest = serde_json::from_slice(&image.manifest.bytes)
                .map_err(|error| self.protocol(format!("the manifest of {shown} does not read: {error}")))?;
            Some(manifest)
        } else {
            None
        };
        if format == ArchiveFormat::Docker {
            let Some(manifest) = &single else {
                return Err(RegistryError::NeedsOci { reference: shown.to_owned() });
            };
            if company.travellers.len() > 1 {
                return Err(RegistryError::NeedsOci { reference: shown.to_owned() });
            }
            return write::plan_docker(manifest.config(), manifest.layers(), name.as_deref())
                .map_err(|error| unfit(&error));
        }
        let manifests: Vec<write::Entry<'_>> = company
            .travellers
            .iter()
            .map(|traveller| {
                let digest = oci_spec::image::Digest::from_str(&traveller.manifest.digest.to_string())?;
                let media_type = MediaType::from(traveller.manifest.media_type.as_str());
                let size = traveller.manifest.bytes.len() as u64;
                let is_image = std::ptr::eq(traveller, image);
                Ok(write::Entry {
                    descriptor: Descriptor::new(media_type, size, digest),
                    bytes: &traveller.manifest.bytes,
                    name: if is_image { name.as_deref() } else { None },
                    tag: if is_image { tag } else { traveller.tag.as_deref() },
                    is_root: is_image || traveller.tag.is_some() || traveller.subject.is_some(),
                })
            })
            .collect::<Result<_, oci_spec::OciSpecError>>()
            .map_err(|error| unfit(&error))?;
        let docker = single.as_ref().map(|manifest| (manifest.config(), manifest.layers().as_slice()));
        write::plan(&manifests, &company.blobs, docker).map_err(|error| unfit(&error))
    }

    /// Fetches one blob to its place, and goes on where it was when the way was lost.
    async fn fetch<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        repository: &str,
        (number, slot): (usize, &Slot),
        part: &Part,
        (bar, board): (Option<usize>, &Board<F>),
    ) -> Result<(), RegistryError> {
        let fresh = || Reached { bytes: 0, hasher: Hasher::new(slot.digest.algorithm()) };
        let mut reached = self.left_by_a_killed_pull(number, slot, part).await?.unwrap_or_else(fresh);
        let was_left = reached.bytes > 0;
        let mut may_begin_again = was_left;
        let mut waits = retry::WAITS.into_iter();
        loop {
            if let Some(bar) = bar {
                board.advance(bar, reached.bytes);
            }
            let error =
                match self.fetch_rest(repository, (number, slot), part, &mut reached, (bar, board)).await {
                    Ok(()) => {
                        let actual = reached.hasher.clone().finish();
                        if actual == slot.digest {
                            break;
                        }
                        if may_begin_again {
                            // What was left was not what the journal said.
                            (may_begin_again, reached) = (false, fresh());
                            continue;
                        }
                        return Err(RegistryError::DigestMismatch {
                            what: format!("the layer {}", slot.digest.short()),
                            expected: slot.digest.clone(),
                            actual,
                        });
                    }
                    Err(error) => error,
                };
            match bar {
                Some(bar) => retry::wait_or_give_up(error, &mut waits, bar, board).await?,
                None => retry::wait_silently(error, &mut waits).await?,
            }
        }
        if let Some(bar) = bar {
            board.state(bar, LayerState::Done);
        }
        Ok(())
    }

    /// What is there of a blob already, hashed.
    async fn left_by_a_killed_pull(
        &self,
        number: usize,
        slot: &Slot,
        part: &Part,
    ) -> Result<Option<Reached>, RegistryError> {
        let known = part.known(number).min(slot.size);
        if known == 0 {
            return Ok(None);
        }
        let (contents, offset, algorithm) = (part.contents(), slot.offset, slot.digest.algorithm());
        blocking(move || {
            let mut hasher = Hasher::new(algorithm);
            let bytes = contents.read(offset, known, |bytes| hasher.update(bytes))?;
            Ok::<_, RegistryError>(Some(Reached { bytes, hasher }))
        })
        .await
    }

    async fn fetch_rest<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        repository: &str,
        (number, slot): (usize, &Slot),
        part: &Part,
        reached: &mut Reached,
        (bar, board): (Option<usize>, &Board<F>),
    ) -> Result<(), RegistryError> {
        if reached.bytes == slot.size && slot.size > 0 {
            return Ok(());
        }
        let operation = Operation::ReadBlob;
        let (mut response, mut skip) = self.open_blob_at(repository, &slot.digest, reached.bytes).await?;
        let mut writer = part.contents().writer_at(slot.offset + reached.bytes);
        let mut noted = reached.bytes;
        let outcome = loop {
            let chunk = match self.idle(operation, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => break Ok(()),
                Ok(Err(source)) => break Err(self.unreachable(source)),
                Err(error) => break Err(error),
            };
            self.crossed.received(chunk.len());
            let old = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            skip -= old as u64;
            let chunk = &chunk[old..];
            if reached.bytes + chunk.len() as u64 > slot.size {
                let what = format!("layer {} is longer than the manifest says", slot.digest.short());
                return Err(self.protocol(what));
            }
            writer.write(chunk).await?;
            reached.hasher.update(chunk);
            reached.bytes += chunk.len() as u64;
            if let Some(bar) = bar {
                board.advance(bar, reached.bytes);
            }
            if reached.bytes - noted >= NOTE_EVERY {
                writer.flush().await?;
                part.note(number, reached.bytes);
                noted = reached.bytes;
            }
        };
        writer.flush().await?;
        part.note(number, reached.bytes);
        outcome?;
        if reached.bytes < slot.size {
            let what =
                format!("layer {} ends after {} of {} bytes", slot.digest.short(), reached.bytes, slot.size);
            return Err(self.protocol(what));
        }
        Ok(())
    }
}

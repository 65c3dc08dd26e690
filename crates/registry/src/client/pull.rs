//! The direct road from the registry: an image is pulled into an archive without any engine.

use super::{Client, Manifest, blob::PullError, push::blocking, retry};
use crate::{
    Digest, FileOperation, RegistryError,
    archive::write::{self, Contents, Plan, Slot},
    board::Board,
    media,
    platform::{self, Wanted},
};
use dockline_model::{LayerState, LayerView};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest, MediaType};
use std::{
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    str::FromStr as _,
};

impl Client {
    /// Pulls an image into a new archive at `path` that `docker load`, `podman load` and `skopeo` read, and
    /// returns the digest `reference` (a tag or a digest) had. Of a multi-platform image this machine's
    /// platform is taken; the digest is the whole index's then. Nothing is at `path` unless all of it is there
    /// and checked; what exists there is never overwritten.
    ///
    /// `progress` gets all layers, the bytes so far and the bytes in all.
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
        if path.exists() {
            return Err(RegistryError::FileExists { path: path.to_owned() });
        }
        let shown = super::manifest::image_name(repository, reference);
        let top = self.get_manifest(repository, reference).await?;
        let (descriptor, manifest) = self.for_this_machine(repository, &shown, &top).await?;
        let image: ImageManifest = serde_json::from_slice(&manifest.bytes)
            .map_err(|error| self.protocol(format!("the manifest of {shown} does not read: {error}")))?;

        let tag = (!reference.contains(':')).then_some(reference);
        let name = tag.map(|tag| format!("{}/{repository}:{tag}", self.authority()));
        let plan = write::plan(&Contents {
            manifest: &descriptor,
            manifest_bytes: &manifest.bytes,
            config: image.config(),
            layers: image.layers(),
            name: name.as_deref(),
            tag,
        })
        .map_err(|error| self.protocol(format!("{shown} does not fit an archive: {error}")))?;

        let target = path.to_owned();
        let Plan { pieces, blobs, length } = plan;
        let temporary = blocking(move || begin(&target, &pieces, length)).await?;
        let (config, layers) =
            blobs.split_first().ok_or_else(|| self.protocol("a manifest without blobs"))?;
        let board =
            Board::new(layers.iter().map(|slot| (slot.digest.short().to_owned(), slot.size)), progress);
        self.fetch(repository, config, temporary.path(), |_| ()).await?;
        let pulls: Vec<_> = layers
            .iter()
            .enumerate()
            .map(|(index, slot)| {
                let (board, temporary) = (&board, temporary.path());
                async move {
                    let mut waits = retry::WAITS.into_iter();
                    loop {
                        board.advance(index, 0);
                        let progress = |received| board.advance(index, received);
                        match self.fetch(repository, slot, temporary, progress).await {
                            Ok(()) => break board.state(index, LayerState::Done),
                            Err(error) => retry::wait_or_give_up(error, &mut waits, index, board).await?,
                        }
                    }
                    Ok::<_, RegistryError>(())
                }
            })
            .collect();
        stream::iter(pulls).buffer_unordered(self.config.parallel.max(1)).try_collect::<Vec<()>>().await?;
        let target = path.to_owned();
        blocking(move || keep(temporary, &target)).await?;
        Ok(top.digest)
    }

    /// The image's own manifest: `top` itself, or the one of this machine's platform in the index `top` is.
    async fn for_this_machine(
        &self,
        repository: &str,
        shown: &str,
        top: &Manifest,
    ) -> Result<(Descriptor, Manifest), RegistryError> {
        if media::is_manifest(&top.media_type) {
            let digest = oci_spec::image::Digest::from_str(&top.digest.to_string())
                .map_err(|error| self.protocol(error.to_string()))?;
            let media_type = MediaType::from(top.media_type.as_str());
            return Ok((Descriptor::new(media_type, top.bytes.len() as u64, digest), top.clone()));
        }
        let unsupported = |media_type: &str| RegistryError::UnsupportedManifest {
            reference: shown.to_owned(),
            media_type: media_type.to_owned(),
        };
        if !media::is_index(&top.media_type) {
            return Err(unsupported(&top.media_type));
        }
        let index: ImageIndex = serde_json::from_slice(&top.bytes)
            .map_err(|error| self.protocol(format!("the index of {shown} does not read: {error}")))?;
        let images: Vec<Descriptor> =
            index.manifests().iter().filter(|image| !media::is_attestation(image)).cloned().collect();
        let wanted = Wanted::host();
        let chosen = match images.as_slice() {
            // An index around a single image often leaves the platform out.
            [only] if only.platform().is_none() => Some(only),
            several => several.iter().find(|image| image.platform().as_ref().is_some_and(|p| wanted.fits(p))),
        };
        let chosen = chosen.ok_or_else(|| RegistryError::NoPlatform {
            reference: shown.to_owned(),
            wanted: wanted.to_string(),
            available: platform::list(&images),
        })?;
        let digest = media::digest(chosen).map_err(|error| self.protocol(error.to_string()))?;
        let manifest = self.get_manifest(repository, &digest.to_string()).await?;
        if !media::is_manifest(&manifest.media_type) {
            return Err(unsupported(&manifest.media_type));
        }
        Ok((chosen.clone(), manifest))
    }

    /// Fetches one blob to its place.
    async fn fetch(
        &self,
        repository: &str,
        slot: &Slot,
        path: &Path,
        progress: impl FnMut(u64) + Send,
    ) -> Result<(), RegistryError> {
        let failed = |source| failed(path, source);
        let (owned, offset) = (path.to_owned(), slot.offset);
        let file = blocking(move || {
            let open = || {
                let mut file = std::fs::OpenOptions::new().write(true).open(&owned)?;
                file.seek(SeekFrom::Start(offset))?;
                Ok(file)
            };
            open().map_err(|source| self::failed(&owned, source))
        })
        .await?;
        let mut file = tokio::io::BufWriter::with_capacity(256 << 10, tokio::fs::File::from_std(file));
        self.pull_blob(repository, &slot.digest, slot.size, &mut file, progress).await.map_err(|error| {
            match error {
                PullError::Registry(error) => error,
                PullError::Write(source) => failed(source),
            }
        })
    }
}

fn failed(path: &Path, source: io::Error) -> RegistryError {
    RegistryError::File { operation: FileOperation::Write, path: path.to_owned(), source }
}

const PART: &str = ".part";

/// How the names of `target`'s unfinished files begin: with a hash, since its name may be as long as a name can be.
fn part_prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or(target.as_os_str());
    format!(".dockline-{}-", Digest::of(name.as_encoded_bytes()).short())
}

/// Removes what pulls to the same target left behind that were killed. A pull that lives holds its file's lock.
fn remove_abandoned(folder: &Path, prefix: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_part = name.to_str().is_some_and(|name| name.starts_with(prefix) && name.ends_with(PART));
        if is_part
            && let Ok(file) = std::fs::File::open(entry.path())
            && file.try_lock().is_ok()
            && let Err(error) = std::fs::remove_file(entry.path())
        {
            tracing::warn!(%error, "an unfinished file of an earlier pull stays: {}", entry.path().display());
        }
    }
}

/// Makes the file beside its target, so that it can be renamed into place, with everything that is known.
fn begin(
    target: &Path,
    pieces: &[(u64, Vec<u8>)],
    length: u64,
) -> Result<tempfile::NamedTempFile, RegistryError> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        Some(_) | None => PathBuf::from("."),
    };
    let prefix = part_prefix(target);
    remove_abandoned(&folder, &prefix);
    let make = || {
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(PART);
        // tempfile makes its files private; an archive is an ordinary file, under the person's umask.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let mut file = builder.tempfile_in(&folder)?;
        match file.as_file().lock() {
            // A filesystem without locks: there nothing is removed either.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
            locked => locked?,
        }
        file.as_file().set_len(length)?;
        for (offset, bytes) in pieces {
            file.seek(SeekFrom::Start(*offset))?;
            file.write_all(bytes)?;
        }
        file.flush()?;
        Ok(file)
    };
    make().map_err(|source| failed(target, source))
}

fn keep(temporary: tempfile::NamedTempFile, target: &Path) -> Result<(), RegistryError> {
    temporary.as_file().sync_all().map_err(|source| failed(target, source))?;
    match temporary.persist_noclobber(target) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(RegistryError::FileExists { path: target.to_owned() })
        }
        Err(error) => Err(failed(target, error.error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_killed_pulls_go_and_those_of_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("app.tar");
        let here = |name: String| folder.path().join(name);
        let killed = here(format!("{}Abc123.part", part_prefix(&target)));
        let of_another = here(format!("{}Abc123.part", part_prefix(Path::new("other.tar"))));
        std::fs::write(&killed, "x").unwrap();
        std::fs::write(&of_another, "x").unwrap();
        let living = begin(&target, &[(0, b"x".to_vec())], 1).unwrap();
        assert!(!killed.exists() && of_another.exists() && living.path().exists());
        let second = begin(&target, &[(0, b"x".to_vec())], 1).unwrap();
        assert!(living.path().exists(), "a pull that lives keeps its file");
        keep(second, &target).unwrap();
        assert!(matches!(keep(living, &target), Err(RegistryError::FileExists { .. })));
    }
}

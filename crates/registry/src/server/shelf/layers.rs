//! What layers are offered as: in place where the archive has them ready, packed where the way to the host wants it.

use super::{Item, ShelfLayers};
use crate::{
    Algorithm, Digest, FileOperation, Records, RegistryError, StoredLayer,
    archive::{self, LayerKind, Tarball},
    client::blocking,
    digest::Hasher,
    media,
    pack::{self, Abandon, Encoding, Packing, Press},
};
use std::{fs::File, io, path::Path, sync::Arc};
use tokio::{io::AsyncWriteExt as _, sync::OnceCell};

/// Under which names the records keep what layers were packed to: for every host the same.
const RECORDED: (&str, &str) = ("shelf", "layers");

/// A layer and what the manifest says about it.
pub(super) struct Placed {
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) media_type: &'static str,
    pub(super) item: Item,
}

/// What `layer` is offered as, and by which digest.
pub(super) async fn place(
    tarball: &Arc<Tarball>,
    layer: archive::Layer,
    (packing, folder): (ShelfLayers, &Path),
    records: &Records,
) -> Result<Placed, RegistryError> {
    let section = layer.section;
    match (&layer.kind, packing) {
        (LayerKind::Ready { digest }, _) => Ok(Placed {
            digest: digest.clone(),
            size: section.size,
            media_type: media::DOCKER_LAYER_GZIP,
            item: Item::Section(tarball.clone(), section),
        }),
        // The host checks it as it arrives; the digest of a bare tar is known.
        (LayerKind::Raw { diff_id }, ShelfLayers::Plain) => Ok(Placed {
            digest: diff_id.clone(),
            size: section.size,
            media_type: media::DOCKER_LAYER,
            item: Item::Section(tarball.clone(), section),
        }),
        (LayerKind::Packed { .. }, _) => {
            let source = tarball.clone();
            let (_abandon, abandoned) = Abandon::new();
            let checked = blocking(move || pack::check(&source, &layer, &abandoned)).await?;
            Ok(Placed {
                digest: checked.digest,
                size: section.size,
                media_type: match checked.encoding {
                    Encoding::Gzip => media::DOCKER_LAYER_GZIP,
                    Encoding::Zstd => media::OCI_LAYER_ZSTD,
                    Encoding::Bare => media::DOCKER_LAYER,
                },
                item: Item::Section(tarball.clone(), section),
            })
        }
        (LayerKind::Raw { diff_id }, ShelfLayers::Gzip) => {
            let (source, diff_id) = (tarball.clone(), diff_id.clone());
            let open = Arc::new(move || Ok(Box::new(source.reader(section)) as Box<dyn io::Read + Send>));
            place_bare(StoredLayer { diff_id, size: section.size, open }, (packing, folder), records).await
        }
        (LayerKind::Elsewhere { .. }, _) => Err(archive::ArchiveError::Missing { name: layer.name }.into()),
    }
}

/// The same of a bare layer that is kept elsewhere.
pub(super) async fn place_bare(
    layer: StoredLayer,
    (packing, folder): (ShelfLayers, &Path),
    records: &Records,
) -> Result<Placed, RegistryError> {
    let diff_id = layer.diff_id.clone();
    if packing == ShelfLayers::Plain {
        let (size, item) = (layer.size, Item::Stored(layer));
        return Ok(Placed { digest: diff_id, size, media_type: media::DOCKER_LAYER, item });
    }
    let (digest, size, file) = match records.packed(RECORDED.0, &diff_id, Packing::default()) {
        Some((digest, size)) => (digest, size, OnceCell::new()),
        None => {
            let (digest, size, file) = pack_aside(&layer, folder).await?;
            let packing = Some(Packing::default().name());
            let (registry, repository) = RECORDED;
            records.remember(registry, repository, &diff_id, &digest, size, Encoding::Gzip, packing);
            (digest, size, OnceCell::new_with(Some(file)))
        }
    };
    let item = Item::Packed(Packed { layer, size, file });
    Ok(Placed { digest, size, media_type: media::DOCKER_LAYER_GZIP, item })
}

/// Packs a bare layer into a temporary file in `folder`: a host asks for it in whatever order, and perhaps twice. Its
/// digest, its size and the file.
async fn pack_aside(layer: &StoredLayer, folder: &Path) -> Result<(Digest, u64, Arc<File>), RegistryError> {
    let failed = |source| {
        let path = folder.to_owned();
        RegistryError::File { operation: FileOperation::Write, path, source }
    };
    let name = format!("the layer {}", layer.diff_id);
    let read = |source| archive::ArchiveError::Read { path: name.clone().into(), source };
    // Not where the system has such files: that is memory on many machines (file-hierarchy(7)).
    let mut file = tokio::fs::File::from_std(tempfile::tempfile_in(folder).map_err(failed)?);
    let open = layer.open.clone();
    let reader = blocking(move || open().map_err(|source| RegistryError::Source { source })).await?;
    let mut pieces = Press::new(Packing::default()).pack(reader, layer.diff_id.algorithm());
    let (mut hasher, mut size) = (Hasher::new(Algorithm::Sha256), 0);
    while let Some(piece) = pieces.next().await.map_err(read)? {
        hasher.update(&piece.bytes);
        size += piece.bytes.len() as u64;
        file.write_all(&piece.bytes).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    let actual = pieces.diff_id().await.map_err(read)?;
    archive::check_digest(&name, layer.diff_id.clone(), actual)?;
    let file = file.into_std().await;
    Ok((hasher.finish(), size, Arc::new(file)))
}

/// A bare layer as it is offered: packed when the host first asks for it, if an earlier time told what that comes to.
/// Most hosts have most layers.
pub(super) struct Packed {
    layer: StoredLayer,
    pub(super) size: u64,
    file: OnceCell<Arc<File>>,
}

/// Why a layer that was to be packed on demand is not there.
pub(super) enum Unpacked {
    /// What was remembered of it is not what it comes to now.
    Otherwise(RegistryError),
    /// It cannot be read, is another layer, or there is no room.
    Failed(RegistryError),
}

impl Packed {
    /// The packed layer, whose digest was told to be `digest`; packed into `folder` now if it was not yet.
    pub(super) async fn file(&self, digest: &Digest, folder: &Path) -> Result<Arc<File>, Unpacked> {
        let pack = || async {
            let (actual, _, file) = pack_aside(&self.layer, folder).await.map_err(Unpacked::Failed)?;
            archive::check_digest("a layer that was packed again", digest.clone(), actual)
                .map_err(|error| Unpacked::Otherwise(error.into()))?;
            Ok(file)
        };
        self.file.get_or_try_init(pack).await.cloned()
    }

    /// Forgets what was remembered of it, if nothing has proven that yet; the next time it is packed first.
    pub(super) fn forget(&self, records: &Records) {
        if !self.file.initialized() {
            records.forget(RECORDED.0, &self.layer.diff_id);
        }
    }
}

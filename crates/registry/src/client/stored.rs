//! An image whose layers can be read one by one, as often as they are wanted: those that the registry lacks are sent.

use super::{
    Client,
    layer::{Job, JobKind, Open},
    push::{Placed, Sending},
    survey::{EngineImage, Survey},
};
use crate::{
    Digest, RegistryError,
    archive::{ArchiveError, ManifestPlan, check_digest},
    board::Board,
    pack::Packing,
    reference,
};
use dockline_model::LayerView;
use std::{collections::HashMap, io, path::PathBuf, sync::Arc};

/// Opens a layer's tar at its first byte. Called where blocking is allowed.
pub type OpenLayer = Arc<dyn Fn() -> io::Result<Box<dyn io::Read + Send>> + Send + Sync>;

/// A bare layer that somebody keeps. What comes out of it is compared with its digest.
#[derive(Clone)]
pub struct StoredLayer {
    /// The digest of its tar.
    pub diff_id: Digest,
    /// Bytes of its tar.
    pub size: u64,
    /// From its first byte to its last.
    pub open: OpenLayer,
}

impl std::fmt::Debug for StoredLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredLayer").field("diff_id", &self.diff_id).finish_non_exhaustive()
    }
}

/// An image, or as much of it as is wanted.
#[derive(Debug, Clone)]
pub struct StoredImage {
    /// Its configuration.
    pub config: Vec<u8>,
    /// Its layers in any order.
    pub layers: Vec<StoredLayer>,
}

impl Client {
    /// Sends what the registry lacked of an image when it was asked ([`Client::survey`]): `stored` has at least that.
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the push.
    pub async fn push_stored(
        &self,
        image: &EngineImage,
        survey: &Survey,
        stored: &StoredImage,
        (repository, tag): (&str, &str),
        sending: &Sending,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        reference::check_repository(repository)?;
        reference::check_tag(tag)?;
        check_digest("the image's configuration", image.id.clone(), Digest::of(&stored.config))?;
        // A layer may be in an image twice; empty ones often are.
        let mut distinct: Vec<&Digest> = Vec::new();
        for layer in &image.layers {
            if !distinct.contains(&layer) {
                distinct.push(layer);
            }
        }
        let jobs = distinct.iter().map(|layer| match survey.placed(layer) {
            Some(placed) => Ok(there(placed)),
            None => stored.layer(layer).map(|layer| read(layer, sending.packing)),
        });
        let jobs: Vec<Job> = jobs.collect::<Result<_, _>>()?;
        let board = Board::new(jobs.iter().map(|job| (job.short_id(), job.size)), progress);
        let (sent, config) = futures::join!(
            self.send_jobs(&jobs, repository, survey.absent(), sending, &board),
            self.put_config(repository, &stored.config)
        );
        let placed: HashMap<&Digest, Placed> = distinct.into_iter().zip(sent?).collect();
        let layers: Vec<Placed> = image.layers.iter().map(|layer| placed[layer].clone()).collect();
        self.complete((repository, tag), config?, ManifestPlan::Docker, &layers, survey.standing()).await
    }
}

impl StoredImage {
    pub(crate) fn layer(&self, diff_id: &Digest) -> Result<&StoredLayer, ArchiveError> {
        let layer = self.layers.iter().find(|layer| layer.diff_id == *diff_id);
        layer.ok_or_else(|| ArchiveError::Missing { name: format!("the layer {diff_id}") })
    }
}

fn there(placed: &Placed) -> Job {
    Job {
        name: placed.digest.to_string(),
        shown: shown(),
        size: placed.size,
        kind: JobKind::There(placed.clone()),
        open: Arc::new(|| Err(io::ErrorKind::Unsupported.into())),
        is_stream: false,
    }
}

fn read(layer: &StoredLayer, packing: Packing) -> Job {
    let open: Open = layer.open.clone();
    Job {
        name: format!("the layer {}", layer.diff_id),
        shown: shown(),
        size: layer.size,
        kind: JobKind::of_bare(&layer.diff_id, packing),
        open,
        is_stream: false,
    }
}

fn shown() -> PathBuf {
    PathBuf::from("the engine's store")
}

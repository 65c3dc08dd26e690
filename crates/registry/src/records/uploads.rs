//! Uploads: which are under way, and where those that broke off can be gone on with.

use super::{Records, replace};
use crate::{Digest, pack::Packing};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs, io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Registries forget unfinished uploads after a week (distribution's `uploadpurging`).
const UPLOADS_LAST: Duration = Duration::from_secs(7 * 24 * 3600);

/// An upload that nobody else goes on with while this lives.
#[derive(Debug)]
pub(crate) struct Active {
    name: String,
    all: Arc<Mutex<BTreeSet<String>>>,
}

impl Drop for Active {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

/// An upload that may be gone on with.
#[derive(Debug, Serialize, Deserialize)]
struct Unfinished {
    registry: String,
    repository: String,
    layer: String,
    /// The name of the [`Packing`] whose bytes the registry has some of: only the same ones may follow.
    packing: String,
    location: String,
}

/// Which upload.
#[derive(Debug, Clone)]
pub(crate) struct UploadKey {
    pub(crate) registry: String,
    pub(crate) repository: String,
    /// What is read: the diff id of a layer that is packed on its way, or the digest of one that is sent as it is.
    pub(crate) layer: String,
}

impl UploadKey {
    fn file_name(&self) -> String {
        let text = format!("{}\n{}\n{}", self.registry, self.repository, self.layer);
        format!("{}.json", Digest::of(text.as_bytes()).hex())
    }
}

impl Records {
    /// Takes the upload for this push alone; `None` while another push has it.
    pub(crate) fn begin_upload(&self, key: &UploadKey) -> Option<Active> {
        let name = key.file_name();
        let is_free = self.active.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        is_free.then(|| Active { name, all: self.active.clone() })
    }

    /// Where an upload was, if one broke off that was packed so. Blocks.
    pub(crate) fn unfinished(&self, key: &UploadKey, packing: Packing) -> Option<String> {
        self.noted(key).filter(|upload| upload.packing == packing.name()).map(|upload| upload.location)
    }

    /// How an upload that broke off was packed. Blocks.
    pub(crate) fn begun(&self, key: &UploadKey) -> Option<Packing> {
        Packing::named(&self.noted(key)?.packing)
    }

    fn noted(&self, key: &UploadKey) -> Option<Unfinished> {
        let file = self.folder.as_ref()?.join("uploads").join(key.file_name());
        let upload: Unfinished = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        let is_it = upload.registry == key.registry
            && upload.repository == key.repository
            && upload.layer == key.layer;
        is_it.then_some(upload)
    }

    /// Notes where an upload is. Blocks.
    pub(crate) fn note_upload(&self, key: &UploadKey, packing: Packing, location: String) {
        let Some(folder) = &self.folder else { return };
        let upload = Unfinished {
            registry: key.registry.clone(),
            repository: key.repository.clone(),
            layer: key.layer.clone(),
            packing: packing.name(),
            location,
        };
        let written = serde_json::to_vec(&upload)
            .map_err(io::Error::other)
            .and_then(|bytes| replace(&folder.join("uploads"), &key.file_name(), &bytes));
        if let Err(error) = written {
            tracing::warn!(%error, "an upload that breaks off will begin again");
        }
    }

    /// The upload has ended. Blocks.
    pub(crate) fn forget_upload(&self, key: &UploadKey) {
        if let Some(folder) = &self.folder {
            // Mostly there is none.
            let _ = fs::remove_file(folder.join("uploads").join(key.file_name()));
        }
    }
}

/// Removes the notes of uploads that no registry knows any more.
pub(super) fn forget_old_uploads(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > UPLOADS_LAST)) {
            // It will be tried again.
            let _ = fs::remove_file(entry.path());
        }
    }
}

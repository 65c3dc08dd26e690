//! What a push leaves behind so that the next one sends less: which blob each layer was packed to, which repositories
//! have it, and which uploads broke off.
//!
//! All of it can be wrong or gone without harm: the registry is asked before a blob is left out, and it compares the
//! digest of a resumed upload with what it received.

mod line;
mod turns;
mod uploads;
mod whole;

pub use turns::Turns;
pub(crate) use uploads::UploadKey;

use crate::{
    Digest,
    pack::{Encoding, Packing},
    replace_file,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU32},
    time::{SystemTime, UNIX_EPOCH},
};
use turns::UnderWay;
use uploads::forget_old_uploads;

const VERSION: u32 = 1;
/// Layers remembered of each registry; the ones unused for longest go first. About 2 MB of JSON.
const MOST_LAYERS: usize = 5000;
const MOST_REPOSITORIES: usize = 4;
/// Registries that are remembered at all.
const MOST_REGISTRIES: usize = 100;

/// The records of all pushes of an account.
#[derive(Debug)]
pub struct Records {
    folder: Option<PathBuf>,
    layers: Mutex<Layers>,
    /// Uploads under way.
    active: Arc<Mutex<BTreeSet<String>>>,
    /// Layers under way.
    turns: Arc<UnderWay>,
    /// Requests under way.
    requests: AtomicU32,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Layers {
    version: u32,
    /// By registry (`cr.boss.org:5000`), then by diff id.
    registries: BTreeMap<String, BTreeMap<String, Vec<Known>>>,
    /// What the line to each registry has carried, in bytes a second.
    #[serde(default)]
    rates: BTreeMap<String, u64>,
    /// Registries that have refused a layer in pieces, and when, in seconds since 1970.
    #[serde(default)]
    whole: BTreeMap<String, u64>,
}

/// A blob that a layer was packed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) digest: String,
    pub(crate) size: u64,
    pub(crate) encoding: Encoding,
    /// `gzip-6`; absent if somebody else packed it.
    #[serde(default)]
    pub(crate) packing: Option<String>,
    /// Whether this machine's engine has pushed or pulled it: only then does Docker's own store leave it out of a push.
    #[serde(default)]
    pub(crate) is_engines: bool,
    /// Where the registry has it, the newest first.
    pub(crate) repositories: Vec<String>,
    /// Seconds since 1970.
    used: u64,
}

impl Known {
    /// Whether the blob surely is the layer: this account's Dockline has packed it, its engine has pushed or pulled it,
    /// or it is the layer byte for byte. Anything else was read from an image that somebody with leave to write in its
    /// repository has made, and counts in that repository alone.
    fn is_proven(&self, layer: &str) -> bool {
        self.packing.is_some() || self.is_engines || self.digest == layer
    }
}

impl Records {
    /// In a folder of their own, which is made when there is something to write. Blocks.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        let read = || {
            let bytes = fs::read(folder.join("layers.json")).ok()?;
            serde_json::from_slice::<Layers>(&bytes).ok().filter(|layers| layers.version == VERSION)
        };
        let layers = read().unwrap_or_default();
        forget_old_uploads(&folder.join("uploads"));
        Self {
            folder: Some(folder.to_owned()),
            layers: Mutex::new(layers),
            active: Arc::default(),
            turns: Arc::default(),
            requests: AtomicU32::new(0),
        }
    }

    /// In memory only.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            folder: None,
            layers: Mutex::default(),
            active: Arc::default(),
            turns: Arc::default(),
            requests: AtomicU32::new(0),
        }
    }

    /// The blobs that a layer is known as, at this registry.
    pub(crate) fn known(&self, registry: &str, diff_id: &Digest) -> Vec<Known> {
        let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let of_registry = layers.registries.get(registry);
        of_registry.and_then(|known| known.get(&diff_id.to_string())).cloned().unwrap_or_default()
    }

    /// The repositories that are remembered to have this very blob, as whatever layer.
    pub(crate) fn places(&self, registry: &str, blob: &Digest) -> Vec<String> {
        let blob = blob.to_string();
        let layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let of_registry = layers.registries.get(registry).into_iter().flat_map(BTreeMap::values);
        let mut places: Vec<String> = of_registry
            .flatten()
            .filter(|known| known.digest == blob)
            .flat_map(|known| known.repositories.iter().cloned())
            .collect();
        places.sort();
        places.dedup();
        places
    }

    /// Those of them that may stand for the layer in an image of `repository`; what is not proven is not taken from
    /// another repository.
    pub(crate) fn usable(&self, registry: &str, repository: &str, diff_id: &Digest) -> Vec<Known> {
        let layer = diff_id.to_string();
        let mut known = self.known(registry, diff_id);
        known.retain(|known| known.is_proven(&layer) || known.repositories.iter().any(|it| it == repository));
        for known in known.iter_mut().filter(|known| !known.is_proven(&layer)) {
            known.repositories.retain(|known| known == repository);
        }
        known
    }

    /// Whether one of the layers may be there already, so that an image of `repository` needs it no more.
    pub(crate) fn is_any_usable(&self, registry: &str, repository: &str, layers: &[Digest]) -> bool {
        layers.iter().any(|layer| !self.usable(registry, repository, layer).is_empty())
    }

    /// Whether the registry is remembered to have one of these layers in whatever repository, from which it may be
    /// mounted.
    #[must_use]
    pub fn knows_any(&self, registry: &str, layers: &[Digest]) -> bool {
        layers.iter().any(|layer| {
            let id = layer.to_string();
            self.known(registry, layer).iter().any(|known| known.is_proven(&id))
        })
    }

    /// Remembers that `repository` has the layer as `blob`.
    #[expect(clippy::too_many_arguments, reason = "a record has as many fields")]
    pub(crate) fn remember(
        &self,
        registry: &str,
        repository: &str,
        diff_id: &Digest,
        digest: &Digest,
        size: u64,
        encoding: Encoding,
        packing: Option<String>,
    ) {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let all = layers.registries.entry(registry.to_owned()).or_default();
        let known = all.entry(diff_id.to_string()).or_default();
        let digest = digest.to_string();
        let mut entry = match known.iter().position(|known| known.digest == digest) {
            Some(place) => known.remove(place),
            None => {
                let repositories = Vec::new();
                Known { digest, size, encoding, packing: None, is_engines: false, repositories, used: 0 }
            }
        };
        entry.packing = packing.or(entry.packing);
        entry.repositories.retain(|known| known != repository);
        entry.repositories.insert(0, repository.to_owned());
        entry.repositories.truncate(MOST_REPOSITORIES);
        entry.used = now();
        known.insert(0, entry);
        known.truncate(4);
    }

    /// What this account's Dockline has packed the layer to in this way: digest and size.
    pub(crate) fn packed(&self, registry: &str, diff_id: &Digest, packing: Packing) -> Option<(Digest, u64)> {
        let name = packing.name();
        let known = self.known(registry, diff_id);
        let known = known.into_iter().find(|known| known.packing.as_deref() == Some(&name))?;
        Some((known.digest.parse().ok()?, known.size))
    }

    /// Forgets what a layer was packed to.
    pub(crate) fn forget(&self, registry: &str, diff_id: &Digest) {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = layers.registries.get_mut(registry) {
            known.remove(&diff_id.to_string());
        }
    }

    /// Notes that the engine knows `blob`, of which there is a record, as the layer.
    pub(crate) fn note_engines(&self, registry: &str, diff_id: &Digest, blob: &Digest) {
        let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = layers.registries.get_mut(registry).and_then(|all| all.get_mut(&diff_id.to_string()));
        let blob = blob.to_string();
        for known in known.into_iter().flatten().filter(|known| known.digest == blob) {
            known.is_engines = true;
        }
    }

    /// Writes what is remembered. A failure costs the next push some time, and is told to the log alone. Blocks.
    pub fn save(&self) {
        let Some(folder) = &self.folder else { return };
        let bytes = {
            let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
            layers.version = VERSION;
            forget_registries(&mut layers);
            layers.registries.values_mut().for_each(forget_oldest);
            serde_json::to_vec(&*layers)
        };
        let written =
            bytes.map_err(io::Error::other).and_then(|bytes| replace(folder, "layers.json", &bytes));
        if let Err(error) = written {
            tracing::warn!(%error, "which layers a registry has is not remembered");
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Those unused for longest go, with what is known of the line to them.
fn forget_registries(all: &mut Layers) {
    let used =
        |layers: &BTreeMap<String, Vec<Known>>| layers.values().flatten().map(|known| known.used).max();
    while all.registries.len() > MOST_REGISTRIES {
        let oldest = all.registries.iter().min_by_key(|(_, layers)| used(layers));
        let Some(oldest) = oldest.map(|(registry, _)| registry.clone()) else { return };
        all.registries.remove(&oldest);
    }
    if all.rates.len() > MOST_REGISTRIES {
        all.rates.retain(|registry, _| all.registries.contains_key(registry));
    }
}

fn forget_oldest(layers: &mut BTreeMap<String, Vec<Known>>) {
    let used = |known: &[Known]| known.iter().map(|known| known.used).max().unwrap_or(0);
    while layers.len() > MOST_LAYERS {
        let Some(oldest) = layers.iter().min_by_key(|(_, known)| used(known)).map(|(id, _)| id.clone())
        else {
            return;
        };
        layers.remove(&oldest);
    }
}

/// All of the new file, or the old one. A power cut may lose it, which does no harm.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".dockline-").tempfile_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    replace_file(file, &folder.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::Compression;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn key() -> UploadKey {
        UploadKey { registry: "a:1".to_owned(), repository: "app".to_owned(), layer: "x".to_owned() }
    }

    #[test]
    fn what_is_remembered_comes_back_and_damage_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::in_folder(folder.path());
        let (layer, blob) = (digest("layer"), digest("blob"));
        assert!(records.known("a:1", &layer).is_empty());
        records.remember("a:1", "app", &layer, &blob, 7, Encoding::Gzip, Some("gzip-1".to_owned()));
        records.remember("a:1", "team/app", &layer, &blob, 7, Encoding::Gzip, None);
        records.note_engines("a:1", &layer, &blob);
        let packing = Packing::new(Compression::Zstd, 12);
        records.note_upload(&key(), packing, "/v2/app/blobs/uploads/1?_state=x".to_owned());
        records.save();

        let again = Records::in_folder(folder.path());
        let known = again.known("a:1", &layer);
        assert_eq!(known[0].repositories, ["team/app", "app"]);
        assert_eq!((known[0].size, known[0].packing.as_deref()), (7, Some("gzip-1")));
        assert!(known[0].is_engines);
        assert!(again.known("b:1", &layer).is_empty());
        let unfinished = |packing| again.unfinished(&key(), packing);
        assert_eq!(again.begun(&key()), Some(packing));
        assert_eq!(unfinished(packing).as_deref(), Some("/v2/app/blobs/uploads/1?_state=x"));
        assert_eq!(
            unfinished(Packing::new(Compression::Zstd, 11)),
            None,
            "other bytes than the registry has"
        );
        again.forget_upload(&key());
        assert_eq!((again.begun(&key()), unfinished(packing)), (None, None));

        for damage in ["", "{", "[]", r#"{"version":1}"#, r#"{"version":99,"registries":{}}"#, "\0\u{1}"] {
            fs::write(folder.path().join("layers.json"), damage).unwrap();
            let records = Records::in_folder(folder.path());
            assert!(records.known("a:1", &layer).is_empty());
            records.remember("a:1", "app", &layer, &blob, 7, Encoding::Gzip, None);
            records.save();
            assert_eq!(Records::in_folder(folder.path()).known("a:1", &layer).len(), 1, "after {damage:?}");
        }
    }

    #[test]
    fn what_others_say_of_a_layer_counts_in_their_repository_alone() {
        let records = Records::nowhere();
        let (layer, blob) = (digest("layer"), digest("blob"));
        let usable = |repository: &str| -> Vec<Vec<String>> {
            let usable = records.usable("a:1", repository, &layer);
            usable.into_iter().map(|known| known.repositories).collect()
        };
        records.remember("a:1", "dev", &layer, &blob, 7, Encoding::Gzip, None);
        assert_eq!(usable("dev"), [["dev"]]);
        assert!(usable("prod").is_empty() && !records.knows_any("a:1", std::slice::from_ref(&layer)));
        // Two repositories that say the same are still no proof.
        records.remember("a:1", "test", &layer, &blob, 7, Encoding::Gzip, None);
        assert_eq!(usable("dev"), [["dev"]]);
        assert!(usable("prod").is_empty());
        records.note_engines("a:1", &layer, &blob);
        assert_eq!(usable("prod"), [["test", "dev"]]);
        assert!(records.knows_any("a:1", std::slice::from_ref(&layer)));
        // What we have packed ourselves, and what is the layer byte for byte.
        let own = digest("own");
        records.remember("a:1", "dev", &layer, &own, 7, Encoding::Gzip, Some("gzip-1".to_owned()));
        assert_eq!(usable("prod").len(), 2);
        records.remember("a:1", "dev", &blob, &blob, 7, Encoding::Gzip, None);
        assert_eq!(records.usable("a:1", "prod", &blob).len(), 1);
    }

    #[test]
    fn records_do_not_grow_for_ever() {
        let mut layers: BTreeMap<String, Vec<Known>> = (0..MOST_LAYERS + 3)
            .map(|n| {
                let known = Known {
                    digest: String::new(),
                    size: 0,
                    encoding: Encoding::Gzip,
                    packing: None,
                    is_engines: false,
                    repositories: Vec::new(),
                    used: n as u64,
                };
                (format!("{:05}", MOST_LAYERS + 3 - n), vec![known])
            })
            .collect();
        forget_oldest(&mut layers);
        assert_eq!(layers.len(), MOST_LAYERS);
        assert!(layers.values().all(|known| known[0].used >= 3), "the ones unused for longest go");

        let mut all = Layers::default();
        for n in 0..MOST_REGISTRIES + 3 {
            let known = Known { used: n as u64, ..layers["00001"][0].clone() };
            let registry = format!("cr{}:5000", MOST_REGISTRIES + 3 - n);
            all.rates.insert(registry.clone(), 1);
            all.registries.insert(registry, BTreeMap::from([("x".to_owned(), vec![known])]));
        }
        forget_registries(&mut all);
        assert!(all.registries.keys().eq(all.rates.keys()), "a line to nowhere");
        assert_eq!(all.registries.len(), MOST_REGISTRIES);
        assert!(all.registries.values().all(|layers| layers["x"][0].used >= 3));
    }
}

//! What a push leaves behind so that the next one sends less: which blob each layer was packed to, which repositories
//! have it, and which uploads broke off.
//!
//! All of it can be wrong or gone without harm: the registry is asked before a blob is left out, and it compares the
//! digest of a resumed upload with what it received.

use crate::{
    Digest,
    pack::{Encoding, Packing},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Notify;

const VERSION: u32 = 1;
/// Layers remembered of each registry; the ones unused for longest go first. About 2 MB of JSON.
const MOST_LAYERS: usize = 5000;
const MOST_REPOSITORIES: usize = 4;
/// Fewer bytes in a request tell nothing of the line.
const ENOUGH: u64 = 2 << 20;
/// Registries forget unfinished uploads after a week (distribution's `uploadpurging`).
const UPLOADS_LAST: Duration = Duration::from_secs(7 * 24 * 3600);

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

/// A request whose bytes are all here when it begins: how long it takes tells what the line carries.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    records: &'a Records,
    begin: Instant,
}

impl Request<'_> {
    /// It has ended, after so many bytes.
    pub(crate) fn carried(self, registry: &str, bytes: u64) {
        let (seconds, shares) =
            (self.begin.elapsed().as_secs_f64(), self.records.requests.load(Ordering::Relaxed));
        if bytes < ENOUGH || seconds <= 0.0 {
            return;
        }
        let seen = (bytes as f64 * f64::from(shares) / seconds) as u64;
        let mut layers = self.records.layers.lock().unwrap_or_else(PoisonError::into_inner);
        let rate = layers.rates.entry(registry.to_owned()).or_insert(seen);
        // It can carry that; that it carried less may have other causes, so the figure falls slowly.
        *rate = seen.max(*rate - *rate / 8);
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        self.records.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is being sent at present.
#[derive(Debug, Default)]
struct UnderWay {
    names: Mutex<BTreeSet<String>>,
    ended: Notify,
}

/// Leave to send some layers, which no other push of this account sends to the same registry while this lives.
#[derive(Debug)]
pub struct Turns {
    names: Vec<String>,
    all: Arc<UnderWay>,
    /// Whether another push had one of them: the registry may have it by now.
    pub had_to_wait: bool,
}

impl Drop for Turns {
    fn drop(&mut self) {
        let mut under_way = self.all.names.lock().unwrap_or_else(PoisonError::into_inner);
        for name in &self.names {
            under_way.remove(name);
        }
        drop(under_way);
        self.all.ended.notify_waiters();
    }
}

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

#[derive(Debug, Default, Serialize, Deserialize)]
struct Layers {
    version: u32,
    /// By registry (`cr.boss.org:5000`), then by diff id.
    registries: BTreeMap<String, BTreeMap<String, Vec<Known>>>,
    /// What the line to each registry has carried, in bytes a second.
    #[serde(default)]
    rates: BTreeMap<String, u64>,
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

/// An upload that may be gone on with.
#[derive(Debug, Serialize, Deserialize)]
struct Unfinished {
    registry: String,
    repository: String,
    layer: String,
    location: String,
}

/// Which upload.
#[derive(Debug, Clone)]
pub(crate) struct UploadKey {
    pub(crate) registry: String,
    pub(crate) repository: String,
    /// The layer's diff id and how it is packed.
    pub(crate) layer: String,
}

impl UploadKey {
    fn file_name(&self) -> String {
        let text = format!("{}\n{}\n{}", self.registry, self.repository, self.layer);
        format!("{}.json", Digest::of(text.as_bytes()).hex())
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

    /// Bytes a second that the line to this registry has carried; `None` before there is a figure.
    #[must_use]
    pub fn rate(&self, registry: &str) -> Option<u64> {
        self.layers.lock().unwrap_or_else(PoisonError::into_inner).rates.get(registry).copied()
    }

    /// A request full of bytes begins; those that are under way at once share the line.
    pub(crate) fn begin_request(&self) -> Request<'_> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Request { records: self, begin: Instant::now() }
    }

    /// Writes what is remembered. A failure costs the next push some time, and is told to the log alone. Blocks.
    pub fn save(&self) {
        let Some(folder) = &self.folder else { return };
        let bytes = {
            let mut layers = self.layers.lock().unwrap_or_else(PoisonError::into_inner);
            layers.version = VERSION;
            layers.registries.values_mut().for_each(forget_oldest);
            serde_json::to_vec(&*layers)
        };
        let written =
            bytes.map_err(io::Error::other).and_then(|bytes| replace(folder, "layers.json", &bytes));
        if let Err(error) = written {
            tracing::warn!(%error, "which layers a registry has is not remembered");
        }
    }

    /// Waits until no other push sends any of these layers to `registry`: the same layer need not go there twice at
    /// once. Whatever the caller calls a layer, the others have to call it, too.
    pub async fn turns(&self, registry: &str, layers: impl IntoIterator<Item = String>) -> Turns {
        // In one order for everybody, so that no two wait for each other.
        let wanted: BTreeSet<String> =
            layers.into_iter().map(|layer| format!("{registry} {layer}")).collect();
        let mut turns = Turns { names: Vec::new(), all: self.turns.clone(), had_to_wait: false };
        for name in wanted {
            loop {
                let mut ended = std::pin::pin!(self.turns.ended.notified());
                // From here on no end is missed.
                ended.as_mut().enable();
                let is_free =
                    self.turns.names.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
                if is_free {
                    break;
                }
                turns.had_to_wait = true;
                ended.await;
            }
            turns.names.push(name);
        }
        turns
    }

    /// Takes the upload for this push alone; `None` while another push has it.
    pub(crate) fn begin_upload(&self, key: &UploadKey) -> Option<Active> {
        let name = key.file_name();
        let is_free = self.active.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        is_free.then(|| Active { name, all: self.active.clone() })
    }

    /// Where an upload was, if one broke off. Blocks.
    pub(crate) fn unfinished(&self, key: &UploadKey) -> Option<String> {
        let file = self.folder.as_ref()?.join("uploads").join(key.file_name());
        let upload: Unfinished = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        let is_it = upload.registry == key.registry
            && upload.repository == key.repository
            && upload.layer == key.layer;
        is_it.then_some(upload.location)
    }

    /// Notes where an upload is. Blocks.
    pub(crate) fn note_upload(&self, key: &UploadKey, location: String) {
        let Some(folder) = &self.folder else { return };
        let upload = Unfinished {
            registry: key.registry.clone(),
            repository: key.repository.clone(),
            layer: key.layer.clone(),
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

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
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

fn forget_old_uploads(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        if modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > UPLOADS_LAST)) {
            // It will be tried again.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// All of the new file, or the old one. A power cut may lose it, which does no harm.
fn replace(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".dockline-").tempfile_in(folder)?;
    io::Write::write_all(&mut file, bytes)?;
    file.persist(folder.join(name)).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn key() -> UploadKey {
        UploadKey { registry: "a:1".to_owned(), repository: "app".to_owned(), layer: "x gzip-1".to_owned() }
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
        records.note_upload(&key(), "/v2/app/blobs/uploads/1?_state=x".to_owned());
        records.save();

        let again = Records::in_folder(folder.path());
        let known = again.known("a:1", &layer);
        assert_eq!(known[0].repositories, ["team/app", "app"]);
        assert_eq!((known[0].size, known[0].packing.as_deref()), (7, Some("gzip-1")));
        assert!(known[0].is_engines);
        assert!(again.known("b:1", &layer).is_empty());
        assert_eq!(again.unfinished(&key()).as_deref(), Some("/v2/app/blobs/uploads/1?_state=x"));
        again.forget_upload(&key());
        assert_eq!(again.unfinished(&key()), None);

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

    #[tokio::test]
    async fn a_layer_is_sent_by_one_push_at_a_time() {
        let records = Arc::new(Records::nowhere());
        let layers = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let first = records.turns("a:1", layers(&["x", "y"])).await;
        assert!(!first.had_to_wait);
        assert!(
            !records.turns("b:1", layers(&["x"])).await.had_to_wait,
            "another registry is another matter"
        );
        assert!(!records.turns("a:1", layers(&["z", "z"])).await.had_to_wait, "the same twice is once");
        // Two that want each other's: both come to an end.
        let waiting: Vec<_> = [["y", "z"], ["z", "y"], ["x", "y"]]
            .into_iter()
            .map(|names| {
                let (records, names) = (records.clone(), layers(&names));
                tokio::spawn(async move { records.turns("a:1", names).await.had_to_wait })
            })
            .collect();
        // One thread runs all of them: each has come as far as it can.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(waiting.iter().all(|task| !task.is_finished()));
        drop(first);
        for task in waiting {
            assert!(task.await.unwrap());
        }
        // Who stops waiting lets go of what it has.
        let held = records.turns("a:1", layers(&["b"])).await;
        let waits =
            tokio::time::timeout(Duration::from_millis(50), records.turns("a:1", layers(&["a", "b"])));
        assert!(waits.await.is_err());
        assert!(!records.turns("a:1", layers(&["a"])).await.had_to_wait);
        drop(held);
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
    }
}

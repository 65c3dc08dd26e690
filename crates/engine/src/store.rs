//! An image's layers straight from Docker's own store: one by one, each as often as it is wanted, and at once. An export
//! (`docker save`) is always the whole image, and dockerd writes all of that to its disk before the first byte comes.
//!
//! dockerd keeps a layer as a folder of files, and beside it what else a tar of them had; together they are the layer to the
//! byte (`split`, `assemble`), and its digest proves it. Both are read through the engine's API, which every member of
//! the group `docker` may use: containers are made of the image itself, with those folders in them, read-only. They never run;
//! dockerd reads folders of a container that does not run as well (`docker cp`). Then they are removed.
//!
//! How dockerd lays out its store is its own affair (moby, `layer/filestore.go`, `daemon/graphdriver/overlay2`), the same
//! since Docker 1.10. Where it turns out otherwise there is an error before anything is sent, and the export is left.

mod assemble;
mod flow;
mod split;

use crate::{
    Engine, EngineError, ImageParts, Operation,
    transport::{self, RawBody},
};
use assemble::assemble;
use bollard::{
    errors::Error,
    models::{ContainerCreateBody, DriverData, HostConfig, ImageConfig, Mount, MountBindOptions, MountType},
    query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder},
};
use bytes::Bytes;
use flow::Incoming;
use futures::future::{join_all, try_join_all};
use hyper::Request;
use sha2::{Digest as _, Sha256};
use split::Split;
use std::{
    collections::HashMap,
    io::{self, BufWriter, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::runtime::Handle;

/// Where the store is in the container: its layers' files, and what is known of them.
const FILES: &str = "/.dockline/files";
const KNOWN: &str = "/.dockline/known";
/// The files in there: the image's configuration, and of each layer what its folder is called and its tar-split.
const CONFIG: &str = "config";
const CACHE_ID: &str = "cache-id";
const TAR_SPLIT: &str = "tar-split.json.gz";
/// Containers, and so layers that are read at once: dockerd reads one folder of a container after the other.
const READERS: usize = 3;
/// What is written of a layer at once.
const PIECE: usize = 256 << 10;
/// What may be kept in memory of an image's layers; of a large one it is a few MiB.
const MOST_KNOWN: u64 = 128 << 20;

/// Where dockerd keeps the parts of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePlace {
    /// The folder of all layers' folders.
    files: String,
    /// The folder of what is known of images and layers.
    known: String,
    /// Volumes of the image: they are covered, or dockerd would make one, and fill it.
    volumes: Vec<String>,
}

impl StorePlace {
    /// `None` where the store is of another make.
    pub(crate) fn of(driver: Option<&DriverData>, config: Option<&ImageConfig>) -> Option<Self> {
        let driver = driver.filter(|driver| matches!(driver.name.as_str(), "overlay2" | "fuse-overlayfs"))?;
        // `/var/lib/docker/overlay2/ID/diff` of the topmost layer.
        let (layer, _) = driver.data.get("UpperDir")?.rsplit_once("/diff")?;
        let (files, _) = layer.rsplit_once('/')?;
        let root = files.strip_suffix(&driver.name)?;
        let volumes = config.and_then(|config| config.volumes.clone()).unwrap_or_default();
        Some(Self { files: files.to_owned(), known: format!("{root}image/{}", driver.name), volumes })
    }
}

/// Layers that can be read. The containers are there until [`Engine::close_store`].
#[derive(Debug)]
pub struct Store {
    /// The image's configuration, unchecked.
    pub config: Vec<u8>,
    /// Those that were asked for, from the bottom up.
    pub layers: Vec<StoreLayer>,
}

/// One layer of Docker's own store.
#[derive(Clone)]
pub struct StoreLayer {
    /// `sha256:…` of its tar.
    pub diff_id: String,
    /// Bytes of its tar.
    pub size: u64,
    engine: Engine,
    containers: Arc<[Container]>,
    /// Its files' folder in each of the containers.
    folder: Arc<str>,
    split: Split,
}

/// One of those that layers are read through.
struct Container {
    name: String,
    /// Who reads in it, or waits to.
    readers: AtomicUsize,
}

/// Somebody who reads in the container of that number.
struct Reading(Arc<[Container]>, usize);

impl Reading {
    /// In the one that has the fewest.
    fn begin(containers: &Arc<[Container]>) -> Self {
        let least = containers.iter().enumerate().min_by_key(|(_, one)| one.readers.load(Ordering::Relaxed));
        let at = least.map_or(0, |(at, _)| at);
        containers[at].readers.fetch_add(1, Ordering::Relaxed);
        Self(containers.clone(), at)
    }

    fn container(&self) -> &str {
        &self.0[self.1].name
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0[self.1].readers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl std::fmt::Debug for StoreLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreLayer").field("diff_id", &self.diff_id).finish_non_exhaustive()
    }
}

impl StoreLayer {
    /// The tar from its first byte to its last; whether it is the right one, its digest says. Blocks, and must be called where
    /// a runtime's threads may block.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn open(&self) -> io::Result<impl Read + Send + use<>> {
        let reading = Reading::begin(&self.containers);
        let asked = self.engine.read_folder(reading.container(), &self.folder);
        let files = Incoming::of(Handle::current().block_on(asked).map_err(io::Error::other)?);
        let (outgoing, incoming) = Incoming::channel();
        let split = self.split.clone();
        tokio::task::spawn_blocking(move || {
            let written = assemble(&split, files, &mut BufWriter::with_capacity(PIECE, &outgoing));
            if let Err(error) = written {
                outgoing.fail(error);
            }
            drop(reading);
        });
        Ok(incoming)
    }
}

impl Engine {
    /// Makes containers, through which those layers of an image can be read that `is_wanted` (by their diff ids); their names
    /// begin with `name`. Whatever comes of it, [`Engine::close_store`] has to remove them.
    ///
    /// # Errors
    /// When the engine does not allow it, or its store is laid out otherwise.
    pub async fn open_store(
        &self,
        parts: &ImageParts,
        name: &str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Store, EngineError> {
        let image = &parts.id;
        let odd = |source| EngineError::Store { image: image.clone(), source };
        let Some(place) = &parts.store else {
            return Err(odd(io::ErrorKind::Unsupported.into()));
        };
        let mut wanted: Vec<(&str, String)> = chain_ids(&parts.layers);
        wanted.retain(|(diff_id, _)| is_wanted(diff_id));
        wanted.dedup_by(|(a, _), (b, _)| a == b);
        let chains: Vec<&str> = wanted.iter().map(|(_, chain)| chain.as_str()).collect();
        let body = ContainerCreateBody {
            image: Some(image.clone()),
            // It never runs, but dockerd wants a command even so.
            cmd: Some(vec!["-".to_owned()]),
            labels: Some(HashMap::from([("dockline".to_owned(), "reads this image's layers".to_owned())])),
            network_disabled: Some(true),
            host_config: Some(HostConfig {
                mounts: Some(place.mounts(image, &chains)),
                network_mode: Some("none".to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let names: Vec<String> = container_names(name).take(wanted.len().max(1)).collect();
        let made = names.iter().map(|name| {
            let options = CreateContainerOptionsBuilder::default().name(name).build();
            self.docker().create_container(Some(options), body.clone())
        });
        try_join_all(made).await.map_err(self.failed(Operation::Export, Some(image)))?;

        let known =
            self.read_folder(name, KNOWN).await.map_err(self.failed(Operation::Export, Some(image)))?;
        let known = Incoming::of(known);
        let known = tokio::task::spawn_blocking(move || Known::read(known)).await;
        let mut known = known.map_err(io::Error::from).flatten().map_err(odd)?;
        let containers: Arc<[Container]> =
            names.into_iter().map(|name| Container { name, readers: AtomicUsize::new(0) }).collect();
        let layers = wanted.into_iter().enumerate().map(|(at, (diff_id, _))| {
            let (folder, split) = known.layer(at)?;
            Ok(StoreLayer {
                diff_id: diff_id.to_owned(),
                size: split.size()?,
                engine: self.clone(),
                containers: containers.clone(),
                folder: format!("{FILES}/{folder}/diff").into(),
                split,
            })
        });
        let layers = layers.collect::<io::Result<Vec<_>>>().map_err(odd)?;
        Ok(Store { config: known.config, layers })
    }

    /// Removes the containers of [`Engine::open_store`] with that name; that there are none is well.
    ///
    /// # Errors
    /// When the engine does not answer, or does not do it.
    pub async fn close_store(&self, name: &str) -> Result<(), EngineError> {
        let removed = container_names(name).map(|name| async move {
            let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
            match self.docker().remove_container(&name, Some(options)).await {
                Ok(()) | Err(Error::DockerResponseServerError { status_code: 404, .. }) => Ok(()),
                Err(error) => Err(self.failed(Operation::Export, Some(&name))(error)),
            }
        });
        // Each is tried, whatever becomes of the others.
        join_all(removed).await.into_iter().collect()
    }

    /// A tar of what is in a folder of a container (`docker cp`).
    async fn read_folder(&self, container: &str, folder: &str) -> Result<RawBody, Error> {
        // Nothing in these names wants escaping.
        let request = Request::get(format!("/containers/{container}/archive?path={folder}/."));
        transport::open(self.endpoint(), request.body(bollard::body_full(Bytes::new()))?).await
    }
}

/// What the containers are called.
fn container_names(name: &str) -> impl Iterator<Item = String> + use<'_> {
    (0..READERS).map(move |number| match number {
        0 => name.to_owned(),
        more => format!("{name}-{more}"),
    })
}

impl StorePlace {
    fn mounts(&self, image: &str, chains: &[&str]) -> Vec<Mount> {
        let hex = |digest: &str| digest.strip_prefix("sha256:").unwrap_or(digest).to_owned();
        let known = chains.iter().enumerate().map(|(at, chain)| {
            mount(format!("{}/layerdb/sha256/{}", self.known, hex(chain)), format!("{KNOWN}/{at}"))
        });
        let config = format!("{}/imagedb/content/sha256/{}", self.known, hex(image));
        let covers = self.volumes.iter().map(|volume| mount(self.files.clone(), volume.clone()));
        known
            .chain([mount(config, format!("{KNOWN}/{CONFIG}")), mount(self.files.clone(), FILES.to_owned())])
            .chain(covers)
            .collect()
    }
}

fn mount(source: String, target: String) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(source),
        target: Some(target),
        read_only: Some(true),
        // What is mounted below belongs to running containers, whose end it would hold up.
        bind_options: Some(MountBindOptions { non_recursive: Some(true), ..MountBindOptions::default() }),
        ..Mount::default()
    }
}

/// Each layer with the name of itself and all below it (image-spec, "Layer ChainID").
fn chain_ids(layers: &[String]) -> Vec<(&str, String)> {
    let chained = layers.iter().scan(None, |below: &mut Option<String>, layer| {
        let chain = match below {
            None => layer.clone(),
            Some(below) => {
                format!("sha256:{}", hex::encode(Sha256::digest(format!("{below} {layer}"))))
            }
        };
        *below = Some(chain.clone());
        Some((layer.as_str(), chain))
    });
    chained.collect()
}

/// What dockerd knows of the image and its layers.
#[derive(Default)]
struct Known {
    config: Vec<u8>,
    /// The name of the folder of a layer's files.
    folders: HashMap<usize, String>,
    splits: HashMap<usize, Split>,
}

impl Known {
    fn read(tar: impl Read) -> io::Result<Self> {
        let (mut found, mut left) = (Self::default(), MOST_KNOWN);
        for entry in tar::Archive::new(tar).entries()? {
            let mut entry = entry?;
            let path = String::from_utf8_lossy(assemble::below(&entry.path_bytes())).into_owned();
            let (layer, file) = path
                .split_once('/')
                .map_or((None, path.as_str()), |(layer, file)| (layer.parse::<usize>().ok(), file));
            let is_wanted = match layer {
                Some(_) => matches!(file, CACHE_ID | TAR_SPLIT),
                None => file == CONFIG,
            };
            if !is_wanted {
                continue;
            }
            left = left.checked_sub(entry.size()).ok_or(io::ErrorKind::FileTooLarge)?;
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            match layer {
                None => found.config = bytes,
                Some(layer) if file == TAR_SPLIT => {
                    drop(found.splits.insert(layer, Split::new(bytes.into())))
                }
                Some(layer) => {
                    let name = String::from_utf8(bytes).map_err(io::Error::other)?;
                    // It becomes part of a path.
                    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                        return Err(io::Error::other("the name of a layer's folder"));
                    }
                    found.folders.insert(layer, name);
                }
            }
        }
        Ok(found)
    }

    fn layer(&mut self, at: usize) -> io::Result<(String, Split)> {
        let found = self.folders.remove(&at).zip(self.splits.remove(&at));
        found.ok_or_else(|| io::Error::other("a layer of which the engine's store knows nothing"))
    }
}

#[cfg(test)]
mod tests;

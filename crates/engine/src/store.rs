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
mod known;
mod split;

use crate::{
    Engine, EngineError, ImageParts, Operation,
    transport::{self, RawBody},
};
use assemble::pour;
use bollard::{
    errors::Error,
    models::{ContainerCreateBody, DriverData, HostConfig, ImageConfig, Mount, MountBindOptions, MountType},
    query_parameters::{CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder},
};
use bytes::Bytes;
use flow::{Incoming, Outgoing};
use futures::future::{join_all, try_join_all};
use hyper::Request;
use known::{CONFIG, FOLLOWING};
use sha2::{Digest as _, Sha256};
use split::Split;
use std::{
    collections::HashMap,
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{runtime::Handle, sync::oneshot};
use tokio_util::task::TaskTracker;

/// Where the store is in the container: its layers' files, and what is known of them.
const FILES: &str = "/.dockline/files";
const KNOWN: &str = "/.dockline/known";
/// Containers, and so layers that are read at once: dockerd reads one folder of a container after the other.
const READERS: usize = 4;

/// Where dockerd keeps the parts of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorePlace {
    /// The folder of all layers' folders.
    files: String,
    /// The folder of what is known of images and layers.
    known: String,
    /// Volumes of the image: they are covered, or dockerd would make one, and fill it.
    volumes: Vec<String>,
    /// What the layers' folders are called, from the bottom up, as far as the driver says.
    folders: Vec<String>,
}

impl StorePlace {
    /// `None` where the store is of another make.
    pub(crate) fn of(driver: Option<&DriverData>, config: Option<&ImageConfig>) -> Option<Self> {
        let driver = driver.filter(|driver| matches!(driver.name.as_str(), "overlay2" | "fuse-overlayfs"))?;
        // `/var/lib/docker/overlay2/ID/diff` of the topmost layer, and with colons in between, from the top down, of the others.
        let top = driver.data.get("UpperDir")?;
        let below = driver.data.get("LowerDir").map_or("", String::as_str);
        let folder = |path: &str| {
            let (folder, _) = path.rsplit_once("/diff")?;
            Some(folder.rsplit_once('/').map_or(folder, |(_, name)| name).to_owned())
        };
        let folders = below.rsplit(':').filter(|path| !path.is_empty()).chain([top.as_str()]);
        let folders = folders.map(folder).collect::<Option<Vec<_>>>().unwrap_or_default();
        let (layer, _) = top.rsplit_once("/diff")?;
        let (files, _) = layer.rsplit_once('/')?;
        let root = files.strip_suffix(&driver.name)?;
        let volumes = config.and_then(|config| config.volumes.clone()).unwrap_or_default();
        Some(Self {
            files: files.to_owned(),
            known: format!("{root}image/{}", driver.name),
            volumes,
            folders,
        })
    }

    /// The folder of the only layer that is wanted.
    fn only_folder(&self, layers: &[String], wanted: &[(&str, String)]) -> Option<&str> {
        let [(only, _)] = wanted else { return None };
        let at =
            layers.iter().position(|layer| layer == only).filter(|_| layers.len() == self.folders.len())?;
        Some(self.folders[at].as_str()).filter(|name| is_name(name))
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
    /// Whoever has it under way already.
    begun: Arc<Mutex<Option<Begun>>>,
}

/// Takes what the files are to be put together with, and where the layer goes.
type Begun = oneshot::Sender<(Split, Outgoing)>;

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
        let begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(begun) = begun {
            let (outgoing, incoming) = Incoming::channel();
            if begun.send((self.split.clone(), outgoing)).is_ok() {
                return Ok(incoming);
            }
        }
        let reading = Reading::begin(&self.containers);
        let asked = self.engine.read_folder(reading.container(), &self.folder);
        let files = Incoming::of(Handle::current().block_on(asked).map_err(io::Error::other)?);
        let (outgoing, incoming) = Incoming::channel();
        let split = self.split.clone();
        tokio::task::spawn_blocking(move || {
            pour(&split, tar::Archive::new(files).entries(), None, &outgoing);
            drop(reading);
        });
        Ok(incoming)
    }
}

impl Engine {
    /// Makes containers, through which those layers of an image can be read that `is_wanted` (by their diff ids); their names
    /// begin with `name`. Whatever comes of it, [`Engine::close_store`] has to remove them, once nothing is `making` them any
    /// more: dockerd makes what it was asked for even if nobody waits for it. An only layer `is_begun` at once, and holds up
    /// whoever wants to remove its container until it is opened or dropped.
    ///
    /// # Errors
    /// When the engine does not allow it, or its store is laid out otherwise.
    pub async fn open_store(
        &self,
        parts: &ImageParts,
        (name, making): (&str, &TaskTracker),
        is_wanted: impl Fn(&str) -> bool,
        is_begun: bool,
    ) -> Result<Store, EngineError> {
        let image = &parts.id;
        let odd = |source| EngineError::Store { image: image.clone(), source };
        let Some(place) = &parts.store else {
            return Err(odd(io::ErrorKind::Unsupported.into()));
        };
        let mut wanted: Vec<(&str, String)> = chain_ids(&parts.layers);
        wanted.retain(|(diff_id, _)| is_wanted(diff_id));
        wanted.dedup_by(|(a, _), (b, _)| a == b);
        // dockerd takes longer to begin than to read a small layer: the files of the only one come with what is known.
        let only = place.only_folder(&parts.layers, &wanted).filter(|_| is_begun);
        let chains: Vec<&str> = wanted.iter().map(|(_, chain)| chain.as_str()).collect();
        let body = ContainerCreateBody {
            image: Some(image.clone()),
            // It never runs, but dockerd wants a command even so.
            cmd: Some(vec!["-".to_owned()]),
            labels: Some(HashMap::from([("dockline".to_owned(), "reads this image's layers".to_owned())])),
            network_disabled: Some(true),
            host_config: Some(HostConfig {
                mounts: Some(place.mounts(image, &chains, only)),
                network_mode: Some("none".to_owned()),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let names: Vec<String> = container_names(name).take(wanted.len().max(1)).collect();
        let failed = || self.failed(Operation::Export, Some(image));
        let make = |name| {
            let options = CreateContainerOptionsBuilder::default().name(name).build();
            let (docker, body) = (self.docker().clone(), body.clone());
            let made = making.spawn(async move { docker.create_container(Some(options), body).await });
            async { made.await.map_err(|error| odd(io::Error::other(error)))?.map_err(failed()) }
        };
        make(name).await?;
        let (begin, asked) = oneshot::channel();
        let known = async {
            let tar = Incoming::of(self.read_folder(name, KNOWN).await.map_err(failed())?);
            let (tell, told) = oneshot::channel();
            let count = chains.len();
            tokio::task::spawn_blocking(move || known::read(tar, count, tell, asked));
            told.await.map_err(io::Error::other).flatten().map_err(odd)
        };
        let others = async {
            let made = names.iter().skip(1).map(|name| make(name));
            try_join_all(made).await
        };
        let (mut known, _) = futures::try_join!(known, others)?;
        let mut begin = only.map(|folder| (folder, begin));
        let containers: Arc<[Container]> =
            names.into_iter().map(|name| Container { name, readers: AtomicUsize::new(0) }).collect();
        let layers = wanted.into_iter().enumerate().map(|(at, (diff_id, _))| {
            let (folder, split) = known.layer(at)?;
            let begun = begin.take().filter(|(only, _)| *only == folder).map(|(_, begin)| begin);
            Ok(StoreLayer {
                diff_id: diff_id.to_owned(),
                size: split.size()?,
                engine: self.clone(),
                containers: containers.clone(),
                folder: files_of(&folder).into(),
                split,
                begun: Arc::new(Mutex::new(begun)),
            })
        });
        let layers = layers.collect::<io::Result<Vec<_>>>().map_err(odd)?;
        Ok(Store { config: known.config.unwrap_or_default(), layers })
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

/// Where a layer's files are in the containers.
fn files_of(folder: &str) -> String {
    format!("{FILES}/{folder}/diff")
}

/// Whether a layer's folder may be called so: it becomes part of a path.
fn is_name(folder: &str) -> bool {
    !folder.is_empty() && folder.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What the containers are called.
fn container_names(name: &str) -> impl Iterator<Item = String> + use<'_> {
    (0..READERS).map(move |number| match number {
        0 => name.to_owned(),
        more => format!("{name}-{more}"),
    })
}

impl StorePlace {
    fn mounts(&self, image: &str, chains: &[&str], only: Option<&str>) -> Vec<Mount> {
        let hex = |digest: &str| digest.strip_prefix("sha256:").unwrap_or(digest).to_owned();
        let known = chains.iter().enumerate().map(|(at, chain)| {
            mount(format!("{}/layerdb/sha256/{}", self.known, hex(chain)), format!("{KNOWN}/{at}"))
        });
        let config = format!("{}/imagedb/content/sha256/{}", self.known, hex(image));
        let only =
            only.map(|folder| mount(format!("{}/{folder}/diff", self.files), format!("{KNOWN}/{FOLLOWING}")));
        let covers = self.volumes.iter().map(|volume| mount(self.files.clone(), volume.clone()));
        known
            .chain([mount(config, format!("{KNOWN}/{CONFIG}")), mount(self.files.clone(), FILES.to_owned())])
            .chain(only)
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

#[cfg(test)]
mod tests;

//! A registry of one image, to be pulled once: its layers are read in place from an archive or from where an engine keeps
//! them, nothing can be written.
//!
//! It is shown to one host through SSH, where everybody on that host could reach it; so it wants a password, which is
//! made for it and never stored.

mod layers;
mod read;
mod turns;

use super::{
    answer::{self, Refusal, put},
    blob::parse_range,
    route::{self, Route, TagOrDigest},
};
use crate::{
    ArchiveError, Digest, Records, RegistryError, StoredImage, StoredLayer,
    archive::{self, ManifestPlan, Section, Selected, Tarball, read_at},
    client::blocking,
    media,
};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::Response,
};
use base64::Engine as _;
use bytes::Bytes;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream, stream::BoxStream};
use layers::{Packed, Placed, Unpacked, place, place_bare};
use oci_spec::image::{Descriptor, ImageManifestBuilder, MediaType};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use turns::Turns;

/// The repository under which the image is to be had, and what its tag begins with: any that does will do, so that each pull
/// can have a name of its own.
pub const SHELF_IMAGE: (&str, &str) = ("dockline/shipped", "image");
/// The user's name that goes with the password.
pub const SHELF_USER: &str = "dockline";
/// Layers that are packed at once.
const PACKERS: usize = 2;
/// Bytes that are read at once.
const PIECE: usize = 256 << 10;

/// How layers that are bare tars are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShelfLayers {
    /// As they are: for a way that is faster than packing and unpacking.
    Plain,
    /// With gzip, the same bytes each time.
    Gzip,
}

/// The image of an archive, ready to be pulled. Dropping it stops the registry.
#[derive(Debug)]
pub struct Shelf {
    config: Digest,
    manifest: Digest,
    platform: Option<(String, String)>,
    damage: Damage,
    outdated: CancellationToken,
    stop: CancellationToken,
    /// Once it answers no more.
    ended: CancellationToken,
}

/// Set when what was read of a layer is not that layer.
type Damage = Arc<AtomicBool>;

/// What every request needs.
struct Contents {
    manifest: (Digest, String, Vec<u8>),
    /// Layers with their places in the image, 0 being the bottom.
    blobs: HashMap<Digest, (usize, Item)>,
    turns: Turns,
    damage: Damage,
    /// Cancelled when a layer turns out to be packed to other bytes than was remembered.
    outdated: CancellationToken,
    records: Arc<Records>,
    /// Where layers are packed.
    folder: PathBuf,
    /// Of the `Authorization` header that opens it: a comparison of hashes takes the same time for every wrong one.
    key: [u8; 32],
}

enum Item {
    Bytes(Vec<u8>),
    Section(Arc<Tarball>, Section),
    Stored(StoredLayer),
    Packed(Packed),
}

/// What of a configuration is told.
#[derive(serde::Deserialize)]
struct Platform {
    os: Option<String>,
    architecture: Option<String>,
}

impl Shelf {
    /// Opens the archive at `path`, packs what has to be packed, and answers at `listener` whoever knows `password`.
    /// If the archive holds several images, `name` (repository, tag) says which. Layers that `records` knows packed are
    /// not packed again before the host wants them; what is packed is in `folder`, which must be there, without a name.
    ///
    /// # Errors
    /// When it is not an image archive.
    pub async fn open(
        listener: TcpListener,
        path: &Path,
        name: (&str, &str),
        (packing, folder): (ShelfLayers, &Path),
        password: &str,
        records: Arc<Records>,
    ) -> Result<Self, RegistryError> {
        let (path, name) = (path.to_owned(), (name.0.to_owned(), name.1.to_owned()));
        let (tarball, selected) = blocking(move || {
            let tarball = Tarball::open(&path)?;
            let selected =
                archive::select(&tarball, &archive::Wish::Like { repository: &name.0, tag: &name.1 })?;
            Ok::<_, ArchiveError>((Arc::new(tarball), selected))
        })
        .await?;
        let Selected { config, layers, manifest, one: _ } = selected;
        let placed: Vec<Placed> =
            stream::iter(layers.into_iter().map(|layer| place(&tarball, layer, (packing, folder), &records)))
                .buffered(PACKERS)
                .try_collect()
                .await?;
        Self::begin(listener, config, manifest, placed, folder, (password, records))
    }

    /// The same with an image whose layers can be read one by one: all of them, in the order of `layers` (diff ids).
    ///
    /// # Errors
    /// When a layer is missing, or cannot be packed.
    pub async fn open_stored(
        listener: TcpListener,
        image: &StoredImage,
        layers: &[Digest],
        (packing, folder): (ShelfLayers, &Path),
        password: &str,
        records: Arc<Records>,
    ) -> Result<Self, RegistryError> {
        let wanted: Vec<StoredLayer> =
            layers.iter().map(|layer| image.layer(layer).cloned()).collect::<Result<_, _>>()?;
        let placed: Vec<Placed> =
            stream::iter(wanted.into_iter().map(|layer| place_bare(layer, (packing, folder), &records)))
                .buffered(PACKERS)
                .try_collect()
                .await?;
        let config = image.config.clone();
        Self::begin(listener, config, ManifestPlan::Docker, placed, folder, (password, records))
    }

    /// Answers from now on.
    fn begin(
        listener: TcpListener,
        config: Vec<u8>,
        manifest: ManifestPlan,
        placed: Vec<Placed>,
        folder: &Path,
        (password, records): (&str, Arc<Records>),
    ) -> Result<Self, RegistryError> {
        let config_digest = Digest::of(&config);
        let inconsistent = |what: String| RegistryError::from(ArchiveError::Inconsistent { what });
        let (media_type, bytes) = manifest_of(manifest, (&config_digest, config.len() as u64), &placed)
            .map_err(|error| inconsistent(error.to_string()))?;
        let platform = serde_json::from_slice(&config).ok();
        let platform = platform.and_then(|p: Platform| Some((p.os?, p.architecture?)));
        // Of one that is there twice the lower place counts.
        let ranked = placed.into_iter().enumerate().rev();
        let mut blobs: HashMap<Digest, (usize, Item)> =
            ranked.map(|(rank, placed)| (placed.digest, (rank, placed.item))).collect();
        blobs.insert(config_digest.clone(), (0, Item::Bytes(config)));
        let manifest_digest = Digest::of(&bytes);
        let (damage, outdated) = (Damage::default(), CancellationToken::new());
        let contents = Arc::new(Contents {
            manifest: (manifest_digest.clone(), media_type, bytes),
            blobs,
            turns: Turns::default(),
            damage: damage.clone(),
            outdated: outdated.clone(),
            records,
            folder: folder.to_owned(),
            key: Sha256::digest(authorization(password)).into(),
        });

        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let (stopped, guard) = (stop.clone(), ended.clone().drop_guard());
        let router = Router::new().fallback(handle).with_state(contents);
        tokio::spawn(async move {
            tokio::select! {
                // It never ends by itself, and a connection that fails is no end.
                _ = axum::serve(listener, router) => {}
                () = stopped.cancelled() => {}
            }
            drop(guard);
        });
        let (config, manifest) = (config_digest, manifest_digest);
        Ok(Self { config, manifest, platform, damage, outdated, stop, ended })
    }

    /// Waits until a layer turns out to be packed to other bytes than was remembered, as by another version of the
    /// compressor. This shelf has told its manifest by then, and cannot be pulled from; all that it remembered is
    /// forgotten, so that one that is opened anew can.
    pub async fn outdated(&self) {
        self.outdated.cancelled().await;
    }

    /// Answers no more, and waits until the listener is gone.
    pub async fn close(self) {
        self.stop.cancel();
        self.ended.cancelled().await;
    }

    /// Whether what was read of a layer turned out not to be that layer, or could not be read at all.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        self.damage.load(Ordering::Relaxed)
    }

    /// The digest of the image's configuration: its ID where Docker's classic image store is used.
    #[must_use]
    pub const fn config_digest(&self) -> &Digest {
        &self.config
    }

    /// The digest of its manifest: its ID in containerd's image store.
    #[must_use]
    pub const fn manifest_digest(&self) -> &Digest {
        &self.manifest
    }

    /// Operating system and architecture, in Go's words, where the image says them.
    #[must_use]
    pub fn platform(&self) -> Option<(&str, &str)> {
        self.platform.as_ref().map(|(os, architecture)| (os.as_str(), architecture.as_str()))
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn manifest_of(
    plan: ManifestPlan,
    (config, config_size): (&Digest, u64),
    layers: &[Placed],
) -> Result<(String, Vec<u8>), oci_spec::OciSpecError> {
    let descriptor = |media_type: &str, digest: &Digest, size: u64| {
        let digest = oci_spec::image::Digest::from_str(&digest.to_string())?;
        Ok::<_, oci_spec::OciSpecError>(Descriptor::new(MediaType::from(media_type), size, digest))
    };
    if let ManifestPlan::Verbatim { bytes, media_type } = plan {
        return Ok((media_type, bytes));
    }
    // What is compressed already says itself how; only bare tars are something else now.
    let known = match &plan {
        ManifestPlan::Compressed(manifest) => manifest.layers().as_slice(),
        ManifestPlan::Docker | ManifestPlan::Verbatim { .. } => &[],
    };
    let layers = layers.iter().enumerate().map(|(at, layer)| match known.get(at) {
        Some(known) if !media::is_bare_tar(known.media_type().as_ref()) => Ok(known.clone()),
        Some(_) | None => descriptor(layer.media_type, &layer.digest, layer.size),
    });
    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(media::DOCKER_MANIFEST)
        .config(descriptor(media::DOCKER_CONFIG, config, config_size)?)
        .layers(layers.collect::<Result<Vec<_>, _>>()?)
        .build()?;
    Ok((media::DOCKER_MANIFEST.to_owned(), serde_json::to_vec(&manifest)?))
}

/// The `Authorization` header of whoever knows the password (RFC 7617).
fn authorization(password: &str) -> String {
    let pair = format!("{SHELF_USER}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}

async fn handle(State(contents): State<Arc<Contents>>, request: Request) -> Response {
    let is_head = request.method() == Method::HEAD;
    let given = request.headers().get(header::AUTHORIZATION).map(|given| Sha256::digest(given.as_bytes()));
    if given.is_none_or(|given| given.as_slice() != contents.key) {
        let challenge = [("www-authenticate", "Basic realm=\"dockline\"")];
        return answer::empty(StatusCode::UNAUTHORIZED, &challenge);
    }
    let answered = match (request.method(), route::parse(request.uri().path())) {
        (&(Method::GET | Method::HEAD), Some(route)) => {
            answer(&contents, route, request.headers(), is_head).await
        }
        (_, Some(_)) => Err(Refusal::Unsupported),
        (_, None) => Err(Refusal::Unknown),
    };
    answered.unwrap_or_else(|refusal| refusal.into_response(is_head))
}

async fn answer(
    contents: &Contents,
    route: Route,
    headers: &HeaderMap,
    is_head: bool,
) -> Result<Response, Refusal> {
    match route {
        Route::Root => Ok(answer::json(&serde_json::json!({}))),
        Route::Manifest { reference, .. } => {
            let (digest, media_type, bytes) = &contents.manifest;
            match &reference {
                TagOrDigest::Tag(tag) if tag.starts_with(SHELF_IMAGE.1) => {}
                TagOrDigest::Digest(asked) if asked == digest => {}
                TagOrDigest::Tag(other) => return Err(Refusal::ManifestUnknown(other.clone())),
                TagOrDigest::Digest(other) => return Err(Refusal::ManifestUnknown(other.to_string())),
            }
            let mut response = Response::new(if is_head { Body::empty() } else { Body::from(bytes.clone()) });
            put(&mut response, "content-type", media_type);
            put(&mut response, "content-length", &bytes.len().to_string());
            put(&mut response, "docker-content-digest", &digest.to_string());
            put(&mut response, "docker-distribution-api-version", "registry/2.0");
            Ok(response)
        }
        Route::Blob { digest, .. } => blob(contents, &digest, headers, is_head).await,
        Route::Catalog
        | Route::Tags { .. }
        | Route::Referrers { .. }
        | Route::Uploads { .. }
        | Route::Upload { .. } => Err(Refusal::Unsupported),
    }
}

impl Contents {
    /// The file of a layer whose packed digest was told.
    async fn packed(&self, packed: &Packed, digest: &Digest) -> Result<Arc<std::fs::File>, Refusal> {
        let error = match packed.file(digest, &self.folder).await {
            Ok(file) => return Ok(file),
            Err(Unpacked::Otherwise(error)) => {
                // What made the difference makes it for all of them.
                let items = self.blobs.values().map(|(_, item)| item);
                let remembered = items.filter_map(|item| match item {
                    Item::Packed(packed) => Some(packed),
                    Item::Bytes(_) | Item::Section(..) | Item::Stored(_) => None,
                });
                remembered.for_each(|packed| packed.forget(&self.records));
                self.outdated.cancel();
                error
            }
            Err(Unpacked::Failed(error)) => {
                self.damage.store(true, Ordering::Relaxed);
                error
            }
        };
        tracing::warn!(%error, %digest, "a layer cannot be packed");
        Err(Refusal::Storage(io::Error::other(error)))
    }
}

async fn blob(
    contents: &Contents,
    digest: &Digest,
    headers: &HeaderMap,
    is_head: bool,
) -> Result<Response, Refusal> {
    let (rank, item) = contents.blobs.get(digest).ok_or_else(|| Refusal::BlobUnknown(digest.to_string()))?;
    let size = match item {
        Item::Bytes(bytes) => bytes.len() as u64,
        Item::Section(_, section) => section.size,
        Item::Stored(layer) => layer.size,
        Item::Packed(packed) => packed.size,
    };
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok());
    let (status, start, length) = match range.and_then(|range| parse_range(range, size)) {
        None => (StatusCode::OK, 0, size),
        Some(Some((start, end))) => (StatusCode::PARTIAL_CONTENT, start, end - start + 1),
        Some(None) => return Err(Refusal::Range { size }),
    };
    let in_turn = |pieces: BoxStream<'static, io::Result<Bytes>>| {
        Body::from_stream(contents.turns.in_turn(*rank, pieces))
    };
    let body = match item {
        _ if is_head => Body::empty(),
        Item::Bytes(bytes) => {
            let (from, to) = (usize::try_from(start), usize::try_from(start + length));
            let part = from.ok().zip(to.ok()).and_then(|(from, to)| bytes.get(from..to));
            Body::from(part.unwrap_or_default().to_vec())
        }
        Item::Section(tarball, section) => {
            in_turn(stream_of(tarball.file(*section)?, section.offset + start, length).boxed())
        }
        Item::Stored(layer) => {
            in_turn(read::stream_of(layer.clone(), (start, length), contents.damage.clone()).boxed())
        }
        Item::Packed(packed) => {
            let file = contents.packed(packed, digest).await?;
            // The way takes the time here, and several layers use more of it than one.
            Body::from_stream(stream_of(file, start, length))
        }
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    put(&mut response, "content-type", "application/octet-stream");
    put(&mut response, "content-length", &length.to_string());
    put(&mut response, "accept-ranges", "bytes");
    put(&mut response, "docker-content-digest", &digest.to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        put(&mut response, "content-range", &format!("bytes {start}-{}/{size}", start + length - 1));
    }
    Ok(response)
}

/// `length` bytes of `file` from `start` on. Reads name their place, so that several can go on at once.
fn stream_of(
    file: Arc<std::fs::File>,
    start: u64,
    length: u64,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold((start, length), move |(at, left)| {
        let file = file.clone();
        async move {
            if left == 0 {
                return None;
            }
            let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let read = tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; most];
                let read = read_at(&file, &mut piece, at)?;
                piece.truncate(read);
                Ok::<_, io::Error>(Bytes::from(piece))
            })
            .await;
            let piece = match read {
                Ok(Ok(piece)) if piece.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(piece) => piece,
                Err(failed) => Err(io::Error::other(failed)),
            };
            let read = piece.as_ref().map_or(left, |piece| piece.len() as u64);
            Some((piece, (at + read, left - read)))
        }
    })
}

//! An engine's export on the direct road: sent while the engine writes it.
//!
//! An engine exports an image as one tar (`docker save`), from the first layer to the last. Where nothing of it is at
//! the registry yet, each layer is packed and sent as it comes, and nothing is kept. Where some of it is, the export
//! goes through a temporary file: older Docker does not say of a layer which one it is until the very end.

use super::{
    Client, Scope,
    layer::{Job, JobKind, Open, Shared},
    push::{Sending, blocking, save},
    survey::EngineImage,
};
use crate::{
    Digest, FileOperation, RegistryError,
    archive::{ArchiveError, ManifestPlan, check_digest},
    board::Board,
    pack::Press,
    reference,
};
use bytes::{Buf as _, Bytes, BytesMut};
use dockline_model::LayerView;
use futures::{Stream, StreamExt as _, stream::FuturesUnordered};
use std::{
    collections::HashMap,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tempfile::TempPath;
use tokio::{io::AsyncWriteExt as _, sync::mpsc};

/// Configurations are kilobytes.
const LARGEST_CONFIG: u64 = 4 << 20;
const BUFFER: usize = 256 << 10;
/// Buffers between the reader of the tar and whoever packs a layer.
const AHEAD: usize = 8;

impl Client {
    /// Packs and sends an image while the engine exports it (`docker save`, of Docker's own store), and asks the
    /// registry afterwards whether it is there. All of its layers are sent: for what is there already in part, see
    /// [`Client::push_spooled`].
    ///
    /// # Errors
    /// See [`RegistryError`]; dropping the future stops the push.
    pub async fn push_export(
        &self,
        image: &EngineImage,
        export: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
        (repository, tag): (&str, &str),
        sending: &Sending,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        reference::check_repository(repository)?;
        reference::check_tag(tag)?;
        let board = Board::expecting(image.size, progress);
        let shared = self.shared(repository, sending, &board);
        let (sender, mut parts) = mpsc::channel(1);
        let tar = FromChannel::of(export);
        let wanted = image.clone();
        let reading = tokio::task::spawn_blocking(move || read_export(tar, &wanted, &sender));

        let mut running = FuturesUnordered::new();
        let (mut config, mut placed, mut is_reading) = (None, HashMap::new(), true);
        let mut outcome = Ok(());
        while is_reading || !running.is_empty() {
            tokio::select! {
                part = parts.recv(), if is_reading && running.len() < sending.at_once.max(1) => match part {
                    Some(Part::Config(bytes)) => config = Some(bytes),
                    Some(Part::Layer { name, size, diff_id, bytes }) => {
                        let job = streamed(name, size, diff_id, bytes);
                        let index = board.add(job.short_id(), size);
                        let shared = &shared;
                        running.push(async move { self.send_layer(shared, &job, index).await });
                    }
                    None => is_reading = false,
                },
                Some(sent) = running.next() => match sent {
                    Ok((layer, diff_id)) => drop(placed.insert(diff_id, layer)),
                    Err(error) => {
                        outcome = Err(error);
                        break;
                    }
                },
            }
        }
        drop(running);
        drop(parts);
        save(&sending.records).await;
        // What the engine's tar is found to be comes before what became of it at the registry: it may be the cause.
        let read = reading.await.map_err(|source| RegistryError::Worker { source })?;
        match (outcome, read) {
            (Err(error @ RegistryError::Archive(_)), Err(read)) if is_stopped(&read) => return Err(error),
            (_, Err(read)) if !is_stopped(&read) => return Err(read.into()),
            (Err(error), _) => return Err(error),
            (Ok(()), Err(read)) => return Err(read.into()),
            (Ok(()), Ok(())) => {}
        }
        let missing = |name: String| ArchiveError::Missing { name };
        let config = config.ok_or_else(|| missing(format!("the configuration {}", image.id)))?;
        let layers = image.placed(&placed)?;
        // Nothing of it was there, so no image that stands there is this one.
        let config = self.put_config(repository, &config).await?;
        self.complete((repository, tag), config, ManifestPlan::Docker, &layers, &[]).await
    }

    /// Writes an export to a temporary file in `folder` and pushes what `scope` says of that: for whatever an engine exports.
    ///
    /// # Errors
    /// See [`RegistryError`] and [`Client::push_archive_whole`]; dropping the future stops the push and removes the file.
    pub async fn push_spooled(
        &self,
        (export, folder): (impl Stream<Item = io::Result<Bytes>> + Send + Unpin, &Path),
        scope: &Scope,
        (repository, tag): (&str, &str),
        sending: &Sending,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        let path = spooled(export, folder).await?;
        if scope.all_platforms {
            return self.push_archive_whole((&path, None), scope, (repository, tag), sending, progress).await;
        }
        self.push_archive_as(&path, None, repository, tag, sending, progress).await
    }

    pub(super) fn shared<'a, F>(
        &self,
        repository: &'a str,
        sending: &Sending,
        board: &'a Board<F>,
    ) -> Shared<'a, F> {
        Shared {
            repository,
            press: Press::new(sending.packing),
            takes_any: sending.takes_any,
            takes_any_level: sending.takes_any_level,
            slow_line: sending.slow_line,
            records: sending.records.clone(),
            board,
        }
    }
}

/// The export in a temporary file in `folder`, which is gone when this is dropped.
async fn spooled(
    mut export: impl Stream<Item = io::Result<Bytes>> + Send + Unpin,
    folder: &Path,
) -> Result<TempPath, RegistryError> {
    let owned = folder.to_owned();
    let failed =
        move |source| RegistryError::File { operation: FileOperation::Write, path: owned.clone(), source };
    let (owned, begun) = (folder.to_owned(), failed.clone());
    let made = move || {
        std::fs::create_dir_all(&owned)?;
        tempfile::Builder::new().prefix("export-").suffix(".tar").tempfile_in(&owned)
    };
    let (file, path) = blocking(move || made().map_err(begun)).await?.into_parts();
    let mut file = tokio::io::BufWriter::with_capacity(1 << 20, tokio::fs::File::from_std(file));
    while let Some(bytes) = export.next().await {
        let bytes = bytes.map_err(|source| RegistryError::Source { source })?;
        file.write_all(&bytes).await.map_err(&failed)?;
    }
    file.flush().await.map_err(&failed)?;
    Ok(path)
}

/// What an export brings that matters.
pub(super) enum Part {
    Config(Vec<u8>),
    Layer { name: String, size: u64, diff_id: Option<Digest>, bytes: FromChannel },
}

/// Reads an export from its beginning to its end. Blocks.
pub(super) fn read_export(
    tar: impl Read,
    image: &EngineImage,
    parts: &mpsc::Sender<Part>,
) -> Result<(), ArchiveError> {
    let path = || PathBuf::from("the engine's export");
    let damaged = |source| ArchiveError::Damaged { path: path(), source };
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let kind = entry.header().entry_type();
        if !(kind.is_file() || kind.is_contiguous()) {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let file = name.rsplit('/').next().unwrap_or_default().to_owned();
        let by_digest = format!("sha256:{file}").parse::<Digest>().ok();
        let diff_id = by_digest.as_ref().filter(|digest| image.layers.contains(digest)).cloned();
        if file == image.id.hex() || file.strip_suffix(".json") == Some(image.id.hex()) {
            if entry.size() > LARGEST_CONFIG {
                return Err(ArchiveError::TooLarge { name, size: entry.size() });
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(damaged)?;
            check_digest(&name, image.id.clone(), Digest::of(&bytes))?;
            parts.blocking_send(Part::Config(bytes)).map_err(|_| stopped())?;
        } else if diff_id.is_some() || file == "layer.tar" {
            let (sender, bytes) = mpsc::channel(AHEAD);
            let size = entry.size();
            let bytes = FromChannel { parts: bytes, current: Bytes::new() };
            parts.blocking_send(Part::Layer { name, size, diff_id, bytes }).map_err(|_| stopped())?;
            hand_over(&mut entry, size, &sender)?;
        }
    }
    Ok(())
}

/// Gives a layer to whoever packs it.
fn hand_over(
    layer: &mut impl Read,
    size: u64,
    to: &mpsc::Sender<io::Result<Bytes>>,
) -> Result<(), ArchiveError> {
    let mut left = size;
    while left > 0 {
        let mut buffer = BytesMut::zeroed(usize::try_from(left).unwrap_or(BUFFER).min(BUFFER));
        if let Err(error) = layer.read_exact(&mut buffer) {
            // Whoever packs it must not take this for its end.
            let _ = to.blocking_send(Err(io::Error::new(error.kind(), error.to_string())));
            return Err(ArchiveError::Damaged { path: PathBuf::from("the engine's export"), source: error });
        }
        left -= buffer.len() as u64;
        to.blocking_send(Ok(buffer.freeze())).map_err(|_| stopped())?;
    }
    Ok(())
}

fn stopped() -> ArchiveError {
    ArchiveError::Damaged {
        path: PathBuf::from("the engine's export"),
        source: io::Error::new(io::ErrorKind::Interrupted, "the push was stopped"),
    }
}

fn is_stopped(error: &ArchiveError) -> bool {
    matches!(error, ArchiveError::Damaged { source, .. } if source.kind() == io::ErrorKind::Interrupted)
}

/// A layer that can be read once.
fn streamed(name: String, size: u64, diff_id: Option<Digest>, bytes: FromChannel) -> Job {
    let once = Mutex::new(Some(bytes));
    let open: Open = Arc::new(move || {
        let bytes = once.lock().unwrap_or_else(PoisonError::into_inner).take();
        let bytes = bytes.ok_or_else(|| io::Error::other("a stream is read once"))?;
        Ok(Box::new(bytes) as Box<dyn Read + Send>)
    });
    Job {
        name,
        shown: PathBuf::from("the engine's export"),
        size,
        kind: JobKind::Pack { diff_id },
        open,
        is_stream: true,
    }
}

/// What arrives in a channel, for readers that block.
pub(super) struct FromChannel {
    parts: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl FromChannel {
    /// Must be called within a runtime.
    fn of(mut stream: impl Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static) -> Self {
        let (sender, parts) = mpsc::channel(AHEAD);
        tokio::spawn(async move {
            while let Some(part) = stream.next().await {
                let is_end = part.is_err();
                // Nobody reads any more: the stream ends, and with it the engine's work.
                if sender.send(part).await.is_err() || is_end {
                    return;
                }
            }
        });
        Self { parts, current: Bytes::new() }
    }
}

impl Read for FromChannel {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.parts.blocking_recv() {
                Some(part) => self.current = part?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

//! Uploads: whole in one request, in chunks, or not at all because another repository has the blob.

use super::{
    Shared,
    answer::{self, Refusal, query_value},
    storage::{Kind, Storage},
};
use crate::{Algorithm, Digest, digest::Hasher, reference};
use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use futures::StreamExt as _;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::io::AsyncWriteExt as _;

/// An upload nobody touched for this long is given up.
const FORGOTTEN: Duration = Duration::from_secs(3600);

/// The uploads that are under way.
#[derive(Debug, Default)]
pub(super) struct Uploads {
    open: Mutex<HashMap<String, Entry>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    repository: String,
    touched: Instant,
    /// One request at a time may write.
    upload: Arc<tokio::sync::Mutex<Upload>>,
}

struct Upload {
    path: tempfile::TempPath,
    file: tokio::fs::File,
    hasher: Hasher,
    received: u64,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("path", &self.path)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

impl Upload {
    fn new(storage: &Storage) -> std::io::Result<Self> {
        let (file, path) = storage.temporary()?.into_parts();
        let file = tokio::fs::File::from_std(file);
        Ok(Self { path, file, hasher: Hasher::new(Algorithm::Sha256), received: 0 })
    }

    /// Takes what a request sends. What came before a lost connection counts: the client may go on there.
    ///
    /// After a failed write the rest is read and dropped: a client that is cut off while it sends sees a broken
    /// connection and never the answer that says why.
    async fn take(&mut self, body: Body) -> Result<(), Refusal> {
        let mut chunks = body.into_data_stream();
        let mut outcome = Ok(());
        while let Some(chunk) = chunks.next().await {
            let Ok(chunk) = chunk else { return outcome.and(Err(Refusal::ClientGone)) };
            if outcome.is_ok() {
                outcome = self.write(&chunk).await;
            }
        }
        if outcome.is_ok() {
            // tokio's file reports a failed write with the next call.
            self.file.flush().await?;
        }
        outcome
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), Refusal> {
        self.file.write_all(chunk).await?;
        self.hasher.update(chunk);
        self.received += chunk.len() as u64;
        Ok(())
    }

    /// Puts the blob in its place if it is what `digest` says.
    async fn finish(self, storage: &Storage, repository: &str, digest: &Digest) -> Result<(), Refusal> {
        let actual = self.hasher.finish();
        if actual != *digest {
            return Err(Refusal::DigestInvalid(format!("{digest} was promised and {actual} came")));
        }
        self.file.sync_all().await?;
        Ok(storage.keep(repository, digest, self.path).await?)
    }
}

impl Uploads {
    fn add(&self, repository: &str, upload: Upload) -> String {
        // A counter keeps them apart; the random half keeps strangers from guessing one.
        let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), repository);
        let id = format!("{random:016x}{:016x}", self.next.fetch_add(1, Ordering::Relaxed));
        let entry = Entry {
            repository: repository.to_owned(),
            touched: Instant::now(),
            upload: Arc::new(tokio::sync::Mutex::new(upload)),
        };
        let mut open = self.lock();
        open.retain(|_, entry| Arc::strong_count(&entry.upload) > 1 || entry.touched.elapsed() < FORGOTTEN);
        open.insert(id.clone(), entry);
        id
    }

    fn get(&self, repository: &str, id: &str) -> Result<Arc<tokio::sync::Mutex<Upload>>, Refusal> {
        let mut open = self.lock();
        let entry = open.get_mut(id).filter(|entry| entry.repository == repository);
        let entry = entry.ok_or(Refusal::UploadUnknown)?;
        entry.touched = Instant::now();
        Ok(entry.upload.clone())
    }

    fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `POST`: begins an upload, or takes a whole blob, or mounts one (distribution-spec end-4a, 4b, 11).
pub(super) async fn begin(shared: &Shared, repository: &str, request: Request) -> Result<Response, Refusal> {
    let query = request.uri().query();
    if let (Some(mount), Some(from)) = (query_value(query, "mount"), query_value(query, "from"))
        && let Ok(digest) = mount.parse::<Digest>()
        && reference::check_repository(&from).is_ok()
        && shared.storage.note(&from, Kind::Blob, &digest).await?.is_some()
    {
        shared.storage.link(repository, Kind::Blob, &digest, "").await?;
        return Ok(created(repository, &digest));
    }
    let whole = query_value(query, "digest");
    let mut upload = Upload::new(&shared.storage)?;
    if let Some(digest) = whole {
        let digest = supported(&digest)?;
        upload.take(request.into_body()).await?;
        upload.finish(&shared.storage, repository, &digest).await?;
        return Ok(created(repository, &digest));
    }
    let id = shared.uploads.add(repository, upload);
    Ok(progress(StatusCode::ACCEPTED, repository, &id, 0))
}

/// `GET`: how far an upload is (end-13).
pub(super) async fn status(shared: &Shared, repository: &str, id: &str) -> Result<Response, Refusal> {
    let upload = shared.uploads.get(repository, id)?;
    let received = upload.lock().await.received;
    Ok(progress(StatusCode::NO_CONTENT, repository, id, received))
}

/// `PATCH`: a chunk, or everything as a stream (end-5).
pub(super) async fn append(
    shared: &Shared,
    repository: &str,
    id: &str,
    request: Request,
) -> Result<Response, Refusal> {
    let upload = shared.uploads.get(repository, id)?;
    let mut upload = upload.lock().await;
    check_order(request.headers(), &upload, repository, id)?;
    match upload.take(request.into_body()).await {
        Ok(()) => Ok(progress(StatusCode::ACCEPTED, repository, id, upload.received)),
        Err(refusal) => Err(give_up(shared, id, refusal)),
    }
}

/// `PUT`: the last chunk, if any, and the digest (end-6).
pub(super) async fn finish(
    shared: &Shared,
    repository: &str,
    id: &str,
    request: Request,
) -> Result<Response, Refusal> {
    let digest = query_value(request.uri().query(), "digest").unwrap_or_default();
    let digest = supported(&digest)?;
    let upload = shared.uploads.get(repository, id)?;
    let mut locked = upload.lock().await;
    check_order(request.headers(), &locked, repository, id)?;
    if let Err(refusal) = locked.take(request.into_body()).await {
        return Err(give_up(shared, id, refusal));
    }
    // The session ends here, well or badly; whoever waits for it finds a spent one.
    shared.uploads.remove(id);
    let spent = Upload::new(&shared.storage)?;
    let finished = std::mem::replace(&mut *locked, spent);
    drop(locked);
    finished.finish(&shared.storage, repository, &digest).await?;
    Ok(created(repository, &digest))
}

/// `DELETE`: gives an upload up.
pub(super) async fn cancel(shared: &Shared, repository: &str, id: &str) -> Result<Response, Refusal> {
    shared.uploads.get(repository, id)?;
    shared.uploads.remove(id);
    Ok(answer::empty(StatusCode::NO_CONTENT, &[]))
}

/// After a failed write nobody knows what is in the file; a client that merely went away may come back.
fn give_up(shared: &Shared, id: &str, refusal: Refusal) -> Refusal {
    if matches!(refusal, Refusal::Storage(_)) {
        shared.uploads.remove(id);
    }
    refusal
}

/// A chunk says where it belongs (`Content-Range: 0-99`); one that does not fit is refused with what would.
fn check_order(headers: &HeaderMap, upload: &Upload, repository: &str, id: &str) -> Result<(), Refusal> {
    let Some(range) = headers.get(header::CONTENT_RANGE) else { return Ok(()) };
    let start = range
        .to_str()
        .ok()
        .and_then(|range| range.trim_start_matches("bytes ").split_once('-')?.0.trim().parse::<u64>().ok());
    if start == Some(upload.received) {
        return Ok(());
    }
    Err(Refusal::ChunkOutOfOrder { received: upload.received, location: location(repository, id) })
}

fn supported(digest: &str) -> Result<Digest, Refusal> {
    let digest = digest.parse::<Digest>().map_err(|error| Refusal::DigestInvalid(error.to_string()))?;
    match digest.algorithm() {
        Algorithm::Sha256 => Ok(digest),
        Algorithm::Sha512 => Err(Refusal::DigestInvalid("this registry knows sha256 only".to_owned())),
    }
}

fn location(repository: &str, id: &str) -> String {
    format!("/v2/{repository}/blobs/uploads/{id}")
}

fn progress(status: StatusCode, repository: &str, id: &str, received: u64) -> Response {
    let range = format!("0-{}", received.saturating_sub(1));
    let headers =
        [("location", location(repository, id)), ("range", range), ("docker-upload-uuid", id.to_owned())];
    answer::empty(status, &headers.each_ref().map(|(name, value)| (*name, value.as_str())))
}

fn created(repository: &str, digest: &Digest) -> Response {
    let location = format!("/v2/{repository}/blobs/{digest}");
    let headers = [("location", location.as_str()), ("docker-content-digest", &digest.to_string())];
    answer::empty(StatusCode::CREATED, &headers)
}

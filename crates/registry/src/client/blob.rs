//! Blobs: asked for, sent, fetched.

use super::{Client, exchange::header};
use crate::{Digest, Operation, RegistryError, digest::Hasher, reference};
use bytes::Bytes;
use futures::StreamExt as _;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    sync::watch,
};
use tokio_util::io::ReaderStream;

const BUFFER: usize = 128 << 10;
/// Bytes a second of the slowest line that is waited for. Requests share it.
const SLOWEST: u64 = 8_000;
/// Of one request, what may be under way at most: 4.4 MB were measured, whatever its length.
const MOST_HELD: u64 = 8 << 20;

/// How far the body of an upload is.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) bytes: u64,
    /// Of everything, once the last byte was read.
    digest: Option<Digest>,
}

impl Client {
    /// Whether the repository has the blob (distribution-spec end-2).
    ///
    /// # Errors
    /// What the registry says, other than that it has not.
    pub async fn blob_exists(&self, repository: &str, digest: &Digest) -> Result<bool, RegistryError> {
        Ok(self.blob_size(repository, digest).await?.is_some())
    }

    /// The size of a blob in bytes, if the repository has it; 0 where the registry does not tell.
    ///
    /// # Errors
    /// What the registry says, other than that it has not.
    pub async fn blob_size(&self, repository: &str, digest: &Digest) -> Result<Option<u64>, RegistryError> {
        let operation = Operation::ReadBlob;
        let url = self.blob_url(repository, digest)?;
        let response = self.send(operation, self.request(Method::HEAD, url)).await?;
        match response.status() {
            StatusCode::OK => {
                Ok(Some(header(&response, "content-length").and_then(|size| size.parse().ok()).unwrap_or(0)))
            }
            StatusCode::NOT_FOUND => Ok(None),
            // Storage elsewhere: it would not redirect to a blob it does not have.
            status if status.is_redirection() => Ok(Some(0)),
            _ => Err(self.failure(operation, "such layer", response).await),
        }
    }

    /// Sends a blob of `size` bytes: POST, PATCH with everything, PUT with the digest, as docker does.
    /// `progress` gets the bytes sent so far.
    ///
    /// The bytes are hashed as they pass; a blob that is not what its digest says is never completed.
    ///
    /// # Errors
    /// What the registry says; [`RegistryError::DigestMismatch`] for wrong bytes.
    pub async fn push_blob(
        &self,
        repository: &str,
        digest: &Digest,
        size: u64,
        body: impl AsyncRead + Send + 'static,
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<(), RegistryError> {
        let operation = Operation::WriteBlob;
        let upload = self.begin_upload(repository).await?;

        let (sender, receiver) = watch::channel(Sent::default());
        let mut hasher = Some(Hasher::new(digest.algorithm()));
        // Once the registry has all it was promised hyper polls the body no more, so the last chunk says so.
        let unreadable = Arc::new(Mutex::new(None));
        let (report, crossed) = (unreadable.clone(), self.crossed.clone());
        let stream = ReaderStream::with_capacity(Box::pin(body), BUFFER).map(move |chunk| {
            let chunk: Bytes = chunk.inspect_err(|error| {
                // reqwest would wrap it up as a failed request; it is no fault of the registry's.
                *lock(&report) = Some(io::Error::new(error.kind(), error.to_string()));
            })?;
            crossed.sent(chunk.len());
            sender.send_modify(|sent| {
                sent.bytes += chunk.len() as u64;
                if let Some(hasher) = &mut hasher {
                    hasher.update(&chunk);
                }
                if sent.bytes >= size {
                    sent.digest = hasher.take().map(Hasher::finish);
                }
            });
            Ok::<_, io::Error>(chunk)
        });
        let request = self
            .request(Method::PATCH, upload.clone())
            .header("content-type", "application/octet-stream")
            .header("content-length", size)
            .body(if size == 0 { reqwest::Body::from("") } else { reqwest::Body::wrap_stream(stream) });

        let answer = self.send_watched(operation, request, receiver.clone(), &mut progress).await;
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                let unreadable = std::mem::take(&mut *lock(&unreadable));
                return Err(match (unreadable, error) {
                    (Some(source), _) => RegistryError::Source { source },
                    (None, lost @ RegistryError::Unreachable { .. }) => self.why_lost(repository, lost).await,
                    (None, error) => error,
                });
            }
        };
        if !matches!(response.status(), StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Err(self.failure(operation, &format!("repository {repository}"), response).await);
        }
        let actual =
            receiver.borrow().digest.clone().unwrap_or_else(|| Hasher::new(digest.algorithm()).finish());
        let mut finish = self.next_location(&upload, &response).unwrap_or_else(|| upload.clone());
        if actual != *digest {
            self.abandon_upload(finish).await;
            return Err(RegistryError::DigestMismatch {
                what: format!("the layer {}", digest.short()),
                expected: digest.clone(),
                actual,
            });
        }
        finish.query_pairs_mut().append_pair("digest", &digest.to_string());
        let request = self.request(Method::PUT, finish).header("content-length", 0);
        let response = self.send(operation, request).await?;
        if !matches!(response.status(), StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Err(self.failure(operation, &format!("repository {repository}"), response).await);
        }
        Ok(())
    }

    /// Asks whether we may push to `repository`, by an upload that is begun and given up at once.
    ///
    /// # Errors
    /// What the registry says, [`RegistryError::Auth`] and [`RegistryError::Denied`] above all.
    pub async fn check_push(&self, repository: &str) -> Result<(), RegistryError> {
        let upload = self.begin_upload(repository).await?;
        self.abandon_upload(upload).await;
        Ok(())
    }

    /// Sends `bytes` zeros as the beginning of a layer and gives it up again: that brings out why the registry takes no
    /// layers, when whoever tried keeps its words to itself (dockerd repeats a 500 without its body).
    ///
    /// # Errors
    /// What the registry says, [`RegistryError::DiskFull`] above all.
    pub async fn check_room(&self, repository: &str, bytes: usize) -> Result<(), RegistryError> {
        let operation = Operation::WriteBlob;
        let upload = self.begin_upload(repository).await?;
        let request = self
            .request(Method::PATCH, upload.clone())
            .header("content-type", "application/octet-stream")
            .body(vec![0; bytes]);
        let response = match self.send(operation, request).await {
            Ok(response) => response,
            Err(lost @ RegistryError::Unreachable { .. }) => {
                return Err(self.why_lost(repository, lost).await);
            }
            Err(error) => return Err(error),
        };
        let next = self.next_location(&upload, &response).unwrap_or(upload);
        let failed = match response.status() {
            StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::NO_CONTENT => None,
            _ => Some(self.failure(operation, &format!("repository {repository}"), response).await),
        };
        self.abandon_upload(next).await;
        failed.map_or(Ok(()), Err)
    }

    /// Fetches a blob of `size` bytes and checks its digest as it passes. `progress` gets the bytes so far.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::DigestMismatch`]; [`PullError::Write`] for `target`'s own.
    pub async fn pull_blob(
        &self,
        repository: &str,
        digest: &Digest,
        size: u64,
        target: &mut (impl AsyncWrite + Unpin + Send),
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<(), PullError> {
        let operation = Operation::ReadBlob;
        let what = || format!("layer {}", digest.short());
        let mut response = self.open_blob(repository, digest).await?;
        let mut hasher = Hasher::new(digest.algorithm());
        let mut received = 0;
        while let Some(chunk) =
            self.idle(operation, response.chunk()).await?.map_err(|source| self.unreachable(source))?
        {
            self.crossed.received(chunk.len());
            received += chunk.len() as u64;
            if received > size {
                return Err(self.protocol(format!("{} is longer than the manifest says", what())).into());
            }
            hasher.update(&chunk);
            target.write_all(&chunk).await.map_err(PullError::Write)?;
            progress(received);
        }
        target.flush().await.map_err(PullError::Write)?;
        let actual = hasher.finish();
        if received < size {
            return Err(self.protocol(format!("{} ends after {received} of {size} bytes", what())).into());
        }
        if actual != *digest {
            return Err(RegistryError::DigestMismatch {
                what: format!("the {}", what()),
                expected: digest.clone(),
                actual,
            }
            .into());
        }
        Ok(())
    }

    /// Sends a request with a body; bytes on their way count as life, however long the whole takes.
    pub(super) async fn send_watched(
        &self,
        operation: Operation,
        request: RequestBuilder,
        mut sent: watch::Receiver<Sent>,
        progress: &mut (impl FnMut(u64) + Send),
    ) -> Result<Response, RegistryError> {
        let mut answer = std::pin::pin!(self.start(request));
        let mut is_moving = true;
        loop {
            let patience = self.patience(sent.borrow().bytes);
            tokio::select! {
                response = &mut answer => return response.map_err(|source| self.unreachable(source)),
                // The sender goes with the body, when there is nothing left to send.
                more = sent.changed(), if is_moving => {
                    is_moving = more.is_ok();
                    progress(sent.borrow_and_update().bytes);
                }
                () = tokio::time::sleep(patience) => {
                    return Err(RegistryError::TimedOut { operation, idle: patience });
                }
            }
        }
    }

    /// How long nothing may move once a connection has taken so many bytes of a body. They need not have left this machine:
    /// the way to the tunnel's end holds megabytes of each request, and a slow line takes its time over them. A line that
    /// is dead is none of this: the tunnel ends its connections.
    pub(super) fn patience(&self, taken: u64) -> Duration {
        if self.config.url.is_some() {
            return self.idle_timeout();
        }
        self.idle_timeout() + Duration::from_millis(taken.min(MOST_HELD) * 1000 / SLOWEST)
    }

    async fn open_blob(&self, repository: &str, digest: &Digest) -> Result<Response, RegistryError> {
        self.open_blob_at(repository, digest, 0).await.map(|(response, _)| response)
    }

    /// A blob from `offset` on, and how many bytes before that come as well, where the registry knows no ranges.
    pub(super) async fn open_blob_at(
        &self,
        repository: &str,
        digest: &Digest,
        offset: u64,
    ) -> Result<(Response, u64), RegistryError> {
        let ranged = |request: RequestBuilder| match offset {
            0 => request,
            offset => request.header("range", format!("bytes={offset}-")),
        };
        let operation = Operation::ReadBlob;
        let what = format!("layer {}", digest.short());
        let url = self.blob_url(repository, digest)?;
        let response = self.send(operation, ranged(self.get(url.clone()))).await?;
        let target = header(&response, "location").and_then(|location| url.join(&location).ok());
        // One step to another path of the same registry is fine; a second would be a loop.
        let response = match target {
            Some(target) if response.status().is_redirection() && self.is_ours(&target) => {
                let here = self.located(&url, target.as_str()).unwrap_or(url);
                self.send(operation, ranged(self.get(here))).await?
            }
            Some(_) | None => response,
        };
        match response.status() {
            StatusCode::OK => Ok((response, offset)),
            StatusCode::PARTIAL_CONTENT if offset > 0 => {
                // RFC 9110 §14.4: a server may answer with another range than the one it was asked for.
                let begin = header(&response, "content-range")
                    .and_then(|range| range.strip_prefix("bytes ")?.split_once('-')?.0.parse::<u64>().ok());
                match begin.map(|begin| offset.checked_sub(begin)) {
                    Some(Some(before)) => Ok((response, before)),
                    Some(None) | None => {
                        Err(self.protocol("it sent another part of a layer than it was asked for"))
                    }
                }
            }
            _ => Err(self.failure(operation, &what, response).await),
        }
    }

    pub(super) async fn begin_upload(&self, repository: &str) -> Result<Url, RegistryError> {
        let operation = Operation::WriteBlob;
        reference::check_repository(repository)?;
        let url = self.url(&format!("/v2/{repository}/blobs/uploads/"));
        let request = self.request(Method::POST, url.clone()).header("content-length", 0);
        let response = self.send(operation, request).await?;
        if response.status() != StatusCode::ACCEPTED {
            return Err(self.failure(operation, &format!("repository {repository}"), response).await);
        }
        self.next_location(&url, &response)
            .ok_or_else(|| self.protocol("it began an upload without saying where"))
    }

    pub(super) fn next_location(&self, from: &Url, response: &Response) -> Option<Url> {
        self.located(from, &header(response, "location")?)
    }

    /// Registries forget unfinished uploads by themselves after days; this spares their disk until then.
    pub(super) async fn abandon_upload(&self, upload: Url) {
        if let Err(error) = self.send(Operation::WriteBlob, self.request(Method::DELETE, upload)).await {
            tracing::debug!(%error, "an unfinished upload stays at the registry until it cleans up");
        }
    }

    /// A registry whose disk is full answers in the middle of an upload and hangs up; the answer is lost if our
    /// next write meets the closed connection first. A second, empty upload brings the reason out.
    pub(super) async fn why_lost(&self, repository: &str, lost: RegistryError) -> RegistryError {
        match self.begin_upload(repository).await {
            Ok(upload) => {
                self.abandon_upload(upload).await;
                lost
            }
            Err(RegistryError::Unreachable { .. } | RegistryError::TimedOut { .. }) => lost,
            Err(reason) => reason,
        }
    }

    fn blob_url(&self, repository: &str, digest: &Digest) -> Result<Url, RegistryError> {
        reference::check_repository(repository)?;
        Ok(self.url(&format!("/v2/{repository}/blobs/{digest}")))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a blob could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The registry's fault, or the way's.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What it was to be written to failed.
    #[error("the layer could not be written: {0}")]
    Write(#[source] io::Error),
}

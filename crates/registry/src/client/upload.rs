//! Uploads in pieces, which go on where they broke off.
//!
//! A lost connection costs the piece that was on its way at most, if the registry can say how far it got
//! (distribution-spec, "Pushing a blob in chunks": GET of the upload's location). Registries before distribution 3
//! cannot after a piece was cut off in the middle (distribution pull request 3755): there the layer begins again.

use super::{Client, blob::Sent, exchange::header};
use crate::{Digest, Operation, RegistryError, reference};
use bytes::Bytes;
use futures::stream;
use reqwest::{Method, Response, StatusCode, Url};
use std::io;
use tokio::sync::watch;

/// Pieces of one request: large enough that waiting for each answer costs little on a long line, small enough that a
/// few of them in memory do not matter.
pub(super) const REQUEST: usize = 6 << 20;

/// How an upload begins.
pub(super) enum Begun {
    /// The registry took the blob from another repository of its own.
    Mounted,
    /// Bytes may be sent.
    Upload(Upload),
}

/// An upload under way.
#[derive(Debug)]
pub(super) struct Upload {
    repository: String,
    location: Url,
    /// Bytes the registry has acknowledged.
    pub(super) offset: u64,
    /// It goes on where it broke off, and what the registry has of it is its own word.
    pub(super) is_resumed: bool,
}

/// Why a piece was not taken.
#[derive(Debug)]
pub(super) enum Broken {
    /// The registry knows nothing of the upload any more: the layer begins again.
    Forgotten(RegistryError),
    /// Anything else.
    Failed(RegistryError),
}

impl Client {
    /// Begins an upload; with `mount`, the registry may take the blob from that repository instead (distribution-spec
    /// end-11).
    pub(super) async fn begin(
        &self,
        repository: &str,
        mount: Option<(&Digest, &str)>,
    ) -> Result<Begun, RegistryError> {
        let operation = Operation::WriteBlob;
        reference::check_repository(repository)?;
        let mut url = self.url(&format!("/v2/{repository}/blobs/uploads/"));
        if let Some((digest, from)) = mount {
            let from = self.repository_there(from);
            url.query_pairs_mut().append_pair("mount", &digest.to_string()).append_pair("from", &from);
        }
        let request = self.request(Method::POST, url.clone()).header("content-length", 0);
        let response = self.send(operation, request).await?;
        match response.status() {
            StatusCode::CREATED if mount.is_some() => Ok(Begun::Mounted),
            StatusCode::ACCEPTED => {
                let location = self.next_location(&url, &response);
                let location =
                    location.ok_or_else(|| self.protocol("it began an upload without saying where"))?;
                let repository = repository.to_owned();
                Ok(Begun::Upload(Upload { repository, location, offset: 0, is_resumed: false }))
            }
            _ => Err(self.failure(operation, &format!("repository {repository}"), response).await),
        }
    }

    /// An upload of an earlier run, with what the registry has of it; `None` if it knows nothing of it.
    ///
    /// # Errors
    /// When the registry does not answer, which says nothing of the upload.
    pub(super) async fn resume(
        &self,
        repository: &str,
        location: &str,
    ) -> Result<Option<Upload>, RegistryError> {
        let Some(location) = self.located(&self.url("/"), location) else { return Ok(None) };
        let uploads = self.url(&format!("/v2/{repository}/blobs/uploads/"));
        // The record is a file: whatever it says, nothing but an upload of this repository is asked for.
        if !location.path().starts_with(uploads.path()) {
            return Ok(None);
        }
        let mut upload = Upload { repository: repository.to_owned(), location, offset: 0, is_resumed: true };
        match upload.ask(self).await {
            Ok(Some(offset)) => return Ok(Some(upload).filter(|_| offset > 0)),
            Ok(None) => {}
            Err(error @ RegistryError::Unreachable { .. }) => return Err(error),
            // Also where this question waits for a request of a connection that nobody there has missed: the ping does not.
            Err(error) => tracing::debug!(%error, "what is noted of an upload is of no use"),
        }
        // A registry that is being restarted has forgotten nothing.
        match self.ping().await {
            Err(error) if is_no_answer(&error) || super::retry::may_pass(&error) => Err(error),
            Ok(()) | Err(_) => Ok(None),
        }
    }
}

/// Whether nobody has answered.
const fn is_no_answer(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Unreachable { .. } | RegistryError::TimedOut { .. })
}

impl Upload {
    /// Where to go on, for a record.
    pub(super) fn location(&self) -> String {
        match self.location.query() {
            Some(query) => format!("{}?{query}", self.location.path()),
            None => self.location.path().to_owned(),
        }
    }

    /// Sends the next bytes, going on from the registry's own offset if the connection is lost on the way.
    /// `progress` gets how many of them are sent, `lost` in how many seconds it goes on.
    pub(super) async fn append(
        &mut self,
        client: &Client,
        pieces: &[Bytes],
        mut progress: impl FnMut(u64) + Send,
        mut lost: impl FnMut(u32) + Send,
    ) -> Result<(), Broken> {
        let length: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let (begin, mut waits) = (self.offset, super::retry::WAITS.into_iter());
        let mut may_be_let_in = true;
        loop {
            let done = self.offset - begin;
            if done >= length {
                return Ok(());
            }
            let rest = skip(pieces, done);
            let error = match self.patch(client, rest, length - done, &mut |sent| progress(done + sent)).await
            {
                Ok(()) => continue,
                Err(error) => error,
            };
            // A token has ended with the piece before: the question asks for a new one, and says where to go on.
            if matches!(error, RegistryError::Auth { .. }) && std::mem::take(&mut may_be_let_in) {
                match self.ask(client).await {
                    Ok(Some(offset)) if offset >= begin && offset <= begin + length => continue,
                    Ok(Some(_) | None) => return Err(Broken::Forgotten(error)),
                    Err(other) => return Err(Broken::Failed(other)),
                }
            }
            if !matches!(error, RegistryError::Unreachable { .. }) {
                let is_gone = matches!(error, RegistryError::Failed { status: 404 | 416, .. });
                return Err(if is_gone { Broken::Forgotten(error) } else { Broken::Failed(error) });
            }
            let error = client.why_lost(&self.repository, error).await;
            if !matches!(error, RegistryError::Unreachable { .. }) {
                return Err(Broken::Failed(error));
            }
            loop {
                let Some(seconds) = waits.next() else { return Err(Broken::Failed(error)) };
                tracing::info!(%error, seconds, offset = self.offset, "an upload goes on after a lost connection");
                lost(seconds);
                tokio::time::sleep(std::time::Duration::from_secs(seconds.into())).await;
                match self.ask(client).await {
                    Ok(Some(offset)) if offset >= begin && offset <= begin + length => break,
                    // More than was ever sent, or less than was acknowledged: not the upload we know.
                    Ok(Some(_) | None) => return Err(Broken::Forgotten(error)),
                    // Nothing is sent before it is known what has arrived.
                    Err(error) if is_no_answer(&error) => {}
                    Err(other) => return Err(Broken::Failed(other)),
                }
            }
            self.is_resumed = true;
        }
    }

    /// Completes the upload under `digest`; what the registry received must be that.
    pub(super) async fn finish(self, client: &Client, digest: &Digest) -> Result<(), RegistryError> {
        let request = client.request(Method::PUT, self.completed(digest)).header("content-length", 0);
        let response = client.send(Operation::WriteBlob, request).await?;
        self.has_finished(client, response).await
    }

    /// Sends all of a blob with the request that completes it (distribution-spec, "POST then PUT"), which spares a small
    /// one a round trip; containerd sends every blob so. A lost connection costs all of it.
    pub(super) async fn send_whole(
        &mut self,
        client: &Client,
        (digest, pieces): (&Digest, &[Bytes]),
        mut progress: impl FnMut(u64) + Send,
    ) -> Result<(), Broken> {
        let mut may_be_let_in = true;
        loop {
            let (body, sent) = body(client, pieces.to_vec());
            let request = client
                .request(Method::PUT, self.completed(digest))
                .header("content-type", "application/octet-stream")
                .header("content-length", pieces.iter().map(Bytes::len).sum::<usize>())
                .body(body);
            let answer = client.send_watched(Operation::WriteBlob, request, sent, &mut progress).await;
            let error = match answer {
                Ok(response) => match self.has_finished(client, response).await {
                    Ok(()) => return Ok(()),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            // A token has ended: the question asks for a new one.
            if matches!(error, RegistryError::Auth { .. }) && std::mem::take(&mut may_be_let_in) {
                match self.ask(client).await {
                    Ok(Some(0)) => continue,
                    Ok(Some(_) | None) => return Err(Broken::Forgotten(error)),
                    Err(other) => return Err(Broken::Failed(other)),
                }
            }
            if matches!(error, RegistryError::Failed { status: 404 | 416, .. }) {
                return Err(Broken::Forgotten(error));
            }
            if matches!(error, RegistryError::Unreachable { .. }) {
                return Err(Broken::Failed(client.why_lost(&self.repository, error).await));
            }
            return Err(Broken::Failed(error));
        }
    }

    fn completed(&self, digest: &Digest) -> Url {
        let mut location = self.location.clone();
        location.query_pairs_mut().append_pair("digest", &digest.to_string());
        location
    }

    async fn has_finished(&self, client: &Client, response: Response) -> Result<(), RegistryError> {
        if matches!(response.status(), StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Ok(());
        }
        let what = format!("repository {}", self.repository);
        Err(client.failure(Operation::WriteBlob, &what, response).await)
    }

    pub(super) async fn abandon(self, client: &Client) {
        client.abandon_upload(self.location).await;
    }

    /// Asks how far the upload is; `None` if the registry does not know (any more).
    async fn ask(&mut self, client: &Client) -> Result<Option<u64>, RegistryError> {
        let request = client.get(self.location.clone());
        let response = client.send(Operation::WriteBlob, request).await?;
        if !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::ACCEPTED | StatusCode::OK) {
            return Ok(None);
        }
        let Some(offset) = acknowledged(&response) else { return Ok(None) };
        self.location = client.next_location(&self.location, &response).unwrap_or(self.location.clone());
        self.offset = offset;
        Ok(Some(offset))
    }

    async fn patch(
        &mut self,
        client: &Client,
        pieces: Vec<Bytes>,
        length: u64,
        progress: &mut (impl FnMut(u64) + Send),
    ) -> Result<(), RegistryError> {
        let operation = Operation::WriteBlob;
        let (body, sent) = body(client, pieces);
        let request = client
            .request(Method::PATCH, self.location.clone())
            .header("content-type", "application/octet-stream")
            .header("content-length", length)
            .header("content-range", format!("{}-{}", self.offset, self.offset + length - 1))
            .body(body);
        let response = client.send_watched(operation, request, sent, progress).await?;
        if !matches!(response.status(), StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Err(client
                .failure(operation, &format!("repository {}", self.repository), response)
                .await);
        }
        self.location = client.next_location(&self.location, &response).unwrap_or(self.location.clone());
        self.offset += length;
        Ok(())
    }
}

/// Small enough that the bar moves.
const PART: usize = 128 << 10;

/// A request's body, and how much of it has been sent.
fn body(client: &Client, pieces: Vec<Bytes>) -> (reqwest::Body, watch::Receiver<Sent>) {
    let (sender, receiver) = watch::channel(Sent::default());
    let parts = pieces.into_iter().flat_map(|piece| {
        let count = piece.len().div_ceil(PART);
        (0..count).map(move |n| piece.slice(n * PART..((n + 1) * PART).min(piece.len())))
    });
    let crossed = client.crossed.clone();
    let body = stream::iter(parts.map(move |part| {
        crossed.sent(part.len());
        sender.send_modify(|sent| sent.bytes += part.len() as u64);
        Ok::<_, io::Error>(part)
    }));
    (reqwest::Body::wrap_stream(body), receiver)
}

/// `Range: 0-1023`: the bytes the registry has (distribution-spec, "Pushing a blob in chunks"). Of nothing it says 0-0,
/// as of a single byte; uploads of one byte are not gone on with.
fn acknowledged(response: &Response) -> Option<u64> {
    let range = header(response, "range")?;
    let range = range.strip_prefix("bytes=").unwrap_or(&range);
    let (first, last) = range.split_once('-')?;
    let last: u64 = last.trim().parse().ok()?;
    (first.trim() == "0").then_some(if last == 0 { 0 } else { last + 1 })
}

/// `pieces` without their first `done` bytes.
fn skip(pieces: &[Bytes], mut done: u64) -> Vec<Bytes> {
    let mut rest = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let length = piece.len() as u64;
        if done >= length {
            done -= length;
        } else {
            rest.push(piece.slice(usize::try_from(done).unwrap_or(piece.len())..));
            done = 0;
        }
    }
    rest
}

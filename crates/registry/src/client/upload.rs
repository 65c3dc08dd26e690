//! Uploads in pieces, which go on where they broke off.
//!
//! A lost connection costs the piece that was on its way at most, if the registry can say how far it got
//! (distribution-spec, "Pushing a blob in chunks": GET of the upload's location). Registries before distribution 3
//! cannot after a piece was cut off in the middle (distribution pull request 3755): there the layer begins again.
//! Some registries without a tunnel take no pieces: there a layer goes in one request, as `docker push` sends it.

mod at_once;

use super::{Client, exchange::header};
use crate::{Digest, Operation, RegistryError, reference};
use at_once::body;
pub(super) use at_once::parts;
use bytes::Bytes;
use reqwest::{Method, Response, StatusCode, Url};

/// Pieces of one request: large enough that waiting for each answer costs little on a long line, small enough that a
/// few of them in memory do not matter.
pub(super) const REQUEST: usize = 6 << 20;

/// A request to a registry without a tunnel: ghcr.io takes no more at once (it answers 416), and others neither.
const REQUEST_ELSEWHERE: usize = 4 << 20;
/// A request that is refused as too large is not made shorter than this.
const SHORTEST: u64 = 256 << 10;
/// A registry that wants longer requests than this does not get them: they are kept in memory until they are sent.
const LONGEST_LEAST: u64 = 64 << 20;

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
    /// Bytes that every request but the last must have (distribution-spec, `OCI-Chunk-Min-Length`).
    pub(super) least: u64,
    /// Bytes that a request may have.
    pub(super) most: u64,
    /// It goes on where it broke off, and what the registry has of it is its own word.
    pub(super) is_resumed: bool,
    /// Whether no tunnel leads there.
    pub(super) is_elsewhere: bool,
    /// The registry has forgotten one of the same layer before.
    is_again: bool,
}

/// Why a piece was not taken.
#[derive(Debug)]
pub(super) enum Broken {
    /// The registry takes no pieces, or none like these: the layer begins again, in one request.
    Pieces(RegistryError),
    /// The registry knows nothing of the upload any more: the layer begins again.
    Forgotten(RegistryError),
    /// Anything else.
    Failed(RegistryError),
}

/// Why a request of an upload was not taken.
#[derive(Debug)]
pub(super) struct Untaken {
    pub(super) error: RegistryError,
    /// What it was answered with, if it was.
    status: Option<StatusCode>,
}

impl From<RegistryError> for Untaken {
    fn from(error: RegistryError) -> Self {
        Self { error, status: None }
    }
}

impl Untaken {
    /// Whether the registry may say by this that it takes no pieces: that it does not know the range, the method or the length
    /// of the request, or the upload after its first piece, or that what it has put together is not the layer.
    fn may_mean_pieces(&self) -> bool {
        let is_refusal = matches!(
            self.error,
            RegistryError::Failed { .. } | RegistryError::NotFound { .. } | RegistryError::Denied { .. }
        );
        let status = self.status.map(|status| status.as_u16());
        is_refusal && matches!(status, Some(400 | 404 | 405 | 411 | 413 | 415 | 416 | 422 | 501))
    }
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
                let mut upload = self.upload(repository, location, false);
                upload.heed(&response);
                Ok(Begun::Upload(upload))
            }
            _ => Err(self.failure(operation, &format!("repository {repository}"), response).await),
        }
    }

    fn upload(&self, repository: &str, location: Url, is_resumed: bool) -> Upload {
        // Through a tunnel there is nobody before the registry but who was put there on purpose.
        let is_elsewhere = self.config.url.is_some();
        let most = if is_elsewhere { REQUEST_ELSEWHERE as u64 } else { u64::MAX };
        let repository = repository.to_owned();
        Upload { repository, location, offset: 0, least: 0, most, is_resumed, is_elsewhere, is_again: false }
    }

    /// Bytes of a layer that are gathered before anything of it is sent.
    pub(super) const fn whole_request(&self) -> u64 {
        if self.config.url.is_some() { REQUEST_ELSEWHERE as u64 } else { REQUEST as u64 }
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
        let mut upload = self.upload(repository, location, true);
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

    /// What the registry wants of requests.
    fn heed(&mut self, response: &Response) {
        if let Some(least) =
            header(response, "oci-chunk-min-length").and_then(|text| text.trim().parse().ok())
        {
            self.least = LONGEST_LEAST.min(least);
            self.most = self.most.max(self.least);
        }
    }

    /// After a request of so many bytes was too large; whether shorter ones may be tried.
    pub(super) fn halve(&mut self, length: u64) -> bool {
        let floor = self.least.max(SHORTEST);
        if length <= floor {
            return false;
        }
        self.most = (length / 2).max(floor);
        true
    }

    /// Sends the next bytes, as many of `pieces` as go in one request, going on from the registry's own offset if the
    /// connection is lost on the way; how many it has. `progress` gets how many of them are sent, `lost` in how many seconds
    /// it goes on.
    pub(super) async fn append(
        &mut self,
        client: &Client,
        pieces: &[Bytes],
        mut progress: impl FnMut(u64) + Send,
        mut lost: impl FnMut(u32) + Send,
    ) -> Result<u64, Broken> {
        let length: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let (begin, mut waits) = (self.offset, super::retry::WAITS.into_iter());
        let mut may_be_let_in = true;
        loop {
            let done = self.offset - begin;
            // What is left of a request that broke off may be too short to go alone.
            if done > 0 && length - done < self.least.max(1) {
                return Ok(done);
            }
            let part = self.most.min(length - done);
            let sent =
                self.patch(client, cut(pieces, done, part), part, &mut |sent| progress(done + sent)).await;
            let untaken = match sent {
                Ok(()) => return Ok(done + part),
                Err(untaken) => untaken,
            };
            if self.is_too_large(client, &untaken.error).await && self.halve(part) {
                tracing::info!(error = %untaken.error, bytes = part, next = self.most, "a request was too large");
                continue;
            }
            if self.takes_no_pieces(&untaken) {
                return Err(Broken::Pieces(untaken.error));
            }
            if self.may_be_gone(&untaken) {
                return Err(Broken::Forgotten(untaken.error));
            }
            let error = untaken.error;
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

    /// Whether a request was refused for its length. ghcr.io says so with the status for a wrong place, but it is the place
    /// that the registry itself names.
    async fn is_too_large(&mut self, client: &Client, error: &RegistryError) -> bool {
        let at = self.offset;
        let RegistryError::Failed { status, .. } = error else { return false };
        match *status {
            413 => true,
            416 if at == 0 => true,
            416 => {
                let is_there = matches!(self.ask(client).await, Ok(Some(offset)) if offset == at);
                self.offset = at;
                is_there
            }
            _ => false,
        }
    }

    /// The same, with whether the registry has forgotten one of the same layer before.
    pub(super) fn again(self, is_again: bool) -> Self {
        Self { is_again, ..self }
    }

    /// Whether what it was sent in pieces may be taken in one request. Through a tunnel, and of an upload that was gone on
    /// with, the same answers mean something else.
    pub(super) fn takes_no_pieces(&self, untaken: &Untaken) -> bool {
        self.is_elsewhere
            && (!self.is_resumed || self.offset == 0)
            && untaken.may_mean_pieces()
            && !self.may_be_gone(untaken)
    }

    /// Whether the registry may merely have lost an upload that it has taken pieces of: to a clean-up, or to another of its
    /// machines. What says so of the same layer once more takes no pieces.
    pub(super) fn may_be_gone(&self, untaken: &Untaken) -> bool {
        self.is_elsewhere
            && self.offset > 0
            && !self.is_again
            && untaken.status == Some(StatusCode::NOT_FOUND)
    }

    /// Completes the upload under `digest`; what the registry received must be that.
    pub(super) async fn finish(&self, client: &Client, digest: &Digest) -> Result<(), Untaken> {
        let request = client.request(Method::PUT, self.completed(digest)).header("content-length", 0);
        let response = client.send(Operation::WriteBlob, request).await?;
        self.has_finished(client, response).await
    }

    fn completed(&self, digest: &Digest) -> Url {
        let mut location = self.location.clone();
        location.query_pairs_mut().append_pair("digest", &digest.to_string());
        location
    }

    async fn has_finished(&self, client: &Client, response: Response) -> Result<(), Untaken> {
        if matches!(response.status(), StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Ok(());
        }
        Err(self.untaken(client, response).await)
    }

    async fn untaken(&self, client: &Client, response: Response) -> Untaken {
        let status = Some(response.status());
        let what = format!("repository {}", self.repository);
        Untaken { error: client.failure(Operation::WriteBlob, &what, response).await, status }
    }

    pub(super) async fn abandon(self, client: &Client) {
        self.leave(client).await;
    }

    /// Nothing more is sent to it.
    pub(super) async fn leave(&self, client: &Client) {
        client.abandon_upload(self.location.clone()).await;
    }

    /// Asks how far the upload is; `None` if the registry does not know (any more).
    async fn ask(&mut self, client: &Client) -> Result<Option<u64>, RegistryError> {
        let request = client.get(self.location.clone());
        let response = client.send(Operation::WriteBlob, request).await?;
        if !matches!(response.status(), StatusCode::NO_CONTENT | StatusCode::ACCEPTED | StatusCode::OK) {
            return Ok(None);
        }
        let Some(offset) = acknowledged(&response) else { return Ok(None) };
        self.heed(&response);
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
    ) -> Result<(), Untaken> {
        let (body, sent) = body(client, pieces);
        let request = client
            .request(Method::PATCH, self.location.clone())
            .header("content-type", "application/octet-stream")
            .header("content-length", length)
            .header("content-range", format!("{}-{}", self.offset, self.offset + length - 1))
            .body(body);
        let response = client.send_watched(Operation::WriteBlob, request, sent, progress).await?;
        self.taken(client, response).await?;
        self.offset += length;
        Ok(())
    }

    /// What the registry says to bytes that it has got. Amazon's ECR says 201 to each piece.
    async fn taken(&mut self, client: &Client, response: Response) -> Result<(), Untaken> {
        if !matches!(response.status(), StatusCode::ACCEPTED | StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Err(self.untaken(client, response).await);
        }
        self.location = client.next_location(&self.location, &response).unwrap_or(self.location.clone());
        Ok(())
    }
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

/// `most` bytes of `pieces` after the first `done`.
pub(super) fn cut(pieces: &[Bytes], mut done: u64, mut most: u64) -> Vec<Bytes> {
    let mut rest = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let length = piece.len() as u64;
        let begin = done.min(length);
        let end = length.min(begin.saturating_add(most));
        done -= begin;
        if begin < end {
            most -= end - begin;
            let place = |at: u64| usize::try_from(at).unwrap_or(piece.len());
            rest.push(piece.slice(place(begin)..place(end)));
        }
    }
    rest
}

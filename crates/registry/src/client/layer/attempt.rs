//! One attempt at a layer: read, packed and sent in requests, from wherever an earlier one broke off.

use super::{Job, JobKind, Shared};
use crate::{
    Algorithm, Digest, RegistryError,
    archive::ArchiveError,
    client::{
        Client,
        push::{Placed, blocking, noted},
        retry,
        upload::{Begun, Broken, REQUEST, Upload, cut},
    },
    digest::Hasher,
    pack::Press,
    records::UploadKey,
};
use bytes::Bytes;
use dockline_model::{LayerState, LayerView};
use std::io;

/// Layers of more bytes than this are hardly ever packed into a single request.
const LARGE: u64 = 4 * REQUEST as u64;
/// Bytes of the first one of such a layer.
const FIRST_REQUEST: u64 = 256 << 10;

impl From<RegistryError> for Broken {
    fn from(error: RegistryError) -> Self {
        Self::Failed(error)
    }
}

/// One attempt.
pub(super) struct Attempt<'a, F> {
    pub(super) client: &'a Client,
    pub(super) shared: &'a Shared<'a, F>,
    pub(super) job: &'a Job,
    pub(super) index: usize,
    pub(super) press: &'a Press,
    pub(super) key: Option<&'a UploadKey>,
}

impl<F: FnMut(&[LayerView], u64, u64) + Send> Attempt<'_, F> {
    pub(super) async fn run(&self) -> Result<(Placed, Digest, LayerState), Broken> {
        let (client, repository) = (self.client, self.shared.repository);
        let earlier = self.earlier().await?;
        let resumed = earlier.as_ref().map_or(0, |upload| upload.offset);
        let open = self.job.open.clone();
        let algorithm = self.job.expected().map_or(Algorithm::Sha256, Digest::algorithm);
        let pieces = async {
            let open = move || open().map_err(|source| RegistryError::Source { source });
            Ok::<_, RegistryError>(self.press.pack(blocking(open).await?, algorithm))
        };
        // Of a large layer there will be more than goes in one request.
        let begun = async {
            match &earlier {
                None if self.job.size > LARGE => self.begin().await.map(Some),
                Some(_) | None => Ok(None),
            }
        };
        let (pieces, begun) = futures::join!(pieces, begun);
        let mut pieces = match pieces {
            Ok(pieces) => pieces,
            Err(error) => {
                if let Some(upload) = begun.ok().flatten() {
                    upload.abandon(client).await;
                }
                return Err(error.into());
            }
        };
        let mut upload = earlier.or(begun?);
        let mut hasher = Hasher::new(match &self.job.kind {
            JobKind::Verbatim { .. } => algorithm,
            JobKind::Pack { .. } | JobKind::There(_) => Algorithm::Sha256,
        });
        let (mut made, mut raw) = (0_u64, 0_u64);
        let mut batch = Batch::default();
        loop {
            let piece = match pieces.next().await {
                Ok(piece) => piece,
                Err(source) => {
                    // Of what the registry has nothing of, there is nothing to go on with.
                    if upload.as_ref().is_some_and(|upload| upload.offset == 0) {
                        self.give_up(upload).await;
                    }
                    return Err(self.unreadable(source).into());
                }
            };
            let is_end = piece.is_none();
            if let Some(piece) = piece {
                hasher.update(&piece.bytes);
                let begin = made;
                made += piece.bytes.len() as u64;
                raw += piece.raw as u64;
                // What the registry has of it already is made for the digest's sake alone.
                let new = resumed.clamp(begin, made) - begin;
                batch.push(piece.bytes.slice(usize::try_from(new).unwrap_or(0)..), piece.raw as u64);
                if batch.length == 0 {
                    self.shared.board.advance(self.index, raw);
                    batch = Batch::default();
                }
            }
            if is_end && upload.is_none() {
                break;
            }
            let is_enough = batch.length >= self.next_request(upload.as_ref())
                || (self.shared.slow_line
                    && upload.as_ref().is_some_and(|upload| upload.offset < REQUEST as u64)
                    && batch.length >= FIRST_REQUEST
                    && !pieces.is_ready());
            if is_enough || (is_end && batch.length > 0) {
                let to = match &mut upload {
                    Some(upload) => upload,
                    None => upload.insert(self.begin().await?),
                };
                let mut is_due = true;
                // How long requests have to be is known once the upload has begun.
                while batch.length > 0 && (is_end || (is_due && batch.length >= to.least)) {
                    self.append(to, &mut batch, raw).await?;
                    is_due = batch.length >= self.next_request(Some(to));
                }
            }
            if is_end {
                break;
            }
        }
        let layer = pieces.diff_id().await.map_err(|source| self.unreadable(source))?;
        let digest = hasher.finish();
        let expected = self.job.expected();
        let actual = if matches!(self.job.kind, JobKind::Verbatim { .. }) { &digest } else { &layer };
        if let Some(expected) = expected.filter(|expected| *expected != actual) {
            let (expected, actual) = (expected.clone(), actual.clone());
            self.give_up(upload).await;
            let name = self.job.name.clone();
            return Err(Broken::Failed(ArchiveError::WrongDigest { name, expected, actual }.into()));
        }
        if made < resumed {
            self.give_up(upload).await;
            return Err(Broken::Forgotten(client.protocol("it has more of a layer than there is")));
        }
        let encoding = match self.job.kind {
            JobKind::Verbatim { encoding, .. } => encoding,
            JobKind::Pack { .. } | JobKind::There(_) => self.press.packing().encoding(),
        };
        let placed = Placed { digest: digest.clone(), size: made, encoding };
        let upload = match upload {
            Some(upload) => upload,
            // All of it is here and its digest known before the first byte is sent.
            None if client.blob_exists(repository, &digest).await? => {
                return Ok((placed, layer, LayerState::Exists));
            }
            None if batch.length > 0 => match self.send_whole(&batch, &digest).await {
                Ok(()) => return Ok((placed, layer, LayerState::Done)),
                Err(Broken::Failed(error @ RegistryError::Failed { status: 413, .. })) => {
                    let mut upload = self.begin().await?;
                    if !upload.halve(batch.length) {
                        upload.abandon(client).await;
                        return Err(Broken::Failed(error));
                    }
                    while batch.length > 0 {
                        self.append(&mut upload, &mut batch, raw).await?;
                    }
                    upload
                }
                Err(broken) => return Err(broken),
            },
            None => self.begin().await?,
        };
        let is_resumed = upload.is_resumed;
        let finished = upload.finish(client, &digest).await;
        self.finished(finished, &digest, is_resumed).await?;
        Ok((placed, layer, LayerState::Done))
    }

    /// An upload that broke off, with what the registry has of it.
    async fn earlier(&self) -> Result<Option<Upload>, RegistryError> {
        let Some(key) = self.key.cloned() else { return Ok(None) };
        let (records, packing) = (self.shared.records.clone(), self.press.packing());
        let noted = blocking(move || Ok::<_, RegistryError>(records.unfinished(&key, packing))).await?;
        let Some(location) = noted else { return Ok(None) };
        let upload = self.client.resume(self.shared.repository, &location).await?;
        match &upload {
            Some(upload) => tracing::info!(offset = upload.offset, "an upload goes on where it broke off"),
            None => self.forget().await,
        }
        Ok(upload)
    }

    /// Bytes to be gathered for the next request. The first ones of a large layer are short, so that the line has something
    /// to do (on a slow one as long as what is packed by then); of a small one all is made before anything is sent, since the
    /// registry may know its digest.
    fn next_request(&self, upload: Option<&Upload>) -> u64 {
        let Some(upload) = upload else { return self.client.whole_request() };
        let wanted = match self.shared.slow_line {
            true => REQUEST as u64,
            false => upload.offset.clamp(FIRST_REQUEST, REQUEST as u64),
        };
        wanted.min(upload.most).max(upload.least)
    }

    async fn begin(&self) -> Result<Upload, RegistryError> {
        match self.client.begin(self.shared.repository, None).await? {
            Begun::Upload(upload) => Ok(upload),
            Begun::Mounted => Err(self.client.protocol("it completed an upload that had only begun")),
        }
    }

    /// Sends as much of `batch` as goes in one request.
    async fn append(&self, upload: &mut Upload, batch: &mut Batch, raw: u64) -> Result<(), Broken> {
        self.note(upload).await;
        let before = raw.saturating_sub(batch.raw);
        let progress = |sent: u64| self.shared.board.advance(self.index, before + batch.raw_of(sent));
        let lost = |seconds| self.shared.board.state(self.index, LayerState::Retrying { seconds });
        let request = self.shared.records.begin_request(batch.length.min(upload.most));
        let appended = upload.append(self.client, &batch.pieces, progress, lost).await;
        match appended {
            Ok(sent) => {
                request.carried(self.client.recorded_as(), sent);
                batch.leave_out(sent);
                self.note(upload).await;
                Ok(())
            }
            Err(broken) => {
                drop(request);
                if matches!(broken, Broken::Forgotten(_)) {
                    self.forget().await;
                }
                Err(broken)
            }
        }
    }

    /// A small one in a single request. Of a stream it is all that there is, and so is sent over again here; whatever else can
    /// be read once more begins anew.
    async fn send_whole(&self, batch: &Batch, digest: &Digest) -> Result<(), Broken> {
        let mut waits = retry::WAITS.into_iter();
        loop {
            let broken = match self.send_once(batch, digest).await {
                Err(broken) if self.job.is_stream => broken,
                sent => return sent,
            };
            match broken {
                Broken::Failed(error) => {
                    retry::wait_or_give_up(error, &mut waits, self.index, self.shared.board).await?;
                }
                Broken::Forgotten(error) => {
                    tracing::info!(%error, "the registry has forgotten an upload: the layer begins again");
                    if waits.next().is_none() {
                        return Err(Broken::Forgotten(error));
                    }
                }
            }
            self.shared.board.advance(self.index, 0);
        }
    }

    async fn send_once(&self, batch: &Batch, digest: &Digest) -> Result<(), Broken> {
        let mut upload = self.begin().await?;
        let progress = |sent: u64| self.shared.board.advance(self.index, batch.raw_of(sent));
        let request = self.shared.records.begin_request(batch.length);
        let sent = upload.send_whole(self.client, (digest, &batch.pieces), progress).await;
        if sent.is_ok() {
            request.carried(self.client.recorded_as(), batch.length);
        } else {
            drop(request);
        }
        match sent {
            Err(forgotten @ Broken::Forgotten(_)) => Err(forgotten),
            Err(Broken::Failed(error)) => self.finished(Err(error), digest, false).await,
            Ok(()) => self.finished(Ok(()), digest, false).await,
        }
    }

    async fn finished(
        &self,
        finished: Result<(), RegistryError>,
        digest: &Digest,
        is_resumed: bool,
    ) -> Result<(), Broken> {
        let error = match finished {
            Ok(()) => {
                self.forget().await;
                return Ok(());
            }
            Err(error) => error,
        };
        // The answer may have been lost, and not the request.
        if matches!(error, RegistryError::Unreachable { .. } | RegistryError::TimedOut { .. })
            && self.client.blob_exists(self.shared.repository, digest).await.unwrap_or(false)
        {
            self.forget().await;
            return Ok(());
        }
        if matches!(error, RegistryError::Failed { status: 400 | 404 | 416, .. }) {
            self.forget().await;
            if is_resumed {
                return Err(Broken::Forgotten(error));
            }
        }
        Err(Broken::Failed(error))
    }

    async fn give_up(&self, upload: Option<Upload>) {
        self.forget().await;
        if let Some(upload) = upload {
            upload.abandon(self.client).await;
        }
    }

    async fn note(&self, upload: &Upload) {
        if let Some(key) = self.key.cloned() {
            let (location, packing) = (upload.location(), self.press.packing());
            noted(&self.shared.records, move |records| records.note_upload(&key, packing, location)).await;
        }
    }

    async fn forget(&self) {
        if let Some(key) = self.key.cloned() {
            noted(&self.shared.records, move |records| records.forget_upload(&key)).await;
        }
    }

    fn unreadable(&self, source: io::Error) -> RegistryError {
        ArchiveError::Read { path: self.job.shown.clone(), source }.into()
    }
}

/// Pieces that go in one request.
#[derive(Debug, Default)]
struct Batch {
    pieces: Vec<Bytes>,
    length: u64,
    raw: u64,
}

impl Batch {
    /// Bytes of the layer that the first `sent` of these stand for, about.
    fn raw_of(&self, sent: u64) -> u64 {
        let scaled = u128::from(self.raw) * u128::from(sent) / u128::from(self.length.max(1));
        u64::try_from(scaled).unwrap_or(self.raw)
    }

    /// Does without the first `sent` bytes.
    fn leave_out(&mut self, sent: u64) {
        self.raw -= self.raw_of(sent).min(self.raw);
        self.length -= sent.min(self.length);
        self.pieces = cut(&self.pieces, sent, u64::MAX);
    }

    fn push(&mut self, bytes: Bytes, raw: u64) {
        self.length += bytes.len() as u64;
        self.raw += raw;
        if !bytes.is_empty() {
            self.pieces.push(bytes);
        }
    }
}

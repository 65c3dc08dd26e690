//! One attempt at a layer: read, packed and sent in requests, from wherever an earlier one broke off.

mod making;
mod stream;

use super::{Job, JobKind, Shared};
use crate::{
    Algorithm, Digest, RegistryError,
    archive::ArchiveError,
    client::{
        Client,
        push::{Placed, blocking, noted},
        retry,
        upload::{Begun, Broken, REQUEST, Untaken, Upload, cut},
    },
    digest::Hasher,
    pack::Press,
    records::UploadKey,
};
use dockline_model::{LayerState, LayerView};
use making::{Batch, Making};
use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

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
    /// Whether the layer goes in one request, however long that gets.
    pub(super) is_whole: bool,
    /// Set when its bytes go so, and when they are to because pieces of it were refused.
    pub(super) goes_whole: &'a AtomicBool,
    /// Whether the registry has forgotten an upload of this layer already: what does so each time takes no pieces.
    pub(super) was_forgotten: bool,
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
        let pieces = match pieces {
            Ok(pieces) => pieces,
            Err(error) => {
                if let Some(upload) = begun.ok().flatten() {
                    upload.abandon(client).await;
                }
                return Err(error.into());
            }
        };
        let mut upload = earlier.or(begun?);
        let hasher = Hasher::new(match &self.job.kind {
            JobKind::Verbatim { .. } => algorithm,
            JobKind::Pack { .. } | JobKind::There(_) => Algorithm::Sha256,
        });
        let mut making = Making::of(pieces, hasher);
        loop {
            let is_end = match making.next(resumed).await {
                Ok(is_one) => !is_one,
                Err(source) => {
                    // Of what the registry has nothing of, there is nothing to go on with.
                    if upload.as_ref().is_some_and(|upload| upload.offset == 0) {
                        self.give_up(upload).await;
                    }
                    return Err(self.unreadable(source).into());
                }
            };
            if making.batch.length == 0 {
                self.shared.board.advance(self.index, making.raw);
                making.batch = Batch::default();
            }
            if is_end && upload.is_none() {
                break;
            }
            let is_enough = making.batch.length >= self.next_request(upload.as_ref())
                || (self.shared.slow_line
                    && upload.as_ref().is_some_and(|upload| upload.offset < REQUEST as u64)
                    && making.batch.length >= FIRST_REQUEST
                    && !making.pieces.is_ready());
            if is_enough || (is_end && making.batch.length > 0) {
                let to = match &mut upload {
                    Some(upload) => upload,
                    None => upload.insert(self.begin().await?),
                };
                if self.is_whole {
                    self.stream(to, &mut making).await?;
                    break;
                }
                match self.send_batch(to, &mut making, is_end).await {
                    Err(Broken::Pieces(error)) if making.is_all_here(to) => {
                        self.turn(&error);
                        let refused = std::mem::replace(to, self.begin().await?);
                        refused.abandon(client).await;
                        self.stream(to, &mut making).await?;
                        break;
                    }
                    sent => sent?,
                }
            }
            if is_end {
                break;
            }
        }
        let Making { pieces, hasher, made, raw, mut batch, .. } = making;
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
                Err(Broken::Pieces(error)) => {
                    tracing::info!(%error, "the bytes of a layer go before the request that completes it");
                    let mut upload = self.begin().await?;
                    self.stream_batch(&mut upload, batch, raw).await?;
                    upload
                }
                Err(broken) => return Err(broken),
            },
            None => self.begin().await?,
        };
        let finished = upload.finish(client, &digest).await;
        self.finished(finished, &digest, &upload).await?;
        Ok((placed, layer, LayerState::Done))
    }

    /// Sends what there is of a layer in pieces, as far as it is time to.
    async fn send_batch(&self, upload: &mut Upload, making: &mut Making, is_end: bool) -> Result<(), Broken> {
        let mut is_due = true;
        // How long requests have to be is known once the upload has begun.
        while making.batch.length > 0 && (is_end || (is_due && making.batch.length >= upload.least)) {
            let (begin, pieces) = (upload.offset, making.batch.pieces.clone());
            self.append(upload, &mut making.batch, making.raw).await?;
            making.first = match begin {
                0 if upload.is_elsewhere && upload.offset <= REQUEST as u64 => cut(&pieces, 0, upload.offset),
                _ => Vec::new(),
            };
            is_due = making.batch.length >= self.next_request(Some(upload));
        }
        Ok(())
    }

    /// An upload that broke off, with what the registry has of it.
    async fn earlier(&self) -> Result<Option<Upload>, RegistryError> {
        let Some(key) = self.key.filter(|_| !self.is_whole).cloned() else { return Ok(None) };
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
            Begun::Upload(upload) => Ok(upload.again(self.was_forgotten)),
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
                if matches!(broken, Broken::Forgotten(_) | Broken::Pieces(_)) {
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
                Broken::Pieces(_) => return Err(broken),
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
        if self.is_whole {
            self.goes_whole.store(true, Ordering::Relaxed);
        }
        let progress = |sent: u64| self.shared.board.advance(self.index, batch.raw_of(sent));
        let request = self.shared.records.begin_request(batch.length);
        let sent = upload.send_whole(self.client, (digest, &batch.pieces), progress).await;
        if sent.is_ok() {
            request.carried(self.client.recorded_as(), batch.length);
        } else {
            drop(request);
        }
        match sent {
            Err(broken @ (Broken::Forgotten(_) | Broken::Pieces(_))) => Err(broken),
            Err(Broken::Failed(error)) => self.finished(Err(error.into()), digest, &upload).await,
            Ok(()) => self.finished(Ok(()), digest, &upload).await,
        }
    }

    async fn finished(
        &self,
        finished: Result<(), Untaken>,
        digest: &Digest,
        upload: &Upload,
    ) -> Result<(), Broken> {
        let untaken = match finished {
            Ok(()) => {
                self.forget().await;
                return Ok(());
            }
            Err(untaken) => untaken,
        };
        if upload.offset > 0 && upload.takes_no_pieces(&untaken) {
            self.forget().await;
            return Err(Broken::Pieces(untaken.error));
        }
        if upload.may_be_gone(&untaken) {
            self.forget().await;
            return Err(Broken::Forgotten(untaken.error));
        }
        let error = untaken.error;
        // The answer may have been lost, and not the request.
        if matches!(error, RegistryError::Unreachable { .. } | RegistryError::TimedOut { .. })
            && self.client.blob_exists(self.shared.repository, digest).await.unwrap_or(false)
        {
            self.forget().await;
            return Ok(());
        }
        if matches!(error, RegistryError::Failed { status: 400 | 404 | 416, .. }) {
            self.forget().await;
            if upload.is_resumed {
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

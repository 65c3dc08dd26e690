//! One layer on its way to the registry: asked for, mounted, or packed and sent.

use super::{
    Client,
    push::{Placed, blocking},
    retry,
    upload::{Begun, Broken, REQUEST, Upload},
};
use crate::{
    Algorithm, Digest, RegistryError,
    archive::ArchiveError,
    board::Board,
    digest::Hasher,
    pack::{Encoding, Press},
    records::{Known, Records, UploadKey},
};
use bytes::Bytes;
use dockline_model::{LayerState, LayerView};
use std::{io, path::PathBuf, sync::Arc};

/// Layers of fewer bytes than this are noted with the next larger one, or at the end of the push.
const WORTH_NOTING: u64 = 256 << 10;

/// Opens a layer at its first byte; as often as it has to be sent.
pub(crate) type Open = Arc<dyn Fn() -> io::Result<Box<dyn io::Read + Send>> + Send + Sync>;

/// A layer that may have to be sent.
#[derive(Clone)]
pub(crate) struct Job {
    /// As messages call it.
    pub(crate) name: String,
    /// What it is read from, for messages.
    pub(crate) shown: PathBuf,
    /// Bytes to be read.
    pub(crate) size: u64,
    pub(crate) kind: JobKind,
    pub(crate) open: Open,
    /// It can be opened once only: who wants it again begins with the whole image.
    pub(crate) is_stream: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum JobKind {
    /// Sent as it is.
    Verbatim { digest: Digest, encoding: Encoding },
    /// A bare tar, to be packed. Of a stream nobody says beforehand which layer it is.
    Pack { diff_id: Option<Digest> },
    /// Nothing to send: the registry has it, or its descriptor says where else it is (foreign layers).
    There(Placed),
}

impl Job {
    /// What a bar calls it.
    pub(crate) fn short_id(&self) -> String {
        match &self.kind {
            JobKind::Verbatim { digest, .. } | JobKind::There(Placed { digest, .. }) => {
                digest.short().to_owned()
            }
            JobKind::Pack { diff_id: Some(diff_id) } => diff_id.short().to_owned(),
            JobKind::Pack { diff_id: None } => self.name.chars().take(12).collect(),
        }
    }
}

/// What the layers of one push have in common.
pub(crate) struct Shared<'a, F> {
    pub(crate) repository: &'a str,
    pub(crate) press: Press,
    /// Whether layers that the registry has packed otherwise will do.
    pub(crate) takes_any: bool,
    pub(crate) records: Arc<Records>,
    pub(crate) board: &'a Board<F>,
}

impl<F> Shared<'_, F> {
    /// What is ready to be sent is not packed again.
    fn press_of(&self, job: &Job) -> Press {
        match &job.kind {
            JobKind::Pack { .. } => self.press.clone(),
            JobKind::Verbatim { .. } | JobKind::There(_) => self.press.without_compression(),
        }
    }

    pub(super) fn fits(&self, known: &Known) -> bool {
        if self.takes_any {
            // What is there already and every engine reads.
            return known.encoding != Encoding::Zstd || self.press.packing().encoding() == Encoding::Zstd;
        }
        known.packing.as_deref() == Some(&self.press.packing().name())
    }
}

impl Client {
    /// The layer, if the registry has it: in this repository, or in another from which it is mounted.
    pub(super) async fn find_layer<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        shared: &Shared<'_, F>,
        job: &Job,
        index: usize,
    ) -> Result<Option<Placed>, RegistryError> {
        let registry = self.authority();
        let found = |placed: Placed, state| {
            shared.board.state(index, state);
            Ok(Some(placed))
        };
        match &job.kind {
            JobKind::There(placed) => found(placed.clone(), LayerState::Exists),
            JobKind::Verbatim { digest, encoding } => {
                let placed = Placed { digest: digest.clone(), size: job.size, encoding: *encoding };
                if self.blob_exists(shared.repository, digest).await? {
                    return found(placed, LayerState::Exists);
                }
                // A blob is what its digest says, whatever it was called when it was sent.
                let places = shared.records.places(registry, digest);
                match self.mount(shared.repository, digest, &places).await? {
                    Some(from) => found(placed, LayerState::Mounted { from }),
                    None => Ok(None),
                }
            }
            JobKind::Pack { diff_id: None } => Ok(None),
            JobKind::Pack { diff_id: Some(diff_id) } => {
                let known = shared.records.usable(registry, shared.repository, diff_id);
                for known in known.iter().filter(|known| shared.fits(known)) {
                    let Ok(digest) = known.digest.parse::<Digest>() else { continue };
                    let placed =
                        Placed { digest: digest.clone(), size: known.size, encoding: known.encoding };
                    if self.blob_exists(shared.repository, &digest).await? {
                        return found(placed, LayerState::Exists);
                    }
                    if let Some(from) = self.mount(shared.repository, &digest, &known.repositories).await? {
                        let (records, size) = (&shared.records, known.size);
                        records.remember(
                            registry,
                            shared.repository,
                            diff_id,
                            &digest,
                            size,
                            known.encoding,
                            None,
                        );
                        return found(placed, LayerState::Mounted { from });
                    }
                }
                Ok(None)
            }
        }
    }

    /// Has the registry take the blob from a repository that had it; says from which, if it did. Whatever speaks against
    /// that (we may read nothing there, or it is gone) is no failure of a push: the layer is sent instead.
    async fn mount(
        &self,
        repository: &str,
        digest: &Digest,
        places: &[String],
    ) -> Result<Option<String>, RegistryError> {
        for from in places.iter().filter(|from| *from != repository) {
            if crate::reference::check_repository(from).is_err() {
                continue;
            }
            match self.begin(repository, Some((digest, from))).await {
                Ok(Begun::Mounted) => return Ok(Some(from.clone())),
                Ok(Begun::Upload(upload)) => upload.abandon(self).await,
                Err(error) if retry::may_pass(&error) || is_refusal(&error) => {
                    tracing::info!(%error, from, "a layer is not taken from another repository");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Under which an upload of the layer is noted.
    fn upload_key<F>(&self, shared: &Shared<'_, F>, job: &Job) -> Option<UploadKey> {
        let packing = shared.press_of(job).packing().name();
        job.expected().map(|digest| UploadKey {
            registry: self.authority().to_owned(),
            repository: shared.repository.to_owned(),
            layer: format!("{digest} {packing}"),
        })
    }

    /// Of a layer that was found: whoever sent it may have been killed before it noted the end.
    pub(super) async fn forget_upload<F>(&self, shared: &Shared<'_, F>, job: &Job) {
        if let Some(key) = self.upload_key(shared, job) {
            let records = shared.records.clone();
            // Only a panic could be the error, and it has been printed.
            let _ = blocking(move || {
                records.forget_upload(&key);
                Ok::<_, RegistryError>(())
            })
            .await;
        }
    }

    /// Packs and sends the layer, over again where the connection is lost.
    pub(super) async fn send_layer<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        shared: &Shared<'_, F>,
        job: &Job,
        index: usize,
    ) -> Result<(Placed, Digest), RegistryError> {
        let mut waits = retry::WAITS.into_iter();
        let press = shared.press_of(job);
        let key = self.upload_key(shared, job);
        // The same layer is not sent twice at once: whoever comes second asks again when the first is done.
        let turn = match job.expected() {
            Some(layer) => Some(shared.records.turns(self.authority(), [layer.to_string()]).await),
            None => None,
        };
        if turn.as_ref().is_some_and(|turn| turn.had_to_wait)
            && let Some(layer) = job.expected()
            && let Some(placed) = self.find_layer(shared, job, index).await?
        {
            if job.is_stream {
                // What comes after it in the stream has to be reached.
                let open = job.open.clone();
                let read = move || std::io::copy(&mut open()?, &mut std::io::sink());
                blocking(move || read().map_err(|source| RegistryError::Source { source })).await?;
            }
            return Ok((placed, layer.clone()));
        }
        // Of two pushes of one layer at once only the first goes on with an upload; two writers would ruin it.
        let _guard = key.as_ref().and_then(|key| shared.records.begin_upload(key));
        let key = key.filter(|_| _guard.is_some());
        loop {
            shared.board.advance(index, 0);
            let sent = Sending { client: self, shared, job, index, press: &press, key: key.as_ref() };
            match sent.once().await {
                Ok((placed, layer, state)) => {
                    shared.board.state(index, state);
                    let packing = matches!(job.kind, JobKind::Pack { .. }).then(|| press.packing().name());
                    shared.records.remember(
                        self.authority(),
                        shared.repository,
                        &layer,
                        &placed.digest,
                        placed.size,
                        placed.encoding,
                        packing,
                    );
                    if placed.size >= WORTH_NOTING {
                        // A push that is killed after this does not send it again, however it packs then.
                        super::push::save(&shared.records).await;
                    }
                    return Ok((placed, layer));
                }
                Err(Broken::Failed(error) | Broken::Forgotten(error)) if job.is_stream => return Err(error),
                Err(Broken::Failed(error)) => {
                    retry::wait_or_give_up(error, &mut waits, index, shared.board).await?
                }
                Err(Broken::Forgotten(error)) => {
                    let Some(seconds) = waits.next() else { return Err(error) };
                    tracing::info!(%error, "the registry has forgotten an upload: the layer begins again");
                    shared.board.state(index, LayerState::Retrying { seconds });
                    tokio::time::sleep(std::time::Duration::from_secs(seconds.into())).await;
                }
            }
        }
    }
}

/// Whether it says that we may not, or that there is no such thing.
const fn is_refusal(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::Denied { .. } | RegistryError::Auth { .. } | RegistryError::NotFound { .. }
    )
}

impl Job {
    /// Of a layer that is to be packed.
    pub(crate) fn diff_id(&self) -> Option<&Digest> {
        match &self.kind {
            JobKind::Pack { diff_id } => diff_id.as_ref(),
            JobKind::Verbatim { .. } | JobKind::There(_) => None,
        }
    }

    fn expected(&self) -> Option<&Digest> {
        match &self.kind {
            JobKind::Verbatim { digest, .. } | JobKind::There(Placed { digest, .. }) => Some(digest),
            JobKind::Pack { diff_id } => diff_id.as_ref(),
        }
    }
}

impl From<RegistryError> for Broken {
    fn from(error: RegistryError) -> Self {
        Self::Failed(error)
    }
}

/// One attempt.
struct Sending<'a, F> {
    client: &'a Client,
    shared: &'a Shared<'a, F>,
    job: &'a Job,
    index: usize,
    press: &'a Press,
    key: Option<&'a UploadKey>,
}

impl<F: FnMut(&[LayerView], u64, u64) + Send> Sending<'_, F> {
    async fn once(&self) -> Result<(Placed, Digest, LayerState), Broken> {
        let (client, repository) = (self.client, self.shared.repository);
        let mut upload = self.earlier().await;
        let resumed = upload.as_ref().map_or(0, |upload| upload.offset);
        let open = self.job.open.clone();
        let source = blocking(move || open().map_err(|source| RegistryError::Source { source })).await?;
        let algorithm = self.job.expected().map_or(Algorithm::Sha256, Digest::algorithm);
        let mut pieces = self.press.pack(source, algorithm);
        let mut hasher = Hasher::new(match &self.job.kind {
            JobKind::Verbatim { .. } => algorithm,
            JobKind::Pack { .. } | JobKind::There(_) => Algorithm::Sha256,
        });
        let (mut made, mut raw) = (0_u64, 0_u64);
        let mut batch = Batch::default();
        loop {
            let piece = pieces.next().await.map_err(|source| self.unreadable(source))?;
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
            if batch.length >= REQUEST as u64 || (is_end && batch.length > 0) {
                let to = match &mut upload {
                    Some(upload) => upload,
                    None => upload.insert(self.begin().await?),
                };
                self.append(to, &std::mem::take(&mut batch), raw).await?;
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
            None => {
                let mut upload = self.begin().await?;
                if batch.length > 0 {
                    self.append(&mut upload, &batch, raw).await?;
                }
                upload
            }
        };
        self.finish(upload, &digest, resumed > 0).await?;
        Ok((placed, layer, LayerState::Done))
    }

    /// An upload that broke off, with what the registry has of it.
    async fn earlier(&self) -> Option<Upload> {
        let key = self.key?.clone();
        let records = self.shared.records.clone();
        let location =
            blocking(move || Ok::<_, RegistryError>(records.unfinished(&key))).await.ok().flatten()?;
        let upload = self.client.resume(self.shared.repository, &location).await;
        match &upload {
            Some(upload) => tracing::info!(offset = upload.offset, "an upload goes on where it broke off"),
            None => self.forget().await,
        }
        upload
    }

    async fn begin(&self) -> Result<Upload, RegistryError> {
        match self.client.begin(self.shared.repository, None).await? {
            Begun::Upload(upload) => Ok(upload),
            Begun::Mounted => Err(self.client.protocol("it completed an upload that had only begun")),
        }
    }

    async fn append(&self, upload: &mut Upload, batch: &Batch, raw: u64) -> Result<(), Broken> {
        self.note(upload).await;
        let before = raw.saturating_sub(batch.raw);
        let progress = |sent: u64| {
            let scaled = u128::from(batch.raw) * u128::from(sent) / u128::from(batch.length.max(1));
            self.shared.board.advance(self.index, before + u64::try_from(scaled).unwrap_or(batch.raw));
        };
        let lost = |seconds| self.shared.board.state(self.index, LayerState::Retrying { seconds });
        let request = self.shared.records.begin_request();
        let appended = upload.append(self.client, &batch.pieces, progress, lost).await;
        if appended.is_ok() {
            request.carried(self.client.authority(), batch.length);
        } else {
            drop(request);
        }
        match &appended {
            Ok(()) => self.note(upload).await,
            Err(Broken::Forgotten(_)) => self.forget().await,
            Err(Broken::Failed(_)) => {}
        }
        appended
    }

    async fn finish(&self, upload: Upload, digest: &Digest, is_resumed: bool) -> Result<(), Broken> {
        let finished = upload.finish(self.client, digest).await;
        let error = match finished {
            Ok(()) => {
                self.forget().await;
                return Ok(());
            }
            Err(error) => error,
        };
        // The answer may have been lost, and not the request.
        if matches!(error, RegistryError::Unreachable { .. })
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
            let (records, location) = (self.shared.records.clone(), upload.location());
            // Only a panic could be the error, and it has been printed.
            let _ = blocking(move || {
                records.note_upload(&key, location);
                Ok::<_, RegistryError>(())
            })
            .await;
        }
    }

    async fn forget(&self) {
        if let Some(key) = self.key.cloned() {
            let records = self.shared.records.clone();
            let _ = blocking(move || {
                records.forget_upload(&key);
                Ok::<_, RegistryError>(())
            })
            .await;
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
    fn push(&mut self, bytes: Bytes, raw: u64) {
        self.length += bytes.len() as u64;
        self.raw += raw;
        if !bytes.is_empty() {
            self.pieces.push(bytes);
        }
    }
}

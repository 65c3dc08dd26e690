//! One layer on its way to the registry: asked for, mounted, or packed and sent.

mod attempt;

use super::{
    Client,
    push::{Placed, blocking, noted},
    retry,
    upload::{Begun, Broken},
};
use crate::{
    Digest, RegistryError,
    board::Board,
    pack::{Encoding, Packing, Press},
    records::{Known, Records, UploadKey},
};
use attempt::Attempt;
use dockline_model::{LayerState, LayerView};
use std::{
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

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
    /// Whether an upload that has begun at another level will do.
    pub(crate) takes_any_level: bool,
    pub(crate) slow_line: bool,
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
            return self.is_read_by_all(known.encoding);
        }
        known.packing.as_deref() == Some(&self.press.packing().name())
    }

    fn is_read_by_all(&self, encoding: Encoding) -> bool {
        encoding != Encoding::Zstd || self.press.packing().encoding() == Encoding::Zstd
    }

    /// Whether a layer may be packed so because an upload of it has begun so. How hard layers are packed is chosen from
    /// what the line was like at the time, and what has arrived is worth more than that.
    fn may_go_on_as(&self, begun: Packing) -> bool {
        let wanted = self.press.packing();
        begun == wanted
            || (self.takes_any && self.is_read_by_all(begun.encoding()))
            || (self.takes_any_level && begun.compression() == wanted.compression())
    }
}

impl Client {
    /// The layer, if the registry has it: in this repository, or in another from which it is mounted. `absent`: what it has
    /// just said that this repository does not have.
    pub(super) async fn find_layer<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        shared: &Shared<'_, F>,
        (index, job): (usize, &Job),
        absent: &[Digest],
    ) -> Result<Option<Placed>, RegistryError> {
        let registry = self.recorded_as();
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
                    if !absent.contains(&digest) && self.blob_exists(shared.repository, &digest).await? {
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

    /// Under which an upload of the layer is noted, however it is packed.
    fn upload_key<F>(&self, shared: &Shared<'_, F>, job: &Job) -> Option<UploadKey> {
        job.expected().map(|digest| UploadKey {
            registry: self.recorded_as().to_owned(),
            repository: shared.repository.to_owned(),
            layer: digest.to_string(),
        })
    }

    /// How the layer is packed: as an earlier push of it has begun, or else as this one would.
    async fn press<F>(
        &self,
        shared: &Shared<'_, F>,
        job: &Job,
        key: Option<&UploadKey>,
    ) -> Result<Press, RegistryError> {
        let press = shared.press_of(job);
        let (JobKind::Pack { .. }, Some(key)) = (&job.kind, key.cloned()) else { return Ok(press) };
        let records = shared.records.clone();
        let begun = blocking(move || Ok::<_, RegistryError>(records.begun(&key))).await?;
        Ok(begun
            .filter(|begun| shared.may_go_on_as(*begun))
            .map_or(press.clone(), |begun| press.packing_as(begun)))
    }

    /// Of a layer that was found: whoever sent it may have been killed before it noted the end.
    pub(super) async fn forget_upload<F>(&self, shared: &Shared<'_, F>, job: &Job) {
        if let Some(key) = self.upload_key(shared, job) {
            noted(&shared.records, move |records| records.forget_upload(&key)).await;
        }
    }

    /// Packs and sends the layer, over again where the connection is lost.
    pub(super) async fn send_layer<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        shared: &Shared<'_, F>,
        job: &Job,
        index: usize,
    ) -> Result<(Placed, Digest), RegistryError> {
        let key = self.upload_key(shared, job);
        // The same layer is not sent twice at once: whoever comes second asks again when the first is done.
        let turn = match job.expected() {
            Some(layer) => Some(shared.records.turns(self.recorded_as(), [layer.to_string()]).await),
            None => None,
        };
        if turn.as_ref().is_some_and(|turn| turn.had_to_wait)
            && let Some(layer) = job.expected()
            && let Some(placed) = self.find_layer(shared, (index, job), &[]).await?
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
        let goes_whole = AtomicBool::new(false);
        let sent = self.send_until_sent(shared, (index, job), key.as_ref(), &goes_whole).await;
        if goes_whole.into_inner() && sent.as_ref().is_err_and(is_refusal_of_bytes) {
            shared.records.forget_whole(self.recorded_as());
        }
        sent
    }

    /// [`Self::send_layer`], when it is its turn.
    async fn send_until_sent<F: FnMut(&[LayerView], u64, u64) + Send>(
        &self,
        shared: &Shared<'_, F>,
        (index, job): (usize, &Job),
        key: Option<&UploadKey>,
        goes_whole: &AtomicBool,
    ) -> Result<(Placed, Digest), RegistryError> {
        let mut waits = retry::WAITS.into_iter();
        let mut press = self.press(shared, job, key).await?;
        // What is read once cannot begin again to find out.
        let mut was_forgotten = job.is_stream;
        loop {
            shared.board.advance(index, 0);
            let is_whole = goes_whole.load(Ordering::Relaxed) || self.wants_layers_whole(&shared.records);
            let attempt = Attempt {
                client: self,
                shared,
                job,
                index,
                press: &press,
                key,
                is_whole,
                goes_whole,
                was_forgotten,
            };
            match attempt.run().await {
                Ok((placed, layer, state)) => {
                    shared.board.state(index, state);
                    let packing = matches!(job.kind, JobKind::Pack { .. }).then(|| press.packing().name());
                    shared.records.remember(
                        self.recorded_as(),
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
                // It takes neither the whole nor pieces: there is no third way.
                Err(Broken::Pieces(error)) if is_whole => return Err(error),
                Err(Broken::Pieces(error)) if job.is_stream => {
                    // The next push sends it whole. Should that be refused as well, it forgets this again.
                    shared.records.note_whole(self.recorded_as());
                    return Err(RegistryError::PiecesRefused(Box::new(error)));
                }
                Err(Broken::Pieces(error)) => {
                    attempt.turn(&error);
                    // Nothing is gone on with, so it need not be packed as that was.
                    press = shared.press_of(job);
                }
                Err(Broken::Failed(error) | Broken::Forgotten(error)) if job.is_stream => return Err(error),
                Err(Broken::Failed(error)) => {
                    retry::wait_or_give_up(error, &mut waits, index, shared.board).await?
                }
                Err(Broken::Forgotten(error)) => {
                    let Some(seconds) = waits.next() else { return Err(error) };
                    tracing::info!(%error, "the registry has forgotten an upload: the layer begins again");
                    was_forgotten = true;
                    // Nothing is gone on with, so it need not be packed as that was.
                    press = shared.press_of(job);
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

/// Whether the registry did not want what it was sent. That it did not answer, had no room or was busy says nothing of how
/// it wants layers, and what cannot be read here neither.
const fn is_refusal_of_bytes(error: &RegistryError) -> bool {
    let is_refusal = matches!(
        error,
        RegistryError::Failed { .. } | RegistryError::Denied { .. } | RegistryError::NotFound { .. }
    );
    is_refusal && !retry::may_pass(error)
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

#[cfg(test)]
mod tests;

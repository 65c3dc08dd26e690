//! A layer in one request, which goes on for as long as the layer is made.

use super::{Attempt, Batch, Making};
use crate::{
    Operation, RegistryError,
    client::upload::{Broken, Upload, parts},
};
use bytes::Bytes;
use dockline_model::LayerView;
use futures::future::{Either, select};
use std::{pin::pin, sync::atomic::Ordering, time::Duration};
use tokio::{sync::mpsc, time::timeout};

/// Bytes a second at which a web server before the registry hands on what it has gathered; nginx does so when all of a
/// request is there (`proxy_request_buffering`), and nothing is heard of it meanwhile.
const HANDED_ON: u64 = 10_000_000;

impl<F: FnMut(&[LayerView], u64, u64) + Send> Attempt<'_, F> {
    /// From now on layers go to this registry in one request each, since it has refused pieces.
    pub(in crate::client::layer) fn turn(&self, error: &RegistryError) {
        tracing::info!(%error, "the registry takes no pieces: layers go in one request each");
        self.shared.records.note_whole(self.client.recorded_as());
        self.goes_whole.store(true, Ordering::Relaxed);
    }

    /// Sends all of the layer: what is here of it, and what is made yet.
    pub(super) async fn stream(&self, upload: &mut Upload, making: &mut Making) -> Result<(), Broken> {
        let feed = async |feeder: &mut Feeder<'_, F>| {
            let first = std::mem::take(&mut making.first);
            let batch = std::mem::take(&mut making.batch);
            feeder.feed(first.into_iter().chain(batch.pieces), making.raw).await?;
            while making.next(0).await.map_err(|source| Unfed::Broken(self.unreadable(source).into()))? {
                let batch = std::mem::take(&mut making.batch);
                feeder.feed(batch.pieces, making.raw).await?;
            }
            Ok(())
        };
        let sent = self.pour(upload, self.length(), feed).await;
        if let Err(Broken::Failed(error)) = &sent
            && !matches!(error, RegistryError::Unreachable { .. } | RegistryError::TimedOut { .. })
        {
            upload.leave(self.client).await;
        }
        sent
    }

    /// Sends a layer all of which is here.
    pub(super) async fn stream_batch(
        &self,
        upload: &mut Upload,
        batch: Batch,
        raw: u64,
    ) -> Result<(), Broken> {
        let length = Some(batch.length);
        self.pour(upload, length, async |feeder: &mut Feeder<'_, F>| feeder.feed(batch.pieces, raw).await)
            .await
    }

    /// `feed` gives the request what it is to send.
    async fn pour(
        &self,
        upload: &mut Upload,
        length: Option<u64>,
        feed: impl AsyncFnOnce(&mut Feeder<'_, F>) -> Result<(), Unfed>,
    ) -> Result<(), Broken> {
        let client = self.client;
        self.goes_whole.store(true, Ordering::Relaxed);
        let (to, sent_parts) = mpsc::channel(1);
        let mut feeder = Feeder { attempt: self, to, fed: 0, raw: 0 };
        let fed = pin!(async {
            feed(&mut feeder).await?;
            let fed = feeder.fed;
            // That is the end of the request.
            drop(feeder);
            Ok(fed)
        });
        let answer = pin!(upload.stream(client, length, sent_parts));
        let early = || Err(Broken::Failed(client.protocol("it has taken a layer before all of it was sent")));
        match select(answer, fed).await {
            Either::Left((Err(broken), _)) => Err(broken),
            // What was left may be on its way already.
            Either::Left((Ok(()), fed)) => match fed.await {
                Ok(_) => Ok(()),
                Err(Unfed::Ended) => early(),
                Err(Unfed::Broken(broken)) => Err(broken),
            },
            Either::Right((Err(Unfed::Broken(broken)), _)) => Err(broken),
            Either::Right((fed, answer)) => {
                // Where the request has ended before, the answer says why.
                let (is_all, fed) = fed.map_or((false, 0), |fed| (true, fed));
                let patience = client.patience(fed) + Duration::from_millis(fed * 1000 / HANDED_ON);
                let operation = Operation::WriteBlob;
                let timed_out = RegistryError::TimedOut { operation, idle: patience };
                match timeout(patience, answer).await.unwrap_or(Err(Broken::Failed(timed_out))) {
                    Ok(()) if !is_all => early(),
                    answered => answered,
                }
            }
        }
    }

    /// Bytes of the layer as it is sent, where that is known before it is made.
    const fn length(&self) -> Option<u64> {
        match self.job.kind {
            super::JobKind::Verbatim { .. } => Some(self.job.size),
            super::JobKind::Pack { .. } | super::JobKind::There(_) => None,
        }
    }
}

/// Why not all of a layer got into its request.
enum Unfed {
    /// The request has ended.
    Ended,
    Broken(Broken),
}

/// Gives a request what it sends, and sees to it that the registry goes on taking it.
struct Feeder<'a, F> {
    attempt: &'a Attempt<'a, F>,
    to: mpsc::Sender<Bytes>,
    /// Bytes that the request has got, and bytes of the layer that they stand for.
    fed: u64,
    raw: u64,
}

impl<F: FnMut(&[LayerView], u64, u64) + Send> Feeder<'_, F> {
    /// `raw`: bytes of the layer that are read by the end of these.
    async fn feed(&mut self, pieces: impl IntoIterator<Item = Bytes>, raw: u64) -> Result<(), Unfed> {
        let Attempt { client, shared, index, .. } = self.attempt;
        let pieces: Vec<Bytes> = pieces.into_iter().collect();
        let all: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let (begin, mut sent) = (self.raw, 0);
        for part in pieces.into_iter().flat_map(parts) {
            let length = part.len() as u64;
            let patience = client.patience(self.fed);
            match timeout(patience, self.to.send(part)).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(Unfed::Ended),
                Err(_) => {
                    let operation = Operation::WriteBlob;
                    let timed_out = RegistryError::TimedOut { operation, idle: patience };
                    return Err(Unfed::Broken(Broken::Failed(timed_out)));
                }
            }
            self.fed += length;
            sent += length;
            let share = u128::from(raw.saturating_sub(begin)) * u128::from(sent) / u128::from(all.max(1));
            shared.board.advance(*index, begin + u64::try_from(share).unwrap_or(0));
        }
        self.raw = raw;
        Ok(())
    }
}

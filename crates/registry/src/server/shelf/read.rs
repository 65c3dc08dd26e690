//! A layer that is read as it is asked for, and found to be the one that it should be.

use super::{Damage, PIECE};
use crate::{Digest, StoredLayer, digest::Hasher};
use bytes::Bytes;
use futures::{Stream, stream};
use std::{
    io::{self, Read},
    sync::atomic::Ordering,
};
use tokio::sync::mpsc;

/// Pieces under way at once.
const AHEAD: usize = 4;

/// `length` bytes of the layer from `start` on. What does not read, or as a whole is another layer, ends the answer with
/// an error and is noted in `damage`.
pub(super) fn stream_of(
    layer: StoredLayer,
    (start, length): (u64, u64),
    damage: Damage,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let (sender, pieces) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = send(&layer, start, length, &sender) {
            damage.store(true, Ordering::Relaxed);
            tracing::warn!(%error, layer = %layer.diff_id, "a layer cannot be read");
            // The host may be gone by then.
            let _ = sender.blocking_send(Err(error));
        }
    });
    stream::unfold(pieces, |mut pieces| async { Some((pieces.recv().await?, pieces)) })
}

/// Until nobody takes it any more, which is no error.
fn send(
    layer: &StoredLayer,
    start: u64,
    length: u64,
    to: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<()> {
    let mut reader = (layer.open)()?;
    io::copy(&mut (&mut reader).take(start), &mut io::sink())?;
    let mut hasher = (start == 0 && length == layer.size).then(|| Hasher::new(layer.diff_id.algorithm()));
    let mut left = length;
    while left > 0 {
        let mut piece = vec![0; usize::try_from(left).unwrap_or(PIECE).min(PIECE)];
        reader.read_exact(&mut piece)?;
        left -= piece.len() as u64;
        if let Some(hasher) = &mut hasher {
            hasher.update(&piece);
        }
        // The last piece waits for the verdict.
        if left == 0
            && let Some(hasher) = hasher.take()
        {
            check(&layer.diff_id, &hasher.finish())?;
        }
        if to.blocking_send(Ok(piece.into())).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn check(expected: &Digest, actual: &Digest) -> io::Result<()> {
    if expected == actual {
        return Ok(());
    }
    Err(io::Error::other(format!("the layer is {actual}")))
}

//! A layer whose connection was lost is sent or fetched again: a tunnel that reconnects costs seconds, no push. So is one
//! that the registry failed at in a way that may pass.

use super::exchange::header;
use crate::{RegistryError, board::Board};
use dockline_model::{LayerState, LayerView};
use reqwest::Response;
use std::time::Duration;

/// How long to wait before each new attempt, in seconds. The tunnel holds a new connection while it dials, so
/// these need not be long.
pub(super) const WAITS: [u32; 3] = [1, 2, 4];

/// How long to wait before a question is asked again that the registry failed at. Shorter than [`WAITS`]: nobody waits
/// for a page of tags for seconds. docker-registry 2.8 fails at a tag for a moment while that is deleted or pushed.
pub(super) const PAUSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(1)];
/// A registry that wants to be left alone for longer is told to the person instead.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Statuses that pass (RFC 9110 §15.6, RFC 6585 §4).
const fn passes(status: u16) -> bool {
    matches!(status, 429 | 500 | 502 | 503 | 504)
}

/// Whether to ask again, and when: after the pause that the registry wants (`Retry-After`), or after ours.
pub(super) fn pause(
    response: &Response,
    pauses: &mut (impl Iterator<Item = Duration> + Send),
) -> Option<Duration> {
    if !passes(response.status().as_u16()) {
        return None;
    }
    let ours = pauses.next()?;
    let wanted = header(response, "retry-after").and_then(|seconds| seconds.trim().parse().ok());
    Some(wanted.map_or(ours, Duration::from_secs)).filter(|pause| *pause <= LONGEST_PAUSE)
}

/// Whether another attempt may go well: the way was lost, or the registry, or what stands before it, failed in a way that
/// passes (a restart, a moment's overload; RFC 9110 §15.6). A full disk is none of these.
pub(super) const fn may_pass(error: &RegistryError) -> bool {
    matches!(error, RegistryError::Unreachable { .. })
        || matches!(error, RegistryError::Failed { status, .. } if passes(*status))
}

/// [`wait_or_give_up`] for what has no bar of its own.
pub(super) async fn wait_silently(
    error: RegistryError,
    waits: &mut (impl Iterator<Item = u32> + Send),
) -> Result<(), RegistryError> {
    if !may_pass(&error) {
        return Err(error);
    }
    let Some(seconds) = waits.next() else { return Err(error) };
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    Ok(())
}

/// Waits, if `error` is one that another attempt may mend and there is one left; gives it back otherwise.
pub(super) async fn wait_or_give_up<F: FnMut(&[LayerView], u64, u64) + Send>(
    error: RegistryError,
    waits: &mut (impl Iterator<Item = u32> + Send),
    layer: usize,
    board: &Board<F>,
) -> Result<(), RegistryError> {
    if !may_pass(&error) {
        return Err(error);
    }
    let Some(seconds) = waits.next() else { return Err(error) };
    tracing::info!(%error, layer, seconds, "a layer begins again");
    board.state(layer, LayerState::Retrying { seconds });
    tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    Ok(())
}

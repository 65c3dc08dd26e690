//! A layer whose connection was lost is sent or fetched again: a tunnel that reconnects costs seconds, no push. So is one
//! that the registry failed at in a way that may pass.

use crate::{RegistryError, board::Board};
use dockline_model::{LayerState, LayerView};
use std::time::Duration;

/// How long to wait before each new attempt, in seconds. The tunnel holds a new connection while it dials, so
/// these need not be long.
pub(super) const WAITS: [u32; 3] = [1, 2, 4];

/// Whether another attempt may go well: the way was lost, or the registry, or what stands before it, failed in a way that
/// passes (a restart, a moment's overload; RFC 9110 §15.6). A full disk is none of these.
pub(super) fn may_pass(error: &RegistryError) -> bool {
    matches!(
        error,
        RegistryError::Unreachable { .. } | RegistryError::Failed { status: 500 | 502 | 503 | 504, .. }
    )
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

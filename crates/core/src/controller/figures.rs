//! How far a transfer is: written by whoever moves the bytes.

use dockline_model::{LayerState, LayerView};
use dockline_registry::Crossed;
use dockline_tunnel::Carried;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The figures of a running transfer: written by whoever moves the bytes, looked up by the actor in its own time.
#[derive(Debug, Default)]
pub(super) struct Figures {
    latest: Mutex<Latest>,
    /// What our own client has moved for it.
    pub(super) crossed: Crossed,
}

#[derive(Debug, Default)]
pub(super) struct Latest {
    pub(super) layers: Vec<LayerView>,
    pub(super) current: u64,
    pub(super) total: u64,
    /// Bytes that really crossed the way, where whoever moves them counts them.
    pub(super) sent: Option<u64>,
    /// The tunnel that it goes through.
    pub(super) tunnel: Option<Carried>,
    /// Whether an engine moves it, whose bytes are counted at the tunnel.
    pub(super) is_engines: bool,
    /// Whether whoever moves them has begun a layer again since the try began.
    pub(super) has_repeated: bool,
    /// Each layer's digest and bytes as the registry has them, once they were asked for.
    pub(super) stored: Vec<(String, u64)>,
}

impl Figures {
    pub(super) fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, layers: &[LayerView], current: u64, total: u64) {
        let mut latest = self.latest();
        (latest.layers, latest.current, latest.total) = (layers.to_vec(), current, total);
        latest.has_repeated |= layers.iter().any(|layer| matches!(layer.state, LayerState::Retrying { .. }));
    }

    /// Bytes that crossed the way so far.
    pub(super) fn sent(&self, sent: u64) {
        self.latest().sent = Some(sent);
    }

    /// Those of the same transfer when it goes on after a halt: bytes that crossed the way stay counted.
    pub(super) fn anew(&self) -> Arc<Self> {
        Arc::new(Self { crossed: self.crossed.clone(), ..Self::default() })
    }

    /// A try begins.
    pub(super) fn begin(&self) {
        let mut latest = self.latest();
        (latest.is_engines, latest.has_repeated) = (false, false);
    }

    /// An engine moves the bytes from now on.
    pub(super) fn by_engine(&self) {
        self.latest().is_engines = true;
    }
}

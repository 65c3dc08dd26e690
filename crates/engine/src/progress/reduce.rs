//! Events to the state of a transfer.

use super::{EventDecoder, LayerEvent, StreamEvent};
use dockline_model::{LayerState, LayerView};
use std::collections::HashMap;

/// Most layers that are kept. Docker allows 127 in an image; this is far above, and bounds what a stream of
/// nonsense can make us hold.
pub const MAX_LAYERS: usize = 2048;

/// How a transfer ended, as far as its stream tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The engine says that it is done.
    Completed {
        /// `sha256:…` of the manifest; Podman does not always tell.
        digest: Option<String>,
    },
    /// The engine says that it failed.
    Failed {
        /// Its own words.
        words: String,
    },
    /// The stream ended without either.
    CutShort,
}

/// What the course of a transfer tells about the cause of its failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Bytes of some layer moved: the way to the registry was open at some time.
    pub bytes_moved: bool,
    /// A pull knows its layers: the registry has handed over the manifest.
    pub has_manifest: bool,
    /// Some layer of at least a mebibyte had moved bytes when it failed.
    pub large_layer_retried: bool,
}

/// One push or pull: layers, the overall figure, and how it ended.
#[derive(Debug, Default)]
pub struct TransferProgress {
    decoder: EventDecoder,
    layers: Vec<LayerView>,
    /// Bytes transferred of each layer. Differs from the layer's own bar, which starts anew to count unpacking.
    transferred: Vec<u64>,
    positions: HashMap<String, usize>,
    current: u64,
    total: u64,
    digest: Option<String>,
    one_platform: Option<String>,
    error: Option<String>,
    evidence: Evidence,
}

const LARGE_LAYER: u64 = 1024 * 1024;

impl TransferProgress {
    /// Takes the next bytes of the engine's answer. Says whether anything changed for whoever watches.
    pub fn feed(&mut self, bytes: &[u8]) -> bool {
        let events = self.decoder.feed(bytes);
        self.apply_all(events)
    }

    /// The answer ended. Says whether anything changed.
    pub fn finish(&mut self) -> bool {
        let events = self.decoder.finish();
        let changed = self.apply_all(events);
        match self.outcome() {
            // Podman's last word on a layer is that it is downloaded.
            Outcome::Completed { .. } => {
                self.complete();
                true
            }
            Outcome::Failed { .. } | Outcome::CutShort => changed,
        }
    }

    /// The layers, bottom first as far as the engine gives an order.
    #[must_use]
    pub fn layers(&self) -> &[LayerView] {
        &self.layers
    }

    /// Bytes so far. Never falls, not even when a layer starts over; never above [`Self::total`].
    #[must_use]
    pub const fn current(&self) -> u64 {
        self.current
    }

    /// Bytes in all, as far as known. Never falls.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// What the course of it tells about a failure.
    #[must_use]
    pub const fn evidence(&self) -> Evidence {
        self.evidence
    }

    /// The platform whose image was sent instead of an index; empty where the engine does not tell which.
    #[must_use]
    pub fn one_platform(&self) -> Option<&str> {
        self.one_platform.as_deref()
    }

    /// How it ended, once the stream has.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if let Some(words) = &self.error {
            return Outcome::Failed { words: words.clone() };
        }
        // Podman gives no digest with a pull, so there the layers must speak.
        let arrived = |layer: &LayerView| match layer.state {
            LayerState::Waiting | LayerState::Transferring | LayerState::Retrying { .. } => false,
            LayerState::Extracting | LayerState::Done | LayerState::Exists | LayerState::Mounted { .. } => {
                true
            }
        };
        if self.digest.is_some() || (!self.layers.is_empty() && self.layers.iter().all(arrived)) {
            Outcome::Completed { digest: self.digest.clone() }
        } else {
            Outcome::CutShort
        }
    }

    fn apply_all(&mut self, events: Vec<StreamEvent>) -> bool {
        let mut changed = false;
        for event in events {
            match event {
                StreamEvent::Layer { id, event } => changed |= self.apply(id, event),
                StreamEvent::Digest(digest) => {
                    self.digest = Some(digest);
                    self.complete();
                    changed = true;
                }
                StreamEvent::OnePlatform(platform) => self.one_platform = Some(platform),
                StreamEvent::Error(words) => self.error = Some(words),
                StreamEvent::Remark(_) => {}
            }
            // At each event, not at each chunk: a layer that fell back in between must not be forgotten, or the
            // figures would depend on where chunks end.
            self.recount();
        }
        changed
    }

    fn apply(&mut self, id: String, event: LayerEvent) -> bool {
        let Some(position) = self.position(id, &event) else { return false };
        let layer = &mut self.layers[position];
        let transferred = &mut self.transferred[position];
        match event {
            LayerEvent::Found => {
                self.evidence.has_manifest = true;
                layer.state = LayerState::Waiting;
            }
            LayerEvent::Prepared | LayerEvent::Waiting => layer.state = LayerState::Waiting,
            LayerEvent::Transferring { current, total } => {
                layer.total = total.or(layer.total);
                layer.current = current.min(layer.total.unwrap_or(current));
                layer.state = LayerState::Transferring;
                *transferred = layer.current;
                self.evidence.bytes_moved |= current > 0;
            }
            LayerEvent::Downloaded => {
                fill(layer, transferred);
                layer.state = LayerState::Extracting;
            }
            LayerEvent::Extracting { bytes } => {
                fill(layer, transferred);
                if let Some((current, total)) = bytes {
                    layer.total = Some(total);
                    layer.current = current.min(total);
                    *transferred = total;
                }
                layer.state = LayerState::Extracting;
            }
            LayerEvent::Retrying { seconds } => {
                self.evidence.large_layer_retried |= *transferred >= LARGE_LAYER;
                layer.current = 0;
                *transferred = 0;
                layer.state = LayerState::Retrying { seconds };
            }
            LayerEvent::Done => {
                fill(layer, transferred);
                layer.state = LayerState::Done;
            }
            LayerEvent::Exists => {
                fill(layer, transferred);
                layer.state = LayerState::Exists;
            }
            LayerEvent::Mounted { from } => {
                fill(layer, transferred);
                layer.state = LayerState::Mounted { from };
            }
        }
        true
    }

    /// Where the layer stands, which a first mention decides; `None` for what is no layer.
    fn position(&mut self, id: String, event: &LayerEvent) -> Option<usize> {
        if let Some(position) = self.positions.get(&id) {
            return Some(*position);
        }
        // Podman ends a pull with `Download complete` under the *image's* id, which no earlier line named. `Pushed` may well be
        // all that is said of a layer: containerd's store looks at them ten times a second.
        if *event == LayerEvent::Downloaded || self.layers.len() >= MAX_LAYERS {
            return None;
        }
        // The classic store announces a push's layers from the top; bars stand bottom first.
        let position = if *event == LayerEvent::Prepared { 0 } else { self.layers.len() };
        for other in self.positions.values_mut().filter(|other| **other >= position) {
            *other += 1;
        }
        let view = LayerView { id: id.clone(), state: LayerState::Waiting, current: 0, total: None };
        self.layers.insert(position, view);
        self.transferred.insert(position, 0);
        self.positions.insert(id, position);
        Some(position)
    }

    /// The digest was given, so everything is there, whatever was left unsaid about single layers.
    fn complete(&mut self) {
        for (layer, transferred) in self.layers.iter_mut().zip(&mut self.transferred) {
            match layer.state {
                LayerState::Waiting
                | LayerState::Transferring
                | LayerState::Extracting
                | LayerState::Retrying { .. } => {
                    fill(layer, transferred);
                    layer.state = LayerState::Done;
                }
                LayerState::Done | LayerState::Exists | LayerState::Mounted { .. } => {}
            }
        }
    }

    fn recount(&mut self) {
        let total = self.layers.iter().filter_map(|layer| layer.total).fold(0, u64::saturating_add);
        let transferred = self.transferred.iter().copied().fold(0, u64::saturating_add);
        self.total = self.total.max(total);
        self.current = self.current.max(transferred).min(self.total);
    }
}

fn fill(layer: &mut LayerView, transferred: &mut u64) {
    if let Some(total) = layer.total {
        layer.current = total;
        *transferred = total;
    }
}

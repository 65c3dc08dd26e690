//! Pushes and pulls, with their layers.

mod gauge;

pub use gauge::Gauge;

use crate::{RegistryName, SshTarget, UiError, UnixMillis};
use serde::{Deserialize, Serialize};

/// Number of a transfer, unique within one owner's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct TransferId(pub u64);

/// Which way the image goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum TransferKind {
    /// To the registry.
    Push,
    /// From the registry.
    Pull,
    /// Straight into the Docker of a host that has no registry.
    Ship,
    /// From one registry to another.
    Copy,
}

/// How an image is written into a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum ArchiveFormat {
    /// An OCI layout in a tar file, which `docker load` reads as well.
    #[default]
    Oci,
    /// As `docker save` writes it.
    Docker,
}

/// What travels with an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase", default)]
pub struct Extent {
    /// The whole index: the images of all platforms, and their attestations.
    pub all_platforms: bool,
    /// What refers to it, too: signatures, SBOMs and the like.
    pub referrers: bool,
}

/// Who carries the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Road {
    /// Docker or Podman, which opens the tunnel by connecting to it.
    Engine,
    /// Dockline itself speaks the OCI protocol (archives need no engine).
    Direct,
}

/// How layers that are not compressed yet are packed on the direct road.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// What every engine reads.
    Gzip,
    /// Smaller and faster; Docker reads it since version 23, containerd since 1.5, Podman since 1.8.
    Zstd,
    /// Sent as they are: for registries beside one's own machine.
    None,
}

impl Compression {
    /// The levels there are; none where nothing is compressed.
    #[must_use]
    pub const fn levels(self) -> Option<(u8, u8)> {
        match self {
            Self::Gzip => Some((1, 12)),
            Self::Zstd => Some((1, 19)),
            Self::None => None,
        }
    }
}

/// What a person may decide about a push. What is left out, Dockline decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[cfg_attr(feature = "typescript", ts(optional_fields = nullable))]
#[serde(rename_all = "camelCase")]
pub struct PushOptions {
    /// Who carries the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub road: Option<Road>,
    /// How layers are packed; on the direct road only. Without it, gzip: it is what every engine reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// How hard ([`Compression::levels`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<u8>,
}

impl PushOptions {
    /// The same, with nothing left that the line to a host decides: hosts that stand in for each other must not have an
    /// image under two digests. The dense levels, since one of several lines is slow sooner than one.
    #[must_use]
    pub fn alike_everywhere(self) -> Self {
        let level = match (self.road, self.compression) {
            (Some(Road::Engine), _) | (_, Some(Compression::None)) => None,
            (_, None | Some(Compression::Gzip)) => Some(6),
            (_, Some(Compression::Zstd)) => Some(7),
        };
        Self { level: self.level.or(level), ..self }
    }
}

/// Where a transfer is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum TransferState {
    /// Behind others, or waiting for the tunnel.
    Waiting,
    /// The person halted it; it goes on when they say so.
    Paused,
    /// Bytes are moving.
    Running,
    /// All sent; the digest is being compared at the registry.
    Verifying,
    /// Ended well.
    Done {
        /// What the registry holds now.
        verified: Verified,
    },
    /// Ended badly.
    Failed {
        /// What happened, why, and what to do.
        error: UiError,
    },
    /// The person stopped it.
    Cancelled,
}

impl TransferState {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Waiting | Self::Paused | Self::Running | Self::Verifying => false,
            Self::Done { .. } | Self::Failed { .. } | Self::Cancelled => true,
        }
    }
}

/// What a finished transfer is known to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// `sha256:…` of the manifest.
    pub digest: String,
    /// Whether Dockline asked the registry itself and got the same digest (not merely the engine's word).
    pub at_registry: bool,
}

/// What a layer is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum LayerState {
    /// Not begun.
    Waiting,
    /// Bytes are moving.
    Transferring,
    /// Pull only: checking and unpacking.
    Extracting,
    /// Failed once; begins again, from zero, in `seconds`.
    Retrying {
        /// Seconds until then.
        seconds: u32,
    },
    /// Sent or received in full.
    Done,
    /// Nothing to send: the registry, or this machine, has it.
    Exists,
    /// Nothing to send: the registry took it from another repository of its own.
    Mounted {
        /// Which one.
        from: String,
    },
}

/// One layer's bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct LayerView {
    /// The engine's short id, or the first 12 digits of the digest.
    pub id: String,
    /// What it is doing.
    pub state: LayerState,
    /// Bytes so far, never above `total` where that is known.
    pub current: u64,
    /// Bytes in all; `None` while unknown.
    pub total: Option<u64>,
}

impl LayerView {
    /// Whether it has a size that nobody has told yet: engines tell it when a layer's turn comes.
    #[must_use]
    pub const fn is_unsized(&self) -> bool {
        match self.state {
            LayerState::Waiting | LayerState::Transferring | LayerState::Retrying { .. } => {
                self.total.is_none()
            }
            LayerState::Extracting | LayerState::Done | LayerState::Exists | LayerState::Mounted { .. } => {
                false
            }
        }
    }
}

/// A push or pull as the faces show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TransferView {
    /// Its number.
    pub id: TransferId,
    /// Which way.
    pub kind: TransferKind,
    /// By whom. A push of an engine's image whose road is not decided yet says [`Road::Engine`].
    pub road: Road,
    /// Why that road, and how layers are packed, in a sentence; `None` while that is not decided, and where there is
    /// nothing to decide.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(optional = nullable))]
    pub why: Option<String>,
    /// Which registry: the one it goes to or comes from. Where an image is shipped there is none, and this is the
    /// host's name in a registry's shape, as questions about that host name it.
    pub registry: RegistryName,
    /// The one host it goes to, where that was asked for: a host that an image is shipped to, or one of the hosts of
    /// a registry that has several.
    #[serde(default)]
    pub host: Option<SshTarget>,
    /// What is sent, as the person named it: an image, or an archive's file name.
    pub source: String,
    /// `cr.boss.org:5000/app:v1`.
    pub reference: String,
    /// Where it is.
    pub state: TransferState,
    /// Its layers, bottom first.
    pub layers: Vec<LayerView>,
    /// Overall progress in bytes; never runs backwards. What it is a part of may grow: see `share`.
    pub current: u64,
    /// Bytes in all; grows while layers are still being found.
    pub total: u64,
    /// How much of it is done, in thousandths: what a bar shows. Never runs backwards, whatever is tried again, and is
    /// [`TransferView::WHOLE`] only when the transfer is done. `None` while there is nothing to measure.
    #[serde(default)]
    pub share: Option<u16>,
    /// Bytes that really crossed the tunnel for it, repeated ones as well; 0 while nobody has counted them.
    #[serde(default)]
    pub sent: u64,
    /// Bytes of layers that did not have to be sent: they were there, or were mounted.
    #[serde(default)]
    pub skipped: u64,
    /// Bytes a second over the last few seconds; `None` before there is a figure.
    pub rate: Option<u64>,
    /// Seconds left at that rate.
    pub seconds_left: Option<u64>,
    /// When it was asked for.
    pub started: UnixMillis,
    /// When it ended.
    pub finished: Option<UnixMillis>,
}

impl TransferView {
    /// All of it, as `share` counts.
    pub const WHOLE: u16 = 1000;

    /// Brings `share` up to the other figures.
    pub fn measure(&mut self, gauge: &mut Gauge, (current, total): (u64, u64)) {
        self.share = match self.state {
            TransferState::Done { .. } => Some(Self::WHOLE),
            TransferState::Waiting
            | TransferState::Paused
            | TransferState::Running
            | TransferState::Verifying
            | TransferState::Failed { .. }
            | TransferState::Cancelled => gauge.read(&self.layers, current, total),
        };
    }
}

//! Event streams of pushes and pulls: bytes in, whole-object progress out. No IO and no clock.
//!
//! [`EventDecoder`] cuts an engine's answer into [`StreamEvent`]s, wherever the chunks happen to end;
//! [`TransferProgress`] reduces those to layers, an overall figure and an outcome. The words are those of
//! dockerd (`distribution/push_v2.go`, `distribution/xfer`, the containerd store's `daemon/containerd`) and of
//! Podman's Docker-compatible API (`pkg/api/handlers/compat`); recorded streams are in `fixtures/`.

mod decode;
mod reduce;

pub use decode::{EventDecoder, LayerEvent, MAX_LINE, StreamEvent};
pub use reduce::{Evidence, MAX_LAYERS, Outcome, TransferProgress};

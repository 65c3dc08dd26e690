//! An engine's image with its layers read one by one from the engine's own store, where that can be.

use super::traces::{Trace, Traces};
use dockline_engine::{Engine, EngineError, ImageParts, StoreLayer};
use dockline_registry::{Digest, StoredImage, StoredLayer};
use std::{io, sync::Arc};

/// An image that is being read; what was made at the engine for it goes when this is dropped.
#[derive(Debug)]
pub(super) struct Opened {
    // Dropped first: dockerd removes no container while somebody may still read in it.
    pub(super) image: StoredImage,
    pub(super) trace: Trace,
}

impl Opened {
    /// Removes what was made at the engine; goes on if nobody waits for it.
    pub(super) fn put_away(self) -> impl Future<Output = ()> + Send + use<> {
        let Self { image, trace } = self;
        drop(image);
        let removal = trace.removal();
        async {
            // Only a panic could be the error, and it has been printed.
            let _ = removal.await;
        }
    }
}

/// The image with those layers that `is_wanted`; `None` where only an export is left. Who opens its layers at once lets an only
/// one be begun.
pub(super) async fn open(
    engine: &Engine,
    parts: &ImageParts,
    traces: &Traces,
    is_wanted: impl Fn(&str) -> bool,
    is_begun: bool,
) -> Option<Opened> {
    parts.store.as_ref()?;
    let trace = match traces.container(engine).await {
        Ok(trace) => trace,
        Err(error) => {
            tracing::warn!(?error, "no layers are read from the engine's store");
            return None;
        }
    };
    match read(engine, parts, &trace, is_wanted, is_begun).await {
        Ok(image) => Some(Opened { image, trace }),
        Err(error) => {
            tracing::info!(?error, "the engine's store cannot be read: the image is exported");
            // It goes on if the push is stopped now.
            let _ = trace.removal().await;
            None
        }
    }
}

async fn read(
    engine: &Engine,
    parts: &ImageParts,
    trace: &Trace,
    is_wanted: impl Fn(&str) -> bool,
    is_begun: bool,
) -> Result<StoredImage, EngineError> {
    let store = engine.open_store(parts, (trace.name(), trace.making()), is_wanted, is_begun).await?;
    let layers = store.layers.into_iter().filter_map(stored).collect();
    Ok(StoredImage { config: store.config, layers })
}

/// `None` of a layer whose diff id is none: an image without it is not pushed.
fn stored(layer: StoreLayer) -> Option<StoredLayer> {
    let diff_id: Digest = layer.diff_id.parse().ok()?;
    let size = layer.size;
    let open = move || Ok(Box::new(layer.open()?) as Box<dyn io::Read + Send>);
    Some(StoredLayer { diff_id, size, open: Arc::new(open) })
}

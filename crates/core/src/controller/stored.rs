//! An engine's image with its layers read one by one from the engine's own store, where that can be.

use super::traces::{Trace, Traces};
use dockline_engine::{Engine, EngineError, ImageParts, StoreLayer};
use dockline_registry::{Digest, StoredImage, StoredLayer};
use std::{io, sync::Arc};

/// The image with those layers that `is_wanted`; `None` where only an export is left. What is made at the engine for it is in
/// `trace`, from before it is made. Who opens its layers at once lets an only one be begun.
pub(super) async fn open(
    engine: &Engine,
    parts: &ImageParts,
    traces: &Traces,
    trace: &mut Option<Trace>,
    is_wanted: impl Fn(&str) -> bool,
    is_begun: bool,
) -> Option<StoredImage> {
    parts.store.as_ref()?;
    let noted = match traces.container(engine).await {
        Ok(noted) => trace.insert(noted),
        Err(error) => {
            tracing::warn!(?error, "no layers are read from the engine's store");
            return None;
        }
    };
    match read(engine, parts, noted.name(), is_wanted, is_begun).await {
        Ok(image) => Some(image),
        Err(error) => {
            tracing::info!(?error, "the engine's store cannot be read: the image is exported");
            if let Some(trace) = trace.take() {
                trace.remove().await;
            }
            None
        }
    }
}

async fn read(
    engine: &Engine,
    parts: &ImageParts,
    container: &str,
    is_wanted: impl Fn(&str) -> bool,
    is_begun: bool,
) -> Result<StoredImage, EngineError> {
    let store = engine.open_store(parts, container, is_wanted, is_begun).await?;
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

//! What is shipped: the image as the engine's own store has it, where its layers can be read one by one; else exported into a
//! file.

use super::export::{self, export};
use crate::controller::{
    stored::{self, Opened},
    traces::Traces,
};
use dockline_engine::{Engine, ImageParts};
use dockline_model::UiError;
use dockline_registry::{Digest, Records, RegistryError, Shelf, ShelfLayers};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::net::TcpListener;

pub(super) enum Goods {
    Stored {
        opened: Box<Opened>,
        /// Diff ids, bottom first.
        layers: Vec<Digest>,
    },
    Archive(export::Archive),
}

/// How a shelf is opened.
pub(super) struct Opening<'a> {
    /// Repository and tag of the image, where it has a name.
    pub(super) name: (&'a str, &'a str),
    pub(super) packing: ShelfLayers,
    /// Where layers are packed; it must be there.
    pub(super) folder: &'a Path,
    pub(super) password: &'a str,
    pub(super) records: Arc<Records>,
}

impl Goods {
    /// The image as the engine's own store has it; `None` where only an export is left.
    pub(super) async fn open(engine: &Engine, parts: &ImageParts, traces: &Traces) -> Option<Self> {
        let layers = parts.layers.iter().map(|layer| layer.parse().ok()).collect::<Option<Vec<Digest>>>()?;
        let opened = stored::open(engine, parts, traces, |_| true, false).await?;
        Some(Self::Stored { opened: Box::new(opened), layers })
    }

    /// All of it, in a file.
    pub(super) async fn export(engine: Engine, image: String, folder: PathBuf) -> Result<Self, UiError> {
        export(engine, image, folder).await.map(Self::Archive)
    }

    pub(super) async fn shelf(
        &self,
        listener: TcpListener,
        opening: Opening<'_>,
    ) -> Result<Shelf, RegistryError> {
        let Opening { name, packing, folder, password, records } = opening;
        let packing = (packing, folder);
        match self {
            Self::Stored { opened, layers } => {
                Shelf::open_stored(listener, &opened.image, layers, packing, password, records).await
            }
            Self::Archive(archive) => {
                Shelf::open(listener, archive.path(), name, packing, password, records).await
            }
        }
    }

    pub(super) const fn is_stored(&self) -> bool {
        matches!(self, Self::Stored { .. })
    }

    /// Removes what it needed at the engine; the file goes by itself.
    pub(super) async fn put_away(self) {
        match self {
            Self::Stored { opened, .. } => opened.put_away().await,
            Self::Archive(_) => {}
        }
    }
}

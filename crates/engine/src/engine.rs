//! The engine itself: a cheap handle on its API.

use crate::{EngineEndpoint, EngineError};
use dockline_model::{ImageView, LayerView};
use futures::Stream;

/// A handle on one engine; clones share it. Nothing is dialled before the first call.
#[derive(Debug, Clone)]
pub struct Engine {
    endpoint: EngineEndpoint,
}

/// What the engine says that it pushed or pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineDigest {
    /// `sha256:…` of the manifest; `None` where the engine does not tell.
    pub digest: Option<String>,
}

impl Engine {
    /// A handle; does not dial.
    ///
    /// # Errors
    /// When this program cannot speak to that kind of endpoint.
    pub fn connect(endpoint: EngineEndpoint) -> Result<Self, EngineError> {
        Ok(Self { endpoint })
    }

    /// Where it listens.
    #[must_use]
    pub const fn endpoint(&self) -> &EngineEndpoint {
        &self.endpoint
    }

    /// Its name and version: `Docker 20.10.24`.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn describe(&self) -> Result<String, EngineError> {
        Err(EngineError::Unavailable)
    }

    /// Its images, newest first.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn images(&self) -> Result<Vec<ImageView>, EngineError> {
        Err(EngineError::Unavailable)
    }

    /// The `sha256:…` id of an image by any of its names.
    ///
    /// # Errors
    /// When there is no such image, or the engine does not answer.
    pub async fn image_id(&self, _reference: &str) -> Result<String, EngineError> {
        Err(EngineError::Unavailable)
    }

    /// Gives the image `source` the further name `reference`.
    ///
    /// # Errors
    /// When there is no such image, or the name is not a reference.
    pub async fn tag(&self, _source: &str, _reference: &str) -> Result<(), EngineError> {
        Err(EngineError::Unavailable)
    }

    /// Takes a name from its image (and removes the image if it was the last one).
    ///
    /// # Errors
    /// When there is no such image.
    pub async fn untag(&self, _reference: &str) -> Result<(), EngineError> {
        Err(EngineError::Unavailable)
    }

    /// Pushes `reference`; `progress` is given the layers, bytes so far and bytes in all at each change.
    ///
    /// Dropping the future closes the request, upon which the engine stops.
    ///
    /// # Errors
    /// With the cause, found out from the engine's words.
    pub async fn push(
        &self,
        _reference: &str,
        _progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<EngineDigest, EngineError> {
        Err(EngineError::Unavailable)
    }

    /// Pulls `reference`; as [`Engine::push`].
    ///
    /// # Errors
    /// With the cause, found out from the engine's words.
    pub async fn pull(
        &self,
        _reference: &str,
        _progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<EngineDigest, EngineError> {
        Err(EngineError::Unavailable)
    }

    /// An item whenever the images may have changed, or the engine came or went: time to ask again.
    ///
    /// Never ends: it finds the engine again after a restart.
    pub fn events(&self) -> impl Stream<Item = ()> + Send + Unpin + use<> {
        Box::pin(futures::stream::pending())
    }
}

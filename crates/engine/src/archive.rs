//! Whole images out of the engine and into it, as archives: `docker save` and `docker load`.

use crate::{
    Engine, EngineError, Operation,
    failure::{broken_off, refusal},
    name::Name,
    progress::{EventDecoder, Evidence, StreamEvent},
    transport::{self, RawBody},
};
use bytes::Bytes;
use futures::Stream;
use hyper::{Request, header::CONTENT_TYPE};
use std::io;

/// An image as an archive, as the engine sends it. Dropping it stops the engine's work.
pub struct Export {
    body: RawBody,
    image: String,
}

impl std::fmt::Debug for Export {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Export").field("image", &self.image).finish_non_exhaustive()
    }
}

impl Export {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the engine stops before the end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EngineError> {
        self.body
            .chunk()
            .await
            .transpose()
            .map_err(|error| broken_off(Operation::Export, &self.image, Some(error)))
    }
}

impl Engine {
    /// The image as an archive (`docker save`). dockerd prepares the whole of it before the first byte comes.
    ///
    /// # Errors
    /// When there is no such image, or the engine does not answer.
    pub async fn export(&self, reference: &str) -> Result<Export, EngineError> {
        let name = Name::parse(reference)?;
        let path = format!("/images/{}/get", name.whole);
        let asked = async {
            let request = Request::get(path).body(bollard::body_full(Bytes::new()))?;
            transport::open(self.endpoint(), request).await
        };
        let body = asked.await.map_err(self.failed(Operation::Export, Some(reference)))?;
        Ok(Export { body, image: reference.to_owned() })
    }

    /// Has the engine take an image archive (`docker load`), with the name that stands in it. `reference` is that name,
    /// for messages.
    ///
    /// # Errors
    /// When it does not take it. Dropping the future stops the engine's work.
    pub async fn load(
        &self,
        reference: &str,
        archive: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    ) -> Result<(), EngineError> {
        let operation = Operation::Load;
        let asked = async {
            let request = Request::post("/images/load?quiet=1").header(CONTENT_TYPE, "application/x-tar");
            let request = request.body(bollard::body_try_stream(archive))?;
            transport::open(self.endpoint(), request).await
        };
        let mut body = asked.await.map_err(self.failed(operation, Some(reference)))?;
        let mut decoder = EventDecoder::default();
        loop {
            let (events, is_end) = match body.chunk().await {
                Some(Ok(bytes)) => (decoder.feed(&bytes), false),
                Some(Err(error)) => return Err(broken_off(operation, reference, Some(error))),
                None => (decoder.finish(), true),
            };
            // As with pulls, an error arrives inside a 200.
            for event in events {
                if let StreamEvent::Error(words) = event {
                    return Err(refusal(operation, reference, words, Evidence::default()));
                }
            }
            if is_end {
                return Ok(());
            }
        }
    }
}

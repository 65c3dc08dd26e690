//! What the Docker of the host says of itself, and of an image that it may have already.

use super::{
    Ship,
    crew::in_shell,
    lost,
    words::{Said, told_there},
};
use dockline_engine::{Engine, EngineError, ImageParts};
use dockline_model::{Code, LayerState, LayerView, TransferState, UiError};
use dockline_tunnel::Offer;
use std::time::Duration;
use tokio::time::timeout;

/// How long the Docker there may take to say what it was asked.
const ANSWER: Duration = Duration::from_secs(20);
/// The most that a program there may say.
const WORDS: u64 = 64 << 10;

/// The Docker of the host.
pub(super) struct There {
    pub(super) os: String,
    pub(super) architecture: String,
}

/// The image, which the host has.
pub(super) struct Held {
    /// Whether it has its name there already.
    is_named: bool,
}

impl Ship {
    /// Asks the Docker there what it runs on.
    pub(super) async fn docker(&self, offer: &Offer, engine: &Engine) -> Result<There, UiError> {
        match timeout(ANSWER, engine.platform()).await {
            Ok(Ok((os, architecture))) => Ok(There { os, architecture }),
            Ok(Err(error)) => Err(self.why_silent(offer, &error).await),
            Err(_) => Err(self.silent()),
        }
    }

    /// Why nobody answers there: the program `docker` knows more of that than a connection that ends.
    async fn why_silent(&self, offer: &Offer, error: &EngineError) -> UiError {
        let asked = async {
            let program = offer.run(&in_shell(&Said::script())).await?;
            program.output(WORDS).await.map_err(|error| lost(self.host(), &error))
        };
        let (output, end) = match timeout(ANSWER, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return error,
            Err(_) => return self.silent(),
        };
        Said::of(&String::from_utf8_lossy(&output))
            .against(&self.freight.host, &end)
            .unwrap_or_else(|| told_there(self.host(), &self.freight.image, error))
    }

    fn silent(&self) -> UiError {
        UiError::new(Code::TimedOut, format!("Docker on {} did not answer.", self.host()))
            .hint("See there whether `docker version` answers.")
    }

    /// Asks the Docker there for the very image; `None` if it has not got it, or does not say.
    pub(super) async fn held(&self, engine: &Engine, parts: &ImageParts) -> Option<Held> {
        // What goes wrong here goes wrong again where it is told.
        let there = timeout(ANSWER, engine.parts(&parts.id)).await.ok()?.ok()?;
        if !is_the_same(&there, parts) {
            return None;
        }
        let named = timeout(ANSWER, engine.image_id(&self.freight.reference.to_string())).await.ok()?;
        Some(Held { is_named: named.is_ok_and(|id| id == parts.id) })
    }

    /// Sees to its name there; its id there by that name.
    pub(super) async fn already(
        &self,
        engine: &Engine,
        parts: &ImageParts,
        held: &Held,
    ) -> Result<String, UiError> {
        self.shipping.figures.write(&layers(parts), 0, 0);
        self.say(TransferState::Verifying);
        if held.is_named {
            tracing::info!("the host has the image, by its name");
            return Ok(parts.id.clone());
        }
        let name = self.freight.reference.to_string();
        let named = async {
            engine.tag(&parts.id, &name).await?;
            engine.image_id(&name).await
        };
        let named = timeout(ANSWER, named).await.map_err(|_| self.silent())?;
        tracing::info!("the host has the image, and it is named");
        match named {
            Ok(id) if id == parts.id => Ok(id),
            Ok(id) => Err(self.somebody_elses(&id, &parts.id)),
            Err(error) => Err(told_there(self.host(), &self.freight.image, &error)),
        }
    }
}

/// The same id is not enough: of an index, containerd's store may have another platform.
fn is_the_same(there: &ImageParts, here: &ImageParts) -> bool {
    (&there.id, &there.os, &there.architecture, &there.layers)
        == (&here.id, &here.os, &here.architecture, &here.layers)
}

/// Nothing of it has to be sent. Which of its bytes are whose, nobody says.
fn layers(parts: &ImageParts) -> Vec<LayerView> {
    let layer = |digest: &String| LayerView {
        id: digest.split(':').next_back().unwrap_or(digest).chars().take(12).collect(),
        state: LayerState::Exists,
        current: 0,
        total: None,
    };
    parts.layers.iter().map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_image_is_held() {
        let here = ImageParts {
            id: "sha256:aa".to_owned(),
            layers: vec!["sha256:1".to_owned(), "sha256:2".to_owned()],
            os: "linux".to_owned(),
            architecture: "amd64".to_owned(),
            size: 3,
            store: None,
        };
        // Docker's stores do not count the same bytes.
        assert!(is_the_same(&ImageParts { size: 4, ..here.clone() }, &here));
        let other = ImageParts {
            architecture: "arm64".to_owned(),
            layers: vec!["sha256:1".to_owned(), "sha256:3".to_owned()],
            ..here.clone()
        };
        assert!(!is_the_same(&other, &here), "another platform of the same index");
        assert!(!is_the_same(&ImageParts { id: "sha256:bb".to_owned(), ..here.clone() }, &here));
        assert_eq!(layers(&here).len(), 2);
    }
}

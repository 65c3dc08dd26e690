//! What the Docker of the host says of itself, and of an image that it may have already.

use super::{
    Ship,
    again::{self, since},
    crew::{Crew, in_shell},
    lost,
    way::Way,
    words::{Said, told_there},
};
use crate::controller::run::TRIES;
use dockline_engine::{Engine, EngineError, ImageParts};
use dockline_model::{Code, LayerState, LayerView, TransferState, UiError};
use dockline_registry::ShelfLayers;
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

/// Why the Docker of the host says nothing.
struct Silence {
    error: UiError,
    /// Whether a program there was asked for the reason and has said all that it had to say.
    was_heard_out: bool,
}

impl Silence {
    const fn unheard(error: UiError) -> Self {
        Self { error, was_heard_out: false }
    }
}

/// The image, which the host has.
pub(super) struct Held {
    /// Whether it has its name there already.
    is_named: bool,
}

impl Ship {
    /// Sends the crew, and what measures a way that is not `known`, and asks the Docker there what it runs on; again where the
    /// way breaks meanwhile.
    pub(super) async fn met(
        &self,
        offer: &Offer,
        known: Option<ShelfLayers>,
    ) -> Result<(Crew, Way, There), UiError> {
        let mut tries = 1;
        loop {
            let session = since(&offer.view().state);
            let crew = self.crew(offer)?;
            let way = Way::begin(known, offer);
            let Silence { error, was_heard_out } = match self.docker(offer, &crew.speaker.engine).await {
                Ok(there) => return Ok((crew, way, there)),
                Err(silence) => silence,
            };
            // What a program of the same session has said to its end, no broken way has.
            let is_same = since(&offer.view().state) == session;
            let is_ways = !(is_same && was_heard_out) && again::is_lost(offer, session).await;
            if tries == TRIES || !is_ways {
                return Err(again::why(offer, error));
            }
            tracing::info!(transfer = self.shipping.id.0, tries, "the Docker there is asked again");
            again::restored(offer, tries).await;
            tries += 1;
        }
    }

    /// Asks the Docker there what it runs on.
    async fn docker(&self, offer: &Offer, engine: &Engine) -> Result<There, Silence> {
        match timeout(ANSWER, engine.platform()).await {
            Ok(Ok((os, architecture))) => Ok(There { os, architecture }),
            Ok(Err(error)) => Err(self.why_silent(offer, &error).await),
            Err(_) => Err(Silence::unheard(self.silent())),
        }
    }

    /// Why nobody answers there: the program `docker` knows more of that than a connection that ends.
    async fn why_silent(&self, offer: &Offer, error: &EngineError) -> Silence {
        let asked = async {
            let program = offer.run(&in_shell(&Said::script())).await?;
            program.output(WORDS).await.map_err(|error| lost(self.host(), &error))
        };
        let (output, end) = match timeout(ANSWER, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Silence::unheard(error),
            Err(_) => return Silence::unheard(self.silent()),
        };
        let error = Said::of(&String::from_utf8_lossy(&output))
            .against(&self.freight.host, &end)
            .unwrap_or_else(|| told_there(self.host(), &self.freight.image, error));
        Silence { error, was_heard_out: end.status.is_some() }
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

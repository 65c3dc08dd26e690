//! What the Docker of the host says of itself, and of an image that it may have already.

use super::{
    Ship,
    crew::in_shell,
    lost,
    words::{is_too_old, no_docker},
};
use dockline_engine::ImageParts;
use dockline_model::{Code, LayerState, LayerView, TransferState, UiError};
use dockline_registry::Digest;
use dockline_tunnel::{Offer, ProgramEnd};
use std::time::Duration;
use tokio::time::timeout;

/// How long a program there may take to say what it was asked.
const ANSWER: Duration = Duration::from_secs(20);
/// The most that it may say: an image has 127 layers at most.
const WORDS: u64 = 64 << 10;

/// The Docker of the host.
pub(super) struct There {
    pub(super) os: String,
    pub(super) architecture: String,
}

/// The image, which the host has.
pub(super) struct Held {
    pub(super) os: String,
    pub(super) architecture: String,
    /// Whether it has its name there already.
    is_named: bool,
}

impl Ship {
    /// Asks the Docker there what it is.
    pub(super) async fn docker(&self, offer: &Offer) -> Result<There, UiError> {
        let format = "{{.Server.Os}} {{.Server.Arch}} {{.Server.Version}}";
        let (output, end) = self.asked(offer, &format!("exec docker version --format \"{format}\"")).await?;
        let words: Vec<&str> = output.split_whitespace().collect();
        match words.as_slice() {
            [os, architecture, version] if end.status == Some(0) => {
                if is_too_old(version) {
                    return Err(UiError::new(
                        Code::EngineFailed,
                        format!("Docker {version} on {} is too old to be shipped to.", self.host()),
                    )
                    .hint("Docker 18.09 or later is needed there."));
                }
                Ok(There { os: (*os).to_owned(), architecture: (*architecture).to_owned() })
            }
            _ => Err(no_docker(&self.freight.host, end.status, &end.complaint)),
        }
    }

    /// Asks the Docker there for the very image; `None` if it has not got it, or does not say.
    ///
    /// The same id is not enough: of an index, containerd's store may have another platform.
    pub(super) async fn held(&self, offer: &Offer, parts: &ImageParts) -> Option<Held> {
        let id = parts.id.parse::<Digest>().ok()?;
        let name = &self.freight.reference;
        let script = format!(
            "exec docker image inspect --format \"{{{{.Id}}}} {{{{.Os}}}} {{{{.Architecture}}}} {{{{.RootFS.Layers}}}}\" \
             {id} {name}"
        );
        // What goes wrong here goes wrong again where it is told.
        let (output, _) = self.asked(offer, &script).await.ok()?;
        held(&output, parts)
    }

    /// Sees to its name there; its id there by that name.
    pub(super) async fn already(
        &self,
        offer: &Offer,
        parts: &ImageParts,
        held: &Held,
    ) -> Result<String, UiError> {
        self.shipping.figures.write(&layers(parts), 0, 0);
        self.say(TransferState::Verifying);
        if held.is_named {
            tracing::info!("the host has the image, by its name");
            return Ok(parts.id.clone());
        }
        let name = &self.freight.reference;
        let script = format!(
            "docker tag {} {name} && exec docker image inspect --format \"{{{{.Id}}}}\" {name}",
            parts.id
        );
        let (output, end) = self.asked(offer, &script).await?;
        tracing::info!("the host has the image, and it is named");
        match output.trim() == parts.id {
            true => Ok(parts.id.clone()),
            false => Err(UiError::new(
                Code::EngineFailed,
                format!("Docker on {} could not take the image.", self.host()),
            )
            .hint("Its own words are in the details; its log there may say more.")
            .details(end.complaint.trim())),
        }
    }

    /// What `script` says there, and how it ended.
    async fn asked(&self, offer: &Offer, script: &str) -> Result<(String, ProgramEnd), UiError> {
        let asked = async {
            let program = offer.run(&in_shell(script)).await?;
            program.output(WORDS).await.map_err(|error| lost(self.host(), &error))
        };
        let (output, end) = timeout(ANSWER, asked).await.map_err(|_| {
            UiError::new(Code::TimedOut, format!("Docker on {} did not answer.", self.host()))
                .hint("See there whether `docker version` answers.")
        })??;
        Ok((String::from_utf8_lossy(&output).into_owned(), end))
    }
}

/// Reads the answer: a line for the image by its id, and one by its name if that is an image's.
fn held(answer: &str, parts: &ImageParts) -> Option<Held> {
    let mut lines = answer.lines();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let first = words(lines.next()?);
    let [id, os, architecture, layers @ ..] = first.as_slice() else { return None };
    // Go writes a list of words so: [a b c]
    let layers = layers.join(" ");
    let layers = layers.strip_prefix('[')?.strip_suffix(']')?;
    if *id != parts.id || !layers.split_whitespace().eq(&parts.layers) {
        return None;
    }
    let is_named = lines.next().is_some_and(|line| words(line) == first);
    Some(Held { os: os.clone(), architecture: architecture.clone(), is_named })
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
        let parts = ImageParts {
            id: "sha256:aa".to_owned(),
            layers: vec!["sha256:1".to_owned(), "sha256:2".to_owned()],
            size: 3,
            store: None,
        };
        let is_named = |answer: &str| held(answer, &parts).map(|held| held.is_named);
        let line = "sha256:aa linux amd64 [sha256:1 sha256:2]\n";
        assert_eq!(is_named(""), None);
        assert_eq!(is_named(line), Some(false));
        assert_eq!(is_named(&line.repeat(2)), Some(true));
        let other = "sha256:bb linux amd64 [sha256:1]\n";
        assert_eq!(is_named(&format!("{line}{other}")), Some(false), "the name is another image's");
        assert_eq!(is_named(other), None, "the name is there, the image is not");
        assert_eq!(
            is_named("sha256:aa linux arm64 [sha256:1 sha256:3]\n"),
            None,
            "another platform of the same index"
        );
        assert_eq!(is_named("sha256:aa linux amd64 sha256:1 sha256:2\n"), None);
        let none = ImageParts { layers: Vec::new(), ..parts.clone() };
        assert!(held("sha256:aa linux amd64 []\n", &none).is_some(), "an image without layers");
        assert_eq!(layers(&parts).len(), 2);
    }
}

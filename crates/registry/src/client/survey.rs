//! What of an engine's image a registry has: asked before a road is chosen.

use super::{
    Client,
    layer::Shared,
    learn::Standing,
    push::{Placed, QUESTIONS, Sending},
};
use crate::{
    Digest, RegistryError,
    archive::{ArchiveError, ManifestPlan},
    board::Board,
    records::{Known, Records},
};
use dockline_model::LayerView;
use futures::{
    StreamExt as _, TryStreamExt as _,
    future::{Either, select},
    stream,
};
use std::{collections::HashMap, pin::pin};

/// What an engine says of an image before it exports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineImage {
    /// The digest of its configuration.
    pub id: Digest,
    /// Its layers' diff ids, bottom first.
    pub layers: Vec<Digest>,
    /// Its size in bytes, about.
    pub size: u64,
}

impl EngineImage {
    /// Its layers at the registry, in order.
    pub(super) fn placed(&self, placed: &HashMap<Digest, Placed>) -> Result<Vec<Placed>, RegistryError> {
        let of = |layer: &Digest| {
            let missing = || ArchiveError::Missing { name: format!("the layer {layer}") };
            placed.get(layer).cloned().ok_or_else(|| missing().into())
        };
        self.layers.iter().map(of).collect()
    }
}

/// What of an image a registry has.
#[derive(Debug, Clone)]
pub struct Survey {
    /// The diff ids it lacks.
    pub missing: Vec<Digest>,
    /// Whether it has the configuration.
    pub has_config: bool,
    /// The time that one question took, of several asked together.
    pub answer_time: std::time::Duration,
    placed: HashMap<Digest, Placed>,
    /// Blobs that were asked for.
    absent: Vec<Digest>,
    config_size: u64,
    /// What stood in the repository when it was asked.
    standing: Vec<Standing>,
}

impl Survey {
    /// Whether all of the image is there, apart from its name.
    #[must_use]
    pub fn has_everything(&self) -> bool {
        self.missing.is_empty() && self.has_config
    }

    /// The layer at the registry, if it is there.
    pub(super) fn placed(&self, diff_id: &Digest) -> Option<&Placed> {
        self.placed.get(diff_id)
    }

    /// Blobs that the repository does not have.
    pub(super) fn absent(&self) -> &[Digest] {
        &self.absent
    }

    /// Images that stood in the repository.
    pub(super) fn standing(&self) -> &[Standing] {
        &self.standing
    }
}

impl Client {
    /// Asks which parts of an image the registry has in `repository`.
    ///
    /// # Errors
    /// When it does not answer, or wants a login.
    pub async fn survey(
        &self,
        image: &EngineImage,
        repository: &str,
        tag: &str,
        sending: &Sending,
    ) -> Result<Survey, RegistryError> {
        let timed = self.timed();
        let board = Board::new([], |_: &[LayerView], _, _| ());
        let shared = timed.shared(repository, sending, &board);
        let is_known = sending.records.is_any_usable(self.recorded_as(), repository, &image.layers);
        let layers = async {
            let learnt = Box::pin(timed.learn_all(image, (repository, tag), is_known, sending));
            let standing = learnt.await?;
            let asked: Vec<_> = image.layers.iter().map(|layer| timed.whereabouts(&shared, layer)).collect();
            let found: Vec<_> = stream::iter(asked).buffered(QUESTIONS).try_collect().await?;
            Ok::<_, RegistryError>((standing, found))
        };
        let ask_config = || timed.blob_size(repository, &image.id);
        // A line is not slow because storage is: while the rest is asked, something is that nobody has to look up.
        let time = async {
            if sending.round_trip.is_none() && !timed.is_quick() {
                timed.ping().await?;
            }
            Ok::<_, RegistryError>(())
        };
        let ((standing, found), config) = if is_known {
            let config = async {
                let config = ask_config().await?;
                time.await.map(|()| config)
            };
            // The first one gets a connection soonest, and has more to ask.
            futures::try_join!(layers, config)?
        } else {
            let layers = layers.await?;
            // It matters where nothing else is missing, which then is hardly ever so.
            let is_asked = layers.1.iter().all(Result::is_ok);
            let config = async { if is_asked { ask_config().await } else { Ok(None) } };
            // Only now: two connections are open, and a third would be another SSH session.
            let (config, ()) = futures::try_join!(config, time)?;
            (layers, config)
        };
        let answer_time = match sending.round_trip {
            Some(known) => timed.quickest().map_or(known, |quickest| quickest.min(known)),
            None => timed.least_answer().await?,
        };
        let mut survey = Survey {
            missing: Vec::new(),
            // Its size has to stand in the manifest, and some registries do not tell it.
            has_config: config.is_some_and(|size| size > 0),
            answer_time,
            placed: HashMap::new(),
            absent: Vec::new(),
            config_size: config.unwrap_or(0),
            standing,
        };
        for (layer, found) in image.layers.iter().zip(found) {
            match found {
                Ok(placed) => drop(survey.placed.insert(layer.clone(), placed)),
                Err(absent) => {
                    survey.missing.push(layer.clone());
                    survey.absent.extend(absent);
                }
            }
        }
        Ok(survey)
    }

    /// How many layers of the image this machine's engine has neither pushed there nor pulled from there, as far as the
    /// records tell. Docker's own store sends all of those.
    #[must_use]
    pub fn engine_sends(&self, image: &EngineImage, records: &Records) -> usize {
        let is_engines =
            |layer: &Digest| records.known(self.recorded_as(), layer).iter().any(|known| known.is_engines);
        image.layers.iter().filter(|layer| !is_engines(layer)).count()
    }

    /// Finds out as which blobs the registry has the layers, where the records do not tell. Images that were read on the way.
    async fn learn_all(
        &self,
        image: &EngineImage,
        (repository, tag): (&str, &str),
        is_known: bool,
        sending: &Sending,
    ) -> Result<Vec<Standing>, RegistryError> {
        let standing = self.standing(repository, tag);
        // Mostly the first teaches enough where some of the image is known; of one that is new, both are asked together.
        let (standing, tags) = match is_known {
            true => (standing.await?, None),
            false => match select(pin!(standing), pin!(self.tags(repository))).await {
                Either::Left((standing, tags)) => match standing? {
                    None => (None, Some(tags.await)),
                    // What is not waited for goes: it may be about to log in, for which everybody else waits.
                    standing @ Some(_) => (standing, None),
                },
                Either::Right((tags, standing)) => (standing.await?, Some(tags)),
            },
        };
        let layers: Vec<&Digest> = image.layers.iter().collect();
        self.learn_beside(standing, tags, (repository, tag), &layers, &sending.records).await
    }

    /// The layer in this repository, or as which blobs it has been asked for and is not there.
    async fn whereabouts<F>(
        &self,
        shared: &Shared<'_, F>,
        layer: &Digest,
    ) -> Result<Result<Placed, Vec<Digest>>, RegistryError> {
        let known: Vec<Known> = shared.records.usable(self.recorded_as(), shared.repository, layer);
        let mut absent = Vec::new();
        for known in known.iter().filter(|known| shared.fits(known)) {
            let Ok(digest) = known.digest.parse::<Digest>() else { continue };
            if self.blob_exists(shared.repository, &digest).await? {
                return Ok(Ok(Placed { digest, size: known.size, encoding: known.encoding }));
            }
            absent.push(digest);
        }
        Ok(Err(absent))
    }

    /// Names an image of which the registry has everything.
    ///
    /// # Errors
    /// See [`RegistryError`].
    pub async fn tag_surveyed(
        &self,
        image: &EngineImage,
        survey: &Survey,
        repository: &str,
        tag: &str,
        mut progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<Digest, RegistryError> {
        let layers = image.placed(&survey.placed)?;
        let board = Board::new(
            layers.iter().zip(&image.layers).map(|(placed, layer)| (layer.short().to_owned(), placed.size)),
            &mut progress,
        );
        for index in 0..layers.len() {
            board.state(index, dockline_model::LayerState::Exists);
        }
        let plan = ManifestPlan::Docker;
        let config = (image.id.clone(), survey.config_size);
        self.complete((repository, tag), config, plan, &layers, &survey.standing).await
    }
}

//! Pushes on the direct road, and the choice between it and the engine's.

mod archives;

use super::{
    Message,
    road::{self, Choice, Line, Situation},
    run::{Transfer, told},
    stored::{self, Opened},
};
use archives::{alone, exported};
use dockline_engine::{Engine, ImageParts, ImageStore};
use dockline_model::{Code, LayerView, PushOptions, Road, TransferState, UiError, Verified};
use dockline_registry::{
    Client, Digest, EngineImage, OneOfSeveral, Reference, RegistryError, Scope, Sending, Survey, Turns,
};
use futures::future::{Either, select};
use std::{pin::pin, time::Duration};
use tokio::time::timeout;

/// How long a registry may take to show its certificate, where an engine is to do the rest.
const CERTIFICATES: Duration = Duration::from_secs(3);
/// How long layers that were opened early stay so while another push sends the same ones.
const SHORT_TURN: Duration = Duration::from_millis(200);
/// How long a push that has ended well waits for its container to go; it goes on going then.
const REMOVAL: Duration = Duration::from_secs(1);
/// Images that the engine has pushed or pulled by hand, of which the registry is asked for the layers.
const DIGESTS: usize = 3;

impl Transfer {
    /// Pushes an engine's image on whichever road is faster, or was asked for.
    pub(super) async fn push_engine_image(
        &mut self,
        (image, all_platforms): (&str, bool),
        reference: &Reference,
        options: PushOptions,
    ) -> Result<Verified, UiError> {
        let engine = self.context().engines.find().map_err(told)?;
        if all_platforms && self.may_be_several(&engine, image).await? {
            return self.push_all_of(&engine, image, reference).await;
        }
        if options.road == Some(Road::Engine) {
            self.check_certificates().await?;
            let layers = engine.parts(image).await.map_err(told)?.layers;
            let _turns = self.turns(layers.clone()).await;
            return self.push_through_engine(image, layers, reference).await;
        }
        let client = self.client()?;
        let mut surveyed = Box::pin(self.survey(&engine, &client, image, reference, options)).await;
        let missing = surveyed.as_ref().map_or_else(|_| Vec::new(), Surveyed::missing);
        // Held until this push is over.
        let turns = {
            let mut turns = pin!(self.turns(missing));
            match timeout(SHORT_TURN, turns.as_mut()).await {
                Ok(turns) => turns,
                Err(_) => {
                    // Whoever sends them now takes the time of a push.
                    if let Ok(surveyed) = &mut surveyed {
                        surveyed.early = None;
                    }
                    turns.await
                }
            }
        };
        if turns.had_to_wait {
            drop(surveyed);
            surveyed = Box::pin(self.survey(&engine, &client, image, reference, options)).await;
        }
        let surveyed = match surveyed {
            Ok(surveyed) => surveyed,
            // What the engine can do without these questions, it may; its own failures say more.
            Err(error) if options == PushOptions::default() && !is_final(error.code) => {
                tracing::info!(
                    ?error,
                    "the engine's own road, since the direct one could not be looked into"
                );
                return self.push_through_engine(image, Vec::new(), reference).await;
            }
            Err(error) => return Err(error),
        };
        let Surveyed { parts, image: whole, survey, mut choice, store, situation, mut early } = surveyed;
        let is_new = !survey.as_ref().is_some_and(Survey::has_everything);
        let mut opened = None;
        if choice.road == Road::Direct && is_new {
            if situation.missing > 1 {
                // The configuration goes beside the layers.
                self.make_room(situation.missing.min(choice.at_once) + 1).await;
            }
            opened = match early.take() {
                Some(early) => Some(early),
                None => self.opened(&engine, &parts, survey.as_ref()).await,
            };
            if opened.is_none() {
                choice = road::choose(options, &Situation { reads_layers: false, ..situation });
            }
        }
        // What was opened for nothing goes while the push goes on.
        let unused = early.map(Opened::put_away);
        // An engine that sees none of this machine's loopback still hands over its images.
        if choice.road == Road::Engine
            && let Err(error) = self.reach(&engine).await
            && error.code == Code::EngineCannotReach
        {
            choice.road = Road::Direct;
            choice.why = format!("Directly: {}", error.message);
            opened = self.opened(&engine, &parts, survey.as_ref()).await;
        }
        self.chosen(&choice);
        if choice.road == Road::Engine {
            return self.push_through_engine(image, parts.layers, reference).await;
        }
        let client = client.telling(self.hearer_of_engines(&choice));
        let sending = self.sending(&choice);
        let place = (reference.repository(), reference.tag_or_latest());
        let figures = self.context().figures.clone();
        let report = move |layers: &[LayerView], current, total| figures.write(layers, current, total);
        if let (Some(whole), Some(survey), Some(opened)) = (&whole, &survey, opened) {
            let pushed =
                client.push_stored(whole, survey, &opened.image, place, &sending, report.clone()).await;
            let removed = opened.put_away();
            match pushed {
                // What was read is not the layer that it should be; no layer of it is at the registry.
                Err(RegistryError::Archive(error)) => {
                    tracing::warn!(%error, "the engine's store is not as it should be: the image is exported");
                    removed.await;
                }
                pushed => {
                    let stands = stands(&pushed.map_err(|error| self.refused(&error))?);
                    // Who removes the image now is not to find a container of it.
                    drop(timeout(REMOVAL, removed).await);
                    return Ok(stands);
                }
            }
        }
        let pushed = match (&whole, &survey) {
            (Some(whole), Some(survey)) if survey.has_everything() => {
                client.tag_surveyed(whole, survey, place.0, place.1, report).await
            }
            (Some(whole), Some(survey))
                if store == ImageStore::Classic
                    && survey.missing.len() == whole.layers.len()
                    // From another repository they are mounted, which a stream is too late for.
                    && !sending.records.knows_any(&self.place(), &survey.missing) =>
            {
                let export = exported(&engine, &parts.id).await?;
                match client.push_export(whole, export, place, &sending, report.clone()).await {
                    // Remembered by now: each layer goes in one request. What was read of the export is gone.
                    Err(RegistryError::PiecesRefused(refusal)) => {
                        tracing::info!(%refusal, "pieces of layers are refused: the image is exported once more");
                        let export = exported(&engine, &parts.id).await?;
                        client.push_export(whole, export, place, &sending, report).await
                    }
                    pushed => pushed,
                }
            }
            _ => {
                // Under its name, where it has one: an export by id leaves the name out, and Podman's has no other.
                let export = exported(&engine, &alone(image, &parts.id)).await?;
                let spooled = (export, self.context().spool.as_path());
                client.push_spooled(spooled, &Scope::default(), place, &sending, report).await
            }
        };
        let stands = stands(&pushed.map_err(|error| self.refused(&error))?);
        if let Some(unused) = unused {
            drop(timeout(REMOVAL, unused).await);
        }
        Ok(stands)
    }

    /// As [`Transfer::hearer`], of an image that an engine has exported with all platforms that it has.
    fn hearer_of_engines(&self, choice: &Choice) -> impl Fn(&OneOfSeveral) + Send + Sync + 'static {
        let (id, mailbox) = (self.context().id, self.context().mailbox.clone());
        let (road, said) = (choice.road, choice.why.clone());
        move |one| {
            let why = format!("{said} {}", road::one_of_an_engines(one));
            mailbox.post(Message::TransferRoad { id, road, why });
        }
    }

    /// The image's layers that the registry lacks, as the engine's own store has them.
    async fn opened(&self, engine: &Engine, parts: &ImageParts, survey: Option<&Survey>) -> Option<Opened> {
        let missing: Vec<String> = survey?.missing.iter().map(ToString::to_string).collect();
        let is_missing = |layer: &str| missing.iter().any(|known| known == layer);
        stored::open(engine, parts, &self.context().traces, is_missing, true).await
    }

    /// The survey, and on a long line what is almost certain to be needed after it, before the last answer has come: all of the
    /// layers, where none is remembered to be at the registry, and SSH sessions to send them. Nothing stays open at the engine,
    /// where the survey ends first and finds that some are there.
    async fn beside(
        &self,
        survey: impl Future<Output = Result<Survey, RegistryError>>,
        engine: &Engine,
        parts: &ImageParts,
        image: &EngineImage,
    ) -> (Result<Survey, RegistryError>, Option<Opened>) {
        let mut survey = pin!(survey);
        if self.round_trip().is_none_or(|time| time < road::FAR)
            && let Ok(survey) = timeout(road::FAR, survey.as_mut()).await
        {
            return (survey, None);
        }
        let context = self.context();
        if context.records.knows_any(&self.place(), &image.layers) {
            return (survey.await, None);
        }
        let opened = pin!(async {
            self.make_room(parts.layers.len().min(road::AT_ONCE_FAR) + 1).await;
            stored::open(engine, parts, &context.traces, |_| true, false).await
        });
        match select(survey, opened).await {
            Either::Left((Ok(survey), opened)) if survey.missing.len() == image.layers.len() => {
                (Ok(survey), opened.await)
            }
            Either::Left((survey, _)) => (survey, None),
            Either::Right((opened, survey)) => (survey.await, opened),
        }
    }

    /// An engine trusts whatever certificate a loopback address has; we do not, and would say so only when all is sent.
    async fn check_certificates(&self) -> Result<(), UiError> {
        // A question to a person takes longer than this.
        match timeout(CERTIFICATES, self.context().access.quiet_client()?.ping()).await {
            Ok(Err(
                error @ (RegistryError::Certificate { .. } | RegistryError::ClientCertificate { .. }),
            )) => Err(self.refused(&error)),
            // Whatever else there is to say, the engine's own failures say more; a silent registry is its to wait for.
            Ok(Ok(()) | Err(_)) | Err(_) => Ok(()),
        }
    }

    /// Waits until no other push of an engine's image sends one of these layers to the same registry.
    async fn turns(&self, layers: Vec<String>) -> Turns {
        let wanted = layers.into_iter().map(|layer| format!("image layer {layer}"));
        self.say(TransferState::Waiting);
        let turns = self.context().records.turns(&self.place(), wanted).await;
        self.say(TransferState::Running);
        turns
    }

    /// `layers`: the diff ids of what the engine may send.
    async fn push_through_engine(
        &mut self,
        image: &str,
        layers: Vec<String>,
        reference: &Reference,
    ) -> Result<Verified, UiError> {
        // A push on the direct road that comes to one of these waits, and finds it there (an archive's has no turn of the
        // other kind). The other way round it is the engine that waits: Docker's own store would send it all the same,
        // but containerd's asks first.
        let _sending = self.context().records.turns(&self.place(), layers).await;
        let verified = self.push_image(image, reference).await?;
        self.note_engines(reference, &verified).await;
        Ok(verified)
    }

    /// Remembers which blobs the engine knows from now on; the next choice of a road depends on it.
    pub(super) async fn note_engines(&self, reference: &Reference, verified: &Verified) {
        let Ok(client) = self.client() else { return };
        let records = &self.context().records;
        if let Err(error) = client.learn_of_engine(reference.repository(), &verified.digest, records).await {
            tracing::debug!(%error, "what the engine has sent is not known");
        }
    }

    async fn survey(
        &self,
        engine: &Engine,
        client: &Client,
        image: &str,
        reference: &Reference,
        options: PushOptions,
    ) -> Result<Surveyed, UiError> {
        let (parts, store) = tokio::try_join!(engine.parts(image), engine.image_store()).map_err(told)?;
        let whole = whole(&parts).filter(|_| store == ImageStore::Classic);
        let records = self.context().records.clone();
        let first = Line { answer_time: Duration::ZERO, rate: None };
        let before = road::archive(options, first);
        let (survey, line, early) = match &whole {
            Some(whole) => {
                let sending = Sending { records, ..self.sending(&before) };
                let place = (reference.repository(), reference.tag_or_latest());
                // Large, and handed on: it would lie on the stack several times.
                let survey = Box::pin(client.survey(whole, place.0, place.1, &sending));
                let (survey, early) = match options.road {
                    Some(Road::Engine) => (survey.await, None),
                    Some(Road::Direct) | None => self.beside(survey, engine, &parts, whole).await,
                };
                let survey = survey.map_err(|error| self.refused(&error))?;
                let line = self.line(survey.answer_time);
                (Some(survey), line, early)
            }
            None => {
                let answer_time = client.answer_time().await.map_err(|error| self.refused(&error))?;
                (None, self.line(answer_time), None)
            }
        };
        let engine_sends = match (&whole, &survey) {
            (Some(whole), Some(survey)) if (1..whole.layers.len()).contains(&survey.missing.len()) => {
                self.engine_sends(engine, client, whole, reference).await
            }
            _ => parts.layers.len(),
        };
        let situation = Situation {
            store,
            size: parts.size,
            layers: parts.layers.len(),
            missing: survey.as_ref().map_or(parts.layers.len(), |survey| survey.missing.len()),
            engine_sends,
            has_everything: survey.as_ref().is_some_and(Survey::has_everything),
            line,
            reads_layers: whole.is_some() && parts.store.is_some(),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        };
        let choice = road::choose(options, &situation);
        Ok(Surveyed { parts, image: whole, survey, choice, store, situation, early })
    }

    /// How many layers the engine would send. What was pushed and pulled by hand, the engine's own list of digests tells.
    async fn engine_sends(
        &self,
        engine: &Engine,
        client: &Client,
        image: &EngineImage,
        reference: &Reference,
    ) -> usize {
        let (records, spec) = (&self.context().records, &self.context().spec);
        let known = client.engine_sends(image, records);
        if known < image.layers.len() {
            return known;
        }
        let repository = reference.repository();
        let names = [spec.authority(), spec.listen().to_string()].map(|host| format!("{host}/{repository}"));
        // Without the list the engine is taken to know nothing, which costs time and no more.
        let digests = engine.digests_of(&names).await.unwrap_or_default();
        for digest in digests.iter().take(DIGESTS) {
            if client.learn_of_engine(repository, digest, records).await.is_err() {
                break;
            }
            if client.engine_sends(image, records) < image.layers.len() {
                break;
            }
        }
        client.engine_sends(image, records)
    }

    fn line(&self, answer_time: Duration) -> Line {
        Line { answer_time, rate: self.context().records.rate(&self.place()) }
    }

    /// Where it goes, as records call it.
    pub(super) fn place(&self) -> String {
        self.context().access.place(&self.context().spec)
    }

    fn sending(&self, choice: &Choice) -> Sending {
        Sending {
            packing: choice.packing,
            takes_any: !choice.is_asked_for,
            takes_any_level: !choice.has_own_level,
            records: self.context().records.clone(),
            at_once: choice.at_once,
            slow_line: choice.slow_line,
            round_trip: self.round_trip(),
        }
    }

    fn chosen(&self, choice: &Choice) {
        tracing::info!(road = ?choice.road, why = choice.why, "the road of a push");
        let (id, road, why) = (self.context().id, choice.road, choice.why.clone());
        self.context().mailbox.post(Message::TransferRoad { id, road, why });
    }
}

impl Surveyed {
    /// The layers that the registry lacks, as far as that is known.
    fn missing(&self) -> Vec<String> {
        match &self.survey {
            Some(survey) => survey.missing.iter().map(ToString::to_string).collect(),
            None => self.parts.layers.clone(),
        }
    }
}

/// What the engine's own road would not mend: the push is verified by ourselves in the end.
const fn is_final(code: Code) -> bool {
    matches!(code, Code::ReferenceNotFound | Code::CertificateUntrusted | Code::ClientCertificateNeeded)
}

/// What was found out before a road is chosen.
struct Surveyed {
    parts: ImageParts,
    /// Where the engine's words are those of the image itself.
    image: Option<EngineImage>,
    survey: Option<Survey>,
    choice: Choice,
    store: ImageStore,
    situation: Situation,
    /// Layers that were opened meanwhile.
    early: Option<Opened>,
}

/// What our own client has pushed or copied: it has asked the registry for it already.
pub(super) fn stands(digest: &Digest) -> Verified {
    Verified { digest: digest.to_string(), at_registry: true }
}

/// In Docker's own store an image's id is the digest of its configuration.
fn whole(parts: &ImageParts) -> Option<EngineImage> {
    let layers = parts.layers.iter().map(|layer| layer.parse().ok()).collect::<Option<Vec<Digest>>>()?;
    Some(EngineImage { id: parts.id.parse().ok()?, layers, size: parts.size })
}

//! Pushes and pulls that the engine does itself: by which of the registry's names, and what it leaves unsaid.

use super::{Job, Transfer, Way, told};
use crate::{
    controller::{
        Message,
        reach::{Reach, reach},
        registries::{names, read_hosts},
        road,
    },
    files::blocking,
    setup::facts,
};
use dockline_engine::{Cause, Engine, EngineDigest, EngineError, Login, PullOptions};
use dockline_model::{Code, UiError, Verified};
use dockline_registry::{Digest, Reference, RegistryError};
use secrecy::ExposeSecret as _;

/// What a registry is asked to store in order to tell whether its disk is full. A full one keeps less room than that,
/// and it takes a slow line no more than a few seconds.
const ROOM: usize = 1 << 20;

impl Transfer {
    /// The engine, which is told who we are at the registry.
    async fn engine(&self) -> Result<Engine, UiError> {
        let login = self
            .context
            .access
            .kept()
            .await
            .map(|kept| Login { user: kept.user, secret: kept.secret.expose_secret().to_owned() });
        Ok(self.context.engines.find().map_err(told)?.with_login(login))
    }

    pub(in crate::controller) async fn push_image(
        &mut self,
        image: &str,
        reference: &Reference,
    ) -> Result<Verified, UiError> {
        let engine = self.engine().await?;
        let way = self.reach(&engine).await?;
        let mut pushed = None;
        if let Some(name) = self.by_name(&way, reference).await? {
            pushed = known(self.push_as(&engine, image, &name).await);
        }
        let pushed = match pushed {
            Some(pushed) => pushed,
            None => {
                let name = self.by_address(&way, reference)?;
                self.note(&engine, &name).await?;
                self.push_as(&engine, image, &name).await
            }
        };
        match pushed {
            Ok(pushed) => {
                let verified = self.verify(reference, pushed.digest.as_deref()).await?;
                self.ask_what_is_stored(&engine, image, reference, &verified.digest).await;
                if let Some(platform) = pushed.one_platform {
                    let (id, remark) = (self.context.id, road::one_that_an_engine_has(&platform));
                    self.context.mailbox.post(Message::TransferRemark { id, remark });
                }
                Ok(verified)
            }
            Err(error) => Err(self.with_the_registrys_word(reference, error).await),
        }
    }

    /// Whether a registry that has not let the engine in does so now: an engine asks nobody for a login, so whoever works
    /// here is asked, for this very repository, where none that is kept does.
    pub(super) async fn is_let_in_now(&self, job: &Job, error: &UiError) -> bool {
        // Whoever is logged in has been told what they may not do.
        let wants_login = error.code == Code::RegistryAuth
            || (error.code == Code::RegistryDenied && self.context.access.kept().await.is_none());
        if !wants_login || !self.context.figures.latest().is_engines {
            return false;
        }
        let Ok(client) = self.client() else { return false };
        let asked = match job {
            Job::PushImage { reference, .. } => client.check_push(reference.repository()).await,
            Job::PullImage { reference, .. } => {
                client.manifest_digest(reference.repository(), &reference.tag_or_digest()).await.map(drop)
            }
            Job::PushArchive { .. } | Job::PullArchive { .. } | Job::Copy { .. } | Job::Ship(_) => {
                return false;
            }
        };
        if let Err(error) = &asked {
            tracing::info!(%error, "the registry does not let us in either");
        }
        asked.is_ok()
    }

    async fn push_as(&self, engine: &Engine, image: &str, name: &str) -> Result<EngineDigest, EngineError> {
        match self.trace.as_ref().filter(|trace| trace.name() == name) {
            Some(trace) => {
                let (engine, image, name) = (engine.clone(), image.to_owned(), name.to_owned());
                trace.make(async move { engine.tag(&image, &name).await }).await?;
            }
            None => engine.tag(image, name).await?,
        }
        let figures = self.context.figures.clone();
        figures.by_engine();
        engine.push(name, move |l, c, t| figures.write(l, c, t)).await
    }

    async fn pull_as(
        &self,
        engine: &Engine,
        name: &str,
        platform: Option<&str>,
    ) -> Result<EngineDigest, EngineError> {
        let figures = self.context.figures.clone();
        let options = PullOptions { platform: platform.map(str::to_owned), login: None };
        figures.by_engine();
        engine.pull_with(name, &options, move |l, c, t| figures.write(l, c, t)).await
    }

    /// dockerd keeps to itself what a registry says with a 500; the registry says it again when it is asked.
    async fn with_the_registrys_word(&self, reference: &Reference, error: EngineError) -> UiError {
        let words = match &error {
            EngineError::Refused {
                cause: Cause::RegistryFailed | Cause::RegistryDiskFull, words, ..
            } => words.clone(),
            EngineError::Refused { .. }
            | EngineError::Connect { .. }
            | EngineError::Endpoint { .. }
            | EngineError::Context { .. }
            | EngineError::Reference(_)
            | EngineError::Request { .. }
            | EngineError::BrokenOff { .. }
            | EngineError::Store { .. } => return self.told_of(reference, error),
        };
        let Ok(client) = self.client() else { return self.told_of(reference, error) };
        match client.check_room(reference.repository(), ROOM).await {
            Err(full @ RegistryError::DiskFull { .. }) => {
                let full = UiError::from(&full);
                let details = format!("{words}\n{}", full.details.as_deref().unwrap_or_default());
                full.details(details.trim_end())
            }
            Ok(()) | Err(_) => self.told_of(reference, error),
        }
    }

    /// By the registry's name, whatever the engine calls it: the person knows no other.
    fn told_of(&self, reference: &Reference, error: EngineError) -> UiError {
        let spec = &self.context.spec;
        let name = reference.with_host(&spec.authority()).map(|name| name.to_string());
        let error = match name {
            Ok(name) => error.calling_it(&name),
            Err(_) => error,
        };
        let told = UiError::from(&error);
        if told.code == Code::RegistryAuth {
            // Dockline hands its own login to the engine.
            return told.hint(format!("Log in with `dockline login {}` and try again.", spec.name));
        }
        told
    }

    pub(in crate::controller) async fn pull_image(
        &mut self,
        reference: &Reference,
        platform: Option<&str>,
    ) -> Result<Verified, UiError> {
        let engine = self.engine().await?;
        let way = self.reach(&engine).await?;
        if let Some(name) = self.by_name(&way, reference).await?
            && let Some(pulled) = known(self.pull_as(&engine, &name, platform).await)
        {
            let pulled = pulled.map_err(|error| self.told_of(reference, error))?;
            return self.verify_pulled(&engine, &name, reference, &pulled).await;
        }
        let name = self.by_address(&way, reference)?;
        // An engine cannot give a name with a digest in it; such an image keeps the address form.
        let renamed = reference.digest().is_none();
        if renamed {
            self.note(&engine, &name).await?;
        }
        let pulled = self.pull_as(&engine, &name, platform).await;
        let pulled = pulled.map_err(|error| self.told_of(reference, error))?;
        let verified = self.verify_pulled(&engine, &name, reference, &pulled).await?;
        if renamed {
            let named = self.named(reference, &self.context.spec.authority())?;
            engine.tag(&name, &named).await.map_err(told)?;
        }
        Ok(verified)
    }

    /// Compares what was pulled as `name` with what the registry has.
    async fn verify_pulled(
        &self,
        engine: &Engine,
        name: &str,
        reference: &Reference,
        pulled: &EngineDigest,
    ) -> Result<Verified, UiError> {
        let mut verified = self.verify(reference, pulled.digest.as_deref()).await?;
        if !verified.at_registry {
            // Podman does not say what it has pulled; the image does.
            verified.at_registry = engine.has_digest(name, &verified.digest).await.unwrap_or(false);
        }
        Ok(verified)
    }

    /// Remembers that `name` is ours to remove, unless the person gave it.
    async fn note(&mut self, engine: &Engine, name: &str) -> Result<(), UiError> {
        if self.trace.as_ref().is_none_or(|trace| trace.name() != name) {
            let trace = self.context.traces.begin(engine, name).await?;
            // The hosts file may have been edited between two tries: what the first one made goes now.
            if let Some(earlier) = std::mem::replace(&mut self.trace, trace) {
                earlier.remove().await;
            }
        }
        Ok(())
    }

    /// How the engine gets to the registry.
    pub(in crate::controller) async fn reach(&self, engine: &Engine) -> Result<Reach, UiError> {
        let Some((tunnel, _)) = &self.held else { return Ok(Reach::Loopback) };
        let around = self.context.engines.around();
        let flavour = dockline_engine::facts::flavour(engine, &around).await.map_err(told)?;
        // The machine's name is for `podman machine` alone, which nobody starts here.
        reach(&facts::kind(flavour, None), &self.context.spec, &tunnel.view())
    }

    /// What the engine is to call the image: by the registry's name, where this machine knows it.
    async fn by_name(&self, way: &Reach, reference: &Reference) -> Result<Option<String>, UiError> {
        let spec = &self.context.spec;
        // A tunnel for this transfer alone is nothing to name an image after.
        if matches!((way, &self.context.way), (Reach::Only(_), _) | (_, Way::Own(..))) {
            return Ok(None);
        }
        let hosts = read_hosts(&self.context.hosts_file).await;
        names(&hosts, spec).then(|| self.named(reference, &spec.authority())).transpose()
    }

    /// Where it does not, or the engine does not yet: by the registry's address, which every engine on this machine
    /// takes for a registry without TLS; or by what leads there from where the engine is.
    fn by_address(&self, way: &Reach, reference: &Reference) -> Result<String, UiError> {
        match way {
            Reach::Loopback => self.named(reference, &self.context.spec.listen().to_string()),
            Reach::Only(authority) => self.named(reference, authority),
        }
    }

    pub(in crate::controller) fn named(
        &self,
        reference: &Reference,
        authority: &str,
    ) -> Result<String, UiError> {
        let named = reference.with_host(authority);
        named
            .map(|named| named.to_string())
            .map_err(|error| UiError::new(Code::ReferenceInvalid, format!("{error}.")))
    }

    /// An engine says of a layer that is there already neither its size nor its digest; the registry does. And what an
    /// engine has pushed need not be sent again to another repository.
    async fn ask_what_is_stored(&self, engine: &Engine, image: &str, reference: &Reference, digest: &str) {
        let Ok(client) = self.client() else { return };
        let asked = async {
            self.context.figures.latest().stored = client.layer_sizes(reference.repository(), digest).await?;
            let Ok(parts) = engine.parts(image).await else { return Ok(()) };
            let layers: Vec<Digest> = parts.layers.iter().filter_map(|layer| layer.parse().ok()).collect();
            let records = &self.context.records;
            let place = (reference.repository(), reference.tag_or_latest());
            client.learn(place.0, place.1, &layers.iter().collect::<Vec<_>>(), records).await?;
            let records = records.clone();
            // What is not written down is learnt again.
            drop(blocking(move || records.save()).await);
            Ok::<_, RegistryError>(())
        };
        if let Err(error) = asked.await {
            tracing::debug!(%error, "what the registry has made of the layers is not told");
        }
    }
}

/// `None` if the engine does not know the registry's name: it goes by the hosts file of some seconds ago (Go's
/// `net/hosts.go`, `cacheMaxAge`), or has one of its own.
fn known(outcome: Result<EngineDigest, EngineError>) -> Option<Result<EngineDigest, EngineError>> {
    if let Err(EngineError::Refused { cause: Cause::NameUnknown, words, .. }) = &outcome {
        tracing::info!(words, "the engine does not know the registry's name; its address will do");
        return None;
    }
    Some(outcome)
}

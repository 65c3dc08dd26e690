//! The engine itself: a cheap handle on its API.

use crate::{
    Cause, EngineEndpoint, EngineError, Login, Operation,
    cause::Toward,
    events,
    progress::{Evidence, Outcome, TransferProgress},
    store::StorePlace,
    transport::{self, RawBody},
};
use bollard::{
    Docker,
    auth::DockerCredentials,
    errors::Error,
    models::{SystemVersion, SystemVersionComponents},
    query_parameters::{
        CreateImageOptionsBuilder, ListContainersOptions, ListImagesOptionsBuilder, PushImageOptionsBuilder,
        RemoveImageOptionsBuilder, TagImageOptionsBuilder,
    },
};
use dockline_model::{ImageView, LayerView, UnixMillis};
use futures::{Stream, StreamExt};
use secrecy::ExposeSecret as _;
use std::io;
use tokio::sync::oneshot;

/// A running container that is a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryContainer {
    /// Its name.
    pub name: String,
    /// A port of this machine that leads to it.
    pub port: Option<u16>,
}

/// A handle on one engine; clones share nothing but the address, and nothing is dialled before a call.
#[derive(Debug, Clone)]
pub struct Engine {
    endpoint: EngineEndpoint,
    docker: Docker,
    login: Option<Login>,
}

/// What the engine says that it pushed or pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineDigest {
    /// `sha256:…` of the manifest; `None` where the engine does not tell (Podman, after a pull).
    pub digest: Option<String>,
}

/// What a pull may need beside the image's name.
#[derive(Debug, Clone, Default)]
pub struct PullOptions {
    /// `linux/arm64`; the engine's own if absent.
    pub platform: Option<String>,
    /// Name and password for the registry. The engine is given them for this one pull and keeps nothing.
    pub login: Option<(String, secrecy::SecretString)>,
}

/// What an image consists of, as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageParts {
    /// `sha256:…`: of the configuration in Docker's own store, of the manifest or index in containerd's.
    pub id: String,
    /// The diff ids, bottom first.
    pub layers: Vec<String>,
    /// Bytes of all layers, unpacked.
    pub size: u64,
    /// Where its layers can be read one by one, if they can.
    pub store: Option<StorePlace>,
}

impl Engine {
    /// A handle on the engine at `endpoint`; does not dial.
    ///
    /// # Errors
    /// When no client can be made for it, which no known endpoint causes.
    pub fn connect(endpoint: EngineEndpoint) -> Result<Self, EngineError> {
        let docker = transport::typed(&endpoint)
            .map_err(|error| request_failed(&endpoint, Operation::Describe, None, error))?;
        Ok(Self { endpoint, docker, login: None })
    }

    /// The same engine, which is told this login with every push and pull.
    #[must_use]
    pub fn with_login(self, login: Option<Login>) -> Self {
        Self { login, ..self }
    }

    /// What the engine is told for a transfer of that repository. containerd's store takes a login only for the very host
    /// in the image's name (moby, `daemon/containerd/resolver.go`), whichever of the registry's names that is.
    fn credentials(&self, repository: &str) -> Option<DockerCredentials> {
        self.login.as_ref().map(|login| login.at(repository))
    }

    pub(crate) const fn docker(&self) -> &Docker {
        &self.docker
    }

    /// Where it listens.
    #[must_use]
    pub const fn endpoint(&self) -> &EngineEndpoint {
        &self.endpoint
    }

    /// Its name and version: `Docker 20.10.24`, `Podman 4.3.1`.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn describe(&self) -> Result<String, EngineError> {
        let version = self.docker.version().await.map_err(self.failed(Operation::Describe, None))?;
        Ok(name_and_version(&version))
    }

    /// Its images, newest first; those without a name as well.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn images(&self) -> Result<Vec<ImageView>, EngineError> {
        let version = self.docker.version().await.map_err(self.failed(Operation::Describe, None))?;
        let options = ListImagesOptionsBuilder::default().build();
        let images = self.docker.list_images(Some(options)).await;
        let images = images.map_err(self.failed(Operation::ListImages, None))?;
        // Podman has a digest for every name of an image, pushed or not.
        let keeps_record = podman(&version).is_none();
        let mut views: Vec<_> = images
            .into_iter()
            .map(|image| ImageView {
                held_at: if keeps_record { held_at(&image.id, &image.repo_digests) } else { Vec::new() },
                id: image.id,
                // Older engines list a dangling image under this name.
                tags: image.repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").collect(),
                size: u64::try_from(image.size).unwrap_or(0),
                created: unix_millis(image.created),
            })
            .collect();
        views.sort_by(|a, b| b.created.cmp(&a.created).then_with(|| a.tags.cmp(&b.tags)));
        Ok(views)
    }

    /// The digests under which it has pushed or pulled images of these repositories
    /// (`cr.boss.org:5000/app`), the newest image's first.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn digests_of(&self, repositories: &[String]) -> Result<Vec<String>, EngineError> {
        let options = ListImagesOptionsBuilder::default().build();
        let images = self.docker.list_images(Some(options)).await;
        let mut images = images.map_err(self.failed(Operation::ListImages, None))?;
        images.sort_by_key(|image| std::cmp::Reverse(image.created));
        let of_one = |name: String| {
            let (repository, digest) = name.split_once('@')?;
            repositories.iter().any(|known| known == repository).then(|| digest.to_owned())
        };
        Ok(images.into_iter().flat_map(|image| image.repo_digests).filter_map(of_one).collect())
    }

    /// Running containers that are registries, by their image's name.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn registry_containers(&self) -> Result<Vec<RegistryContainer>, EngineError> {
        let containers = self.docker.list_containers(None::<ListContainersOptions>).await;
        let containers = containers.map_err(self.failed(Operation::Describe, None))?;
        let is_registry = |image: &str| {
            let name = image.split('@').next().unwrap_or(image);
            let last = name.rsplit('/').next().unwrap_or(name);
            matches!(last.split(':').next(), Some("registry" | "distribution" | "zot"))
        };
        let registries =
            containers.into_iter().filter(|container| container.image.as_deref().is_some_and(is_registry));
        Ok(registries
            .map(|container| RegistryContainer {
                name: container
                    .names
                    .and_then(|names| names.into_iter().next())
                    .unwrap_or_default()
                    .trim_start_matches('/')
                    .to_owned(),
                port: container.ports.unwrap_or_default().into_iter().find_map(|port| port.public_port),
            })
            .collect())
    }

    /// The `sha256:…` id of an image by any of its names.
    ///
    /// # Errors
    /// When there is no such image, or the engine does not answer.
    pub async fn image_id(&self, reference: &str) -> Result<String, EngineError> {
        let name = Name::parse(reference)?;
        let image = self.docker.inspect_image(name.whole).await;
        let image = image.map_err(self.failed(Operation::Inspect, Some(reference)))?;
        // Every engine sends it; the API merely does not promise to.
        image.id.ok_or_else(|| broken_off(Operation::Inspect, reference, None))
    }

    /// What an image consists of.
    ///
    /// # Errors
    /// When there is no such image, or the engine does not answer.
    pub async fn parts(&self, reference: &str) -> Result<ImageParts, EngineError> {
        let name = Name::parse(reference)?;
        let image = self.docker.inspect_image(name.whole).await;
        let image = image.map_err(self.failed(Operation::Inspect, Some(reference)))?;
        Ok(ImageParts {
            store: StorePlace::of(image.graph_driver.as_ref(), image.config.as_ref()),
            id: image.id.ok_or_else(|| broken_off(Operation::Inspect, reference, None))?,
            layers: image.root_fs.and_then(|root| root.layers).unwrap_or_default(),
            size: u64::try_from(image.size.unwrap_or(0)).unwrap_or(0),
        })
    }

    /// Where the engine keeps its images.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn image_store(&self) -> Result<crate::ImageStore, EngineError> {
        crate::facts::image_store(self).await
    }

    /// Gives the image `source` the further name `reference`, which it takes from any other image.
    ///
    /// # Errors
    /// When there is no such image, or a name is not a reference.
    pub async fn tag(&self, source: &str, reference: &str) -> Result<(), EngineError> {
        let (source, target) = (Name::parse(source)?, Name::parse(reference)?);
        let options = TagImageOptionsBuilder::default().repo(target.repository).tag(target.tag).build();
        let tagged = self.docker.tag_image(source.whole, Some(options)).await;
        tagged.map_err(self.failed(Operation::Tag, Some(source.whole)))
    }

    /// Takes a name from its image and says whether it did: the last name of an image stays, since an engine
    /// deletes an image with its last name.
    ///
    /// # Errors
    /// When there is no such image.
    pub async fn untag(&self, reference: &str) -> Result<bool, EngineError> {
        let name = Name::parse(reference)?;
        let image = self.docker.inspect_image(name.whole).await;
        let image = image.map_err(self.failed(Operation::Untag, Some(reference)))?;
        if image.repo_tags.is_none_or(|tags| tags.len() < 2) {
            return Ok(false);
        }
        let options = RemoveImageOptionsBuilder::default().noprune(true).build();
        let removed = self.docker.remove_image(name.whole, Some(options), None).await;
        removed.map(|_| true).map_err(self.failed(Operation::Untag, Some(reference)))
    }

    /// Pushes `reference` (the tag `latest` if it has none); `progress` is given the layers, the bytes so far and
    /// the bytes in all at each change.
    ///
    /// Dropping the future closes the request, upon which the engine stops its work.
    ///
    /// # Errors
    /// With the cause, found out from the engine's words.
    pub async fn push(
        &self,
        reference: &str,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<EngineDigest, EngineError> {
        let name = Name::parse(reference)?;
        let operation = Operation::Push;
        let (docker, body) = self.diverting(operation, reference)?;
        let options = PushImageOptionsBuilder::default().tag(name.tag).build();
        // Without credentials bollard still sends the header that dockerd before 23 insists on.
        let mut answer = docker.push_image(name.repository, Some(options), self.credentials(name.repository));
        let refusal = async { answer.next().await.and_then(Result::err) };
        let body = self.accepted(operation, reference, body, refusal).await?;
        follow(operation, reference, body, progress).await
    }

    /// Pulls `reference` (the tag `latest` if it has neither tag nor digest); as [`Engine::push`].
    ///
    /// # Errors
    /// With the cause, found out from the engine's words.
    pub async fn pull(
        &self,
        reference: &str,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<EngineDigest, EngineError> {
        self.pull_with(reference, &PullOptions::default(), progress).await
    }

    /// [`Engine::pull`], with options.
    ///
    /// # Errors
    /// With the cause, found out from the engine's words.
    pub async fn pull_with(
        &self,
        reference: &str,
        options: &PullOptions,
        progress: impl FnMut(&[LayerView], u64, u64) + Send,
    ) -> Result<EngineDigest, EngineError> {
        let name = Name::parse(reference)?;
        let operation = Operation::Pull;
        let (docker, body) = self.diverting(operation, reference)?;
        // A digest goes where a tag does (docker/docker `api/server/router/image`).
        let login = options.login.as_ref().map(|(user, password)| {
            Login { user: user.clone(), secret: password.expose_secret().to_owned() }.at(name.repository)
        });
        let platform = options.platform.as_deref().unwrap_or_default();
        let options = CreateImageOptionsBuilder::default().from_image(name.repository).tag(name.tag);
        let options = options.platform(platform).build();
        let mut answer =
            docker.create_image(Some(options), None, login.or_else(|| self.credentials(name.repository)));
        let refusal = async { answer.next().await.and_then(Result::err) };
        let body = self.accepted(operation, reference, body, refusal).await?;
        follow(operation, reference, body, progress).await
    }

    /// An item whenever the images may have changed, or the engine came or went: time to ask again. The first
    /// comes as soon as the engine answers.
    ///
    /// Never ends: it finds the engine again after a restart.
    pub fn events(&self) -> impl Stream<Item = ()> + Send + Unpin + use<> {
        events::changes(self.endpoint.clone())
    }

    fn diverting(
        &self,
        operation: Operation,
        reference: &str,
    ) -> Result<(Docker, oneshot::Receiver<RawBody>), EngineError> {
        transport::diverting(&self.endpoint).map_err(self.failed(operation, Some(reference)))
    }

    /// Waits until the engine accepts the transfer and its answer begins, or refuses it.
    async fn accepted(
        &self,
        operation: Operation,
        reference: &str,
        body: oneshot::Receiver<RawBody>,
        refusal: impl Future<Output = Option<Error>>,
    ) -> Result<RawBody, EngineError> {
        tokio::select! {
            biased;
            Ok(body) = body => Ok(body),
            refusal = refusal => Err(match refusal {
                Some(error) => self.failed(operation, Some(reference))(error),
                None => broken_off(operation, reference, None),
            }),
        }
    }

    pub(crate) fn failed(
        &self,
        operation: Operation,
        reference: Option<&str>,
    ) -> impl Fn(Error) -> EngineError {
        move |error| request_failed(&self.endpoint, operation, reference, error)
    }
}

/// Reads the answer of a transfer to its end.
async fn follow(
    operation: Operation,
    reference: &str,
    mut body: RawBody,
    mut report: impl FnMut(&[LayerView], u64, u64) + Send,
) -> Result<EngineDigest, EngineError> {
    let mut progress = TransferProgress::default();
    let mut broken = None;
    while let Some(chunk) = body.chunk().await {
        match chunk {
            Ok(bytes) => {
                if progress.feed(&bytes) {
                    report(progress.layers(), progress.current(), progress.total());
                }
            }
            Err(error) => {
                broken = Some(error);
                break;
            }
        }
    }
    if progress.finish() {
        report(progress.layers(), progress.current(), progress.total());
    }
    match progress.outcome() {
        Outcome::Failed { words } => Err(refusal(operation, reference, words, progress.evidence())),
        Outcome::Completed { digest } if broken.is_none() || digest.is_some() => Ok(EngineDigest { digest }),
        Outcome::Completed { .. } | Outcome::CutShort => Err(broken_off(operation, reference, broken)),
    }
}

pub(crate) fn broken_off(operation: Operation, reference: &str, source: Option<hyper::Error>) -> EngineError {
    EngineError::BrokenOff { operation, reference: reference.to_owned(), source }
}

pub(crate) fn refusal(
    operation: Operation,
    reference: &str,
    words: String,
    evidence: Evidence,
) -> EngineError {
    let toward = if operation == Operation::Push { Toward::Registry } else { Toward::Engine };
    let cause = Cause::of(&words, toward, evidence);
    EngineError::Refused { operation, reference: reference.to_owned(), cause, words }
}

pub(crate) fn request_failed(
    endpoint: &EngineEndpoint,
    operation: Operation,
    reference: Option<&str>,
    error: Error,
) -> EngineError {
    match (error, reference) {
        (Error::IOError { err }, _) if is_refused_dial(&err) => {
            EngineError::Connect { endpoint: endpoint.clone(), source: err }
        }
        (Error::DockerResponseServerError { message, .. }, Some(reference)) => {
            refusal(operation, reference, message, Evidence::default())
        }
        (other, _) => EngineError::Request { operation, source: Box::new(other) },
    }
}

/// Whether it is the connection that failed: nothing else in a request ends in one of these.
fn is_refused_dial(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::Unsupported
    )
}

/// The repositories that dockerd's own store knows to have the image: it notes the manifest's digest with each push and
/// pull. containerd's store says the digest that is the image's id of every name, pushed or not.
fn held_at(id: &str, repo_digests: &[String]) -> Vec<String> {
    let exchanged = |name: &String| {
        let (repository, digest) = name.split_once('@')?;
        (digest != id && repository != "<none>").then(|| repository.to_owned())
    };
    repo_digests.iter().filter_map(exchanged).collect()
}

fn podman(version: &SystemVersion) -> Option<&SystemVersionComponents> {
    version.components.iter().flatten().find(|part| part.name.contains("Podman"))
}

/// `Docker 20.10.24+dfsg1` is what Debian says; the part after `+` tells a person nothing.
fn name_and_version(version: &SystemVersion) -> String {
    let (name, number) = match podman(version) {
        Some(part) => ("Podman", Some(part.version.as_str())),
        None => ("Docker", version.version.as_deref()),
    };
    let number = number.and_then(|number| number.split('+').next()).unwrap_or_default();
    format!("{name} {number}").trim_end().to_owned()
}

fn unix_millis(seconds: i64) -> UnixMillis {
    UnixMillis(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000))
}

/// A reference as the engine's API wants it: in two parts.
pub(crate) struct Name<'a> {
    pub(crate) whole: &'a str,
    repository: &'a str,
    /// Tag or digest.
    tag: &'a str,
}

impl<'a> Name<'a> {
    /// Takes `reference` apart. Its grammar is the engine's to check; here only what could leave its place in the
    /// request's path is refused.
    pub(crate) fn parse(reference: &'a str) -> Result<Self, EngineError> {
        let stays_in_place = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/@+".contains(&byte);
        let is_step = |part: &str| part.is_empty() || part.bytes().all(|byte| byte == b'.');
        if !reference.bytes().all(stays_in_place) || reference.split('/').any(is_step) {
            return Err(EngineError::Reference(reference.to_owned()));
        }
        let (repository, tag) = match reference.split_once('@') {
            Some(parts) => parts,
            // A colon before the last slash belongs to the registry's port.
            None => match reference.rsplit_once(':') {
                Some((repository, tag)) if !tag.contains('/') => (repository, tag),
                Some(_) | None => (reference, "latest"),
            },
        };
        if repository.is_empty() || tag.is_empty() {
            return Err(EngineError::Reference(reference.to_owned()));
        }
        Ok(Self { whole: reference, repository, tag })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_taken_apart_and_cannot_leave_its_place() {
        let is = |text: &str, repository: &str, tag: &str| {
            let name = Name::parse(text).unwrap();
            assert_eq!((name.repository, name.tag), (repository, tag));
        };
        is("app", "app", "latest");
        is("cr.boss.org:5000/team/app:v1", "cr.boss.org:5000/team/app", "v1");
        is("cr.boss.org:5000/app", "cr.boss.org:5000/app", "latest");
        is("cr.boss.org/app@sha256:00", "cr.boss.org/app", "sha256:00");
        for bad in
            ["", "../containers", "a/../../b", "a//b", "a?b", "a#b", "a b", "a%2fb", "app:", ":v1", "ä"]
        {
            assert!(matches!(Name::parse(bad), Err(EngineError::Reference(_))), "{bad:?} was accepted");
        }
    }
}

//! The engine itself: a cheap handle on its API.

use crate::{
    EngineEndpoint, EngineError, Login, Operation, events,
    failure::{broken_off, request_failed},
    name::Name,
    store::StorePlace,
    transport,
};
use bollard::{
    Docker,
    errors::Error,
    models::{SystemVersion, SystemVersionComponents},
    query_parameters::{
        ListContainersOptions, ListImagesOptionsBuilder, RemoveImageOptionsBuilder, TagImageOptionsBuilder,
    },
};
use bytes::Bytes;
use dockline_model::{ImageView, UnixMillis};
use futures::Stream;
use hyper::Request;

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
    pub(crate) endpoint: EngineEndpoint,
    docker: Docker,
    pub(crate) login: Option<Login>,
}

/// What an image consists of, as the engine knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageParts {
    /// `sha256:…`: of the configuration in Docker's own store, of the manifest or index in containerd's.
    pub id: String,
    /// The diff ids, bottom first.
    pub layers: Vec<String>,
    /// What it runs on, in Go's words.
    pub os: String,
    /// As `os`.
    pub architecture: String,
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

    /// What it runs on, in Go's words: `linux`, `amd64`.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn platform(&self) -> Result<(String, String), EngineError> {
        let version = self.docker.version().await.map_err(self.failed(Operation::Describe, None))?;
        Ok((version.os.unwrap_or_default(), version.arch.unwrap_or_default()))
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

    /// Whether the image of that name is, as the engine knows it, the one with that manifest: Podman says of a pull only
    /// that it has ended, and notes the digests with the image.
    ///
    /// # Errors
    /// When there is no such image, or the engine does not answer.
    pub async fn has_digest(&self, reference: &str, digest: &str) -> Result<bool, EngineError> {
        let name = Name::parse(reference)?;
        let image = self.docker.inspect_image(name.whole).await;
        let image = image.map_err(self.failed(Operation::Inspect, Some(reference)))?;
        let of_this = |noted: &String| {
            noted
                .split_once('@')
                .is_some_and(|(repository, it)| repository == name.repository && it == digest)
        };
        Ok(image.repo_digests.is_some_and(|noted| noted.iter().any(of_this)))
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
            os: image.os.unwrap_or_default(),
            architecture: image.architecture.unwrap_or_default(),
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

    /// Whether Podman has a list of images (`podman manifest create`) under that name: of that it hands over this machine's
    /// image alone.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn is_list(&self, reference: &str) -> Result<bool, EngineError> {
        let name = Name::parse(reference)?;
        // Podman's own API, which has no paths without a version; this one is there since 3.0.
        let path = format!("/v3.0.0/libpod/manifests/{}/exists", name.whole);
        let asked = async {
            transport::open(&self.endpoint, Request::get(path).body(bollard::body_full(Bytes::new()))?).await
        };
        match asked.await {
            Ok(_) => Ok(true),
            // 404 of what is not there, and 500 of an image.
            Err(Error::DockerResponseServerError { .. }) => Ok(false),
            Err(error) => Err(self.failed(Operation::Inspect, Some(reference))(error)),
        }
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

    /// An item whenever the images may have changed, or the engine came or went: time to ask again. The first
    /// comes as soon as the engine answers.
    ///
    /// Never ends: it finds the engine again after a restart.
    pub fn events(&self) -> impl Stream<Item = ()> + Send + Unpin + use<> {
        events::changes(self.endpoint.clone())
    }

    pub(crate) fn failed(
        &self,
        operation: Operation,
        reference: Option<&str>,
    ) -> impl Fn(Error) -> EngineError {
        move |error| request_failed(&self.endpoint, operation, reference, error)
    }
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

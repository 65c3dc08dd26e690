//! Looking inside: what a manifest is made of, and what refers to it.

use super::{Client, referrers::fallback_tag, room::AT_ONCE};
use crate::{Digest, Manifest, RegistryError, media, reference};
use dockline_model::{BlobView, ConfigView, ManifestKind, ManifestView, PlatformView, ReferrerView};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A configuration with a long history has some 100 KiB.
const LARGEST_CONFIG: u64 = 8 << 20;

/// As much of a manifest or index as is to be seen; both at once, since a wrong media type is common.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Document {
    artifact_type: Option<String>,
    config: Option<Part>,
    layers: Vec<Part>,
    pub(super) manifests: Vec<Part>,
    subject: Option<Part>,
    annotations: Option<BTreeMap<String, String>>,
}

/// A descriptor (image-spec, descriptor.md).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Part {
    #[serde(default)]
    media_type: String,
    pub(super) digest: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Platform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Platform {
    fn shown(&self) -> Option<String> {
        if self.os.is_empty() || self.architecture.is_empty() || self.os == "unknown" {
            return None;
        }
        let variant = self.variant.as_ref().filter(|variant| !variant.is_empty());
        let variant = variant.map_or_else(String::new, |variant| format!("/{variant}"));
        Some(format!("{}/{}{variant}", self.os, self.architecture))
    }
}

impl Part {
    fn is_attestation(&self) -> bool {
        self.annotations.as_ref().is_some_and(|all| all.contains_key("vnd.docker.reference.type"))
            || self.platform.as_ref().is_some_and(|platform| platform.os == "unknown")
    }
}

/// An image's configuration (image-spec, config.md; docker's has the same names).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    created: Option<String>,
    #[serde(flatten)]
    platform: Platform,
    config: Option<Running>,
    history: Vec<Step>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Running {
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    exposed_ports: Option<BTreeMap<String, serde_json::Value>>,
    user: Option<String>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Step {
    created_by: String,
    empty_layer: bool,
}

/// The blobs of one manifest: each digest with its bytes.
pub(super) type Blobs = BTreeMap<String, u64>;

impl Client {
    /// What a tag or digest names, and what that is made of.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::DigestMismatch`].
    pub async fn look_at(&self, repository: &str, reference: &str) -> Result<ManifestView, RegistryError> {
        let manifest = self.get_manifest(repository, reference).await?;
        if media::is_schema_one(&manifest.media_type) {
            let shown = super::manifest::image_name(repository, reference);
            return Err(super::manifest::unsupported(&shown, &manifest.media_type));
        }
        let document = self.document(&manifest)?;
        let separator = if reference.contains(':') { '@' } else { ':' };
        let mut view = ManifestView {
            reference: format!("{}/{repository}{separator}{reference}", self.authority()),
            digest: manifest.digest.to_string(),
            media_type: manifest.media_type.clone(),
            kind: kind(&manifest, &document),
            size: manifest.bytes.len() as u64,
            content_size: 0,
            created: None,
            artifact_type: document.artifact_type.clone(),
            subject: document.subject.as_ref().map(|subject| subject.digest.clone()),
            images: Vec::new(),
            layers: document.layers.iter().map(|part| blob_view(part, None)).collect(),
            config: None,
            annotations: document.annotations.clone().unwrap_or_default(),
        };
        match view.kind {
            ManifestKind::Index => self.fill_index(repository, &document, &mut view).await?,
            ManifestKind::Image => self.fill_image(repository, &document, &mut view).await?,
            ManifestKind::Artifact => {
                let config = document.config.as_ref().map(|config| config.media_type.clone());
                view.artifact_type = view.artifact_type.or(config);
                view.content_size = blobs(&document).values().sum();
            }
        }
        Ok(view)
    }

    async fn fill_index(
        &self,
        repository: &str,
        document: &Document,
        view: &mut ManifestView,
    ) -> Result<(), RegistryError> {
        let reads = document.manifests.iter().map(|part| async move {
            match self.get_manifest(repository, &part.digest).await {
                Ok(manifest) => Ok((part, Some(blobs(&self.document(&manifest)?)))),
                // Copies of one platform alone leave the others out.
                Err(RegistryError::NotFound { .. }) => Ok((part, None)),
                Err(error) => Err(error),
            }
        });
        let reads: Vec<_> = reads.collect();
        let read: Vec<(&Part, Option<Blobs>)> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        let mut all = Blobs::new();
        for (part, blobs) in read {
            view.images.push(PlatformView {
                platform: part.platform.as_ref().and_then(Platform::shown),
                digest: part.digest.clone(),
                media_type: part.media_type.clone(),
                content_size: blobs.as_ref().map(|blobs| blobs.values().sum()),
                is_attestation: part.is_attestation(),
            });
            all.extend(blobs.unwrap_or_default());
        }
        view.content_size = all.values().sum();
        Ok(())
    }

    async fn fill_image(
        &self,
        repository: &str,
        document: &Document,
        view: &mut ManifestView,
    ) -> Result<(), RegistryError> {
        view.content_size = blobs(document).values().sum();
        let Some(part) = &document.config else { return Ok(()) };
        let config = self.config(repository, part).await?;
        let steps: Vec<&Step> = config.history.iter().filter(|step| !step.empty_layer).collect();
        if steps.len() == document.layers.len() {
            view.layers =
                document.layers.iter().zip(steps).map(|(part, step)| blob_view(part, Some(step))).collect();
        }
        view.created = config.created;
        view.images = vec![PlatformView {
            platform: config.platform.shown(),
            digest: view.digest.clone(),
            media_type: view.media_type.clone(),
            content_size: Some(view.content_size),
            is_attestation: false,
        }];
        let running = config.config.unwrap_or_default();
        view.config = Some(ConfigView {
            digest: part.digest.clone(),
            size: part.size,
            entrypoint: running.entrypoint.unwrap_or_default(),
            command: running.cmd.unwrap_or_default(),
            environment: running.env.unwrap_or_default(),
            ports: running.exposed_ports.unwrap_or_default().into_keys().collect(),
            user: running.user.filter(|user| !user.is_empty()),
            folder: running.working_dir.filter(|folder| !folder.is_empty()),
            labels: running.labels.unwrap_or_default(),
        });
        Ok(())
    }

    /// The platform in an image's configuration: system, architecture and variant. `None` where it says none, or the
    /// manifest is no image's.
    pub(super) async fn built_for(
        &self,
        repository: &str,
        manifest: &Manifest,
    ) -> Result<Option<(String, String, Option<String>)>, RegistryError> {
        let document = self.document(manifest)?;
        let (ManifestKind::Image, Some(part)) = (kind(manifest, &document), &document.config) else {
            return Ok(None);
        };
        let Platform { os, architecture, variant } = self.config(repository, part).await?.platform;
        let says_it = !os.is_empty() && !architecture.is_empty();
        Ok(says_it.then(|| (os, architecture, variant.filter(|variant| !variant.is_empty()))))
    }

    async fn config(&self, repository: &str, part: &Part) -> Result<Config, RegistryError> {
        let digest: Digest = part.digest.parse().map_err(reference::InvalidReference::from)?;
        if part.size > LARGEST_CONFIG {
            return Err(self.protocol(format!("a configuration of {} bytes", part.size)));
        }
        let mut bytes = Vec::new();
        self.pull_blob(repository, &digest, part.size, &mut bytes, |_| ()).await.map_err(
            |error| match error {
                super::PullError::Registry(error) => error,
                super::PullError::Write(source) => RegistryError::Source { source },
            },
        )?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.protocol(format!("the image's configuration does not read: {error}")))
    }

    /// What refers to a manifest: signatures, attestations and the like (distribution-spec, "Listing Referrers"),
    /// by the tag that stands in for that where the registry does not know the question.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn list_referrers(
        &self,
        repository: &str,
        digest: &Digest,
    ) -> Result<Vec<ReferrerView>, RegistryError> {
        let mut found = Vec::new();
        let take = |page: Document| found.extend(page.manifests);
        if !self.referrer_pages(repository, digest, take).await? {
            // "Unavailable Referrers API": the referrers tag schema.
            match self.get_manifest(repository, &fallback_tag(digest)).await {
                Ok(manifest) => {
                    let index: Document = serde_json::from_slice(&manifest.bytes).map_err(|error| {
                        self.protocol(format!("its list of referrers does not read: {error}"))
                    })?;
                    found = index.manifests;
                }
                Err(RegistryError::NotFound { .. }) => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        let view = |part: Part| ReferrerView {
            digest: part.digest,
            media_type: part.media_type,
            artifact_type: part.artifact_type,
            size: part.size,
            annotations: part.annotations.unwrap_or_default(),
        };
        Ok(found.into_iter().map(view).collect())
    }

    pub(super) fn document(&self, manifest: &Manifest) -> Result<Document, RegistryError> {
        serde_json::from_slice(&manifest.bytes).map_err(|error| {
            self.protocol(format!("the manifest {} does not read: {error}", manifest.digest.short()))
        })
    }
}

fn kind(manifest: &Manifest, document: &Document) -> ManifestKind {
    let is_image =
        |kind: &str| matches!(kind, media::DOCKER_CONFIG | "application/vnd.oci.image.config.v1+json");
    if media::is_index(&manifest.media_type) {
        ManifestKind::Index
    } else if document.config.as_ref().is_some_and(|config| is_image(&config.media_type))
        && document.artifact_type.is_none()
    {
        ManifestKind::Image
    } else {
        ManifestKind::Artifact
    }
}

/// Configuration and layers; a layer that is in an image twice is stored once.
pub(super) fn blobs(document: &Document) -> Blobs {
    document.config.iter().chain(&document.layers).map(|part| (part.digest.clone(), part.size)).collect()
}

/// The line of the Dockerfile. Docker's builder writes what runs nothing behind the shell that would run it
/// (docker/docker `builder/dockerfile`); `docker history` leaves that out, too.
fn instruction(created_by: &str) -> String {
    let line = created_by.strip_prefix("/bin/sh -c #(nop)").map_or(created_by, str::trim_start);
    line.trim_end().to_owned()
}

fn blob_view(part: &Part, step: Option<&Step>) -> BlobView {
    BlobView {
        digest: part.digest.clone(),
        media_type: part.media_type.clone(),
        size: part.size,
        created_by: step.map(|step| instruction(&step.created_by)).filter(|step| !step.is_empty()),
    }
}

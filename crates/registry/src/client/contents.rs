//! Looking inside: repositories and tags by the page, what a manifest is made of, what refers to it, and the room
//! that repositories take.

use super::{Client, exchange::header};
use crate::{Digest, Manifest, Operation, RegistryError, media, reference};
use dockline_model::{
    BlobView, ConfigView, DeletePlan, ManifestKind, ManifestView, NamePage, PlatformView, ReferrerView,
    RegistryUsage, RepositoryUsage,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A page unless it is asked for otherwise: what a window shows at once, and a tunnel carries in no time.
const PAGE: u32 = 200;
/// Pages while everything is read.
const LARGE_PAGE: u32 = 1000;
/// Manifests read at once: enough to hide the way there and back, too few to trouble a small host.
const AT_ONCE: usize = 8;
/// A list of 100,000 tags of the greatest length has 13 MiB.
const LONGEST_LIST: usize = 16 << 20;
/// A configuration with a long history has some 100 KiB.
const LARGEST_CONFIG: u64 = 8 << 20;
/// How long a list that came in one piece is cut into pages from memory.
const KEPT: Duration = Duration::from_secs(60);

/// A list that a registry sent whole although it was asked for a page (registry 2.8 does so with tags).
#[derive(Debug, Clone, Default)]
pub(super) struct WholeList(Arc<Mutex<Option<Kept>>>);

#[derive(Debug)]
struct Kept {
    path: String,
    names: Vec<String>,
    since: Instant,
}

impl WholeList {
    fn keep(&self, path: &str, names: Vec<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Kept { path: path.to_owned(), names, since: Instant::now() });
    }

    /// What follows `last`, if the list is there and not too old.
    fn after(&self, path: &str, last: &str) -> Option<Vec<String>> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.as_ref().filter(|kept| kept.path == path && kept.since.elapsed() < KEPT)?;
        let at = kept.names.iter().position(|name| name == last)?;
        Some(kept.names[at + 1..].to_vec())
    }
}

#[derive(Deserialize)]
struct Names {
    // `null` for a repository whose last tag is gone (registry 2.8).
    #[serde(default, alias = "repositories")]
    tags: Option<Vec<String>>,
}

/// As much of a manifest or index as is to be seen; both at once, since a wrong media type is common.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Document {
    artifact_type: Option<String>,
    config: Option<Part>,
    layers: Vec<Part>,
    manifests: Vec<Part>,
    subject: Option<Part>,
    annotations: Option<BTreeMap<String, String>>,
}

/// A descriptor (image-spec, descriptor.md).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    #[serde(default)]
    media_type: String,
    digest: String,
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
type Blobs = BTreeMap<String, u64>;

impl Client {
    /// A page of the registry's repositories (`/v2/_catalog`: distribution's, not in the OCI specification), from the
    /// beginning or from where [`NamePage::next`] says. A registry may cut pages shorter than `limit`.
    ///
    /// # Errors
    /// [`RegistryError::NoCatalogue`] where it keeps none, or shows it to nobody.
    pub async fn repositories(
        &self,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<NamePage, RegistryError> {
        let listed = self.names("/v2/_catalog", "catalogue", after, limit).await;
        if let Err(
            RegistryError::NotFound { details, .. }
            | RegistryError::Denied { details, .. }
            | RegistryError::Failed { details, status: 400 | 404..=406 | 501, .. },
        ) = listed
        {
            return Err(RegistryError::NoCatalogue { details });
        }
        listed
    }

    /// A page of a repository's tags.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] when there is no such repository.
    pub async fn tag_page(
        &self,
        repository: &str,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<NamePage, RegistryError> {
        reference::check_repository(repository)?;
        let what = format!("repository {repository}");
        self.names(&format!("/v2/{repository}/tags/list"), &what, after, limit).await
    }

    /// `after` is the query of the next page: what the registry's `Link` said, or made here in the same form.
    async fn names(
        &self,
        path: &str,
        what: &str,
        after: Option<&str>,
        limit: Option<u32>,
    ) -> Result<NamePage, RegistryError> {
        let limit = limit.unwrap_or(PAGE).clamp(1, 10_000);
        let last = after.and_then(last_of);
        if let Some(names) = last.as_deref().and_then(|last| self.whole.after(path, last)) {
            return Ok(cut(names, limit));
        }
        let mut url = self.url(path);
        match after {
            Some(query) => url.set_query(Some(query)),
            None => url.set_query(Some(&format!("n={limit}"))),
        }
        let operation = Operation::List;
        let response = self.send(operation, self.get(url.clone())).await?;
        if response.status() != StatusCode::OK {
            return Err(self.failure(operation, what, response).await);
        }
        // RFC 5988, as the distribution-spec has it: `</v2/app/tags/list?last=x>; rel="next"`.
        let next = header(&response, "link")
            .filter(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))
            .and_then(|link| Some(link.split_once('<')?.1.split_once('>')?.0.to_owned()))
            .and_then(|target| url.join(&target).ok())
            .and_then(|target| target.query().map(str::to_owned))
            .filter(|next| Some(next.as_str()) != url.query());
        let bytes = self.body(operation, response, LONGEST_LIST).await?;
        let names: Names = serde_json::from_slice(&bytes)
            .map_err(|error| self.protocol(format!("its list does not read: {error}")))?;
        let mut names = names.tags.unwrap_or_default();
        if next.is_some() {
            return Ok(NamePage { names, next });
        }
        // Whoever does not cut lists sends all of it again, whatever was asked for.
        if names.len() > usize::try_from(limit).unwrap_or(usize::MAX) {
            self.whole.keep(path, names.clone());
        }
        if let Some(at) = last.and_then(|last| names.iter().position(|name| *name == last)) {
            names.drain(..=at);
        }
        Ok(cut(names, limit))
    }

    /// Every name there is, page after page.
    async fn all(&self, repository: Option<&str>) -> Result<Vec<String>, RegistryError> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = match repository {
                Some(repository) => self.tag_page(repository, after.as_deref(), Some(LARGE_PAGE)).await?,
                None => self.repositories(after.as_deref(), Some(LARGE_PAGE)).await?,
            };
            let is_stuck = page.names.is_empty();
            all.extend(page.names);
            after = page.next;
            if after.is_none() || is_stuck {
                return Ok(all);
            }
        }
    }

    /// What a tag or digest names, and what that is made of.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::DigestMismatch`].
    pub async fn look_at(&self, repository: &str, reference: &str) -> Result<ManifestView, RegistryError> {
        let manifest = self.get_manifest(repository, reference).await?;
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
        reference::check_repository(repository)?;
        let operation = Operation::List;
        let url = self.url(&format!("/v2/{repository}/referrers/{digest}"));
        let response = self.send(operation, self.get(url).header("accept", media::OCI_INDEX)).await?;
        let bytes = match response.status() {
            StatusCode::OK => self.body(operation, response, LONGEST_LIST).await?,
            // "Unavailable Referrers API": the referrers tag schema.
            StatusCode::NOT_FOUND => {
                let tag = format!("{}-{}", digest.algorithm().as_str(), digest.hex());
                match self.get_manifest(repository, &tag).await {
                    Ok(manifest) => manifest.bytes,
                    Err(RegistryError::NotFound { .. }) => return Ok(Vec::new()),
                    Err(error) => return Err(error),
                }
            }
            _ => return Err(self.failure(operation, &format!("repository {repository}"), response).await),
        };
        let index: Document = serde_json::from_slice(&bytes)
            .map_err(|error| self.protocol(format!("its list of referrers does not read: {error}")))?;
        let view = |part: Part| ReferrerView {
            digest: part.digest,
            media_type: part.media_type,
            artifact_type: part.artifact_type,
            size: part.size,
            annotations: part.annotations.unwrap_or_default(),
        };
        Ok(index.manifests.into_iter().map(view).collect())
    }

    /// Deletes a manifest, and with it every tag that names it (distribution-spec end-9). Its layers stay until the
    /// registry's garbage collection finds that nothing uses them.
    ///
    /// # Errors
    /// [`RegistryError::NoDelete`] where that is switched off, as it is by default.
    pub async fn delete_manifest(&self, repository: &str, digest: &Digest) -> Result<(), RegistryError> {
        reference::check_repository(repository)?;
        let operation = Operation::Delete;
        let url = self.url(&format!("/v2/{repository}/manifests/{digest}"));
        let response = self.send(operation, self.request(Method::DELETE, url)).await?;
        match response.status() {
            StatusCode::ACCEPTED | StatusCode::OK | StatusCode::NO_CONTENT => Ok(()),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
                let error = self.failure(operation, "", response).await;
                let (RegistryError::Denied { details, .. } | RegistryError::Failed { details, .. }) = error
                else {
                    return Err(error);
                };
                Err(RegistryError::NoDelete { details })
            }
            _ => Err(self.failure(operation, &format!("image {repository}@{digest}"), response).await),
        }
    }

    /// What deleting `reference` would take away and free; nothing is deleted. Looks at every tag of the repository.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], and what the registry says.
    pub async fn plan_delete(&self, repository: &str, reference: &str) -> Result<DeletePlan, RegistryError> {
        let target = self.get_manifest(repository, reference).await?;
        let tags = self.all(Some(repository)).await?;
        let reads: Vec<_> = tags.iter().map(|tag| self.read_tag(repository, tag)).collect();
        let read: Vec<Option<Manifest>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        let mut named = Vec::new();
        let mut others: BTreeMap<Digest, Manifest> = BTreeMap::new();
        for (tag, manifest) in tags.into_iter().zip(read) {
            match manifest {
                Some(manifest) if manifest.digest == target.digest => named.push(tag),
                Some(manifest) => drop(others.insert(manifest.digest.clone(), manifest)),
                None => {}
            }
        }
        let mut used = BTreeSet::new();
        let mut holders = Vec::new();
        for (digest, other) in &others {
            let document = self.document(other)?;
            if document.manifests.iter().any(|part| part.digest == target.digest.to_string()) {
                holders.push(digest.clone());
            }
            used.extend(self.reachable(repository, other).await?.into_keys());
        }
        let own = self.reachable(repository, &target).await?;
        let bytes = |shared: bool| {
            own.iter().filter(|(digest, _)| used.contains(*digest) == shared).map(|(_, size)| size).sum()
        };
        let mut notes = vec![
            "Deleting removes the image from the registry's lists. Its layers stay on the registry's disk until its \
             garbage collection runs there."
                .to_owned(),
            "Other repositories of the registry may use the same layers; what they use is not freed either.".to_owned(),
        ];
        if named.len() > 1 {
            notes.insert(0, format!("{} tags name this image, and all of them go with it.", named.len()));
        }
        if media::is_index(&target.media_type) {
            notes.push(
                "It is a list of images for several platforms: the list goes, and the images in it stay in the \
                 registry without a name until its garbage collection takes untagged images too."
                    .to_owned(),
            );
        }
        if !holders.is_empty() {
            notes.insert(
                0,
                "A multi-platform image of this repository contains it, and would be broken.".to_owned(),
            );
        }
        Ok(DeletePlan {
            repository: repository.to_owned(),
            reference: reference.to_owned(),
            digest: target.digest.to_string(),
            tags: named,
            unused_bytes: bytes(false),
            shared_bytes: bytes(true),
            notes,
        })
    }

    /// How much room each repository takes, by what their tags lead to. `progress` gets the repositories done, all of
    /// them, and the tags looked at.
    ///
    /// # Errors
    /// [`RegistryError::NoCatalogue`], and what the registry says.
    pub async fn usage(
        &self,
        mut progress: impl FnMut(u64, u64, u64) + Send,
    ) -> Result<RegistryUsage, RegistryError> {
        let repositories = self.all(None).await?;
        let total = repositories.len() as u64;
        // Each blob: its bytes, and in how many repositories it is.
        let mut everywhere: BTreeMap<String, (u64, u32)> = BTreeMap::new();
        let mut found: Vec<(RepositoryUsage, Blobs)> = Vec::new();
        let mut seen = 0;
        for (done, repository) in repositories.into_iter().enumerate() {
            progress(done as u64, total, seen);
            let tags = match self.all(Some(&repository)).await {
                Ok(tags) => tags,
                // The catalogue keeps names whose last image is gone.
                Err(RegistryError::NotFound { .. }) => Vec::new(),
                Err(error) => return Err(error),
            };
            let mut usage = RepositoryUsage { tags: tags.len() as u64, ..RepositoryUsage::default() };
            let (mut manifests, mut blobs) = (BTreeSet::new(), Blobs::new());
            let reads: Vec<_> = tags.iter().map(|tag| self.read_tag(&repository, tag)).collect();
            let mut reads = stream::iter(reads).buffer_unordered(AT_ONCE);
            while let Some(manifest) = reads.next().await {
                seen += 1;
                if seen % 50 == 0 {
                    progress(done as u64, total, seen);
                }
                match manifest? {
                    Some(manifest) if manifests.insert(manifest.digest.to_string()) => {
                        let reachable = self.reachable(&repository, &manifest).await?;
                        blobs.extend(reachable);
                    }
                    Some(_) => {}
                    None => usage.unread += 1,
                }
            }
            drop(reads);
            usage.manifests = manifests.len() as u64;
            usage.repository = repository;
            for (digest, size) in &blobs {
                everywhere.entry(digest.clone()).or_insert((*size, 0)).1 += 1;
            }
            found.push((usage, blobs));
        }
        progress(total, total, seen);
        let mut repositories: Vec<RepositoryUsage> = found
            .into_iter()
            .map(|(mut usage, blobs)| {
                for (digest, size) in blobs {
                    match everywhere.get(&digest) {
                        Some((_, 2..)) => usage.shared_bytes += size,
                        Some(_) | None => usage.unique_bytes += size,
                    }
                }
                usage
            })
            .collect();
        repositories.sort_by_key(|usage| std::cmp::Reverse(usage.unique_bytes + usage.shared_bytes));
        Ok(RegistryUsage { repositories, total_bytes: everywhere.values().map(|(size, _)| size).sum() })
    }

    /// `None` for what is gone meanwhile or is of no kind that reads.
    async fn read_tag(&self, repository: &str, tag: &str) -> Result<Option<Manifest>, RegistryError> {
        match self.get_manifest(repository, tag).await {
            Ok(manifest) => Ok(Some(manifest)),
            Err(RegistryError::NotFound { .. } | RegistryError::DigestMismatch { .. }) => Ok(None),
            // A tag that the registry itself cannot read (half deleted, schema 1) is no reason to stop.
            Err(RegistryError::Failed { status, .. }) if status < 500 => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Everything a manifest needs: its own bytes, its blobs, and those of the images it lists.
    async fn reachable(&self, repository: &str, manifest: &Manifest) -> Result<Blobs, RegistryError> {
        let document = self.document(manifest)?;
        let mut all = blobs(&document);
        all.insert(manifest.digest.to_string(), manifest.bytes.len() as u64);
        let reads: Vec<_> =
            document.manifests.iter().map(|part| self.read_tag(repository, &part.digest)).collect();
        let images: Vec<Option<Manifest>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        for image in images.into_iter().flatten() {
            all.insert(image.digest.to_string(), image.bytes.len() as u64);
            // An index inside an index is allowed and unheard of; its own entries are not followed.
            all.extend(blobs(&self.document(&image)?));
        }
        Ok(all)
    }

    fn document(&self, manifest: &Manifest) -> Result<Document, RegistryError> {
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
fn blobs(document: &Document) -> Blobs {
    document.config.iter().chain(&document.layers).map(|part| (part.digest.clone(), part.size)).collect()
}

fn blob_view(part: &Part, step: Option<&Step>) -> BlobView {
    BlobView {
        digest: part.digest.clone(),
        media_type: part.media_type.clone(),
        size: part.size,
        created_by: step.map(|step| step.created_by.clone()).filter(|step| !step.is_empty()),
    }
}

/// The first `limit` names, and where to go on after them.
fn cut(mut names: Vec<String>, limit: u32) -> NamePage {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if names.len() <= limit {
        return NamePage { names, next: None };
    }
    names.truncate(limit);
    let next = names.last().map(|last| {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("n", &limit.to_string())
            .append_pair("last", last)
            .finish()
    });
    NamePage { names, next }
}

/// The name after which a page begins.
fn last_of(query: &str) -> Option<String> {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(key, _)| key == "last")
        .map(|(_, last)| last.into_owned())
}

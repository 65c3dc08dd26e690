//! Manifests, tags and the catalogue.

use super::{Client, exchange::header};
use crate::{Algorithm, Digest, Operation, RegistryError, digest::Hasher, media, reference};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use std::collections::HashSet;

/// What registries accept at most (distribution-spec, "Pushing Manifests": at least 4 MiB; distribution's own
/// limit is the same).
const LARGEST: usize = 4 << 20;

/// A manifest or an index, byte for byte: its digest is of exactly these bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// `application/vnd.oci.image.manifest.v1+json` and the like.
    pub media_type: String,
    /// Of [`Self::bytes`].
    pub digest: Digest,
    /// The JSON.
    pub bytes: Vec<u8>,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Catalog {
    repositories: Vec<String>,
}

impl Client {
    /// The digest of what `reference` (a tag or a digest) names, by the registry's own word; where the registry
    /// does not say it, the manifest is read and its digest computed.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] when there is none.
    pub async fn manifest_digest(&self, repository: &str, reference: &str) -> Result<Digest, RegistryError> {
        let operation = Operation::ReadManifest;
        let url = self.manifest_url(repository, reference)?;
        let request = self.request(Method::HEAD, url).header("accept", media::MANIFESTS);
        let response = self.send(operation, request).await?;
        match response.status() {
            StatusCode::OK => {
                let digest = header(&response, "docker-content-digest").and_then(|text| text.parse().ok());
                match digest {
                    Some(digest) => Ok(digest),
                    None => Ok(self.get_manifest(repository, reference).await?.digest),
                }
            }
            // HEAD has no body, so the registry's words would be lost.
            StatusCode::METHOD_NOT_ALLOWED => Ok(self.get_manifest(repository, reference).await?.digest),
            _ => Err(self.failure(operation, &image_name(repository, reference), response).await),
        }
    }

    /// Reads a manifest or an index, and checks it against the digest it was asked for by.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::DigestMismatch`].
    pub async fn get_manifest(&self, repository: &str, reference: &str) -> Result<Manifest, RegistryError> {
        let operation = Operation::ReadManifest;
        let name = image_name(repository, reference);
        let url = self.manifest_url(repository, reference)?;
        let response = self.send(operation, self.get(url).header("accept", media::MANIFESTS)).await?;
        if response.status() != StatusCode::OK {
            return Err(self.failure(operation, &name, response).await);
        }
        let promised = reference
            .parse::<Digest>()
            .ok()
            .or_else(|| header(&response, "docker-content-digest").and_then(|text| text.parse().ok()));
        let declared = header(&response, "content-type");
        let bytes = self.body(operation, response, LARGEST).await?;
        let media_type = declared
            .map(|kind| kind.split(';').next().unwrap_or_default().trim().to_owned())
            .filter(|kind| media::is_index(kind) || media::is_manifest(kind) || media::is_schema_one(kind))
            .or_else(|| own_media_type(&bytes))
            .unwrap_or_else(|| "of an unknown type".to_owned());
        let algorithm = promised.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
        let digest = digest_by(algorithm, &bytes);
        if let Some(expected) = promised
            && expected != digest
        {
            // Of such a one it is the digest without the signatures in it. Nothing of it is ever used.
            if media::is_schema_one(&media_type) {
                return Ok(Manifest { media_type, digest: expected, bytes });
            }
            return Err(RegistryError::DigestMismatch { what: name, expected, actual: digest });
        }
        Ok(Manifest { media_type, digest, bytes })
    }

    /// Each layer of an image, bottom first: the first 12 digits of its digest, and its bytes as the registry stores it.
    /// Of an index, none.
    ///
    /// # Errors
    /// As [`Client::get_manifest`].
    pub async fn layer_sizes(
        &self,
        repository: &str,
        reference: &str,
    ) -> Result<Vec<(String, u64)>, RegistryError> {
        let manifest = self.get_manifest(repository, reference).await?;
        if !media::is_manifest(&manifest.media_type) {
            return Ok(Vec::new());
        }
        let image: oci_spec::image::ImageManifest = serde_json::from_slice(&manifest.bytes)
            .map_err(|error| self.protocol(format!("the manifest of {reference} does not read: {error}")))?;
        let size = |layer: &oci_spec::image::Descriptor| {
            let digest = media::digest(layer).map_err(|error| self.protocol(error.to_string()))?;
            Ok((digest.short().to_owned(), layer.size()))
        };
        image.layers().iter().map(size).collect()
    }

    /// Stores a manifest under a tag or under its digest, and returns its digest.
    ///
    /// # Errors
    /// What the registry says; [`RegistryError::DigestMismatch`] if it stored something else.
    pub async fn push_manifest(
        &self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<Digest, RegistryError> {
        let operation = Operation::WriteManifest;
        let name = image_name(repository, reference);
        let url = self.manifest_url(repository, reference)?;
        let algorithm = reference.parse::<Digest>().map_or(Algorithm::Sha256, |digest| digest.algorithm());
        let ours = digest_by(algorithm, &bytes);
        let request = self.request(Method::PUT, url).header("content-type", media_type).body(bytes.clone());
        let response = self.send(operation, request).await?;
        // "MUST be 201 Created" (distribution-spec, "Pushing Manifests"), and some say it otherwise.
        if !response.status().is_success() {
            return Err(self.failure(operation, &format!("repository {repository}"), response).await);
        }
        if let Some(theirs) =
            header(&response, "docker-content-digest").and_then(|text| text.parse::<Digest>().ok())
        {
            let expected = digest_by(theirs.algorithm(), &bytes);
            if theirs != expected {
                return Err(RegistryError::DigestMismatch { what: name, expected, actual: theirs });
            }
        }
        Ok(ours)
    }

    /// The tags of a repository, in the registry's order.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] when there is no such repository.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, RegistryError> {
        reference::check_repository(repository)?;
        let mut all = Vec::new();
        let first = self.url(&format!("/v2/{repository}/tags/list"));
        let take = |page: Tags| all.extend(page.tags.unwrap_or_default());
        self.pages(first, &format!("repository {repository}"), take).await?;
        Ok(all)
    }

    /// The repositories of the registry (`/v2/_catalog`: distribution's, not in the OCI specification).
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] where the registry keeps no catalogue.
    pub async fn catalog(&self) -> Result<Vec<String>, RegistryError> {
        let mut all = Vec::new();
        let first = self.url("/v2/_catalog?n=1000");
        self.pages(first, "catalogue", |page: Catalog| all.extend(page.repositories)).await?;
        Ok(all)
    }

    /// Reads a list from its first page on.
    async fn pages<T: serde::de::DeserializeOwned>(
        &self,
        first: reqwest::Url,
        what: &str,
        mut take: impl FnMut(T) + Send,
    ) -> Result<(), RegistryError> {
        let mut read = HashSet::new();
        let mut next = Some(first);
        while let Some(url) = next {
            if !self.is_unread(&mut read, url.as_str(), what)? {
                break;
            }
            let (page, following) = self.page(&url, what).await?;
            take(page);
            next = following;
        }
        Ok(())
    }

    async fn page<T: serde::de::DeserializeOwned>(
        &self,
        url: &reqwest::Url,
        what: &str,
    ) -> Result<(T, Option<reqwest::Url>), RegistryError> {
        let operation = Operation::List;
        let response = self.send(operation, self.get(url.clone())).await?;
        if response.status() != StatusCode::OK {
            return Err(self.failure(operation, what, response).await);
        }
        let next = self.next_page(url, response.headers());
        let bytes = self.body(operation, response, LARGEST).await?;
        let page = serde_json::from_slice(&bytes)
            .map_err(|error| self.protocol(format!("its list does not read: {error}")))?;
        Ok((page, next))
    }

    fn manifest_url(&self, repository: &str, reference: &str) -> Result<reqwest::Url, RegistryError> {
        reference::check_repository(repository)?;
        if reference.contains(':') {
            reference.parse::<Digest>().map_err(reference::InvalidReference::from)?;
        } else {
            reference::check_tag(reference)?;
        }
        Ok(self.url(&format!("/v2/{repository}/manifests/{reference}")))
    }
}

fn digest_by(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    hasher.finish()
}

pub(super) fn image_name(repository: &str, reference: &str) -> String {
    let separator = if reference.contains(':') { '@' } else { ':' };
    format!("image {repository}{separator}{reference}")
}

/// What to say of a manifest of a kind that is no image.
pub(super) fn unsupported(shown: &str, media_type: &str) -> RegistryError {
    let (reference, media_type) = (shown.to_owned(), media_type.to_owned());
    match media::is_schema_one(&media_type) {
        true => RegistryError::SchemaOne { reference },
        false => RegistryError::UnsupportedManifest { reference, media_type },
    }
}

fn own_media_type(bytes: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let named = value.get("mediaType").and_then(serde_json::Value::as_str);
    named.or_else(|| media::schema_one(&value)).map(str::to_owned)
}

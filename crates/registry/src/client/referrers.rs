//! What refers to an image: signatures, SBOMs, attestations (distribution-spec, "Listing Referrers"), with the tag
//! that stands in for the question where a registry does not know it, and cosign's own tags.

use super::{Client, names::LONGEST_LIST};
use crate::{Digest, Operation, RegistryError, media, reference};
use oci_spec::image::{Descriptor, ImageIndex, ImageIndexBuilder, MediaType};
use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use std::collections::HashSet;

/// What cosign appends to the tag of an image's digest (sigstore/cosign, `specs/SIGNATURE_SPEC.md`).
const COSIGN: [&str; 3] = ["sig", "att", "sbom"];

/// What was found about an image.
#[derive(Debug, Default)]
pub(crate) struct Referrers {
    /// Manifests whose `subject` it is.
    pub(crate) by_subject: Vec<Descriptor>,
    /// Tags that are about it by their names.
    pub(crate) tags: Vec<String>,
}

impl Client {
    /// Everything that refers to a manifest.
    pub(crate) async fn referrers(
        &self,
        repository: &str,
        digest: &Digest,
    ) -> Result<Referrers, RegistryError> {
        let by_subject = match self.referrers_by_question(repository, digest).await? {
            Some(found) => found,
            None => {
                self.referrers_by_tag(repository, digest).await?.map(|(_, found)| found).unwrap_or_default()
            }
        };
        let mut tags = Vec::new();
        for end in COSIGN {
            let tag = format!("{}.{end}", fallback_tag(digest));
            match self.manifest_digest(repository, &tag).await {
                Ok(_) => tags.push(tag),
                Err(RegistryError::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Referrers { by_subject, tags })
    }

    /// `None` where the registry does not know the question.
    async fn referrers_by_question(
        &self,
        repository: &str,
        digest: &Digest,
    ) -> Result<Option<Vec<Descriptor>>, RegistryError> {
        let mut found = Vec::new();
        let take = |page: ImageIndex| found.extend(page.manifests().iter().cloned());
        let is_known = self.referrer_pages(repository, digest, take).await?;
        Ok(is_known.then_some(found))
    }

    /// Reads the list of what refers to a manifest, page by page; `false` where the registry does not know the question.
    pub(super) async fn referrer_pages<T: DeserializeOwned>(
        &self,
        repository: &str,
        digest: &Digest,
        mut take: impl FnMut(T) + Send,
    ) -> Result<bool, RegistryError> {
        reference::check_repository(repository)?;
        let (operation, what) = (Operation::List, format!("repository {repository}"));
        let mut read = HashSet::new();
        let mut next = Some(self.url(&format!("/v2/{repository}/referrers/{digest}")));
        while let Some(url) = next {
            if !self.is_unread(&mut read, url.as_str(), &what)? {
                break;
            }
            let request = self.get(url.clone()).header("accept", media::OCI_INDEX);
            let response = self.send(operation, request).await?;
            match response.status() {
                StatusCode::OK => {}
                // registry 2.8 routes it nowhere; others say that they do not do that.
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED if read.len() == 1 => {
                    return Ok(false);
                }
                _ => return Err(self.failure(operation, &what, response).await),
            }
            next = self.next_page(&url, response.headers());
            let bytes = self.body(operation, response, LONGEST_LIST).await?;
            take(
                serde_json::from_slice(&bytes).map_err(|error| {
                    self.protocol(format!("its list of referrers does not read: {error}"))
                })?,
            );
        }
        Ok(true)
    }

    /// "Referrers Tag Schema": an index under a tag made of the digest.
    async fn referrers_by_tag(
        &self,
        repository: &str,
        digest: &Digest,
    ) -> Result<Option<(ImageIndex, Vec<Descriptor>)>, RegistryError> {
        let manifest = match self.get_manifest(repository, &fallback_tag(digest)).await {
            Ok(manifest) => manifest,
            Err(RegistryError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !media::is_index(&manifest.media_type) {
            return Ok(None);
        }
        let index: ImageIndex = serde_json::from_slice(&manifest.bytes)
            .map_err(|error| self.protocol(format!("its list of referrers does not read: {error}")))?;
        let found = index.manifests().clone();
        Ok(Some((index, found)))
    }

    /// Makes it known that `referrers` refer to `subject`, where the registry does not find that out by itself
    /// (distribution-spec, "Pushing Manifests with Subject").
    pub(crate) async fn announce_referrers(
        &self,
        repository: &str,
        subject: &Digest,
        referrers: &[Descriptor],
    ) -> Result<(), RegistryError> {
        if referrers.is_empty() || self.referrers_by_question(repository, subject).await?.is_some() {
            return Ok(());
        }
        let known =
            self.referrers_by_tag(repository, subject).await?.map(|(_, found)| found).unwrap_or_default();
        let new: Vec<Descriptor> = referrers
            .iter()
            .filter(|new| !known.iter().any(|known| known.digest() == new.digest()))
            .cloned()
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let index = ImageIndexBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::from(media::OCI_INDEX))
            .manifests([known, new].concat())
            .build()
            .map_err(|error| self.protocol(error.to_string()))?;
        let bytes = serde_json::to_vec(&index).map_err(|error| self.protocol(error.to_string()))?;
        self.push_manifest(repository, &fallback_tag(subject), media::OCI_INDEX, bytes).await.map(drop)
    }
}

/// `sha256-0123…`, as the referrers tag schema and cosign have it.
pub(crate) fn fallback_tag(digest: &Digest) -> String {
    format!("{}-{}", digest.algorithm().as_str(), digest.hex())
}

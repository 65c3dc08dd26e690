//! What is deleted with an image, and the room that repositories take: by all that their tags lead to.

use super::{
    Client,
    contents::{Blobs, blobs},
};
use crate::{Digest, Manifest, Operation, RegistryError, media, reference};
use dockline_model::{DeletePlan, RegistryUsage, RepositoryUsage};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use reqwest::{Method, StatusCode};
use std::collections::{BTreeMap, BTreeSet};

/// Manifests read at once: enough to hide the way there and back, too few to trouble a small host.
pub(super) const AT_ONCE: usize = 8;

impl Client {
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
}

//! What of an image travels, to another registry or into an archive.

use super::{Client, Manifest};
use crate::{Digest, RegistryError, media, platform::Wanted};
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use std::collections::HashSet;

/// An index may stand in an index, and a signature may be signed; more steps than this would be a loop.
const DEEPEST: usize = 8;
/// As many as an archive may have: no image has as many platforms, and each manifest is kept in memory.
const MOST_MANIFESTS: usize = 4096;
/// Bytes of them in all. An image's manifests are a few kilobytes each.
const MOST_BYTES: usize = 64 << 20;

/// What of an image travels.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// The whole index instead of one image of it.
    pub all_platforms: bool,
    /// Which image of an index; this machine's if `None`.
    pub platform: Option<Wanted>,
    /// What refers to the image, too: signatures, SBOMs, attestations.
    pub referrers: bool,
}

/// A manifest on its way, and under which name it is stored beside its digest.
#[derive(Debug, Clone)]
pub(crate) struct Traveller {
    pub(crate) manifest: Manifest,
    pub(crate) tag: Option<String>,
    /// What it refers to, for registries that do not find that out by themselves.
    pub(crate) subject: Option<(Digest, Descriptor)>,
}

/// Everything that travels, in the order in which it may be stored: what is referred to comes first.
#[derive(Debug)]
pub(crate) struct Company {
    /// Of what the reference names: the image, or the index that it was taken from.
    pub(crate) asked: Digest,
    pub(crate) travellers: Vec<Traveller>,
    pub(crate) blobs: Vec<Descriptor>,
    seen: HashSet<String>,
    /// Of all manifests.
    bytes: usize,
}

impl Client {
    /// Finds out what `reference` and `scope` mean: the manifests, and the blobs they need. The last traveller is the
    /// image itself.
    pub(crate) async fn gather(
        &self,
        repository: &str,
        reference: &str,
        scope: &Scope,
    ) -> Result<Company, RegistryError> {
        let shown = super::manifest::image_name(repository, reference);
        let top = self.get_manifest(repository, reference).await?;
        let asked = top.digest.clone();
        let top = match &scope.platform {
            _ if scope.all_platforms => top,
            None if !media::is_index(&top.media_type) => top,
            None => self.choose_for_host(repository, &shown, &top).await?,
            Some(wanted) => {
                let (descriptor, image) = self.choose(repository, &shown, &top, wanted).await?;
                // An index says what its images are for, and an image by itself does in its configuration.
                if descriptor.platform().is_none() {
                    self.check_image(repository, &shown, &image, wanted).await?;
                }
                image
            }
        };
        let mut company =
            Company { asked, travellers: Vec::new(), blobs: Vec::new(), seen: HashSet::new(), bytes: 0 };
        let mut subjects = Vec::new();
        self.descend(repository, &shown, top, None, &mut company, &mut subjects, 0).await?;
        if scope.referrers {
            // The image itself stays last.
            let image = company.travellers.pop();
            let mut open = subjects;
            for _ in 0..DEEPEST {
                let mut found = Vec::new();
                for subject in std::mem::take(&mut open) {
                    self.gather_referrers(repository, &shown, &subject, &mut company, &mut found).await?;
                }
                if found.is_empty() {
                    break;
                }
                open = found;
            }
            company.travellers.extend(image);
        }
        Ok(company)
    }

    async fn gather_referrers(
        &self,
        repository: &str,
        shown: &str,
        subject: &Digest,
        company: &mut Company,
        found: &mut Vec<Digest>,
    ) -> Result<(), RegistryError> {
        let referrers = self.referrers(repository, subject).await?;
        for descriptor in referrers.by_subject {
            let Some(manifest) = self.get_unseen(repository, &descriptor, company).await? else { continue };
            let before = company.travellers.len();
            self.descend(repository, shown, manifest, None, company, found, 0).await?;
            // The one that was asked for comes last of what it brought along.
            if company.travellers.len() > before
                && let Some(last) = company.travellers.last_mut()
            {
                last.subject = Some((subject.clone(), descriptor));
            }
        }
        for tag in referrers.tags {
            let manifest = self.get_manifest(repository, &tag).await?;
            self.descend(repository, shown, manifest, Some(tag), company, found, 0).await?;
        }
        Ok(())
    }

    /// What a list names, unless it is among the company already.
    async fn get_unseen(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        company: &Company,
    ) -> Result<Option<Manifest>, RegistryError> {
        let digest = media::digest(descriptor).map_err(|error| self.protocol(error.to_string()))?.to_string();
        match company.seen.contains(&digest) {
            true => Ok(None),
            false => self.get_manifest(repository, &digest).await.map(Some),
        }
    }

    /// Notes a manifest, after everything that it is made of.
    #[expect(clippy::too_many_arguments, reason = "a recursion carries its state along")]
    async fn descend(
        &self,
        repository: &str,
        shown: &str,
        manifest: Manifest,
        tag: Option<String>,
        company: &mut Company,
        subjects: &mut Vec<Digest>,
        depth: usize,
    ) -> Result<(), RegistryError> {
        let is_new = company.seen.insert(manifest.digest.to_string());
        if !is_new && tag.is_none() {
            return Ok(());
        }
        company.bytes += manifest.bytes.len();
        if company.travellers.len() >= MOST_MANIFESTS || company.bytes > MOST_BYTES {
            return Err(self.protocol(format!(
                "{shown} brings more manifests along than any real image does; take one platform of it, without what \
                 refers to it"
            )));
        }
        let unreadable = |error: serde_json::Error| {
            self.protocol(format!(
                "the manifest {} of {shown} does not read: {error}",
                manifest.digest.short()
            ))
        };
        if media::is_index(&manifest.media_type) {
            if depth == DEEPEST {
                return Err(self.protocol(format!("the indexes of {shown} do not end")));
            }
            let index: ImageIndex = serde_json::from_slice(&manifest.bytes).map_err(unreadable)?;
            for part in index.manifests() {
                let Some(part) = self.get_unseen(repository, part, company).await? else { continue };
                Box::pin(self.descend(repository, shown, part, None, company, subjects, depth + 1)).await?;
            }
        } else if media::is_manifest(&manifest.media_type) {
            let image: ImageManifest = serde_json::from_slice(&manifest.bytes).map_err(unreadable)?;
            let parts = std::iter::once(image.config()).chain(image.layers());
            // Foreign layers are fetched where their URLs say (image-spec, descriptor.md).
            for part in parts.filter(|part| part.urls().as_ref().is_none_or(Vec::is_empty)) {
                if company.seen.insert(part.digest().to_string()) {
                    company.blobs.push(part.clone());
                }
            }
        } else {
            return Err(super::manifest::unsupported(shown, &manifest.media_type));
        }
        subjects.push(manifest.digest.clone());
        company.travellers.push(Traveller { manifest, tag, subject: None });
        Ok(())
    }
}

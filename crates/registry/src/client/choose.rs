//! Which image of several is taken, and whether what there is fits the platform that a person named.

use super::Client;
use crate::{
    Digest, Manifest, RegistryError, media,
    platform::{self, OneOfSeveral, Wanted},
};
use oci_spec::image::{Descriptor, ImageIndex, MediaType};
use std::{fmt, str::FromStr as _, sync::Arc};

/// Whoever wants to hear of it when one image of several is taken though nobody said which.
#[derive(Clone, Default)]
pub(super) struct Hearer(Option<Arc<Hear>>);

type Hear = dyn Fn(&OneOfSeveral) + Send + Sync;

impl Hearer {
    pub(super) fn hear(&self, one: &OneOfSeveral) {
        if let Self(Some(hear)) = self {
            hear(one);
        }
    }
}

impl fmt::Debug for Hearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Hearer(…)" } else { "Hearer" })
    }
}

impl Client {
    /// The same client, which tells when one image of several is taken though nobody said which, before anything of it
    /// moves; the connections are shared as with any clone.
    #[must_use]
    pub fn telling(&self, hear: impl Fn(&OneOfSeveral) + Send + Sync + 'static) -> Self {
        Self { hearer: Hearer(Some(Arc::new(hear))), ..self.clone() }
    }

    /// This machine's image of the index `top`; `top` itself if it is an image. It is told which.
    pub(super) async fn choose_for_host(
        &self,
        repository: &str,
        shown: &str,
        top: &Manifest,
    ) -> Result<Manifest, RegistryError> {
        let (chosen, image) = self.choose(repository, shown, top, &Wanted::host()).await?;
        if media::is_index(&top.media_type) {
            let (attestations, images) = self.entries(shown, top)?;
            let one = match images.as_slice() {
                [only] => (!attestations.is_empty()).then(|| OneOfSeveral::attested(only)),
                several => OneOfSeveral::new(&chosen, several),
            };
            if let Some(one) = one {
                self.hearer.hear(&one);
            }
        }
        Ok(image)
    }

    /// The image of one platform in the index `top`; `top` itself if it is an image.
    pub(crate) async fn choose(
        &self,
        repository: &str,
        shown: &str,
        top: &Manifest,
        wanted: &Wanted,
    ) -> Result<(Descriptor, Manifest), RegistryError> {
        let unsupported = |media_type: &str| super::manifest::unsupported(shown, media_type);
        if media::is_manifest(&top.media_type) {
            let digest = oci_spec::image::Digest::from_str(&top.digest.to_string())
                .map_err(|error| self.protocol(error.to_string()))?;
            let media_type = MediaType::from(top.media_type.as_str());
            return Ok((Descriptor::new(media_type, top.bytes.len() as u64, digest), top.clone()));
        }
        if !media::is_index(&top.media_type) {
            return Err(unsupported(&top.media_type));
        }
        let images = self.images(shown, top)?;
        let chosen = match images.as_slice() {
            // An index around a single image often leaves the platform out.
            [only] if only.platform().is_none() => Some(only),
            several => wanted.nearest(several),
        };
        let chosen = chosen.ok_or_else(|| no_platform(shown, wanted, platform::list(&images)))?;
        let digest = media::digest(chosen).map_err(|error| self.protocol(error.to_string()))?;
        let manifest = self.get_manifest(repository, &digest.to_string()).await?;
        if !media::is_manifest(&manifest.media_type) {
            return Err(unsupported(&manifest.media_type));
        }
        Ok((chosen.clone(), manifest))
    }

    /// Finds out whether `reference` has an image for the platform `wanted`, and returns the digest of what was looked
    /// at. An engine compares only what an index lists: of an image that stands alone Docker takes any, and calls it
    /// done.
    ///
    /// What says of no image for which platform it is passes: that is the engine's to judge.
    ///
    /// # Errors
    /// [`RegistryError::NoPlatform`], which names those that there are; see [`Client::get_manifest`].
    pub async fn check_platform(
        &self,
        repository: &str,
        reference: &str,
        wanted: &Wanted,
    ) -> Result<Digest, RegistryError> {
        let shown = super::manifest::image_name(repository, reference);
        let top = self.get_manifest(repository, reference).await?;
        if media::is_manifest(&top.media_type) {
            self.check_image(repository, &shown, &top, wanted).await?;
        } else if media::is_index(&top.media_type) {
            let images = self.images(&shown, &top)?;
            match images.as_slice() {
                [only] if only.platform().is_none() => {
                    let digest = media::digest(only).map_err(|error| self.protocol(error.to_string()))?;
                    let image = self.get_manifest(repository, &digest.to_string()).await?;
                    self.check_image(repository, &shown, &image, wanted).await?;
                }
                several if several.iter().any(|image| image.platform().is_none()) => {}
                several => {
                    let fits = |image: &Descriptor| image.platform().as_ref().is_some_and(|p| wanted.fits(p));
                    if !several.iter().any(fits) {
                        return Err(no_platform(&shown, wanted, platform::list(several)));
                    }
                }
            }
        }
        Ok(top.digest)
    }

    /// Compares an image that no index describes with the platform `wanted`, by its configuration.
    pub(super) async fn check_image(
        &self,
        repository: &str,
        shown: &str,
        image: &Manifest,
        wanted: &Wanted,
    ) -> Result<(), RegistryError> {
        let Some((os, architecture, variant)) = self.built_for(repository, image).await? else {
            return Ok(());
        };
        if wanted.distance(&os, &architecture, variant.as_deref()).is_some() {
            return Ok(());
        }
        let variant = variant.map_or_else(String::new, |variant| format!("/{variant}"));
        Err(no_platform(shown, wanted, format!("{os}/{architecture}{variant}")))
    }

    /// The images of an index, without what stands beside them.
    fn images(&self, shown: &str, top: &Manifest) -> Result<Vec<Descriptor>, RegistryError> {
        Ok(self.entries(shown, top)?.1)
    }

    /// What an index lists: attestations, and images.
    fn entries(
        &self,
        shown: &str,
        top: &Manifest,
    ) -> Result<(Vec<Descriptor>, Vec<Descriptor>), RegistryError> {
        let index: ImageIndex = serde_json::from_slice(&top.bytes)
            .map_err(|error| self.protocol(format!("the index of {shown} does not read: {error}")))?;
        Ok(index.manifests().iter().cloned().partition(media::is_attestation))
    }
}

fn no_platform(shown: &str, wanted: &Wanted, available: String) -> RegistryError {
    RegistryError::NoPlatform { reference: shown.to_owned(), wanted: wanted.to_string(), available }
}

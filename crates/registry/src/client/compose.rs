//! The manifest of an image that is pushed, once it is known which blobs it consists of.

use super::{learn::Standing, push::Placed};
use crate::{Digest, archive::ManifestPlan, media, pack::Encoding};
use oci_spec::{
    OciSpecError,
    image::{Descriptor, ImageManifestBuilder, MediaType},
};
use serde::Serialize;
use std::str::FromStr as _;

/// Its media type and its bytes. `standing`: images that the repository has already.
pub(super) fn manifest(
    plan: ManifestPlan,
    (config, config_size): (&Digest, u64),
    layers: &[Placed],
    standing: &[Standing],
) -> Result<(String, Vec<u8>), OciSpecError> {
    match plan {
        ManifestPlan::Verbatim { bytes, media_type } => Ok((media_type, bytes)),
        ManifestPlan::Compressed(mut manifest) => {
            let replaced = manifest
                .layers()
                .iter()
                .zip(layers)
                .map(|(old, placed)| {
                    if !media::is_bare_tar(old.media_type().as_ref()) {
                        return Ok(old.clone());
                    }
                    let is_docker = old.media_type().as_ref().starts_with("application/vnd.docker.");
                    let mut new =
                        descriptor(layer_type(placed.encoding, is_docker), &placed.digest, placed.size)?;
                    new.set_annotations(old.annotations().clone());
                    Ok(new)
                })
                .collect::<Result<Vec<_>, OciSpecError>>()?;
            manifest.set_layers(replaced);
            let media_type = manifest
                .media_type()
                .as_ref()
                .map_or_else(|| media::OCI_MANIFEST.to_owned(), ToString::to_string);
            Ok((media_type, serde_json::to_vec(&manifest)?))
        }
        ManifestPlan::Docker => {
            if let Some(same) = standing.iter().find(|standing| standing.is(config, layers)) {
                return Ok(same.manifest());
            }
            // Docker's own format has no name for zstd.
            if layers.iter().all(|placed| placed.encoding != Encoding::Zstd) {
                let bytes = docker_manifest(config, config_size, layers)?;
                return Ok((media::DOCKER_MANIFEST.to_owned(), bytes));
            }
            let layers = layers
                .iter()
                .map(|placed| descriptor(layer_type(placed.encoding, false), &placed.digest, placed.size))
                .collect::<Result<Vec<_>, _>>()?;
            let manifest = ImageManifestBuilder::default()
                .schema_version(2_u32)
                .media_type(media::OCI_MANIFEST)
                .config(descriptor(media::OCI_CONFIG, config, config_size)?)
                .layers(layers)
                .build()?;
            Ok((media::OCI_MANIFEST.to_owned(), serde_json::to_vec(&manifest)?))
        }
    }
}

/// A manifest as dockerd writes it, byte for byte (distribution, `manifest/schema2`: Go's `json.MarshalIndent` with three
/// blanks), so that an image of the same layers has the same digest whether dockerd pushed it or we did.
fn docker_manifest(config: &Digest, config_size: u64, layers: &[Placed]) -> Result<Vec<u8>, OciSpecError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Part<'a> {
        media_type: &'a str,
        size: u64,
        digest: String,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Whole<'a> {
        schema_version: u32,
        media_type: &'a str,
        config: Part<'a>,
        layers: Vec<Part<'a>>,
    }
    let part = |media_type, digest: &Digest, size| Part { media_type, size, digest: digest.to_string() };
    let whole = Whole {
        schema_version: 2,
        media_type: media::DOCKER_MANIFEST,
        config: part(media::DOCKER_CONFIG, config, config_size),
        layers: layers
            .iter()
            .map(|placed| part(layer_type(placed.encoding, true), &placed.digest, placed.size))
            .collect(),
    };
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"   ");
    whole.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, formatter))?;
    Ok(bytes)
}

const fn layer_type(encoding: Encoding, is_docker: bool) -> &'static str {
    match (encoding, is_docker) {
        (Encoding::Gzip, true) => media::DOCKER_LAYER_GZIP,
        (Encoding::Gzip, false) => media::OCI_LAYER_GZIP,
        (Encoding::Zstd, _) => media::OCI_LAYER_ZSTD,
        (Encoding::Bare, true) => media::DOCKER_LAYER,
        (Encoding::Bare, false) => media::OCI_LAYER,
    }
}

fn descriptor(media_type: &str, digest: &Digest, size: u64) -> Result<Descriptor, OciSpecError> {
    let digest = oci_spec::image::Digest::from_str(&digest.to_string())?;
    Ok(Descriptor::new(MediaType::from(media_type), size, digest))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As dockerd 20.10 pushed it.
    #[test]
    fn a_manifest_is_dockerds_to_the_last_byte() {
        let digest = |text: &str| Digest::of(text.as_bytes());
        let (config, layer) = (digest("config"), digest("layer"));
        let layers = [Placed { digest: layer.clone(), size: 123, encoding: Encoding::Gzip }];
        let (media_type, bytes) = manifest(ManifestPlan::Docker, (&config, 45), &layers, &[]).unwrap();
        assert_eq!(media_type, media::DOCKER_MANIFEST);
        let expected = format!(
            r#"{{
   "schemaVersion": 2,
   "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
   "config": {{
      "mediaType": "application/vnd.docker.container.image.v1+json",
      "size": 45,
      "digest": "{config}"
   }},
   "layers": [
      {{
         "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
         "size": 123,
         "digest": "{layer}"
      }}
   ]
}}"#
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}

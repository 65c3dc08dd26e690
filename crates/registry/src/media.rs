//! Media types and annotations, of the OCI image-spec and of docker's older image format.

use crate::{Digest, InvalidDigest, pack::Encoding};
use oci_spec::image::Descriptor;
use serde_json::{Value, json};

pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
pub(crate) const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
pub(crate) const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
pub(crate) const DOCKER_LAYER_GZIP: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
pub(crate) const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// What stands where an artifact has no configuration (image-spec, "Guidance for an Empty Descriptor").
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
pub(crate) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const DOCKER_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// What `Accept` must list, or registry 2.8 converts the manifest into something else.
pub(crate) const MANIFESTS: &str = "application/vnd.oci.image.manifest.v1+json, \
     application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.list.v2+json";

/// Docker's first format, signed and not, which registries of old images still have (distribution,
/// `docs/spec/manifest-v2-1.md`).
const SCHEMA_ONE: [&str; 2] = [
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
];

/// Name annotations: containerd's is whole, the image-spec's may be a mere tag.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

pub(crate) fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

pub(crate) fn is_manifest(media_type: &str) -> bool {
    matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}

pub(crate) fn is_schema_one(media_type: &str) -> bool {
    SCHEMA_ONE.contains(&media_type)
}

/// The type of a manifest of Docker's first format, which does not name it itself.
pub(crate) fn schema_one(manifest: &Value) -> Option<&'static str> {
    let is_it = manifest.get("schemaVersion").and_then(Value::as_u64) == Some(1)
        && manifest.get("fsLayers").is_some_and(Value::is_array);
    let [signed, bare] = SCHEMA_ONE;
    is_it.then(|| if manifest.get("signatures").is_some() { signed } else { bare })
}

/// Anything but a configuration: layers, and whatever artifacts carry in their place.
pub(crate) fn is_layer(media_type: &str) -> bool {
    !matches!(media_type, OCI_CONFIG | DOCKER_CONFIG | EMPTY)
}

pub(crate) fn is_bare_tar(media_type: &str) -> bool {
    matches!(media_type, OCI_LAYER | DOCKER_LAYER)
}

/// How a layer of this type is compressed; `None` of types that nobody should use again.
pub(crate) fn encoding(media_type: &str) -> Option<Encoding> {
    match media_type {
        OCI_LAYER | DOCKER_LAYER => Some(Encoding::Bare),
        OCI_LAYER_GZIP | DOCKER_LAYER_GZIP => Some(Encoding::Gzip),
        OCI_LAYER_ZSTD => Some(Encoding::Zstd),
        _ => None,
    }
}

/// BuildKit's provenance, which stands beside the images of an index under the platform unknown/unknown.
pub(crate) fn is_attestation(descriptor: &Descriptor) -> bool {
    descriptor
        .annotations()
        .as_ref()
        .is_some_and(|annotations| annotations.contains_key("vnd.docker.reference.type"))
        || descriptor.platform().as_ref().is_some_and(|platform| platform.os().to_string() == "unknown")
}

/// What a list of referrers says of a manifest (distribution-spec, "Listing Referrers"): `digest` is that of the one whose
/// text is `manifest`.
pub(crate) fn listed(manifest: &Value, media_type: &str, digest: &Digest, size: usize) -> Value {
    // "artifactType … MUST be set to the value of the artifactType field, or the config descriptor's mediaType".
    let own = manifest.get("artifactType").and_then(Value::as_str).filter(|kind| !kind.is_empty());
    let of_config = || manifest.pointer("/config/mediaType").and_then(Value::as_str);
    let mut descriptor = json!({ "mediaType": media_type, "digest": digest.to_string(), "size": size });
    if let Some(kind) = own.or_else(of_config) {
        descriptor["artifactType"] = json!(kind);
    }
    if let Some(annotations) = manifest.get("annotations").filter(|annotations| annotations.is_object()) {
        descriptor["annotations"] = annotations.clone();
    }
    descriptor
}

/// The image's name, as whoever wrote the archive noted it.
pub(crate) fn archive_name(descriptor: &Descriptor) -> Option<String> {
    let annotations = descriptor.annotations().as_ref()?;
    annotations.get(CONTAINERD_NAME).or_else(|| annotations.get(REF_NAME)).cloned()
}

pub(crate) fn digest(descriptor: &Descriptor) -> Result<Digest, InvalidDigest> {
    descriptor.digest().to_string().parse()
}

//! From the JSON files of an archive to what has to be sent.

mod left_out;

use super::{
    ArchiveError, ArchiveImage, Tarball,
    tarball::{Compression, Section, read_up_to},
    whole,
};
use crate::{
    Digest, media,
    platform::{OneOfSeveral, Wanted},
};
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::HashSet;

/// An index may stand in an index; more than a few steps would be a loop.
const DEEPEST: usize = 4;

/// One image of the archive, not yet looked into.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) image: ArchiveImage,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    /// `manifest.json`'s entry.
    Docker(DockerManifest),
    /// Descriptors of `index.json`: several only if they are platforms of one image.
    Oci(Vec<Descriptor>),
}

/// An entry of docker's `manifest.json` (moby, `image/tarexport/tarexport.go`, `manifestItem`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerManifest {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

/// What is needed of an image's configuration (image-spec, config.md).
#[derive(Debug, Deserialize)]
struct ConfigHead {
    #[serde(default)]
    rootfs: Option<RootFs>,
}

/// Tells manifests of 2014 from those of today.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    schema_version: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// Everything a push needs to know of one image.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) config: Vec<u8>,
    pub(crate) layers: Vec<Layer>,
    pub(crate) manifest: ManifestPlan,
    /// Of several platforms, this machine's.
    pub(crate) one: Option<OneOfSeveral>,
}

/// One layer and where its bytes are.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    pub(crate) name: String,
    pub(crate) section: Section,
    pub(crate) kind: LayerKind,
}

impl Layer {
    /// Whether both are the same bytes.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (LayerKind::Elsewhere { digest }, LayerKind::Elsewhere { digest: theirs }) => digest == theirs,
            (LayerKind::Elsewhere { .. }, _) | (_, LayerKind::Elsewhere { .. }) => false,
            _ => self.section == other.section,
        }
    }
}

/// What has to happen to a layer before it is sent.
#[derive(Debug, Clone)]
pub(crate) enum LayerKind {
    /// Sent as it is, under the digest the manifest gives it.
    Ready { digest: Digest },
    /// A bare tar: gzip it; its digest must be this.
    Raw { diff_id: Digest },
    /// Not in the archive: its descriptor says where else it is (image-spec, "non-distributable layers").
    Elsewhere { digest: Digest },
    /// Compressed, but nobody said under which digest. `diff_id` can be checked for gzip only.
    Packed { diff_id: Digest, is_gzip: bool },
}

/// How the manifest comes about.
#[derive(Debug)]
pub(crate) enum ManifestPlan {
    /// Sent byte for byte, so that the digest stays.
    Verbatim { bytes: Vec<u8>, media_type: String },
    /// The archive's own, with bare tars replaced by their compressed form.
    Compressed(Box<ImageManifest>),
    /// A new one, as `docker push` would write it.
    Docker,
}

/// The images of an archive.
pub(crate) fn list(tarball: &Tarball) -> Result<Vec<Found>, ArchiveError> {
    if tarball.contains("index.json") {
        let mut found = list_oci(tarball)?;
        if tarball.contains("manifest.json") {
            found.extend(left_out::images(tarball).unwrap_or_default());
        }
        return Ok(found);
    }
    if tarball.contains("manifest.json") {
        let manifests: Vec<DockerManifest> = json(tarball, "manifest.json")?;
        return Ok(manifests
            .into_iter()
            .map(|manifest| Found {
                image: ArchiveImage { names: manifest.repo_tags.clone().unwrap_or_default() },
                origin: Origin::Docker(manifest),
            })
            .collect());
    }
    let path = tarball.shown().to_owned();
    let is_export =
        tarball.contains(".dockerenv") || (tarball.has_folder("etc/") && tarball.has_folder("usr/"));
    Err(if is_export { ArchiveError::Exported { path } } else { ArchiveError::NoManifest { path } })
}

fn list_oci(tarball: &Tarball) -> Result<Vec<Found>, ArchiveError> {
    let index: ImageIndex = json(tarball, "index.json")?;
    let descriptors: Vec<&Descriptor> =
        index.manifests().iter().filter(|descriptor| !media::is_attestation(descriptor)).collect();
    // One image under two names is listed twice, with the same digest.
    let mut found: Vec<(Vec<String>, Descriptor)> = Vec::new();
    let is_alone = descriptors.len() == 1;
    // Signatures and the like stand beside the image that they are about.
    for descriptor in descriptors.into_iter().filter(|it| is_alone || !whole::is_companion(tarball, it)) {
        let name = media::archive_name(descriptor).map(|name| familiar(&name));
        match found.iter_mut().find(|(_, known)| known.digest() == descriptor.digest()) {
            Some((names, _)) => names.extend(name),
            None => found.push((name.into_iter().collect(), descriptor.clone())),
        }
    }
    // Nameless entries that differ in their platform are one image, written flat.
    let mut platforms = HashSet::new();
    let is_flat = found.len() > 1
        && found.iter().all(|(names, descriptor)| {
            let platform = descriptor.platform().as_ref();
            names.is_empty() && platform.is_some_and(|platform| platforms.insert(format!("{platform:?}")))
        });
    if is_flat {
        let descriptors = found.into_iter().map(|(_, descriptor)| descriptor).collect();
        let image = ArchiveImage { names: Vec::new() };
        return Ok(vec![Found { image, origin: Origin::Oci(descriptors) }]);
    }
    Ok(found
        .into_iter()
        .map(|(names, descriptor)| Found {
            image: ArchiveImage { names },
            origin: Origin::Oci(vec![descriptor]),
        })
        .collect())
}

/// `docker.io/library/app:v1` is what people call `app:v1`.
fn familiar(name: &str) -> String {
    let without_hub = name.strip_prefix("docker.io/").unwrap_or(name);
    without_hub.strip_prefix("library/").filter(|_| without_hub != name).unwrap_or(without_hub).to_owned()
}

/// Where an image begins in `index.json`; `None` for one of docker's own layout.
pub(super) fn roots(found: Found) -> Option<Vec<Descriptor>> {
    match found.origin {
        Origin::Docker(_) => None,
        Origin::Oci(descriptors) => Some(descriptors),
    }
}

/// Looks into one image.
pub(crate) fn resolve(tarball: &Tarball, found: Found) -> Result<Selected, ArchiveError> {
    match found.origin {
        Origin::Docker(manifest) => resolve_docker(tarball, &manifest),
        Origin::Oci(descriptors) => resolve_oci(tarball, descriptors),
    }
}

fn resolve_docker(tarball: &Tarball, manifest: &DockerManifest) -> Result<Selected, ArchiveError> {
    let config = tarball.bytes(&manifest.config)?;
    // Docker names the configuration by its digest, which is the image's ID.
    let stem = manifest.config.rsplit('/').next().unwrap_or_default();
    let stem = stem.strip_suffix(".json").unwrap_or(stem);
    if let Ok(expected) = format!("sha256:{stem}").parse::<Digest>() {
        check(&manifest.config, expected, Digest::of(&config))?;
    }
    let diff_ids = diff_ids(&manifest.config, &config)?;
    let names = manifest.layers.as_deref().unwrap_or_default();
    if names.len() != diff_ids.len() {
        return Err(ArchiveError::Inconsistent {
            what: format!(
                "manifest.json names {} layers and the image's configuration {}",
                names.len(),
                diff_ids.len()
            ),
        });
    }
    let layers = names
        .iter()
        .zip(diff_ids)
        .map(|(name, diff_id)| {
            let section = tarball.section(name)?;
            let kind = match sniff(tarball, section)? {
                None => LayerKind::Raw { diff_id },
                Some(compression @ (Compression::Gzip | Compression::Zstd)) => {
                    LayerKind::Packed { diff_id, is_gzip: compression == Compression::Gzip }
                }
                Some(other @ (Compression::Bzip2 | Compression::Xz)) => {
                    return Err(ArchiveError::Inconsistent {
                        what: format!("{name} is compressed with {}, which no engine unpacks", other.name()),
                    });
                }
            };
            Ok(Layer { name: name.clone(), section, kind })
        })
        .collect::<Result<_, ArchiveError>>()?;
    Ok(Selected { config, layers, manifest: ManifestPlan::Docker, one: None })
}

/// The image of this machine's platform, or the only one there is; and what was left for it.
pub(super) fn this_machines(
    tarball: &Tarball,
    mut descriptors: Vec<Descriptor>,
) -> Result<(Descriptor, Option<OneOfSeveral>), ArchiveError> {
    let is_index = |descriptor: &Descriptor| media::is_index(descriptor.media_type().as_ref());
    let mut is_attested = false;
    for _ in 0..DEEPEST {
        let [only] = descriptors.as_slice() else { break };
        if !is_index(only) {
            break;
        }
        let (name, bytes) = blob(tarball, only)?;
        let index: ImageIndex = parse(&name, &bytes)?;
        // Docker's containerd store saves the whole index but only the platforms it has.
        let there: Vec<Descriptor> = index
            .manifests()
            .iter()
            .filter(|descriptor| digest_of(descriptor).is_ok_and(|d| tarball.contains(&d.layout_path())))
            .cloned()
            .collect();
        is_attested |= there.iter().any(media::is_attestation);
        descriptors = there.into_iter().filter(|descriptor| !media::is_attestation(descriptor)).collect();
    }
    let wanted = Wanted::host();
    match descriptors.as_slice() {
        [] => Err(ArchiveError::NoImage),
        [only] => Ok((only.clone(), is_attested.then(|| OneOfSeveral::attested(only)))),
        several => {
            let nearest = wanted.nearest(several).ok_or_else(|| ArchiveError::NoPlatform {
                wanted: wanted.to_string(),
                available: crate::platform::list(several),
            })?;
            Ok((nearest.clone(), OneOfSeveral::new(nearest, several)))
        }
    }
}

fn resolve_oci(tarball: &Tarball, descriptors: Vec<Descriptor>) -> Result<Selected, ArchiveError> {
    let (descriptor, one) = this_machines(tarball, descriptors)?;
    let descriptor = &descriptor;
    let (name, bytes) = blob(tarball, descriptor)?;
    let version: Version = parse(&name, &bytes)?;
    if version.schema_version == Some(1) {
        return Err(ArchiveError::SchemaOne { name });
    }
    let manifest: ImageManifest = parse(&name, &bytes)?;
    let (config_name, config) = blob(tarball, manifest.config())?;
    // A tar of an artifact (ORAS' default for files) is no image's layer: its digest is what whoever pulls it looks for.
    let is_image =
        matches!(manifest.config().media_type().as_ref(), media::OCI_CONFIG | media::DOCKER_CONFIG);
    let (mut is_complete, mut is_bare) = (true, true);
    let layers = manifest
        .layers()
        .iter()
        .map(|layer| {
            let digest = digest_of(layer)?;
            let name = digest.layout_path();
            let has_urls = layer.urls().as_ref().is_some_and(|urls| !urls.is_empty());
            if has_urls && !tarball.contains(&name) {
                is_bare = false;
                let section = Section { file: 0, offset: 0, size: layer.size() };
                return Ok(Layer { name, section, kind: LayerKind::Elsewhere { digest } });
            }
            let section = tarball.section(&name)?;
            if section.size != layer.size() {
                return Err(ArchiveError::Inconsistent {
                    what: format!("{name} ought to have {} bytes and has {}", layer.size(), section.size),
                });
            }
            let kind = if is_image && media::is_bare_tar(layer.media_type().as_ref()) {
                is_complete = false;
                LayerKind::Raw { diff_id: digest }
            } else {
                is_bare = false;
                LayerKind::Ready { digest }
            };
            Ok(Layer { name, section, kind })
        })
        .collect::<Result<_, ArchiveError>>()?;
    let manifest = if is_complete {
        // The manifest may leave its own type out (image-spec 1.0); the descriptor always has it.
        ManifestPlan::Verbatim { bytes, media_type: descriptor.media_type().to_string() }
    } else {
        // A configuration that names other layers than the manifest would only fail at the far end, on pull.
        let diff_ids = diff_ids(&config_name, &config)?;
        if diff_ids.len() != manifest.layers().len() {
            return Err(ArchiveError::Inconsistent {
                what: format!(
                    "the manifest names {} layers and the configuration {}",
                    manifest.layers().len(),
                    diff_ids.len()
                ),
            });
        }
        match is_bare && tarball.contains("manifest.json") {
            // Docker since version 25 makes a manifest up when it saves an image of its own store: what it would push is
            // docker's format still, and the image's digest does not depend on who saved it.
            true => ManifestPlan::Docker,
            false => ManifestPlan::Compressed(Box::new(manifest)),
        }
    };
    Ok(Selected { config, layers, manifest, one })
}

/// A small blob of an OCI layout, checked against its descriptor.
pub(super) fn blob(tarball: &Tarball, descriptor: &Descriptor) -> Result<(String, Vec<u8>), ArchiveError> {
    let expected = digest_of(descriptor)?;
    let name = expected.layout_path();
    let bytes = tarball.bytes(&name)?;
    if expected.algorithm() == crate::Algorithm::Sha256 {
        check(&name, expected, Digest::of(&bytes))?;
    }
    Ok((name, bytes))
}

pub(super) fn digest_of(descriptor: &Descriptor) -> Result<Digest, ArchiveError> {
    media::digest(descriptor).map_err(|error| ArchiveError::Inconsistent { what: error.to_string() })
}

fn diff_ids(name: &str, config: &[u8]) -> Result<Vec<Digest>, ArchiveError> {
    let head: ConfigHead = parse(name, config)?;
    head.rootfs
        .map(|rootfs| rootfs.diff_ids)
        .unwrap_or_default()
        .iter()
        .map(|text| {
            text.parse().map_err(|error| ArchiveError::Inconsistent { what: format!("{name}: {error}") })
        })
        .collect()
}

pub(crate) fn check(name: &str, expected: Digest, actual: Digest) -> Result<(), ArchiveError> {
    if expected == actual {
        return Ok(());
    }
    Err(ArchiveError::WrongDigest { name: name.to_owned(), expected, actual })
}

fn sniff(tarball: &Tarball, section: Section) -> Result<Option<Compression>, ArchiveError> {
    let mut magic = [0; 6];
    let read = read_up_to(&mut tarball.reader(section), &mut magic)
        .map_err(|source| ArchiveError::Read { path: tarball.shown().to_owned(), source })?;
    Ok(Compression::of(&magic[..read]))
}

pub(super) fn json<T: DeserializeOwned>(tarball: &Tarball, name: &str) -> Result<T, ArchiveError> {
    parse(name, &tarball.bytes(name)?)
}

pub(super) fn parse<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, ArchiveError> {
    serde_json::from_slice(bytes).map_err(|source| ArchiveError::Json { name: name.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reference;

    #[test]
    fn hub_names_are_shown_as_people_write_them() {
        for (name, shown) in [
            ("docker.io/library/app:v1", "app:v1"),
            ("docker.io/team/app:v1", "team/app:v1"),
            ("library/app:v1", "library/app:v1"),
            ("cr.boss.org:5000/app:v1", "cr.boss.org:5000/app:v1"),
        ] {
            assert_eq!(familiar(name), shown);
            assert!(shown.parse::<Reference>().is_ok());
        }
    }
}

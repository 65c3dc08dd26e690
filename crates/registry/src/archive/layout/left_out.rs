//! Images that `manifest.json` alone has: Docker since version 25 lists an image without a name in `index.json` only as long
//! as that is empty (moby, `image/tarexport/save.go`).

use super::{DEEPEST, DockerManifest, Found, Origin, blob, digest_of, json, parse};
use crate::{
    archive::{ArchiveError, ArchiveImage, Tarball},
    media,
};
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use std::collections::HashSet;

/// What `manifest.json` has beyond `index.json`. An error is one that whoever reads the image in question hears of again.
pub(super) fn images(tarball: &Tarball) -> Result<Vec<Found>, ArchiveError> {
    let index: ImageIndex = json(tarball, "index.json")?;
    let mut known = HashSet::new();
    for descriptor in index.manifests() {
        note_configs(tarball, descriptor, &mut known, 0)?;
    }
    let manifests: Vec<DockerManifest> = json(tarball, "manifest.json")?;
    let left = manifests.into_iter().filter(|manifest| {
        let name = manifest.config.rsplit('/').next().unwrap_or_default();
        known.insert(name.strip_suffix(".json").unwrap_or(name).to_owned())
    });
    Ok(left
        .map(|manifest| Found {
            image: ArchiveImage { names: manifest.repo_tags.clone().unwrap_or_default() },
            origin: Origin::Docker(manifest),
        })
        .collect())
}

/// The configurations that a descriptor leads to, by the digits of their digests.
fn note_configs(
    tarball: &Tarball,
    descriptor: &Descriptor,
    known: &mut HashSet<String>,
    depth: usize,
) -> Result<(), ArchiveError> {
    let media_type = descriptor.media_type().as_ref();
    // What is not there nobody can mean, and what is no image has no configuration.
    if depth > DEEPEST || !tarball.contains(&digest_of(descriptor)?.layout_path()) {
        return Ok(());
    }
    if media::is_index(media_type) {
        let (name, bytes) = blob(tarball, descriptor)?;
        let index: ImageIndex = parse(&name, &bytes)?;
        for part in index.manifests() {
            note_configs(tarball, part, known, depth + 1)?;
        }
    } else if media::is_manifest(media_type) {
        let (name, bytes) = blob(tarball, descriptor)?;
        let manifest: ImageManifest = parse(&name, &bytes)?;
        known.insert(digest_of(manifest.config())?.hex().to_owned());
    }
    Ok(())
}

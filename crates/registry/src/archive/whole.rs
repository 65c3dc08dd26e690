//! All of an image that an archive holds: the index with its platforms and attestations, and what refers to it. It
//! travels byte for byte, so that every digest stays and signatures hold.

use super::{ArchiveError, Tarball, Wish, layout, tarball::Section};
use crate::{Digest, media, pack::Encoding, platform::OneOfSeveral};
use oci_spec::image::{Descriptor, ImageIndex, ImageIndexBuilder, ImageManifest, MediaType};
use serde_json::Value;
use std::collections::HashSet;

/// An index may stand in an index, and a signature may be signed; more steps than this would be a loop.
const DEEPEST: usize = 8;
/// No image has as many platforms; what says otherwise is made to cost time.
const MOST_MANIFESTS: usize = 4096;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    /// What is referred to comes first, and the image last.
    pub(crate) manifests: Vec<Part>,
    /// Configurations and layers, each of them once.
    pub(crate) blobs: Vec<Blob>,
    /// What its index names and the archive lacks: the registry may have it.
    pub(crate) absent: Vec<Absent>,
    /// Of several platforms, this machine's.
    pub(crate) one: Option<OneOfSeveral>,
    seen: HashSet<String>,
}

/// A manifest or an index.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) bytes: Vec<u8>,
    /// Under which it is found, beside its digest (cosign's signatures are).
    pub(crate) tag: Option<String>,
    /// What it refers to, and itself as a list of referrers names it.
    pub(crate) subject: Option<(Digest, Descriptor)>,
}

/// A configuration or a layer.
#[derive(Debug)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) media_type: String,
    pub(crate) section: Section,
}

/// A manifest that is not in the archive, or not with all that it is made of.
#[derive(Debug)]
pub(crate) struct Absent {
    pub(crate) digest: Digest,
    /// `linux/arm64`, for a message.
    pub(crate) platform: String,
}

/// Finds all of an image; `None` for one that docker's own layout describes, which has no index. Blocks.
pub(crate) fn gather(
    tarball: &Tarball,
    wish: &Wish<'_>,
    all_platforms: bool,
    referrers: bool,
) -> Result<Option<Whole>, ArchiveError> {
    let Some(roots) = layout::roots(super::choose(tarball, wish)?) else { return Ok(None) };
    let mut whole = Whole::default();
    let mut subjects = Vec::new();
    match roots.as_slice() {
        [root] if all_platforms => whole.descend(tarball, root, &mut subjects, 0)?,
        several if all_platforms => whole.gather_flat(tarball, several, &mut subjects)?,
        _ => {
            let (image, one) = layout::this_machines(tarball, roots)?;
            whole.one = one;
            whole.descend(tarball, &image, &mut subjects, 0)?;
        }
    }
    if referrers {
        let image = whole.manifests.pop();
        whole.gather_referrers(tarball, subjects)?;
        whole.manifests.extend(image);
    }
    Ok(Some(whole))
}

/// Whether an entry of `index.json` is no image of its own, but about another one.
pub(super) fn is_companion(tarball: &Tarball, descriptor: &Descriptor) -> bool {
    match media::archive_name(descriptor) {
        Some(name) => subject_of_tag(&name).is_some(),
        None => about(tarball, descriptor).is_ok_and(|about| about.is_some()),
    }
}

/// `sha256-0123….sig`: the digest that such a tag is about (distribution-spec, "Referrers Tag Schema"; cosign's
/// SIGNATURE_SPEC).
fn subject_of_tag(tag: &str) -> Option<Digest> {
    let (algorithm, rest) = tag.split_once('-')?;
    let hex = rest.split_once('.').map_or(rest, |(hex, _)| hex);
    format!("{algorithm}:{hex}").parse().ok()
}

/// What a manifest is about, and itself as a list of referrers names it.
fn about(tarball: &Tarball, descriptor: &Descriptor) -> Result<Option<(Digest, Descriptor)>, ArchiveError> {
    let (name, bytes) = layout::blob(tarball, descriptor)?;
    let manifest: Value = layout::parse(&name, &bytes)?;
    let Some(subject) = manifest.pointer("/subject/digest").and_then(Value::as_str) else { return Ok(None) };
    let unfit =
        |error: &dyn std::fmt::Display| ArchiveError::Inconsistent { what: format!("{name}: {error}") };
    let subject = subject.parse::<Digest>().map_err(|error| unfit(&error))?;
    let digest = layout::digest_of(descriptor)?;
    let media_type = descriptor.media_type().to_string();
    let listed = media::listed(&manifest, &media_type, &digest, bytes.len());
    Ok(Some((subject, serde_json::from_value(listed).map_err(|error| unfit(&error))?)))
}

/// Foreign layers are fetched where their URLs say (image-spec, descriptor.md).
fn is_elsewhere(part: &Descriptor) -> bool {
    part.urls().as_ref().is_some_and(|urls| !urls.is_empty())
}

/// Whether the archive has a manifest, and of an image its configuration and layers. Docker's containerd store may have
/// the manifest of a platform that was never pulled, and saves it.
fn is_complete(tarball: &Tarball, descriptor: &Descriptor) -> Result<bool, ArchiveError> {
    if !tarball.contains(&layout::digest_of(descriptor)?.layout_path()) {
        return Ok(false);
    }
    if !media::is_manifest(descriptor.media_type().as_ref()) {
        return Ok(true);
    }
    let (name, bytes) = layout::blob(tarball, descriptor)?;
    // What does not read as an image is told of where it is taken in.
    let Ok(image) = layout::parse::<ImageManifest>(&name, &bytes) else { return Ok(true) };
    for part in std::iter::once(image.config()).chain(image.layers()) {
        if !is_elsewhere(part) && !tarball.contains(&layout::digest_of(part)?.layout_path()) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Whole {
    /// Notes a manifest, after everything that it is made of.
    fn descend(
        &mut self,
        tarball: &Tarball,
        descriptor: &Descriptor,
        subjects: &mut Vec<Digest>,
        depth: usize,
    ) -> Result<(), ArchiveError> {
        let digest = layout::digest_of(descriptor)?;
        if !self.seen.insert(digest.to_string()) {
            return Ok(());
        }
        if depth == DEEPEST || self.seen.len() > MOST_MANIFESTS {
            return Err(ArchiveError::Inconsistent { what: "its indexes do not end".to_owned() });
        }
        let (name, bytes) = layout::blob(tarball, descriptor)?;
        let manifest: Value = layout::parse(&name, &bytes)?;
        if manifest.get("schemaVersion").and_then(Value::as_u64) == Some(1) {
            return Err(ArchiveError::SchemaOne { name });
        }
        // The descriptor always has it; older manifests leave their own type out.
        let media_type = descriptor.media_type().to_string();
        if media::is_index(&media_type) {
            let index: ImageIndex = layout::parse(&name, &bytes)?;
            for part in index.manifests() {
                let part_digest = layout::digest_of(part)?;
                if is_complete(tarball, part)? {
                    self.descend(tarball, part, subjects, depth + 1)?;
                } else if self.seen.insert(part_digest.to_string()) {
                    let platform = match media::is_attestation(part) {
                        true => "an attestation".to_owned(),
                        false => crate::platform::list(std::slice::from_ref(part)),
                    };
                    self.absent.push(Absent { digest: part_digest, platform });
                }
            }
        } else if media::is_manifest(&media_type) {
            let image: ImageManifest = layout::parse(&name, &bytes)?;
            for part in std::iter::once(image.config()).chain(image.layers()) {
                self.note_blob(tarball, part)?;
            }
        } else {
            return Err(ArchiveError::Inconsistent {
                what: format!("{name} is listed as an image and is {media_type}"),
            });
        }
        // What is read as one thing here and as another elsewhere is refused everywhere (CVE-2021-41190).
        if let Some(own) = manifest.get("mediaType").and_then(Value::as_str).filter(|own| *own != media_type)
        {
            return Err(ArchiveError::Inconsistent {
                what: format!("{name} is {own}, and is listed as {media_type}"),
            });
        }
        subjects.push(digest.clone());
        self.manifests.push(Part { digest, media_type, bytes, tag: None, subject: None });
        Ok(())
    }

    fn note_blob(&mut self, tarball: &Tarball, part: &Descriptor) -> Result<(), ArchiveError> {
        let digest = layout::digest_of(part)?;
        let name = digest.layout_path();
        if is_elsewhere(part) && !tarball.contains(&name) {
            return Ok(());
        }
        if !self.seen.insert(digest.to_string()) {
            return Ok(());
        }
        let section = tarball.section(&name)?;
        if section.size != part.size() {
            return Err(ArchiveError::Inconsistent {
                what: format!("{name} ought to have {} bytes and has {}", part.size(), section.size),
            });
        }
        self.blobs.push(Blob { digest, media_type: part.media_type().to_string(), section });
        Ok(())
    }

    /// The platforms of one image that stand in `index.json` side by side get the index that they lack.
    fn gather_flat(
        &mut self,
        tarball: &Tarball,
        descriptors: &[Descriptor],
        subjects: &mut Vec<Digest>,
    ) -> Result<(), ArchiveError> {
        for descriptor in descriptors {
            self.descend(tarball, descriptor, subjects, 1)?;
        }
        let unfit = |error: &dyn std::fmt::Display| ArchiveError::Inconsistent { what: error.to_string() };
        let index = ImageIndexBuilder::default()
            .schema_version(2_u32)
            .media_type(MediaType::from(media::OCI_INDEX))
            .manifests(descriptors)
            .build()
            .map_err(|error| unfit(&error))?;
        let bytes = serde_json::to_vec(&index).map_err(|error| unfit(&error))?;
        let digest = Digest::of(&bytes);
        subjects.push(digest.clone());
        let media_type = media::OCI_INDEX.to_owned();
        self.manifests.push(Part { digest, media_type, bytes, tag: None, subject: None });
        Ok(())
    }

    /// What in `index.json` is about one of `subjects`, and about that again.
    fn gather_referrers(&mut self, tarball: &Tarball, mut subjects: Vec<Digest>) -> Result<(), ArchiveError> {
        let index: ImageIndex = layout::json(tarball, "index.json")?;
        for _ in 0..DEEPEST {
            let mut found = Vec::new();
            for entry in index.manifests() {
                if self.seen.contains(&entry.digest().to_string()) {
                    continue;
                }
                let name = media::archive_name(entry);
                let by_tag = name.as_deref().and_then(subject_of_tag).filter(|it| subjects.contains(it));
                let by_subject = match &by_tag {
                    Some(_) => None,
                    // What does not read is another image's trouble.
                    None => about(tarball, entry).ok().flatten().filter(|(it, _)| subjects.contains(it)),
                };
                if by_tag.is_none() && by_subject.is_none() {
                    continue;
                }
                self.descend(tarball, entry, &mut found, 0)?;
                if let Some(last) = self.manifests.last_mut() {
                    last.tag = by_tag.and(name);
                    last.subject = by_subject;
                }
            }
            if found.is_empty() {
                return Ok(());
            }
            subjects = found;
        }
        Ok(())
    }
}

impl Blob {
    /// How it is compressed, as its type says; of what is no layer nobody asks.
    pub(crate) fn encoding(&self) -> Encoding {
        media::encoding(&self.media_type).unwrap_or(Encoding::Gzip)
    }
}

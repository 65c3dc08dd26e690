//! Writing an image archive whose layers arrive out of order.
//!
//! The manifest says how long every blob is, so the whole tar is laid out before the first byte of a layer is
//! here: each blob has its place and is written there, however many are on their way at once.

use crate::{Digest, media};
use oci_spec::image::Descriptor;
use serde_json::json;
use std::io;

const BLOCK: u64 = 512;

/// A blob's place in the tar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) digest: Digest,
    /// Where its bytes begin.
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// The plan of an archive: pieces that are known already, and places for the blobs.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Bytes to be written, with their offsets: headers and JSON files.
    pub(crate) pieces: Vec<(u64, Vec<u8>)>,
    pub(crate) blobs: Vec<Slot>,
    /// The length of the tar, with its end marker.
    pub(crate) length: u64,
}

/// What goes into the archive.
#[derive(Debug)]
pub(crate) struct Contents<'a> {
    /// The manifest's own descriptor: its media type, digest and size, and its platform if an index named one.
    pub(crate) manifest: &'a Descriptor,
    pub(crate) manifest_bytes: &'a [u8],
    pub(crate) config: &'a Descriptor,
    pub(crate) layers: &'a [Descriptor],
    /// `cr.boss.org:5000/app:v1`; none if it was pulled by digest.
    pub(crate) name: Option<&'a str>,
    pub(crate) tag: Option<&'a str>,
}

/// Lays the archive out: an OCI image layout that also has docker's `manifest.json`, since Docker before 25
/// knows nothing else.
pub(crate) fn plan(contents: &Contents<'_>) -> io::Result<Plan> {
    let digest = |descriptor| media::digest(descriptor).map_err(io::Error::other);
    let mut tar = Layout::default();
    tar.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())?;

    let manifest_digest = digest(contents.manifest)?;
    tar.file(&manifest_digest.layout_path(), contents.manifest_bytes.to_vec())?;
    let mut blobs: Vec<Slot> = Vec::new();
    for descriptor in std::iter::once(contents.config).chain(contents.layers) {
        let digest = digest(descriptor)?;
        if !blobs.iter().any(|blob| blob.digest == digest) {
            let offset = tar.header(&digest.layout_path(), descriptor.size())?;
            tar.skip(descriptor.size());
            blobs.push(Slot { digest, offset, size: descriptor.size() });
        }
    }

    let mut entry = json!({
        "mediaType": contents.manifest.media_type().to_string(),
        "digest": manifest_digest.to_string(),
        "size": contents.manifest_bytes.len(),
    });
    if let (Some(name), Some(tag)) = (contents.name, contents.tag) {
        entry["annotations"] = json!({ (media::CONTAINERD_NAME): name, (media::REF_NAME): tag });
    }
    if let Some(platform) = contents.manifest.platform() {
        entry["platform"] = serde_json::to_value(platform)?;
    }
    let index = json!({ "schemaVersion": 2, "mediaType": media::OCI_INDEX, "manifests": [entry] });
    tar.file("index.json", serde_json::to_vec(&index)?)?;
    let layers = contents
        .layers
        .iter()
        .map(|layer| Ok(digest(layer)?.layout_path()))
        .collect::<io::Result<Vec<String>>>()?;
    let docker = json!([{
        "Config": digest(contents.config)?.layout_path(),
        "RepoTags": contents.name.map(|name| vec![name]),
        "Layers": layers,
    }]);
    tar.file("manifest.json", serde_json::to_vec(&docker)?)?;
    // Two empty blocks end a tar; the file is made that long, and a hole reads as zeros.
    Ok(Plan { pieces: tar.pieces, blobs, length: tar.position + 2 * BLOCK })
}

#[derive(Default)]
struct Layout {
    pieces: Vec<(u64, Vec<u8>)>,
    position: u64,
}

impl Layout {
    /// Adds a header and returns where the file's bytes begin.
    fn header(&mut self, name: &str, size: u64) -> io::Result<u64> {
        let mut header = tar::Header::new_ustar();
        header.set_path(name)?;
        header.set_size(size);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        self.pieces.push((self.position, header.as_bytes().to_vec()));
        self.position += BLOCK;
        Ok(self.position)
    }

    fn skip(&mut self, size: u64) {
        self.position += size.next_multiple_of(BLOCK);
    }

    fn file(&mut self, name: &str, bytes: Vec<u8>) -> io::Result<()> {
        let offset = self.header(name, bytes.len() as u64)?;
        self.skip(bytes.len() as u64);
        self.pieces.push((offset, bytes));
        Ok(())
    }
}

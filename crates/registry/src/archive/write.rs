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
    /// Whether it is a layer, and no configuration.
    pub(crate) is_layer: bool,
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

/// A manifest or an index in the archive.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) descriptor: Descriptor,
    pub(crate) bytes: &'a [u8],
    /// `cr.boss.org:5000/app:v1`; none if it was pulled by digest.
    pub(crate) name: Option<&'a str>,
    pub(crate) tag: Option<&'a str>,
    /// Whether `index.json` names it; what others are made of is found through them.
    pub(crate) is_root: bool,
}

/// Lays the archive out: an OCI image layout. With `docker` (configuration, layers) it also has docker's
/// `manifest.json`, since Docker before 25 knows nothing else. The last of `manifests` is the image itself.
pub(crate) fn plan(
    manifests: &[Entry<'_>],
    blobs: &[Descriptor],
    docker: Option<(&Descriptor, &[Descriptor])>,
) -> io::Result<Plan> {
    let mut tar = Layout::default();
    tar.file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())?;
    let mut written: Vec<String> = Vec::new();
    for manifest in manifests {
        let path = digest(&manifest.descriptor)?.layout_path();
        if !written.contains(&path) {
            tar.file(&path, manifest.bytes.to_vec())?;
            written.push(path);
        }
    }
    let mut slots: Vec<Slot> = Vec::new();
    for descriptor in blobs {
        tar.slot(&mut slots, descriptor, |digest| digest.layout_path())?;
    }
    // The image is what is looked for first.
    let entries: Vec<serde_json::Value> = manifests
        .iter()
        .rev()
        .filter(|manifest| manifest.is_root)
        .map(|manifest| {
            let mut entry = json!({
                "mediaType": manifest.descriptor.media_type().to_string(),
                "digest": digest(&manifest.descriptor)?.to_string(),
                "size": manifest.bytes.len(),
            });
            match (manifest.name, manifest.tag) {
                (Some(name), Some(tag)) => {
                    entry["annotations"] = json!({ (media::CONTAINERD_NAME): name, (media::REF_NAME): tag });
                }
                (None, Some(tag)) => entry["annotations"] = json!({ (media::REF_NAME): tag }),
                (_, None) => {}
            }
            Ok(entry)
        })
        .collect::<io::Result<_>>()?;
    let index = json!({ "schemaVersion": 2, "mediaType": media::OCI_INDEX, "manifests": entries });
    tar.file("index.json", serde_json::to_vec(&index)?)?;
    if let Some((config, layers)) = docker {
        let name = manifests.last().and_then(|image| image.name);
        tar.manifest_json(config, layers, name, |digest, _| digest.layout_path())?;
    }
    Ok(tar.finish(slots))
}

/// As `docker save` laid it out before version 25, which every engine and tool reads; layers stay compressed.
pub(crate) fn plan_docker(
    config: &Descriptor,
    layers: &[Descriptor],
    name: Option<&str>,
) -> io::Result<Plan> {
    let path = |digest: &Digest, is_layer: bool| match is_layer {
        true => format!("{}/layer.tar", digest.hex()),
        false => format!("{}.json", digest.hex()),
    };
    let mut tar = Layout::default();
    let mut slots = Vec::new();
    tar.slot(&mut slots, config, |digest| path(digest, false))?;
    for layer in layers {
        tar.slot(&mut slots, layer, |digest| path(digest, true))?;
    }
    tar.manifest_json(config, layers, name, path)?;
    Ok(tar.finish(slots))
}

fn digest(descriptor: &Descriptor) -> io::Result<Digest> {
    media::digest(descriptor).map_err(io::Error::other)
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

    /// A place for a blob, unless it has one.
    fn slot(
        &mut self,
        slots: &mut Vec<Slot>,
        descriptor: &Descriptor,
        path: impl Fn(&Digest) -> String,
    ) -> io::Result<()> {
        let digest = digest(descriptor)?;
        if slots.iter().all(|slot| slot.digest != digest) {
            let size = descriptor.size();
            let offset = self.header(&path(&digest), size)?;
            self.skip(size);
            let is_layer = media::is_layer(descriptor.media_type().as_ref());
            slots.push(Slot { digest, offset, size, is_layer });
        }
        Ok(())
    }

    fn manifest_json(
        &mut self,
        config: &Descriptor,
        layers: &[Descriptor],
        name: Option<&str>,
        path: impl Fn(&Digest, bool) -> String,
    ) -> io::Result<()> {
        let layers: Vec<String> =
            layers.iter().map(|layer| Ok(path(&digest(layer)?, true))).collect::<io::Result<_>>()?;
        let docker = json!([{
            "Config": path(&digest(config)?, false),
            "RepoTags": name.map(|name| vec![name]),
            "Layers": layers,
        }]);
        self.file("manifest.json", serde_json::to_vec(&docker)?)
    }

    /// Two empty blocks end a tar; the file is made that long, and a hole reads as zeros.
    fn finish(self, blobs: Vec<Slot>) -> Plan {
        Plan { pieces: self.pieces, blobs, length: self.position + 2 * BLOCK }
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

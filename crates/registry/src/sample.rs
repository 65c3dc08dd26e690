//! A small image archive, the same every time, for the demo and for tests.

use crate::{Digest, platform::Wanted};
use serde_json::json;
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    path::Path,
};

/// The name the sample has in its archive.
pub const SAMPLE_REFERENCE: &str = "dockline-sample:v1";

/// Size of each layer's contents in MiB: a large base, as images have, and ever smaller ones above.
const LAYERS: [usize; 6] = [8, 6, 4, 3, 2, 1];

/// Writes the sample image as `docker save` does: six layers, 24 MiB, half of it incompressible. The bytes are
/// the same on every machine of one architecture, which is all the image says about the machine.
///
/// # Errors
/// When the file cannot be written.
pub fn write_sample(path: &Path) -> io::Result<()> {
    let mut archive = tar::Builder::new(BufWriter::new(File::create(path)?));
    let mut names = Vec::new();
    let mut diff_ids = Vec::new();
    for (index, mebibytes) in LAYERS.into_iter().enumerate() {
        let layer = layer(index, mebibytes << 20)?;
        let digest = Digest::of(&layer);
        let name = format!("{}/layer.tar", digest.hex());
        append(&mut archive, &name, &layer)?;
        names.push(name);
        diff_ids.push(digest.to_string());
    }
    let config = json!({
        "architecture": Wanted::host().architecture(),
        "os": "linux",
        "created": "2026-01-01T00:00:00Z",
        "config": { "Labels": { "org.opencontainers.image.title": "Dockline's sample image" } },
        "history": diff_ids.iter().map(|_| json!({ "created": "2026-01-01T00:00:00Z", "created_by": "dockline" }))
            .collect::<Vec<_>>(),
        "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    let config = serde_json::to_vec(&config)?;
    let config_name = format!("{}.json", Digest::of(&config).hex());
    append(&mut archive, &config_name, &config)?;
    let manifest = json!([{ "Config": config_name, "RepoTags": [SAMPLE_REFERENCE], "Layers": names }]);
    append(&mut archive, "manifest.json", &serde_json::to_vec(&manifest)?)?;
    archive.into_inner()?.into_inner()?.flush()
}

/// A layer with a file of noise and a file of text, half of `size` each.
fn layer(index: usize, size: usize) -> io::Result<Vec<u8>> {
    let mut layer = tar::Builder::new(Vec::with_capacity(size + (16 << 10)));
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (index as u64 + 1);
    let noise: Vec<u8> =
        std::iter::repeat_with(|| xorshift(&mut state).to_le_bytes()).flatten().take(size / 2).collect();
    append(&mut layer, &format!("usr/share/dockline/layer-{index}/noise"), &noise)?;
    let text: Vec<u8> = format!("Layer {index} of the sample image that Dockline brings along.\n")
        .bytes()
        .cycle()
        .take(size / 2)
        .collect();
    append(&mut layer, &format!("usr/share/dockline/layer-{index}/text"), &text)?;
    layer.into_inner()
}

/// Marsaglia's xorshift64: noise that needs no crate and never changes.
fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn append(archive: &mut tar::Builder<impl io::Write>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    archive.append_data(&mut header, name, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_same_every_time() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |name: &str| {
            let path = folder.path().join(name);
            write_sample(&path).unwrap();
            Digest::of(&std::fs::read(path).unwrap())
        };
        assert_eq!(digest("a.tar"), digest("b.tar"));
        let size = std::fs::metadata(folder.path().join("a.tar")).unwrap().len();
        assert!((24 << 20..25 << 20).contains(&size), "{size}");
    }
}

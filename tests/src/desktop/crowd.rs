//! A lot of everything: more images, registries and layers than fit on a page, and names as long as they may be.

use crate::lab::unique_registry_name;
use dockline_registry::Digest;
use serde_json::json;
use std::{env::consts::ARCH, fs::File, path::Path};

/// How many images [`write_many_images`] writes, the one with the layers not counted.
pub const MANY_IMAGES: usize = 500;
/// How many layers [`MANY_LAYERED`] has.
pub const MANY_LAYERS: usize = 60;
/// The image that has them.
pub const MANY_LAYERED: &str = "team/monolith:v1";

/// Writes an archive as `docker save` does: 500 small images, one of them with a name as long as it may be, and one
/// image of 60 layers that weigh 12 MiB together.
///
/// # Panics
/// When the file cannot be written.
pub fn write_many_images(path: &Path) {
    let mut archive = tar::Builder::new(File::create(path).expect("the folder is ours"));
    let layers: Vec<(String, String)> = (0..MANY_LAYERS)
        .map(|number| {
            let layer = layer(number);
            let name = format!("layer-{number}.tar");
            append(&mut archive, &name, &layer);
            (name, Digest::of(&layer).to_string())
        })
        .collect();
    let mut manifest = Vec::new();
    for number in 0..=MANY_IMAGES {
        let (tag, layers) = match number {
            MANY_IMAGES => (MANY_LAYERED.to_owned(), layers.as_slice()),
            _ => (tag(number), &layers[..=number % 5]),
        };
        let digests: Vec<&String> = layers.iter().map(|(_, digest)| digest).collect();
        // The one of many layers is the newest, and so the first in every list.
        let days = (number + 1) % (MANY_IMAGES + 1);
        let (day, month) = (28 - days % 28, 12 - (days / 28) % 12);
        let created = format!("20{:02}-{month:02}-{day:02}T09:00:00Z", 25 - days / 336);
        let steps: Vec<_> =
            digests.iter().map(|_| json!({ "created": created, "created_by": "COPY . /" })).collect();
        let config = json!({
            "architecture": if ARCH == "aarch64" { "arm64" } else { "amd64" },
            "os": "linux",
            "created": created,
            "config": { "Labels": { "number": number.to_string() } },
            "history": steps,
            "rootfs": { "type": "layers", "diff_ids": digests },
        });
        let name = format!("config-{number}.json");
        append(&mut archive, &name, config.to_string().as_bytes());
        let files: Vec<&String> = layers.iter().map(|(file, _)| file).collect();
        manifest.push(json!({ "Config": name, "RepoTags": [tag], "Layers": files }));
    }
    append(&mut archive, "manifest.json", json!(manifest).to_string().as_bytes());
    archive.finish().expect("the folder is ours");
}

/// A team file with 47 registries that nobody has to reach. The first has a name as long as one meets; the names are no
/// other test's.
#[must_use]
pub fn many_registries() -> String {
    let mut text = "dockline-team = 1\n".to_owned();
    for number in 0..47 {
        let (label, ssh) = match number {
            0 => (
                "a-registry-whose-name-goes-on-and-on.infrastructure.a-department-far-away".to_owned(),
                "a-user-with-a-long-name@bastion.infrastructure.a-department-far-away.example".to_owned(),
            ),
            // TEST-NET-1 (RFC 5737): nobody's.
            _ => (format!("cr{number}"), format!("dockercr@192.0.2.{number}")),
        };
        let name = unique_registry_name(&label);
        text.push_str(&format!("\n[[registry]]\nname = \"{name}\"\nssh = [\"{ssh}\"]\n"));
    }
    text
}

fn tag(number: usize) -> String {
    match number {
        2 => format!("team/{}long/repository:{}0", "very-".repeat(12), "v1.".repeat(20)),
        _ => format!("team{}/service-{number}:1.{number}.0", number % 7),
    }
}

/// One file of noise: a push of it takes as long as it is large.
fn layer(number: usize) -> Vec<u8> {
    let mut layer = tar::Builder::new(Vec::new());
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (number as u64 + 1);
    let words = (number % 7 + 1) * 48 * 1024 / 8;
    let noise: Vec<u8> =
        std::iter::repeat_with(|| xorshift(&mut state).to_le_bytes()).take(words).flatten().collect();
    append(&mut layer, &format!("layer-{number}"), &noise);
    layer.into_inner().expect("memory takes it")
}

/// Marsaglia's xorshift64.
fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn append(archive: &mut tar::Builder<impl std::io::Write>, name: &str, bytes: &[u8]) {
    let mut header = tar::Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    archive.append_data(&mut header, name, bytes).expect("the folder is ours");
}

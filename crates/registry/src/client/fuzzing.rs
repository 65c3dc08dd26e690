//! The client's part of what is fuzzed.

use super::{
    auth::{Challenge, challenges as read},
    export::read_export,
    survey::EngineImage,
};
use crate::{Digest, media};
use oci_spec::image::{ImageIndex, ImageManifest};
use tokio::sync::mpsc;

/// An engine's export, as it is read on the way.
pub(crate) fn export(data: &[u8]) {
    let image = EngineImage { id: Digest::of(b"{}"), layers: vec![Digest::of(b"layer")], size: 0 };
    // More than a small input holds: nobody takes them out.
    let (sender, _parts) = mpsc::channel(64);
    drop(read_export(data, &image, &sender));
}

/// What a registry sends as a manifest.
pub(crate) fn manifest(data: &[u8]) {
    if let Ok(image) = serde_json::from_slice::<ImageManifest>(data) {
        for layer in image.layers().iter().chain([image.config()]) {
            drop(media::digest(layer));
            media::encoding(layer.media_type().as_ref());
            media::is_attestation(layer);
        }
        let written = serde_json::to_vec(&image).expect("a manifest is JSON");
        let again: ImageManifest = serde_json::from_slice(&written).expect("what is written reads");
        assert_eq!(again, image);
    }
    if let Ok(index) = serde_json::from_slice::<ImageIndex>(data) {
        for image in index.manifests() {
            media::archive_name(image);
            media::is_attestation(image);
        }
        crate::platform::list(index.manifests());
    }
}

/// The ways in that a registry offers.
pub(crate) fn challenges(header: &str) {
    let found = read(header);
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let written: Vec<String> = found
        .iter()
        .map(|challenge| match challenge {
            Challenge::Basic => "Basic".to_owned(),
            Challenge::Bearer(bearer) => {
                assert!(!bearer.realm.is_empty(), "a token server without an address");
                let [realm, service, scope] =
                    [&bearer.realm, &bearer.service, &bearer.scope].map(|text| quoted(text));
                format!("Bearer realm={realm},service={service},scope={scope}")
            }
        })
        .collect();
    assert_eq!(read(&written.join(", ")), found, "{written:?}");
}

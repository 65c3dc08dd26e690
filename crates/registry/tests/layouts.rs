//! Archives with two lists of what they hold, and archives that hold no image.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_registry::{ArchiveError, Digest, RegistryError, archive};
use serde_json::{Value, json};
use support::{Registry, tar_of};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const TAR: &str = "application/vnd.oci.image.layer.v1.tar";

/// An archive in the making.
#[derive(Default)]
struct Layout {
    files: Vec<(String, Vec<u8>)>,
}

impl Layout {
    fn blob(&mut self, kind: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes);
        self.files.push((format!("blobs/sha256/{}", digest.hex()), bytes.to_vec()));
        json!({ "mediaType": kind, "digest": digest.to_string(), "size": bytes.len() })
    }

    /// An image of one layer: its descriptor, and its entry in `manifest.json`.
    fn image(&mut self, contents: &str) -> (Value, Value) {
        let bytes = tar_of([("a.txt", contents.as_bytes().to_vec())]);
        let layer = self.blob(TAR, &bytes);
        let rootfs = json!({ "type": "layers", "diff_ids": [layer["digest"]] });
        let config = json!({ "os": "linux", "architecture": "amd64", "rootfs": rootfs });
        let config = self.blob(CONFIG, config.to_string().as_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
        });
        let place = |part: &Value| part["digest"].as_str().unwrap().replace("sha256:", "blobs/sha256/");
        let entry = json!({ "Config": place(&config), "RepoTags": null, "Layers": [place(&layer)] });
        (self.blob(MANIFEST, manifest.to_string().as_bytes()), entry)
    }

    fn write(mut self, file: &std::path::Path, index: &[Value], manifest: Option<&[Value]>) {
        let index = json!({ "schemaVersion": 2, "manifests": index });
        self.files.push(("index.json".to_owned(), index.to_string().into_bytes()));
        self.files.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
        if let Some(manifest) = manifest {
            self.files.push(("manifest.json".to_owned(), json!(manifest).to_string().into_bytes()));
        }
        std::fs::write(file, tar_of(self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone()))))
            .unwrap();
    }
}

/// Docker 25 and later: `docker save ID1 ID2` lists the first in both files, and the second in one.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_one_list_leaves_out_is_one_of_several() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    let registry = Registry::built_in().await;
    let mut layout = Layout::default();
    let ((first, entry), (_, other)) = (layout.image("one"), layout.image("two"));
    layout.write(&file, &[first], Some(&[entry, other]));
    assert_eq!(archive::images(&file).await.unwrap().len(), 2);
    let error = registry.client().push_archive(&file, "app", "v1", |_, _, _| ()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Archive(ArchiveError::SeveralImages { .. })), "{error:?}");

    // What is in both is one image still.
    let mut layout = Layout::default();
    let (first, entry) = layout.image("one");
    layout.write(&file, &[first], Some(&[entry]));
    assert_eq!(archive::images(&file).await.unwrap().len(), 1);
    registry.client().push_archive(&file, "app", "v1", |_, _, _| ()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_images_for_the_same_platform_are_not_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    for (platforms, images) in [(["amd64", "amd64"], 2), (["amd64", "arm64"], 1)] {
        let mut layout = Layout::default();
        let mut index = [layout.image("one").0, layout.image("two").0];
        for (descriptor, architecture) in index.iter_mut().zip(platforms) {
            descriptor["platform"] = json!({ "os": "linux", "architecture": architecture });
        }
        layout.write(&file, &index, None);
        assert_eq!(archive::images(&file).await.unwrap().len(), images, "{platforms:?}");
    }
}

/// ORAS says of every file that it is a tar, unless it is told otherwise.
#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_is_sent_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("app.tar");
    let registry = Registry::built_in().await;
    for kind in ["application/vnd.oci.empty.v1+json", "application/vnd.acme.settings"] {
        let mut layout = Layout::default();
        let (layer, config) = (layout.blob(TAR, b"no tar at all"), layout.blob(kind, b"{}"));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer],
        });
        let manifest = layout.blob(MANIFEST, manifest.to_string().as_bytes());
        layout.write(&file, std::slice::from_ref(&manifest), None);
        let pushed = registry.client().push_archive(&file, "app", "v1", |_, _, _| ()).await.unwrap();
        assert_eq!(json!(pushed.to_string()), manifest["digest"], "{kind}");
    }
}

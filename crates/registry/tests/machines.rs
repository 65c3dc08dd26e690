//! The same image from two machines: it has the same digest, and nothing is sent that the registry has. What a registry's
//! images say of a layer is believed in their own repository alone.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_model::{Compression, LayerState, LayerView};
use dockline_registry::{Digest, Packing, Sending};
use serde_json::{Value, json};
use std::path::Path;
use support::{
    Registry, have,
    line::{Line, layer, save},
    skopeo, skopeo_digest, tar_of,
};

const MIB: u64 = 1 << 20;

/// A machine that has never pushed, on a line that has Dockline choose this level.
fn machine(level: u8) -> Sending {
    let packing = Packing::new(Compression::Gzip, level);
    Sending { packing, ..Sending::default() }
}

async fn push(
    line: &Line,
    file: &Path,
    (repository, tag): (&str, &str),
    sending: &Sending,
) -> (Digest, Vec<LayerView>) {
    let mut last = Vec::new();
    let report = |layers: &[LayerView], _, _| last = layers.to_vec();
    let pushed = line.client().push_archive_as(file, None, repository, tag, sending, report).await.unwrap();
    (pushed, last)
}

/// Something that each level packs otherwise.
fn text(word: &str) -> Vec<u8> {
    let lines: String =
        (0..60_000_u32).map(|n| format!("{word} {}\n", n.wrapping_mul(2_654_435_761))).collect();
    tar_of([("text", lines.into_bytes())])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_image_has_the_same_digest_from_another_machine() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    for (kind, registry) in Registry::both().await {
        let line = Line::to(registry.address).await;
        save(&file, "app:v1", &[text("base"), layer(1, 2 << 20)]);
        let (first, _) = push(&line, &file, ("app", "v1"), &machine(1)).await;
        assert!(line.take() > 2 * MIB);

        // Near and far choose other levels: the registry's own copy decides.
        for (level, tag) in [(6, "v1"), (6, "other"), (9, "other")] {
            let (again, layers) = push(&line, &file, ("app", tag), &machine(level)).await;
            assert_eq!(again, first, "{kind}: level {level} as {tag}");
            assert!(layers.iter().all(|layer| layer.state == LayerState::Exists), "{kind}: {layers:?}");
            let sent = line.take();
            assert!(sent < 32 << 10, "{kind}: {sent} bytes for nothing new");
        }
        // Who asks for a level gets that, and another digest.
        let strict = Sending { takes_any: false, ..machine(9) };
        assert_ne!(push(&line, &file, ("app", "dense"), &strict).await.0, first);
        line.take();

        // One layer changed, on a third machine.
        save(&file, "app:v2", &[text("base"), layer(2, 1 << 20)]);
        let (_, layers) = push(&line, &file, ("app", "v2"), &machine(6)).await;
        assert_eq!(layers[0].state, LayerState::Exists, "{kind}: {layers:?}");
        let sent = line.take();
        assert!(sent < 5 * MIB / 4, "{kind}: {} KiB for one layer of 1 MiB", sent >> 10);
    }
}

/// Others write a manifest in another way, for the same layers: who was first decides.
#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_another_tool_pushed_keeps_its_digest() {
    if !have("skopeo") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    save(&file, "app:v1", &[text("skopeo"), layer(3, 1 << 20)]);
    for (kind, registry) in Registry::both().await {
        let url = registry.docker_url("app:v1");
        let from = format!("docker-archive:{}", file.display());
        skopeo(&["copy", "--dest-tls-verify=false", &from, &url]).await;
        let theirs = skopeo_digest(&registry, "app:v1").await;
        let line = Line::to(registry.address).await;
        for tag in ["v1", "v2"] {
            let (pushed, _) = push(&line, &file, ("app", tag), &machine(1)).await;
            assert_eq!(pushed.to_string(), theirs, "{kind}: {tag}");
            assert_eq!(skopeo_digest(&registry, &format!("app:{tag}")).await, theirs);
        }
        assert!(line.take() < 32 << 10);
    }
}

/// A registry's client for what no honest pusher does.
struct Liar<'a>(&'a Registry);

impl Liar<'_> {
    async fn blob(&self, repository: &str, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        let body = std::io::Cursor::new(bytes.to_vec());
        let client = self.0.client();
        client.push_blob(repository, &digest, bytes.len() as u64, body, |_| ()).await.unwrap();
        digest
    }

    /// An image whose configuration says that `blob` is `layer`, stored under its digest, or under a tag; the blob's
    /// digest, and the manifest.
    async fn image(
        &self,
        repository: &str,
        tag: Option<&str>,
        layer: &Digest,
        blob: &[u8],
    ) -> (Digest, Vec<u8>) {
        let rootfs = json!({ "type": "layers", "diff_ids": [layer.to_string()] });
        let config = json!({ "os": "linux", "architecture": "amd64", "rootfs": rootfs }).to_string();
        let config_digest = self.blob(repository, config.as_bytes()).await;
        let digest = self.blob(repository, blob).await;
        let kind = "application/vnd.docker.distribution.manifest.v2+json";
        let manifest = json!({
            "schemaVersion": 2, "mediaType": kind,
            "config": { "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": config.len(), "digest": config_digest.to_string() },
            "layers": [{ "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                "size": blob.len(), "digest": digest.to_string() }],
        });
        let bytes = manifest.to_string().into_bytes();
        let name = tag.map_or_else(|| Digest::of(&bytes).to_string(), str::to_owned);
        self.0.client().push_manifest(repository, &name, kind, bytes.clone()).await.unwrap();
        (digest, bytes)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lie_about_a_layer_stays_in_its_repository() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    let honest = layer(4, 1 << 20);
    save(&file, "app:v1", std::slice::from_ref(&honest));
    for (kind, registry) in Registry::both().await {
        let line = Line::to(registry.address).await;
        let lie =
            Liar(&registry).image("dev/app", Some("v0"), &Digest::of(&honest), b"something else").await.0;
        let machine = machine(1);
        // Whoever may write in the repository may also give its tags to anything.
        push(&line, &file, ("dev/app", "v1"), &machine).await;
        line.take();
        // But not in another one: there the layer is sent, whatever is remembered.
        let (pushed, layers) = push(&line, &file, ("prod/app", "v1"), &machine).await;
        assert_eq!(layers[0].state, LayerState::Done, "{kind}");
        assert!(line.take() > MIB, "{kind}");
        let manifest = registry.client().get_manifest("prod/app", &pushed.to_string()).await.unwrap();
        let manifest: Value = serde_json::from_slice(&manifest.bytes).unwrap();
        assert_ne!(manifest["layers"][0]["digest"], lie.to_string(), "{kind}");
        // And what was packed here is right everywhere.
        let (_, layers) = push(&line, &file, ("third/app", "v1"), &machine).await;
        assert_eq!(layers[0].state, LayerState::Mounted { from: "prod/app".to_owned() }, "{kind}");
        let (_, layers) =
            push(&line, &file, ("dev/app", "strict"), &Sending { takes_any: false, ..machine }).await;
        assert!(matches!(layers[0].state, LayerState::Mounted { .. }), "{kind}: {layers:?}");
    }
}

/// Docker's containerd store and BuildKit push an index even of one image, and no tag names that.
#[tokio::test(flavor = "multi_thread")]
async fn layers_of_an_index_are_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    let base = layer(5, 1 << 20);
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    for (kind, registry) in Registry::both().await {
        let (_, manifest) = Liar(&registry).image("app", None, &Digest::of(&base), b"its layer").await;
        let index_type = "application/vnd.oci.image.index.v1+json";
        let index = json!({ "schemaVersion": 2, "mediaType": index_type, "manifests": [{
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "digest": Digest::of(&manifest).to_string(), "size": manifest.len(),
            "platform": { "os": "linux", "architecture": architecture },
        }] });
        let index = index.to_string().into_bytes();
        registry.client().push_manifest("app", "v1", index_type, index).await.unwrap();
        let line = Line::to(registry.address).await;
        save(&file, "app:v2", &[base.clone(), layer(6, 1000)]);
        let (_, layers) = push(&line, &file, ("app", "v2"), &machine(6)).await;
        assert_eq!(layers[0].state, LayerState::Exists, "{kind}: {layers:?}");
        assert!(line.take() < 64 << 10, "{kind}");
    }
}

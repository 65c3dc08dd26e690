//! Copies between registries, and what travels with an image when it is asked for. Real docker-registry on one side or
//! the other where it is here; cosign's signatures are made by their published shape, since cosign itself is not packaged.
#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    clippy::wildcard_enum_match_arm,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

use dockline_model::{ArchiveFormat, Code, LayerState, UiError};
use dockline_registry::{Client, ClientConfig, Digest, OneOfSeveral, RegistryError, Scope, Sending, Wanted};
use serde_json::{Value, json};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use support::{Registry, Reports, have, sample, skopeo, skopeo_digest, tar_of};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

fn all() -> Scope {
    Scope { all_platforms: true, referrers: true, ..Scope::default() }
}

async fn push_blob(client: &Client, repository: &str, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    let body = std::io::Cursor::new(bytes.to_vec());
    client.push_blob(repository, &digest, bytes.len() as u64, body, |_| ()).await.unwrap();
    digest
}

async fn push_manifest(
    client: &Client,
    reference: Option<&str>,
    kind: &str,
    manifest: &Value,
) -> (Digest, usize) {
    let bytes = manifest.to_string().into_bytes();
    let digest = Digest::of(&bytes);
    let size = bytes.len();
    let name = reference.map_or_else(|| digest.to_string(), str::to_owned);
    client.push_manifest("multi", &name, kind, bytes).await.unwrap();
    (digest, size)
}

async fn manifest_of(client: &Client, architecture: &str, layer: &[u8]) -> Value {
    let diff_ids = [Digest::of(layer).to_string()];
    let rootfs = json!({ "type": "layers", "diff_ids": diff_ids });
    let config = json!({ "os": "linux", "architecture": architecture, "rootfs": rootfs });
    let config = config.to_string();
    let config_digest = push_blob(client, "multi", config.as_bytes()).await;
    let layer_digest = push_blob(client, "multi", layer).await;
    json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config_digest.to_string(),
            "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": layer_digest.to_string(),
            "size": layer.len(),
        }],
    })
}

/// An index of two platforms and BuildKit's attestation of one, a cosign signature of the index, and an SBOM whose
/// subject is the first image. Returns the digests of the index, of the images and of the SBOM.
async fn multi(client: &Client) -> (Digest, Vec<Digest>, Digest) {
    let mut entries = Vec::new();
    let mut images = Vec::new();
    for (architecture, layer) in [("amd64", b"layer of amd64".as_slice()), ("arm64", b"layer of arm64")] {
        let manifest = manifest_of(client, architecture, layer).await;
        let (digest, size) = push_manifest(client, None, MANIFEST, &manifest).await;
        entries.push(json!({
            "mediaType": MANIFEST, "digest": digest.to_string(), "size": size,
            "platform": { "os": "linux", "architecture": architecture },
        }));
        images.push(digest);
    }
    let attestation = manifest_of(client, "unknown", b"provenance").await;
    let (digest, size) = push_manifest(client, None, MANIFEST, &attestation).await;
    entries.push(json!({
        "mediaType": MANIFEST, "digest": digest.to_string(), "size": size,
        "platform": { "os": "unknown", "architecture": "unknown" },
        "annotations": { "vnd.docker.reference.type": "attestation-manifest" },
    }));
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    let (top, _) = push_manifest(client, Some("v1"), INDEX, &index).await;

    // sigstore/cosign, `specs/SIGNATURE_SPEC.md`.
    let signature = manifest_of(client, "", b"{\"critical\":{}}").await;
    push_manifest(client, Some(&format!("sha256-{}.sig", top.hex())), MANIFEST, &signature).await;
    let mut sbom = manifest_of(client, "", b"what is in it").await;
    sbom["artifactType"] = json!("application/spdx+json");
    let size = entries[0]["size"].clone();
    sbom["subject"] = json!({ "mediaType": MANIFEST, "digest": images[0].to_string(), "size": size });
    let (sbom_digest, sbom_size) = push_manifest(client, None, MANIFEST, &sbom).await;
    // What a client does for a registry without the referrers API (distribution-spec, "Referrers Tag Schema").
    let tag = format!("sha256-{}", images[0].hex());
    let referrers = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [{
        "mediaType": MANIFEST, "digest": sbom_digest.to_string(), "size": sbom_size,
        "artifactType": "application/spdx+json",
    }] });
    push_manifest(client, Some(&tag), INDEX, &referrers).await;
    (top, images, sbom_digest)
}

/// From each kind of registry to each: the built-in one has the referrers API, docker-registry 2.8 has not.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_travels_with_its_platforms_signatures_and_referrers() {
    for (from_kind, from) in Registry::both().await {
        let source = from.client();
        let (top, images, sbom) = multi(&source).await;
        for (to_kind, to) in Registry::both().await {
            let target = to.client();
            let mut reports = Reports::default();
            let copied = source
                .copy_to(("multi", "v1"), &target, ("team/copy", "v2"), &all(), |l, c, t| {
                    reports.take(l, c, t)
                })
                .await
                .unwrap();
            assert_eq!(copied, top, "{from_kind} to {to_kind}");
            assert_eq!(target.manifest_digest("team/copy", "v2").await.unwrap(), top);
            for image in &images {
                assert_eq!(&target.manifest_digest("team/copy", &image.to_string()).await.unwrap(), image);
            }
            let signature = format!("sha256-{}.sig", top.hex());
            assert!(
                target.manifest_digest("team/copy", &signature).await.is_ok(),
                "{from_kind} to {to_kind}"
            );
            assert!(target.manifest_digest("team/copy", &sbom.to_string()).await.is_ok());
            // Whoever looks for it finds it, by the question or by the tag.
            let url = to.url(&format!("/v2/team/copy/referrers/{}", images[0]));
            let answer = reqwest::get(&url).await.unwrap();
            let found: Value = if answer.status().is_success() {
                answer.json().await.unwrap()
            } else {
                assert_eq!(to_kind, "docker-registry");
                let url = to.url(&format!("/v2/team/copy/manifests/sha256-{}", images[0].hex()));
                let request = reqwest::Client::new().get(&url).header("accept", INDEX);
                request.send().await.unwrap().json().await.unwrap()
            };
            assert_eq!(found["manifests"][0]["digest"], sbom.to_string(), "{found}");

            // Once more: everything is there.
            let mut reports = Reports::default();
            source
                .copy_to(("multi", "v1"), &target, ("team/copy", "v2"), &all(), |l, c, t| {
                    reports.take(l, c, t)
                })
                .await
                .unwrap();
            assert!(reports.last.iter().all(|layer| layer.state == LayerState::Exists), "{:?}", reports.last);

            // One platform alone, and without what refers to it.
            let one = Scope { platform: Some("arm64".parse().unwrap()), ..Scope::default() };
            let copied =
                source.copy_to(("multi", "v1"), &target, ("one", "v1"), &one, |_, _, _| ()).await.unwrap();
            assert_eq!(copied, images[1]);
            let missing = target.manifest_digest("one", &images[0].to_string()).await;
            assert!(matches!(missing, Err(RegistryError::NotFound { .. })));
            // This machine's, since nobody named one: whoever listens is told which, and that there is another.
            let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
            let telling = source.telling(move |one| tell.send(one.clone()).unwrap());
            for scope in [Scope::default(), one, all()] {
                telling.copy_to(("multi", "v1"), &target, ("one", "v3"), &scope, |_, _, _| ()).await.unwrap();
            }
            drop(telling);
            let host = OneOfSeveral { platform: Wanted::host().to_string(), left: 1 };
            assert_eq!((told.recv().await, told.recv().await), (Some(host), None));
            let none = Scope { platform: Some("s390x".parse().unwrap()), ..Scope::default() };
            let refused = source.copy_to(("multi", "v1"), &target, ("one", "v2"), &none, |_, _, _| ()).await;
            assert!(matches!(refused, Err(RegistryError::NoPlatform { .. })));
            if have("skopeo") {
                assert_eq!(skopeo_digest(&to, "one:v1").await, images[1].to_string());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn within_one_registry_layers_are_mounted() {
    let (_folder, sample) = sample();
    for (kind, registry) in Registry::both().await {
        let client = registry.client();
        let digest = client.push_archive(&sample, "app", "v1", |_, _, _| ()).await.unwrap();
        let mut reports = Reports::default();
        let copied = client
            .copy_to(("app", "v1"), &client, ("other", "v1"), &Scope::default(), |l, c, t| {
                reports.take(l, c, t)
            })
            .await
            .unwrap();
        assert_eq!(copied, digest, "{kind}");
        let is_mounted = |state: &LayerState| matches!(state, LayerState::Mounted { from } if from == "app");
        assert!(reports.last.iter().all(|layer| is_mounted(&layer.state)), "{kind}: {:?}", reports.last);
        let layers = client.look_at("app", "v1").await.unwrap().layers.len();
        assert_eq!(reports.last.len(), layers, "{kind}: the configuration is no layer");
    }
}

/// A way that is cut after so many bytes of answers, once; counts what goes through.
async fn cut_after(target: SocketAddr, bytes: u64) -> (SocketAddr, Arc<AtomicU64>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let down = Arc::new(AtomicU64::new(0));
    let total = down.clone();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let total = total.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(target).await.unwrap();
                let (mut near_read, mut near_write) = near.split();
                let (mut far_read, mut far_write) = far.split();
                let up = tokio::io::copy(&mut near_read, &mut far_write);
                let down = async {
                    let mut buffer = vec![0; 16 << 10];
                    loop {
                        let read = far_read.read(&mut buffer).await.unwrap_or(0);
                        let before = total.fetch_add(read as u64, Ordering::SeqCst);
                        // The piece that crosses the line is lost with its connection.
                        let is_cut = before < bytes && before + read as u64 >= bytes;
                        if read == 0 || is_cut || near_write.write_all(&buffer[..read]).await.is_err() {
                            return;
                        }
                    }
                };
                tokio::select! {
                    _ = up => {}
                    () = down => {}
                }
            });
        }
    });
    (address, down)
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).flatten().take(length).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_and_a_pull_go_on_where_they_were_cut_off() {
    const LAYER: usize = 8 << 20;
    for (kind, registry) in Registry::both().await {
        let direct = registry.client();
        let manifest = manifest_of(&direct, "amd64", &noise(LAYER)).await;
        let (digest, _) = push_manifest(&direct, Some("v1"), MANIFEST, &manifest).await;

        let (address, down) = cut_after(registry.address, LAYER as u64 / 2).await;
        let cut = Client::new(ClientConfig::new(address, "cr.boss.org:5000")).unwrap();
        let target = Registry::built_in().await;
        let copied = cut
            .copy_to(("multi", "v1"), &target.client(), ("copy", "v1"), &Scope::default(), |_, _, _| ())
            .await
            .unwrap();
        assert_eq!(copied, digest);
        let crossed = down.load(Ordering::SeqCst);
        assert!(crossed < LAYER as u64 * 5 / 4, "{kind}: {crossed} bytes for a layer of {LAYER}");

        let (address, down) = cut_after(registry.address, LAYER as u64 / 2).await;
        let cut = Client::new(ClientConfig::new(address, "cr.boss.org:5000")).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("app.tar");
        assert_eq!(cut.pull_archive("multi", "v1", &file, |_, _, _| ()).await.unwrap(), digest);
        let crossed = down.load(Ordering::SeqCst);
        assert!(crossed < LAYER as u64 * 5 / 4, "{kind}: {crossed} bytes for a layer of {LAYER}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_takes_what_was_asked_for_in_the_format_that_was_asked_for() {
    for (kind, registry) in Registry::both().await {
        let client = registry.client();
        let (top, images, _) = multi(&client).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("all.tar");
        let how = (ArchiveFormat::Oci, &all());
        assert_eq!(client.pull_archive_as("multi", "v1", &file, how, |_, _, _| ()).await.unwrap(), top);
        let of_arm = Scope { platform: Some("linux/arm64".parse().unwrap()), ..Scope::default() };
        let one = folder.path().join("one.tar");
        client
            .pull_archive_as("multi", "v1", &one, (ArchiveFormat::Docker, &of_arm), |_, _, _| ())
            .await
            .unwrap();
        let refused = folder.path().join("no.tar");
        let error = client
            .pull_archive_as("multi", "v1", &refused, (ArchiveFormat::Docker, &all()), |_, _, _| ())
            .await;
        assert!(matches!(error, Err(RegistryError::NeedsOci { .. })), "{error:?}");
        assert!(!refused.exists());
        if have("skopeo") {
            let oci = format!("oci-archive:{}:v1", file.display());
            let raw = skopeo(&["inspect", "--raw", &oci]).await;
            assert_eq!(Digest::of(raw.as_bytes()), top, "{kind}");
            let docker = format!("docker-archive:{}", one.display());
            let config: Value =
                serde_json::from_str(&skopeo(&["inspect", "--config", "--raw", &docker]).await).unwrap();
            assert_eq!(config["architecture"], "arm64");
        }
        assert_eq!(images.len(), 2);
    }
}

/// The files of a tar, in order.
fn files_of(archive: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut archive = tar::Archive::new(std::fs::File::open(archive).unwrap());
    let read = |entry: std::io::Result<tar::Entry<'_, std::fs::File>>| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        (name, bytes)
    };
    archive.entries().unwrap().map(read).collect()
}

fn write_files(path: &std::path::Path, files: &[(String, Vec<u8>)]) {
    std::fs::write(path, tar_of(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())))).unwrap();
}

async fn push_whole(
    client: &Client,
    file: &std::path::Path,
    scope: &Scope,
    place: (&str, &str),
) -> Result<Digest, RegistryError> {
    let mut reports = Reports::default();
    let report = |l: &[dockline_model::LayerView], c, t| reports.take(l, c, t);
    client.push_archive_whole((file, None), scope, place, &Sending::default(), report).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_with_all_platforms_is_pushed_with_all_platforms() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.tar");
    let source = Registry::built_in().await;
    let (top, images, sbom) = multi(&source.client()).await;
    let how = (ArchiveFormat::Oci, &all());
    source.client().pull_archive_as("multi", "v1", &file, how, |_, _, _| ()).await.unwrap();
    let what = [&top, &images[0], &images[1], &sbom].map(ToString::to_string);
    let what: Vec<String> = what.into_iter().chain([format!("sha256-{}.sig", top.hex())]).collect();
    let there = async |client: &Client, repository: &str| {
        let mut found = Vec::new();
        for what in &what {
            found.push(client.manifest_digest(repository, what).await.is_ok());
        }
        found
    };
    let platforms = Scope { all_platforms: true, ..Scope::default() };
    for (kind, registry) in Registry::both().await {
        let client = registry.client();
        let pushed = push_whole(&client, &file, &all(), ("team/app", "v2")).await.unwrap();
        assert_eq!(pushed, top, "{kind}");
        assert_eq!(client.manifest_digest("team/app", "v2").await.unwrap(), top, "{kind}");
        assert_eq!(there(&client, "team/app").await, [true; 5], "{kind}");
        // Who looks for the SBOM by the image finds it.
        let back = folder.path().join(format!("{kind}.tar"));
        let how = (ArchiveFormat::Oci, &all());
        client.pull_archive_as("team/app", "v2", &back, how, |_, _, _| ()).await.unwrap();
        let blobs = |path: &std::path::Path| -> std::collections::BTreeSet<String> {
            let names = files_of(path).into_iter().map(|(name, _)| name);
            names.filter(|name| name.starts_with("blobs/")).collect()
        };
        assert!(blobs(&back).is_superset(&blobs(&file)), "{kind}");

        // The platforms without what refers to them, and an image as ever.
        push_whole(&client, &file, &platforms, ("plain", "v1")).await.unwrap();
        assert_eq!(there(&client, "plain").await, [true, true, true, false, false], "{kind}");
        let single = client.push_archive(&file, "single", "v1", |_, _, _| ()).await.unwrap();
        assert!(images.contains(&single), "{kind}");
        let signed = Scope { referrers: true, ..Scope::default() };
        assert_eq!(push_whole(&client, &file, &signed, ("signed", "v1")).await.unwrap(), single, "{kind}");

        // An archive of an older layout holds single images.
        let (_folder, sample) = sample();
        let old = push_whole(&client, &sample, &platforms, ("old", "v1")).await.unwrap();
        assert_eq!(old, client.push_archive(&sample, "old", "v2", |_, _, _| ()).await.unwrap());
        if have("skopeo") {
            let url = registry.docker_url("team/app:v2");
            let raw = skopeo(&["inspect", "--raw", "--tls-verify=false", &url]).await;
            assert_eq!(Digest::of(raw.as_bytes()), top, "{kind}");
            // skopeo checks every digest, and its own archive of all platforms goes the same way.
            let copy = folder.path().join(format!("{kind}-skopeo.tar"));
            let target = format!("oci-archive:{}:v2", copy.display());
            skopeo(&["copy", "--all", "--preserve-digests", "--src-tls-verify=false", &url, &target]).await;
            assert_eq!(push_whole(&client, &copy, &platforms, ("by-skopeo", "v1")).await.unwrap(), top);
            assert_eq!(skopeo_digest(&registry, "by-skopeo:v1").await, top.to_string());
        }
    }
}

/// Docker's containerd store saves the whole index, and of the platforms those it has.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_lacks_platforms_is_whole_only_where_the_registry_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.tar");
    let source = Registry::built_in().await;
    let (top, images, _) = multi(&source.client()).await;
    let platforms = Scope { all_platforms: true, ..Scope::default() };
    let how = (ArchiveFormat::Oci, &platforms);
    source.client().pull_archive_as("multi", "v1", &file, how, |_, _, _| ()).await.unwrap();
    let saved = files_of(&file);
    // Of what was never pulled it may have the manifest all the same.
    let lacking = [("its manifest", images[1].clone()), ("its layer", Digest::of(b"layer of arm64"))];
    for (what, digest) in lacking {
        let mut files = saved.clone();
        files.retain(|(name, _)| *name != format!("blobs/sha256/{}", digest.hex()));
        assert_eq!(files.len(), saved.len() - 1, "{what}");
        write_files(&file, &files);
        for (kind, registry) in Registry::both().await {
            let client = registry.client();
            let error = push_whole(&client, &file, &platforms, ("app", "v1")).await.unwrap_err();
            let shown = UiError::from(&error);
            assert_eq!(shown.code, Code::ArchiveInvalid, "{kind}, {what}: {shown:?}");
            assert!(shown.message.contains("linux/arm64") && shown.hint.is_some(), "{what}: {shown:?}");
            assert!(client.tags("app").await.is_err(), "{kind}, {what}: nothing was begun");

            let one = Scope { platform: Some("arm64".parse().unwrap()), ..Scope::default() };
            let to = ("app", "arm");
            source.client().copy_to(("multi", "v1"), &client, to, &one, |_, _, _| ()).await.unwrap();
            let pushed = push_whole(&client, &file, &platforms, ("app", "v1")).await.unwrap();
            assert_eq!(pushed, top, "{kind}, {what}");
        }
    }
    // Platforms side by side, as some tools write them, get their index; the same each time.
    let registry = Registry::built_in().await;
    let client = registry.client();
    let index: Value =
        serde_json::from_slice(&source.client().get_manifest("multi", "v1").await.unwrap().bytes).unwrap();
    source
        .client()
        .pull_archive_as("multi", "v1", &folder.path().join("again.tar"), how, |_, _, _| ())
        .await
        .unwrap();
    let mut files = files_of(&folder.path().join("again.tar"));
    files.retain(|(name, _)| name != "index.json");
    let entries: Vec<&Value> = index["manifests"].as_array().unwrap().iter().take(2).collect();
    files.push((
        "index.json".to_owned(),
        json!({ "schemaVersion": 2, "manifests": entries }).to_string().into(),
    ));
    write_files(&file, &files);
    let flat = push_whole(&client, &file, &platforms, ("flat", "v1")).await.unwrap();
    assert_eq!(push_whole(&client, &file, &platforms, ("flat", "v2")).await.unwrap(), flat);
    let manifest = client.get_manifest("flat", "v1").await.unwrap();
    assert_eq!(manifest.media_type, INDEX);
    let one = Scope { platform: Some("arm64".parse().unwrap()), ..Scope::default() };
    let there = Registry::built_in().await;
    let copied =
        client.copy_to(("flat", "v1"), &there.client(), ("x", "y"), &one, |_, _, _| ()).await.unwrap();
    assert_eq!(copied, images[1]);
}

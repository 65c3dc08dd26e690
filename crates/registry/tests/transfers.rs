//! Pushes and pulls against Debian's docker-registry and against the built-in one, with skopeo as the stranger
//! who must be able to read what Dockline writes, and the other way round.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_model::{LayerState, LayerView};
use dockline_registry::{Client, ClientConfig, Digest, RegistryError, archive, remove_parts};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use support::{Registry, Reports, have, sample, skopeo, skopeo_digest};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_comes_back_as_it_went() {
    let (folder, sample) = sample();
    let mut digests = Vec::new();
    for (kind, registry) in Registry::both().await {
        let client = registry.client();
        client.ping().await.unwrap();
        let mut reports = Reports::default();
        let pushed =
            client.push_archive(&sample, "team/app", "v1", |l, c, t| reports.take(l, c, t)).await.unwrap();
        assert_eq!(reports.last.len(), 6);
        assert!(reports.last.iter().all(|layer| layer.state == LayerState::Done), "{:?}", reports.last);
        assert_eq!(reports.current, reports.total);
        assert!(reports.count > 20, "only {} reports", reports.count);
        assert_eq!(client.manifest_digest("team/app", "v1").await.unwrap(), pushed);

        // Again: nothing is sent.
        let mut reports = Reports::default();
        let again =
            client.push_archive(&sample, "team/app", "v2", |l, c, t| reports.take(l, c, t)).await.unwrap();
        assert_eq!(again, pushed);
        assert!(reports.last.iter().all(|layer| layer.state == LayerState::Exists));
        assert_eq!(reports.current, reports.total);

        let back = folder.path().join(format!("{kind}.tar"));
        let mut reports = Reports::default();
        let pulled =
            client.pull_archive("team/app", "v1", &back, |l, c, t| reports.take(l, c, t)).await.unwrap();
        assert_eq!(pulled, pushed);
        assert!(reports.last.iter().all(|layer| layer.state == LayerState::Done));
        assert_eq!(reports.current, reports.total);
        let images = archive::images(&back).await.unwrap();
        assert_eq!(images[0].names, ["cr.boss.org:5000/team/app:v1"]);

        // What was pulled is pushed under the same digest: its layers are compressed already.
        let second = client.push_archive(&back, "team/copy", "v1", |_, _, _| ()).await.unwrap();
        assert_eq!(second, pushed);

        let exists = client.pull_archive("team/app", "v1", &back, |_, _, _| ()).await;
        assert!(matches!(exists, Err(RegistryError::FileExists { .. })));

        assert_eq!(client.tags("team/app").await.unwrap(), ["v1", "v2"]);
        assert_eq!(client.catalog().await.unwrap(), ["team/app", "team/copy"]);
        digests.push(pushed);
    }
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
    let leftovers: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".part"))
        .collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn skopeo_reads_what_dockline_writes_and_dockline_what_skopeo_writes() {
    if !have("skopeo") {
        return;
    }
    let (folder, sample) = sample();
    let at = |name: &str| folder.path().join(name);
    for (kind, registry) in Registry::both().await {
        let client = registry.client();
        let pushed = client.push_archive(&sample, "app", "v1", |_, _, _| ()).await.unwrap();
        assert_eq!(skopeo_digest(&registry, "app:v1").await, pushed.to_string());

        // skopeo checks every blob's digest as it copies.
        let oci = at(&format!("{kind}-oci.tar"));
        let url = registry.docker_url("app:v1");
        skopeo(&["copy", "--src-tls-verify=false", &url, &format!("oci-archive:{}:v1", oci.display())]).await;
        let repacked = client.push_archive(&oci, "from-skopeo", "v1", |_, _, _| ()).await.unwrap();
        assert_eq!(skopeo_digest(&registry, "from-skopeo:v1").await, repacked.to_string());

        // Our archive, read both ways: as an OCI layout, and as docker's.
        let ours = at(&format!("{kind}-ours.tar"));
        client.pull_archive("app", "v1", &ours, |_, _, _| ()).await.unwrap();
        let url = registry.docker_url("as-oci:v1");
        let source = format!("oci-archive:{}", ours.display());
        skopeo(&["copy", "--dest-tls-verify=false", &source, &url]).await;
        assert_eq!(skopeo_digest(&registry, "as-oci:v1").await, pushed.to_string());
        let url = registry.docker_url("as-docker:v1");
        let source = format!("docker-archive:{}", ours.display());
        skopeo(&["copy", "--dest-tls-verify=false", &source, &url]).await;
        let config = |image: &str| {
            let url = registry.docker_url(image);
            async move { skopeo(&["inspect", "--config", "--raw", "--tls-verify=false", &url]).await }
        };
        assert_eq!(config("as-docker:v1").await, config("app:v1").await);

        // skopeo as the pusher of docker's own format.
        let url = registry.docker_url("by-skopeo:v1");
        let source = format!("docker-archive:{}", sample.display());
        skopeo(&["copy", "--dest-tls-verify=false", &source, &url]).await;
        let back = at(&format!("{kind}-back.tar"));
        let pulled = client.pull_archive("by-skopeo", "v1", &back, |_, _, _| ()).await.unwrap();
        assert_eq!(skopeo_digest(&registry, "by-skopeo:v1").await, pulled.to_string());
    }
}

/// Docker since version 25 saves an OCI layout with bare tars and docker's `manifest.json` beside it.
#[tokio::test(flavor = "multi_thread")]
async fn archives_of_newer_docker_and_compressed_ones_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let layer = support::tar_of([("hello.txt", b"hello\n".repeat(1000))]);
    let config = serde_json::to_vec(&serde_json::json!({
        "architecture": "amd64", "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(&layer).to_string()] },
    }))
    .unwrap();
    let manifest = serde_json::to_vec(&serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": Digest::of(&config).to_string(), "size": config.len(),
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar",
            "digest": Digest::of(&layer).to_string(), "size": layer.len(),
        }],
    }))
    .unwrap();
    let index = serde_json::to_vec(&serde_json::json!({
        "schemaVersion": 2,
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": Digest::of(&manifest).to_string(), "size": manifest.len(),
            "annotations": {
                "io.containerd.image.name": "docker.io/library/app:v1",
                "org.opencontainers.image.ref.name": "v1",
            },
        }],
    }))
    .unwrap();
    let path = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(bytes).hex());
    let docker = serde_json::to_vec(&serde_json::json!([{
        "Config": path(&config), "RepoTags": ["app:v1"], "Layers": [path(&layer)],
    }]))
    .unwrap();
    let both = support::tar_of([
        (path(&layer).as_str(), layer.clone()),
        (path(&config).as_str(), config.clone()),
        (path(&manifest).as_str(), manifest),
        ("index.json", index),
        ("manifest.json", docker.clone()),
        ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
    ]);
    let only_docker = support::tar_of([
        (path(&layer).as_str(), layer.clone()),
        (path(&config).as_str(), config.clone()),
        ("manifest.json", docker),
    ]);
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, bytes).unwrap();
        encoder.finish().unwrap()
    };

    let registry = Registry::built_in().await;
    let client = registry.client();
    let push = async |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(archive::images(&file).await.unwrap()[0].names, ["app:v1"]);
        client.push_archive(&file, "app", "v1", |_, _, _| ()).await.unwrap()
    };
    let newer = push("newer.tar", &both).await;
    assert_eq!(push("newer.tar.gz", &gzip(&both)).await, newer);
    let older = push("older.tar", &only_docker).await;
    assert_eq!(push("older.tar.gz", &gzip(&only_docker)).await, older);
    assert_eq!(older, newer, "the same image has another digest, since another Docker saved it");
    for digest in [newer, older] {
        let manifest = client.get_manifest("app", &digest.to_string()).await.unwrap();
        let manifest: serde_json::Value = serde_json::from_slice(&manifest.bytes).unwrap();
        let kind = manifest["layers"][0]["mediaType"].as_str().unwrap();
        assert!(kind.ends_with("gzip"), "{kind}");
        assert!(manifest["layers"][0]["size"].as_u64().unwrap() < layer.len() as u64);
        assert_eq!(manifest["config"]["digest"], Digest::of(&config).to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_index_this_machines_image_is_pulled() {
    let folder = tempfile::tempdir().unwrap();
    let host = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    };
    for (kind, registry) in Registry::both().await {
        let client = registry.client();
        let mut entries = Vec::new();
        for architecture in [host, "s390x"] {
            let config = format!(
                r#"{{"architecture":"{architecture}","os":"linux","rootfs":{{"type":"layers","diff_ids":[]}}}}"#
            );
            let digest = Digest::of(config.as_bytes());
            let size = config.len() as u64;
            let body = std::io::Cursor::new(config.into_bytes());
            client.push_blob("multi", &digest, size, body, |_| ()).await.unwrap();
            let manifest = serde_json::to_vec(&serde_json::json!({
                "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest.to_string(), "size": size },
                "layers": [],
            })).unwrap();
            let size = manifest.len();
            let name = Digest::of(&manifest).to_string();
            let kind = "application/vnd.oci.image.manifest.v1+json";
            let digest = client.push_manifest("multi", &name, kind, manifest).await.unwrap();
            entries.push(serde_json::json!({
                "mediaType": kind, "digest": digest.to_string(), "size": size,
                "platform": { "os": "linux", "architecture": architecture },
            }));
        }
        let kind_of_index = "application/vnd.oci.image.index.v1+json";
        let index = |entries: &[serde_json::Value]| {
            serde_json::to_vec(
                &serde_json::json!({ "schemaVersion": 2, "mediaType": kind_of_index, "manifests": entries }),
            )
            .unwrap()
        };
        let top = client.push_manifest("multi", "v1", kind_of_index, index(&entries)).await.unwrap();
        client.push_manifest("multi", "foreign", kind_of_index, index(&entries[1..])).await.unwrap();

        let file = folder.path().join(format!("{kind}.tar"));
        assert_eq!(client.pull_archive("multi", "v1", &file, |_, _, _| ()).await.unwrap(), top);
        let copy = client.push_archive(&file, "copy", "v1", |_, _, _| ()).await.unwrap();
        assert_eq!(copy.to_string(), entries[0]["digest"].as_str().unwrap());

        let file = folder.path().join(format!("{kind}-foreign.tar"));
        let error = client.pull_archive("multi", "foreign", &file, |_, _, _| ()).await.unwrap_err();
        assert!(error.to_string().contains("linux/s390x"), "{error}");
        assert!(!file.exists());
    }
}

/// What it has got stays where it is only halted, until somebody has it removed.
#[tokio::test(flavor = "multi_thread")]
async fn a_pull_that_is_dropped_leaves_nothing_unless_it_is_to() {
    let (folder, sample) = sample();
    let registry = Registry::built_in().await;
    let client = registry.client();
    client.push_archive(&sample, "app", "v1", |_, _, _| ()).await.unwrap();
    let target = folder.path().join("out").join("app.tar");
    std::fs::create_dir(target.parent().unwrap()).unwrap();
    let left = || std::fs::read_dir(target.parent().unwrap()).unwrap().count();
    let is_halted = Arc::new(AtomicBool::new(false));
    for is_to_stay in [false, true] {
        let (begun, begins) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        let pull = tokio::spawn({
            let (target, client) = (target.clone(), client.leaving_parts_if(&is_halted));
            async move {
                let progress = |_: &[_], current: u64, _| {
                    if current > 0
                        && let Some(begun) = begun.take()
                    {
                        let _ = begun.send(());
                    }
                };
                client.pull_archive("app", "v1", &target, progress).await
            }
        });
        begins.await.unwrap();
        // Decided only while it runs.
        is_halted.store(is_to_stay, Ordering::Relaxed);
        pull.abort();
        assert!(pull.await.unwrap_err().is_cancelled());
        assert_eq!(left(), if is_to_stay { 2 } else { 0 });
    }
    remove_parts(&target);
    assert_eq!(left(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_not_what_it_says_is_noticed() {
    let registry = Registry::built_in().await;
    let client = registry.client();
    let promised = Digest::of(b"what was promised");
    let body = std::io::Cursor::new(b"what really came!".to_vec());
    let error = client.push_blob("app", &promised, 17, body, |_| ()).await.unwrap_err();
    assert!(matches!(error, RegistryError::DigestMismatch { .. }), "{error}");
    assert!(!client.blob_exists("app", &promised).await.unwrap());

    // Damaged on the registry's disk.
    let body = std::io::Cursor::new(b"what was promised".to_vec());
    client.push_blob("app", &promised, 17, body, |_| ()).await.unwrap();
    let hex = promised.hex();
    let stored = registry.folder.path().join("data/blobs/sha256").join(&hex[..2]).join(hex);
    std::fs::write(stored, b"what was falsified").unwrap();
    let mut sink = tokio::io::sink();
    let error = client.pull_blob("app", &promised, 18, &mut sink, |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
}

/// Between the client and the registry stands something that cuts a connection in the middle, once each way.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_costs_no_transfer() {
    let (folder, sample) = sample();
    for (kind, registry) in Registry::both().await {
        let flaky = Flaky::start(registry.address).await;
        let client = Client::new(ClientConfig::new(flaky.address, "cr.boss.org:5000")).unwrap();
        let mut retries = 0;
        let mut reports = Reports::default();
        let is_retry = |layer: &LayerView| matches!(layer.state, LayerState::Retrying { .. });
        let mut progress = |layers: &[LayerView], current, total| {
            retries += usize::from(layers.iter().any(is_retry));
            reports.take(layers, current, total);
        };
        flaky.cut.store(true, Ordering::SeqCst);
        let pushed = client.push_archive(&sample, "app", "v1", &mut progress).await.unwrap();
        assert!(!flaky.cut.load(Ordering::SeqCst), "nothing was cut");
        assert_eq!(client.manifest_digest("app", "v1").await.unwrap(), pushed);

        // A new client, since a connection of the first may have carried its megabyte already.
        let client = Client::new(ClientConfig::new(flaky.address, "cr.boss.org:5000")).unwrap();
        flaky.cut.store(true, Ordering::SeqCst);
        let back = folder.path().join(format!("{kind}-flaky.tar"));
        let pulled = client.pull_archive("app", "v1", &back, |layers, _, _| {
            retries += usize::from(layers.iter().any(is_retry));
        });
        assert_eq!(pulled.await.unwrap(), pushed);
        assert!(!flaky.cut.load(Ordering::SeqCst), "nothing was cut");
        assert!(retries >= 2, "{retries}");
        // Every layer is checked once more on its way back.
        assert_eq!(registry.client().push_archive(&back, "again", "v1", |_, _, _| ()).await.unwrap(), pushed);
    }
}

/// A relay that cuts a connection after a megabyte either way, once each time it is told to.
struct Flaky {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    _task: tokio::task::JoinSet<()>,
}

impl Flaky {
    async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicBool::new(false));
        let mut task = tokio::task::JoinSet::new();
        let shared = cut.clone();
        task.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let cut = shared.clone();
                tokio::spawn(async move {
                    let far = TcpStream::connect(target).await.unwrap();
                    let ((near_read, near_write), (far_read, far_write)) =
                        (near.into_split(), far.into_split());
                    // Whichever way ends first ends both.
                    tokio::select! {
                        () = relay(near_read, far_write, &cut) => {}
                        () = relay(far_read, near_write, &cut) => {}
                    }
                });
            }
        });
        Self { address, cut, _task: task }
    }
}

async fn relay(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: &AtomicBool) {
    let (mut buffer, mut carried) = (vec![0; 64 << 10], 0);
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        carried += read;
        if carried > 1 << 20 && cut.swap(false, Ordering::SeqCst) {
            return;
        }
    }
}

/// Big enough not to fit anywhere by chance; run with the memory of the process in view.
#[tokio::test(flavor = "multi_thread")]
async fn memory_stays_bounded() {
    let Some(before) = resident() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.tar");
    large_archive(&file, 256 << 20);
    let registry = Registry::built_in().await;
    let client = registry.client();
    client.push_archive(&file, "large", "v1", |_, _, _| ()).await.unwrap();
    client.pull_archive("large", "v1", &folder.path().join("back.tar"), |_, _, _| ()).await.unwrap();
    // The high-water mark includes the tests that run beside this one.
    let peak = resident().unwrap().saturating_sub(before);
    assert!(peak < 96 << 20, "{} MiB", peak >> 20);
}

/// The process's highest resident size in bytes, where /proc tells.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? << 10)
}

/// One layer of `size` bytes that compress to almost nothing, in docker's layout, written without holding it.
fn large_archive(path: &Path, size: u64) {
    use std::io::Read as _;
    let piece = vec![0; 1 << 20];
    let mut hasher = <sha2::Sha256 as sha2::Digest>::new();
    for _ in 0..size / piece.len() as u64 {
        sha2::Digest::update(&mut hasher, &piece);
    }
    let diff_id = hex::encode(sha2::Digest::finalize(hasher));
    let config = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}}}}"#);
    let manifest = r#"[{"Config":"config.json","RepoTags":["large:v1"],"Layers":["layer.tar"]}]"#;
    let mut archive = tar::Builder::new(std::fs::File::create(path).unwrap());
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(size);
    archive.append_data(&mut header, "layer.tar", std::io::repeat(0).take(size)).unwrap();
    for (name, bytes) in [("config.json", config.as_bytes()), ("manifest.json", manifest.as_bytes())] {
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, name, bytes).unwrap();
    }
    archive.finish().unwrap();
}

//! What a push sends, and sends again: uploads that broke off, layers that are there already, images at the edges.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_model::{Code, Compression, LayerState, LayerView, UiError};
use dockline_registry::{Client, ClientConfig, Digest, Packing, Records, RegistryError, Sending, archive};
use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
};
use support::{
    Registry, have,
    line::{Line, NEVER, layer, save},
    skopeo, skopeo_digest, tar_of,
};

fn sending(records: &Arc<Records>) -> Sending {
    Sending { packing: Packing::new(Compression::Gzip, 1), records: records.clone(), ..Sending::default() }
}

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_where_the_line_was_cut() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    save(&file, "app:v1", &[layer(1, 24 << 20)]);
    let records = Arc::new(Records::nowhere());
    for (kind, registry) in Registry::both().await {
        let line = Line::to(registry.address).await;
        line.cut_at.store(13 * MIB, Ordering::SeqCst);
        let mut tries = 0;
        let report = |layers: &[LayerView], _, _| {
            tries += usize::from(layers.iter().any(|l| matches!(l.state, LayerState::Retrying { .. })));
        };
        let client = line.client();
        let pushed =
            client.push_archive_as(&file, None, "app", "v1", &sending(&records), report).await.unwrap();
        assert_eq!(line.cut_at.load(Ordering::SeqCst), NEVER, "nothing was cut");
        assert!(tries > 0, "the bar says nothing of it");
        let sent = line.take();
        eprintln!("{kind}: {} of 24 MiB were sent", sent >> 20);
        match kind {
            "built-in" => assert!(sent < 26 * MIB, "{} MiB for 24", sent >> 20),
            // Distribution 2 knows nothing of a piece that was cut off: all of the layer again, and no more.
            _ => assert!(sent < 39 * MIB, "{} MiB for 24", sent >> 20),
        }
        assert_eq!(registry.client().manifest_digest("app", "v1").await.unwrap(), pushed);
        let back = folder.path().join(format!("{kind}.tar"));
        registry.client().pull_archive("app", "v1", &back, |_, _, _| ()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_an_upload_broke_off_is_known_after_an_outage_that_a_push_does_not_survive() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    save(&file, "app:v1", &[layer(9, 24 << 20)]);
    let registry = Registry::built_in().await;
    let line = Line::to(registry.address).await;
    let records = Arc::new(Records::in_folder(&folder.path().join("records")));
    line.cut_at.store(19 * MIB, Ordering::SeqCst);
    let report = |layers: &[LayerView], _, _| {
        if layers.iter().any(|layer| matches!(layer.state, LayerState::Retrying { .. })) {
            line.is_down.store(true, Ordering::SeqCst);
        }
    };
    let (client, how) = (line.client(), sending(&records));
    let error = client.push_archive_as(&file, None, "app", "v1", &how, report).await.unwrap_err();
    assert!(matches!(error, RegistryError::Unreachable { .. }), "{error:?}");

    line.is_down.store(false, Ordering::SeqCst);
    line.take();
    client.push_archive_as(&file, None, "app", "v1", &how, |_, _, _| ()).await.unwrap();
    let after = line.take();
    assert!(after < 13 * MIB, "{} KiB of 24 MiB were sent again", after >> 10);
}

/// After a change of networks the host may not have missed the connection that carried the last request: a registry that
/// takes one request of an upload at a time lets the question for it wait.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_somebody_still_holds_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    save(&file, "app:v1", &[layer(10, 24 << 20)]);
    let registry = Registry::built_in().await;
    let kept = folder.path().join("records");
    let records = Arc::new(Records::in_folder(&kept));
    let how = sending(&records);
    let line = Line::to(registry.address).await;
    let (reached, told) = tokio::sync::oneshot::channel();
    let mut reached = Some(reached);
    let client = line.client();
    let push = client.push_archive_as(&file, None, "app", "v1", &how, |_, current, _| {
        if current > 15 * MIB
            && let Some(reached) = reached.take()
        {
            reached.send(()).unwrap();
        }
    });
    tokio::select! {
        _ = push => panic!("it was not stopped"),
        _ = told => {}
    }
    let note = std::fs::read_dir(kept.join("uploads")).unwrap().next().unwrap().unwrap();
    let note: serde_json::Value = serde_json::from_slice(&std::fs::read(note.path()).unwrap()).unwrap();
    let location = note["location"].as_str().unwrap();
    let mut holder = tokio::net::TcpStream::connect(registry.address).await.unwrap();
    let head = format!("PATCH {location} HTTP/1.1\r\nhost: cr.boss.org:5000\r\ncontent-length: 9\r\n\r\nx");
    tokio::io::AsyncWriteExt::write_all(&mut holder, head.as_bytes()).await.unwrap();

    let config = ClientConfig {
        idle_timeout: std::time::Duration::from_secs(2),
        ..ClientConfig::new(registry.address, "cr.boss.org:5000")
    };
    let client = Client::new(config).unwrap();
    let pushed = client.push_archive_as(&file, None, "app", "v1", &how, |_, _, _| ()).await.unwrap();
    assert_eq!(registry.client().manifest_digest("app", "v1").await.unwrap(), pushed);
    drop(holder);
}

/// A push that ended without a word (kill -9 leaves the same behind as a dropped future), and the same again.
#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_was_killed_sends_only_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    save(&file, "app:v1", &[layer(2, 3 << 20), layer(3, 30 << 20)]);
    let registry = Registry::built_in().await;
    let line = Line::to(registry.address).await;
    let kept = folder.path().join("records");
    let (reached, told) = tokio::sync::oneshot::channel();
    let mut reached = Some(reached);
    {
        let records = Arc::new(Records::in_folder(&kept));
        let (client, sending) = (line.client(), sending(&records));
        let push = client.push_archive_as(&file, None, "app", "v1", &sending, |_, current, _| {
            if current > 23 * MIB
                && let Some(reached) = reached.take()
            {
                reached.send(()).unwrap();
            }
        });
        tokio::select! {
            _ = push => panic!("it was not stopped"),
            _ = told => {}
        }
    }
    let before = line.take();
    assert!(std::fs::read_dir(kept.join("uploads")).unwrap().count() > 0, "nothing is known of the upload");
    let records = Arc::new(Records::in_folder(&kept));
    let pushed = line
        .client()
        .push_archive_as(&file, None, "app", "v1", &sending(&records), |_, _, _| ())
        .await
        .unwrap();
    let after = line.take();
    eprintln!("{} KiB before, {} KiB after", before >> 10, after >> 10);
    // What the request that was cut off had sent is gone: 6 MiB at most.
    assert!(before + after < 40 * MIB, "{} and {} KiB for 33 MiB", before >> 10, after >> 10);
    assert_eq!(std::fs::read_dir(kept.join("uploads")).unwrap().count(), 0, "an upload that ended is noted");
    assert_eq!(registry.client().manifest_digest("app", "v1").await.unwrap(), pushed);

    // The same by somebody who has no records: the same digest, and nothing but questions.
    let again = line.client().push_archive(&file, "app", "v2", |_, _, _| ()).await.unwrap();
    assert_eq!(again, pushed);
    assert!(line.take() < 16 << 10);

    // A record that lies about an upload costs a question.
    let uploads = kept.join("uploads");
    save(&file, "app:v1", &[layer(7, 8 << 20)]);
    {
        let records = Arc::new(Records::in_folder(&kept));
        let (client, sending) = (line.client(), sending(&records));
        let _ = tokio::time::timeout(
            std::time::Duration::from_millis(1),
            client.push_archive_as(&file, None, "app", "v3", &sending, |_, _, _| ()),
        )
        .await;
    }
    for entry in std::fs::read_dir(&uploads).unwrap().flatten() {
        std::fs::write(entry.path(), r#"{"registry":"x","location":"http://elsewhere/"}"#).unwrap();
    }
    line.client().push_archive_as(&file, None, "app", "v3", &sending(&records), |_, _, _| ()).await.unwrap();
}

/// How hard layers are packed is chosen from what the line was like; by the next try it may have been measured.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_gone_on_with_at_the_level_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    let registry = Registry::built_in().await;
    let line = Line::to(registry.address).await;
    let of = |compression, level, takes_any| Sending {
        packing: Packing::new(compression, level),
        takes_any,
        ..Sending::default()
    };
    // Nothing was asked for; one that everybody reads; the compression alone; a level; and another compression.
    let (chosen, dense) = (of(Compression::Gzip, 1, true), of(Compression::Gzip, 7, true));
    let rounds = [
        (chosen.clone(), dense.clone(), true),
        (of(Compression::None, 0, false), dense.clone(), true),
        (of(Compression::Zstd, 1, false), of(Compression::Zstd, 9, false), true),
        (chosen.clone(), Sending { takes_any: false, takes_any_level: false, ..dense.clone() }, false),
        (of(Compression::Zstd, 3, false), dense, false),
        (chosen, of(Compression::Zstd, 1, false), false),
    ];
    for (round, (first, then, goes_on)) in rounds.into_iter().enumerate() {
        let layer = layer(50 + round as u64, 30 << 20);
        save(&file, "app:v1", std::slice::from_ref(&layer));
        let kept = folder.path().join(format!("records-{round}"));
        let repository = format!("round/{round}");
        let (reached, told) = tokio::sync::oneshot::channel();
        let mut reached = Some(reached);
        {
            let sending = Sending { records: Arc::new(Records::in_folder(&kept)), ..first };
            let client = line.client();
            let push = client.push_archive_as(&file, None, &repository, "v1", &sending, |_, current, _| {
                if current > 23 * MIB
                    && let Some(reached) = reached.take()
                {
                    reached.send(()).unwrap();
                }
            });
            tokio::select! {
                _ = push => panic!("it was not stopped"),
                _ = told => {}
            }
        }
        line.take();
        let wanted = then.packing.compression();
        let sending = Sending { records: Arc::new(Records::in_folder(&kept)), ..then };
        let push = line.client();
        push.push_archive_as(&file, None, &repository, "v1", &sending, |_, _, _| ()).await.unwrap();
        let after = line.take();
        assert_eq!(after < 16 * MIB, goes_on, "round {round}: {} KiB of 30 MiB", after >> 10);
        let manifest = registry.client().get_manifest(&repository, "v1").await.unwrap();
        let text = String::from_utf8(manifest.bytes).unwrap();
        assert_eq!(text.contains("tar+zstd"), wanted == Compression::Zstd, "round {round}: {text}");
        assert_eq!(std::fs::read_dir(kept.join("uploads")).unwrap().count(), 0, "round {round}");
        // Every byte of it is what it should be.
        let back = folder.path().join(format!("{round}.tar"));
        registry.client().pull_archive(&repository, "v1", &back, |_, _, _| ()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_changed_layer_is_all_that_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    let common: Vec<Vec<u8>> = (10..14).map(|seed| layer(seed, 2 << 20)).collect();
    for (kind, registry) in Registry::both().await {
        let kept = folder.path().join(kind);
        let line = Line::to(registry.address).await;
        let push = async |repository: &str, changed: u64| {
            let records = Arc::new(Records::in_folder(&kept));
            save(&file, "app:v1", &[common.clone(), vec![layer(changed, 1 << 20)]].concat());
            let mut last = Vec::new();
            line.client()
                .push_archive_as(&file, None, repository, "v1", &sending(&records), |layers, _, _| {
                    last = layers.to_vec();
                })
                .await
                .unwrap();
            (line.take(), last)
        };
        let (first, _) = push("app", 20).await;
        assert!(first > 9 * MIB, "{first}");
        let (second, layers) = push("app", 21).await;
        assert!(second < 5 * MIB / 4, "{kind}: {} KiB for one layer of 1 MiB", second >> 10);
        assert_eq!(layers.iter().filter(|layer| layer.state == LayerState::Exists).count(), 4);

        // Another repository takes them from the first.
        let (third, layers) = push("team/other", 22).await;
        assert!(third < 5 * MIB / 4, "{kind}: {} KiB", third >> 10);
        let mounted = |layer: &&LayerView| layer.state == LayerState::Mounted { from: "app".to_owned() };
        assert_eq!(layers.iter().filter(mounted).count(), 4, "{kind}: {layers:?}");

        // So does an archive that has them packed already, as Dockline packed them.
        let packed = folder.path().join(format!("{kind}-packed.tar"));
        line.client().pull_archive("app", "v1", &packed, |_, _, _| ()).await.unwrap();
        line.take();
        let records = Arc::new(Records::in_folder(&kept));
        let mut last = Vec::new();
        let client = line.client();
        let report = |layers: &[LayerView], _, _| last = layers.to_vec();
        client.push_archive_as(&packed, None, "packed", "v1", &sending(&records), report).await.unwrap();
        let sent = line.take();
        assert!(sent < MIB / 4, "{kind}: {} KiB for what the registry has", sent >> 10);
        let is_mounted = |layer: &LayerView| matches!(layer.state, LayerState::Mounted { .. });
        assert!(last.len() == 5 && last.iter().all(is_mounted), "{kind}: {last:?}");

        // What is remembered of a registry that was emptied is asked for, and not believed.
        let empty = Registry::built_in().await;
        let records = Arc::new(Records::in_folder(&kept));
        let client = empty.client();
        client.push_archive_as(&file, None, "app", "v1", &sending(&records), |_, _, _| ()).await.unwrap();
        client
            .pull_archive("app", "v1", &folder.path().join(format!("{kind}.tar")), |_, _, _| ())
            .await
            .unwrap();
    }
}

/// Somebody else's compressor made the registry's layers; Dockline has never pushed there.
#[tokio::test(flavor = "multi_thread")]
async fn layers_that_others_pushed_are_not_sent_again() {
    if !have("skopeo") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    let base = tar_of([("text", b"something that compresses ".repeat(100_000))]);
    save(&file, "app:v1", &[base.clone(), layer(30, 1 << 20)]);
    for (kind, registry) in Registry::both().await {
        let url = registry.docker_url("app:v1");
        skopeo(&["copy", "--dest-tls-verify=false", &format!("docker-archive:{}", file.display()), &url])
            .await;
        let line = Line::to(registry.address).await;
        let changed = folder.path().join("changed.tar");
        save(&changed, "app:v2", &[base.clone(), layer(31, 1 << 20)]);
        let mut last = Vec::new();
        let pushed = line
            .client()
            .push_archive(&changed, "app", "v2", |layers, _, _| last = layers.to_vec())
            .await
            .unwrap();
        assert_eq!(last[0].state, LayerState::Exists, "{kind}");
        assert_eq!(last[1].state, LayerState::Done, "{kind}");
        assert_eq!(skopeo_digest(&registry, "app:v2").await, pushed.to_string());

        // Who asks for a way of packing gets that.
        let records = Arc::new(Records::nowhere());
        let packing = Packing::new(Compression::Zstd, 3);
        let strict = Sending { packing, takes_any: false, records, ..Sending::default() };
        let pushed =
            line.client().push_archive_as(&changed, None, "app", "z", &strict, |_, _, _| ()).await.unwrap();
        let manifest = registry.client().get_manifest("app", "z").await.unwrap();
        assert_eq!(manifest.digest, pushed);
        let text = String::from_utf8(manifest.bytes).unwrap();
        assert_eq!(text.matches("tar+zstd").count(), 2, "{text}");
        // skopeo checks every blob's digest, and the manifest.
        let copy = folder.path().join(format!("{kind}-copy.tar"));
        let target = format!("oci-archive:{}:z", copy.display());
        skopeo(&["copy", "--src-tls-verify=false", &registry.docker_url("app:z"), &target]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_at_the_edges() {
    let registry = Registry::built_in().await;
    let client = registry.client();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    let back = |name: &str| folder.path().join(name);

    // As many layers as Docker's overlay2 takes, one of them of no bytes, the last two alike.
    let mut layers: Vec<Vec<u8>> = (0..125).map(|seed| layer(100 + seed, 600)).collect();
    layers[60] = Vec::new();
    layers.extend([layer(7, 10), layer(7, 10)]);
    save(&file, "many:v1", &layers);
    let pushed = client.push_archive(&file, "many", "v1", |_, _, _| ()).await.unwrap();
    let manifest: serde_json::Value =
        serde_json::from_slice(&client.get_manifest("many", "v1").await.unwrap().bytes).unwrap();
    assert_eq!(manifest["layers"].as_array().unwrap().len(), 127);
    assert_eq!(client.pull_archive("many", "v1", &back("many.tar"), |_, _, _| ()).await.unwrap(), pushed);
    if have("skopeo") {
        let target = format!("docker-archive:{}:many:v1", back("by-skopeo.tar").display());
        skopeo(&["copy", "--src-tls-verify=false", &registry.docker_url("many:v1"), &target]).await;
    }

    // A sparse layer of 200 MiB is sent as the little it is.
    let line = Line::to(registry.address).await;
    save(&file, "sparse:v1", &[vec![0; 200 << 20]]);
    line.client().push_archive(&file, "sparse", "v1", |_, _, _| ()).await.unwrap();
    assert!(line.take() < 2 * MIB);

    // Two at once, of the same image, with the same records.
    save(&file, "twice:v1", &[layer(40, 9 << 20), layer(41, 100)]);
    let records = Arc::new(Records::in_folder(&back("records")));
    let through = line.client();
    let push = async |repository: &str| {
        let sending = sending(&records);
        through.push_archive_as(&file, None, repository, "v1", &sending, |_, _, _| ()).await.unwrap()
    };
    line.take();
    let (first, second, third) = tokio::join!(push("twice"), push("twice"), push("team/twice"));
    assert_eq!((first.clone(), first), (second, third));
    let sent = line.take();
    assert!(sent < 11 * MIB, "{} MiB for a layer of 9 that three wanted to send", sent >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_archive_the_image_that_was_asked_for_is_taken() {
    let registry = Registry::built_in().await;
    let client = registry.client();
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one.tar"), folder.path().join("two.tar"));
    let content = layer(50, 1000);
    let entry = |tag: &str| {
        let config = format!(
            r#"{{"title":"{tag}","rootfs":{{"type":"layers","diff_ids":["{}"]}}}}"#,
            Digest::of(&content)
        );
        (format!("{tag}.json"), config.into_bytes())
    };
    let manifest = r#"[{"Config":"v1.json","RepoTags":["app:v1","cr.boss.org:5000/team/app:v1"],"Layers":["l.tar"]},
                       {"Config":"v2.json","RepoTags":["app:v2"],"Layers":["l.tar"]}]"#;
    let ((name_1, config_1), (name_2, config_2)) = (entry("v1"), entry("v2"));
    let tar = tar_of([
        ("l.tar", content.clone()),
        (name_1.as_str(), config_1.clone()),
        (name_2.as_str(), config_2),
        ("manifest.json", manifest.as_bytes().to_vec()),
    ]);
    std::fs::write(&two, &tar).unwrap();
    let push = async |file: &Path, image: Option<&str>| {
        client.push_archive_as(file, image, "x", "y", &Sending::default(), |_, _, _| ()).await
    };
    let config_of = async || {
        let manifest = client.get_manifest("x", "y").await.unwrap();
        String::from_utf8(manifest.bytes).unwrap()
    };
    push(&two, Some("app:v1")).await.unwrap();
    assert!(config_of().await.contains(&Digest::of(&config_1).to_string()));
    push(&two, Some("app:v2")).await.unwrap();
    assert!(!config_of().await.contains(&Digest::of(&config_1).to_string()));
    push(&two, Some("cr.boss.org:5000/team/app:v1")).await.unwrap();
    assert!(config_of().await.contains(&Digest::of(&config_1).to_string()));
    let refusal = async |file: &Path, image: Option<&str>| {
        let error = push(file, image).await.unwrap_err();
        let ui = UiError::from(&error);
        assert_eq!(ui.code, Code::ArchiveInvalid, "{error:?}");
        ui.message
    };
    assert!(refusal(&two, None).await.contains("several images"));
    let message = refusal(&two, Some("app:v3")).await;
    assert!(message.contains("no image called app:v3") && message.contains("app:v2"), "{message}");
    assert!(matches!(push(&two, Some("APP")).await, Err(RegistryError::Reference(_))));

    // zstd around all of it, as around one image.
    std::fs::write(&one, zstd_of(&tar)).unwrap();
    assert_eq!(archive::images(&one).await.unwrap().len(), 2);
    push(&one, Some("app:v2")).await.unwrap();
}

fn zstd_of(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 3).unwrap()
}

/// An OCI archive with one manifest of this media type and text.
fn oci(manifest: &str, media_type: &str, blobs: &[&[u8]]) -> Vec<u8> {
    let digest = Digest::of(manifest.as_bytes());
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}]}}"#,
        manifest.len()
    );
    let path = |bytes: &[u8]| format!("blobs/sha256/{}", Digest::of(bytes).hex());
    let mut files = vec![
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json".to_owned(), index.into_bytes()),
        (path(manifest.as_bytes()), manifest.as_bytes().to_vec()),
    ];
    files.extend(blobs.iter().map(|blob| (path(blob), blob.to_vec())));
    tar_of(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())))
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_layers_stay_where_they_are_and_schema_1_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("image.tar");
    let own = zstd_of(&layer(60, 100));
    let away = Digest::of(b"somewhere else");
    let config = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["{away}","{}"]}}}}"#, Digest::of(&own));
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{}","size":{}}},
        "layers":[{{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "digest":"{away}","size":1234,"urls":["https://example.org/base"]}},
        {{"mediaType":"application/vnd.oci.image.layer.v1.tar+zstd","digest":"{}","size":{}}}]}}"#,
        Digest::of(config.as_bytes()),
        config.len(),
        Digest::of(&own),
        own.len()
    );
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    std::fs::write(&file, oci(&manifest, media_type, &[config.as_bytes(), &own])).unwrap();
    if let Some(registry) =
        Registry::docker("validation:\n  manifests:\n    urls:\n      allow:\n        - ^https://").await
    {
        let client = registry.client();
        let pushed = client.push_archive(&file, "foreign", "v1", |_, _, _| ()).await.unwrap();
        assert_eq!(pushed, Digest::of(manifest.as_bytes()));
    }
    let registry = Registry::built_in().await;
    let client = registry.client();
    let old =
        r#"{"schemaVersion":1,"name":"app","tag":"v1","architecture":"amd64","fsLayers":[],"history":[]}"#;
    std::fs::write(&file, oci(old, "application/vnd.docker.distribution.manifest.v1+prettyjws", &[]))
        .unwrap();
    let error = client.push_archive(&file, "old", "v1", |_, _, _| ()).await.unwrap_err();
    let ui = UiError::from(&error);
    assert_eq!(ui.code, Code::ArchiveInvalid);
    assert!(ui.message.contains("schema 1"), "{}", ui.message);
    assert!(client.catalog().await.unwrap().is_empty());
}

//! Damaged, wrong and hostile archives: each is refused with a sentence that says what is wrong with it.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_model::{Code, UiError};
use dockline_registry::{Client, ClientConfig, Digest, RegistryError, archive};
use std::path::Path;
use support::{Registry, tar_of};

/// Pushes `bytes` as an archive and returns the sentence it is refused with. A registry is there, since some
/// damage shows only while a layer is read.
async fn refusal(client: &Client, folder: &Path, bytes: &[u8]) -> String {
    let file = folder.join("image.tar");
    std::fs::write(&file, bytes).unwrap();
    let error = client.push_archive(&file, "app", "v1", |_, _, _| ()).await.unwrap_err();
    let ui = UiError::from(&error);
    assert_eq!(ui.code, Code::ArchiveInvalid, "{error:?}");
    assert!(ui.hint.is_some());
    assert!(ui.message.ends_with('.'), "{}", ui.message);
    eprintln!("{}", ui.message);
    assert!(!client.catalog().await.unwrap().contains(&"app".to_owned()), "something was pushed");
    ui.message
}

/// docker's layout with one layer.
fn image(layer: &[u8], diff_id: &Digest, layer_name: &str, tags: &[&str]) -> Vec<(String, Vec<u8>)> {
    let config = format!(r#"{{"rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#).into_bytes();
    let config_name = format!("{}.json", Digest::of(&config).hex());
    let manifest = serde_json::json!([{ "Config": config_name, "RepoTags": tags, "Layers": [layer_name] }]);
    vec![
        ("layer.tar".to_owned(), layer.to_vec()),
        (config_name, config),
        ("manifest.json".to_owned(), serde_json::to_vec(&manifest).unwrap()),
    ]
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    tar_of(files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_damage_has_its_sentence() {
    let registry = Registry::built_in().await;
    let client = registry.client();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let refused = async |bytes: &[u8]| refusal(&client, folder, bytes).await;
    let layer = tar_of([("a.txt", b"contents".repeat(200))]);
    let good = image(&layer, &Digest::of(&layer), "layer.tar", &["app:v1"]);

    assert!(refused(b"").await.contains("not a tar"));
    assert!(refused(b"just a text file").await.contains("not a tar"));
    assert!(refused(&b"no tar, but longer than a block ".repeat(100)).await.contains("not a tar"));
    assert!(refused(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0]).await.contains("damaged"));
    assert!(refused(b"BZh91AY&SY").await.contains("bzip2"));
    assert!(refused(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0]).await.contains("damaged"));
    assert!(refused(&tar_of([("readme.txt", b"hi".to_vec())])).await.contains("neither manifest.json"));
    assert!(
        refused(&tar_of([("etc/passwd", vec![]), ("usr/bin/sh", vec![])])).await.contains("docker export")
    );
    assert!(refused(&tar_of([("manifest.json", b"{".to_vec())])).await.contains("manifest.json"));
    assert!(refused(&tar_of([("manifest.json", b"[]".to_vec())])).await.contains("no image"));
    assert!(refused(&tar_of([("index.json", b"{}".to_vec())])).await.contains("index.json"));

    let cut = packed(&good);
    assert!(refused(&cut[..600]).await.contains("not copied completely"));
    let without_layer = packed(&good[1..]);
    assert!(refused(&without_layer).await.contains("layer.tar is missing"));
    let without_config = packed(&[good[0].clone(), good[2].clone()]);
    assert!(refused(&without_config).await.contains("is missing"));
    let wrong_layer = packed(&image(&layer, &Digest::of(b"another"), "layer.tar", &[]));
    assert!(refused(&wrong_layer).await.contains("digest"));
    let mut wrong_config = good.clone();
    wrong_config[1].1.push(b' ');
    assert!(refused(&packed(&wrong_config)).await.contains("digest"));
    for name in ["../../etc/passwd", "/etc/passwd"] {
        assert!(refused(&packed(&image(&layer, &Digest::of(&layer), name, &[]))).await.contains("outside"));
        assert!(refused(&tar_of([(name, b"x".to_vec())])).await.contains("outside"));
    }
}

/// Old Docker wrote a layer that two images share once, and a symbolic link to it.
#[tokio::test(flavor = "multi_thread")]
async fn links_are_followed_inside_the_archive_only() {
    let registry = Registry::built_in().await;
    let client = registry.client();
    let folder = tempfile::tempdir().unwrap();
    let layer = tar_of([("a.txt", b"contents".repeat(200))]);
    let archive = |target: &str| {
        let mut builder = tar::Builder::new(packed(&image(&layer, &Digest::of(&layer), "b/layer.tar", &[])));
        let end = builder.get_ref().len() - 1024;
        builder.get_mut().truncate(end);
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Symlink);
        header.set_size(0);
        builder.append_link(&mut header, "b/layer.tar", target).unwrap();
        builder.into_inner().unwrap()
    };
    let file = folder.path().join("linked.tar");
    std::fs::write(&file, archive("../layer.tar")).unwrap();
    client.push_archive(&file, "linked", "v1", |_, _, _| ()).await.unwrap();
    let message = refusal(&client, folder.path(), &archive("../../layer.tar")).await;
    assert!(message.contains("outside"), "{message}");
    let message = refusal(&client, folder.path(), &archive("layer.tar")).await;
    assert!(message.contains("missing"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_images_the_named_one_is_taken() {
    let registry = Registry::built_in().await;
    let client = registry.client();
    let folder = tempfile::tempdir().unwrap();
    let layer = tar_of([("a.txt", b"contents".repeat(200))]);
    let config = |title: &str| {
        let diff_id = Digest::of(&layer);
        format!(r#"{{"title":"{title}","rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#).into_bytes()
    };
    let manifest = serde_json::json!([
        { "Config": "one.json", "RepoTags": ["cr.boss.org:5000/one:v1"], "Layers": ["layer.tar"] },
        { "Config": "two.json", "RepoTags": ["two:v1", "two:latest"], "Layers": ["layer.tar"] },
    ]);
    let file = folder.path().join("two.tar");
    let bytes = tar_of([
        ("layer.tar", layer.clone()),
        ("one.json", config("one")),
        ("two.json", config("two")),
        ("manifest.json", serde_json::to_vec(&manifest).unwrap()),
    ]);
    std::fs::write(&file, &bytes).unwrap();
    let names: Vec<_> = archive::images(&file).await.unwrap().into_iter().map(|image| image.names).collect();
    assert_eq!(names, [vec!["cr.boss.org:5000/one:v1"], vec!["two:v1", "two:latest"]]);

    let two = client.push_archive(&file, "two", "latest", |_, _, _| ()).await.unwrap();
    let one = client.push_archive(&file, "one", "v1", |_, _, _| ()).await.unwrap();
    assert_ne!(one, two);
    let message = refusal(&client, folder.path(), &bytes).await;
    assert!(message.contains("cr.boss.org:5000/one:v1, two:v1"), "{message}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_no_damage() {
    let client = Client::new(ClientConfig::new(([127, 0, 0, 1], 9).into(), "cr.boss.org")).unwrap();
    let error =
        client.push_archive(Path::new("/nowhere/x.tar"), "app", "v1", |_, _, _| ()).await.unwrap_err();
    assert!(matches!(error, RegistryError::Archive(archive::ArchiveError::Read { .. })));
    assert_eq!(UiError::from(&error).code, Code::FileIo);
}

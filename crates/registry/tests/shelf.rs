//! The registry of one image: what it packs, and when.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_registry::{Client, ClientConfig, Digest, Records, SHELF_IMAGE, SHELF_USER, Shelf, ShelfLayers};
use futures::FutureExt as _;
use reqwest::StatusCode;
use serde_json::Value;
use std::{fs, net::SocketAddr, path::Path, sync::Arc};
use tokio::net::TcpListener;

const PASSWORD: &str = "only for now";

/// The sample image on a shelf, packed.
struct Open {
    address: SocketAddr,
    shelf: Shelf,
}

impl Open {
    async fn with(records: &Arc<Records>, archive: &Path) -> Self {
        let folder = archive.parent().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let records = records.clone();
        let shelf = Shelf::open(listener, archive, ("", ""), (ShelfLayers::Gzip, folder), PASSWORD, records);
        Self { address, shelf: shelf.await.unwrap() }
    }

    async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let url = format!("http://{}/v2/{}/{path}", self.address, SHELF_IMAGE.0);
        // Making one of ours installs the TLS provider, without which there is no other.
        drop(Client::new(ClientConfig::new(self.address, "shelf")).unwrap());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = client.get(url).basic_auth(SHELF_USER, Some(PASSWORD)).send().await.unwrap();
        (response.status(), response.bytes().await.unwrap().to_vec())
    }

    /// The layers' digests, as the manifest has them.
    async fn layers(&self) -> Vec<String> {
        let (status, manifest) = self.get(&format!("manifests/{}", SHELF_IMAGE.1)).await;
        assert_eq!(status, StatusCode::OK);
        let manifest: Value = serde_json::from_slice(&manifest).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter();
        layers.map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
    }
}

/// Another version's record of the sample: its bottom layers are packed to something else there. What they are packed to
/// here, and there.
async fn outdated(kept: &Path, archive: &Path, layers: usize) -> (Arc<Records>, Vec<String>, Vec<String>) {
    let records = Arc::new(Records::in_folder(kept));
    let here = Open::with(&records, archive).await.layers().await;
    records.save();
    let file = kept.join("layers.json");
    let mut text = fs::read_to_string(&file).unwrap();
    let mut there = here.clone();
    for layer in &mut there[..layers] {
        let other = Digest::of(layer.as_bytes()).to_string();
        assert!(text.contains(layer.as_str()), "{text}");
        text = text.replace(layer.as_str(), &other);
        *layer = other;
    }
    fs::write(&file, text).unwrap();
    (Arc::new(Records::in_folder(kept)), here, there)
}

#[tokio::test]
async fn layers_that_were_packed_before_are_packed_again_only_for_a_host_that_wants_them() {
    let (folder, archive) = support::sample();
    let (records, layers, told) = outdated(&folder.path().join("records"), &archive, 1).await;
    // Every layer comes as it did; nothing but the record says what the first one is packed to.
    let again = Open::with(&records, &archive).await;
    assert_eq!(again.layers().await, told);
    for layer in &layers[1..] {
        let (status, bytes) = again.get(&format!("blobs/{layer}")).await;
        assert_eq!((status, Digest::of(&bytes).to_string()), (StatusCode::OK, layer.clone()));
    }

    // A record that is wrong is found out when the layer is wanted, and does no harm the next time.
    assert_eq!(again.get(&format!("blobs/{}", told[0])).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(Open::with(&records, &archive).await.layers().await, layers);
}

#[tokio::test]
async fn where_one_layer_is_packed_otherwise_than_it_was_none_is_believed_any_more() {
    let (folder, archive) = support::sample();
    let (records, layers, told) = outdated(&folder.path().join("records"), &archive, 3).await;
    let again = Open::with(&records, &archive).await;
    assert!(again.shelf.outdated().now_or_never().is_none(), "nobody has wanted anything");
    assert_eq!(again.get(&format!("blobs/{}", told[1])).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(again.shelf.outdated().now_or_never().is_some());
    assert!(!again.shelf.is_damaged(), "the layers are what they were");

    // The next one takes its place at once.
    let address = again.address;
    again.shelf.close().await;
    drop(TcpListener::bind(address).await.unwrap());
    assert_eq!(Open::with(&records, &archive).await.layers().await, layers);
}

#[tokio::test]
async fn a_layer_that_cannot_be_read_when_it_is_wanted_is_noted() {
    let (folder, archive) = support::sample();
    let records = Arc::new(Records::in_folder(&folder.path().join("records")));
    drop(Open::with(&records, &archive).await);
    let again = Open::with(&records, &archive).await;
    let layers = again.layers().await;
    // Only removed, it could still be read.
    fs::File::options().write(true).open(&archive).unwrap().set_len(0).unwrap();
    assert!(!again.shelf.is_damaged());
    let path = format!("blobs/{}", layers[0]);
    assert_eq!(again.get(&path).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(again.shelf.is_damaged());
    assert!(again.shelf.outdated().now_or_never().is_none(), "what is remembered may well be right");
}

/// Where a machine has its temporary files is memory, often.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn packed_layers_are_where_they_were_wanted_and_have_no_name_there() {
    let (folder, archive) = support::sample();
    let before = fs::read_dir(folder.path()).unwrap().count();
    let open = Open::with(&Arc::new(Records::nowhere()), &archive).await;
    let files = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let files = files.filter_map(|file| fs::read_link(file.path()).ok());
    let here = files.filter(|file| file.starts_with(folder.path()) && *file != archive).count();
    assert!(here >= open.layers().await.len(), "{here} files are there");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), before);
}

//! The registry of one image: what it packs, and when.

#![allow(
    clippy::unwrap_used,
    clippy::explicit_write,
    reason = "a test fails by panicking; skips must be seen"
)]

mod support;

use dockline_registry::{Client, ClientConfig, Digest, Records, SHELF_IMAGE, SHELF_USER, Shelf, ShelfLayers};
use reqwest::StatusCode;
use serde_json::Value;
use std::{fs, net::SocketAddr, path::Path, sync::Arc};
use tokio::net::TcpListener;

const PASSWORD: &str = "only for now";

/// The sample image on a shelf, packed.
struct Open {
    address: SocketAddr,
    _shelf: Shelf,
}

impl Open {
    async fn with(records: &Arc<Records>, archive: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let records = records.clone();
        let shelf = Shelf::open(listener, archive, ("", ""), ShelfLayers::Gzip, PASSWORD, records);
        Self { address, _shelf: shelf.await.unwrap() }
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

#[tokio::test]
async fn layers_that_were_packed_before_are_packed_again_only_for_a_host_that_wants_them() {
    let (folder, archive) = support::sample();
    let kept = folder.path().join("records");
    let records = Arc::new(Records::in_folder(&kept));
    let first = Open::with(&records, &archive).await;
    let layers = first.layers().await;
    records.save();

    // The next time, every layer comes as it did; nothing but the record says what the first one is packed to.
    let file = kept.join("layers.json");
    let other = Digest::of(b"another layer").to_string();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(&layers[0]), "{text}");
    fs::write(&file, text.replace(&layers[0], &other)).unwrap();
    let records = Arc::new(Records::in_folder(&kept));
    let again = Open::with(&records, &archive).await;
    let told = again.layers().await;
    assert_eq!(told[0], other);
    assert_eq!(told[1..], layers[1..]);
    for layer in &layers[1..] {
        let (status, bytes) = again.get(&format!("blobs/{layer}")).await;
        assert_eq!((status, Digest::of(&bytes).to_string()), (StatusCode::OK, layer.clone()));
    }

    // A record that is wrong is found out when the layer is wanted, and does no harm the next time.
    assert_eq!(again.get(&format!("blobs/{other}")).await.0, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(Open::with(&records, &archive).await.layers().await, layers);
}

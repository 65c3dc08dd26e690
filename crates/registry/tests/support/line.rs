//! A line to a registry that counts and breaks, and archives to send over it.

use super::tar_of;
use dockline_registry::{Client, ClientConfig, Digest};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// It is never cut.
pub const NEVER: u64 = u64::MAX;

/// A relay that counts what goes to the registry, and breaks every connection once so many bytes have.
pub struct Line {
    address: SocketAddr,
    sent: Arc<AtomicU64>,
    pub cut_at: Arc<AtomicU64>,
    /// Whether every connection ends when it is used.
    pub is_down: Arc<AtomicBool>,
    _task: tokio::task::JoinSet<()>,
}

impl Line {
    pub async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sent, cut_at) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(NEVER)));
        let mut task = tokio::task::JoinSet::new();
        let (counted, cut) = (sent.clone(), cut_at.clone());
        let is_down = Arc::new(AtomicBool::new(false));
        let down = is_down.clone();
        task.spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if down.load(Ordering::SeqCst) {
                    continue;
                }
                let (counted, cut, down) = (counted.clone(), cut.clone(), down.clone());
                tokio::spawn(async move {
                    let far = TcpStream::connect(target).await.unwrap();
                    let ((mut near_read, mut near_write), (mut far_read, mut far_write)) =
                        (near.into_split(), far.into_split());
                    let up = async {
                        let mut buffer = vec![0; 64 << 10];
                        while let Ok(read @ 1..) = near_read.read(&mut buffer).await {
                            if down.load(Ordering::SeqCst) {
                                return;
                            }
                            if far_write.write_all(&buffer[..read]).await.is_err() {
                                return;
                            }
                            let all = counted.fetch_add(read as u64, Ordering::SeqCst) + read as u64;
                            if all >= cut.load(Ordering::SeqCst) {
                                cut.store(NEVER, Ordering::SeqCst);
                                return;
                            }
                        }
                    };
                    tokio::select! {
                        () = up => {}
                        _ = tokio::io::copy(&mut far_read, &mut near_write) => {}
                    }
                });
            }
        });
        Self { address, sent, cut_at, is_down, _task: task }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn client(&self) -> Client {
        Client::new(ClientConfig::new(self.address, "cr.boss.org:5000")).unwrap()
    }

    /// Bytes sent since the last time it was asked.
    pub fn take(&self) -> u64 {
        self.sent.swap(0, Ordering::SeqCst)
    }
}

/// Bytes that do not compress, and differ by `seed`.
pub fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// docker's layout with these layers, written to `file`.
pub fn save(file: &Path, name: &str, layers: &[Vec<u8>]) {
    let diff_ids: Vec<String> = layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
    let config = serde_json::to_vec(&serde_json::json!({
        "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": diff_ids },
    }))
    .unwrap();
    let names: Vec<String> = (0..layers.len()).map(|number| format!("{number}/layer.tar")).collect();
    let manifest = serde_json::to_vec(&serde_json::json!([{
        "Config": "config.json", "RepoTags": [name], "Layers": names,
    }]))
    .unwrap();
    let files = names.iter().map(String::as_str).zip(layers.iter().cloned());
    let more = [("config.json", config), ("manifest.json", manifest)];
    std::fs::write(file, tar_of(files.chain(more))).unwrap();
}

/// A tar with as many bytes of noise.
pub fn layer(seed: u64, length: usize) -> Vec<u8> {
    tar_of([("data", noise(seed, length))])
}

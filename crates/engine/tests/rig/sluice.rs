//! A way to the registry that can be shut in the middle of a push or of a pull.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
};

/// A way to the registry that lets `limit` bytes through and then nothing more, and tells how many connections
/// the engine has open on it.
pub struct Sluice {
    pub address: SocketAddr,
    /// One item for each piece that is kept back.
    pub passed: mpsc::UnboundedReceiver<()>,
    /// How many connections are open.
    pub open: watch::Receiver<u64>,
}

impl Sluice {
    /// One that keeps back what goes to the registry.
    pub async fn open(registry: String, limit: u64) -> Self {
        Self::limited(registry, limit, u64::MAX).await
    }

    /// One that keeps back what comes from it.
    pub async fn open_for_pulls(registry: String, limit: u64) -> Self {
        Self::limited(registry, u64::MAX, limit).await
    }

    async fn limited(registry: String, up: u64, down: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, passed) = mpsc::unbounded_channel();
        let (count, open) = watch::channel(0);
        let count = Arc::new(count);
        let (up, down) = (Limit::of(up, &told), Limit::of(down, &told));
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let (registry, count, up, down) = (registry.clone(), count.clone(), up.clone(), down.clone());
                tokio::spawn(async move {
                    count.send_modify(|count| *count += 1);
                    let to = TcpStream::connect(registry).await.unwrap();
                    let (from_read, from_write) = from.into_split();
                    let (to_read, to_write) = to.into_split();
                    let back = tokio::spawn(down.pass(to_read, from_write));
                    up.pass(from_read, to_write).await;
                    back.abort();
                    count.send_modify(|count| *count -= 1);
                });
            }
        });
        Self { address, passed, open }
    }
}

/// What one direction lets through.
#[derive(Clone)]
struct Limit {
    bytes: u64,
    passed: Arc<AtomicU64>,
    told: mpsc::UnboundedSender<()>,
}

impl Limit {
    fn of(bytes: u64, told: &mpsc::UnboundedSender<()>) -> Self {
        Self { bytes, passed: Arc::default(), told: told.clone() }
    }

    async fn pass(self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            if self.passed.fetch_add(read as u64, Ordering::SeqCst) > self.bytes {
                // Swallowed: as a registry that has stopped in the middle of a layer.
                self.told.send(()).ok();
            } else if to.write_all(&buffer[..read]).await.is_err() {
                break;
            }
        }
    }
}

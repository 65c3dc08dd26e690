//! A way to the registry that can be shut in the middle of a push.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};

/// A way to the registry that lets `limit` bytes through and then nothing more, and tells how many connections
/// dockerd has open on it.
pub struct Sluice {
    pub address: SocketAddr,
    /// One item for each piece that is kept back.
    pub passed: mpsc::UnboundedReceiver<()>,
    /// How many connections are open.
    pub open: watch::Receiver<u64>,
}

impl Sluice {
    pub async fn open(registry: String, limit: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (told, passed) = mpsc::unbounded_channel();
        let (count, open) = watch::channel(0);
        let (count, sent) = (Arc::new(count), Arc::new(AtomicU64::new(0)));
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let (registry, told, count, sent) =
                    (registry.clone(), told.clone(), count.clone(), sent.clone());
                tokio::spawn(async move {
                    count.send_modify(|count| *count += 1);
                    let to = TcpStream::connect(registry).await.unwrap();
                    let (mut from_read, mut from_write) = from.into_split();
                    let (mut to_read, mut to_write) = to.into_split();
                    let back =
                        tokio::spawn(async move { tokio::io::copy(&mut to_read, &mut from_write).await });
                    let mut buffer = vec![0; 64 * 1024];
                    while let Ok(read @ 1..) = from_read.read(&mut buffer).await {
                        if sent.fetch_add(read as u64, Ordering::SeqCst) > limit {
                            // Swallowed: as a registry that has stopped in the middle of a layer.
                            told.send(()).ok();
                        } else if to_write.write_all(&buffer[..read]).await.is_err() {
                            break;
                        }
                    }
                    back.abort();
                    count.send_modify(|count| *count -= 1);
                });
            }
        });
        Self { address, passed, open }
    }
}

//! Bulk flow against a real sshd: readers that stall, windows that grow with the path, keys that change meanwhile.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::RemoteEnd;
use dockline_relay::{Link, Relay};
use dockline_tunnel::{Nobody, Tunnel};
use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use support::{Lab, Sshd, remote, round_trip};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const MIB: usize = 1 << 20;

/// What stands at `offset` of a stream of this `seed`: repeats at no power of two, so that a lost or doubled packet shows.
fn pattern(seed: u8, offset: usize) -> u8 {
    ((offset % 251) as u8) ^ ((offset / 251) as u8) ^ seed
}

fn piece(seed: u8, offset: usize, length: usize) -> Vec<u8> {
    (offset..offset + length).map(|at| pattern(seed, at)).collect()
}

/// A far end that, asked with a seed and a length in MiB, sends that much; `sent` counts what it could get rid of. Asked
/// with a length of zero, it takes everything, and answers with a byte that says whether it was right.
async fn source(sent: Arc<AtomicU64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sent = sent.clone();
            tokio::spawn(async move {
                let mut request = [0; 3];
                stream.read_exact(&mut request).await?;
                let [seed, high, low] = request;
                let length = usize::from(u16::from_be_bytes([high, low])) * MIB;
                if length == 0 {
                    let mut got = Vec::new();
                    stream.read_to_end(&mut got).await?;
                    let is_right = !got.is_empty() && got == piece(seed, 0, got.len());
                    return stream.write_all(&[u8::from(is_right)]).await;
                }
                for offset in (0..length).step_by(MIB / 4) {
                    stream.write_all(&piece(seed, offset, MIB / 4)).await?;
                    sent.fetch_add(MIB as u64 / 4, Ordering::Relaxed);
                }
                Ok::<(), std::io::Error>(())
            });
        }
    });
    address
}

async fn ask(tunnel: SocketAddr, seed: u8, mebibytes: u16) -> TcpStream {
    let mut stream = TcpStream::connect(tunnel).await.unwrap();
    let [high, low] = mebibytes.to_be_bytes();
    stream.write_all(&[seed, high, low]).await.unwrap();
    stream
}

/// Reads to the end, and sees that it is all there and right.
async fn take(mut stream: TcpStream, seed: u8, mebibytes: u16) {
    let mut offset = 0;
    let mut bytes = vec![0; 256 << 10];
    loop {
        let count = stream.read(&mut bytes).await.unwrap();
        if count == 0 {
            break;
        }
        assert!(bytes[..count] == piece(seed, offset, count), "wrong bytes within {count} at {offset}");
        offset += count;
    }
    assert_eq!(offset, usize::from(mebibytes) * MIB);
}

async fn give(tunnel: SocketAddr, seed: u8, mebibytes: usize) {
    let mut stream = ask(tunnel, seed, 0).await;
    for offset in (0..mebibytes * MIB).step_by(MIB / 4) {
        stream.write_all(&piece(seed, offset, MIB / 4)).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 1, "the far side got wrong bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stalled_reader_holds_up_nobody_and_little_memory() {
    need_sshd!();
    const STALLED: u16 = 128;
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let sent = Arc::new(AtomicU64::new(0));
    let mut config = lab.config(&sshd, remote(source(sent.clone()).await)).await;
    // Everybody in one session.
    config.pool.sessions = 1;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;

    let stalled = ask(address, 1, STALLED).await;
    stalled.readable().await.unwrap();
    // It has come to a stop when a neighbour has had its turn and nothing more went out meanwhile.
    let mut before = u64::MAX;
    for round in 0.. {
        take(ask(address, 2, 4).await, 2, 4).await;
        let neighbours = 4 * MIB as u64 * (round + 1);
        let now = sent.load(Ordering::Relaxed) - neighbours;
        if now == before {
            break;
        }
        before = now;
    }
    // A window of ours, and what the kernels of four sockets hold; not what a reader without limits would be owed.
    assert!(before < 48 * MIB as u64, "{before} bytes are on their way to one who does not read");
    let lively = async {
        give(address, 3, 16).await;
        take(ask(address, 4, 16).await, 4, 16).await;
    };
    tokio::time::timeout(Duration::from_secs(60), lively).await.expect("a stalled neighbour stalls nobody");
    assert_eq!(sshd.logins(), 1);
    take(stalled, 1, STALLED).await;
    tunnel.stop().await;
}

/// The largest of what our side granted the server at once, from its log.
fn largest_grant(sshd: &Sshd) -> u64 {
    let grants = sshd.log();
    let grants = grants.lines().filter_map(|line| line.split_once("rcvd adjust ")?.1.trim().parse().ok());
    grants.max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_grows_with_the_path() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "LogLevel DEBUG2").await;
    let relay = Relay::start(SocketAddr::from(([127, 0, 0, 1], sshd.port))).await.unwrap();
    // Long enough that a window is used up within two round trips on a busy machine, too.
    relay.set_links(Link::new(Duration::from_millis(150), None));
    let mut config = lab.config(&sshd, remote(source(Arc::default()).await)).await;
    let line = sshd.known_hosts_line().replace(&sshd.port.to_string(), &relay.address().port().to_string());
    lab.known_hosts(&line);
    config.spec.ssh.port = Some(relay.address().port());
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    take(ask(address, 7, 24).await, 7, 24).await;
    tunnel.stop().await;
    // It begins at 4 MiB at most; only a window that grew can grant more than that at once.
    let largest = largest_grant(&sshd);
    assert!(largest > 4 << 20, "the largest grant was {largest} bytes");
}

/// sshd reads ahead as much as the window allows, and its time grows with the square of that.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_stays_small_on_a_short_path() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "LogLevel DEBUG2").await;
    let config = lab.config(&sshd, remote(source(Arc::default()).await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    take(ask(address, 7, 64).await, 7, 64).await;
    tunnel.stop().await;
    let largest = largest_grant(&sshd);
    assert!((1..=4 << 20).contains(&largest), "the largest grant was {largest} bytes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_change_under_pushes_and_pulls() {
    need_sshd!();
    let lab = Lab::new();
    // Both sides want new keys after every MiB, so exchanges begin in the middle of whatever is on its way.
    let sshd = lab.sshd("a", "RekeyLimit 1M\nLogLevel DEBUG1").await;
    fs::write(lab.path("config"), "RekeyLimit 1M\n").unwrap();
    let far: RemoteEnd = remote(source(Arc::default()).await);
    let mut config = lab.config(&sshd, far).await;
    config.pool.sessions = 1;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let mut transfers = tokio::task::JoinSet::new();
    for seed in 0..3 {
        transfers.spawn(async move { take(ask(address, seed, 8).await, seed, 8).await });
        transfers.spawn(async move { give(address, seed, 8).await });
    }
    // It panics when one of them has.
    tokio::time::timeout(Duration::from_secs(120), transfers.join_all()).await.expect("nothing hangs");
    assert_eq!(sshd.logins(), 1, "one session lasts through all of it");
    let exchanges = sshd.log().lines().filter(|line| line.contains("SSH2_MSG_NEWKEYS sent")).count();
    assert!(exchanges >= 10, "{exchanges} exchanges of keys are none worth the name");
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tiny_pieces_arrive_whole() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = lab.config(&sshd, remote(support::echo_server().await)).await;
    let address = config.spec.listen();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut read, mut write) = stream.split();
    let data = piece(9, 0, 5000);
    let sending = async {
        for byte in &data {
            write.write_all(std::slice::from_ref(byte)).await.unwrap();
        }
        write.shutdown().await.unwrap();
    };
    let mut got = Vec::new();
    let ((), read) = tokio::join!(sending, read.read_to_end(&mut got));
    read.unwrap();
    assert!(got == data);
    assert_eq!(round_trip(address, &data).await.unwrap(), data);
    tunnel.stop().await;
}

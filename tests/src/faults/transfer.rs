//! Transfers whose digest is checked, the far end that they go to, and how they end.
//!
//! A connection begins with a head of 18 bytes: the kind's letter, a flag, the number of bytes and the seed of what they
//! are. What comes after that, the kinds tell.

use super::dice::Dice;
use sha2::{Digest as _, Sha256};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixListener},
    sync::watch,
};

const PIECE: usize = 64 << 10;
const HEAD: usize = 18;
/// The answer to an upload: how many bytes came, and their SHA-256.
const RECEIPT: usize = 40;
/// Size of one small request.
const SMALL: u64 = 300;

/// Which way the bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Up, an end, and then a receipt comes down.
    Upload,
    /// Down, and an end.
    Download,
    /// Both at once, and the receipt after what came down.
    Exchange,
    /// Small requests one after the other, each echoed.
    Requests,
}

impl Kind {
    pub(super) const fn goes_up(self) -> bool {
        matches!(self, Self::Upload | Self::Exchange | Self::Requests)
    }

    pub(super) const fn comes_down(self) -> bool {
        matches!(self, Self::Download | Self::Exchange | Self::Requests)
    }

    const fn letter(self) -> u8 {
        match self {
            Self::Upload => b'U',
            Self::Download => b'D',
            Self::Exchange => b'X',
            Self::Requests => b'R',
        }
    }
}

/// One transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Which way.
    pub kind: Kind,
    /// How much, each way.
    pub bytes: u64,
    /// The seed of what the bytes are.
    pub contents: u64,
    /// Whether a download's client ends its own direction at once, as `curl` does not and `nc -N` does.
    pub half_closes: bool,
    /// The client resets its connection after so many bytes, as a program that is killed.
    pub abandoned_after: Option<u64>,
    /// The client reads nothing for a while, in the middle of what comes down.
    pub pause: Option<Duration>,
}

/// How a transfer ended, for its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Complete, and every byte as it should be.
    Right,
    /// An error that a program notices.
    Broken(ErrorKind),
    /// The client itself gave up, as planned.
    Abandoned,
    /// A clean end, too early.
    Short {
        /// Bytes that came.
        got: u64,
        /// Bytes that were to come.
        wanted: u64,
    },
    /// A clean end, and the wrong bytes.
    Wrong,
}

impl Ending {
    /// Whether a program would take this for something it is not.
    #[must_use]
    pub const fn is_a_lie(self) -> bool {
        matches!(self, Self::Short { .. } | Self::Wrong)
    }
}

impl Transfer {
    /// Small, and of the kind that needs everything to work.
    pub(super) const fn probe(contents: u64) -> Self {
        Self {
            kind: Kind::Exchange,
            bytes: 20_000,
            contents,
            half_closes: true,
            abandoned_after: None,
            pause: None,
        }
    }

    /// Makes the transfer through whatever listens at `address`. `moved` grows with every piece that gets anywhere.
    pub(super) async fn run(self, address: SocketAddr, moved: &AtomicU64) -> Ending {
        match self.attempt(address, moved).await {
            Ok(ending) => ending,
            Err(error) => Ending::Broken(error.kind()),
        }
    }

    async fn attempt(self, address: SocketAddr, moved: &AtomicU64) -> io::Result<Ending> {
        let mut stream = TcpStream::connect(address).await?;
        let Some(bytes) = self.abandoned_after else {
            return self.carry(&mut stream, self.bytes, moved).await;
        };
        // A reset rather than an end, when it is dropped.
        stream.set_zero_linger()?;
        let ending = self.carry(&mut stream, bytes, moved).await?;
        Ok(if ending.is_a_lie() { ending } else { Ending::Abandoned })
    }

    /// Moves `bytes` of it: all, or what there is to be before it is abandoned.
    async fn carry(self, stream: &mut TcpStream, bytes: u64, moved: &AtomicU64) -> io::Result<Ending> {
        let is_whole = bytes == self.bytes;
        let (mut from, mut to) = stream.split();
        to.write_all(&self.head()).await?;
        match self.kind {
            Kind::Upload => {
                let sent = send(&mut to, bytes, self.contents, moved).await?;
                if !is_whole {
                    return Ok(Ending::Abandoned);
                }
                to.shutdown().await?;
                check_receipt(&read_to_end(&mut from).await?, bytes, &sent)
            }
            Kind::Download => {
                if self.half_closes && is_whole {
                    to.shutdown().await?;
                }
                let wanted = digest_of(bytes, self.down_contents());
                let (got, digest) = receive(&mut from, bytes, self.pause, moved).await?;
                if !is_whole {
                    return Ok(judge(got, bytes, true));
                }
                let rest = read_to_end(&mut from).await?;
                Ok(judge(got, bytes, rest.is_empty() && digest == wanted))
            }
            Kind::Exchange => {
                let sending = async {
                    let sent = send(&mut to, bytes, self.contents, moved).await?;
                    if is_whole {
                        to.shutdown().await?;
                    }
                    Ok(sent)
                };
                let receiving = receive(&mut from, bytes, self.pause, moved);
                let (sent, (got, digest)): (_, (u64, _)) = tokio::try_join!(sending, receiving)?;
                if !is_whole {
                    return Ok(judge(got, bytes, true));
                }
                if got < bytes || digest != digest_of(bytes, self.down_contents()) {
                    return Ok(judge(got, bytes, false));
                }
                check_receipt(&read_to_end(&mut from).await?, bytes, &sent)
            }
            Kind::Requests => {
                let mut dice = Dice::new(self.contents, 0);
                let (mut request, mut answer) = ([0; SMALL as usize], [0; SMALL as usize]);
                for number in 0..bytes / SMALL {
                    dice.fill(&mut request);
                    to.write_all(&request).await?;
                    moved.fetch_add(1, Ordering::Relaxed);
                    let mut got = 0;
                    while got < answer.len() {
                        match from.read(&mut answer[got..]).await? {
                            0 => {
                                return Ok(Ending::Short { got: number * SMALL + got as u64, wanted: bytes });
                            }
                            count => got += count,
                        }
                    }
                    if request != answer {
                        return Ok(Ending::Wrong);
                    }
                }
                to.shutdown().await?;
                Ok(judge(bytes, bytes, read_to_end(&mut from).await?.is_empty()))
            }
        }
    }

    fn head(self) -> [u8; HEAD] {
        let mut head = [0; HEAD];
        head[0] = self.kind.letter();
        head[2..10].copy_from_slice(&self.bytes.to_be_bytes());
        head[10..].copy_from_slice(&self.contents.to_be_bytes());
        head
    }

    const fn down_contents(self) -> u64 {
        !self.contents
    }
}

fn judge(got: u64, wanted: u64, is_right: bool) -> Ending {
    if got < wanted {
        Ending::Short { got, wanted }
    } else if is_right {
        Ending::Right
    } else {
        Ending::Wrong
    }
}

fn check_receipt(receipt: &[u8], bytes: u64, digest: &[u8]) -> io::Result<Ending> {
    let wanted = [&bytes.to_be_bytes()[..], digest].concat();
    Ok(judge(receipt.len() as u64, RECEIPT as u64, receipt == wanted))
}

/// Sends what the seed makes; returns its digest.
async fn send(
    to: &mut (impl AsyncWrite + Unpin),
    mut bytes: u64,
    contents: u64,
    moved: &AtomicU64,
) -> io::Result<Vec<u8>> {
    let (mut dice, mut digest, mut piece) = (Dice::new(contents, 0), Sha256::new(), vec![0; PIECE]);
    while bytes > 0 {
        let count = bytes.min(PIECE as u64) as usize;
        dice.fill(&mut piece[..count]);
        digest.update(&piece[..count]);
        to.write_all(&piece[..count]).await?;
        moved.fetch_add(1, Ordering::Relaxed);
        bytes -= count as u64;
    }
    Ok(digest.finalize().to_vec())
}

/// Reads `bytes`, or fewer if there is an end before; returns how many and their digest. Pauses half way, if at all.
async fn receive(
    from: &mut (impl AsyncRead + Unpin),
    bytes: u64,
    mut pause: Option<Duration>,
    moved: &AtomicU64,
) -> io::Result<(u64, Vec<u8>)> {
    let (mut digest, mut piece, mut got) = (Sha256::new(), vec![0; PIECE], 0);
    while got < bytes {
        if let Some(pause) = pause.take_if(|_| got >= bytes / 2) {
            tokio::time::sleep(pause).await;
        }
        let room = (bytes - got).min(PIECE as u64) as usize;
        let count = from.read(&mut piece[..room]).await?;
        if count == 0 {
            break;
        }
        digest.update(&piece[..count]);
        got += count as u64;
        moved.fetch_add(1, Ordering::Relaxed);
    }
    Ok((got, digest.finalize().to_vec()))
}

fn digest_of(mut bytes: u64, contents: u64) -> Vec<u8> {
    let (mut dice, mut digest, mut piece) = (Dice::new(contents, 0), Sha256::new(), vec![0; PIECE]);
    while bytes > 0 {
        let count = bytes.min(PIECE as u64) as usize;
        dice.fill(&mut piece[..count]);
        digest.update(&piece[..count]);
        bytes -= count as u64;
    }
    digest.finalize().to_vec()
}

/// Of something that should be short.
async fn read_to_end(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut rest = Vec::new();
    from.take(1 << 16).read_to_end(&mut rest).await?;
    Ok(rest)
}

/// What the far end listens at.
pub(super) enum FarListener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The far end: answers every transfer. `open` counts the connections it has.
pub(super) async fn far_end(listener: FarListener, open: watch::Sender<usize>) {
    loop {
        match &listener {
            FarListener::Tcp(listener) => {
                let (mut stream, _) = listener.accept().await.expect("a listening socket accepts");
                let counted = Counted::new(&open);
                tokio::spawn(async move { counted.during(stream.split()).await });
            }
            FarListener::Unix(listener) => {
                let (mut stream, _) = listener.accept().await.expect("a listening socket accepts");
                let counted = Counted::new(&open);
                tokio::spawn(async move { counted.during(stream.split()).await });
            }
        }
    }
}

/// Takes a connection off the count, however its task ends.
struct Counted(watch::Sender<usize>);

impl Counted {
    fn new(open: &watch::Sender<usize>) -> Self {
        open.send_modify(|count| *count += 1);
        Self(open.clone())
    }

    async fn during(self, (from, to): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin)) {
        // A connection that breaks is the client's to notice.
        answer(from, to).await.ok();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

async fn answer(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) -> io::Result<()> {
    let mut head = [0; HEAD];
    from.read_exact(&mut head).await?;
    let number = |at: usize| {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&head[at..at + 8]);
        u64::from_be_bytes(bytes)
    };
    let (bytes, contents) = (number(2), number(10));
    let ignored = AtomicU64::new(0);
    let receipt = |(count, digest): (u64, Vec<u8>)| [&count.to_be_bytes()[..], &digest].concat();
    match head[0] {
        b'U' => {
            // To the end, whatever was announced: that is how a far end notices that too much came.
            let received = receive(&mut from, u64::MAX, None, &ignored).await?;
            to.write_all(&receipt(received)).await?;
        }
        b'D' => {
            send(&mut to, bytes, !contents, &ignored).await?;
        }
        b'X' => {
            let (received, _) = tokio::try_join!(
                receive(&mut from, u64::MAX, None, &ignored),
                send(&mut to, bytes, !contents, &ignored)
            )?;
            to.write_all(&receipt(received)).await?;
        }
        _ => {
            tokio::io::copy(&mut from, &mut to).await?;
        }
    }
    to.shutdown().await?;
    // Until the client has ended too: closing with bytes unread would send a reset after what was said.
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn far() -> (SocketAddr, watch::Receiver<usize>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, counted) = watch::channel(0);
        tokio::spawn(far_end(FarListener::Tcp(listener), open));
        (address, counted)
    }

    #[tokio::test]
    async fn transfers_over_a_good_path_are_right() {
        let (address, mut open) = far().await;
        for kind in [Kind::Upload, Kind::Download, Kind::Exchange, Kind::Requests] {
            for (half_closes, abandoned_after, ending) in [
                (true, None, Ending::Right),
                (false, None, Ending::Right),
                (true, Some(9_000), Ending::Abandoned),
            ] {
                let pause = half_closes.then_some(Duration::from_millis(10));
                let transfer =
                    Transfer { kind, bytes: 300_000, contents: 5, half_closes, abandoned_after, pause };
                assert_eq!(transfer.run(address, &AtomicU64::new(0)).await, ending, "{transfer:?}");
            }
        }
        open.wait_for(|open| *open == 0).await.unwrap();
    }

    /// What the campaign is there to find is found.
    #[tokio::test]
    async fn lies_are_noticed() {
        use crate::relay::{Fault, Relay, Scope, Trigger, Way};
        let (address, _open) = far().await;
        for (kind, way, bytes) in [
            (Kind::Download, Way::Down, 299_999),
            (Kind::Upload, Way::Down, 0),
            (Kind::Requests, Way::Down, 700),
        ] {
            let relay = Relay::start(address).await.unwrap();
            relay.arm(Trigger::connection(way, bytes), Fault::Truncate, Scope::Connection);
            let transfer = Transfer { kind, ..Transfer::probe(5) };
            let ending = Transfer { bytes: 300_000, half_closes: false, ..transfer }
                .run(relay.address(), &AtomicU64::new(0))
                .await;
            assert!(ending.is_a_lie() || matches!(ending, Ending::Broken(_)), "{kind:?}: {ending:?}");
            assert_ne!(ending, Ending::Right);
        }
        // A hole in the middle.
        let relay = Relay::start(address).await.unwrap();
        relay.arm(Trigger::connection(Way::Down, 1_000), Fault::Swallow, Scope::Connection);
        let transfer = Transfer { kind: Kind::Requests, bytes: 3_000, ..Transfer::probe(5) };
        let through = relay.address();
        let running = tokio::spawn(async move { transfer.run(through, &AtomicU64::new(0)).await });
        relay.struck().wait_for(|count| *count == 1).await.unwrap();
        relay.inflict(Fault::Truncate);
        assert!(running.await.unwrap().is_a_lie());
    }
}

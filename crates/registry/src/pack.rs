//! Making a layer ready to be sent: compressing bare tars on all cores while they are read, and finding digests
//! nobody wrote down.
//!
//! A layer is cut into pieces of a fixed length, and each piece becomes a gzip member (RFC 1952 §2.2) or a zstd frame
//! (RFC 8878 §3) of its own. So the output depends on the layer and the [`Packing`] alone, whatever the number of
//! cores: the same layer has the same digest tomorrow and on another machine, and an upload that broke off is gone on
//! with by making the same bytes again. Nothing is kept but the pieces on their way.

use crate::{
    Algorithm, Digest,
    archive::{ArchiveError, Layer, LayerKind, Tarball},
    digest::Hasher,
};
use bytes::Bytes;
use dockline_model::Compression;
use flate2::read::MultiGzDecoder;
use std::{
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::JoinHandle,
};

const BUFFER: usize = 128 << 10;
/// Large enough that the 32 KiB of history which each gzip member begins without cost no more than half a percent.
const GZIP_PIECE: usize = 1 << 20;
/// zstd looks farther back, ...
const ZSTD_PIECE: usize = 2 << 20;
/// ... and farther still from level 9 on: these save two percent beside level 7.
const DENSE_PIECE: usize = 4 << 20;
/// Bytes that may be on their way through all compressors together, in [`GRAIN`]s: what bounds memory. A piece counts with
/// its own length until it is packed, and with what is left of that until it is taken: enough for every layer to have its
/// next request ready by the time that the one before is answered.
const IN_FLIGHT: usize = 24 << 20;
const GRAIN: usize = 64 << 10;
/// Pieces of one layer that wait in line at most: packed well, they are small, and the room is for all layers.
const AHEAD: usize = 64;
/// Pieces of one layer that wait for a compressor, or are in one, beside those that all cores have.
const WAITING: usize = 2;

/// How a layer is packed: everything that its bytes at the registry depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packing {
    compression: Compression,
    level: u8,
}

impl Packing {
    /// `level` is brought within the levels there are.
    #[must_use]
    pub fn new(compression: Compression, level: u8) -> Self {
        let level = compression.levels().map_or(0, |(lowest, highest)| level.clamp(lowest, highest));
        Self { compression, level }
    }

    /// By what.
    #[must_use]
    pub const fn compression(self) -> Compression {
        self.compression
    }

    /// How hard; 0 where nothing is compressed.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.level
    }

    /// Names these bytes in records: changes whenever the bytes would.
    pub(crate) fn name(self) -> String {
        match self.compression {
            Compression::Gzip => format!("gzip-{}", self.level),
            Compression::Zstd if self.piece() == DENSE_PIECE => format!("zstd-{}-of-4-mib", self.level),
            Compression::Zstd => format!("zstd-{}", self.level),
            Compression::None => "none".to_owned(),
        }
    }

    /// The one that is called so, if this version knows it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let of = |compression: Compression| {
            let (lowest, highest) = compression.levels().unwrap_or_default();
            (lowest..=highest).map(move |level| Self::new(compression, level))
        };
        let all = [Compression::Gzip, Compression::Zstd, Compression::None].into_iter().flat_map(of);
        all.into_iter().find(|packing| packing.name() == name)
    }

    pub(crate) const fn encoding(self) -> Encoding {
        match self.compression {
            Compression::Gzip => Encoding::Gzip,
            Compression::Zstd => Encoding::Zstd,
            Compression::None => Encoding::Bare,
        }
    }

    const fn piece(self) -> usize {
        match self.compression {
            Compression::Gzip | Compression::None => GZIP_PIECE,
            Compression::Zstd if self.level >= 9 => DENSE_PIECE,
            Compression::Zstd => ZSTD_PIECE,
        }
    }
}

impl Default for Packing {
    /// gzip as dense as `docker push` makes it.
    fn default() -> Self {
        Self { compression: Compression::Gzip, level: 6 }
    }
}

/// How a layer at the registry is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Encoding {
    Gzip,
    Zstd,
    Bare,
}

/// What a layer is that is in the archive as it is to be sent.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) digest: Digest,
    pub(crate) encoding: Encoding,
}

/// Tells blocking work that nobody waits for it any more.
#[derive(Debug)]
pub(crate) struct Abandon(Arc<AtomicBool>);

/// The blocking work's side.
#[derive(Debug, Clone)]
pub(crate) struct Abandoned(Arc<AtomicBool>);

impl Abandon {
    pub(crate) fn new() -> (Self, Abandoned) {
        let flag = Arc::new(AtomicBool::new(false));
        (Self(flag.clone()), Abandoned(flag))
    }
}

impl Drop for Abandon {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Abandoned {
    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(io::Error::new(io::ErrorKind::Interrupted, "the push was stopped"));
        }
        Ok(())
    }
}

/// The compressors of one push, shared by its layers.
#[derive(Debug, Clone)]
pub(crate) struct Press {
    packing: Packing,
    /// Bytes on their way.
    room: Arc<Semaphore>,
    /// One for each core.
    cores: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<Compressor>>>,
}

/// A packed piece, and how many bytes of the layer it stands for.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    pub(crate) raw: usize,
    _room: OwnedSemaphorePermit,
}

/// The pieces of one layer, in order.
#[derive(Debug)]
pub(crate) struct Pieces {
    packing: mpsc::Receiver<JoinHandle<io::Result<Piece>>>,
    /// The next one, if somebody has looked at it.
    looked_at: Option<JoinHandle<io::Result<Piece>>>,
    reading: JoinHandle<io::Result<Digest>>,
    _abandon: Abandon,
}

impl Pieces {
    /// Whether the next one need not be waited for.
    pub(crate) fn is_ready(&mut self) -> bool {
        if self.looked_at.is_none() {
            self.looked_at = self.packing.try_recv().ok();
        }
        self.looked_at.as_ref().is_some_and(JoinHandle::is_finished)
    }

    /// The next one; `None` at the end.
    pub(crate) async fn next(&mut self) -> io::Result<Option<Piece>> {
        let next = match self.looked_at.take() {
            Some(piece) => Some(piece),
            None => self.packing.recv().await,
        };
        match next {
            Some(piece) => piece.await.map_err(io::Error::other)?.map(Some),
            None => Ok(None),
        }
    }

    /// Of the layer as it was read, once there are no more pieces.
    pub(crate) async fn diff_id(self) -> io::Result<Digest> {
        self.reading.await.map_err(io::Error::other)?
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

impl Press {
    pub(crate) fn new(packing: Packing) -> Self {
        Self {
            packing,
            room: Arc::new(Semaphore::new(IN_FLIGHT / GRAIN)),
            cores: Arc::new(Semaphore::new(cores())),
            idle: Arc::default(),
        }
    }

    pub(crate) const fn packing(&self) -> Packing {
        self.packing
    }

    /// The same room and cores for layers that are sent as they are.
    pub(crate) fn without_compression(&self) -> Self {
        self.packing_as(Packing::new(Compression::None, 0))
    }

    /// The same room and cores for a layer that is packed otherwise.
    pub(crate) fn packing_as(&self, packing: Packing) -> Self {
        Self { packing, ..self.clone() }
    }

    /// Reads `source` to its end on a thread of its own and packs it. Must be called within a runtime.
    pub(crate) fn pack(&self, source: impl Read + Send + 'static, algorithm: Algorithm) -> Pieces {
        let (sender, packing) = mpsc::channel(AHEAD);
        let (abandon, abandoned) = Abandon::new();
        let (press, runtime) = (self.clone(), Handle::current());
        let reading = tokio::task::spawn_blocking(move || {
            press.read(source, Hasher::new(algorithm), &sender, &abandoned, &runtime)
        });
        Pieces { packing, looked_at: None, reading, _abandon: abandon }
    }

    fn read(
        &self,
        mut source: impl Read,
        mut hasher: Hasher,
        pieces: &mpsc::Sender<JoinHandle<io::Result<Piece>>>,
        abandoned: &Abandoned,
        runtime: &Handle,
    ) -> io::Result<Digest> {
        let stopped = || io::Error::new(io::ErrorKind::Interrupted, "the push was stopped");
        let length = self.packing.piece();
        let grains = u32::try_from(length / GRAIN).unwrap_or(1);
        // However many layers there are, none has the compressors to itself.
        let turns = Arc::new(Semaphore::new(cores() + WAITING));
        let mut is_first = true;
        loop {
            abandoned.check()?;
            let turn = runtime.block_on(turns.clone().acquire_owned()).map_err(|_| stopped())?;
            let room =
                runtime.block_on(self.room.clone().acquire_many_owned(grains)).map_err(|_| stopped())?;
            let mut raw = vec![0; length];
            let filled = crate::archive::read_up_to(&mut source, &mut raw)?;
            // An empty layer has one empty piece: nothing at all would be no gzip file.
            if filled == 0 && !is_first {
                return Ok(hasher.finish());
            }
            is_first = false;
            raw.truncate(filled);
            hasher.update(&raw);
            let piece = self.begin_piece(raw, (turn, room), runtime);
            if pieces.blocking_send(piece).is_err() {
                return Err(stopped());
            }
            if filled < length {
                return Ok(hasher.finish());
            }
        }
    }

    fn begin_piece(
        &self,
        raw: Vec<u8>,
        (turn, mut room): (OwnedSemaphorePermit, OwnedSemaphorePermit),
        runtime: &Handle,
    ) -> JoinHandle<io::Result<Piece>> {
        let press = self.clone();
        runtime.spawn(async move {
            let length = raw.len();
            if press.packing.compression == Compression::None {
                return Ok(Piece { bytes: raw.into(), raw: length, _room: room });
            }
            let core = press.cores.clone().acquire_owned().await.map_err(io::Error::other)?;
            let work = tokio::task::spawn_blocking(move || {
                let idle = press.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
                let mut compressor = idle.map_or_else(|| Compressor::new(press.packing), Ok)?;
                let bytes = compressor.compress(&raw);
                press.idle.lock().unwrap_or_else(PoisonError::into_inner).push(compressor);
                drop(core);
                bytes
            });
            let bytes = work.await.map_err(io::Error::other)??;
            drop(turn);
            // Nothing, if packing has made it longer.
            let saved = room.num_permits().saturating_sub(bytes.len().div_ceil(GRAIN));
            drop(room.split(saved));
            Ok(Piece { bytes: bytes.into(), raw: length, _room: room })
        })
    }
}

/// One compressor's memory, used again for each piece.
enum Compressor {
    Gzip(libdeflater::Compressor),
    Zstd(zstd::bulk::Compressor<'static>),
}

impl std::fmt::Debug for Compressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
    }
}

impl Compressor {
    fn new(packing: Packing) -> io::Result<Self> {
        let level = i32::from(packing.level);
        match packing.compression {
            Compression::Zstd => Ok(Self::Zstd(zstd::bulk::Compressor::new(level)?)),
            Compression::Gzip | Compression::None => {
                let level = libdeflater::CompressionLvl::new(level)
                    .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no such level"))?;
                Ok(Self::Gzip(libdeflater::Compressor::new(level)))
            }
        }
    }

    fn compress(&mut self, raw: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(compressor) => {
                let mut packed = vec![0; compressor.gzip_compress_bound(raw.len())];
                let length = compressor.gzip_compress(raw, &mut packed).map_err(io::Error::other)?;
                packed.truncate(length);
                packed.shrink_to_fit();
                Ok(packed)
            }
            Self::Zstd(compressor) => {
                let mut packed = compressor.compress(raw)?;
                packed.shrink_to_fit();
                Ok(packed)
            }
        }
    }
}

/// Finds the digest of a layer that is compressed already, and checks it as far as that is possible. Blocks.
pub(crate) fn check(
    tarball: &Tarball,
    layer: &Layer,
    abandoned: &Abandoned,
) -> Result<Checked, ArchiveError> {
    let read = |source| ArchiveError::Read { path: tarball.shown().to_owned(), source };
    let (diff_id, is_gzip) = match &layer.kind {
        LayerKind::Ready { digest } | LayerKind::Elsewhere { digest } => {
            return Ok(Checked { digest: digest.clone(), encoding: Encoding::Gzip });
        }
        LayerKind::Raw { diff_id } => {
            return Ok(Checked { digest: diff_id.clone(), encoding: Encoding::Bare });
        }
        LayerKind::Packed { diff_id, is_gzip } => (diff_id, *is_gzip),
    };
    let reader = tarball.reader(layer.section);
    let mut compressed = Hashing { inner: reader, hasher: Hasher::new(Algorithm::Sha256) };
    let damaged = |source| ArchiveError::Damaged { path: tarball.shown().to_owned(), source };
    let mut hasher = Hasher::new(diff_id.algorithm());
    let buffered = io::BufReader::with_capacity(BUFFER, &mut compressed);
    if is_gzip {
        drain(&mut MultiGzDecoder::new(buffered), abandoned, |bytes| hasher.update(bytes))
            .map_err(damaged)?;
    } else {
        let mut decoder = zstd::stream::read::Decoder::with_buffer(buffered).map_err(damaged)?;
        drain(&mut decoder, abandoned, |bytes| hasher.update(bytes)).map_err(damaged)?;
    }
    crate::archive::check_digest(&layer.name, diff_id.clone(), hasher.finish())?;
    // Whatever follows the compressed stream is sent too, so it counts.
    drain(&mut compressed, abandoned, |_| ()).map_err(read)?;
    let encoding = if is_gzip { Encoding::Gzip } else { Encoding::Zstd };
    Ok(Checked { digest: compressed.hasher.finish(), encoding })
}

fn drain(reader: &mut impl Read, abandoned: &Abandoned, mut each: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        abandoned.check()?;
        match reader.read(&mut buffer)? {
            0 => return Ok(()),
            read => each(&buffer[..read]),
        }
    }
}

/// Hashes whatever passes.
struct Hashing<T> {
    inner: T,
    hasher: Hasher,
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few pieces and a bit; it compresses to something.
    fn layer(packing: Packing) -> Vec<u8> {
        (0..(packing.piece() * 5 / 4).max(GZIP_PIECE * 7 / 2)).map(|n| ((n / 3) ^ (n >> 11)) as u8).collect()
    }

    const EXPECTED: [(Compression, u8, &str); 7] = [
        (Compression::Gzip, 1, "2bcce0b8f5f1d5926d5e08d5d34ca671525eff1618b77c273c785c0c4da27986"),
        (Compression::Gzip, 6, "3954b6c28a1ffd3855881b89f5c7f9036fc2ab3e8133c8a49092a7dceb5d1fa6"),
        (Compression::Gzip, 9, "fe1918cf8a24b2a8e3226084da4c0f6f5ce6c1c16994141d8c5dd53fdfecdd4b"),
        (Compression::Zstd, 1, "ded7bb33c51d586c45149d54c5311130a3c45d659abf9cefd75f76f2cddf07a3"),
        (Compression::Zstd, 7, "7b613abf4504484adf0cf5f60a84f986e4ba169dd9a01bb828f61d88ffd8a396"),
        (Compression::Zstd, 9, "0c0481aa8a63709b46942d7206cd4e1ae4262363620e4fb0263d085fec6ca56d"),
        (Compression::None, 0, "b75c16485b81c3d89dd25e99cd30ba2576e85d1610cf2009418d494d5ffdbf51"),
    ];

    async fn packed(packing: Packing, source: Vec<u8>) -> (Vec<u8>, Digest) {
        let mut pieces = Press::new(packing).pack(io::Cursor::new(source), Algorithm::Sha256);
        let mut all = Vec::new();
        while let Some(piece) = pieces.next().await.unwrap() {
            all.extend_from_slice(&piece.bytes);
        }
        (all, pieces.diff_id().await.unwrap())
    }

    /// The digests are written down: another machine, another number of cores and tomorrow's compressor must make the
    /// same bytes, or layers that are at the registry already would be sent again.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_same_layer_becomes_the_same_bytes_everywhere() {
        let mut actual = Vec::new();
        for (compression, level, _) in EXPECTED {
            let packing = Packing::new(compression, level);
            let layer = layer(packing);
            let (bytes, diff_id) = packed(packing, layer.clone()).await;
            assert_eq!(diff_id, Digest::of(&layer));
            let mut unpacked = Vec::new();
            match compression {
                Compression::Gzip => MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap(),
                Compression::Zstd => {
                    zstd::stream::read::Decoder::new(&bytes[..]).unwrap().read_to_end(&mut unpacked).unwrap()
                }
                Compression::None => (&bytes[..]).read_to_end(&mut unpacked).unwrap(),
            };
            assert!(unpacked == layer, "{packing:?} does not unpack to what was packed");
            actual.push((compression, level, Digest::of(&bytes).hex().to_owned()));
        }
        let expected = EXPECTED.map(|(compression, level, digest)| (compression, level, digest.to_owned()));
        assert_eq!(actual, expected);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_empty_layer_is_an_empty_gzip_file() {
        let (bytes, diff_id) = packed(Packing::default(), Vec::new()).await;
        assert_eq!(diff_id, Digest::of(b""));
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
        assert!(unpacked.is_empty() && !bytes.is_empty());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn packing_stops_when_nobody_waits() {
        struct Endless(Arc<AtomicBool>);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                Ok(buffer.len())
            }
        }
        impl Drop for Endless {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let ended = Arc::new(AtomicBool::new(false));
        let mut pieces = Press::new(Packing::default()).pack(Endless(ended.clone()), Algorithm::Sha256);
        assert!(pieces.next().await.unwrap().is_some());
        drop(pieces);
        let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while !ended.load(Ordering::Relaxed) {
            assert!(std::time::Instant::now() < until, "it reads on");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}

//! Making a layer ready to be sent: compressing bare tars, and finding digests nobody wrote down.
//!
//! The output is deterministic (fixed level, no time, no name), so the same layer has the same digest tomorrow
//! and the registry already has it. A layer goes through a temporary file, since its digest must be known
//! before the registry can be asked whether it has it; memory stays at a few buffers.

use crate::{
    Algorithm, Digest,
    archive::{ArchiveError, Layer, LayerKind, Section, Tarball},
    digest::Hasher,
};
use flate2::{Compression, GzBuilder, read::MultiGzDecoder};
use std::{
    io::{self, Read, Seek, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// What `docker push` uses (Go's default), so that sizes do not surprise.
const LEVEL: u32 = 6;
const BUFFER: usize = 128 << 10;

/// A layer that can be sent.
#[derive(Debug)]
pub(crate) struct Packed {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) body: PackedBody,
    pub(crate) encoding: Encoding,
}

/// Where the bytes to be sent are.
#[derive(Debug)]
pub(crate) enum PackedBody {
    /// In the archive.
    InArchive(Section),
    /// In an unnamed temporary file, at its start.
    Temporary(std::fs::File),
}

/// How a layer that had no media type of its own is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Gzip,
    Zstd,
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

/// Makes `layer` ready. Blocks for as long as compressing takes.
pub(crate) fn pack(tarball: &Tarball, layer: &Layer, abandoned: &Abandoned) -> Result<Packed, ArchiveError> {
    let read = |source| ArchiveError::Read { path: tarball.shown().to_owned(), source };
    match &layer.kind {
        LayerKind::Ready { digest } => Ok(Packed {
            digest: digest.clone(),
            size: layer.section.size,
            body: PackedBody::InArchive(layer.section),
            encoding: Encoding::Gzip,
        }),
        LayerKind::Raw { diff_id } => {
            let reader = tarball.reader(layer.section).map_err(read)?;
            let temporary = tempfile::tempfile().map_err(temporary_failed)?;
            let (packed, actual) = gzip(reader, temporary, diff_id.algorithm(), abandoned)?;
            check_digest(&layer.name, diff_id, actual)?;
            Ok(packed)
        }
        LayerKind::Packed { diff_id, is_gzip } => {
            let reader = tarball.reader(layer.section).map_err(read)?;
            let mut compressed = Hashing { inner: reader, hasher: Hasher::new(Algorithm::Sha256) };
            if *is_gzip {
                let mut hasher = Hasher::new(diff_id.algorithm());
                let mut decoder = MultiGzDecoder::new(io::BufReader::with_capacity(BUFFER, &mut compressed));
                drain(&mut decoder, abandoned, |bytes| hasher.update(bytes))
                    .map_err(|source| ArchiveError::Damaged { path: tarball.shown().to_owned(), source })?;
                check_digest(&layer.name, diff_id, hasher.finish())?;
            }
            // Whatever follows the compressed stream is sent too, so it counts.
            drain(&mut compressed, abandoned, |_| ()).map_err(read)?;
            Ok(Packed {
                digest: compressed.hasher.finish(),
                size: layer.section.size,
                body: PackedBody::InArchive(layer.section),
                encoding: if *is_gzip { Encoding::Gzip } else { Encoding::Zstd },
            })
        }
    }
}

fn check_digest(name: &str, expected: &Digest, actual: Digest) -> Result<(), ArchiveError> {
    if *expected == actual {
        return Ok(());
    }
    Err(ArchiveError::WrongDigest { name: name.to_owned(), expected: expected.clone(), actual })
}

fn temporary_failed(source: io::Error) -> ArchiveError {
    ArchiveError::Unpack { path: std::env::temp_dir(), source }
}

/// Compresses into `target`; also returns the digest of what went in.
fn gzip(
    mut source: impl Read,
    target: std::fs::File,
    algorithm: Algorithm,
    abandoned: &Abandoned,
) -> Result<(Packed, Digest), ArchiveError> {
    let mut raw = Hasher::new(algorithm);
    let hashing = Hashing { inner: target, hasher: Hasher::new(Algorithm::Sha256) };
    let buffered = io::BufWriter::with_capacity(BUFFER, hashing);
    let mut encoder = GzBuilder::new().mtime(0).write(buffered, Compression::new(LEVEL));
    let mut result = Ok(());
    drain(&mut source, abandoned, |bytes| {
        raw.update(bytes);
        if result.is_ok() {
            result = encoder.write_all(bytes);
        }
    })
    .map_err(temporary_failed)?;
    result.map_err(temporary_failed)?;
    let finished = encoder.finish().and_then(|buffered| buffered.into_inner().map_err(io::Error::from));
    let Hashing { inner: mut file, hasher } = finished.map_err(temporary_failed)?;
    let size = file.stream_position().map_err(temporary_failed)?;
    file.rewind().map_err(temporary_failed)?;
    let packed =
        Packed { digest: hasher.finish(), size, body: PackedBody::Temporary(file), encoding: Encoding::Gzip };
    Ok((packed, raw.finish()))
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

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressing_twice_gives_the_same_bytes() {
        let source = vec![7; 300_000];
        let (_keep, abandoned) = Abandon::new();
        let digest = || {
            let file = tempfile::tempfile().unwrap();
            gzip(source.as_slice(), file, Algorithm::Sha256, &abandoned).unwrap()
        };
        let ((first, raw), (second, _)) = (digest(), digest());
        assert_eq!(first.digest, second.digest);
        assert_eq!(raw, Digest::of(&source));
        let PackedBody::Temporary(mut file) = first.body else { panic!("not packed") };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, first.size);
        assert_eq!(Digest::of(&bytes), first.digest);
        let mut unpacked = Vec::new();
        MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, source);
    }

    #[test]
    fn compressing_stops_when_nobody_waits() {
        let (abandon, abandoned) = Abandon::new();
        drop(abandon);
        let file = tempfile::tempfile().unwrap();
        assert!(gzip(io::repeat(0), file, Algorithm::Sha256, &abandoned).is_err());
    }
}

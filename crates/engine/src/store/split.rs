//! What dockerd keeps of a layer's tar besides the contents of its files (`tar-split.json.gz`): with those, the very same
//! tar comes out again, byte for byte.
//!
//! The format is github.com/vbatts/tar-split's, `tar/storage`: JSON, an entry a line, either bytes of the tar or a file whose
//! content belongs at that place.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::{Buf as _, Bytes};
use flate2::read::GzDecoder;
use serde::Deserialize;
use std::{
    borrow::Cow,
    io::{self, BufRead, BufReader, Read as _},
};

/// An entry is a header of a tar or the padding between two: kilobytes.
const LONGEST: u64 = 64 << 20;

/// `type` of a file, and of bytes.
const FILE: u8 = 1;
const SEGMENT: u8 = 2;

/// Packed, as it is on dockerd's disk: unpacked it may be larger than the layer.
#[derive(Debug, Clone)]
pub(super) struct Split(Bytes);

/// What comes next in the tar.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    /// The content of a file, which is not empty.
    File {
        /// As in the tar.
        name: Vec<u8>,
        size: u64,
    },
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "type")]
    kind: u8,
    #[serde(borrow)]
    name: Option<Cow<'a, str>>,
    /// base64, of names that are not UTF-8.
    #[serde(borrow)]
    name_raw: Option<Cow<'a, str>>,
    #[serde(default)]
    size: u64,
    /// base64: of a segment its bytes, of a file a checksum.
    #[serde(borrow)]
    payload: Option<Cow<'a, str>>,
}

impl Split {
    pub(super) const fn new(packed: Bytes) -> Self {
        Self(packed)
    }

    #[cfg(test)]
    pub(super) fn packed(&self) -> &[u8] {
        &self.0
    }

    /// The pieces in their order; each may fail.
    pub(super) fn pieces(&self) -> impl Iterator<Item = io::Result<Piece>> + use<> {
        let mut lines = BufReader::new(GzDecoder::new(self.0.clone().reader()));
        let mut line = Vec::new();
        std::iter::from_fn(move || {
            loop {
                line.clear();
                match lines.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
                    Ok(0) => return None,
                    Ok(_) => {}
                    Err(error) => return Some(Err(error)),
                }
                match piece(&line) {
                    Ok(None) => {}
                    Ok(Some(piece)) => return Some(Ok(piece)),
                    Err(error) => return Some(Err(error)),
                }
            }
        })
    }

    /// The length of the tar, in bytes.
    pub(super) fn size(&self) -> io::Result<u64> {
        self.pieces().try_fold(0, |sum, piece| {
            Ok(sum
                + match piece? {
                    Piece::Bytes(bytes) => bytes.len() as u64,
                    Piece::File { size, .. } => size,
                })
        })
    }
}

/// Nothing of an empty file.
fn piece(line: &[u8]) -> io::Result<Option<Piece>> {
    let entry: Entry<'_> = serde_json::from_slice(line)?;
    let decoded = |text: &str| STANDARD.decode(text).map_err(io::Error::other);
    match entry.kind {
        SEGMENT => Ok(Some(Piece::Bytes(decoded(entry.payload.as_deref().unwrap_or_default())?))),
        FILE if entry.size == 0 => Ok(None),
        FILE => {
            let name = match (entry.name, entry.name_raw) {
                (Some(name), _) => name.into_owned().into_bytes(),
                (None, Some(raw)) => decoded(&raw)?,
                (None, None) => return Err(io::Error::other("a file without a name")),
            };
            Ok(Some(Piece::File { name, size: entry.size }))
        }
        other => Err(io::Error::other(format!("an entry of the unknown type {other}"))),
    }
}

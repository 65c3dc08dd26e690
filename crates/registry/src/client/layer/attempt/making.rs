//! A layer on its way from where it is read to the requests that it goes in.

use crate::{
    client::upload::{Upload, cut},
    digest::Hasher,
    pack::Pieces,
};
use bytes::Bytes;
use std::io;

/// A layer on its way from where it is read.
pub(super) struct Making {
    pub(super) pieces: Pieces,
    pub(super) hasher: Hasher,
    /// Bytes of it as it is sent, and of what was read for them.
    pub(super) made: u64,
    pub(super) raw: u64,
    /// What has yet to be sent.
    pub(super) batch: Batch,
    /// What the first request has sent, as long as there was no other: a registry that takes no pieces says so to the second.
    /// Empty where a tunnel leads there.
    pub(super) first: Vec<Bytes>,
}

impl Making {
    pub(super) fn of(pieces: Pieces, hasher: Hasher) -> Self {
        Self { pieces, hasher, made: 0, raw: 0, batch: Batch::default(), first: Vec::new() }
    }

    /// Takes in the next piece, but for the first `sent` bytes of the layer; whether there was one.
    pub(super) async fn next(&mut self, sent: u64) -> io::Result<bool> {
        let Some(piece) = self.pieces.next().await? else { return Ok(false) };
        self.hasher.update(&piece.bytes);
        let begin = self.made;
        self.made += piece.bytes.len() as u64;
        self.raw += piece.raw as u64;
        // What the registry has of it already is made for the digest's sake alone.
        let new = sent.clamp(begin, self.made) - begin;
        self.batch.push(piece.bytes.slice(usize::try_from(new).unwrap_or(0)..), piece.raw as u64);
        Ok(true)
    }

    /// Whether all of what has been sent is still here.
    pub(super) fn is_all_here(&self, upload: &Upload) -> bool {
        self.first.iter().map(|piece| piece.len() as u64).sum::<u64>() == upload.offset
    }
}

/// Pieces that go in one request.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) pieces: Vec<Bytes>,
    pub(super) length: u64,
    pub(super) raw: u64,
}

impl Batch {
    /// Bytes of the layer that the first `sent` of these stand for, about.
    pub(super) fn raw_of(&self, sent: u64) -> u64 {
        let scaled = u128::from(self.raw) * u128::from(sent) / u128::from(self.length.max(1));
        u64::try_from(scaled).unwrap_or(self.raw)
    }

    /// Does without the first `sent` bytes.
    pub(super) fn leave_out(&mut self, sent: u64) {
        self.raw -= self.raw_of(sent).min(self.raw);
        self.length -= sent.min(self.length);
        self.pieces = cut(&self.pieces, sent, u64::MAX);
    }

    pub(super) fn push(&mut self, bytes: Bytes, raw: u64) {
        self.length += bytes.len() as u64;
        self.raw += raw;
        if !bytes.is_empty() {
            self.pieces.push(bytes);
        }
    }
}

//! Bytes between what waits and what blocks, in both directions.

use crate::transport::RawBody;
use bytes::{Buf as _, Bytes};
use std::io::{self, Read, Write};
use tokio::sync::mpsc;

/// Pieces under way at once.
const AHEAD: usize = 4;

/// What arrives, for readers that block.
pub(super) struct Incoming {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    current: Bytes,
}

impl Incoming {
    /// The body of an answer. Must be called within a runtime.
    pub(super) fn of(mut body: RawBody) -> Self {
        let (sender, incoming) = Self::channel();
        tokio::spawn(async move {
            while let Some(piece) = body.chunk().await {
                let is_end = piece.is_err();
                // Nobody reads any more: the connection closes, and with it ends the engine's work.
                if sender.0.send(piece.map_err(io::Error::other)).await.is_err() || is_end {
                    return;
                }
            }
        });
        incoming
    }

    pub(super) fn channel() -> (Outgoing, Self) {
        let (sender, pieces) = mpsc::channel(AHEAD);
        (Outgoing(sender), Self { pieces, current: Bytes::new() })
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.current = piece?,
                None => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

/// The other end of an [`Incoming`].
pub(super) struct Outgoing(mpsc::Sender<io::Result<Bytes>>);

impl Outgoing {
    /// What the reader gets instead of an end.
    pub(super) fn fail(&self, error: io::Error) {
        // Nobody reads any more, and nobody misses it.
        let _ = self.0.blocking_send(Err(error));
    }
}

impl Write for &Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

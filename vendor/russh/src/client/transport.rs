//! Dockline: the socket under a session, with what was read from it and what is yet to be written to it.
//!
//! Published russh reads a packet with two small reads into a buffer of its own, and lets the session wait until what
//! it has to say is in the socket. Here the socket is read in large pieces, packets are decrypted where they lie and
//! handed on without a copy, and writing goes on beside reading.

use std::future::{Future, poll_fn};
use std::io;
use std::num::Wrapping;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::Error;
use crate::cipher::{self, OpeningKey};
use crate::ssh_read::SshRead;
use crate::sshbuffer::PacketWriter;

/// The socket is read in pieces of up to this size while it has that much, ...
const READ_SIZE: usize = 256 * 1024;
/// ... and of up to this size otherwise: most sessions are idle most of the time.
const IDLE_READ_SIZE: usize = 64 * 1024;
/// As many read buffers are kept to be used again: memory fresh from the system costs more than what is copied into it.
const KEPT_BUFFERS: usize = 8;
/// With less room than this, another buffer is begun.
const LEAST_ROOM: usize = 32 * 1024;
/// No more is taken from the channels while this much waits to be written: it is what a new request has before it.
const WRITE_HIGH: usize = 256 * 1024;
/// A buffer that has grown larger than this is given back when it is empty.
const WRITE_KEPT: usize = 1024 * 1024;

type Cipher = Box<dyn OpeningKey + Send>;

pub(super) struct Transport<R> {
    stream: SshRead<R>,
    inbound: BytesMut,
    /// Read buffers before this one; whoever holds what is in them may still read it.
    used: Vec<BytesMut>,
    /// The last read took all there was room for: there is more.
    is_filled: bool,
    /// The length of the packet at the beginning of `inbound`, once that is known.
    next: Option<usize>,
    pub(super) seqn: Wrapping<u32>,
    /// Payload bytes read since the last key exchange.
    pub(super) bytes: usize,
    /// How much of the writer's buffer is in the socket already.
    sent: usize,
    needs_flush: bool,
    /// The socket had no room for all.
    blocked: bool,
    /// It had room again after that: the peer is alive.
    unblocked: bool,
}

impl<R: AsyncRead + AsyncWrite + Unpin> Transport<R> {
    pub(super) fn new(stream: SshRead<R>) -> Self {
        Self {
            stream,
            inbound: BytesMut::new(),
            used: Vec::new(),
            is_filled: false,
            next: None,
            seqn: Wrapping(0),
            bytes: 0,
            sent: 0,
            needs_flush: false,
            blocked: false,
            unblocked: false,
        }
    }

    /// Whether so much waits to be written that nothing more should be taken.
    pub(super) fn is_congested(&self, writer: &mut PacketWriter) -> bool {
        self.unsent(writer) >= WRITE_HIGH
    }

    /// Whether the peer has taken something since this was asked last, after it had not.
    pub(super) fn take_unblocked(&mut self) -> bool {
        std::mem::take(&mut self.unblocked)
    }

    /// Waits until there is a whole packet, or until the socket has taken so much that there is room for more; writes
    /// meanwhile. Nothing is lost when it is dropped.
    pub(super) async fn ready(
        &mut self,
        cipher: &mut Cipher,
        writer: &mut PacketWriter,
    ) -> Result<(), Error> {
        poll_fn(|cx| {
            let was_congested = self.is_congested(writer);
            // Pending: the socket wakes us when it has room; reading goes on.
            if let Poll::Ready(Err(error)) = self.poll_write_all(cx, writer) {
                return Poll::Ready(Err(error.into()));
            }
            if was_congested && !self.is_congested(writer) {
                return Poll::Ready(Ok(()));
            }
            while !self.has_packet(cipher)? {
                match self.poll_fill(cx)? {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(0) => {
                        let eof = io::Error::from(io::ErrorKind::UnexpectedEof);
                        return Poll::Ready(Err(eof.into()));
                    }
                    Poll::Ready(_) => {}
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Writes what the socket takes at once.
    pub(super) async fn write_some(&mut self, writer: &mut PacketWriter) -> Result<(), Error> {
        poll_fn(|cx| match self.poll_write_all(cx, writer) {
            Poll::Ready(result) => Poll::Ready(result.map_err(Error::from)),
            Poll::Pending => Poll::Ready(Ok(())),
        })
        .await
    }

    /// Writes everything.
    pub(super) async fn write_all(&mut self, writer: &mut PacketWriter) -> Result<(), Error> {
        Ok(poll_fn(|cx| self.poll_write_all(cx, writer)).await?)
    }

    pub(super) async fn shutdown(&mut self) -> io::Result<()> {
        poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await
    }

    /// The payload of the next packet, if the whole packet is there.
    pub(super) fn next_packet(&mut self, cipher: &mut Cipher) -> Result<Option<BytesMut>, Error> {
        if !self.has_packet(cipher)? {
            return Ok(None);
        }
        let Some(len) = self.next.take() else {
            return Ok(None);
        };
        let mut packet = self.inbound.split_to(len);
        let payload = cipher::open_packet(&mut packet, self.seqn.0, &mut **cipher)?;
        packet.truncate(payload.end);
        packet.advance(payload.start);
        // Sequence numbers are on 32 bits and wrap.
        // https://tools.ietf.org/html/rfc4253#section-6.4
        self.seqn += Wrapping(1);
        self.bytes = self.bytes.saturating_add(packet.len());
        Ok(Some(packet))
    }

    fn has_packet(&mut self, cipher: &mut Cipher) -> Result<bool, Error> {
        if self.next.is_none() {
            self.next = cipher::packet_len(&self.inbound, self.seqn.0, &**cipher)?;
        }
        Ok(self.next.is_some_and(|len| self.inbound.len() >= len))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Result<Poll<usize>, Error> {
        if self.inbound.capacity() - self.inbound.len() < LEAST_ROOM {
            self.begin_buffer();
        }
        // It reads at most once each time it is polled, so nothing is lost with it.
        let read = pin!(self.stream.read_buf(&mut self.inbound));
        let outcome = read.poll(cx);
        self.is_filled = self.inbound.len() == self.inbound.capacity();
        match outcome {
            Poll::Pending => Ok(Poll::Pending),
            Poll::Ready(result) => Ok(Poll::Ready(result?)),
        }
    }

    /// Goes on in another buffer, with the part of a packet that this one ends in.
    fn begin_buffer(&mut self) {
        let part = self.inbound.split();
        self.used.push(std::mem::take(&mut self.inbound));
        let size = if self.is_filled { READ_SIZE } else { IDLE_READ_SIZE };
        // The longest packet there may be, and one more read.
        let room = size.max(part.len() + LEAST_ROOM);
        let free = self.used.iter_mut().position(|used| used.try_reclaim(room));
        self.inbound = match free {
            Some(index) => self.used.swap_remove(index),
            None => {
                if self.used.len() >= KEPT_BUFFERS {
                    self.used.remove(0);
                }
                BytesMut::with_capacity(room)
            }
        };
        self.inbound.extend_from_slice(&part);
    }

    /// Gives back memory that a transfer needed.
    pub(super) fn rest(&mut self, writer: &mut PacketWriter) {
        self.used.clear();
        if self.inbound.is_empty() {
            self.inbound = BytesMut::new();
        }
        if writer.buffer().buffer.is_empty() {
            writer.buffer().buffer.shrink_to(LEAST_ROOM);
        }
    }

    fn unsent(&self, writer: &mut PacketWriter) -> usize {
        writer.buffer().buffer.len() - self.sent
    }

    fn poll_write_all(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut PacketWriter,
    ) -> Poll<io::Result<()>> {
        let buffer = &mut writer.buffer().buffer;
        while self.sent < buffer.len() {
            #[allow(clippy::indexing_slicing)] // length checked
            match Pin::new(&mut self.stream).poll_write(cx, &buffer[self.sent..]) {
                Poll::Pending => {
                    self.blocked = true;
                    if self.sent > buffer.len() / 2 {
                        buffer.drain(..self.sent);
                        self.sent = 0;
                    }
                    return Poll::Pending;
                }
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    self.sent += count;
                    self.needs_flush = true;
                    self.unblocked |= std::mem::take(&mut self.blocked);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            }
        }
        if self.sent > 0 {
            self.sent = 0;
            if buffer.capacity() > WRITE_KEPT {
                *buffer = Vec::new();
            } else {
                buffer.clear();
            }
        }
        if self.needs_flush {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(result) => {
                    result?;
                    self.needs_flush = false;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}

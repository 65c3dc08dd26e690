//! The stream under a session, which can be cut and is listened to.
//!
//! The library's channel streams never fail by themselves when what carries them is gone, and a session that waits on
//! such a stream would wait for ever.

use super::{greeting::Greeting, pulse::Pulse};
use std::{
    future::Future as _,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Fails every operation with `ConnectionReset` from the moment its token is cancelled; notes what comes and goes.
pub(super) struct Severable<S> {
    inner: S,
    /// One for each direction: both halves of a split stream must be woken.
    read_cut: Pin<Box<WaitForCancellationFutureOwned>>,
    write_cut: Pin<Box<WaitForCancellationFutureOwned>>,
    pulse: Arc<Pulse>,
    /// Until the server has said who it is.
    greeting: Option<Greeting>,
}

impl<S> Severable<S> {
    pub(super) fn new(inner: S, cut: &CancellationToken, pulse: Arc<Pulse>, greeting: &Greeting) -> Self {
        Self {
            inner,
            read_cut: Box::pin(cut.clone().cancelled_owned()),
            write_cut: Box::pin(cut.clone().cancelled_owned()),
            pulse,
            greeting: Some(greeting.clone()),
        }
    }
}

fn reset<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
}

impl<S: AsyncRead + Unpin> AsyncRead for Severable<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.read_cut.as_mut().poll(cx).is_ready() {
            return reset();
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut this.inner).poll_read(cx, buf);
        if let Some(greeting) = &this.greeting
            && read.is_ready()
            && !greeting.hears(&buf.filled()[before..])
        {
            this.greeting = None;
        }
        match read {
            Poll::Pending => this.pulse.listens(),
            Poll::Ready(_) => this.pulse.heard(),
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Severable<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.write_cut.as_mut().poll(cx).is_ready() {
            return reset();
        }
        let written = Pin::new(&mut this.inner).poll_write(cx, buf);
        this.pulse.writes(written.is_pending());
        written
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.write_cut.as_mut().poll(cx).is_ready() {
            return reset();
        }
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, bufs);
        this.pulse.writes(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.write_cut.as_mut().poll(cx).is_ready() {
            return reset();
        }
        Pin::new(&mut this.inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.write_cut.as_mut().poll(cx).is_ready() {
            return reset();
        }
        Pin::new(&mut this.inner).poll_shutdown(cx)
    }
}

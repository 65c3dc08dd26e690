//! A TCP stream that wakes us less often while it is busy.
//!
//! A server sends a download in packets of 32 KiB, and each wakes the session: at a gigabyte a second, most of the
//! processor's time goes into waking, not into moving bytes. While a path brings that much, the kernel is asked to wake
//! us for [`PIECE`] bytes (`SO_RCVLOWAT`, socket(7)), which on such a path is a fraction of a millisecond. When that much
//! does not come within [`PATIENCE`], it is told to wake us for every byte again; nothing waits longer than that.
//!
//! While it is not busy, the kernel is asked to acknowledge at once what arrives (`TCP_QUICKACK`, tcp(7)): sshd leaves
//! Nagle's algorithm on for a connection without a session channel, so of two small answers the second waits for the
//! first one's acknowledgement, and that may be held back for 40 ms.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep},
};

/// What we are woken for while the path is busy.
const PIECE: usize = 128 << 10;
/// How long less than that may lie there. The runtime's clock counts in milliseconds.
const PATIENCE: Duration = Duration::from_millis(1);
/// A read of this many bytes or more is no small answer that another one waits behind.
const SMALL: usize = 16 << 10;
/// Rates are taken over at least this long.
const SPAN: Duration = Duration::from_millis(2);
/// Bytes a second from which a path is busy; below, there is no load worth saving.
const BUSY: u64 = 200_000_000;

pub(super) struct Coalescing {
    stream: TcpStream,
    is_busy: bool,
    since: Instant,
    bytes: u64,
    patience: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl Coalescing {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            is_busy: false,
            since: Instant::now(),
            bytes: 0,
            patience: Box::pin(tokio::time::sleep(Duration::ZERO)),
            is_waiting: false,
        }
    }

    fn account(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        let now = Instant::now();
        let span = now - self.since;
        if span < SPAN {
            return;
        }
        let is_busy = is_busy(self.bytes, span, self.is_busy);
        (self.since, self.bytes) = (now, 0);
        if is_busy != self.is_busy {
            self.set_busy(is_busy);
        }
    }

    fn set_busy(&mut self, is_busy: bool) {
        // Raising it may fail, and then nothing is different from before; lowering it has the kernel wake us for what is
        // there already.
        self.is_busy = low_water::set(&self.stream, if is_busy { PIECE } else { 1 }) && is_busy;
    }
}

/// Whether that many bytes in that time are a busy path; one that was stays so down to half of that.
fn is_busy(bytes: u64, span: Duration, was_busy: bool) -> bool {
    let threshold = if was_busy { BUSY / 2 } else { BUSY };
    u128::from(bytes) * 1_000_000 >= u128::from(threshold) * span.as_micros()
}

impl AsyncRead for Coalescing {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut this.stream).poll_read(cx, buf) {
            this.is_waiting = false;
            let bytes = buf.filled().len() - before;
            if (1..SMALL).contains(&bytes) && !this.is_busy {
                acknowledge(&this.stream);
            }
            this.account(bytes);
            return Poll::Ready(outcome);
        }
        if this.is_busy {
            if !this.is_waiting {
                this.is_waiting = true;
                this.patience.as_mut().reset(Instant::now() + PATIENCE);
            }
            if this.patience.as_mut().poll(cx).is_ready() {
                this.is_waiting = false;
                this.set_busy(false);
            }
        }
        Poll::Pending
    }
}

impl AsyncWrite for Coalescing {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

/// Has what has arrived acknowledged now; the kernel forgets that it was asked, so each read asks.
#[cfg(target_os = "linux")]
fn acknowledge(stream: &TcpStream) {
    // What cannot be had is waited for, as ever.
    let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
}

/// Elsewhere there is no such question: macOS and Windows decide by themselves.
#[cfg(not(target_os = "linux"))]
fn acknowledge(_: &TcpStream) {}

#[cfg(target_os = "linux")]
mod low_water {
    use std::os::fd::AsRawFd as _;
    use tokio::net::TcpStream;

    /// Sets `SO_RCVLOWAT`; whether that worked.
    #[allow(unsafe_code, reason = "no library offers this option")]
    pub(super) fn set(stream: &TcpStream, bytes: usize) -> bool {
        let Ok(value) = nix::libc::c_int::try_from(bytes) else { return false };
        let size = size_of_val(&value) as nix::libc::socklen_t;
        // SAFETY: the descriptor is open for as long as `stream` is borrowed, and the kernel reads `size` bytes of `value`,
        // which lives until the call returns.
        let outcome = unsafe {
            nix::libc::setsockopt(
                stream.as_raw_fd(),
                nix::libc::SOL_SOCKET,
                nix::libc::SO_RCVLOWAT,
                (&raw const value).cast(),
                size,
            )
        };
        outcome == 0
    }
}

#[cfg(not(target_os = "linux"))]
mod low_water {
    use tokio::net::TcpStream;

    /// Elsewhere lowering it does not wake us for what is there already, so it is not raised.
    pub(super) fn set(_: &TcpStream, _: usize) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    #[test]
    fn a_path_is_busy_from_a_rate_on_and_until_half_of_it() {
        let span = Duration::from_millis(2);
        assert!(is_busy(400_000, span, false));
        assert!(!is_busy(399_999, span, false));
        assert!(is_busy(200_000, span, true));
        assert!(!is_busy(199_999, span, true));
    }

    #[tokio::test]
    async fn a_few_bytes_after_a_flood_arrive_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut far = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let mut near = Coalescing::new(listener.accept().await.unwrap().0);
        // As if it had just been busy: what is less than a piece does not wake us by itself.
        near.set_busy(true);
        assert_eq!(near.is_busy, cfg!(target_os = "linux"));
        for _ in 0..3 {
            let began = Instant::now();
            far.write_all(b"a few bytes").await.unwrap();
            let mut bytes = [0; 11];
            near.read_exact(&mut bytes).await.unwrap();
            assert_eq!(&bytes, b"a few bytes");
            assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
        }
    }
}

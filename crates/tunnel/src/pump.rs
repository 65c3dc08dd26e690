//! Carries the bytes of one connection between a program's socket and a channel.
//!
//! A program must never take a broken transfer for a complete one, so an end without the far side's end-of-file is
//! passed on as a TCP reset, not as an end-of-file. Half-close goes both ways.

use crate::{
    access::Spoken,
    pool::PooledChannel,
    session::{Channel, SessionEnd},
    throttle::Throttle,
};
use bytes::{Buf as _, Bytes, BytesMut};
use dockline_model::TrafficLimits;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf, client::Msg};
use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    io::AsyncWriteExt as _,
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
};
use tokio_util::sync::CancellationToken;

/// Read from the program in pieces of up to this many bytes: several SSH packets, so that one wake-up moves much.
const PIECE: usize = 128 << 10;
/// With less room than one SSH packet, another piece is allocated.
const LEAST_ROOM: usize = 32 << 10;
/// As many buffers are kept to be used again while a connection is busy.
const MOST_BUFFERS: usize = 4;
/// A connection that has said nothing for this long keeps no memory.
const IDLE: Duration = Duration::from_secs(1);
/// How many pieces are written with one call.
const MOST_SLICES: usize = 16;
/// How long what has arrived may take to reach the program after the session is gone.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Bytes carried, for display.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub up: AtomicU64,
    pub down: AtomicU64,
    /// Connections now, and the most at once since there were none.
    pub open: AtomicU64,
    /// How fast it may go.
    pub pace_up: Throttle,
    pub pace_down: Throttle,
    pub most_open: AtomicU64,
}

impl Traffic {
    /// Takes effect with the next bytes.
    pub(crate) fn limit(&self, limits: &TrafficLimits) {
        self.pace_up.limit(limits.up);
        self.pace_down.limit(limits.down);
    }
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Both sides said all they had to say, or the program went away.
    Finished,
    /// The program must not take what it got for all there is.
    Broken,
}

/// The end of one direction, as `download` sees it.
enum Down {
    /// The far side closed the channel after its end-of-file.
    Closed,
    /// It closed the channel, or is gone, without one.
    Cut,
    /// The program does not read any more.
    ProgramGone,
}

/// What was read from the program already, and whom to tell how the far side answers it.
pub(crate) type First<'a> = (BytesMut, Option<&'a Spoken>);

/// Runs until both directions have ended, or one cannot go on, or `cancel`.
pub(crate) async fn pump(
    local: &mut TcpStream,
    first: First<'_>,
    pooled: PooledChannel,
    traffic: &Traffic,
    cancel: &CancellationToken,
) -> Outcome {
    let PooledChannel { channel, end, slot: _slot } = pooled;
    carry(local, first, channel, &end, traffic, cancel).await
}

/// The same with a channel that belongs to no pool.
pub(crate) async fn carry(
    local: &mut TcpStream,
    (first, asked): First<'_>,
    (mut from_far, to_far): Channel,
    end: &SessionEnd,
    traffic: &Traffic,
    cancel: &CancellationToken,
) -> Outcome {
    let (mut from_program, mut to_program) = local.split();
    // Set when that direction has ended with an end-of-file.
    let (sent_all, got_all) = (CancellationToken::new(), CancellationToken::new());
    let outcome = {
        let download = download(&mut from_far, &mut to_program, traffic, &got_all, asked);
        let upload = upload(first, &mut from_program, &to_far, traffic, &sent_all, end);
        tokio::pin!(download, upload);
        let mut upload_ended = false;
        let drained = async {
            end.ended().await;
            tokio::time::sleep(DRAIN_TIMEOUT).await;
        };
        let both = async { tokio::join!(sent_all.cancelled(), got_all.cancelled()) };
        tokio::pin!(drained, both);
        loop {
            tokio::select! {
                down = &mut download => break match down {
                    Down::Closed if sent_all.is_cancelled() || !end.has_ended() => Outcome::Finished,
                    Down::ProgramGone => Outcome::Finished,
                    Down::Closed | Down::Cut => Outcome::Broken,
                },
                _ = &mut both => break Outcome::Finished,
                result = &mut upload, if !upload_ended => match result {
                    // The far side may still have something to say, or has hung up, which `download` finds out.
                    Ok(()) => upload_ended = true,
                    // The program reset its connection.
                    Err(_) => break Outcome::Finished,
                },
                () = &mut drained => break Outcome::Broken,
                () = cancel.cancelled() => break Outcome::Broken,
            }
        }
    };
    // Not waited for: with the session gone, or stuck, there is nobody to take it.
    let farewell = to_far.close();
    let _ = tokio::time::timeout(Duration::from_secs(1), farewell).await;
    outcome
}

/// Buffers that are used again: memory fresh from the system costs more than what is copied into it.
#[derive(Default)]
struct Buffers {
    used: Vec<BytesMut>,
}

impl Buffers {
    /// A buffer with room, `buffer` itself if it has some.
    fn with_room(&mut self, buffer: BytesMut) -> BytesMut {
        if buffer.capacity() >= LEAST_ROOM {
            return buffer;
        }
        self.used.push(buffer);
        let free = self.used.iter_mut().position(|used| used.try_reclaim(PIECE));
        let most_are_taken = self.used.len() >= MOST_BUFFERS;
        match free {
            Some(index) => self.used.swap_remove(index),
            None => {
                if most_are_taken {
                    self.used.remove(0);
                }
                BytesMut::with_capacity(PIECE)
            }
        }
    }
}

async fn upload(
    mut buffer: BytesMut,
    from_program: &mut ReadHalf<'_>,
    to_far: &ChannelWriteHalf<Msg>,
    traffic: &Traffic,
    sent_all: &CancellationToken,
    end: &SessionEnd,
) -> io::Result<()> {
    let mut buffers = Buffers::default();
    loop {
        while buffer.is_empty() {
            // Memory only for those who have something to say: most connections are idle ones.
            if tokio::time::timeout(IDLE, from_program.readable()).await.is_err() {
                (buffer, buffers) = (BytesMut::new(), Buffers::default());
                from_program.readable().await?;
            }
            buffer = buffers.with_room(buffer);
            match from_program.try_read_buf(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        let count = buffer.len();
        // A writer that waits for the window is not told when the session is gone.
        if count == 0 {
            tokio::select! {
                sent = to_far.eof() => if sent.is_ok() { sent_all.cancel() },
                () = end.ended() => {}
            }
            return Ok(());
        }
        let sent = tokio::select! {
            sent = to_far.data_bytes(buffer.split().freeze()) => sent.is_ok(),
            () = end.ended() => false,
        };
        if !sent {
            return Ok(());
        }
        traffic.up.fetch_add(count as u64, Ordering::Relaxed);
        if let Some(wait) = traffic.pace_up.wait(count) {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = end.ended() => return Ok(()),
            }
        }
    }
}

async fn download(
    from_far: &mut ChannelReadHalf,
    to_program: &mut WriteHalf<'_>,
    traffic: &Traffic,
    got_all: &CancellationToken,
    mut asked: Option<&Spoken>,
) -> Down {
    let mut arrived = VecDeque::new();
    while let Some(message) = from_far.wait().await {
        if let ChannelMsg::Data { data } = message {
            let mut count = data.len();
            if let (Some(spoken), Some(first)) = (asked, data.first()) {
                spoken.answered(*first, Instant::now());
                asked = None;
            }
            arrived.push_back(data);
            from_far.take_data(&mut arrived, PIECE);
            count += arrived.iter().skip(1).map(Bytes::len).sum::<usize>();
            if write_all(to_program, &mut arrived).await.is_err() {
                return Down::ProgramGone;
            }
            traffic.down.fetch_add(count as u64, Ordering::Relaxed);
            if let Some(wait) = traffic.pace_down.wait(count) {
                tokio::time::sleep(wait).await;
            }
        } else if matches!(message, ChannelMsg::Eof) {
            if to_program.shutdown().await.is_err() {
                return Down::ProgramGone;
            }
            got_all.cancel();
        } else if matches!(message, ChannelMsg::Close) {
            break;
        }
    }
    if got_all.is_cancelled() { Down::Closed } else { Down::Cut }
}

/// Writes all of `pieces`, many with one call.
async fn write_all(to_program: &mut WriteHalf<'_>, pieces: &mut VecDeque<Bytes>) -> io::Result<()> {
    while !pieces.is_empty() {
        let slices: Vec<IoSlice<'_>> =
            pieces.iter().take(MOST_SLICES).map(|piece| IoSlice::new(piece)).collect();
        let mut written = to_program.write_vectored(&slices).await?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        while let Some(piece) = pieces.front_mut() {
            if written < piece.len() {
                piece.advance(written);
                break;
            }
            written -= piece.len();
            pieces.pop_front();
        }
    }
    Ok(())
}

/// Closes a connection so that the program sees a failure: with `SO_LINGER` of zero the kernel sends RST.
pub(crate) fn reset(stream: TcpStream) {
    if let Err(error) = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)) {
        tracing::debug!(%error, "a connection could not be reset");
    }
}

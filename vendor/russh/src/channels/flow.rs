//! Dockline: how much a peer may send on a channel, and where it waits until it is read.
//!
//! Published russh grants window when data *arrives* and hands the data over through a channel of a fixed number of
//! messages, for whose room the whole session waits. Here window is granted when the data has been *read*, so the
//! window itself bounds what can wait, and the session never waits for a reader.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::task::AtomicWaker;
use russh_util::time::Instant;
use tokio::sync::mpsc::UnboundedSender;

use crate::{ChannelId, ChannelMsg};

/// Data messages of up to this many bytes are put together: a peer that sends single bytes must not make a window of
/// two MiB cost two million messages, and a few bytes must not keep a whole read buffer alive.
const SMALL: usize = 4096;
/// Small messages are put together up to this size.
const GATHERED: usize = 64 * 1024;
/// With more than this unread, data is copied out of the session's read buffers, so that what a slow reader leaves
/// lying costs its own size and not that of the buffers that it came in.
const COPY_FROM: usize = 2 * 1024 * 1024;
/// Messages other than data that may be unread. No honest peer comes near; data is bounded by the window.
const MAX_CONTROLS: usize = 10_000;

/// A reader's note to the session: it has taken this many bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Consumed {
    pub id: ChannelId,
    pub bytes: usize,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PushError {
    /// Nobody will read it.
    ReaderGone,
    /// The peer sent a senseless number of messages that no window bounds.
    Flooded,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<ChannelMsg>,
    /// Small data that came after everything in `queue`.
    gathered: BytesMut,
    data_bytes: usize,
    controls: usize,
    session_gone: bool,
    reader_gone: bool,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    waker: AtomicWaker,
    /// How much the reader takes before it says so.
    report_at: AtomicU32,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session's end of a channel's inbound queue.
#[derive(Debug)]
pub(crate) struct Inbound {
    shared: Arc<Shared>,
}

/// The reader's end.
#[derive(Debug)]
pub(crate) struct Reader {
    shared: Arc<Shared>,
    reports: UnboundedSender<Consumed>,
    /// Not known before the peer has confirmed the channel.
    id: Option<ChannelId>,
    unreported: usize,
}

pub(crate) fn queue(id: Option<ChannelId>, reports: UnboundedSender<Consumed>) -> (Inbound, Reader) {
    let shared = Arc::new(Shared {
        state: Mutex::default(),
        waker: AtomicWaker::new(),
        report_at: AtomicU32::new(0),
    });
    let inbound = Inbound {
        shared: shared.clone(),
    };
    (inbound, Reader { shared, reports, id, unreported: 0 })
}

impl Inbound {
    pub(crate) fn push(&self, msg: ChannelMsg) -> Result<(), PushError> {
        let mut guard = self.shared.state();
        let state = &mut *guard;
        if state.reader_gone {
            return Err(PushError::ReaderGone);
        }
        match msg {
            ChannelMsg::Data { data } => {
                let unread = state.data_bytes;
                state.data_bytes += data.len();
                if data.len() <= SMALL {
                    if state.gathered.len() + data.len() > GATHERED {
                        state.close_gathered();
                    }
                    state.gathered.extend_from_slice(&data);
                } else {
                    state.close_gathered();
                    let data = if unread < COPY_FROM {
                        data
                    } else {
                        Bytes::copy_from_slice(&data)
                    };
                    state.queue.push_back(ChannelMsg::Data { data });
                }
            }
            // It is information only, and an upload would wake the reader with it all the time.
            ChannelMsg::WindowAdjusted { .. } => return Ok(()),
            msg => {
                if state.controls >= MAX_CONTROLS {
                    return Err(PushError::Flooded);
                }
                state.controls += 1;
                state.data_bytes += data_len(&msg);
                state.close_gathered();
                state.queue.push_back(msg);
            }
        }
        drop(guard);
        self.shared.waker.wake();
        Ok(())
    }

    pub(crate) fn set_report_at(&self, bytes: u32) {
        self.shared.report_at.store(bytes, Ordering::Relaxed);
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        self.shared.state().session_gone = true;
        self.shared.waker.wake();
    }
}

impl State {
    fn close_gathered(&mut self) {
        if !self.gathered.is_empty() {
            let data = std::mem::take(&mut self.gathered).freeze();
            self.queue.push_back(ChannelMsg::Data { data });
        }
    }

    fn pop(&mut self) -> Option<ChannelMsg> {
        if self.queue.is_empty() {
            self.close_gathered();
        }
        let msg = self.queue.pop_front()?;
        self.data_bytes = self.data_bytes.saturating_sub(data_len(&msg));
        if !matches!(msg, ChannelMsg::Data { .. }) {
            self.controls = self.controls.saturating_sub(1);
        }
        if self.queue.is_empty() && self.queue.capacity() > 64 {
            // What a burst needed is not kept for the channel's life.
            self.queue = VecDeque::new();
        }
        Some(msg)
    }
}

fn data_len(msg: &ChannelMsg) -> usize {
    match msg {
        ChannelMsg::Data { data } | ChannelMsg::ExtendedData { data, .. } => data.len(),
        _ => 0,
    }
}

impl Reader {
    pub(crate) fn confirmed(&mut self, id: ChannelId) {
        self.id = Some(id);
    }

    pub(crate) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<ChannelMsg>> {
        if let Some(msg) = self.try_recv() {
            return Poll::Ready(Some(msg));
        }
        self.shared.waker.register(cx.waker());
        // Something may have come before the waker was there.
        if let Some(msg) = self.try_recv() {
            return Poll::Ready(Some(msg));
        }
        let state = self.shared.state();
        if state.session_gone || state.reader_gone {
            Poll::Ready(None)
        } else {
            Poll::Pending
        }
    }

    pub(crate) fn try_recv(&mut self) -> Option<ChannelMsg> {
        let msg = self.shared.state().pop()?;
        self.took(data_len(&msg));
        Some(msg)
    }

    /// Takes data that is there, up to `limit` bytes and a little more; stops before anything else.
    pub(crate) fn try_recv_data(&mut self, into: &mut VecDeque<Bytes>, limit: usize) {
        let mut bytes = 0;
        {
            let mut state = self.shared.state();
            while bytes < limit {
                if state.queue.is_empty() {
                    state.close_gathered();
                }
                if !matches!(state.queue.front(), Some(ChannelMsg::Data { .. })) {
                    break;
                }
                if let Some(ChannelMsg::Data { data }) = state.pop() {
                    bytes += data.len();
                    into.push_back(data);
                }
            }
        }
        self.took(bytes);
    }

    fn took(&mut self, bytes: usize) {
        self.unreported += bytes;
        if self.unreported > 0
            && self.unreported >= self.shared.report_at.load(Ordering::Relaxed) as usize
        {
            self.report();
        }
    }

    fn report(&mut self) {
        if let Some(id) = self.id {
            let bytes = std::mem::take(&mut self.unreported);
            // With the session gone there is nobody to grant anything.
            let _ = self.reports.send(Consumed { id, bytes });
        }
    }

    /// No more messages are wanted; those that are there count as read.
    pub(crate) fn close(&mut self) {
        let (queue, gathered) = {
            let mut state = self.shared.state();
            state.reader_gone = true;
            self.unreported += std::mem::take(&mut state.data_bytes);
            (std::mem::take(&mut state.queue), std::mem::take(&mut state.gathered))
        };
        drop((queue, gathered));
        if self.unreported > 0 {
            self.report();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.close();
    }
}

/// The path's round trip: the least time that anything took to be answered.
#[derive(Debug, Default)]
pub(crate) struct RoundTrip {
    asked: Option<Instant>,
    least: Option<Duration>,
}

/// What a first window is made for, in bytes a second: a little more than 1 Gbit/s.
const USUAL_RATE: u64 = 160_000_000;
/// The largest first window: a path whose round trip is long may well be slow.
const LARGEST_FIRST: u32 = 4 << 20;
/// No path is faster, so a window for more than this does not bound the peer: 10 Gbit/s. It matters because a server
/// reads ahead as much as its window allows, and OpenSSH's buffer is copied as a whole for every 16 KiB that it grows by.
const HIGHEST_RATE: u64 = 1_250_000_000;

impl RoundTrip {
    /// A question goes out that is answered at once, and nothing else is asked before.
    pub(crate) fn asked(&mut self) {
        self.asked = Some(Instant::now());
    }

    pub(crate) fn answered(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.took(asked.elapsed());
        }
    }

    pub(crate) fn took(&mut self, time: Duration) {
        self.least = Some(self.least.map_or(time, |least| least.min(time)));
    }

    /// What is on the way at `rate`.
    fn holds(&self, rate: u64) -> u32 {
        let Some(least) = self.least else { return 0 };
        let bytes = u128::from(rate) * least.as_micros() / 1_000_000;
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// The window to begin with.
    pub(crate) fn first_window(&self) -> u32 {
        self.holds(USUAL_RATE).min(LARGEST_FIRST)
    }
}

/// The receive window of a channel: how large it is, and how it grows.
#[derive(Debug)]
pub(crate) struct Window {
    /// What the peer may have sent without our reader having taken it.
    size: u32,
    /// Arrived, and not taken by the reader.
    unread: u32,
    opened: Instant,
    /// Since when `epoch_bytes` were read.
    epoch: Instant,
    epoch_bytes: u32,
}

impl Window {
    pub(crate) fn new(size: u32) -> Self {
        let now = Instant::now();
        Self { size, unread: 0, opened: now, epoch: now, epoch_bytes: 0 }
    }

    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// The peer has opened the channel; returns how long that took.
    pub(crate) fn confirmed(&mut self) -> Duration {
        self.epoch = Instant::now();
        self.epoch.duration_since(self.opened)
    }

    /// What the reader may take before it tells the session.
    pub(crate) fn report_at(&self) -> u32 {
        self.size / 8
    }

    pub(crate) fn arrived(&mut self, bytes: u32) {
        self.unread = self.unread.saturating_add(bytes);
    }

    pub(crate) fn read(&mut self, bytes: u32) {
        self.unread = self.unread.saturating_sub(bytes);
        self.epoch_bytes = self.epoch_bytes.saturating_add(bytes);
    }

    /// Whether the window, and not the path nor the reader, is what bounds the peer: it was used up within two round
    /// trips, the reader keeps up, and the path may well hold more. (With the window at twice what the path holds, the
    /// peer never waits for it.)
    pub(crate) fn bounds_the_peer(&mut self, now: Instant, round_trip: &RoundTrip) -> bool {
        if self.epoch_bytes < self.size {
            return false;
        }
        let took = now.duration_since(self.epoch);
        self.epoch = now;
        self.epoch_bytes = 0;
        let keeps_up = self.unread < self.size / 4;
        keeps_up
            && self.size < round_trip.holds(HIGHEST_RATE)
            && round_trip.least.is_some_and(|least| took <= least * 2)
    }

    pub(crate) fn grow_to(&mut self, size: u32) {
        self.size = self.size.max(size);
    }

    /// What to grant to a peer that may still send `left`.
    pub(crate) fn grant(&self, left: u32) -> u32 {
        let due = self
            .size
            .saturating_sub(self.unread)
            .saturating_sub(left);
        // A message for every few bytes would cost more than it gives.
        if due >= self.size / 8 { due } else { 0 }
    }
}

//! One connection through the relay.

use super::{Conditions, End, Inner, Orders, QUEUE, Trouble, Way, lock};
use std::{collections::VecDeque, io, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    time::{Instant, sleep_until},
};

/// Taken from a socket at once, at most.
const PIECE: usize = 64 << 10;
/// How long what has arrived may take to reach a receiver that is slow to read, when the connection is truncated.
const FLUSH: Duration = Duration::from_secs(1);

/// Bytes under way.
struct Piece {
    bytes: Vec<u8>,
    written: usize,
    due: Instant,
    /// Whether it came while the path was stalled: what was under way before still arrives.
    held: bool,
}

/// One way of one connection.
struct Direction<'a> {
    inner: &'a Inner,
    number: u64,
    way: Way,
    conditions: watch::Receiver<Conditions>,
    orders: watch::Receiver<Orders>,
    queue: VecDeque<Piece>,
    queued: usize,
    carried: u64,
}

/// Carries until both ways have ended or the connection is ended.
pub(super) async fn carry(
    inner: &Inner,
    number: u64,
    mut near: TcpStream,
    mut far: TcpStream,
    orders: watch::Receiver<Orders>,
) {
    let direction = |way| Direction {
        inner,
        number,
        way,
        conditions: inner.conditions.subscribe(),
        orders: orders.clone(),
        queue: VecDeque::new(),
        queued: 0,
        carried: 0,
    };
    let is_clean = {
        let ((mut from_near, mut to_near), (mut from_far, mut to_far)) = (near.split(), far.split());
        let up = direction(Way::Up).run(&mut from_near, &mut to_far);
        let down = direction(Way::Down).run(&mut from_far, &mut to_near);
        tokio::try_join!(up, down).is_ok()
    };
    if !is_clean {
        near.set_zero_linger().ok();
        far.set_zero_linger().ok();
    }
}

impl Direction<'_> {
    /// `Ok` when the end has been passed on; an error is to be passed on as a reset.
    async fn run(mut self, from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        // How the sender ended, if it has.
        let mut ended: Option<io::Result<()>> = None;
        self.take(&[]);
        loop {
            let Conditions { links, .. } = *self.conditions.borrow_and_update();
            let Orders { end, .. } = *self.orders.borrow_and_update();
            match end {
                Some(End::Reset) => return Err(io::ErrorKind::ConnectionReset.into()),
                Some(End::Truncate) => return self.truncate(from, to).await,
                None => {}
            }
            let (link, trouble, now) = (links[self.way as usize], self.trouble(), Instant::now());
            if trouble == Trouble::default() && self.queue.is_empty() {
                match ended {
                    Some(Ok(())) => return to.shutdown().await,
                    Some(Err(error)) => return Err(error),
                    None => {}
                }
            }
            let link_has_room = match link.rate {
                Some(_) => (*lock(&self.inner.free_at[self.way as usize])).checked_sub(QUEUE),
                None => None,
            };
            let reads = ended.is_none()
                && self.queued < link.capacity()
                && link_has_room.is_none_or(|moment| moment <= now);
            let front = self.queue.front().filter(|piece| !(piece.held && trouble.stalled));
            let (due, writes) = (front.map(|piece| piece.due), front.is_some_and(|piece| piece.due <= now));
            let wake = [due, link_has_room].into_iter().flatten().filter(|moment| *moment > now).min();
            tokio::select! {
                _ = self.conditions.changed() => {}
                _ = self.orders.changed() => {}
                () = sleep_until(wake.unwrap_or(now)), if wake.is_some() => {}
                read = from.read(&mut buffer), if reads => match read {
                    Ok(0) => ended = Some(Ok(())),
                    Ok(count) => self.take(&buffer[..count]),
                    Err(error) => ended = Some(Err(error)),
                },
                written = write_front(&self.queue, to), if writes => {
                    let written = written?;
                    self.queued -= written;
                    let piece = self.queue.front_mut().expect("it was written from");
                    piece.written += written;
                    if piece.written == piece.bytes.len() {
                        self.queue.pop_front();
                    }
                }
            }
        }
    }

    fn trouble(&self) -> Trouble {
        let (path, own) = (self.conditions.borrow().trouble, self.orders.borrow().trouble);
        Trouble { stalled: path.stalled || own.stalled, swallowing: path.swallowing || own.swallowing }
    }

    /// Sends what was read on its way, up to the byte at which an armed fault strikes, and the rest as that fault has
    /// it.
    fn take(&mut self, bytes: &[u8]) {
        match self.inner.admit(self.number, self.way, self.carried, bytes.len()) {
            None => self.send(bytes),
            Some(allowed) => {
                let (before, after) = bytes.split_at(allowed);
                self.send(before);
                self.inner.spring(self.number);
                if self.orders.borrow().end.is_none() && !after.is_empty() {
                    self.inner.count(self.way, after.len());
                    self.send(after);
                }
            }
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.carried += bytes.len() as u64;
        let trouble = self.trouble();
        if bytes.is_empty() || trouble.swallowing {
            return;
        }
        let link = self.conditions.borrow().links[self.way as usize];
        let due = self.inner.arrival(self.way, link, bytes.len());
        self.queued += bytes.len();
        self.queue.push_back(Piece { bytes: bytes.to_vec(), written: 0, due, held: trouble.stalled });
    }

    /// What has arrived, and an end; then whatever still comes is thrown away until the sender has ended too, because
    /// closing a socket with unread bytes would send a reset instead.
    async fn truncate(mut self, from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>) -> io::Result<()> {
        let flush = async {
            for piece in self.queue.drain(..) {
                to.write_all(&piece.bytes[piece.written..]).await?;
            }
            to.shutdown().await
        };
        // A receiver that takes nothing gets a reset after all.
        tokio::time::timeout(FLUSH, flush).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        tokio::io::copy(from, &mut tokio::io::sink()).await.map(drop)
    }
}

/// Cancel-safe: whatever it wrote, it returned.
async fn write_front(queue: &VecDeque<Piece>, to: &mut WriteHalf<'_>) -> io::Result<usize> {
    match queue.front() {
        Some(piece) => to.write(&piece.bytes[piece.written..]).await,
        None => Ok(0),
    }
}

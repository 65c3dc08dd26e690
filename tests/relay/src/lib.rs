//! A path that misbehaves on request: a TCP relay in userspace, for what the kernel's own queueing cannot do here
//! (there is no `netem`): delay, limit, stall, reset, truncate, swallow.
//!
//! ```no_run
//! # async fn example(sshd: std::net::SocketAddr) -> std::io::Result<()> {
//! use dockline_relay::{Fault, Link, Relay, Scope, Trigger, Way};
//! use std::time::Duration;
//!
//! let relay = Relay::start(sshd).await?;
//! // 25 ms each way at 1 Gbit/s: `relay.address()` is now 50 ms away.
//! relay.set_links(Link::new(Duration::from_millis(25), Some(125_000_000)));
//! // The first connection that has sent 3000 bytes is reset there, between two bytes.
//! relay.arm(Trigger::connection(Way::Up, 3000), Fault::Reset, Scope::Connection);
//! // Nothing passes any more, either way, until it is mended; nobody is told.
//! relay.inflict(Fault::Stall);
//! relay.mend();
//! # Ok(())
//! # }
//! ```
//!
//! What it is not: a model of TCP. Each side has a connection of its own with the relay, which acknowledges at once, so
//! there is no loss and no congestion control in the delayed part. A *stalled* path still acknowledges at first, until
//! the buffers are full, as a path with a hanging middlebox does; for packets that vanish take a link down instead.
//!
//! All connections share the link of each way, as they would share a wire.

mod carry;
#[cfg(test)]
mod tests;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::Instant,
};

/// A direction through the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the one who connected to the relay to the target.
    Up,
    /// From the target to the one who connected.
    Down,
}

impl Way {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Up, Self::Down];
}

/// How much may wait before a link with a rate: a router with a short buffer.
const QUEUE: Duration = Duration::from_millis(20);

/// What one way is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// How long every byte travels.
    pub delay: Duration,
    /// Bytes a second, all connections together; `None` for as fast as this machine copies.
    pub rate: Option<u64>,
}

impl Link {
    /// Neither delay nor limit.
    pub const PLAIN: Self = Self { delay: Duration::ZERO, rate: None };

    /// A link of `delay` that carries `rate` bytes a second.
    #[must_use]
    pub const fn new(delay: Duration, rate: Option<u64>) -> Self {
        Self { delay, rate }
    }

    /// How many bytes of one connection may be under way: what fills the link, and what waits before it.
    fn capacity(&self) -> usize {
        const LEAST: u64 = 256 << 10;
        const UNLIMITED: u64 = 1_250_000_000;
        let bytes = (self.delay + QUEUE).as_secs_f64() * self.rate.unwrap_or(UNLIMITED) as f64;
        if self.delay.is_zero() && self.rate.is_none() {
            return LEAST as usize;
        }
        (bytes as u64).max(LEAST) as usize
    }
}

/// What can go wrong on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Bytes wait, until [`Relay::mend`].
    Stall,
    /// Bytes are taken and never arrive, until [`Relay::mend`]; what comes after that arrives with a hole before it.
    Swallow,
    /// Both ends get a reset at once (`SO_LINGER` of zero). What was under way is lost.
    Reset,
    /// Both ends get what has arrived here and then a clean end, as from a middlebox that closes idle connections.
    Truncate,
    /// Nothing: only the moment is told, through [`Relay::struck`], for what the relay cannot do itself.
    Mark,
}

/// Whom a fault hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The connection that tripped it, alone.
    Connection,
    /// Every connection there is. With [`Fault::Stall`] and [`Fault::Swallow`] later ones too.
    Path,
}

/// When an armed fault strikes: exactly after so many bytes, whatever pieces they came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Trigger {
    way: Way,
    bytes: u64,
    of: Counted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Counted {
    Connection,
    SinceArmed,
}

impl Trigger {
    /// When a connection that is made from now on has carried `bytes` that `way`; 0 is as soon as it is accepted.
    #[must_use]
    pub const fn connection(way: Way, bytes: u64) -> Self {
        Self { way, bytes, of: Counted::Connection }
    }

    /// When `bytes` more have gone that `way`, over all connections together.
    #[must_use]
    pub const fn total(way: Way, bytes: u64) -> Self {
        Self { way, bytes, of: Counted::SinceArmed }
    }
}

/// A trap that waits for its trigger.
#[derive(Debug)]
struct Armed {
    trigger: Trigger,
    /// What the way had carried in total when the trap was set.
    base: u64,
    /// Connections with a lower number are not meant.
    first_connection: u64,
    fault: Fault,
    scope: Scope,
}

/// What is wrong at the moment with one way: of the whole path, or of one connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Trouble {
    stalled: bool,
    swallowing: bool,
}

/// What one connection is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Orders {
    trouble: Trouble,
    end: Option<End>,
}

/// How a connection is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Reset,
    Truncate,
}

/// What holds for all connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Conditions {
    links: [Link; 2],
    trouble: Trouble,
}

#[derive(Debug)]
struct Inner {
    target: SocketAddr,
    conditions: watch::Sender<Conditions>,
    live: Mutex<Vec<(u64, watch::Sender<Orders>)>>,
    open: watch::Sender<usize>,
    accepted: AtomicU64,
    carried: [AtomicU64; 2],
    armed: Mutex<Option<Armed>>,
    struck: watch::Sender<u64>,
    /// When the link of each way is free again.
    free_at: [Mutex<Instant>; 2],
}

/// A running relay; its connections end with it when it is dropped.
#[derive(Debug)]
pub struct Relay {
    inner: Arc<Inner>,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Relay {
    /// Listens on a free port of 127.0.0.1 and carries every connection to `target`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(target: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let now = Instant::now();
        let inner = Arc::new(Inner {
            target,
            conditions: watch::Sender::new(Conditions {
                links: [Link::PLAIN; 2],
                trouble: Trouble::default(),
            }),
            live: Mutex::default(),
            open: watch::Sender::new(0),
            accepted: AtomicU64::new(0),
            carried: Default::default(),
            armed: Mutex::default(),
            struck: watch::Sender::new(0),
            free_at: [Mutex::new(now), Mutex::new(now)],
        });
        let accepting = tokio::spawn(inner.clone().accept(listener));
        Ok(Self { inner, address, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes both ways like this, from the next byte on.
    pub fn set_links(&self, link: Link) {
        self.inner.conditions.send_modify(|conditions| conditions.links = [link; 2]);
    }

    /// Makes one way like this, from the next byte on.
    pub fn set_link(&self, way: Way, link: Link) {
        self.inner.conditions.send_modify(|conditions| conditions.links[way as usize] = link);
    }

    /// Lets `fault` happen to the whole path, now.
    pub fn inflict(&self, fault: Fault) {
        self.inner.strike(fault, None);
    }

    /// Lets `fault` happen once, when `trigger` says so. There is one trap at a time: a new one replaces it.
    pub fn arm(&self, trigger: Trigger, fault: Fault, scope: Scope) {
        let base = self.carried(trigger.way);
        let first_connection = self.inner.accepted.load(Ordering::SeqCst);
        *lock(&self.inner.armed) = Some(Armed { trigger, base, first_connection, fault, scope });
    }

    /// Takes back what is armed; whether it had not struck yet.
    pub fn disarm(&self) -> bool {
        lock(&self.inner.armed).take().is_some()
    }

    /// How many armed faults have struck so far; a receiver, so that the moment can be waited for.
    #[must_use]
    pub fn struck(&self) -> watch::Receiver<u64> {
        self.inner.struck.subscribe()
    }

    /// Ends every [`Fault::Stall`] and [`Fault::Swallow`], of the path and of single connections.
    pub fn mend(&self) {
        self.inner.conditions.send_modify(|conditions| conditions.trouble = Trouble::default());
        for (_, orders) in lock(&self.inner.live).iter() {
            orders.send_modify(|orders| orders.trouble = Trouble::default());
        }
    }

    /// How many connections are open; a receiver, so that a number can be waited for.
    #[must_use]
    pub fn open(&self) -> watch::Receiver<usize> {
        self.inner.open.subscribe()
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn accepted(&self) -> u64 {
        self.inner.accepted.load(Ordering::SeqCst)
    }

    /// How many bytes have been taken from senders so far, that `way`.
    #[must_use]
    pub fn carried(&self, way: Way) -> u64 {
        self.inner.carried[way as usize].load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The set of connections is that task's, and goes with it.
        self.accepting.abort();
    }
}

/// A test that panics elsewhere must not hide behind a poisoned lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (near, _) = accepted.expect("a listening socket accepts");
                    let number = self.accepted.fetch_add(1, Ordering::SeqCst);
                    connections.spawn(self.clone().connection(near, number));
                }
                Some(ended) = connections.join_next() => ended.expect("a relayed connection does not panic"),
            }
        }
    }

    async fn connection(self: Arc<Self>, near: TcpStream, number: u64) {
        let Ok(far) = TcpStream::connect(self.target).await else {
            // Nobody there: the one who connected gets a reset, the nearest thing to a refusal.
            near.set_zero_linger().ok();
            return;
        };
        near.set_nodelay(true).ok();
        far.set_nodelay(true).ok();
        let orders = watch::Sender::new(Orders::default());
        lock(&self.live).push((number, orders.clone()));
        self.open.send_modify(|open| *open += 1);
        let _counted = Counting { inner: &self, number };
        carry::carry(&self, number, near, far, orders.subscribe()).await;
    }

    /// How many of `length` bytes may still go that `way` before the trap strikes; `None` for all of them. Counts what
    /// may.
    fn admit(&self, number: u64, way: Way, carried_by_connection: u64, length: usize) -> Option<usize> {
        let armed = lock(&self.armed);
        let total = &self.carried[way as usize];
        let left = match &*armed {
            Some(trap) if trap.trigger.way == way => match trap.trigger.of {
                Counted::Connection => (number >= trap.first_connection)
                    .then(|| trap.trigger.bytes.saturating_sub(carried_by_connection)),
                Counted::SinceArmed => {
                    Some((trap.base + trap.trigger.bytes).saturating_sub(total.load(Ordering::SeqCst)))
                }
            },
            Some(_) | None => None,
        };
        let allowed = left.filter(|left| *left <= length as u64).map(|left| left as usize);
        // Counted under the lock: two connections must not both find the last byte free.
        total.fetch_add(allowed.unwrap_or(length) as u64, Ordering::SeqCst);
        allowed
    }

    fn count(&self, way: Way, length: usize) {
        self.carried[way as usize].fetch_add(length as u64, Ordering::SeqCst);
    }

    /// Springs the trap, which `admit` has found to be due.
    fn spring(&self, number: u64) {
        let Some(Armed { fault, scope, .. }) = lock(&self.armed).take() else { return };
        self.strike(fault, (scope == Scope::Connection).then_some(number));
        self.struck.send_modify(|count| *count += 1);
    }

    fn strike(&self, fault: Fault, only: Option<u64>) {
        let order = |change: &dyn Fn(&mut Orders)| {
            for (number, orders) in lock(&self.live).iter() {
                if only.is_none_or(|only| only == *number) {
                    orders.send_modify(change);
                }
            }
        };
        let trouble = |change: &dyn Fn(&mut Trouble)| {
            if only.is_some() {
                order(&|orders| change(&mut orders.trouble));
            } else {
                self.conditions.send_modify(|conditions| change(&mut conditions.trouble));
            }
        };
        match fault {
            Fault::Stall => trouble(&|trouble| trouble.stalled = true),
            Fault::Swallow => trouble(&|trouble| trouble.swallowing = true),
            Fault::Reset => order(&|orders| orders.end = Some(End::Reset)),
            Fault::Truncate => order(&|orders| orders.end = Some(End::Truncate)),
            Fault::Mark => {}
        }
    }

    /// When `length` bytes that leave now will be there.
    fn arrival(&self, way: Way, link: Link, length: usize) -> Instant {
        let now = Instant::now();
        let Some(rate) = link.rate else { return now + link.delay };
        let mut free_at = lock(&self.free_at[way as usize]);
        *free_at = now.max(*free_at) + Duration::from_secs_f64(length as f64 / rate as f64);
        *free_at + link.delay
    }
}

/// Takes a connection off the list, however its task ends.
struct Counting<'a> {
    inner: &'a Inner,
    number: u64,
}

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        lock(&self.inner.live).retain(|(number, _)| *number != self.number);
        self.inner.open.send_modify(|open| *open -= 1);
    }
}

//! The SSH sessions of one registry.
//!
//! One registry is one tunnel: the first session is dialled by the lifecycle, and while every session has room
//! there is no other. A session with [`PoolLimits::channels_per_session`] open channels is full; the next channel
//! then opens another session, up to [`PoolLimits::sessions`], and beyond that goes to the least loaded one. So
//! `docker push` of one layer, a manifest or a `/v2/` ping never cause a second login; a push of five layers does, and one
//! of ours says beforehand how many channels it will want.
//!
//! Why more than one at all: several TCP streams beat one on a long or lossy path, the host ciphers each session on a
//! processor of its own, and what a session's end takes with it is less.
//!
//! Further sessions log in without bothering anybody; if they cannot (`MaxSessions`, `MaxStartups`, a password that
//! was not kept), the first carries everything, and no other is tried for a minute, then for two, and so on: by whatever
//! sessions come after these, too.
//!
//! A host that refuses a channel in a session that has others keeps a limit of its own (OpenSSH keeps none for
//! forwards; other servers do): from then on its sessions get no more than that, and channels beyond wait for one to
//! end.

use crate::{
    PoolLimits,
    error::TunnelError,
    lifecycle::cool_down,
    session::{Channel, Dialer, Session, SessionEnd, unspecified},
};
use dockline_model::RemoteEnd;
use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a new channel waits for a further session before it squeezes into one there is.
const GROWTH_PATIENCE: Duration = Duration::from_secs(3);
/// How long a session has to answer when it may have died, as after a sleep: an idle one is quickly replaced, ...
const CHECK_IDLE: Duration = Duration::from_secs(2);
/// ... while for a transfer it is better to wait until TCP has repeated what was lost meanwhile.
const CHECK_BUSY: Duration = Duration::from_secs(5);
/// What is remembered of a host that would have no further session: the limits that it keeps (`MaxStartups`,
/// `PerSourcePenalties`, a password that was not kept) outlive the sessions that ran into them.
#[derive(Default)]
pub(crate) struct Growth(Mutex<Refusals>);

#[derive(Default)]
struct Refusals {
    count: u32,
    not_before: Option<Instant>,
    /// Channels that one session of the host's may have, as far as that has been found out.
    room: Option<usize>,
}

/// What a new channel does where every session is full.
#[derive(Clone, Copy, PartialEq, Eq)]
enum IfFull {
    /// It waits for another session, if there may be one.
    Grow,
    /// It squeezes into the least loaded one.
    Squeeze,
    /// It is not opened.
    Leave,
}

/// What there is for a new channel.
enum Place {
    /// A place in a session.
    Slot(Slot),
    /// Another session is on its way.
    Growing,
    /// Neither; a channel has to end first.
    Full,
}

impl Growth {
    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another session may be tried now.
    fn is_due(&self) -> bool {
        self.refusals().not_before.is_none_or(|moment| Instant::now() >= moment)
    }

    fn refused(&self) {
        let mut refusals = self.refusals();
        // Of several that were dialled together, all but the first say the same again.
        if refusals.not_before.is_some_and(|moment| Instant::now() < moment) {
            return;
        }
        refusals.count = refusals.count.saturating_add(1);
        refusals.not_before = Some(Instant::now() + cool_down(refusals.count));
    }

    fn granted(&self) {
        let mut refusals = self.refusals();
        *refusals = Refusals { room: refusals.room, ..Refusals::default() };
    }

    /// The host refused a channel in a session that had `open` others.
    fn full_at(&self, open: usize) {
        let mut refusals = self.refusals();
        refusals.room = Some(refusals.room.map_or(open, |room| room.min(open)).max(1));
    }

    fn room(&self) -> Option<usize> {
        self.refusals().room
    }
}

struct Member {
    session: Arc<Session>,
    channels: usize,
    /// Of the channels: those that are opened ahead and not answered yet. They prove no room.
    ahead: usize,
    /// Places given so far, but those.
    given: u64,
    idle_since: Instant,
}

struct Members {
    list: Vec<Member>,
    /// Further sessions that are being dialled.
    growing: usize,
}

/// Sessions that are up. Cloning is cheap and shares them.
#[derive(Clone)]
pub(crate) struct SessionPool {
    inner: Arc<Inner>,
}

struct Inner {
    dialer: Arc<Dialer>,
    limits: PoolLimits,
    members: Mutex<Members>,
    /// Grows by one with each session that came or could not come.
    grown: watch::Sender<u64>,
    /// Channels in all sessions.
    channels: watch::Sender<usize>,
    lost: CancellationToken,
    reason: OnceLock<TunnelError>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

/// A channel, and its place in a session.
pub(crate) struct PooledChannel {
    pub channel: Channel,
    pub end: Arc<SessionEnd>,
    pub slot: Slot,
}

/// Counts a channel for as long as it lives.
pub(crate) struct Slot {
    inner: Arc<Inner>,
    session: Arc<Session>,
    /// Which of the session's places ever given this is.
    number: u64,
    /// Of a channel that is opened ahead and not answered yet.
    is_ahead: bool,
}

impl Slot {
    /// Other channels in the same session.
    fn others(&self) -> usize {
        let members = self.inner.members();
        let member = members.list.iter().find(|member| Arc::ptr_eq(&member.session, &self.session));
        member.map_or(0, |member| member.channels.saturating_sub(1 + member.ahead))
    }

    /// Whether another place in the session was given after this one.
    fn has_successor(&self) -> bool {
        let members = self.inner.members();
        let member = members.list.iter().find(|member| Arc::ptr_eq(&member.session, &self.session));
        member.is_some_and(|member| member.given > self.number)
    }

    /// Its channel is open.
    fn settle(&mut self) {
        if !std::mem::take(&mut self.is_ahead) {
            return;
        }
        let mut members = self.inner.members();
        if let Some(member) = members.list.iter_mut().find(|m| Arc::ptr_eq(&m.session, &self.session)) {
            member.ahead -= 1;
        }
    }
}

impl PooledChannel {
    /// Whether both lead to the same host.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.slot.inner, &other.slot.inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        {
            let mut members = self.inner.members();
            if let Some(member) = members.list.iter_mut().find(|m| Arc::ptr_eq(&m.session, &self.session)) {
                member.channels -= 1;
                member.ahead -= usize::from(self.is_ahead);
                member.idle_since = Instant::now();
            }
        }
        // Last: whoever waits for a place looks for it then.
        self.inner.channels.send_modify(|count| *count -= 1);
    }
}

impl Inner {
    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionPool {
    /// A pool of one session.
    pub(crate) fn new(first: Session, dialer: Arc<Dialer>, limits: PoolLimits) -> Self {
        let pool = Self {
            inner: Arc::new(Inner {
                dialer,
                limits,
                members: Mutex::new(Members { list: Vec::new(), growing: 0 }),
                grown: watch::channel(0).0,
                channels: watch::channel(0).0,
                lost: CancellationToken::new(),
                reason: OnceLock::new(),
                closing: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        };
        pool.add(first, false);
        pool
    }

    /// Resolves when no session is left although nobody closed the pool.
    pub(crate) async fn lost(&self) -> TunnelError {
        self.inner.lost.cancelled().await;
        self.inner.reason.get().cloned().unwrap_or(TunnelError::Disconnected)
    }

    /// Opens a channel to `remote` in the session that has most room.
    pub(crate) async fn open(
        &self,
        remote: &RemoteEnd,
        originator: SocketAddr,
    ) -> Result<PooledChannel, TunnelError> {
        let mut if_full = IfFull::Grow;
        loop {
            let (mut grown, mut channels) = (self.inner.grown.subscribe(), self.inner.channels.subscribe());
            let slot = match self.reserve(if_full)? {
                Place::Slot(slot) => slot,
                Place::Growing => {
                    if tokio::time::timeout(GROWTH_PATIENCE, grown.changed()).await.is_err() {
                        if_full = IfFull::Squeeze;
                    }
                    continue;
                }
                // The caller knows how long that may take.
                Place::Full => {
                    tokio::select! {
                        _ = channels.changed() => {}
                        _ = grown.changed() => {}
                        () = self.inner.lost.cancelled() => {}
                        () = self.inner.closing.cancelled() => return Err(TunnelError::Disconnected),
                    }
                    continue;
                }
            };
            let before = slot.others();
            let error = match slot.session.open(remote, originator).await {
                Ok(channel) => {
                    return Ok(PooledChannel { channel, end: slot.session.end().clone(), slot });
                }
                Err(error) => error,
            };
            // Those that were there when the host refused may have ended before we have heard of it; one that came after
            // this may have been asked for before it.
            let others = match slot.others() {
                0 => before.max(usize::from(slot.has_successor())),
                others => others,
            };
            if !error.may_be_about_room() || others == 0 {
                return Err(error);
            }
            tracing::debug!(%error, others, "the session takes no further channel");
            self.inner.dialer.growth.full_at(others);
        }
    }

    /// The same for a question of our own, which is no reason for a further session.
    pub(crate) async fn open_control(&self, remote: &RemoteEnd) -> Result<PooledChannel, TunnelError> {
        self.open_now(remote, IfFull::Squeeze).await
    }

    /// The same for a connection that is only expected, where a session has room for it.
    pub(crate) async fn open_ahead(&self, remote: &RemoteEnd) -> Result<PooledChannel, TunnelError> {
        self.open_now(remote, IfFull::Leave).await
    }

    async fn open_now(&self, remote: &RemoteEnd, if_full: IfFull) -> Result<PooledChannel, TunnelError> {
        let Place::Slot(mut slot) = self.reserve(if_full)? else {
            // Every channel there may be is in use, which is an answer as well.
            return Err(TunnelError::NoRoom { host: self.inner.dialer.host(), remote: remote.to_string() });
        };
        let channel = slot.session.open(remote, unspecified()).await?;
        slot.settle();
        Ok(PooledChannel { channel, end: slot.session.end().clone(), slot })
    }

    /// Dials at once whatever further sessions so many channels will want, which otherwise come one after the other, each
    /// when a channel is waiting for it.
    pub(crate) fn make_room(&self, channels: usize) {
        let limits = self.inner.limits;
        let wanted = channels.div_ceil(limits.channels_per_session.max(1)).min(limits.sessions);
        if !self.inner.dialer.growth.is_due() || self.is_closed() {
            return;
        }
        let lacking = {
            let mut members = self.inner.members();
            let lacking = wanted.saturating_sub(members.list.len() + members.growing);
            members.growing += lacking;
            lacking
        };
        for _ in 0..lacking {
            self.grow();
        }
    }

    /// Whether this is the same pool.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// Whether it is closed, or about to be.
    pub(crate) fn is_closed(&self) -> bool {
        self.inner.closing.is_cancelled() || self.inner.lost.is_cancelled()
    }

    /// Leaves the sessions to the channels that are open, and closes the pool when the last of them is gone.
    pub(crate) async fn retire(&self) {
        let mut channels = self.inner.channels.subscribe();
        // The sender lives as long as the pool.
        let _ = channels.wait_for(|count| *count == 0).await;
        self.close().await;
    }

    /// A place in the least loaded session, unless it is better to wait for another session, or there is none.
    fn reserve(&self, if_full: IfFull) -> Result<Place, TunnelError> {
        let limits = self.inner.limits;
        let room = self.inner.dialer.growth.room();
        let mut members = self.inner.members();
        let sessions = members.list.len();
        let Some(member) = members.list.iter_mut().min_by_key(|member| member.channels) else {
            return Err(self.inner.reason.get().cloned().unwrap_or(TunnelError::Disconnected));
        };
        let is_beyond = room.is_some_and(|room| member.channels >= room);
        let is_full = is_beyond || member.channels >= limits.channels_per_session.max(1);
        if is_full && if_full == IfFull::Leave {
            return Ok(Place::Full);
        }
        if is_full
            && if_full == IfFull::Grow
            && sessions < limits.sessions
            && !self.inner.closing.is_cancelled()
        {
            if members.growing > 0 {
                return Ok(Place::Growing);
            }
            if self.inner.dialer.growth.is_due() {
                members.growing += 1;
                drop(members);
                self.grow();
                return Ok(Place::Growing);
            }
        }
        if is_beyond {
            return Ok(Place::Full);
        }
        let Some(member) = members.list.iter_mut().min_by_key(|member| member.channels) else {
            return Err(TunnelError::Disconnected);
        };
        let is_ahead = if_full == IfFull::Leave;
        member.channels += 1;
        member.ahead += usize::from(is_ahead);
        member.given += u64::from(!is_ahead);
        self.inner.channels.send_modify(|count| *count += 1);
        let (session, number) = (member.session.clone(), member.given);
        Ok(Place::Slot(Slot { inner: self.inner.clone(), session, number, is_ahead }))
    }

    fn grow(&self) {
        let pool = self.clone();
        self.inner.tasks.spawn(async move {
            let dialled = tokio::select! {
                dialled = pool.inner.dialer.dial(false) => Some(dialled),
                () = pool.inner.closing.cancelled() => None,
                () = pool.inner.lost.cancelled() => None,
            };
            match dialled {
                Some(Ok(session)) => {
                    tracing::debug!("a further SSH session is up");
                    pool.inner.dialer.growth.granted();
                    pool.add(session, true);
                }
                Some(Err(error)) => {
                    tracing::debug!(%error, "no further SSH session could be had");
                    pool.inner.dialer.growth.refused();
                }
                None => {}
            }
            pool.inner.members().growing -= 1;
            pool.inner.grown.send_modify(|count| *count += 1);
        });
    }

    fn add(&self, session: Session, is_extra: bool) {
        let session = Arc::new(session);
        self.inner.members().list.push(Member {
            session: session.clone(),
            channels: 0,
            ahead: 0,
            given: 0,
            idle_since: Instant::now(),
        });
        let pool = self.clone();
        self.inner.tasks.spawn(async move {
            tokio::select! {
                () = session.end().ended() => {}
                () = pool.inner.closing.cancelled() => session.close().await,
                () = pool.unneeded(&session), if is_extra => session.close().await,
            }
            pool.remove(&session);
        });
    }

    /// Resolves when a further session has carried nothing for a while; it takes no new channels from then on.
    async fn unneeded(&self, session: &Arc<Session>) {
        let mut wake = Instant::now() + self.inner.limits.retire_after;
        loop {
            tokio::time::sleep_until(wake).await;
            let mut members = self.inner.members();
            let Some(index) = members.list.iter().position(|m| Arc::ptr_eq(&m.session, session)) else {
                return;
            };
            let (channels, idle_since) = (members.list[index].channels, members.list[index].idle_since);
            let retires = idle_since + self.inner.limits.retire_after;
            if channels == 0 && retires <= Instant::now() && members.list.len() > 1 {
                members.list.remove(index);
                return;
            }
            wake = retires.max(Instant::now() + self.inner.limits.retire_after / 4);
        }
    }

    fn remove(&self, session: &Arc<Session>) {
        let mut members = self.inner.members();
        members.list.retain(|member| !Arc::ptr_eq(&member.session, session));
        if members.list.is_empty() && !self.inner.closing.is_cancelled() {
            let _ = self.inner.reason.set(session.lost());
            drop(members);
            self.inner.lost.cancel();
        }
    }

    /// Finds out which sessions are still alive, and ends the others.
    pub(crate) fn check(&self) {
        for member in &self.inner.members().list {
            let session = member.session.clone();
            let patience = if member.channels == 0 { CHECK_IDLE } else { CHECK_BUSY };
            self.inner.tasks.spawn(async move { session.check(patience).await });
        }
    }

    /// Closes every session, and waits for it.
    pub(crate) async fn close(&self) {
        self.inner.closing.cancel();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

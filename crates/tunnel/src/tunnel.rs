//! The handle to a tunnel, and the lease on it.

use crate::{
    Ask, TunnelConfig,
    access::Gate,
    actor::{Actor, Inbox, Message},
    entrance::{Entrance, Unbound, Which},
    error::TunnelError,
    lease::{Guard, Leases},
    lifecycle::LeaseId,
    listener::{Listener, Shared},
    localhost::Localhost,
    network::Surroundings,
    pool::{PooledChannel, SessionPool},
    pump::Traffic,
    route::Route,
    session::unspecified,
    spare::{self, Spare},
};
use dockline_model::{LeaseHolder, RegistrySpec, RemoteEnd, TunnelView, UiError};
use futures::future::{Either, join_all, select};
use std::{
    fmt,
    net::SocketAddr,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, timeout},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// One registry's tunnel. Clones are handles to the same one; it closes when [`Tunnel::stop`] is called or the last
/// handle is dropped.
#[derive(Clone)]
pub struct Tunnel {
    line: Line,
    view: watch::Receiver<TunnelView>,
    remote: RemoteEnd,
    patience: Duration,
    traffic: Arc<Traffic>,
    tasks: TaskTracker,
    localhost: Arc<Localhost>,
    stop: Arc<DropGuard>,
    stopped: CancellationToken,
}

/// The way to a tunnel's actor.
#[derive(Clone)]
pub(crate) struct Line {
    inbox: Inbox,
    leases: Leases<Inbox>,
    /// Whether the registry has several hosts.
    has_choice: bool,
    pub(crate) spare: Spare,
}

/// Why there is no channel.
pub(crate) enum NotOpened {
    /// The tunnel did not come up.
    NoSession(UiError),
    /// It is up, and the far end is not to be had.
    NoChannel(TunnelError),
}

/// What a tunnel has carried, for everybody together. Does not keep the tunnel.
#[derive(Clone)]
pub struct Carried(Arc<Traffic>);

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("up", &self.up()).field("down", &self.down()).finish()
    }
}

impl Carried {
    /// Bytes that went to the registry.
    #[must_use]
    pub fn up(&self) -> u64 {
        self.0.up.load(Ordering::Relaxed)
    }

    /// Bytes that came from it.
    #[must_use]
    pub fn down(&self) -> u64 {
        self.0.down.load(Ordering::Relaxed)
    }

    /// Whether both are of one tunnel.
    #[must_use]
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// A hold on a tunnel: while it lives, the tunnel is kept up or brought up again. Dropping it lets go.
pub struct Lease(Guard<Inbox>);

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.id().0).finish()
    }
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tunnel").field("state", &self.view.borrow().state).finish_non_exhaustive()
    }
}

impl Lease {
    pub(crate) const fn id(&self) -> LeaseId {
        self.0.id()
    }

    /// Resolves when the lease has been taken away ([`Tunnel::disconnect`]).
    pub async fn revoked(&self) {
        self.0.revoked().await;
    }
}

impl Line {
    pub(crate) fn lease(&self, holder: LeaseHolder) -> Lease {
        Lease(self.leases.take(holder))
    }

    /// Waits for a session. `patience` bounds the time through failed dials, and with `hard` any time at all.
    pub(crate) async fn sessions(
        &self,
        lease: &Lease,
        patience: Duration,
        hard: bool,
    ) -> Result<SessionPool, UiError> {
        let (reply, answer) = oneshot::channel();
        let _ = self.inbox.send(Message::Wait { lease: lease.id(), patience, hard, reply });
        answer.await.unwrap_or_else(|_| Err(UiError::from(&TunnelError::Disconnected)))
    }

    /// Opens a channel to the far end, waiting for a session as [`Self::sessions`] does. One that went away meanwhile is
    /// nothing to fail for, since nothing was sent through it; and a host whose registry is gone is left, once.
    pub(crate) async fn open(
        &self,
        lease: &Lease,
        (remote, originator): (&RemoteEnd, SocketAddr),
        patience: Duration,
        hard: bool,
    ) -> Result<PooledChannel, NotOpened> {
        let deadline = Instant::now() + patience;
        let mut may_move = true;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let sessions = self.sessions(lease, left, hard).await.map_err(NotOpened::NoSession)?;
            let opening = sessions.open(remote, originator);
            // A host that takes its time over the channel must not make it longer than a program waits.
            let opened = if hard {
                let seconds = patience.as_secs();
                let opened = tokio::time::timeout_at(deadline, opening).await;
                opened.unwrap_or(Err(TunnelError::TimedOut { seconds }))
            } else {
                opening.await
            };
            match opened {
                Ok(pooled) => return Ok(pooled),
                Err(TunnelError::Lost { .. } | TunnelError::Disconnected) if Instant::now() < deadline => {
                    tokio::task::yield_now().await;
                }
                Err(error) if may_move && self.leaves(&sessions, &error) => may_move = false,
                Err(error) => return Err(NotOpened::NoChannel(error)),
            }
        }
    }

    /// Whether the tunnel moves to another of the registry's hosts, for what a channel through `sessions` met with.
    fn leaves(&self, sessions: &SessionPool, error: &TunnelError) -> bool {
        let leaves = self.has_choice && error.is_about_the_far_end();
        if leaves {
            self.send(Message::Unhealthy { pool: sessions.clone(), error: error.clone() });
        }
        leaves
    }

    pub(crate) fn send(&self, message: Message) {
        let _ = self.inbox.send(message);
    }
}

impl Tunnel {
    /// Opens the listeners and waits for work. Never fails: a port that is taken is in
    /// [`TunnelView::listener_error`] (in [`TunnelView::gateway_error`] if it is the gateway's, in
    /// [`TunnelView::localhost_error`] if it is 127.0.0.1's), and is tried again until it is free. An address that may not be listened on at all is there, too, and stays.
    pub async fn start(config: TunnelConfig, ask: Arc<dyn Ask>) -> Self {
        let (inbox, messages) = mpsc::unbounded_channel();
        let line = Line {
            leases: Leases::new(inbox.clone()),
            inbox,
            has_choice: !config.spec.fallbacks.is_empty(),
            spare: Spare::default(),
        };
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (listener, bound) = listen(Entrance::loopback(config.spec.listen())).await;
        let (gateway, gateway_bound) = match config.gateway {
            Some(gateway) => listen(Entrance::gateway(gateway)).await,
            None => (None, Ok(())),
        };
        let mut unbound = Unbound::default();
        unbound.note(Which::Own, bound.err().as_ref());
        unbound.note(Which::Gateway, gateway_bound.err().as_ref());
        let surroundings = Arc::new(Surroundings::new());
        let route =
            Arc::new(Route::new(&config.spec, &config.ssh, &ask, &surroundings, config.health_interval));
        let (actor, view) =
            Actor::new(&config.spec, route, surroundings, config.pool, unbound, line.inbox.downgrade());
        let traffic = actor.traffic();
        traffic.limit(&config.spec.limits);
        let gate = Gate::new(config.access, &config.spec);
        let gateway_gate = config.gateway.map(|at| gate.for_gateway(at));
        let shared = Shared {
            line: line.clone(),
            gate: Arc::new(gate.clone()),
            remote: config.spec.remote.clone(),
            traffic: traffic.clone(),
            stop: stop.clone(),
        };
        if let (Some(gateway), Some(gate)) = (gateway, gateway_gate) {
            let shared = Shared { gate: Arc::new(gate), ..shared.clone() };
            tasks.spawn(gateway.run(shared, tasks.clone()));
        }
        let localhost = Localhost {
            gate,
            shared: shared.clone(),
            tasks: tasks.clone(),
            open: tokio::sync::Mutex::default(),
        };
        if let Err(error) = localhost.listen(config.spec.localhost_port).await {
            tracing::warn!(%error, "the registry is not listened for at 127.0.0.1 yet");
        }
        if let Some(listener) = listener {
            tasks.spawn(listener.run(shared, tasks.clone()));
        }
        let stopped = CancellationToken::new();
        tokio::spawn({
            let (stop, guard) = (stop.clone(), stopped.clone().drop_guard());
            async move {
                actor.run(messages, stop).await;
                drop(guard);
            }
        });
        Self {
            line,
            view,
            remote: config.spec.remote,
            patience: config.patience,
            traffic,
            tasks,
            localhost: Arc::new(localhost),
            stop: Arc::new(stop.drop_guard()),
            stopped,
        }
    }

    /// A handle to the same tunnel that waits for so long through failed dials.
    #[must_use]
    pub fn with_patience(&self, patience: Duration) -> Self {
        Self { patience, ..self.clone() }
    }

    /// Listens at this port of 127.0.0.1 and at no other there; without one, nowhere there. Nothing that uses the
    /// tunnel is interrupted, but what came in at the old port.
    ///
    /// # Errors
    /// Why it cannot be had now; it is tried again ([`TunnelView::localhost_error`]).
    pub async fn listen_at_localhost(&self, port: Option<u16>) -> Result<(), UiError> {
        self.localhost.listen(port).await.map_err(|error| UiError::from(&error))
    }

    /// Holds the tunnel for `holder`; dials if there is no session. Returns at once: [`Self::up`] waits.
    #[must_use = "dropping the lease lets the tunnel go"]
    pub fn lease(&self, holder: LeaseHolder) -> Lease {
        self.line.lease(holder)
    }

    /// Waits until the tunnel is up.
    ///
    /// # Errors
    /// Why it failed, if another try cannot mend that; why the last dial failed, once the configured patience is
    /// over (the tunnel itself tries on while the lease is held); [`dockline_model::Code::Disconnected`] if the
    /// lease was taken away.
    pub async fn up(&self, lease: &Lease) -> Result<(), UiError> {
        self.line.sessions(lease, self.patience, false).await.map(drop)
    }

    /// Waits until the tunnel is up, and opens a channel to the far end to see whether anything listens there.
    ///
    /// # Errors
    /// As [`Self::up`]; [`dockline_model::Code::RemoteClosed`] and
    /// [`dockline_model::Code::ForwardForbidden`] besides.
    pub async fn check_remote(&self, lease: &Lease) -> Result<(), UiError> {
        let pooled = self.reach(lease).await?;
        // It may have closed by itself.
        let _ = pooled.channel.1.close().await;
        Ok(())
    }

    /// The same for whoever connects right after it: the channel is kept for that connection, and further ones for so many
    /// `connections` in all, as far as they can be had at once in a session that is up. How long the first one took.
    ///
    /// # Errors
    /// As [`Self::check_remote`].
    pub async fn prepare(&self, lease: &Lease, connections: usize) -> Result<Duration, UiError> {
        let began = Instant::now();
        let more = pin!(join_all((1..connections).map(|_| self.open_ahead(lease))));
        let (first, took, more) = match select(pin!(self.reach(lease)), more).await {
            Either::Left((first, more)) => {
                let took = began.elapsed();
                // They were asked for together; one that is not answered is not worth waiting for.
                (first, took, timeout(took, more).await.unwrap_or_default())
            }
            Either::Right((more, first)) => {
                let first = first.await;
                (first, began.elapsed(), more)
            }
        };
        let more: Vec<PooledChannel> = more.into_iter().flatten().collect();
        let kept = match first {
            Ok(first) => {
                // Of several hosts another may have been found.
                let (mut same, others): (Vec<_>, Vec<_>) =
                    more.into_iter().partition(|other| other.is_beside(&first));
                spare::close(others).await;
                same.push(first);
                same
            }
            Err(error) => {
                spare::close(more).await;
                return Err(error);
            }
        };
        let (spare, stopped) = (self.line.spare.clone(), self.stopped.clone());
        self.tasks.spawn(async move { stopped.run_until_cancelled(spare.keep(kept)).await });
        Ok(took)
    }

    async fn open_ahead(&self, lease: &Lease) -> Option<PooledChannel> {
        let sessions = self.line.sessions(lease, Duration::ZERO, false).await.ok()?;
        sessions.open_ahead(&self.remote).await.ok()
    }

    async fn reach(&self, lease: &Lease) -> Result<PooledChannel, UiError> {
        let opened = match self.line.open(lease, (&self.remote, unspecified()), self.patience, false).await {
            Ok(pooled) => Ok(pooled),
            Err(NotOpened::NoChannel(error)) => Err(UiError::from(&error)),
            Err(NotOpened::NoSession(error)) => return Err(error),
        };
        self.line.send(Message::Carried(opened.as_ref().err().cloned()));
        opened
    }

    /// For a transfer that is about to open so many channels: further SSH sessions, as far as they may be had, are dialled
    /// together and before they are waited for. Nothing, if the tunnel is not up.
    pub async fn make_room(&self, lease: &Lease, channels: usize) {
        if let Ok(sessions) = self.line.sessions(lease, Duration::ZERO, false).await {
            sessions.make_room(channels);
        }
    }

    /// Drops the person's leases, and with `force` everyone's. Returns when the tunnel has been told, and with
    /// nothing left to hold it, when it is closed.
    pub async fn disconnect(&self, force: bool) {
        let (done, told) = oneshot::channel();
        self.line.send(Message::Disconnect { force, done });
        let _ = told.await;
    }

    /// Takes over those settings that open connections do not end for: the linger and the limits.
    pub fn adjust(&self, spec: &RegistrySpec) {
        self.traffic.limit(&spec.limits);
        self.line.send(Message::Adjust { linger: Duration::from_secs(spec.linger_seconds.into()) });
    }

    /// The tunnel as it is now.
    #[must_use]
    pub fn view(&self) -> TunnelView {
        self.view.borrow().clone()
    }

    /// The tunnel as it changes. Bytes are refreshed twice a second.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<TunnelView> {
        self.view.clone()
    }

    /// Tells how many bytes it has carried so far. The [view](Self::view)'s figures are for display and come later.
    #[must_use]
    pub fn carried(&self) -> Carried {
        Carried(self.traffic.clone())
    }

    /// Closes everything, listener included, and waits for it.
    pub async fn stop(self) {
        let Self { stop, stopped, tasks, .. } = self;
        // Other handles may be alive; theirs is the same tunnel, which ends now.
        match Arc::try_unwrap(stop) {
            Ok(guard) => guard.disarm().cancel(),
            Err(_) => self.line.send(Message::Stop),
        }
        stopped.cancelled().await;
        tasks.close();
        tasks.wait().await;
    }
}

/// A listener at an entrance, unless there may be none.
async fn listen(entrance: Result<Entrance, TunnelError>) -> (Option<Listener>, Result<(), TunnelError>) {
    match entrance {
        Ok(entrance) => {
            let (listener, bound) = Listener::bind(entrance).await;
            (Some(listener), bound)
        }
        Err(error) => (None, Err(error)),
    }
}

//! The one task that owns a tunnel: it feeds the lifecycle with what happens, performs what that decides, and shows
//! the outcome.

mod view;
mod waiters;

use crate::{
    PoolLimits,
    entrance::{Unbound, Which},
    error::TunnelError,
    lifecycle::{Effect, Input, LeaseId, Lifecycle, Moment},
    network::Surroundings,
    peer::Program,
    pool::SessionPool,
    pump::Traffic,
    route::{Dialled, Route, is_quiet},
};
use dockline_model::{LeaseHolder, PassedOver, RegistrySpec, RouteView, TunnelState, TunnelView, UiError};
use futures::future::{BoxFuture, FutureExt as _};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use waiters::Waiter;

/// How often the bytes carried are shown anew.
const TRAFFIC_INTERVAL: Duration = Duration::from_millis(500);

/// The way in.
pub(crate) type Inbox = mpsc::UnboundedSender<Message>;

/// What the actor is told.
pub(crate) enum Message {
    /// Somebody wants the tunnel.
    Acquire { id: LeaseId, holder: LeaseHolder, revoked: CancellationToken },
    /// Somebody is done with it.
    Release { id: LeaseId },
    /// Somebody waits for a session.
    Wait {
        lease: LeaseId,
        patience: Duration,
        hard: bool,
        reply: oneshot::Sender<Result<SessionPool, UiError>>,
    },
    /// A person wants it closed.
    Disconnect { force: bool, done: oneshot::Sender<()> },
    /// A listener came (`None`), or could still not be had.
    Listening { at: Which, error: Option<TunnelError> },
    /// A connection was carried (`None`), or why it was not.
    Carried(Option<UiError>),
    /// Programs behind connections.
    Named(Vec<(LeaseId, Program)>),
    /// The registry behind these sessions does not work.
    Unhealthy { pool: SessionPool, error: TunnelError },
    /// A host that is preferred to the one of these sessions works again.
    Better { pool: SessionPool, dialled: Box<Dialled> },
    /// None that is preferred to the one of these sessions does, for these reasons.
    NoBetter { pool: SessionPool, passed_over: Vec<PassedOver> },
    /// From the next release of the last lease on, it lingers for so long.
    Adjust { linger: Duration },
    /// Close everything.
    Stop,
}

/// Everything about one tunnel.
pub(crate) struct Actor {
    machine: Lifecycle,
    route: Arc<Route>,
    /// The host in use, where there are several.
    via: Option<Box<RouteView>>,
    /// Looks after the host in use.
    health: Option<AbortOnDropHandle<()>>,
    /// Sessions with a host that the tunnel has left, which connections still use.
    retired: Vec<SessionPool>,
    own_inbox: mpsc::WeakUnboundedSender<Message>,
    surroundings: Arc<Surroundings>,
    limits: PoolLimits,
    epoch: Instant,
    /// The epoch on the wall.
    epoch_wall: SystemTime,
    dial: Option<AbortOnDropHandle<Result<Dialled, TunnelError>>>,
    pool: Option<SessionPool>,
    /// Resolves when the pool that is being closed is closed.
    closing: Option<BoxFuture<'static, ()>>,
    timer: Option<Moment>,
    waiters: Vec<Waiter>,
    disconnects: Vec<oneshot::Sender<()>>,
    revocations: BTreeMap<LeaseId, CancellationToken>,
    programs: BTreeMap<LeaseId, Program>,
    unbound: Unbound,
    forward_error: Option<UiError>,
    traffic: Arc<Traffic>,
    view: watch::Sender<TunnelView>,
}

impl Actor {
    pub(crate) fn new(
        spec: &RegistrySpec,
        route: Arc<Route>,
        surroundings: Arc<Surroundings>,
        limits: PoolLimits,
        unbound: Unbound,
        own_inbox: mpsc::WeakUnboundedSender<Message>,
    ) -> (Self, watch::Receiver<TunnelView>) {
        let (view, watcher) = watch::channel(TunnelView {
            listener_error: unbound.own.clone(),
            gateway_error: unbound.gateway.clone(),
            localhost_error: unbound.localhost.clone(),
            ..TunnelView::idle()
        });
        let actor = Self {
            machine: Lifecycle::new(Duration::from_secs(spec.linger_seconds.into())),
            route,
            via: None,
            health: None,
            retired: Vec::new(),
            own_inbox,
            surroundings,
            limits,
            epoch: Instant::now(),
            epoch_wall: SystemTime::now(),
            dial: None,
            pool: None,
            closing: None,
            timer: None,
            waiters: Vec::new(),
            disconnects: Vec::new(),
            revocations: BTreeMap::new(),
            programs: BTreeMap::new(),
            unbound,
            forward_error: None,
            traffic: Arc::default(),
            view,
        };
        (actor, watcher)
    }

    pub(crate) fn traffic(&self) -> Arc<Traffic> {
        self.traffic.clone()
    }

    /// Works until `stop` or [`Message::Stop`].
    pub(crate) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>, stop: CancellationToken) {
        let mut traffic = tokio::time::interval(TRAFFIC_INTERVAL);
        traffic.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let surroundings = self.surroundings.clone();
        let mut changes = surroundings.changes();
        let watching = surroundings.watch();
        tokio::pin!(watching);
        let mut carried = false;
        loop {
            let wake = self.timer.map(|moment| self.epoch + moment);
            let impatience = self.waiters.iter().map(|waiter| waiter.deadline).min();
            let has_pool = self.machine.has_session();
            carried |= self.carries();
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                message = inbox.recv() => match message {
                    Some(Message::Stop) | None => break,
                    Some(message) => self.take(message),
                },
                outcome = joined(&mut self.dial), if self.dial.is_some() => {
                    self.dial = None;
                    self.dialled(outcome);
                }
                () = finished(&mut self.closing), if self.closing.is_some() => {
                    self.closing = None;
                    self.handle(Input::Closed);
                }
                error = lost(&self.pool), if has_pool => {
                    tracing::info!(%error, "the tunnel's session is lost");
                    self.part_with_pool();
                    self.handle(Input::SessionLost { error: UiError::from(&error) });
                }
                () = until(wake), if wake.is_some() => {
                    self.timer = None;
                    self.handle(Input::Tick);
                }
                Ok(()) = changes.changed() => self.handle(Input::PathChanged),
                () = until(impatience), if impatience.is_some() => {}
                // Once more when nothing is carried any longer: the last bytes are counted after it. A tunnel that is only
                // held open wakes nobody.
                _ = traffic.tick(), if has_pool && carried => carried = false,
                () = &mut watching => {}
            }
            // Shown first: who is answered may look at once.
            self.show();
            self.answer();
        }
        stop.cancel();
        self.shut().await;
    }

    fn now(&self) -> Moment {
        self.epoch.elapsed()
    }

    /// Whether anybody holds the tunnel who may send something through it.
    fn carries(&self) -> bool {
        self.machine.leases().values().any(|held| match held.holder {
            LeaseHolder::Transfer { .. } | LeaseHolder::Visit | LeaseHolder::Connection { .. } => true,
            LeaseHolder::Manual | LeaseHolder::Face { .. } => false,
        })
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Acquire { id, holder, revoked } => {
                self.revocations.insert(id, revoked);
                self.handle(Input::Acquire { id, holder });
            }
            Message::Release { id } => {
                self.revocations.remove(&id);
                self.programs.remove(&id);
                self.handle(Input::Release { id });
            }
            Message::Wait { lease, patience, hard, reply } => {
                let deadline = Instant::now() + patience;
                self.waiters.push(Waiter { lease, deadline, patience, hard, reply });
            }
            Message::Disconnect { force, done } => {
                self.disconnects.push(done);
                self.handle(Input::Disconnect { force });
                let leases = self.machine.leases();
                self.programs.retain(|id, _| leases.contains_key(id));
                self.revocations.retain(|id, revoked| {
                    let held = leases.contains_key(id);
                    if !held {
                        revoked.cancel();
                    }
                    held
                });
            }
            Message::Listening { at, error } => self.unbound.note(at, error.as_ref()),
            Message::Carried(error) => self.forward_error = error,
            Message::Named(names) => {
                let leases = self.machine.leases();
                self.programs.extend(names.into_iter().filter(|(id, _)| leases.contains_key(id)));
            }
            Message::Unhealthy { pool, error } => {
                if self.goes_through(&pool) {
                    tracing::info!(%error, "the tunnel leaves its host");
                    self.part_with_pool();
                    self.retire(pool);
                    self.handle(Input::SessionLost { error: UiError::from(&error) });
                }
            }
            Message::Better { pool, dialled } => {
                // Whoever has begun meanwhile goes on where it began; `dialled` ends here.
                if self.goes_through(&pool) && is_quiet(&self.view.borrow()) {
                    self.part_with_pool();
                    self.retire(pool);
                    self.go_through(*dialled);
                }
            }
            Message::NoBetter { pool, passed_over } => {
                if self.goes_through(&pool)
                    && let Some(via) = &mut self.via
                {
                    via.passed_over = passed_over;
                }
            }
            Message::Adjust { linger } => self.machine.set_linger(linger),
            Message::Stop => {}
        }
    }

    fn goes_through(&self, pool: &SessionPool) -> bool {
        self.machine.has_session() && self.pool.as_ref().is_some_and(|own| own.is(pool))
    }

    fn go_through(&mut self, dialled: Dialled) {
        let Dialled { session, dialer, rank, view } = dialled;
        let pool = SessionPool::new(session, dialer, self.limits);
        self.health = self.route.watch(rank, pool.clone(), self.view.subscribe(), self.own_inbox.clone());
        self.via = view;
        self.pool = Some(pool);
    }

    fn part_with_pool(&mut self) -> Option<SessionPool> {
        (self.health, self.via) = (None, None);
        self.pool.take()
    }

    /// Connections that use it end by themselves.
    fn retire(&mut self, pool: SessionPool) {
        self.retired.retain(|pool| !pool.is_closed());
        self.retired.push(pool.clone());
        tokio::spawn(async move { pool.retire().await });
    }

    fn dialled(&mut self, outcome: Result<Dialled, TunnelError>) {
        match outcome {
            Ok(dialled) => {
                self.go_through(dialled);
                self.handle(Input::Dialled);
            }
            Err(error) => {
                tracing::info!(%error, "a dial failed");
                self.handle(Input::DialFailed {
                    error: UiError::from(&error),
                    retriable: error.is_retriable(),
                    pushed_back: error.is_pushed_back(),
                    jitter: rand::random(),
                });
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let mut effects: VecDeque<Effect> = self.machine.handle(input, self.now()).into();
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Dial => {
                    let route = self.route.clone();
                    self.forward_error = None;
                    self.dial = Some(AbortOnDropHandle::new(tokio::spawn(async move { route.dial().await })));
                }
                Effect::AbortDial => self.dial = None,
                Effect::Close => match self.part_with_pool() {
                    Some(pool) => self.closing = Some(async move { pool.close().await }.boxed()),
                    None => effects.extend(self.machine.handle(Input::Closed, self.now())),
                },
                Effect::SetTimer(moment) => self.timer = Some(moment),
                Effect::CancelTimer => self.timer = None,
                // Their leases are gone from the map; `take` tells each of them.
                Effect::ResetConnections => {}
                Effect::Check => {
                    if let Some(pool) = &self.pool {
                        pool.check();
                    }
                }
            }
        }
    }

    async fn shut(mut self) {
        self.dial = None;
        for revoked in self.revocations.values() {
            revoked.cancel();
        }
        let pools: Vec<SessionPool> =
            self.part_with_pool().into_iter().chain(self.retired.drain(..)).collect();
        futures::future::join_all(pools.iter().map(SessionPool::close)).await;
        if let Some(closing) = self.closing.take() {
            closing.await;
        }
        self.machine.handle(Input::Disconnect { force: true }, self.now());
        self.view.send_modify(|view| {
            view.state = TunnelState::Idle;
            view.route = None;
            view.leases.clear();
        });
    }
}

async fn joined(
    dial: &mut Option<AbortOnDropHandle<Result<Dialled, TunnelError>>>,
) -> Result<Dialled, TunnelError> {
    match dial {
        // A task that panicked has said why on its own.
        Some(dial) => dial.await.unwrap_or_else(|_| Err(russh::Error::Disconnect.into())),
        None => std::future::pending().await,
    }
}

async fn finished(closing: &mut Option<BoxFuture<'static, ()>>) {
    match closing {
        Some(closing) => closing.await,
        None => std::future::pending().await,
    }
}

async fn lost(pool: &Option<SessionPool>) -> TunnelError {
    match pool {
        Some(pool) => pool.lost().await,
        None => std::future::pending().await,
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

//! The one task that owns a tunnel: it feeds the lifecycle with what happens, performs what that decides, and shows
//! the outcome.

use crate::{
    PoolLimits,
    entrance::{Unbound, Which},
    error::TunnelError,
    lifecycle::{Effect, Input, LeaseId, Lifecycle, Moment, State},
    network::Surroundings,
    peer::Program,
    pool::SessionPool,
    pump::Traffic,
    route::{Dialled, Route, is_quiet},
};
use dockline_model::{
    LeaseHolder, LeaseView, PassedOver, RegistrySpec, RouteView, TunnelState, TunnelView, UiError, UnixMillis,
};
use futures::future::{BoxFuture, FutureExt as _};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, atomic::Ordering},
    time::{Duration, SystemTime},
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

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

/// Somebody who waits for a session.
struct Waiter {
    lease: LeaseId,
    deadline: Instant,
    patience: Duration,
    /// Whether the deadline holds while a dial that nothing is known against is under way, too.
    hard: bool,
    reply: oneshot::Sender<Result<SessionPool, UiError>>,
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

    /// Answers everyone who need not wait any longer.
    fn answer(&mut self) {
        let now = Instant::now();
        let mut waiting = Vec::new();
        for waiter in std::mem::take(&mut self.waiters) {
            let is_late = now >= waiter.deadline;
            let answer = if !self.machine.leases().contains_key(&waiter.lease) {
                Some(Err(UiError::from(&TunnelError::Disconnected)))
            } else {
                match (self.machine.state(), &self.pool) {
                    (State::Up { .. }, Some(pool)) => Some(Ok(pool.clone())),
                    (State::Failed { error, .. }, _) => Some(Err(error.clone())),
                    (State::Reconnecting { error, .. }, _) if is_late => Some(Err(error.clone())),
                    _ if is_late && waiter.hard => {
                        let seconds = waiter.patience.as_secs();
                        Some(Err(UiError::from(&TunnelError::TimedOut { seconds })))
                    }
                    _ => None,
                }
            };
            match answer {
                // Who asked may have gone away.
                Some(answer) => drop(waiter.reply.send(answer)),
                None if waiter.reply.is_closed() => {}
                // A late one that is not held to its deadline is looked at again at the next change.
                None if is_late => {
                    waiting.push(Waiter { deadline: now + Duration::from_secs(1), ..waiter });
                }
                None => waiting.push(waiter),
            }
        }
        self.waiters = waiting;
        if self.closing.is_none() {
            for done in self.disconnects.drain(..) {
                let _ = done.send(());
            }
        }
    }

    fn wall(&self, moment: Moment) -> UnixMillis {
        let wall = self.epoch_wall + moment;
        UnixMillis(wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64))
    }

    fn show(&self) {
        self.surroundings.concern(match self.machine.state() {
            State::Idle | State::Closing | State::Failed { .. } => false,
            State::Connecting { .. }
            | State::Up { .. }
            | State::Reconnecting { .. }
            | State::Lingering { .. } => true,
        });
        let state = match self.machine.state() {
            State::Idle => TunnelState::Idle,
            State::Connecting { since } => TunnelState::Connecting { since: self.wall(*since) },
            State::Up { since } => TunnelState::Up { since: self.wall(*since) },
            State::Reconnecting { failures, retry_at, error, .. } => TunnelState::Reconnecting {
                failures: *failures,
                retry_at: self.wall(*retry_at),
                error: error.clone(),
            },
            State::Lingering { until, .. } => TunnelState::Lingering { until: self.wall(*until) },
            State::Closing => TunnelState::Closing,
            State::Failed { error, .. } => TunnelState::Failed { error: error.clone() },
        };
        let leases = self.machine.leases();
        // A transfer goes through the listener like any program; what holds the tunnel is the transfer, said once.
        let is_in_own_hands = leases.values().any(|held| match held.holder {
            LeaseHolder::Transfer { .. } | LeaseHolder::Visit => true,
            LeaseHolder::Manual | LeaseHolder::Face { .. } | LeaseHolder::Connection { .. } => false,
        });
        let leases = leases
            .iter()
            .map(|(id, held)| (self.programs.get(id), held))
            .filter(|(program, _)| !(is_in_own_hands && program.is_some_and(|program| program.is_this_one)))
            .map(|(program, held)| LeaseView {
                holder: held.holder.clone(),
                since: self.wall(held.since),
                program: program.map(|program| match program.is_this_one {
                    true => "Dockline".to_owned(),
                    false => program.name.clone(),
                }),
                is_own: program.is_some_and(|program| program.is_this_one),
            })
            .collect();
        let view = TunnelView {
            state,
            listener_error: self.unbound.own.clone(),
            gateway_error: self.unbound.gateway.clone(),
            localhost_error: self.unbound.localhost.clone(),
            forward_error: self.forward_error.clone(),
            route: self.via.clone(),
            leases,
            bytes_up: self.traffic.up.load(Ordering::Relaxed),
            bytes_down: self.traffic.down.load(Ordering::Relaxed),
        };
        self.view.send_if_modified(|shown| {
            let changed = *shown != view;
            if changed {
                *shown = view;
            }
            changed
        });
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

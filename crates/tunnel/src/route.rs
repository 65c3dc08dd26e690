//! Which of a registry's hosts the tunnel goes through: the most preferred one that is healthy.
//!
//! This lies above the lifecycle, which knows of one session that can be dialled, lost and dialled again; here is
//! decided *where* a dial goes:
//!
//! - A host is healthy when it can be logged in to and a registry answers there. With a single host that is not asked:
//!   there is no other to go to, and the person's own request gives the answer.
//! - Every dial begins with the preferred host. One that was a waste of time a moment ago goes after the others for a
//!   while, since programs do not wait for long.
//! - A host whose key has *changed* ends the dial: going on to the next one would hide what may be an attack.
//! - While a tunnel goes through a host, that host's health is looked at, and a preferred one is tried again while the
//!   tunnel carries nothing. A tunnel that moves leaves its old sessions to the connections that use them.

use crate::{
    Ask, SshEnvironment,
    actor::Message,
    error::TunnelError,
    health,
    network::Surroundings,
    pool::SessionPool,
    session::{Credentials, Dialer, Session, unspecified},
};
use dockline_model::{
    LeaseHolder, PassedOver, RegistrySpec, RemoteEnd, RouteView, SshTarget, TunnelState, TunnelView, UiError,
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::task::AbortOnDropHandle;

/// A host that kept a dial waiting goes after the others for this long.
const AVOID_SLOW: Duration = Duration::from_secs(30);
/// So does one that another try cannot mend: logins that are refused again and again get an address banned.
const AVOID_HOPELESS: Duration = Duration::from_secs(60);
/// A host that fails its check is checked once more after this time before it is left.
const SECOND_OPINION: Duration = Duration::from_secs(2);
/// Preferred hosts are tried again after this many intervals, then after twice as many, and so on.
const FIRST_RETURN: u32 = 1;
/// No more intervals than this lie between two such tries.
const LATEST_RETURN: u32 = 30;

/// A registry's hosts.
pub(crate) struct Route {
    /// The most preferred first; never empty.
    hosts: Vec<Host>,
    remote: RemoteEnd,
    authority: String,
    interval: Duration,
}

struct Host {
    ssh: SshTarget,
    dialer: Arc<Dialer>,
    trouble: Mutex<Option<Trouble>>,
}

/// Why and until when other hosts go first.
#[derive(Clone)]
struct Trouble {
    until: Instant,
    error: TunnelError,
}

/// A session, and where it leads.
pub(crate) struct Dialled {
    pub session: Session,
    /// Makes further sessions with the same host.
    pub dialer: Arc<Dialer>,
    /// The host's place in the order of preference, 0 for the preferred one.
    pub rank: usize,
    /// For display, where there are several hosts.
    pub view: Option<Box<RouteView>>,
}

impl Host {
    fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, outcome: Option<&TunnelError>) {
        let avoided = outcome.and_then(|error| {
            let until = Instant::now() + error.avoided_for()?;
            Some(Trouble { until, error: error.clone() })
        });
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = avoided;
    }
}

impl TunnelError {
    /// How long a host with this trouble goes after others.
    fn avoided_for(&self) -> Option<Duration> {
        if let Self::Jump { source, .. } = self {
            source.avoided_for()
        } else if matches!(
            self,
            Self::ConnectTimedOut { .. } | Self::HandshakeTimedOut { .. } | Self::Unhealthy { .. }
        ) {
            Some(AVOID_SLOW)
        } else {
            (!self.is_retriable()).then_some(AVOID_HOPELESS)
        }
    }
}

impl Route {
    pub(crate) fn new(
        spec: &RegistrySpec,
        ssh: &SshEnvironment,
        ask: &Arc<dyn Ask>,
        surroundings: &Arc<Surroundings>,
        interval: Duration,
    ) -> Self {
        let credentials = Arc::new(Credentials::default());
        let has_several = !spec.fallbacks.is_empty();
        let host = |target: &SshTarget| {
            let dialer = Dialer::new(
                spec.name.clone(),
                target.clone(),
                ssh.clone(),
                ask.clone(),
                surroundings.clone(),
                credentials.clone(),
            );
            let dialer = if has_several { dialer.hurried() } else { dialer };
            Host { ssh: target.clone(), dialer: Arc::new(dialer), trouble: Mutex::new(None) }
        };
        Self {
            hosts: spec.hosts().map(host).collect(),
            remote: spec.remote.clone(),
            authority: spec.authority(),
            interval,
        }
    }

    /// Whether there is any choice.
    pub(crate) fn has_choice(&self) -> bool {
        self.hosts.len() > 1
    }

    /// A session with the best host there is. A person may be asked.
    pub(crate) async fn dial(&self) -> Result<Dialled, TunnelError> {
        if let [only] = self.hosts.as_slice() {
            let session = only.dialer.dial(true).await?;
            return Ok(Dialled { session, dialer: only.dialer.clone(), rank: 0, view: None });
        }
        let now = Instant::now();
        let is_avoided = |host: &Host| host.trouble().is_some_and(|trouble| trouble.until > now);
        let (last, first): (Vec<usize>, Vec<usize>) =
            (0..self.hosts.len()).partition(|rank| is_avoided(&self.hosts[*rank]));
        // With everybody in trouble the order is the person's again.
        let order = if first.is_empty() { last } else { [first, last].concat() };
        let mut failures = Vec::new();
        for rank in order {
            match self.reach(rank, true).await {
                Ok(session) => return Ok(self.dialled(rank, session, &failures)),
                Err(error) if error.is_about_a_changed_key() => {
                    return Err(TunnelError::NoFurther { source: Box::new(error) });
                }
                Err(error) => {
                    tracing::info!(%error, "the next host is tried");
                    failures.push((rank, error));
                }
            }
        }
        failures.sort_by_key(|(rank, _)| *rank);
        Err(TunnelError::NoHost { failures: failures.into_iter().map(|(_, error)| error).collect() })
    }

    fn dialled(&self, rank: usize, session: Session, failures: &[(usize, TunnelError)]) -> Dialled {
        let passed_over = self.hosts[..rank]
            .iter()
            .enumerate()
            .filter_map(|(passed, host)| {
                let failed =
                    failures.iter().find(|(rank, _)| *rank == passed).map(|(_, error)| error.clone());
                let error = failed.or_else(|| Some(host.trouble()?.error))?;
                Some(PassedOver { ssh: host.ssh.clone(), error: UiError::from(&error) })
            })
            .collect();
        let host = &self.hosts[rank];
        let view = self.has_choice().then(|| Box::new(RouteView { ssh: host.ssh.clone(), passed_over }));
        Dialled { session, dialer: host.dialer.clone(), rank, view }
    }

    /// A session with one host, if it is healthy.
    async fn reach(&self, rank: usize, may_ask: bool) -> Result<Session, TunnelError> {
        let host = &self.hosts[rank];
        let reached = async {
            let session = host.dialer.dial(may_ask).await?;
            let channel = session.open(&self.remote, unspecified()).await;
            let healthy = match channel {
                Ok(channel) => self.ask(channel, session.host()).await,
                Err(error) => Err(error),
            };
            match healthy {
                Ok(()) => Ok(session),
                Err(error) => {
                    session.close().await;
                    Err(error)
                }
            }
        };
        let reached = reached.await;
        host.note(reached.as_ref().err());
        reached
    }

    async fn ask(&self, channel: crate::session::Channel, host: &str) -> Result<(), TunnelError> {
        health::ask(channel, &self.authority, host, self.remote.to_string()).await
    }

    /// A session with a host that is preferred to the one of `rank`, or why there is none. Nobody is asked anything.
    async fn better(&self, rank: usize) -> Result<Dialled, Vec<PassedOver>> {
        let mut failures = Vec::new();
        for better in 0..rank {
            match self.reach(better, false).await {
                Ok(session) => return Ok(self.dialled(better, session, &failures)),
                Err(error) => failures.push((better, error)),
            }
        }
        let passed_over = failures.into_iter().map(|(rank, error)| PassedOver {
            ssh: self.hosts[rank].ssh.clone(),
            error: UiError::from(&error),
        });
        Err(passed_over.collect())
    }

    /// Looks after a tunnel that goes through the host of `rank`, for as long as the handle lives.
    pub(crate) fn watch(
        self: &Arc<Self>,
        rank: usize,
        pool: SessionPool,
        view: watch::Receiver<TunnelView>,
        inbox: mpsc::WeakUnboundedSender<Message>,
    ) -> Option<AbortOnDropHandle<()>> {
        let watch = Watch { route: self.clone(), rank, pool, view, inbox };
        self.has_choice().then(|| AbortOnDropHandle::new(tokio::spawn(watch.run())))
    }
}

/// See [`Route::watch`].
struct Watch {
    route: Arc<Route>,
    rank: usize,
    pool: SessionPool,
    view: watch::Receiver<TunnelView>,
    inbox: mpsc::WeakUnboundedSender<Message>,
}

impl Watch {
    async fn run(self) {
        let (mut rounds, mut pause) = (0, FIRST_RETURN);
        let mut carried = self.carried();
        loop {
            tokio::time::sleep(self.route.interval.mul_f64(rand::random_range(0.9..1.1))).await;
            let carried_before = std::mem::replace(&mut carried, self.carried());
            // Bytes that arrive prove more than any question, and a busy path is no place for one.
            if carried != carried_before {
                rounds = 0;
                continue;
            }
            if let Err(error) = self.twice_unhealthy().await {
                self.send(Message::Unhealthy { pool: self.pool.clone(), error });
                return;
            }
            rounds += 1;
            if self.rank > 0 && rounds >= pause && is_quiet(&self.view.borrow()) {
                (rounds, pause) = (0, (pause * 2).min(LATEST_RETURN));
                let pool = self.pool.clone();
                match self.route.better(self.rank).await {
                    Ok(dialled) => {
                        // If the tunnel is busy again by then, it stays; and is looked after further.
                        self.send(Message::Better { pool, dialled: Box::new(dialled) });
                    }
                    Err(passed_over) => self.send(Message::NoBetter { pool, passed_over }),
                }
            }
        }
    }

    fn send(&self, message: Message) {
        if let Some(inbox) = self.inbox.upgrade() {
            // An actor that is gone has no use for it.
            let _ = inbox.send(message);
        }
    }

    fn carried(&self) -> (u64, u64) {
        let view = self.view.borrow();
        (view.bytes_up, view.bytes_down)
    }

    async fn twice_unhealthy(&self) -> Result<(), TunnelError> {
        if self.healthy().await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(SECOND_OPINION).await;
        self.healthy().await
    }

    async fn healthy(&self) -> Result<(), TunnelError> {
        let pooled = self.pool.open_control(&self.route.remote).await?;
        self.route.ask(pooled.channel, &self.route.hosts[self.rank].ssh.host).await
    }
}

/// Whether nothing would notice if the tunnel moved: a transfer is many connections, with pauses between them.
pub(crate) fn is_quiet(view: &TunnelView) -> bool {
    let is_patient = |holder: &LeaseHolder| match holder {
        LeaseHolder::Manual | LeaseHolder::Face { .. } => true,
        LeaseHolder::Transfer { .. } | LeaseHolder::Visit | LeaseHolder::Connection { .. } => false,
    };
    matches!(view.state, TunnelState::Up { .. }) && view.leases.iter().all(|lease| is_patient(&lease.holder))
}

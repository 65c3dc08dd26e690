//! The reverse direction: a port of the host's own 127.0.0.1 that leads to a registry of this machine (`ssh -R`,
//! RFC 4254 §7).
//!
//! Nobody but programs on the host may come in. sshd decides where it listens, and with `GatewayPorts yes` that is
//! everywhere, whatever was asked for (sshd_config(5)); so each connection is judged by where it says that it comes
//! from, too. Whoever is on that host may use the registry while it is offered, as with `ssh -R`.
//!
//! An offer lives until it is stopped: a lost session is dialled again. When it ends, the port is given back before the
//! session is closed.

use crate::{
    Ask, SshEnvironment,
    error::TunnelError,
    lifecycle::backoff,
    local,
    network::Surroundings,
    program::Program,
    pump::{Outcome, Traffic, carry, reset},
    session::{Credentials, Dialer, Forwarded, Session},
};
use dockline_model::{
    OfferId, OfferSpec, OfferState, OfferView, RegistryName, RemoteEnd, UiError, UnixMillis,
};
use russh::ChannelOpenFailure;
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};
use tokio::{
    net::TcpStream,
    sync::{mpsc, oneshot, watch},
};
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

/// Where the host is to listen. Literally so: sshd compares `permitlisten` with these characters.
const LISTEN: &str = "127.0.0.1";
/// Connections that wait to be taken; the host's further ones are refused.
const WAITING: usize = 64;
/// How long the registry of this machine may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the host has to answer when the way to it may have died.
const CHECK: Duration = Duration::from_secs(3);
/// How many ports are tried in a row where any will do.
const PORTS: u32 = 5;
/// How often the figures are shown anew.
const SHOWN_EVERY: Duration = Duration::from_millis(500);

/// Everything an offer needs to know.
#[derive(Debug, Clone)]
pub struct OfferConfig {
    /// For its view.
    pub id: OfferId,
    /// What is offered, and to whom.
    pub spec: OfferSpec,
    /// Whom questions name.
    pub name: RegistryName,
    /// Where OpenSSH's files are.
    pub ssh: SshEnvironment,
}

/// A registry of this machine that a host may use. Clones are handles to the same one; it ends when [`Offer::stop`]
/// is called or the last handle is dropped.
#[derive(Clone)]
pub struct Offer {
    view: watch::Receiver<OfferView>,
    orders: mpsc::UnboundedSender<Order>,
    traffic: Arc<Traffic>,
    _stop: Arc<DropGuard>,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer").field("state", &self.view.borrow().state).finish_non_exhaustive()
    }
}

impl Offer {
    /// Begins to offer. Returns at once: [`Self::ready`] waits.
    #[must_use]
    pub fn start(config: OfferConfig, ask: Arc<dyn Ask>) -> Self {
        Self::begin(config, None, ask)
    }

    /// The same where any of these `ports` will do: another is tried when one is taken, that of `config` first. The
    /// [view](Self::view) says which it is; after a lost session it may be another one, since a host that has not missed
    /// that session still listens for it, perhaps for hours.
    #[must_use]
    pub fn start_at_any(config: OfferConfig, ports: RangeInclusive<u16>, ask: Arc<dyn Ask>) -> Self {
        Self::begin(config, Some(ports), ask)
    }

    fn begin(config: OfferConfig, ports: Option<RangeInclusive<u16>>, ask: Arc<dyn Ask>) -> Self {
        let (stop, ended) = (CancellationToken::new(), CancellationToken::new());
        let (view, watcher) = watch::channel(OfferView {
            id: config.id,
            spec: config.spec.clone(),
            kept: false,
            state: OfferState::Connecting,
            connections: 0,
            error: None,
            bytes_up: 0,
            bytes_down: 0,
        });
        let (forwarded, incoming) = mpsc::channel(WAITING);
        let (orders, ordered) = mpsc::unbounded_channel();
        let OfferConfig { spec, name, ssh, .. } = config;
        let surroundings = Arc::new(Surroundings::new());
        // An offer is wanted for as long as there is one.
        surroundings.concern(true);
        let credentials = Arc::new(Credentials::default());
        let traffic = Arc::<Traffic>::default();
        let dialer = Dialer::new(name, spec.ssh.clone(), ssh, ask, surroundings.clone(), credentials);
        let task = Offering {
            dialer: dialer.accepting(forwarded),
            spec,
            ports,
            incoming,
            ordered,
            view,
            connections: Connections {
                count: Arc::default(),
                traffic: traffic.clone(),
                tasks: TaskTracker::new(),
            },
            stop: stop.clone(),
        };
        let guard = ended.clone().drop_guard();
        tokio::spawn(async move {
            tokio::select! {
                () = task.run(surroundings.changes()) => {}
                () = surroundings.watch() => {}
            }
            drop(guard);
        });
        Self { view: watcher, orders, traffic, _stop: Arc::new(stop.clone().drop_guard()), stop, ended }
    }

    /// Waits until the host listens.
    ///
    /// # Errors
    /// Why it does not: at the first failure, although the offer itself tries on if another try may help.
    pub async fn ready(&self) -> Result<(), UiError> {
        let mut view = self.view.clone();
        let settled = view.wait_for(|view| !matches!(view.state, OfferState::Connecting)).await;
        match settled.map(|view| view.state.clone()) {
            Ok(OfferState::Offering { .. } | OfferState::Connecting) => Ok(()),
            Ok(OfferState::Reconnecting { error, .. } | OfferState::Failed { error }) => Err(error),
            Err(_) => Err(UiError::from(&TunnelError::Disconnected)),
        }
    }

    /// The offer as it is now.
    #[must_use]
    pub fn view(&self) -> OfferView {
        self.view.borrow().clone()
    }

    /// The offer as it changes.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<OfferView> {
        self.view.clone()
    }

    /// Tells how many bytes went to the host so far. The [view](Self::view)'s figure is for display and comes later.
    pub fn sent(&self) -> impl Fn() -> u64 + Send + use<> {
        let traffic = self.traffic.clone();
        move || traffic.up.load(Ordering::Relaxed)
    }

    /// Runs a program on the host, over the session that the offer has; waits for one where it is being dialled again.
    ///
    /// # Errors
    /// Where the host runs none for us, or the offer has ended.
    pub async fn run(&self, command: &str) -> Result<Program, UiError> {
        let gone = || UiError::from(&TunnelError::Disconnected);
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order { command: command.to_owned(), reply }).map_err(|_| gone())?;
        tokio::select! {
            answer = answer => answer.map_err(|_| gone())?.map_err(|error| UiError::from(&error)),
            () = self.ended.cancelled() => Err(gone()),
        }
    }

    /// Takes the offer back, cuts its connections, and waits until that is done.
    pub async fn stop(self) {
        self.stop.cancel();
        self.ended.cancelled().await;
    }
}

/// The task behind an [`Offer`].
struct Offering {
    dialer: Dialer,
    spec: OfferSpec,
    /// Where the host may listen as well, if not only where the spec says.
    ports: Option<RangeInclusive<u16>>,
    incoming: mpsc::Receiver<Forwarded>,
    ordered: mpsc::UnboundedReceiver<Order>,
    view: watch::Sender<OfferView>,
    connections: Connections,
    stop: CancellationToken,
}

/// A program that the host is to run.
struct Order {
    command: String,
    reply: oneshot::Sender<Result<Program, TunnelError>>,
}

/// The host's connections.
struct Connections {
    count: Arc<AtomicU32>,
    traffic: Arc<Traffic>,
    tasks: TaskTracker,
}

/// What came of one connection: nothing to say, or why it could not be carried.
type Carried = Option<TunnelError>;

impl Offering {
    async fn run(mut self, mut changes: watch::Receiver<u64>) {
        let (mut failures, mut was_up) = (0, false);
        let stop = self.stop.clone();
        loop {
            let established = tokio::select! {
                established = self.establish(was_up) => established,
                () = stop.cancelled() => break,
            };
            let error = match established {
                Ok(session) => {
                    let session = Arc::new(session);
                    (failures, was_up) = (0, true);
                    self.state(OfferState::Offering { since: now() });
                    let lost = self.serve(&session, &mut changes).await;
                    let Some(error) = lost else {
                        session.withdraw(LISTEN, self.spec.port).await;
                        session.close().await;
                        break;
                    };
                    error
                }
                Err(error) => {
                    failures += 1;
                    error
                }
            };
            // A host that has not noticed yet that the last session is gone still listens for it.
            let is_waited_for = was_up && self.ports.is_none();
            let may_pass =
                error.is_retriable() || (is_waited_for && matches!(error, TunnelError::OfferTaken { .. }));
            if !may_pass {
                tracing::info!(%error, "the offer has failed");
                self.state(OfferState::Failed { error: UiError::from(&error) });
                break;
            }
            let wait = match failures {
                0 => Duration::ZERO,
                failures => backoff(failures, error.is_pushed_back(), rand::random()),
            };
            let retry_at = UnixMillis(now().0 + u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
            self.state(OfferState::Reconnecting { retry_at, error: UiError::from(&error) });
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // The way to the host may be another one now.
                Ok(()) = changes.changed() => failures = 0,
                () = self.stop.cancelled() => break,
            }
        }
        self.stop.cancel();
        self.connections.tasks.close();
        self.connections.tasks.wait().await;
        self.figures();
    }

    /// A session whose host listens. `was_up`: whether an earlier one's did.
    async fn establish(&mut self, was_up: bool) -> Result<Session, TunnelError> {
        let session = self.dialer.dial(true).await?;
        // What an earlier session left in the queue cannot be answered any more.
        while self.incoming.try_recv().is_ok() {}
        let mut tries = 1;
        loop {
            let Err(mut error) = session.listen(LISTEN, self.spec.port).await else {
                return Ok(session);
            };
            if matches!(error, TunnelError::OfferForbidden { .. }) && self.is_taken(&session).await {
                error = TunnelError::OfferTaken { host: session.host().to_owned(), port: self.spec.port };
            }
            // Where the host opens no channels for us nobody sees whether the port is taken, but it let us listen before.
            let may_be_taken = matches!(error, TunnelError::OfferTaken { .. })
                || (was_up && matches!(error, TunnelError::OfferForbidden { .. }));
            match &self.ports {
                Some(ports) if may_be_taken && tries < PORTS => {
                    tries += 1;
                    let port = rand::random_range(ports.clone());
                    tracing::info!(taken = self.spec.port, port, "another port of the host is tried");
                    self.spec.port = port;
                    self.view.send_modify(|view| view.spec.port = port);
                }
                Some(_) | None => {
                    session.close().await;
                    return Err(error);
                }
            }
        }
    }

    /// sshd says no in the same way to what it forbids and to a port that is taken.
    async fn is_taken(&self, session: &Session) -> bool {
        let port = RemoteEnd::Tcp { host: LISTEN.to_owned(), port: self.spec.port };
        session.open(&port, crate::session::unspecified()).await.is_ok()
    }

    /// Carries connections until the session is lost (why), or the offer is taken back (`None`).
    async fn serve(
        &mut self,
        session: &Arc<Session>,
        changes: &mut watch::Receiver<u64>,
    ) -> Option<TunnelError> {
        let mut shown = tokio::time::interval(SHOWN_EVERY);
        shown.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (results, mut carried) = mpsc::unbounded_channel::<Carried>();
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                () = session.end().ended() => return Some(session.lost()),
                Some(Order { command, reply }) = self.ordered.recv() => {
                    let session = session.clone();
                    tokio::spawn(async move {
                        // Whoever asked may not wait for it any more.
                        let _ = reply.send(session.run(&command).await);
                    });
                }
                Some(forwarded) = self.incoming.recv() => self.take(forwarded, session, results.clone()),
                Some(error) = carried.recv() => {
                    self.view.send_modify(|view| view.error = error.as_ref().map(|error| Box::new(error.into())));
                    self.figures();
                }
                Ok(()) = changes.changed() => session.check(CHECK).await,
                _ = shown.tick() => self.figures(),
            }
        }
    }

    fn take(&self, forwarded: Forwarded, session: &Session, results: mpsc::UnboundedSender<Carried>) {
        let (to, stop, end) = (self.spec.to, self.stop.child_token(), session.end().clone());
        let (count, traffic) = (Counted::new(&self.connections.count), self.connections.traffic.clone());
        let (host, port) = (session.host().to_owned(), self.spec.port);
        self.connections.tasks.spawn(async move {
            let _count = count;
            let Forwarded { channel, reply, originator } = forwarded;
            if !is_own(&originator) {
                reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
                let _ = results.send(Some(TunnelError::OfferExposed { host, port, originator }));
                return;
            }
            let mut stream = match connect(to).await {
                Ok(stream) => stream,
                Err(error) => {
                    reply.reject(ChannelOpenFailure::ConnectFailed).await;
                    let _ = results.send(Some(error));
                    return;
                }
            };
            reply.accept().await;
            // The task that shows it may have ended.
            let _ = results.send(None);
            let outcome =
                carry(&mut stream, (bytes::BytesMut::new(), None), channel.split(), &end, &traffic, &stop)
                    .await;
            match outcome {
                Outcome::Finished => {}
                Outcome::Broken => reset(stream),
            }
        });
    }

    fn state(&self, state: OfferState) {
        self.view.send_modify(|view| view.state = state);
    }

    fn figures(&self) {
        let Connections { count, traffic, .. } = &self.connections;
        let (connections, up, down) = (
            count.load(Ordering::Relaxed),
            traffic.up.load(Ordering::Relaxed),
            traffic.down.load(Ordering::Relaxed),
        );
        self.view.send_if_modified(|view| {
            let changed = (view.connections, view.bytes_up, view.bytes_down) != (connections, up, down);
            (view.connections, view.bytes_up, view.bytes_down) = (connections, up, down);
            changed
        });
    }
}

/// Counts a connection for as long as it lives.
struct Counted(Arc<AtomicU32>);

impl Counted {
    fn new(count: &Arc<AtomicU32>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a connection comes from the host itself.
fn is_own(originator: &str) -> bool {
    match originator.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback(),
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|v4: Ipv4Addr| v4.is_loopback())
        }
        Err(_) => false,
    }
}

async fn connect(to: std::net::SocketAddr) -> Result<TcpStream, TunnelError> {
    let failed = |source: std::io::Error| TunnelError::OfferedGone { to, source: Arc::new(source) };
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(to));
    let stream = match connecting.await {
        Ok(outcome) => outcome.map_err(failed)?,
        Err(_) => return Err(failed(std::io::ErrorKind::TimedOut.into())),
    };
    local::tune(&stream);
    Ok(stream)
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn only_the_host_itself_is_let_in() {
        for own in ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"] {
            assert!(is_own(own), "{own}");
        }
        for other in ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "", "UNKNOWN"] {
            assert!(!is_own(other), "{other}");
        }
    }
}

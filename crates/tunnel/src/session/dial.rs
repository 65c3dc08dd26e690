//! Dialling: from a registry's SSH target to an authenticated session, through as many jump hosts as it takes.

mod handshake;

use super::{
    Client, Forwarded, Session, SessionEnd,
    auth::{Asker, Credentials, Login},
    cipher_order,
    coalesce::Coalescing,
    greeting::Greeting,
    host_key::{self, Verifier},
    proxy::Proxy,
    pulse::{self, Pulse},
    sever::Severable,
    tcp, tuning,
};
use crate::{
    Ask, SshEnvironment,
    error::{Distrust, TunnelError},
    host_options::{self, HostOptions, StrictChecking},
    known_hosts::Key,
    network::{self, Surroundings},
    pool::Growth,
};
use dockline_model::{Answer, Question, RegistryName, RemoteEnd, SshTarget};
use futures::{FutureExt as _, future::BoxFuture};
use handshake::{handshake, with_host};
use russh::cipher;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_util::sync::CancellationToken;

/// From the connection to the server's proof of identity. Nobody is asked anything in between.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// What a connection and a handshake may take each while other hosts wait for their turn: a program's patience has to
/// do for all of them (the listener holds it for 12 s). The second SYN goes out after one second, the third after three.
const HURRIED: Duration = Duration::from_secs(3);
/// Questions of one login that may each outlast a session (sshd's `LoginGraceTime`).
const MOST_OUTWAITED: u32 = 8;
/// Jump hosts within jump hosts; more is a loop in the configuration.
const DEEPEST_JUMP: usize = 8;

/// Makes sessions with one host.
pub(crate) struct Dialer {
    /// Whom questions and the log name.
    registry: RegistryName,
    target: SshTarget,
    ssh: SshEnvironment,
    ask: Arc<dyn Ask>,
    surroundings: Arc<Surroundings>,
    credentials: Arc<Credentials>,
    /// Whether further sessions can be had.
    pub(crate) growth: Growth,
    /// How long each step may take at most, if less than usual.
    patience: Option<Duration>,
    /// Who takes the connections to ports that the host listens at for us.
    forwarded: Option<mpsc::Sender<Forwarded>>,
    /// Keys that a person trusted where no file may remember them (`UserKnownHostsFile none`), or none can.
    trusted: Mutex<Vec<(String, Vec<u8>)>>,
    /// Whether the processor has AES.
    has_aes: bool,
    /// Whether the host has no strict key exchange, so that ChaCha20 must not be chosen.
    must_be_gcm: AtomicBool,
}

impl Dialer {
    pub(crate) fn new(
        registry: RegistryName,
        target: SshTarget,
        ssh: SshEnvironment,
        ask: Arc<dyn Ask>,
        surroundings: Arc<Surroundings>,
        credentials: Arc<Credentials>,
    ) -> Self {
        Self {
            registry,
            target,
            ssh,
            ask,
            surroundings,
            credentials,
            growth: Growth::default(),
            patience: None,
            forwarded: None,
            trusted: Mutex::default(),
            has_aes: cipher_order::has_aes(),
            must_be_gcm: AtomicBool::new(false),
        }
    }

    /// As on a machine without AES in its processor.
    #[cfg(test)]
    fn without_aes(self) -> Self {
        Self { has_aes: false, ..self }
    }

    fn ciphers(&self) -> &'static [cipher::Name] {
        cipher_order::order(self.has_aes || self.must_be_gcm.load(Ordering::Relaxed))
    }

    /// As the person wrote it.
    pub(crate) fn host(&self) -> String {
        self.target.host.clone()
    }

    /// One whose sessions hand over the connections to ports that the host listens at.
    pub(crate) fn accepting(self, forwarded: mpsc::Sender<Forwarded>) -> Self {
        Self { forwarded: Some(forwarded), ..self }
    }

    /// One that gives up early, since there are other hosts.
    pub(crate) fn hurried(self) -> Self {
        Self { patience: Some(HURRIED), ..self }
    }

    async fn options(&self, target: &SshTarget) -> Result<HostOptions, TunnelError> {
        let mut options = host_options::resolve(target, &self.ssh).await?;
        if let Some(patience) = self.patience {
            options.connect_timeout = options.connect_timeout.min(patience);
        }
        Ok(options)
    }

    /// Makes a session. Unless `may_ask`, nobody is bothered: a question fails the dial instead.
    pub(crate) async fn dial(&self, may_ask: bool) -> Result<Session, TunnelError> {
        let options = self.options(&self.target).await?;
        self.reach(options, may_ask, 0).await
    }

    /// One hop with all hops before it. An unknown host key is asked about between two attempts.
    fn reach(
        &self,
        options: HostOptions,
        may_ask: bool,
        depth: usize,
    ) -> BoxFuture<'_, Result<Session, TunnelError>> {
        async move {
            let (mut may_trust, mut outwaited) = (true, 0);
            loop {
                let shown = Arc::new(OnceLock::new());
                let error = match self.attempt(&options, &shown, may_ask, depth).await {
                    Ok(session) => return Ok(session),
                    Err(error) => error,
                };
                match (&error, shown.get()) {
                    (TunnelError::HostKeyUnknown { .. }, Some(key))
                        if may_trust && (may_ask || options.strict_checking == StrictChecking::AcceptNew) =>
                    {
                        self.trust(&options, key).await?;
                        may_trust = false;
                    }
                    // What was answered too late for one session is in time for the next.
                    (TunnelError::Outwaited { .. }, _) if outwaited < MOST_OUTWAITED => outwaited += 1,
                    // AES-GCM does without strict key exchange (CVE-2023-48795), slowly where the processor does not
                    // help.
                    (TunnelError::WeakAlgorithm { .. }, _)
                        if !self.must_be_gcm.swap(true, Ordering::Relaxed) =>
                    {
                        tracing::info!(%error, "trying with AES-GCM");
                    }
                    _ => return Err(error),
                }
            }
        }
        .boxed()
    }

    async fn attempt(
        &self,
        options: &HostOptions,
        shown: &Arc<OnceLock<Key>>,
        may_ask: bool,
        depth: usize,
    ) -> Result<Session, TunnelError> {
        if !may_ask && self.credentials.need_a_person(&options.account()) {
            return Err(TunnelError::NeedsPerson { login: options.account() });
        }
        let trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let verifier = Verifier::new(options, trusted, shown.clone())?;
        let end = Arc::new(SessionEnd::default());
        let session_id = Arc::new(OnceLock::new());
        // A jump host is asked to listen for nothing.
        let forwarded = self.forwarded.clone().filter(|_| depth == 0);
        let client = Client {
            verifier,
            session_id: session_id.clone(),
            end: end.clone(),
            host: options.host_name.clone(),
            forwarded,
        };
        let (mut under, mut proxy) = (None, None);
        let pulse = Pulse::new();
        let limit = self.patience.unwrap_or(HANDSHAKE_TIMEOUT);
        // Cuts the transport unless the session comes up: the library's task would outlive a dial that is dropped.
        let cut: CancellationToken;
        let unfinished;
        let greeting = Greeting::default();
        let client = (client, self.ciphers());
        let shaken = if let Some(hop) = options.jumps.last() {
            let jump = self.jump(options, hop, may_ask, depth).await?;
            cut = jump.end.token.child_token();
            unfinished = cut.clone().drop_guard();
            let far = RemoteEnd::Tcp { host: options.host_name.clone(), port: options.port };
            let wrap = |source| TunnelError::Jump { hop: hop.clone(), source: Box::new(source) };
            let channel = jump.open_channel(&far, unspecified()).await.map_err(wrap)?;
            under = Some(Box::new(jump));
            handshake(
                Severable::new(channel.into_stream(), &cut, pulse.clone(), &greeting),
                options,
                client,
                limit,
            )
            .await
        } else if let Some(command) = &options.proxy_command {
            cut = CancellationToken::new();
            unfinished = cut.clone().drop_guard();
            let (mut running, stream) = Proxy::start(command, options)?;
            let stream = Severable::new(stream, &cut, pulse.clone(), &greeting);
            let shaken = match handshake(stream, options, client, limit).await {
                Ok(handle) => Ok(handle),
                Err(error) => Err(running.explain(error).await),
            };
            proxy = Some(running);
            shaken
        } else {
            cut = CancellationToken::new();
            unfinished = cut.clone().drop_guard();
            let stream = tcp::connect(options, &self.surroundings).await?;
            self.cut_without_address(&stream, &end, &cut);
            let stream = Severable::new(Coalescing::new(stream), &cut, pulse.clone(), &greeting);
            handshake(stream, options, client, limit).await.map_err(|error| end.better(error, options))
        };
        let turned_away = |error: TunnelError| match greeting.refusal() {
            Some(said) => TunnelError::TurnedAway { host: options.host_name.clone(), said },
            None => error,
        };
        let mut handle = shaken.map_err(turned_away)?;
        if let Some(binding) = handle.agent_session_binding() {
            let _ = session_id.set(binding.session_id().to_vec());
        }
        let asker = Asker { ask: &*self.ask, registry: &self.registry, may_ask };
        let login = Login::new(&mut handle, &end, options, asker, &self.credentials);
        login.run().await.map_err(|error| with_host(error, options))?;
        unfinished.disarm();
        tracing::debug!(registry = %self.registry, "an SSH session is up");
        let (questions, asked) = mpsc::unbounded_channel();
        let keepalive = options.keepalive.unwrap_or(tuning::KEEPALIVE_INTERVAL);
        let guard = pulse::guard(pulse, keepalive, asked, end.token.clone());
        tokio::spawn({
            let (end, cut) = (end.clone(), cut.clone());
            async move {
                if guard.await {
                    end.because("the server stopped answering");
                    cut.cancel();
                }
            }
        });
        let host = options.host_name.clone();
        Ok(Session { handle, end, host, cut, questions, _under: under, _proxy: proxy })
    }

    /// A connection whose address is taken away from this machine is dead, and nothing else says so.
    fn cut_without_address(&self, stream: &TcpStream, end: &Arc<SessionEnd>, cut: &CancellationToken) {
        let Ok(address) = stream.local_addr() else { return };
        let (end, cut) = (end.clone(), cut.clone());
        let mut changes = self.surroundings.changes();
        tokio::spawn(async move {
            let without = async {
                while network::is_ours(address.ip()) {
                    if changes.changed().await.is_err() {
                        return std::future::pending().await;
                    }
                }
            };
            tokio::select! {
                () = without => {
                    end.because("this machine's network address has changed");
                    cut.cancel();
                }
                () = cut.cancelled() => {}
                () = end.ended() => {}
            }
        });
    }

    /// The session of the hop before. As in `ssh -J a,b HOST`: b is reached through a, and only a may have a
    /// ProxyJump of its own.
    async fn jump(
        &self,
        options: &HostOptions,
        hop: &str,
        may_ask: bool,
        depth: usize,
    ) -> Result<Session, TunnelError> {
        let wrap = |source| TunnelError::Jump { hop: hop.to_owned(), source: Box::new(source) };
        let unreadable =
            |reason: &str| TunnelError::HostOptions { host: hop.to_owned(), reason: reason.to_owned() };
        if depth >= DEEPEST_JUMP {
            return Err(unreadable("jump hosts lead to each other in a circle"));
        }
        let mut target: SshTarget = hop.parse().map_err(|_| unreadable("it is not user@host:port"))?;
        let before = &options.jumps[..options.jumps.len() - 1];
        target.jump = (!before.is_empty()).then(|| before.join(","));
        let options = self.options(&target).await?;
        self.reach(options, may_ask, depth + 1).await.map_err(wrap)
    }

    /// Has a key trusted: by a person, or by the configuration (`StrictHostKeyChecking accept-new`).
    async fn trust(&self, options: &HostOptions, key: &Key) -> Result<(), TunnelError> {
        let host = options.known_hosts_names().name().to_owned();
        let question = Question::HostKey {
            host: host.clone(),
            key_type: key.key_type().to_owned(),
            fingerprint: key.fingerprint().to_owned(),
        };
        let answer = match options.strict_checking {
            StrictChecking::AcceptNew => Some(Answer::Trust),
            StrictChecking::Ask | StrictChecking::Yes => self.ask.ask(&self.registry, question).await,
        };
        let because = match answer {
            Some(Answer::Trust) => {
                // A file that cannot be written does not undo what was decided. As for `ssh`, it is asked about again
                // some day.
                let is_remembered = host_key::remember(options, key).unwrap_or_else(|error| {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "a trusted host's key is not kept"
                    );
                    false
                });
                if !is_remembered {
                    let mut trusted = self.trusted.lock().unwrap_or_else(PoisonError::into_inner);
                    trusted.push((host, key.blob().to_owned()));
                }
                return Ok(());
            }
            Some(Answer::Refuse | Answer::Secret { .. } | Answer::Login { .. }) => Distrust::Refused,
            None => Distrust::NobodyAsked,
        };
        Err(TunnelError::HostKeyUnknown {
            host,
            key_type: key.key_type().to_owned(),
            fingerprint: key.fingerprint().to_owned(),
            because,
        })
    }
}

/// The originator of a connection that no program made.
pub(crate) const fn unspecified() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)
}

#[cfg(test)]
mod tests;

//! The demo host's SSH server: one key for one login, and forwards to one address.
//!
//! It does what the recommended line of `authorized_keys` makes sshd do
//! (`restrict,port-forwarding,permitopen="127.0.0.1:5000"`): no shell, no commands, no way anywhere else.

use crate::{DemoHost, pump::pump};
use russh::{
    Channel, ChannelOpenFailure, Disconnect, MethodKind, MethodSet,
    keys::{PrivateKey, PublicKey},
    server::{
        self, Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey,
    },
};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A client that connects and says nothing is let go after this (sshd's `LoginGraceTime` is longer).
const GREETING_TIMEOUT: Duration = Duration::from_secs(30);

/// What has happened so far.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) sessions: AtomicU64,
    pub(crate) open: AtomicU64,
    pub(crate) forwards: AtomicU64,
}

/// The running server; it ends, with its sessions, when dropped.
#[derive(Debug)]
pub(crate) struct SshServer {
    address: SocketAddr,
    counters: Arc<Counters>,
    _stop: DropGuard,
}

impl SshServer {
    /// Listens on a free port of 127.0.0.1; forwards to `target` alone.
    pub(crate) async fn start(
        host_key: PrivateKey,
        client_key: PublicKey,
        target: SocketAddr,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let config = Arc::new(Config {
            methods: MethodSet::from([MethodKind::PublicKey].as_slice()),
            // Clients ask with "none" first to learn the methods; there is nothing to guess in that.
            auth_rejection_time_initial: Some(Duration::ZERO),
            keys: vec![host_key],
            // A connection may rest as long as it likes: the tunnel decides when it is over.
            inactivity_timeout: None,
            keepalive_interval: Some(Duration::from_secs(30)),
            // More messages than the window holds, so that a slow forward never blocks the session's others.
            channel_buffer_size: 1024,
            ..Config::default()
        });
        let counters = Arc::new(Counters::default());
        let stop = CancellationToken::new();
        let host = Host { config, client_key, target, counters: counters.clone(), stop: stop.clone() };
        tokio::spawn(host.accept(listener));
        Ok(Self { address, counters, _stop: stop.drop_guard() })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }
}

/// What all sessions share.
struct Host {
    config: Arc<Config>,
    client_key: PublicKey,
    target: SocketAddr,
    counters: Arc<Counters>,
    stop: CancellationToken,
}

impl Host {
    async fn accept(self, listener: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = self.stop.cancelled() => return,
            };
            match accepted {
                Ok((stream, peer)) => {
                    tracing::debug!(%peer, "demo host: connection");
                    tokio::spawn(self.session(stream));
                }
                // Out of file descriptors, or the client is gone already: the next one may do better.
                Err(error) => {
                    tracing::warn!(%error, "demo host: a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    fn session(&self, stream: TcpStream) -> impl Future<Output = ()> + Send + use<> {
        let config = self.config.clone();
        let ended = self.stop.child_token();
        let login = Login {
            client_key: self.client_key.clone(),
            target: self.target,
            counters: self.counters.clone(),
            ended: ended.clone(),
            is_in: false,
        };
        async move {
            // Whatever way this ends, the forwards of the session end too.
            let _ended = ended.clone().drop_guard();
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "demo host: nodelay");
            }
            let greeting = server::run_stream(config, stream, login);
            let mut session = match tokio::time::timeout(GREETING_TIMEOUT, greeting).await {
                Ok(Ok(session)) => session,
                Ok(Err(error)) => return tracing::debug!(%error, "demo host: no SSH client"),
                Err(_) => return tracing::debug!("demo host: a client that says nothing"),
            };
            tokio::select! {
                result = &mut session => tracing::debug!(?result, "demo host: session ended"),
                () = ended.cancelled() => {
                    let handle = session.handle();
                    let farewell = handle.disconnect(
                        Disconnect::ByApplication,
                        "the demo is over".to_owned(),
                        String::new(),
                    );
                    let _ = farewell.await;
                }
            }
        }
    }
}

/// One session's handler.
struct Login {
    client_key: PublicKey,
    target: SocketAddr,
    counters: Arc<Counters>,
    ended: CancellationToken,
    is_in: bool,
}

impl Login {
    fn judge(&self, user: &str, key: &PublicKey) -> Auth {
        // The comment is no part of the key.
        if user == DemoHost::USER && key.key_data() == self.client_key.key_data() {
            Auth::Accept
        } else {
            Auth::reject()
        }
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        if self.is_in {
            self.counters.open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Handler for Login {
    type Error = russh::Error;

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, offer.public_key))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(self.judge(user, key.public_key))
    }

    async fn auth_succeeded(&mut self, _session: &mut Session) -> Result<(), Self::Error> {
        self.is_in = true;
        self.counters.sessions.fetch_add(1, Ordering::Relaxed);
        self.counters.open.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn channel_open_direct_tcpip(
        &mut self,
        channel: Channel<Msg>,
        host_to_connect: &str,
        port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        // Compared literally, as sshd's permitopen does.
        let is_target = host_to_connect == self.target.ip().to_string()
            && port_to_connect == u32::from(self.target.port());
        if !is_target {
            reply.reject(ChannelOpenFailure::AdministrativelyProhibited).await;
            return Ok(());
        }
        let (target, counters, ended) = (self.target, self.counters.clone(), self.ended.clone());
        // Not here: the session's other channels wait while a handler runs.
        tokio::spawn(async move {
            match TcpStream::connect(target).await {
                Ok(stream) => {
                    counters.forwards.fetch_add(1, Ordering::Relaxed);
                    reply.accept().await;
                    pump(stream, channel, &ended).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "demo host: the registry is not there");
                    reply.reject(ChannelOpenFailure::ConnectFailed).await;
                }
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use russh::{
        client,
        keys::{Algorithm, PrivateKeyWithHashAlg, PublicKeyOrCertificate},
    };
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    /// Trusts anyone: the server is in this process.
    struct Anyone;

    impl client::Handler for Anyone {
        type Error = russh::Error;

        async fn check_server_key(&mut self, _key: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
            Ok(true)
        }
    }

    async fn logged_in(target: SocketAddr) -> (SshServer, client::Handle<Anyone>) {
        let key = || PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
        let client_key = key();
        let server = SshServer::start(key(), client_key.public_key().clone(), target).await.unwrap();
        let mut session = client::connect(Arc::default(), server.address(), Anyone).await.unwrap();
        let key = PrivateKeyWithHashAlg::new(Arc::new(client_key), None);
        assert!(session.authenticate_publickey(DemoHost::USER, key).await.unwrap().success());
        (server, session)
    }

    async fn open(session: &client::Handle<Anyone>, target: SocketAddr) -> Channel<client::Msg> {
        let (host, port) = (target.ip().to_string(), u32::from(target.port()));
        session.channel_open_direct_tcpip(host, port, "127.0.0.1", 1).await.unwrap()
    }

    /// Everything is sent, then an end-of-file; the answer begins only then, and ends with one too.
    #[tokio::test]
    async fn both_directions_end_by_themselves() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let target = listener.local_addr().unwrap();
        let (server, session) = logged_in(target).await;
        let echo = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            stream.write_all(&all).await.unwrap();
            all.len()
        });
        // More than the window either way.
        let sent: Vec<u8> = (0..6_000_000_u32).map(|n| (n % 251) as u8).collect();
        let mut stream = open(&session, target).await.into_stream();
        stream.write_all(&sent).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        assert_eq!(echo.await.unwrap(), sent.len());
        assert!(received == sent);
        assert_eq!(server.counters().forwards.load(Ordering::Relaxed), 1);
    }

    /// A client that vanishes in the middle must not look like one that has said everything.
    #[tokio::test]
    async fn a_cut_session_resets_the_forward() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let target = listener.local_addr().unwrap();
        let (server, session) = logged_in(target).await;
        let channel = open(&session, target).await;
        channel.data_bytes(&b"half"[..]).await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut half = [0; 4];
        stream.read_exact(&mut half).await.unwrap();
        drop(server);
        let error = stream.read(&mut half).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

//! One SSH session: the way to its server (straight, through jump hosts or a ProxyCommand), its tuning, its end.

mod agent;
mod auth;
mod cipher_order;
mod coalesce;
mod dial;
mod greeting;
mod host_key;
mod key_file;
mod proxy;
mod pulse;
mod sever;
mod tcp;
mod tuning;

pub(crate) use auth::Credentials;
pub(crate) use dial::{Dialer, unspecified};

use crate::{
    error::TunnelError,
    host_options::HostOptions,
    program::{self, Program},
};
use dockline_model::RemoteEnd;
use pulse::Question;
use russh::{
    ChannelOpenFailure, ChannelReadHalf, ChannelWriteHalf, Disconnect, cipher,
    client::{self, DisconnectReason, Handle, Msg},
};
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

/// How long the server may take to open a channel; its own connect to the far end is part of that.
const CHANNEL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a farewell may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// A session that is authenticated. Dropping it ends it.
pub(crate) struct Session {
    handle: Handle<Client>,
    end: Arc<SessionEnd>,
    host: String,
    /// Cancelled, it cuts the transport under the session.
    cut: CancellationToken,
    /// How long the server has for the answer to a question that was just asked.
    questions: mpsc::UnboundedSender<Question>,
    /// The session of the jump host that this one travels in.
    _under: Option<Box<Session>>,
    /// The ProxyCommand that this one travels in; killed with it.
    _proxy: Option<proxy::Proxy>,
}

/// How a session ended, for everyone who depends on it.
#[derive(Debug, Default)]
pub(crate) struct SessionEnd {
    token: CancellationToken,
    reason: OnceLock<EndReason>,
}

/// Why a session ended.
#[derive(Debug)]
struct EndReason {
    words: String,
    /// Whether the server said so (RFC 4253 §11.1) instead of merely being gone.
    told: bool,
}

impl SessionEnd {
    /// Resolves when the session has ended.
    pub(crate) async fn ended(&self) {
        self.token.cancelled().await;
    }

    /// Whether it has ended already.
    pub(crate) fn has_ended(&self) -> bool {
        self.token.is_cancelled()
    }

    fn reason(&self) -> String {
        self.reason
            .get()
            .map_or_else(|| "the connection was closed".to_owned(), |reason| reason.words.clone())
    }

    /// Says why it ends now; what was said first counts.
    fn because(&self, words: &str) {
        let _ = self.reason.set(EndReason { words: words.to_owned(), told: false });
    }

    /// Why a handshake failed, if that is known better.
    fn better(&self, error: TunnelError, options: &HostOptions) -> TunnelError {
        match self.reason.get() {
            Some(reason) if !reason.told => {
                TunnelError::Lost { host: options.host_name.clone(), reason: reason.words.clone() }
            }
            Some(_) | None => error,
        }
    }

    fn was_told(&self) -> bool {
        self.reason.get().is_some_and(|reason| reason.told)
    }
}

/// A channel to the far end.
pub(crate) type Channel = (ChannelReadHalf, ChannelWriteHalf<Msg>);

impl Session {
    pub(crate) const fn end(&self) -> &Arc<SessionEnd> {
        &self.end
    }

    /// As `ssh -G` names it.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn lost(&self) -> TunnelError {
        TunnelError::Lost { host: self.host.clone(), reason: self.end.reason() }
    }

    /// Opens a channel to `remote` for a connection that came from `originator`.
    pub(crate) async fn open(
        &self,
        remote: &RemoteEnd,
        originator: SocketAddr,
    ) -> Result<Channel, TunnelError> {
        self.open_channel(remote, originator).await.map(russh::Channel::split)
    }

    async fn open_channel(
        &self,
        remote: &RemoteEnd,
        originator: SocketAddr,
    ) -> Result<russh::Channel<Msg>, TunnelError> {
        let opening = async {
            match remote {
                RemoteEnd::Tcp { host, port } => {
                    self.handle
                        .channel_open_direct_tcpip(
                            host.clone(),
                            u32::from(*port),
                            originator.ip().to_string(),
                            u32::from(originator.port()),
                        )
                        .await
                }
                RemoteEnd::Unix { path } => self.handle.channel_open_direct_streamlocal(path.clone()).await,
            }
        };
        let opened = tokio::select! {
            opened = tokio::time::timeout(CHANNEL_TIMEOUT, opening) => opened,
            () = self.end.ended() => return Err(self.lost()),
        };
        let (host, far) = (self.host.clone(), remote.to_string());
        match opened {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(russh::Error::ChannelOpenFailure(failure))) => Err(match failure {
                ChannelOpenFailure::ConnectFailed => TunnelError::RemoteClosed { host, remote: far },
                ChannelOpenFailure::AdministrativelyProhibited => {
                    TunnelError::ForwardForbidden { host, remote: far }
                }
                ChannelOpenFailure::ResourceShortage => TunnelError::NoRoom { host, remote: far },
                other @ (ChannelOpenFailure::UnknownChannelType | ChannelOpenFailure::Other { .. }) => {
                    TunnelError::Channel { host, remote: far, reason: format!("{other:?}") }
                }
            }),
            Ok(Err(_)) => Err(self.lost()),
            Err(_) => Err(TunnelError::Channel {
                host,
                remote: far,
                reason: format!("no answer within {} s", CHANNEL_TIMEOUT.as_secs()),
            }),
        }
    }

    /// Runs a program on the host, through the login shell of the user.
    pub(crate) async fn run(&self, command: &str) -> Result<Program, TunnelError> {
        let starting = async {
            let channel = self.handle.channel_open_session().await.map_err(|error| {
                if matches!(error, russh::Error::ChannelOpenFailure(_)) {
                    TunnelError::ProgramForbidden { host: self.host.clone() }
                } else {
                    self.lost()
                }
            })?;
            channel.exec(true, command).await.map_err(|_| self.lost())?;
            let (mut reader, writer) = channel.split();
            program::accepted(&mut reader, &self.host).await?;
            Ok(Program::carry((reader, writer), self.end.clone()))
        };
        tokio::select! {
            started = tokio::time::timeout(CHANNEL_TIMEOUT, starting) => started.unwrap_or_else(|_| {
                let reason = format!("it did not begin to run a program within {} s", CHANNEL_TIMEOUT.as_secs());
                Err(TunnelError::Lost { host: self.host.clone(), reason })
            }),
            () = self.end.ended() => Err(self.lost()),
        }
    }

    /// Has the host listen (`tcpip-forward`, RFC 4254 §7.1). What arrives goes to whom the dialer was told.
    pub(crate) async fn listen(&self, address: &str, port: u16) -> Result<(), TunnelError> {
        let asked = tokio::select! {
            asked = tokio::time::timeout(CHANNEL_TIMEOUT, self.handle.tcpip_forward(address, port.into())) => asked,
            () = self.end.ended() => return Err(self.lost()),
        };
        let host = self.host.clone();
        match asked {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(russh::Error::RequestDenied)) => Err(TunnelError::OfferForbidden { host, port }),
            Ok(Err(_)) => Err(self.lost()),
            Err(_) => {
                let reason =
                    format!("it did not say within {} s whether it listens", CHANNEL_TIMEOUT.as_secs());
                Err(TunnelError::Lost { host, reason })
            }
        }
    }

    /// Has it listen no more.
    pub(crate) async fn withdraw(&self, address: &str, port: u16) {
        let asked = self.handle.cancel_tcpip_forward(address, port.into());
        if !matches!(tokio::time::timeout(CLOSE_TIMEOUT, asked).await, Ok(Ok(()))) {
            tracing::debug!(host = self.host, port, "the host did not confirm that it stopped listening");
        }
    }

    /// Finds out whether the server is still there; the session ends if it does not say so within `patience`.
    pub(crate) async fn check(&self, patience: Duration) {
        let _ = self.questions.send(Question { asked: Instant::now(), patience });
        // While the session has no turn for the question, the keepalive that follows silence is asked in its place.
        let _ = tokio::time::timeout(patience, self.handle.send_keepalive(true)).await;
    }

    /// Says goodbye, and cuts the connection if the server takes its time.
    pub(crate) async fn close(&self) {
        self.end.because("it was closed");
        let farewell = async {
            let _ = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
            self.end.ended().await;
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, farewell).await.is_err() {
            self.cut.cancel();
        }
    }
}

/// A connection to a port that the host listens at for us, not accepted yet.
pub(crate) struct Forwarded {
    pub channel: russh::Channel<Msg>,
    pub reply: client::ChannelOpenHandle,
    /// Where it comes from, as the host says.
    pub originator: String,
}

/// Our end of the protocol, as the library calls it.
pub(crate) struct Client {
    verifier: host_key::Verifier,
    /// This session's number (RFC 4253 §7.2), known once keys are exchanged.
    session_id: Arc<OnceLock<Vec<u8>>>,
    end: Arc<SessionEnd>,
    host: String,
    /// Who takes the connections to ports that the host listens at for us.
    forwarded: Option<mpsc::Sender<Forwarded>>,
}

impl Drop for Client {
    fn drop(&mut self) {
        // Whatever way the session's task ended, a panic included.
        self.end.token.cancel();
    }
}

impl client::Handler for Client {
    type Error = TunnelError;

    async fn check_server_key(
        &mut self,
        key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, TunnelError> {
        self.verifier.verify(key, SystemTime::now()).map(|()| true)
    }

    async fn check_server_key_again(
        &mut self,
        key: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, TunnelError> {
        self.verifier.verify_again(key, SystemTime::now()).map(|()| true)
    }

    async fn openssh_ext_host_keys_announced(
        &mut self,
        keys: Vec<russh::keys::PublicKey>,
        session: &mut client::Session,
    ) -> Result<(), TunnelError> {
        if let Some(announcement) = self.verifier.announcement() {
            announcement.follow(&keys, session, self.session_id.clone());
        }
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        channel: russh::Channel<Msg>,
        _: &str,
        _: u32,
        originator: &str,
        _: u32,
        reply: client::ChannelOpenHandle,
        _: &mut client::Session,
    ) -> Result<(), TunnelError> {
        // Dropped, which refuses it, where nobody has asked the host to listen, or too many wait already.
        if let Some(forwarded) = &self.forwarded {
            let _ = forwarded.try_send(Forwarded { channel, reply, originator: originator.to_owned() });
        }
        Ok(())
    }

    async fn kex_done(
        &mut self,
        _: Option<&[u8]>,
        names: &russh::Names,
        _: &mut client::Session,
    ) -> Result<(), TunnelError> {
        let weak = if names.cipher == cipher::CHACHA20_POLY1305 {
            Some(names.cipher.as_ref())
        } else if [cipher::AES_128_GCM, cipher::AES_256_GCM].contains(&names.cipher) {
            None
        } else {
            [&names.client_mac, &names.server_mac]
                .into_iter()
                .map(AsRef::as_ref)
                .find(|mac: &&str| mac.contains("-etm@"))
        };
        match weak {
            Some(algorithm) if !names.strict_kex() => {
                Err(TunnelError::WeakAlgorithm { host: self.host.clone(), algorithm: algorithm.to_owned() })
            }
            _ => Ok(()),
        }
    }

    async fn disconnected(&mut self, reason: DisconnectReason<TunnelError>) -> Result<(), TunnelError> {
        let words = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                format!("the server said “{}”", plain_text(&info.message))
            }
            DisconnectReason::Error(TunnelError::Ssh(error)) => end_words(error),
            DisconnectReason::Error(error) => error.to_string(),
        };
        let told = matches!(reason, DisconnectReason::ReceivedDisconnect(_));
        let _ = self.end.reason.set(EndReason { words, told });
        Ok(())
    }
}

/// What a server or an agent wrote, made harmless: one line without control characters, of a length that a dialog can
/// show.
fn plain_text(text: &str) -> String {
    const LONGEST: usize = 300;
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

fn end_words(error: &russh::Error) -> String {
    if matches!(error, russh::Error::KeepaliveTimeout | russh::Error::InactivityTimeout) {
        "the server stopped answering".to_owned()
    } else if matches!(error, russh::Error::HUP | russh::Error::Disconnect) {
        "the server closed the connection".to_owned()
    } else {
        error.to_string()
    }
}

//! The loopback listener of a registry: always there, whatever the tunnel does.
//!
//! A connection is judged by who is at the other end and by what it says first, takes a lease, is held while the tunnel
//! dials, and is then carried. If that cannot be, it is reset.

use crate::{
    TunnelError,
    access::{self, Gate, NotAdmitted},
    actor::Message,
    peer::{self, Inode, Peer},
    pump::{Outcome, Traffic, pump, reset},
    tunnel::Line,
};
use dockline_model::{LeaseHolder, RemoteEnd, UiError};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::Instant,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long a connection is held while the tunnel dials. dockerd gives a registry's first answer 15 s and never asks
/// again; the rest is for the answer itself.
const HOLD: Duration = Duration::from_secs(12);
/// How often a listener that could not be had is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// After the process or the machine ran out of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// An address to listen on, and the socket if it could be had.
pub(crate) struct Listener {
    address: SocketAddr,
    socket: Option<TcpListener>,
}

/// What each connection's task needs.
#[derive(Clone)]
pub(crate) struct Shared {
    pub line: Line,
    pub gate: Arc<Gate>,
    pub remote: RemoteEnd,
    pub traffic: Arc<Traffic>,
    pub stop: CancellationToken,
}

type Names = mpsc::UnboundedSender<(crate::lifecycle::LeaseId, Inode)>;

impl Listener {
    /// Tries once; without success the listener tries on while it runs.
    pub(crate) async fn bind(address: SocketAddr) -> (Self, Result<(), TunnelError>) {
        match bind(address).await {
            Ok(socket) => (Self { address, socket: Some(socket) }, Ok(())),
            Err(error) => (Self { address, socket: None }, Err(error)),
        }
    }

    /// Accepts until `stop`.
    pub(crate) async fn run(self, shared: Shared, tasks: TaskTracker) {
        let (names, unnamed) = mpsc::unbounded_channel();
        let (line, stop) = (shared.line.clone(), shared.stop.clone());
        tokio::select! {
            () = stop.cancelled() => {}
            () = name_programs(unnamed, line) => {}
            () = self.accept(shared, names, tasks) => {}
        }
    }

    async fn accept(mut self, shared: Shared, names: Names, tasks: TaskTracker) {
        loop {
            let socket = match self.socket.take() {
                Some(socket) => socket,
                None => self.bind_again(&shared.line).await,
            };
            match socket.accept().await {
                Ok((stream, peer)) => {
                    tasks.spawn(serve(stream, peer, self.address, shared.clone(), names.clone()));
                    self.socket = Some(socket);
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    self.socket = Some(socket);
                }
            }
        }
    }

    async fn bind_again(&self, line: &Line) -> TcpListener {
        loop {
            tokio::time::sleep(RETRY).await;
            let (outcome, socket) = match bind(self.address).await {
                Ok(socket) => (None, Some(socket)),
                Err(error) => (Some(error), None),
            };
            line.send(Message::Listening(outcome));
            if let Some(socket) = socket {
                return socket;
            }
        }
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, TunnelError> {
    let error = match TcpListener::bind(address).await {
        Ok(socket) => return Ok(socket),
        Err(error) => error,
    };
    let kind = error.kind();
    Err(if kind == io::ErrorKind::AddrInUse {
        let owner = tokio::task::spawn_blocking(move || peer::listener_owner(address)).await;
        TunnelError::PortInUse { address, by: owner.ok().flatten() }
    } else if kind == io::ErrorKind::AddrNotAvailable {
        TunnelError::AddressUnavailable { address }
    } else {
        TunnelError::Listen { address, source: Arc::new(error) }
    })
}

/// One connection, from its acceptance to its end.
async fn serve(mut stream: TcpStream, peer: SocketAddr, local: SocketAddr, shared: Shared, names: Names) {
    let judged = tokio::task::spawn_blocking(move || peer::judge(local, peer)).await;
    let Ok(Peer::Allowed { inode }) = judged else {
        return reset(stream);
    };
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection's options could not be set");
    }
    let admitted = tokio::select! {
        admitted = shared.gate.admit(&mut stream) => admitted,
        () = shared.stop.cancelled() => return reset(stream),
    };
    let first = match admitted {
        Ok(first) => first,
        Err(NotAdmitted::Gone) => return,
        Err(NotAdmitted::Refused(refusal)) => return access::refuse(stream, refusal).await,
    };
    let lease = shared.line.lease(LeaseHolder::Connection { peer });
    if let Some(inode) = inode {
        let _ = names.send((lease.id(), inode));
    }
    let cancel = shared.stop.child_token();
    let carried = async {
        let deadline = Instant::now() + HOLD;
        let pooled = loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let sessions = shared.line.sessions(&lease, left, true).await.map_err(|_| None)?;
            match sessions.open(&shared.remote, peer).await {
                Ok(pooled) => break pooled,
                // Nothing was sent yet, so the program need not know that the session went away.
                Err(TunnelError::Lost { .. } | TunnelError::Disconnected) if Instant::now() < deadline => {
                    tokio::task::yield_now().await;
                }
                Err(error) => return Err(Some(error)),
            }
        };
        shared.line.send(Message::Carried(None));
        Ok(pump(&mut stream, first, pooled, &shared.traffic, &cancel).await)
    };
    let outcome = tokio::select! {
        outcome = carried => outcome,
        () = lease.revoked() => Ok(Outcome::Broken),
        () = shared.stop.cancelled() => Ok(Outcome::Broken),
    };
    match outcome {
        Ok(Outcome::Finished) => {}
        Ok(Outcome::Broken) | Err(None) => reset(stream),
        Err(Some(error)) => {
            shared.line.send(Message::Carried(Some(UiError::from(&error))));
            reset(stream);
        }
    }
}

/// Finds out the names of the programs that connected: one pass over all processes for as many as have gathered.
async fn name_programs(mut unnamed: mpsc::UnboundedReceiver<(crate::lifecycle::LeaseId, Inode)>, line: Line) {
    let mut batch = Vec::new();
    while unnamed.recv_many(&mut batch, 1024).await > 0 {
        let asked = std::mem::take(&mut batch);
        let named = tokio::task::spawn_blocking(move || {
            let inodes: Vec<Inode> = asked.iter().map(|(_, inode)| *inode).collect();
            let names = peer::program_names(&inodes);
            asked
                .into_iter()
                .filter_map(|(id, inode)| Some((id, names.get(&inode)?.clone())))
                .collect::<Vec<_>>()
        })
        .await;
        if let Ok(named) = named {
            line.send(Message::Named(named));
        }
    }
}

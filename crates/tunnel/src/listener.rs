//! The listeners of a registry (at its own address, at 127.0.0.1 and on a bridge where it has those): always there,
//! whatever the tunnel does.
//!
//! A connection is judged by who is at the other end and by what it says first, takes a lease, is held while the tunnel
//! dials, and is then carried. If that cannot be, it is reset.

use crate::{
    TunnelError,
    access::{self, Gate, NotAdmitted},
    actor::Message,
    entrance::Entrance,
    local,
    memory::Counted,
    peer::{self, Circle, Denial, Holder},
    pump::{Outcome, Traffic, pump, reset},
    tunnel::{Line, NotOpened},
};
use dockline_model::{LeaseHolder, RemoteEnd, UiError};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
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
    entrance: Entrance,
    socket: Option<(TcpListener, Circle)>,
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

type Names = mpsc::UnboundedSender<(crate::lifecycle::LeaseId, Holder)>;

impl Listener {
    /// Tries as [`Entrance::open`] does; without success the listener tries on while it runs.
    pub(crate) async fn bind(entrance: Entrance) -> (Self, Result<(), TunnelError>) {
        match entrance.open().await {
            Ok(socket) => (Self { entrance, socket: Some(socket) }, Ok(())),
            Err(error) => (Self { entrance, socket: None }, Err(error)),
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
            let (socket, circle) = match self.socket.take() {
                Some(opened) => opened,
                None => self.bind_again(&shared.line).await,
            };
            match socket.accept().await {
                Ok((stream, peer)) => {
                    let door = Door { circle, address: self.entrance.address() };
                    tasks.spawn(serve(stream, peer, door, shared.clone(), names.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
            self.socket = Some((socket, circle));
        }
    }

    async fn bind_again(&self, line: &Line) -> (TcpListener, Circle) {
        loop {
            tokio::time::sleep(RETRY).await;
            let (error, opened) = match self.entrance.open().await {
                Ok(opened) => (None, Some(opened)),
                Err(error) => (Some(error), None),
            };
            line.send(Message::Listening { at: self.entrance.which(), error });
            if let Some(opened) = opened {
                return opened;
            }
        }
    }
}

/// Where a connection came in.
#[derive(Debug, Clone, Copy)]
struct Door {
    circle: Circle,
    address: SocketAddr,
}

/// Whose the program is that connected.
async fn whose(stream: &TcpStream, peer: SocketAddr, door: Door) -> Result<Option<Holder>, Denial> {
    let holder = peer::judge(door.circle, door.address, peer).await?;
    // One that was reset meanwhile is no longer the one that was asked about: its two ends are free for another.
    match stream.take_error() {
        Ok(None) => Ok(holder),
        Ok(Some(_)) | Err(_) => Err(Denial::Orphan),
    }
}

/// One connection, from its acceptance to its end.
async fn serve(mut stream: TcpStream, peer: SocketAddr, door: Door, shared: Shared, names: Names) {
    let holder = match whose(&stream, peer, door).await {
        Ok(holder) => holder,
        Err(denial) => {
            tracing::info!(?denial, "a connection was refused for who made it");
            return reset(stream);
        }
    };
    local::tune(&stream);
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
    if let Some(holder) = holder {
        let _ = names.send((lease.id(), holder));
    }
    let cancel = shared.stop.child_token();
    let carried = async {
        // Nothing was sent yet, so the program need not know what became of sessions meanwhile.
        let pooled = match shared.line.spare.take() {
            Some(pooled) => pooled,
            None => shared.line.open(&lease, (&shared.remote, peer), HOLD, true).await?,
        };
        shared.line.send(Message::Carried(None));
        let _counted = Counted::new(&shared.traffic);
        let asked = shared.gate.asks(&first);
        Ok(pump(&mut stream, (first, asked), pooled, &shared.traffic, &cancel).await)
    };
    let outcome = tokio::select! {
        outcome = carried => outcome,
        () = lease.revoked() => Ok(Outcome::Broken),
        () = shared.stop.cancelled() => Ok(Outcome::Broken),
    };
    match outcome {
        Ok(Outcome::Finished) => {}
        Ok(Outcome::Broken) | Err(NotOpened::NoSession(_)) => reset(stream),
        Err(NotOpened::NoChannel(error)) => {
            shared.line.send(Message::Carried(Some(UiError::from(&error))));
            reset(stream);
        }
    }
}

/// Finds out the names of the programs that connected: one pass over all processes for as many as have gathered.
async fn name_programs(
    mut unnamed: mpsc::UnboundedReceiver<(crate::lifecycle::LeaseId, Holder)>,
    line: Line,
) {
    let mut batch = Vec::new();
    while unnamed.recv_many(&mut batch, 1024).await > 0 {
        let asked = std::mem::take(&mut batch);
        let named = tokio::task::spawn_blocking(move || {
            let holders: Vec<Holder> = asked.iter().map(|(_, holder)| *holder).collect();
            let names = peer::program_names(&holders);
            asked
                .into_iter()
                .filter_map(|(id, holder)| Some((id, names.get(&holder)?.clone())))
                .collect::<Vec<_>>()
        })
        .await;
        if let Ok(named) = named {
            line.send(Message::Named(named));
        }
    }
}

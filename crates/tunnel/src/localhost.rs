//! The entrance at 127.0.0.1 for engines in a virtual machine: it comes and goes by itself, and what uses the tunnel
//! meanwhile does not notice.

use crate::{
    access::Gate,
    actor::Message,
    entrance::{Entrance, Which},
    error::TunnelError,
    listener::{Listener, Shared},
};
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Opens and closes it.
pub(crate) struct Localhost {
    /// The rules of the registry's own listener.
    pub gate: Gate,
    /// Whatever is given to a listener; its gate is not looked at.
    pub shared: Shared,
    pub tasks: TaskTracker,
    /// The listener that there is.
    pub open: Mutex<Option<Open>>,
}

/// A listener, and what ends it.
pub(crate) struct Open {
    port: u16,
    /// Whether it could be had at once.
    is_bound: bool,
    stop: CancellationToken,
}

impl Localhost {
    /// Listens at `port` and nowhere else from now on; at none, nowhere. A port that cannot be had is tried again.
    pub(crate) async fn listen(&self, port: Option<u16>) -> Result<(), TunnelError> {
        // One change at a time, or two listeners would be in each other's way.
        let mut open = self.open.lock().await;
        let has = open.as_ref().filter(|open| open.is_bound).map(|open| open.port);
        if has == port && has.is_some() == open.is_some() {
            return Ok(());
        }
        // What came in through the old one ends with it.
        if let Some(before) = open.take() {
            before.stop.cancel();
        }
        let bound = match port {
            None => Ok(()),
            Some(port) => {
                let (listener, bound) = Listener::bind(Entrance::localhost(port)).await;
                let stop = self.shared.stop.child_token();
                let gate = Arc::new(self.gate.for_localhost(port));
                let shared = Shared { gate, stop: stop.clone(), ..self.shared.clone() };
                self.tasks.spawn(listener.run(shared, self.tasks.clone()));
                *open = Some(Open { port, is_bound: bound.is_ok(), stop });
                bound
            }
        };
        let error = bound.as_ref().err().cloned();
        self.shared.line.send(Message::Listening { at: Which::Localhost, error });
        bound
    }
}

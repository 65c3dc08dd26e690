//! Those who wait for a session, or for the tunnel's end.

use super::Actor;
use crate::{
    error::TunnelError,
    lifecycle::{LeaseId, State},
    pool::SessionPool,
};
use dockline_model::UiError;
use std::time::Duration;
use tokio::{sync::oneshot, time::Instant};

/// Somebody who waits for a session.
pub(super) struct Waiter {
    pub(super) lease: LeaseId,
    pub(super) deadline: Instant,
    pub(super) patience: Duration,
    /// Whether the deadline holds while a dial that nothing is known against is under way, too.
    pub(super) hard: bool,
    pub(super) reply: oneshot::Sender<Result<SessionPool, UiError>>,
}

impl Actor {
    /// Answers everyone who need not wait any longer.
    pub(super) fn answer(&mut self) {
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
}

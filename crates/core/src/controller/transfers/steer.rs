//! What a person does with transfers that there are: halt, go on, stop, again, away.

use super::Entry;
use crate::controller::{Answerer, FaceId, actor::Actor, meter::Meter};
use dockline_model::{Change, Code, Reply, Road, TransferId, TransferState, UiError};
use std::sync::{Arc, atomic::Ordering};
use tokio::{sync::oneshot, time::Instant};
use tokio_util::sync::CancellationToken;

impl Actor {
    pub(in crate::controller) fn cancel(&mut self, id: TransferId) -> Result<Reply, UiError> {
        let entry = self.transfers.entries.get(&id).ok_or_else(|| no_transfer(id))?;
        if !entry.view.state.is_final() {
            self.finish(&[id], &TransferState::Cancelled);
        }
        Ok(Reply::Done)
    }

    /// Halts a transfer that waits, or one that Dockline itself carries: what the other side has of it stays there,
    /// and is asked for when it goes on. An engine cannot be halted in the middle of its work.
    pub(in crate::controller) fn pause(&mut self, id: TransferId) -> Result<Reply, UiError> {
        let entry = self.transfers.entries.get_mut(&id).ok_or_else(|| no_transfer(id))?;
        let is_carried_by_engine = match entry.view.road {
            Road::Engine => true,
            Road::Direct => false,
        };
        match entry.view.state {
            TransferState::Paused => return Ok(Reply::Done),
            TransferState::Done { .. } | TransferState::Failed { .. } | TransferState::Cancelled => {
                return Err(UiError::new(Code::InvalidArgument, "The transfer has ended."));
            }
            TransferState::Running | TransferState::Verifying if is_carried_by_engine => {
                return Err(UiError::new(
                    Code::InvalidArgument,
                    "The engine carries this transfer, and an engine cannot halt one that it has begun.",
                )
                .hint("Cancel it; when it is begun again, layers that arrived are not sent again."));
            }
            TransferState::Waiting | TransferState::Running | TransferState::Verifying => {}
        }
        // An archive is read to its end meanwhile, and waits then.
        if !entry.is_being_read() {
            entry.is_halted.store(true, Ordering::Relaxed);
            entry.may_have_left = true;
            entry.cancel.cancel();
        }
        entry.is_halting = entry.has_task;
        entry.read_figures(Instant::now());
        entry.view.state = TransferState::Paused;
        entry.view.rate = None;
        entry.view.seconds_left = None;
        self.publish_transfer(id);
        self.start_waiting();
        Ok(Reply::Done)
    }

    /// Puts a halted transfer back into the queue, where it was.
    pub(in crate::controller) fn resume(&mut self, id: TransferId) -> Result<Reply, UiError> {
        let entry = self.transfers.entries.get_mut(&id).ok_or_else(|| no_transfer(id))?;
        if entry.view.state == TransferState::Paused {
            if !entry.is_being_read() {
                entry.cancel = CancellationToken::new();
            }
            entry.is_halted = Arc::default();
            entry.figures = entry.figures.anew();
            entry.share.rest();
            entry.meter = Meter::default();
            entry.view.state = TransferState::Waiting;
            self.publish_transfer(id);
            self.start_waiting();
        }
        Ok(Reply::Done)
    }

    pub(in crate::controller) fn dismiss(&mut self, id: TransferId) -> Result<Reply, UiError> {
        let entry = self.transfers.entries.get(&id).ok_or_else(|| no_transfer(id))?;
        if !entry.view.state.is_final() || entry.has_task {
            return Err(UiError::new(Code::InvalidArgument, "The transfer has not ended yet.")
                .hint("Cancel it first, or wait for its end."));
        }
        self.forget(id);
        Ok(Reply::Done)
    }

    pub(in crate::controller) fn dismiss_all(&mut self) -> Result<Reply, UiError> {
        let ended = self.transfers.entries.values().filter(|entry| entry.is_over());
        let ended: Vec<TransferId> = ended.map(|entry| entry.view.id).collect();
        ended.into_iter().for_each(|id| self.forget(id));
        Ok(Reply::Done)
    }

    /// Asks again for what a finished transfer was asked for.
    pub(in crate::controller) fn retry(&self, face: FaceId, id: TransferId, answer: Answerer) {
        let command = match self.transfers.entries.get(&id) {
            None => Err(no_transfer(id)),
            Some(entry) if !entry.is_over() => {
                Err(UiError::new(Code::InvalidArgument, "The transfer has not ended yet."))
            }
            Some(entry) => Ok(entry.command.clone()),
        };
        match command {
            Ok(command) => self.order(face, command, Some(id), answer),
            // A face that has gone does not hear it.
            Err(error) => drop(answer.send(Err(error))),
        }
    }

    pub(in crate::controller) fn retry_all(&self, face: FaceId) -> Result<Reply, UiError> {
        let has_failed = |entry: &&Entry| match entry.view.state {
            TransferState::Failed { .. } => entry.is_over(),
            TransferState::Waiting
            | TransferState::Paused
            | TransferState::Running
            | TransferState::Verifying
            | TransferState::Done { .. }
            | TransferState::Cancelled => false,
        };
        for entry in self.transfers.entries.values().filter(has_failed) {
            let (answer, answered) = oneshot::channel();
            self.order(face, entry.command.clone(), Some(entry.view.id), answer);
            // Nobody waits for the numbers, and nothing is begun for somebody who has gone.
            tokio::spawn(answered);
        }
        Ok(Reply::Done)
    }

    pub(in crate::controller) fn pause_all(&mut self) -> Result<Reply, UiError> {
        self.hold_back(true);
        for id in self.matching(|_| true) {
            // What the engine carries goes on: that can only be cancelled.
            let _ = self.pause(id);
        }
        Ok(Reply::Done)
    }

    pub(in crate::controller) fn resume_all(&mut self) -> Result<Reply, UiError> {
        self.hold_back(false);
        for id in self.matching(|_| true) {
            self.resume(id)?;
        }
        self.start_waiting();
        Ok(Reply::Done)
    }

    fn hold_back(&mut self, paused: bool) {
        if self.paused != paused {
            self.paused = paused;
            self.publish(Change::Paused { paused });
        }
    }
}

pub(super) fn no_transfer(id: TransferId) -> UiError {
    UiError::new(Code::NotFound, format!("There is no transfer {}.", id.0))
}

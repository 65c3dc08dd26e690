//! Archives that stand in the list while they are read: nobody knows yet what their images are called.

use super::{Entry, Order, steer, unix_now};
use crate::controller::{Answerer, FaceId, actor::Actor, run::cancelled};
use dockline_model::{
    Command, RegistryName, Reply, Road, SshTarget, TransferId, TransferKind, TransferState, TransferView,
    UiError,
};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// What is known of such an archive.
pub(in crate::controller) struct Reading {
    pub(in crate::controller) registry: RegistryName,
    pub(in crate::controller) host: Option<SshTarget>,
    /// The file's name.
    pub(in crate::controller) source: String,
    /// The registry's authority, to which the name will be added. Without a name the faces know that it is being read.
    pub(in crate::controller) reference: String,
    pub(in crate::controller) command: Command,
    /// A finished transfer that is forgotten for this one, once it is read or has failed too.
    pub(in crate::controller) replaces: Option<TransferId>,
}

impl Entry {
    /// Whether it is only being read: it waits, and nothing can begin yet.
    pub(super) fn is_being_read(&self) -> bool {
        self.job.is_none() && !self.view.state.is_final()
    }

    /// Whether it is being read to be begun in the place of that one.
    pub(super) fn will_replace(&self, id: TransferId) -> bool {
        self.is_being_read() && self.replaces == Some(id)
    }
}

impl Actor {
    /// Gives an archive its row. `row` gets its number, and what tells when it is cancelled; or why there is none.
    pub(in crate::controller) fn begin_reading(
        &mut self,
        face: FaceId,
        reading: Reading,
        row: oneshot::Sender<Result<(TransferId, CancellationToken), UiError>>,
    ) {
        if let Some(replaced) = reading.replaces
            && let Err(error) = self.may_be_replaced(replaced)
        {
            let _ = row.send(Err(error));
            return;
        }
        if !self.faces.contains_key(&face) {
            // Whoever asked has gone, and nobody would end it.
            return;
        }
        let id = self.transfers.next_id();
        let view = TransferView {
            id,
            kind: TransferKind::Push,
            road: Road::Direct,
            why: None,
            registry: reading.registry,
            host: reading.host,
            source: reading.source,
            reference: reading.reference,
            state: TransferState::Waiting,
            layers: Vec::new(),
            current: 0,
            total: 0,
            share: None,
            sent: 0,
            skipped: 0,
            rate: None,
            seconds_left: None,
            started: unix_now(),
            finished: None,
        };
        let mut entry = Entry::new(view, None, reading.command, self.is_cli(face).then_some(face));
        entry.replaces = reading.replaces;
        if row.send(Ok((id, entry.cancel.clone()))).is_ok() {
            self.transfers.entries.insert(id, entry);
            self.publish_transfer(id);
            self.forget_oldest();
        }
    }

    /// It has been read: it waits for its turn from now on, or has failed. Whoever asked has seen it in the list, and finds
    /// the reason there.
    pub(in crate::controller) fn read(
        &mut self,
        id: TransferId,
        order: Result<Box<Order>, UiError>,
        answer: Answerer,
    ) {
        let Some(entry) = self.transfers.entries.get_mut(&id) else {
            let _ = answer.send(Err(cancelled()));
            return;
        };
        if !entry.is_being_read() {
            // Cancelled meanwhile, or its registry was removed: its row tells that as well.
            let ended = match &entry.view.state {
                TransferState::Failed { error } => error.clone(),
                TransferState::Waiting
                | TransferState::Paused
                | TransferState::Running
                | TransferState::Verifying
                | TransferState::Done { .. }
                | TransferState::Cancelled => cancelled(),
            };
            let _ = answer.send(Err(ended));
            return;
        }
        match order {
            // A command line that has stopped waiting has meant it to stop.
            _ if entry.bound_to.is_some() && answer.is_closed() => entry.end(TransferState::Cancelled),
            Ok(order) => {
                entry.view.reference = order.reference;
                entry.job = Some(order.job);
            }
            Err(error) => entry.end(TransferState::Failed { error }),
        }
        let replaced = entry.replaces.take();
        // First: whoever looks at the old one goes over to it.
        self.publish_transfer(id);
        if let Some(replaced) = replaced {
            self.forget(replaced);
        }
        self.start_waiting();
        // A window that has gone does not hear it. What stands in the list goes on: everybody sees it there.
        let _ = answer.send(Ok(Reply::Transfer { id }));
    }

    /// Whether a finished transfer may be forgotten for another. Who asks twice means it once.
    pub(super) fn may_be_replaced(&self, id: TransferId) -> Result<(), UiError> {
        let entries = &self.transfers.entries;
        match entries.contains_key(&id) && !entries.values().any(|entry| entry.will_replace(id)) {
            true => Ok(()),
            false => Err(steer::no_transfer(id)),
        }
    }
}

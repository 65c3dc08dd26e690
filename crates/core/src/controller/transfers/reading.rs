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
}

impl Entry {
    /// Whether it is only being read: it waits, and nothing can begin yet.
    pub(super) fn is_being_read(&self) -> bool {
        self.job.is_none() && !self.view.state.is_final()
    }
}

impl Actor {
    /// Gives an archive its row. `row` gets its number, and what tells when it is cancelled.
    pub(in crate::controller) fn begin_reading(
        &mut self,
        face: FaceId,
        reading: Reading,
        row: oneshot::Sender<(TransferId, CancellationToken)>,
    ) {
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
        let entry = Entry::new(view, None, reading.command, self.is_cli(face).then_some(face));
        if row.send((id, entry.cancel.clone())).is_ok() {
            self.transfers.entries.insert(id, entry);
            self.publish_transfer(id);
            self.forget_oldest();
        }
    }

    /// It has been read: it waits for its turn from now on, or goes with a reason.
    pub(in crate::controller) fn read(
        &mut self,
        id: TransferId,
        order: Result<Box<Order>, UiError>,
        answer: Answerer,
    ) {
        let order = order.and_then(|order| match order.replaces {
            // Who asks twice means it once.
            Some(replaced) if !self.transfers.entries.contains_key(&replaced) => {
                Err(steer::no_transfer(replaced))
            }
            Some(_) | None => Ok(order),
        });
        let entry = self.transfers.entries.get_mut(&id).filter(|entry| entry.is_being_read());
        let result = match (entry, order) {
            // Cancelled meanwhile, or its registry was removed: that is what its row tells.
            (None, _) => Err(cancelled()),
            (Some(_), Err(error)) => {
                self.forget(id);
                Err(error)
            }
            (Some(entry), Ok(order)) => {
                entry.view.reference = order.reference;
                entry.job = Some(order.job);
                self.publish_transfer(id);
                if let Some(replaced) = order.replaces {
                    self.forget(replaced);
                }
                self.start_waiting();
                Ok(Reply::Transfer { id })
            }
        };
        // A face that has gone does not hear it. What stands in the list goes on: everybody sees it there.
        let _ = answer.send(result);
    }
}

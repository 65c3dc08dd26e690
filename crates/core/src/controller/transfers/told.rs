//! What transfers' tasks tell of themselves: how far they are, by which road, and how they ended.

use crate::controller::actor::Actor;
use dockline_model::{Road, TransferId, TransferState, UiError, Verified};
use std::mem;
use tokio::time::Instant;

impl Actor {
    pub(in crate::controller) fn read_figures(&mut self, now: Instant) {
        self.transfers.share_out();
        let mut moved = Vec::new();
        for entry in self.transfers.entries.values_mut() {
            if entry.has_task && !entry.view.state.is_final() {
                let before = entry.view.clone();
                entry.read_figures(now);
                if entry.view != before {
                    moved.push(entry.view.id);
                }
            }
        }
        moved.into_iter().for_each(|id| self.publish_transfer(id));
    }

    pub(in crate::controller) fn transfer_at(&mut self, id: TransferId, state: TransferState) {
        self.transfers.share_out();
        let Some(entry) = self.transfers.entries.get_mut(&id) else { return };
        // A task that was stopped for a halt may say what it did last; the halt is what counts.
        if entry.is_halting || entry.view.state.is_final() || entry.view.state == state {
            return;
        }
        entry.read_figures(Instant::now());
        entry.view.state = state;
        self.publish_transfer(id);
    }

    pub(in crate::controller) fn transfer_road(&mut self, id: TransferId, road: Road, why: String) {
        let Some(entry) = self.transfers.entries.get_mut(&id) else { return };
        if !entry.view.state.is_final() {
            entry.view.road = road;
            entry.view.why = Some(why);
            self.publish_transfer(id);
        }
    }

    pub(in crate::controller) fn transfer_remark(&mut self, id: TransferId, remark: &str) {
        let Some(entry) = self.transfers.entries.get_mut(&id) else { return };
        if !entry.view.state.is_final() {
            let said = entry.view.why.iter().map(String::as_str).chain([remark]);
            entry.view.why = Some(said.collect::<Vec<_>>().join(" "));
            self.publish_transfer(id);
        }
    }

    pub(in crate::controller) fn transfer_ended(
        &mut self,
        id: TransferId,
        result: Result<Verified, UiError>,
    ) {
        let Some(entry) = self.transfers.entries.get_mut(&id) else { return };
        entry.has_task = false;
        entry.forget_parts();
        let was_halted = mem::take(&mut entry.is_halting);
        // Cancelled, interrupted or halted: the faces know that already.
        if !entry.view.state.is_final() && !was_halted {
            entry.end(match result {
                Ok(verified) => TransferState::Done { verified },
                Err(error) => TransferState::Failed { error },
            });
            self.publish_transfer(id);
        }
        self.start_waiting();
    }
}

//! What the faces see of a tunnel.

use super::Actor;
use crate::lifecycle::{Moment, State};
use dockline_model::{LeaseHolder, LeaseView, TunnelState, TunnelView, UnixMillis};
use std::{sync::atomic::Ordering, time::SystemTime};

impl Actor {
    fn wall(&self, moment: Moment) -> UnixMillis {
        let wall = self.epoch_wall + moment;
        UnixMillis(wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64))
    }

    /// Shows the tunnel as it is now, if that differs from what is shown.
    pub(super) fn show(&self) {
        self.surroundings.concern(match self.machine.state() {
            State::Idle | State::Closing | State::Failed { .. } => false,
            State::Connecting { .. }
            | State::Up { .. }
            | State::Reconnecting { .. }
            | State::Lingering { .. } => true,
        });
        let state = match self.machine.state() {
            State::Idle => TunnelState::Idle,
            State::Connecting { since } => TunnelState::Connecting { since: self.wall(*since) },
            State::Up { since } => TunnelState::Up { since: self.wall(*since) },
            State::Reconnecting { failures, retry_at, error, .. } => TunnelState::Reconnecting {
                failures: *failures,
                retry_at: self.wall(*retry_at),
                error: error.clone(),
            },
            State::Lingering { until, .. } => TunnelState::Lingering { until: self.wall(*until) },
            State::Closing => TunnelState::Closing,
            State::Failed { error, .. } => TunnelState::Failed { error: error.clone() },
        };
        let leases = self.machine.leases();
        // A transfer goes through the listener like any program; what holds the tunnel is the transfer, said once.
        let is_in_own_hands = leases.values().any(|held| match held.holder {
            LeaseHolder::Transfer { .. } | LeaseHolder::Visit => true,
            LeaseHolder::Manual | LeaseHolder::Face { .. } | LeaseHolder::Connection { .. } => false,
        });
        let leases = leases
            .iter()
            .map(|(id, held)| (self.programs.get(id), held))
            .filter(|(program, _)| !(is_in_own_hands && program.is_some_and(|program| program.is_this_one)))
            .map(|(program, held)| LeaseView {
                holder: held.holder.clone(),
                since: self.wall(held.since),
                program: program.map(|program| match program.is_this_one {
                    true => "Dockline".to_owned(),
                    false => program.name.clone(),
                }),
                is_own: program.is_some_and(|program| program.is_this_one),
            })
            .collect();
        let view = TunnelView {
            state,
            listener_error: self.unbound.own.clone(),
            gateway_error: self.unbound.gateway.clone(),
            localhost_error: self.unbound.localhost.clone(),
            forward_error: self.forward_error.clone(),
            route: self.via.clone(),
            leases,
            bytes_up: self.traffic.up.load(Ordering::Relaxed),
            bytes_down: self.traffic.down.load(Ordering::Relaxed),
        };
        self.view.send_if_modified(|shown| {
            let changed = *shown != view;
            if changed {
                *shown = view;
            }
            changed
        });
    }
}

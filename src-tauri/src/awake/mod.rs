//! Keeps the system from napping while images are on their way: macOS slows programs down that show no window, and lets a
//! machine sleep that nobody touches.

#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(target_os = "macos"))]
mod others;
#[cfg(target_os = "macos")]
use macos as platform;
#[cfg(not(target_os = "macos"))]
use others as platform;

use dockline_model::{Snapshot, TransferState};

/// What the system has been told.
#[derive(Default)]
pub struct Awake(Option<platform::Activity>);

impl Awake {
    /// Tells it what the state asks for.
    pub fn follow(&mut self, state: &Snapshot) {
        match (is_needed(state), self.0.is_some()) {
            (true, false) => self.0 = Some(platform::Activity::begin()),
            (false, true) => self.rest(),
            (true, true) | (false, false) => {}
        }
    }

    /// Nothing is known to move.
    pub fn rest(&mut self) {
        self.0 = None;
    }
}

/// What waits for a tunnel or for a person may wait for days.
fn is_needed(state: &Snapshot) -> bool {
    state.transfers.iter().any(|transfer| match transfer.state {
        TransferState::Running | TransferState::Verifying => true,
        TransferState::Waiting
        | TransferState::Paused
        | TransferState::Done { .. }
        | TransferState::Failed { .. }
        | TransferState::Cancelled => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{snapshot, transfer};

    #[test]
    fn the_system_naps_unless_bytes_move() {
        let mut awake = Awake::default();
        let mut state = snapshot();
        for (transfers, is_awake) in [
            (vec![], false),
            (vec![transfer(1, TransferState::Waiting), transfer(2, TransferState::Paused)], false),
            (vec![transfer(1, TransferState::Running), transfer(2, TransferState::Paused)], true),
            (vec![transfer(1, TransferState::Verifying)], true),
            (vec![transfer(1, TransferState::Cancelled)], false),
        ] {
            state.transfers = transfers;
            awake.follow(&state);
            assert_eq!(awake.0.is_some(), is_awake, "{:?}", state.transfers);
        }
        state.transfers = vec![transfer(3, TransferState::Running)];
        awake.follow(&state);
        awake.rest();
        assert!(awake.0.is_none());
    }
}

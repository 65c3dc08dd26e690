//! Which of the five shapes the tray shows: a pure function of the state.

use crate::strings::Tongue;
use dockline_model::{OfferState, Snapshot, TransferState, TunnelState};

/// A shape of the tray icon, each with an outline of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IconState {
    /// No tunnel is open.
    Idle,
    /// A tunnel is being opened, or opened again.
    Connecting,
    /// A tunnel is open.
    Up,
    /// An image is on its way.
    Busy,
    /// Something needs the person.
    Error,
}

impl IconState {
    /// The tooltip, where the platform has one.
    #[must_use]
    pub const fn description(self, tongue: Tongue) -> &'static str {
        match self {
            Self::Idle => tongue.icon_idle(),
            Self::Connecting => tongue.icon_connecting(),
            Self::Up => tongue.icon_up(),
            Self::Busy => tongue.icon_busy(),
            Self::Error => tongue.icon_error(),
        }
    }
}

/// What needs the person comes first, then what moves, then what is on the way, then what is open.
#[must_use]
pub fn icon_state(state: &Snapshot) -> IconState {
    let tunnels = || state.registries.iter().map(|registry| &registry.tunnel);
    let needs_person = state.config_error.is_some()
        || state.offers.iter().any(|offer| matches!(offer.state, OfferState::Failed { .. }))
        || tunnels().any(|t| t.listener_error.is_some() || matches!(t.state, TunnelState::Failed { .. }));
    let moving =
        state.transfers.iter().any(|t| matches!(t.state, TransferState::Running | TransferState::Verifying));
    if needs_person {
        IconState::Error
    } else if moving {
        IconState::Busy
    } else if tunnels()
        .any(|t| matches!(t.state, TunnelState::Connecting { .. } | TunnelState::Reconnecting { .. }))
        || state
            .offers
            .iter()
            .any(|offer| matches!(offer.state, OfferState::Connecting | OfferState::Reconnecting { .. }))
    {
        IconState::Connecting
    } else if tunnels().any(|t| matches!(t.state, TunnelState::Up { .. } | TunnelState::Lingering { .. }))
        || state.offers.iter().any(|offer| matches!(offer.state, OfferState::Offering { .. }))
    {
        IconState::Up
    } else {
        IconState::Idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{registry, snapshot, transfer};
    use dockline_model::{Code, UiError, UnixMillis};

    #[test]
    fn what_needs_the_person_hides_everything_else() {
        let mut state = snapshot();
        assert_eq!(icon_state(&state), IconState::Idle);
        let now = UnixMillis(0);
        state.registries.push(registry("a.example", TunnelState::Up { since: now }));
        assert_eq!(icon_state(&state), IconState::Up);
        state.registries.push(registry("b.example", TunnelState::Connecting { since: now }));
        assert_eq!(icon_state(&state), IconState::Connecting);
        state.transfers.push(transfer(1, TransferState::Waiting));
        assert_eq!(icon_state(&state), IconState::Connecting);
        state.transfers.push(transfer(2, TransferState::Running));
        assert_eq!(icon_state(&state), IconState::Busy);
        let error = UiError::new(Code::SshAuth, "None of the keys was accepted.");
        state.registries.push(registry("c.example", TunnelState::Failed { error: error.clone() }));
        assert_eq!(icon_state(&state), IconState::Error);
        state.registries.pop();
        state.registries[0].tunnel.listener_error = Some(error);
        assert_eq!(icon_state(&state), IconState::Error);
    }
}

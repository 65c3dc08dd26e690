//! What a tunnel is doing, and for whom.

use crate::{TransferId, UiError};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct UnixMillis(pub u64);

/// The lifecycle of a tunnel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum TunnelState {
    /// Listening; no SSH session.
    Idle,
    /// The first dial is under way.
    Connecting {
        /// When it began.
        since: UnixMillis,
    },
    /// An SSH session is up and something holds it.
    Up {
        /// When it came up.
        since: UnixMillis,
    },
    /// The session was lost, or could not be had yet, while something still needs it.
    Reconnecting {
        /// How many dials have failed in a row.
        failures: u32,
        /// When the next dial begins; in the past while one is under way.
        retry_at: UnixMillis,
        /// Why the last one failed.
        error: UiError,
    },
    /// Up, but nothing holds it; it closes at `until` unless something connects.
    Lingering {
        /// When it closes.
        until: UnixMillis,
    },
    /// The session is being closed.
    Closing,
    /// Retrying cannot mend this: a person has to. A new lease tries once more.
    Failed {
        /// What happened, why, and what to do.
        error: UiError,
    },
}

/// Who needs the tunnel. The number of holders is the length of the list and is stored nowhere.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum LeaseHolder {
    /// The person, by Connect; until Disconnect.
    Manual,
    /// A face that asked to hold the tunnel for as long as it is connected (`dockline connect --hold`).
    Face {
        /// Number of its connection to the owner.
        connection: u64,
    },
    /// A push or a pull of Dockline's own.
    Transfer {
        /// Which one.
        id: TransferId,
    },
    /// A program that connected to the listener.
    Connection {
        /// The program's end of the connection.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        peer: SocketAddr,
    },
}

/// One lease, for display.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct LeaseView {
    /// Who.
    pub holder: LeaseHolder,
    /// Since when.
    pub since: UnixMillis,
    /// The program's name where it can be found out (`dockerd`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// A tunnel as the faces show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct TunnelView {
    /// Where in its life it is.
    pub state: TunnelState,
    /// Why the listener could not be had (a port already taken); programs cannot connect then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener_error: Option<UiError>,
    /// Why the last connection could not be carried to the registry although the session is up (nothing listens at
    /// the far end, the forward is forbidden); gone as soon as one could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_error: Option<UiError>,
    /// What holds it, oldest first.
    pub leases: Vec<LeaseView>,
    /// Bytes sent to the registry since the owner started.
    pub bytes_up: u64,
    /// Bytes received from the registry since the owner started.
    pub bytes_down: u64,
}

impl TunnelView {
    /// A tunnel that nothing has used yet.
    #[must_use]
    pub const fn idle() -> Self {
        Self {
            state: TunnelState::Idle,
            listener_error: None,
            forward_error: None,
            leases: Vec::new(),
            bytes_up: 0,
            bytes_down: 0,
        }
    }
}

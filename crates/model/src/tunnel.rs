//! What a tunnel is doing, and for whom.

use crate::{Code, SshTarget, TransferId, TransferKind, UiError};
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
    /// Somebody who looks at what is in the registry.
    Visit,
    /// A program that connected to the listener.
    Connection {
        /// The program's end of the connection.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        peer: SocketAddr,
    },
}

/// What closing a tunnel would cut off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum Interruption {
    /// A push or a pull of Dockline's own, under way or waiting.
    Transfer {
        /// Which one.
        id: TransferId,
        /// Whether it is a push or a pull.
        direction: TransferKind,
        /// `cr.boss.org:5000/app:v1`.
        reference: String,
    },
    /// A program that is connected to the registry's address.
    Program {
        /// Its name where it can be found out (`dockerd`).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        program: Option<String>,
        /// How many connections it has.
        connections: u32,
    },
    /// Faces that hold the tunnel while they are connected (`dockline connect --hold`).
    Faces {
        /// How many.
        count: u32,
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
    /// Whether it is a connection of the owner's, which outlives the transfer or the look inside that it was made for,
    /// as HTTP connections do: closing it interrupts nobody.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_own: bool,
}

/// Which of a registry's hosts its tunnel goes through.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RouteView {
    /// The host in use.
    pub ssh: SshTarget,
    /// Hosts that are preferred to it and could not be used, the most preferred first.
    pub passed_over: Vec<PassedOver>,
}

/// A host that could not be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct PassedOver {
    /// Which.
    pub ssh: SshTarget,
    /// Why.
    pub error: UiError,
}

impl RouteView {
    /// “via b, since a does not answer”; nothing where the preferred host is in use.
    #[must_use]
    pub fn detour(&self) -> Option<String> {
        if self.passed_over.is_empty() {
            return None;
        }
        // Two hosts behind one address differ in their port.
        let is_ambiguous = self.passed_over.iter().any(|passed| passed.ssh.host == self.ssh.host);
        let named = |ssh: &SshTarget| if is_ambiguous { ssh.to_string() } else { ssh.host.clone() };
        let reasons: Vec<String> = self
            .passed_over
            .iter()
            .map(|passed| format!("{} {}", named(&passed.ssh), passed.predicate()))
            .collect();
        Some(format!("via {}, since {}", named(&self.ssh), reasons.join(" and ")))
    }
}

impl PassedOver {
    /// The reason in a few words that follow the host's name.
    #[must_use]
    pub const fn predicate(&self) -> &'static str {
        let code = self.error.code;
        if matches!(code, Code::SshHostNotFound) {
            "is not found"
        } else if matches!(code, Code::SshAuth | Code::SshKeyUnusable) {
            "does not let us log in"
        } else if matches!(code, Code::HostKeyUnknown) {
            "is not known yet"
        } else if matches!(code, Code::HostKeyChanged | Code::HostKeyRevoked) {
            "shows a host key that it must not have"
        } else if matches!(code, Code::SshJump) {
            "is not reached through its jump host"
        } else if matches!(code, Code::RemoteClosed | Code::RegistryUnreachable) {
            "has no registry that answers"
        } else if matches!(code, Code::ForwardForbidden) {
            "does not allow the forward"
        } else {
            "does not answer"
        }
    }
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
    /// Why there is no listener for containers although one is wanted; programs of this machine can connect all the
    /// same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway_error: Option<Box<UiError>>,
    /// Why there is no listener at 127.0.0.1 for engines in a virtual machine although one is wanted; programs of this
    /// machine can connect all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub localhost_error: Option<Box<UiError>>,
    /// Why the last connection could not be carried to the registry although the session is up (nothing listens at
    /// the far end, the forward is forbidden); gone as soon as one could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forward_error: Option<UiError>,
    /// Which host it goes through while there is a session, where the registry has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub route: Option<Box<RouteView>>,
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
            gateway_error: None,
            localhost_error: None,
            forward_error: None,
            route: None,
            leases: Vec::new(),
            bytes_up: 0,
            bytes_down: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detour_says_why() {
        let passed =
            |ssh: &str, code| PassedOver { ssh: ssh.parse().unwrap(), error: UiError::new(code, "…") };
        let mut route = RouteView { ssh: "u@b".parse().unwrap(), passed_over: Vec::new() };
        assert_eq!(route.detour(), None);
        route.passed_over = vec![passed("u@a", Code::SshUnreachable)];
        assert_eq!(route.detour().unwrap(), "via b, since a does not answer");
        route.passed_over.push(passed("u@b:2222", Code::RemoteClosed));
        let both = "via u@b, since u@a does not answer and u@b:2222 has no registry that answers";
        assert_eq!(route.detour().unwrap(), both);
    }
}

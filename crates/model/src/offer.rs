//! The reverse direction: a registry of this machine that a host may use as if it were its own (`ssh -R`).

use crate::{SshTarget, UiError, UnixMillis};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Number of an offer, unique within one owner's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct OfferId(pub u64);

/// What is offered, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct OfferSpec {
    /// The host.
    pub ssh: SshTarget,
    /// The port of the host's 127.0.0.1 where the registry appears.
    pub port: u16,
    /// Where the registry is, seen from this machine.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub to: SocketAddr,
}

impl OfferSpec {
    /// Where a registry of this machine is unless the person says otherwise.
    pub const DEFAULT_TO: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5000);

    /// Whether the other one is at the same port of the same host, whichever key it logs in with.
    #[must_use]
    pub fn is_same_place(&self, other: &Self) -> bool {
        let place = |spec: &Self| SshTarget { identity: None, ..spec.ssh.clone() };
        place(self) == place(other) && self.port == other.port
    }

    /// Reads `127.0.0.1:5000`, `localhost:5000` or `5000`.
    ///
    /// # Errors
    /// If it is none of them: names that would have to be looked up are none.
    pub fn parse_to(text: &str) -> Result<SocketAddr, InvalidOffered> {
        let text = text.trim();
        let port = text.strip_prefix("localhost:").unwrap_or(text);
        port.parse()
            .map(|port: u16| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
            .or_else(|_| text.parse())
            .ok()
            .filter(|address| address.port() != 0)
            .ok_or_else(|| InvalidOffered(text.to_owned()))
    }
}

/// A text that is no address of a registry of this machine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not an address and a port; write it as 127.0.0.1:5000")]
pub struct InvalidOffered(pub String);

/// Where in its life an offer is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum OfferState {
    /// The first dial is under way.
    Connecting,
    /// The host listens.
    Offering {
        /// Since when.
        since: UnixMillis,
    },
    /// The session was lost, or could not be had yet.
    Reconnecting {
        /// When the next dial begins; in the past while one is under way.
        retry_at: UnixMillis,
        /// Why the last one failed.
        error: UiError,
    },
    /// Retrying cannot mend this: a person has to.
    Failed {
        /// What happened, why, and what to do.
        error: UiError,
    },
}

/// An offer as the faces show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct OfferView {
    /// Its number.
    pub id: OfferId,
    /// As asked for.
    pub spec: OfferSpec,
    /// Whether it stands in the configuration.
    #[serde(default)]
    pub kept: bool,
    /// Where in its life it is.
    pub state: OfferState,
    /// Connections from the host that are open.
    pub connections: u32,
    /// Why the last connection from the host could not be carried; gone as soon as one could.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<UiError>>,
    /// Bytes sent to the host.
    pub bytes_up: u64,
    /// Bytes received from the host.
    pub bytes_down: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_an_address() {
        for (text, read) in [
            ("5000", "127.0.0.1:5000"),
            ("localhost:5001", "127.0.0.1:5001"),
            ("127.77.1.2:5000", "127.77.1.2:5000"),
            ("[::1]:5000", "[::1]:5000"),
        ] {
            assert_eq!(OfferSpec::parse_to(text).unwrap().to_string(), read);
        }
        for bad in ["", "0", "host:5000", "127.0.0.1", "localhost", "127.0.0.1:0"] {
            assert!(OfferSpec::parse_to(bad).is_err(), "{bad:?} was accepted");
        }
    }
}

//! What a tunnel ends at, seen from its host.

use crate::RegistrySpec;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The far end of the forward.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "typescript", ts(type = "string"))]
pub enum RemoteEnd {
    /// A `direct-tcpip` channel (RFC 4254 §7.2).
    Tcp {
        /// Host name or address, resolved on the far side. sshd's `permitopen` compares it literally.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// A `direct-streamlocal@openssh.com` channel (OpenSSH's PROTOCOL §2.4).
    Unix {
        /// Absolute path on the far side.
        path: String,
    },
}

/// A text that is neither `host:port` nor an absolute path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is neither host:port (127.0.0.1:5000) nor the path of a UNIX socket (/run/registry.sock)")]
pub struct InvalidRemoteEnd(pub String);

impl Default for RemoteEnd {
    fn default() -> Self {
        Self::Tcp { host: "127.0.0.1".to_owned(), port: RegistrySpec::DEFAULT_PORT }
    }
}

impl FromStr for RemoteEnd {
    type Err = InvalidRemoteEnd;

    fn from_str(text: &str) -> Result<Self, InvalidRemoteEnd> {
        let invalid = || InvalidRemoteEnd(text.to_owned());
        let text = text.trim();
        if text.chars().any(|c| c.is_control()) {
            return Err(invalid());
        }
        if text.starts_with('/') {
            return Ok(Self::Unix { path: text.to_owned() });
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(invalid)?;
        let host = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
        let port = port.parse::<u16>().ok().filter(|p| *p != 0).ok_or_else(invalid)?;
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err(invalid());
        }
        Ok(Self::Tcp { host: host.to_owned(), port })
    }
}

impl fmt::Display for RemoteEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp { host, port } => write!(f, "{host}:{port}"),
            Self::Unix { path } => f.write_str(path),
        }
    }
}

impl TryFrom<String> for RemoteEnd {
    type Error = InvalidRemoteEnd;
    fn try_from(text: String) -> Result<Self, InvalidRemoteEnd> {
        text.parse()
    }
}

impl From<RemoteEnd> for String {
    fn from(end: RemoteEnd) -> Self {
        end.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_ends_read_back_as_written() {
        for text in ["127.0.0.1:5000", "[::1]:5000", "registry.lan:443", "/run/registry.sock"] {
            assert_eq!(text.parse::<RemoteEnd>().unwrap().to_string(), text);
        }
        for bad in ["", "5000", "host:", ":5000", "host:0", "relative/path"] {
            assert!(bad.parse::<RemoteEnd>().is_err(), "{bad:?} was accepted");
        }
    }
}

//! Whom to log in as, and where, as a person writes it after `ssh`.

use crate::RegistryUrl;
use serde::{Deserialize, Serialize};
use std::{fmt, path::PathBuf, str::FromStr};

/// Whom to log in as, and where. Whatever is `None` is taken from `~/.ssh/config`, as `ssh` would.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct SshTarget {
    /// A host name, an address, or a `Host` of `~/.ssh/config`.
    pub host: String,
    /// The remote user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The SSH port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// A private key file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub identity: Option<PathBuf>,
    /// `[user@]host[:port]`, comma-separated from nearest to farthest, as ssh_config(5) `ProxyJump`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jump: Option<String>,
}

/// A text that is not `[user@]host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not an SSH destination; write it as user@host, host, or user@host:2222")]
pub struct InvalidSshTarget(pub String);

impl SshTarget {
    /// The host of a registry without a tunnel, where nobody logs in ([`RegistrySpec::ssh`](crate::RegistrySpec::ssh)).
    #[must_use]
    pub fn of(url: &RegistryUrl) -> Self {
        let host = url.host().trim_matches(['[', ']']).to_owned();
        Self { host, user: None, port: None, identity: None, jump: None }
    }
}

impl FromStr for SshTarget {
    type Err = InvalidSshTarget;

    /// Reads `[user@]host[:port]` or `ssh://[user@]host[:port]` (ssh(1), DESTINATION); an IPv6 address with a
    /// port stands in brackets. A host that starts with `-` is refused: `ssh -G` would take it for an option.
    fn from_str(text: &str) -> Result<Self, InvalidSshTarget> {
        let invalid = || InvalidSshTarget(text.to_owned());
        let rest = text.trim();
        let rest = rest.strip_prefix("ssh://").unwrap_or(rest).trim_end_matches('/');
        let (user, rest) = match rest.rsplit_once('@') {
            Some((user, rest)) => (Some(user), rest),
            None => (None, rest),
        };
        let (host, port) = if let Some(bracketed) = rest.strip_prefix('[') {
            let (host, after) = bracketed.split_once(']').ok_or_else(invalid)?;
            let port =
                if after.is_empty() { None } else { Some(after.strip_prefix(':').ok_or_else(invalid)?) };
            (host, port)
        } else if rest.matches(':').count() > 1 {
            (rest, None) // a bare IPv6 address
        } else {
            match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            }
        };
        let port = port.map(|p| p.parse::<u16>().ok().filter(|p| *p != 0).ok_or_else(invalid)).transpose()?;
        let is_plain = |s: &str| {
            !s.is_empty()
                && !s.starts_with('-')
                && !s.chars().any(|c| c.is_whitespace() || c.is_control() || c == '/')
        };
        if !is_plain(host) || user.is_some_and(|u| !is_plain(u)) {
            return Err(invalid());
        }
        Ok(Self { host: host.to_owned(), user: user.map(str::to_owned), port, identity: None, jump: None })
    }
}

impl fmt::Display for SshTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match self.port {
            Some(port) if self.host.contains(':') => write!(f, "[{}]:{port}", self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ssh_targets_read_back_as_written() {
        for text in
            ["88.88.88.88", "dockercr@88.88.88.88", "a@host:2222", "[::1]:22", "::1", "DOMAIN\\u@host"]
        {
            assert_eq!(text.parse::<SshTarget>().unwrap().to_string(), text);
        }
        assert_eq!("ssh://a@b:22/".parse::<SshTarget>().unwrap().to_string(), "a@b:22");
        for bad in ["", "-oProxyCommand=id", "a@-x", "host:0", "host:99999", "a b", "@host", "[::1", "h:"] {
            assert!(bad.parse::<SshTarget>().is_err(), "{bad:?} was accepted");
        }
    }
}

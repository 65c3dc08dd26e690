//! The address of a registry that is reached without a tunnel.

use serde::{Deserialize, Serialize};
use std::{fmt, net::IpAddr, str::FromStr};

/// Where a registry without a tunnel is: `https://host[:port][/path]`, or `http://` on this machine's own loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "typescript", ts(type = "string"))]
pub struct RegistryUrl {
    tls: bool,
    host: String,
    port: Option<u16>,
    /// Without slashes at its ends.
    path: String,
}

/// A text that is no [`RegistryUrl`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegistryUrl {
    /// Not of the form.
    #[error("“{0}” is not a registry's address; write it as https://nexus.boss.org:8443")]
    Form(String),
    /// Passwords would go over the network for everybody to read.
    #[error("“{0}” would send passwords unencrypted; only https:// goes over a network without a tunnel")]
    Unencrypted(String),
}

impl RegistryUrl {
    /// Whether it speaks TLS.
    #[must_use]
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// Host name or address; an IPv6 address is in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port that is connected to.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(if self.tls { 443 } else { 80 })
    }

    /// What stands before `/v2/`: empty, or begins with a slash and does not end with one.
    #[must_use]
    pub fn path(&self) -> String {
        if self.path.is_empty() { String::new() } else { format!("/{}", self.path) }
    }

    /// Whether it is Docker Hub, which has one name in references, another for logins and a third to connect to
    /// (distribution, `reference/normalize.go`; docker/cli, `registry.IndexServer`).
    #[must_use]
    pub fn is_hub(&self) -> bool {
        matches!(self.host.as_str(), "docker.io" | "index.docker.io" | "registry-1.docker.io")
    }

    /// `host[:port]` to connect to.
    #[must_use]
    pub fn endpoint(&self) -> String {
        if self.is_hub() { "registry-1.docker.io".to_owned() } else { self.host_and_port() }
    }

    /// `host[:port]`, as it stands in an image reference.
    #[must_use]
    pub fn authority(&self) -> String {
        if self.is_hub() { "docker.io".to_owned() } else { self.host_and_port() }
    }

    fn host_and_port(&self) -> String {
        self.port.map_or_else(|| self.host.clone(), |port| format!("{}:{port}", self.host))
    }
}

impl FromStr for RegistryUrl {
    type Err = InvalidRegistryUrl;

    /// Reads `[https://]host[:port][/path]`.
    fn from_str(text: &str) -> Result<Self, InvalidRegistryUrl> {
        let form = || InvalidRegistryUrl::Form(text.to_owned());
        let trimmed = text.trim();
        let (tls, rest) = match trimmed.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            Some(_) => return Err(form()),
            None => (true, trimmed),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        // Nor is a password to stand in it (`user:password@host`).
        if rest.contains(['@', '?', '#', '\\', '%'])
            || rest.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return Err(form());
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => {
                (host, Some(port.parse::<u16>().ok().filter(|port| *port != 0).ok_or_else(form)?))
            }
            Some(_) | None => (authority, None),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let address = bare.unwrap_or(host).parse::<IpAddr>().ok();
        let is_host = match (bare, address) {
            (Some(_), address) => address.is_some_and(|address| address.is_ipv6()),
            (None, Some(address)) => address.is_ipv4(),
            (None, None) => host.split('.').all(|label| {
                !label.is_empty()
                    && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
            }),
        };
        if !is_host {
            return Err(form());
        }
        let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
        if !tls && !is_here {
            return Err(InvalidRegistryUrl::Unencrypted(text.to_owned()));
        }
        let port = port.filter(|port| *port != if tls { 443 } else { 80 });
        let path = path.trim_matches('/').trim_end_matches("/v2");
        Ok(Self {
            tls,
            host: host.to_ascii_lowercase(),
            port,
            path: if path == "v2" { "" } else { path }.to_owned(),
        })
    }
}

impl fmt::Display for RegistryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.host_and_port(), self.path())
    }
}

impl TryFrom<String> for RegistryUrl {
    type Error = InvalidRegistryUrl;
    fn try_from(text: String) -> Result<Self, InvalidRegistryUrl> {
        text.parse()
    }
}

impl From<RegistryUrl> for String {
    fn from(url: RegistryUrl) -> Self {
        url.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_without_a_tunnel_are_encrypted_or_here() {
        for text in [
            "https://nexus.boss.org:8443",
            "https://ghcr.io",
            "https://n.org/repository/docker",
            "http://127.0.0.1:5000",
            "https://[::1]:5000",
        ] {
            assert_eq!(text.parse::<RegistryUrl>().unwrap().to_string(), text);
        }
        let url = |text: &str| text.parse::<RegistryUrl>().unwrap().to_string();
        assert_eq!(url("ghcr.io"), "https://ghcr.io");
        let hub = "docker.io".parse::<RegistryUrl>().unwrap();
        assert_eq!((hub.authority(), hub.endpoint()), ("docker.io".into(), "registry-1.docker.io".into()));
        assert_eq!(url("https://GHCR.io:443/v2/"), "https://ghcr.io");
        assert_eq!(url("https://n.org/repository/docker/v2/"), "https://n.org/repository/docker");
        for bad in ["", "ftp://x", "https://user:pw@x.org", "https://x.org:0", "https://a b", "https://x?y"] {
            assert!(bad.parse::<RegistryUrl>().is_err(), "{bad:?} was accepted");
        }
        assert!(matches!("http://x.org".parse::<RegistryUrl>(), Err(InvalidRegistryUrl::Unencrypted(_))));
    }
}

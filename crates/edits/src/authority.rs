//! `HOST:PORT`, as it stands in an image reference and in engines' settings.

use dockline_model::RegistryName;
use serde::{Deserialize, Serialize};
use std::{fmt, net::Ipv4Addr, str::FromStr};

/// A registry as an engine knows it. Always with a port: dockerd compares `host:port` as a whole, and an entry without
/// one does not match.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Authority {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
}

/// The host in an [`Authority`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name, by the rules of [`RegistryName`].
    Name(RegistryName),
    /// An address.
    Address(Ipv4Addr),
}

/// A text that is no `HOST:PORT`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("“{0}” is not HOST:PORT, such as cr.boss.org:5000 or 172.17.0.1:5000")]
pub struct InvalidAuthority(pub String);

impl Authority {
    /// `name:port`.
    #[must_use]
    pub fn of_name(name: RegistryName, port: u16) -> Self {
        Self { host: Host::Name(name), port }
    }

    /// `address:port`.
    #[must_use]
    pub fn of_address(address: Ipv4Addr, port: u16) -> Self {
        Self { host: Host::Address(address), port }
    }
}

impl FromStr for Authority {
    type Err = InvalidAuthority;

    fn from_str(text: &str) -> Result<Self, InvalidAuthority> {
        let invalid = || InvalidAuthority(text.to_owned());
        let (host, digits) = text.rsplit_once(':').ok_or_else(invalid)?;
        // `+5000` and `05000` parse too, but no engine writes them so.
        if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let port = digits.parse().map_err(|_| invalid())?;
        let host = match host.parse::<Ipv4Addr>() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(host.parse().map_err(|_| invalid())?),
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Name(name) => write!(f, "{name}:{}", self.port),
            Host::Address(address) => write!(f, "{address}:{}", self.port),
        }
    }
}

impl TryFrom<String> for Authority {
    type Error = InvalidAuthority;
    fn try_from(text: String) -> Result<Self, InvalidAuthority> {
        text.parse()
    }
}

impl From<Authority> for String {
    fn from(authority: Authority) -> Self {
        authority.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_have_a_host_and_a_port() {
        for good in ["cr.boss.org:5000", "172.17.0.1:1", "host.docker.internal:65535"] {
            assert_eq!(good.parse::<Authority>().unwrap().to_string(), good);
        }
        for bad in [
            "",
            "cr.boss.org",
            "cr.boss.org:0",
            "cr.boss.org:+5",
            "a.b:05",
            "a.b:65536",
            "../x:5",
            "a b.c:5",
            "a.b:5\n",
        ] {
            assert!(bad.parse::<Authority>().is_err(), "{bad:?}");
        }
    }
}

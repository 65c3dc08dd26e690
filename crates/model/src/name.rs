//! A registry's name: the host name a person types in `docker push NAME:5000/app`.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A host name by the rules of RFC 1123 §2.1: labels of letters, digits and inner hyphens, 63 bytes at most
/// each, 253 in all; kept in lower case, since host names do not tell case apart.
///
/// A single label (`registry`) is refused: Docker reads `registry/app` as a repository on Docker Hub, so a
/// registry's name must contain a dot (`reference` in distribution's grammar tells a host from a path so).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(try_from = "String", into = "String")]
pub struct RegistryName(String);

/// Why a text is not a registry's name. The message is a whole sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing was given.
    #[error("a registry needs a name, such as cr.boss.org")]
    Empty,
    /// Over 253 bytes, or a label over 63.
    #[error("“{0}” is too long for a host name: 63 characters between dots, 253 in all")]
    TooLong(String),
    /// A label breaks RFC 1123.
    #[error("“{0}” is not a host name: use letters, digits and hyphens between dots, as in cr.boss.org")]
    NotAHostName(String),
    /// One label only.
    #[error(
        "“{0}” needs a dot in it, as in cr.boss.org: Docker takes a name without one for a Docker Hub user"
    )]
    NoDot(String),
    /// Names that mean this machine, or an address, already.
    #[error(
        "“{0}” already means something else on every machine; choose a name of your own, such as cr.boss.org"
    )]
    Reserved(String),
}

impl RegistryName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RegistryName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let name = text.trim().to_ascii_lowercase();
        if name.is_empty() {
            return Err(InvalidName::Empty);
        }
        if name.len() > 253 || name.split('.').any(|label| label.len() > 63) {
            return Err(InvalidName::TooLong(name));
        }
        if name.parse::<std::net::IpAddr>().is_ok() || name == "localhost" || name.ends_with(".localhost") {
            return Err(InvalidName::Reserved(name));
        }
        let label_is_valid = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if !name.split('.').all(label_is_valid) {
            return Err(InvalidName::NotAHostName(name));
        }
        // `10.0.0.300` is no address, but no top-level domain is all digits either (RFC 3696 §2).
        if name.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit())) {
            return Err(InvalidName::NotAHostName(name));
        }
        if !name.contains('.') {
            return Err(InvalidName::NoDot(name));
        }
        Ok(Self(name))
    }
}

impl TryFrom<String> for RegistryName {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<RegistryName> for String {
    fn from(name: RegistryName) -> Self {
        name.0
    }
}

impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_host_names_with_a_dot() {
        assert_eq!("CR.Boss.org ".parse::<RegistryName>().unwrap().as_str(), "cr.boss.org");
        for bad in
            ["", "registry", "localhost", "x.localhost", "127.0.0.1", "10.0.0.300", "a..b", "-a.b", "a_b.c"]
        {
            assert!(bad.parse::<RegistryName>().is_err(), "{bad:?} was accepted");
        }
        assert!(format!("{}.org", "x".repeat(64)).parse::<RegistryName>().is_err());
    }
}

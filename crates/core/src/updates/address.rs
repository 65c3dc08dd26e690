//! Whom to ask.

use dockline_model::{Code, UiError, sentence};
use std::{fmt, str::FromStr};
use url::{Host, Url};

/// Where the document is: `https`, or on this machine itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(Url);

/// Why a text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidAddress {
    /// Not a URL with a host.
    #[error("“{0}” is no address to ask; write it as https://host/path")]
    NoUrl(String),
    /// Whoever is on the way could answer in its place.
    #[error("“{0}” must begin with https://; plain http is for this machine alone")]
    NotEncrypted(String),
    /// The configuration holds no secrets.
    #[error("the address to ask may hold no name and no password")]
    Login,
}

impl From<&InvalidAddress> for UiError {
    fn from(error: &InvalidAddress) -> Self {
        Self::new(Code::InvalidArgument, sentence(error))
    }
}

impl Address {
    /// The address itself.
    pub(super) fn url(&self) -> &Url {
        &self.0
    }

    /// What an error calls it: the host, and the port if it is an unusual one.
    pub(super) fn place(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        self.0.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is on this machine.
    pub(super) fn is_here(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            // RFC 6761, 6.3.
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// Where it sends us on to, if that may be asked as well: a host elsewhere has no business on this machine.
    pub(super) fn onward(&self, location: &str) -> Option<Self> {
        let next: Self = Self::new(self.0.join(location).ok()?).ok()?;
        (self.is_here() || !next.is_here()).then_some(next)
    }

    fn new(mut url: Url) -> Result<Self, InvalidAddress> {
        if !url.has_host() || !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidAddress::NoUrl(url.into()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidAddress::Login);
        }
        url.set_fragment(None);
        let address = Self(url);
        match address.0.scheme() == "https" || address.is_here() {
            true => Ok(address),
            false => Err(InvalidAddress::NotEncrypted(address.to_string())),
        }
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What does not read may hold a password all the same.
        let unreadable = |_| match text.contains('@') {
            true => InvalidAddress::Login,
            false => InvalidAddress::NoUrl(text.to_owned()),
        };
        Self::new(Url::parse(text.trim()).map_err(unreadable)?)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

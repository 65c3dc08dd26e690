//! A registry as the person configured it, and as the faces show it.

use crate::{RegistryName, TrafficLimits, TunnelView};
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

/// One registry: a name, the host it is reached through, and the loopback address it appears at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RegistrySpec {
    /// The alias, and the key everything else refers to it by.
    pub name: RegistryName,
    /// Where to log in.
    pub ssh: SshTarget,
    /// Hosts of the same registry that stand in for that one while it cannot be used, the most preferred first.
    #[serde(default)]
    pub fallbacks: Vec<SshTarget>,
    /// What the tunnel ends at, seen from the host that was logged in to.
    pub remote: RemoteEnd,
    /// This registry's own address in 127.0.0.0/8.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub address: Ipv4Addr,
    /// An address that this machine has on a container network (`docker network inspect bridge`, `Gateway`; mostly
    /// 172.17.0.1), where the registry is listened for as well, at the same port: for programs inside of containers.
    /// Every container on that network may use the registry then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub gateway: Option<Ipv4Addr>,
    /// The port programs on this machine connect to.
    pub port: u16,
    /// A port at 127.0.0.1 itself where the registry is listened for as well: all that an engine in a virtual machine
    /// sees of this machine (`host.docker.internal` leads there). `dockline setup` picks it for such engines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub localhost_port: Option<u16>,
    /// The certificates (PEM) of the private authority that signed the registry's: a file, mostly Dockline's own copy.
    /// The registry speaks TLS then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub ca: Option<PathBuf>,
    /// How long the tunnel stays up after the last lease is gone, in seconds.
    pub linger_seconds: u32,
    /// Once it is open, by whomever, it stays open until a person closes it.
    pub keep_open: bool,
    /// Reached at this address, without a tunnel. [`Self::ssh`] is its host then, where nobody logs in, and
    /// [`Self::address`] is not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<Box<RegistryUrl>>,
    /// What to show a registry that asks for a certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<Box<ClientCertificate>>,
    /// Open it as soon as an owner that stays (the desktop app, the agent) starts, as if a person had said Connect.
    #[serde(default)]
    pub open_at_start: bool,
    /// How fast it may carry bytes.
    #[serde(default)]
    pub limits: TrafficLimits,
}

/// A certificate of our own (PEM files), for registries that ask for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct ClientCertificate {
    /// The certificate, and those above it if there are any.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub certificate: PathBuf,
    /// Its private key.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub key: PathBuf,
}

impl RegistrySpec {
    /// Port programs connect to unless the person chose another: what `registry` images listen on.
    pub const DEFAULT_PORT: u16 = 5000;
    /// Default of [`Self::linger_seconds`].
    pub const DEFAULT_LINGER_SECONDS: u32 = 10;

    /// A registry behind one host, as it is if nobody says more.
    #[must_use]
    pub fn new(name: RegistryName, ssh: SshTarget, address: Ipv4Addr) -> Self {
        Self {
            name,
            ssh,
            fallbacks: Vec::new(),
            remote: RemoteEnd::default(),
            address,
            gateway: None,
            port: Self::DEFAULT_PORT,
            localhost_port: None,
            ca: None,
            linger_seconds: Self::DEFAULT_LINGER_SECONDS,
            keep_open: false,
            url: None,
            client_certificate: None,
            open_at_start: false,
            limits: TrafficLimits::default(),
        }
    }

    /// All hosts, the most preferred first.
    pub fn hosts(&self) -> impl Iterator<Item = &SshTarget> {
        std::iter::once(&self.ssh).chain(&self.fallbacks)
    }

    /// The listener's address.
    #[must_use]
    pub fn listen(&self) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(self.address), self.port)
    }

    /// The port at which 127.0.0.1 itself leads to the registry, if one does.
    #[must_use]
    pub fn at_localhost(&self) -> Option<u16> {
        if self.address == Ipv4Addr::LOCALHOST { Some(self.port) } else { self.localhost_port }
    }

    /// `NAME:PORT`, as it stands in an image reference.
    #[must_use]
    pub fn authority(&self) -> String {
        match &self.url {
            Some(url) => url.authority(),
            None => format!("{}:{}", self.name, self.port),
        }
    }

    /// Whether a tunnel leads to it.
    #[must_use]
    pub const fn has_tunnel(&self) -> bool {
        self.url.is_none()
    }
}

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
    /// The host of a registry without a tunnel, where nobody logs in ([`RegistrySpec::ssh`]).
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

/// A registry with all that is known about it now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RegistryView {
    /// As configured.
    pub spec: RegistrySpec,
    /// Whether this machine resolves the name to [`RegistrySpec::address`]; without that, programs use the
    /// address instead of the name.
    pub alias_ready: bool,
    /// The tunnel's present state.
    pub tunnel: TunnelView,
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

//! A registry as the person configured it, and as the faces show it.

use crate::{RegistryName, RegistryUrl, RemoteEnd, SshTarget, TrafficLimits, TunnelView};
use serde::{Deserialize, Serialize};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
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

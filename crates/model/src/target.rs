//! A registry as a person describes it, before it is one.

use crate::{
    ClientCertificate, RegistryName, RegistrySpec, RegistryUrl, RemoteEnd, SshTarget, TrafficLimits,
};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A registry to be made, with everything the person left open still open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The alias.
    pub name: RegistryName,
    /// Where to log in.
    pub ssh: SshTarget,
    /// Hosts of the same registry that stand in for that one, the most preferred first.
    #[serde(default)]
    pub fallbacks: Vec<SshTarget>,
    /// Far end; 127.0.0.1:5000 if absent.
    #[serde(default)]
    pub remote: Option<RemoteEnd>,
    /// Local port; 5000 if absent.
    #[serde(default)]
    pub port: Option<u16>,
    /// Loopback address; picked if absent.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub address: Option<std::net::Ipv4Addr>,
    /// The address on a container network where programs in containers find it; nowhere if absent.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub gateway: Option<std::net::Ipv4Addr>,
    /// A port at 127.0.0.1 where engines in a virtual machine find it; nowhere if absent.
    #[serde(default)]
    pub localhost_port: Option<u16>,
    /// Certificates (PEM) of the private authority that signed the registry's, an absolute path. Dockline keeps a copy
    /// of its own.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub ca: Option<PathBuf>,
    /// Seconds of linger; 10 if absent.
    #[serde(default)]
    pub linger_seconds: Option<u32>,
    /// Once it is open, by whomever, it stays open until a person closes it.
    #[serde(default)]
    pub keep_open: bool,
    /// Reached at this address, without a tunnel; nobody logs in at `ssh` then.
    #[serde(default)]
    pub url: Option<Box<RegistryUrl>>,
    /// What to show a registry that asks for a certificate.
    #[serde(default)]
    pub client_certificate: Option<Box<ClientCertificate>>,
    /// Open it as soon as an owner that stays starts.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<bool>", optional))]
    pub open_at_start: bool,
    /// How fast it may carry bytes.
    #[serde(default)]
    #[cfg_attr(feature = "typescript", ts(as = "Option<TrafficLimits>", optional))]
    pub limits: TrafficLimits,
}

impl Target {
    /// A registry behind one host, with everything else left open.
    #[must_use]
    pub fn new(name: RegistryName, ssh: SshTarget) -> Self {
        Self {
            name,
            ssh,
            fallbacks: Vec::new(),
            remote: None,
            port: None,
            address: None,
            gateway: None,
            localhost_port: None,
            ca: None,
            linger_seconds: None,
            keep_open: false,
            url: None,
            client_certificate: None,
            open_at_start: false,
            limits: TrafficLimits::default(),
        }
    }

    /// A registry that is reached at `url` as it is, without a tunnel.
    #[must_use]
    pub fn without_tunnel(name: RegistryName, url: RegistryUrl) -> Self {
        Self { url: Some(Box::new(url.clone())), ..Self::new(name, SshTarget::of(&url)) }
    }
}

impl From<&RegistrySpec> for Target {
    /// What leaves a registry as it is; a face changes of it what the person wants changed.
    fn from(spec: &RegistrySpec) -> Self {
        Self {
            name: spec.name.clone(),
            ssh: spec.ssh.clone(),
            fallbacks: spec.fallbacks.clone(),
            remote: Some(spec.remote.clone()),
            port: Some(spec.port),
            address: Some(spec.address),
            gateway: spec.gateway,
            localhost_port: spec.localhost_port,
            ca: spec.ca.clone(),
            linger_seconds: Some(spec.linger_seconds),
            keep_open: spec.keep_open,
            url: spec.url.clone(),
            client_certificate: spec.client_certificate.clone(),
            open_at_start: spec.open_at_start,
            limits: spec.limits,
        }
    }
}

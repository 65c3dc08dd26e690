//! Reference-counted SSH tunnels to registry hosts.
//!
//! A [`Tunnel`] owns one registry's loopback listener, which is always open, and the SSH session(s) behind it, which
//! are there only while a [`Lease`] is held and for a linger after. A program that asks the registry for something
//! takes a lease by itself; the controller takes one for a person or a transfer. What happens when is decided by the
//! pure [`lifecycle`]; everything is shown in one [`dockline_model::TunnelView`].
//!
//! OpenSSH's own files stay the truth about hosts, keys and trust: `ssh -G`, the agent, `known_hosts`. One setting is
//! not obeyed: with `StrictHostKeyChecking no`, too, an unknown host is asked about and a changed key is refused.

mod access;
mod actor;
mod ask;
mod config;
mod entrance;
mod errand;
mod error;
#[doc(hidden)]
pub mod fuzzing;
mod health;
mod host_options;
pub mod known_hosts;
mod lease;
pub mod lifecycle;
mod listener;
mod local;
mod localhost;
mod memory;
mod network;
mod offer;
mod peer;
mod pool;
mod program;
mod pump;
mod route;
mod session;
mod spare;
mod throttle;
mod tunnel;

pub use access::{AccessRules, HttpRules, RegistryProtocol};
pub use ask::{Ask, Nobody, SecretId};
pub use config::{PoolLimits, SshEnvironment, TunnelConfig};
pub use entrance::Gateway;
pub use errand::HostSession;
pub use error::{CertificateFault, Distrust, TunnelError};
pub use host_options::account;
pub use offer::{Offer, OfferConfig};
pub use program::{Program, ProgramEnd};
pub use tunnel::{Carried, Lease, Tunnel};

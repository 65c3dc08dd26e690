//! What a first start can propose: registries that this machine seems to know already.

use crate::{RegistryName, RemoteEnd, SshTarget};
use serde::{Deserialize, Serialize};

/// Where a proposal comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum ProposalSource {
    /// A `Host` of `~/.ssh/config`.
    SshConfig {
        /// As it stands there.
        host: String,
    },
    /// An image of the engine's that is named for a registry of somebody's own.
    Image {
        /// Its name.
        image: String,
    },
    /// A running container that is a registry.
    Container {
        /// Its name.
        container: String,
    },
    /// A Docker context that leads to another machine by SSH.
    Context {
        /// Its name.
        context: String,
    },
}

/// A registry to begin with; what is unknown is left to the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Proposal {
    /// Where it comes from.
    pub source: ProposalSource,
    /// Why it is proposed: a whole sentence.
    pub why: String,
    /// A name that fits.
    pub name: Option<RegistryName>,
    /// Where to log in.
    pub ssh: Option<SshTarget>,
    /// What the tunnel would end at, where that is known.
    pub remote: Option<RemoteEnd>,
}

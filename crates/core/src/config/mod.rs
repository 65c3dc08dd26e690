//! The configuration: one TOML file that a person can read and edit, validated as a whole. Secrets are never in it.
//!
//! ```toml
//! [settings]
//! transfers-per-registry = 2
//!
//! [[registry]]
//! name = "cr.boss.org"
//! ssh = "dockercr@88.88.88.88"
//! address = "127.77.31.7"
//!
//! [[offer]]
//! ssh = "root@prod.boss.org"
//! to = "127.0.0.1:5000"
//! ```

mod ca;
mod listener;
mod parse;
mod write;

pub use ca::authority;
pub(crate) use ca::kept_authority;
pub(crate) use listener::free_port;
pub(crate) use parse::bounds;
pub use parse::{Problem, parse};
pub(crate) use write::complete;
pub use write::{
    Localhost, add, add_all, change, change_settings, keep_offer, listen_at_localhost, load, remove, rename,
    withdraw_offer,
};

use dockline_edits::InvalidCertificate;
use dockline_model::{
    AddressPoolExhausted, Code, OfferSpec, RegistryName, RegistrySpec, Settings, UiError, sentence,
};
use std::{io, path::PathBuf};

/// What the file says, defaults filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Config {
    /// In the file's order.
    pub registries: Vec<RegistrySpec>,
    /// Registries of this machine that are offered whenever an owner that stays runs; in the file's order.
    pub offers: Vec<OfferSpec>,
    /// The `[settings]` table. Whether the app starts at login is not in the file.
    pub settings: Settings,
}

/// What goes wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file exists and cannot be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file, or its lock, cannot be written.
    #[error("{} cannot be written", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It does not read, or makes no sense. Every problem is here, in the file's order.
    #[error("{} has {}", path.display(), counted(problems))]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Never empty.
        problems: Vec<Problem>,
    },
    /// The registry to be added is there already.
    #[error("a registry named {0} is configured already")]
    NameTaken(RegistryName),
    /// Another registry listens there.
    #[error("{other} listens at {address}:{port} already", address = spec.address, port = spec.port)]
    AddressTaken {
        /// The one that was to be added.
        spec: Box<RegistrySpec>,
        /// The one that is there.
        other: RegistryName,
    },
    /// The registry to be removed is not there.
    #[error("no registry named {0} is configured")]
    Unknown(RegistryName),
    /// There is no address left to give it.
    #[error(transparent)]
    Address(#[from] AddressPoolExhausted),
    /// The file with an authority's certificates cannot be read.
    #[error("the certificate file {} cannot be read", path.display())]
    CertificateRead {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file holds no certificates, or something else as well.
    #[error("{} is no certificate of an authority: {source}", path.display())]
    Certificate {
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: InvalidCertificate,
    },
    /// What was asked for cannot stand in the file.
    #[error("it cannot be configured so: {0}")]
    Unwritable(String),
}

fn counted(problems: &[Problem]) -> String {
    let lines: String = problems.iter().map(|problem| format!("\n  {problem}")).collect();
    match problems.len() {
        1 => format!("a problem:{lines}"),
        n => format!("{n} problems:{lines}"),
    }
}

impl From<&ConfigError> for UiError {
    fn from(error: &ConfigError) -> Self {
        match error {
            ConfigError::Read { source, .. } => Self::new(Code::ConfigIo, format!("{error}: {source}."))
                .hint("Check that the file is yours and readable."),
            ConfigError::Write { source, .. } => Self::new(Code::ConfigIo, format!("{error}: {source}."))
                .hint("Check that the folder is yours, and that the disk is neither full nor read-only."),
            ConfigError::Invalid { .. } => Self::new(Code::ConfigInvalid, error.to_string())
                .hint("Correct the file; it is read again as soon as it is saved."),
            ConfigError::NameTaken(name) => Self::new(Code::RegistryExists, sentence(error))
                .hint(format!("Choose another name, or remove it first: dockline remove {name}")),
            ConfigError::AddressTaken { .. } => Self::new(Code::RegistryExists, sentence(error))
                .hint("Leave the address out to get a free one, or choose another address or port."),
            ConfigError::Unknown(_) => Self::new(Code::RegistryUnknown, sentence(error))
                .hint("`dockline list` shows the configured ones."),
            ConfigError::Address(_) => Self::new(Code::InvalidArgument, sentence(error))
                .hint("Give the registry an address of 127.0.0.0/8 yourself."),
            ConfigError::CertificateRead { source, .. } => {
                Self::new(Code::FileIo, sentence(&format!("{error}: {source}")))
                    .hint("Give the path of the authority's certificate as PEM; Dockline keeps a copy.")
            }
            ConfigError::Certificate { .. } => Self::new(Code::InvalidArgument, sentence(error))
                .hint("Give the authority's certificate as PEM (-----BEGIN CERTIFICATE-----)."),
            ConfigError::Unwritable(_) => Self::new(Code::InvalidArgument, sentence(error)),
        }
    }
}

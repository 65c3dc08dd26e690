//! How the tunnel asks a person, and where it keeps what it was told.

use async_trait::async_trait;
use dockline_model::{Answer, Question, RegistryName};
use secrecy::SecretString;
use std::path::PathBuf;

/// Which secret of the operating system's keyring is meant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SecretId {
    /// The passphrase of an encrypted key file.
    Passphrase {
        /// The key file, absolute.
        key_path: PathBuf,
    },
    /// The password of an account.
    Password {
        /// `user@host`, or `user@host:port` where the port is not 22; with the name that the host's key is known by
        /// (`HostKeyAlias`) behind it, where that is another.
        login: String,
    },
    /// Name and password for a registry, in one.
    Registry {
        /// What the registry is called where logins are kept: `cr.boss.org:5000`.
        server: String,
    },
}

/// The tunnel's line to a person. The controller implements it; a tunnel that runs where nobody can answer
/// uses [`Nobody`].
#[async_trait]
pub trait Ask: Send + Sync {
    /// Puts a question and waits for its answer; `None` when there is nobody to ask. The future is dropped when
    /// the answer is no longer of interest.
    async fn ask(&self, registry: &RegistryName, question: Question) -> Option<Answer>;
    /// A secret that was remembered earlier.
    async fn recall(&self, key: &SecretId) -> Option<SecretString>;
    /// Keeps a secret that proved right.
    async fn remember(&self, key: &SecretId, secret: &SecretString);
    /// Drops a remembered secret that proved wrong.
    async fn forget(&self, key: &SecretId);
}

/// There is nobody to ask and no keyring.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

#[async_trait]
impl Ask for Nobody {
    async fn ask(&self, _: &RegistryName, _: Question) -> Option<Answer> {
        None
    }
    async fn recall(&self, _: &SecretId) -> Option<SecretString> {
        None
    }
    async fn remember(&self, _: &SecretId, _: &SecretString) {}
    async fn forget(&self, _: &SecretId) {}
}

//! Who signs: the agent, or a key from a file.
//!
//! The library's own way with a key file and a certificate signs with SHA-1 for RSA; this one never does.

use crate::session::agent::Agent;
use russh::{
    AgentAuthError, SendError, Signer,
    keys::{
        HashAlg, PrivateKey,
        agent::AgentIdentity,
        signature::{self, Signer as _},
        ssh_key::{Signature, private::KeypairData},
    },
};
use std::sync::Arc;

/// Signs one login with one key.
pub(super) enum KeySigner<'a> {
    /// The agent, by the identity that it has: the one of a certificate may be the plain key.
    Agent(&'a mut Agent, Box<AgentIdentity>),
    /// A key that we hold.
    File(Arc<PrivateKey>),
}

/// Why there is no signature.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignError {
    /// The session ended.
    #[error("the session ended")]
    SessionEnded,
    /// The person said no at the agent, or its token is not plugged in.
    #[error("the agent did not sign")]
    Agent(#[source] AgentAuthError),
    /// The key cannot sign.
    #[error("the key cannot sign")]
    Key(#[source] signature::Error),
    /// An RSA key, and nothing better than SHA-1.
    #[error("nothing better than SHA-1 was agreed on")]
    Sha1,
}

impl From<SendError> for SignError {
    fn from(_: SendError) -> Self {
        Self::SessionEnded
    }
}

impl Signer for KeySigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        match self {
            Self::Agent(agent, identity) => {
                agent.auth_sign(identity, hash, to_sign).await.map_err(SignError::Agent)
            }
            Self::File(key) => {
                let signature: Signature = match (key.key_data(), hash) {
                    (KeypairData::Rsa(_), None) => return Err(SignError::Sha1),
                    (KeypairData::Rsa(pair), Some(hash)) => (pair, Some(hash)).try_sign(&to_sign),
                    (other, _) => other.try_sign(&to_sign),
                }
                .map_err(SignError::Key)?;
                let signature = Vec::try_from(signature)
                    .map_err(|error| SignError::Key(signature::Error::from_source(error)))?;
                to_sign.extend((signature.len() as u32).to_be_bytes());
                to_sign.extend(signature);
                Ok(to_sign)
            }
        }
    }
}

/// A signer that never signs: being asked to is the answer.
pub(super) struct Probe;

/// What came of asking whether a key would be taken.
pub(super) enum Probed {
    Accepted,
    SessionEnded,
}

impl From<SendError> for Probed {
    fn from(_: SendError) -> Self {
        Self::SessionEnded
    }
}

impl Signer for Probe {
    type Error = Probed;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, Probed> {
        Err(Probed::Accepted)
    }
}

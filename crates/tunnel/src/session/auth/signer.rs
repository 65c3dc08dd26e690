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
use std::{sync::Arc, time::Duration};

/// Signs one login with one key.
pub(super) enum KeySigner<'a> {
    /// The agent, by the identity that it has: the one of a certificate may be the plain key.
    Agent {
        agent: &'a mut Agent,
        identity: Box<AgentIdentity>,
        /// How long it may take: it may ask a person, whose screen may be elsewhere.
        patience: Duration,
    },
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
    /// It neither signs nor says no; nothing that it says later can be told from an answer to something else.
    #[error("the agent did not answer within {} s", .0.as_secs())]
    AgentSilent(Duration),
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
            Self::Agent { agent, identity, patience } => {
                let signing = agent.auth_sign(identity, hash, to_sign);
                match tokio::time::timeout(*patience, signing).await {
                    Ok(signed) => signed.map_err(SignError::Agent),
                    Err(_) => Err(SignError::AgentSilent(*patience)),
                }
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::session::agent;
    use russh::keys::{Algorithm, agent::client::AgentClient};

    /// As with `ssh-add -c` where nobody sees the dialog.
    #[tokio::test]
    async fn an_agent_that_neither_signs_nor_refuses_is_not_waited_for_for_ever() {
        let (ours, _theirs) = tokio::net::UnixStream::pair().unwrap();
        let stream: agent::Stream = Box::new(ours);
        let mut agent: Agent = AgentClient::connect(stream);
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
        let identity = AgentIdentity::PublicKey { key: key.public_key().clone(), comment: "mine".to_owned() };
        let mut signer = KeySigner::Agent {
            agent: &mut agent,
            identity: Box::new(identity.clone()),
            patience: Duration::from_millis(10),
        };
        let error = signer.auth_sign(&identity, None, b"data".to_vec()).await.unwrap_err();
        assert!(matches!(error, SignError::AgentSilent(_)), "{error}");
    }
}

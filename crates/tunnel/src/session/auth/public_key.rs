//! Logging in with keys: the agent's, plain key files, and encrypted ones last.

use super::{Login, PROMPTS};
use crate::{
    SecretId,
    error::TunnelError,
    session::{
        agent,
        key_file::{self, KeyFile, KeySecret},
    },
};
use dockline_model::Question;
use russh::{
    MethodKind, SendError, Signer,
    keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, agent::AgentIdentity},
};
use std::{
    path::Path,
    sync::{Arc, PoisonError},
};

impl Login<'_> {
    pub(super) async fn public_keys(&mut self) -> Result<bool, TunnelError> {
        let files = self.key_files()?;
        let opened = match &self.options.agent {
            Some(socket) => agent::open(socket).await,
            None => None,
        };
        let (mut agent, identities) = match opened {
            Some((agent, identities)) => (Some(agent), identities),
            None => (None, Vec::new()),
        };
        let in_file = |identity: &AgentIdentity| {
            files.iter().any(|file| {
                file.public.as_ref().is_some_and(|key| key.key_data() == identity.public_key().key_data())
            })
        };
        let (named, others): (Vec<_>, Vec<_>) = identities.into_iter().partition(in_file);
        // What the agent holds need not be decrypted.
        let files = files.into_iter().filter(|file| {
            !named.iter().any(|identity| {
                file.public.as_ref().is_some_and(|key| key.key_data() == identity.public_key().key_data())
            })
        });
        let (plain, encrypted): (Vec<_>, Vec<_>) =
            files.partition(|file| matches!(file.secret, KeySecret::Plain(_)));
        let others = if self.options.identities_only { Vec::new() } else { others };

        if let Some(agent) = &mut agent
            && self.agent_keys(agent, &named).await?
        {
            return Ok(true);
        }
        if self.options.identity_is_explicit && self.file_keys(&plain).await? {
            return Ok(true);
        }
        if let Some(agent) = &mut agent
            && self.agent_keys(agent, &others).await?
        {
            return Ok(true);
        }
        if !self.options.identity_is_explicit && self.file_keys(&plain).await? {
            return Ok(true);
        }
        self.file_keys(&encrypted).await
    }

    /// The key files that are there. One that the person named must be usable; others are passed over with a note.
    fn key_files(&mut self) -> Result<Vec<KeyFile>, TunnelError> {
        let mut files = Vec::new();
        for (index, path) in self.options.identity_files.iter().enumerate() {
            let named = self.options.identity_is_explicit && index == 0;
            match key_file::read(path) {
                Ok(Some(file)) => files.push(file),
                Ok(None) if named => {
                    return Err(TunnelError::KeyUnusable {
                        path: path.clone(),
                        reason: "it does not exist".to_owned(),
                    });
                }
                Ok(None) => {}
                Err(error) if named => return Err(error),
                Err(error) => self.skipped.push(error.to_string()),
            }
        }
        Ok(files)
    }

    /// The signature's hash for an RSA key; SHA-1 (RFC 8332) is never used. `Err` means: pass the key over.
    async fn rsa_hash(&mut self, key: &PublicKey) -> Result<Option<HashAlg>, ()> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        match self.handle.best_supported_rsa_hash().await {
            Ok(Some(None)) => {
                self.skipped.push("The server takes RSA keys only with SHA-1, which is broken.".to_owned());
                Err(())
            }
            Ok(Some(Some(hash))) => Ok(Some(hash)),
            // Servers that do not say have known both since 2016.
            Ok(None) | Err(_) => Ok(Some(HashAlg::Sha512)),
        }
    }

    async fn agent_keys(
        &mut self,
        agent: &mut agent::Agent,
        identities: &[AgentIdentity],
    ) -> Result<bool, TunnelError> {
        for identity in identities {
            if !self.may_try(MethodKind::PublicKey) {
                break;
            }
            let Ok(hash) = self.rsa_hash(&identity.public_key()).await else { continue };
            let user = self.options.user.clone();
            self.tried.push(match identity.comment() {
                "" => format!("an {} key of the agent", identity.public_key().algorithm()),
                comment => format!("the agent's {comment}"),
            });
            let result = match identity {
                AgentIdentity::PublicKey { key, .. } => {
                    self.handle.authenticate_publickey_with(user, key.clone(), hash, agent).await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    self.handle.authenticate_certificate_with(user, certificate.clone(), hash, agent).await
                }
            };
            match result {
                Ok(result) => {
                    if self.answered(result) {
                        return Ok(true);
                    }
                }
                // The person said no at the agent, or its token is not plugged in: the next key may do.
                Err(error) => tracing::debug!(%error, "the agent did not sign"),
            }
        }
        Ok(false)
    }

    async fn file_keys(&mut self, files: &[KeyFile]) -> Result<bool, TunnelError> {
        for file in files {
            if !self.may_try(MethodKind::PublicKey) {
                break;
            }
            let key = match &file.secret {
                KeySecret::InAgent => continue,
                KeySecret::Plain(key) => key.clone(),
                KeySecret::Encrypted(text) => {
                    if let Some(public) = &file.public
                        && !self.would_accept(public, &file.path).await?
                    {
                        continue;
                    }
                    match self.decrypt(&file.path, text).await {
                        Some(key) => key,
                        None => {
                            self.skipped.push(format!("{} needs its passphrase.", file.path.display()));
                            continue;
                        }
                    }
                }
            };
            let Ok(hash) = self.rsa_hash(key.public_key()).await else { continue };
            let user = self.options.user.clone();
            self.note(&file.path.display().to_string());
            // An RSA certificate's signature would be SHA-1 here.
            if let Some(certificate) = file.certificate.clone().filter(|_| hash.is_none()) {
                let result =
                    self.handle.authenticate_openssh_cert(user.clone(), key.clone(), certificate).await?;
                if self.answered(result) {
                    return Ok(true);
                }
            }
            let key = PrivateKeyWithHashAlg::new(key, hash);
            let result = self.handle.authenticate_publickey(user, key).await?;
            if self.answered(result) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the server would take this key, without a signature (RFC 4252 §7).
    async fn would_accept(&mut self, key: &PublicKey, path: &Path) -> Result<bool, TunnelError> {
        let Ok(hash) = self.rsa_hash(key).await else { return Ok(false) };
        self.note(&path.display().to_string());
        let user = self.options.user.clone();
        match self.handle.authenticate_publickey_with(user, key.clone(), hash, &mut Probe).await {
            Ok(result) => {
                self.answered(result);
                Ok(false)
            }
            Err(Probed::Accepted) => Ok(true),
            Err(Probed::SessionEnded) => Err(russh::Error::Disconnect.into()),
        }
    }

    async fn decrypt(&mut self, path: &Path, text: &str) -> Option<Arc<PrivateKey>> {
        let slot = (path.to_owned(), text.to_owned());
        if let Some(key) = self.credentials.keys.lock().unwrap_or_else(PoisonError::into_inner).get(&slot) {
            return Some(key.clone());
        }
        let id = SecretId::Passphrase { key_path: path.to_owned() };
        let keep = |key: &Arc<PrivateKey>| {
            self.credentials
                .keys
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(slot.clone(), key.clone());
        };
        if let Some(passphrase) = self.asker.ask.recall(&id).await {
            if let Some(key) = key_file::decrypt(text, &passphrase).await {
                keep(&key);
                return Some(key);
            }
            self.asker.ask.forget(&id).await;
        }
        for attempt in 0..PROMPTS {
            let question = Question::Passphrase { key: path.display().to_string(), again: attempt > 0 };
            let (passphrase, remember) = self.asker.secret(question).await?;
            if let Some(key) = key_file::decrypt(text, &passphrase).await {
                if remember {
                    self.asker.ask.remember(&id, &passphrase).await;
                }
                keep(&key);
                return Some(key);
            }
        }
        None
    }
}

/// A signer that never signs: being asked to is the answer.
struct Probe;

enum Probed {
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

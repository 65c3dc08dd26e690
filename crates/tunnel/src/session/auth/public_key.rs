//! Logging in with keys and certificates, whoever holds them.

use super::{
    Login, Step, keychain,
    order::{Candidate, Rules, Source, arrange},
    signer::{KeySigner, Probe, Probed, SignError},
};
use crate::{
    SecretId,
    error::TunnelError,
    session::{
        agent::{self, Agent},
        key_file::{self, KeyFile},
    },
};
use dockline_model::Question;
use russh::{
    MethodKind,
    keys::{Certificate, HashAlg, PrivateKey, PublicKey, agent::AgentIdentity},
};
use std::{
    path::Path,
    sync::{Arc, PoisonError},
    time::Duration,
};

/// How long the agent may take to sign: it may ask a person (`ssh-add -c`), or for a finger on a token. Less than the two
/// minutes that sshd gives a login, so that there is something to say before it ends.
const SIGN_PATIENCE: Duration = Duration::from_secs(100);
/// Keys that `ssh -G` names whether somebody wrote them down or not.
const DEFAULT_KEYS: [&str; 7] =
    ["id_rsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_xmss", "id_dsa"];

impl Login<'_> {
    pub(super) async fn public_keys(&mut self) -> Result<Step, TunnelError> {
        if !self.may_try(MethodKind::PublicKey) {
            return Ok(Step::Refused);
        }
        let files = self.key_files()?;
        let certificates = self.certificate_files();
        let opened = match &self.options.agent {
            Some(place) => self.open_agent(place, &files).await,
            None => None,
        };
        if opened.is_none() {
            self.note_missing_agent();
        }
        let (mut agent, identities) = match opened {
            Some((agent, identities)) => (Some(agent), identities),
            None => (None, Vec::new()),
        };
        self.agent_keys = identities.len();
        let rules = Rules {
            identities_only: self.options.identities_only,
            is_explicit: self.options.identity_is_explicit,
        };
        for candidate in arrange(identities, files, &certificates, rules) {
            if !self.may_try(MethodKind::PublicKey) {
                break;
            }
            // What an agent says that has not answered in time is the answer to an older question.
            let usable = agent.as_mut().filter(|_| !self.agent_is_silent);
            let step = self.candidate(candidate, usable).await?;
            if step != Step::Refused {
                return Ok(step);
            }
        }
        Ok(Step::Refused)
    }

    /// Where there is none, `ssh` in the person's shell may well know one.
    fn note_missing_agent(&mut self) {
        let note = match &self.options.agent {
            Some(place) => format!("The SSH agent {} does not answer the Dockline that runs.", place.display()),
            None if self.options.agent_is_unwanted => return,
            None => "No SSH agent is known to the Dockline that runs: SSH_AUTH_SOCK was not set where it was started."
                .to_owned(),
        };
        self.skip(note);
    }

    /// The agent and its keys, after Apple's keychain has had its say.
    async fn open_agent(&self, place: &Path, files: &[KeyFile]) -> Option<(Agent, Vec<AgentIdentity>)> {
        let (agent, identities) = agent::open(place, self.handle.agent_session_binding()).await?;
        let is_wanted =
            keychain::is_wanted(cfg!(target_os = "macos"), self.options.use_keychain, &identities, files);
        if !is_wanted || self.credentials.keychain.initialized() {
            return Some((agent, identities));
        }
        self.credentials.keychain.get_or_init(|| keychain::load(place)).await;
        agent::open(place, self.handle.agent_session_binding()).await
    }

    async fn candidate(
        &mut self,
        candidate: Candidate,
        agent: Option<&mut Agent>,
    ) -> Result<Step, TunnelError> {
        let Candidate { name, public, certificates, source } = candidate;
        if let Some(public) = &public
            && self.used.contains(&blob(public))
        {
            return Ok(Step::Refused);
        }
        let (mut signer, public) = match source {
            Source::Agent(identity) => {
                let Some(agent) = agent else { return Ok(Step::Refused) };
                let public = identity.public_key().into_owned();
                if let AgentIdentity::Certificate { certificate, .. } = &*identity {
                    let certificate = certificate.clone();
                    let mut signer = KeySigner::Agent { agent, identity, patience: SIGN_PATIENCE };
                    return self.certificate(&name, &certificate, &mut signer).await;
                }
                (KeySigner::Agent { agent, identity, patience: SIGN_PATIENCE }, public)
            }
            Source::Plain(key) => {
                // The key is kept, so that the next session need not ask for it.
                self.in_time()?;
                let public = key.public_key().clone();
                (KeySigner::File(key), public)
            }
            Source::Encrypted(path, text) => {
                if let Some(public) = &public
                    && !self.would_accept(public, &certificates, &name).await?
                {
                    return Ok(Step::Refused);
                }
                let Some(key) = self.decrypt(&path, &text).await else {
                    self.skip(format!("{name} needs its passphrase."));
                    return Ok(Step::Refused);
                };
                // The key is kept, so that the next session need not ask for it.
                self.in_time()?;
                let public = key.public_key().clone();
                (KeySigner::File(key), public)
            }
        };
        for certificate in &certificates {
            let step = self.certificate(&name, certificate, &mut signer).await?;
            let is_over = self.agent_is_silent && matches!(signer, KeySigner::Agent { .. });
            if step != Step::Refused || is_over || !self.may_try(MethodKind::PublicKey) {
                return Ok(step);
            }
        }
        let Ok(hash) = self.rsa_hash(&public).await else { return Ok(Step::Refused) };
        self.note(&name);
        let user = self.options.user.clone();
        let result = self.handle.authenticate_publickey_with(user, public.clone(), hash, &mut signer).await;
        self.signed(&public, result)
    }

    async fn certificate(
        &mut self,
        name: &str,
        certificate: &Certificate,
        signer: &mut KeySigner<'_>,
    ) -> Result<Step, TunnelError> {
        let public = PublicKey::new(certificate.public_key().clone(), "");
        let Ok(hash) = self.rsa_hash(&public).await else { return Ok(Step::Refused) };
        self.note(&format!("the certificate for {name}"));
        let user = self.options.user.clone();
        let result = self.handle.authenticate_certificate_with(user, certificate.clone(), hash, signer).await;
        self.signed(&public, result)
    }

    fn signed(
        &mut self,
        public: &PublicKey,
        result: Result<russh::client::AuthResult, SignError>,
    ) -> Result<Step, TunnelError> {
        match result {
            Ok(result) => {
                let step = self.answered(result);
                if step == Step::Partial {
                    self.used.push(blob(public));
                }
                Ok(step)
            }
            Err(SignError::SessionEnded) => Err(russh::Error::Disconnect.into()),
            // The next key may do.
            Err(
                error @ (SignError::Agent(_)
                | SignError::AgentSilent(_)
                | SignError::Key(_)
                | SignError::Sha1),
            ) => {
                tracing::debug!(%error, "a key did not sign");
                self.agent_is_silent |= matches!(error, SignError::AgentSilent(_));
                self.skip(format!("A key was accepted, but {error}."));
                Ok(Step::Refused)
            }
        }
    }

    /// The key files that are there. One that the person named must be usable; others are passed over with a note.
    fn key_files(&mut self) -> Result<Vec<KeyFile>, TunnelError> {
        let (mut files, mut missing) = (Vec::new(), Vec::new());
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
                Ok(None) if is_default(path) => {}
                Ok(None) => missing.push(path.clone()),
                Err(error) if named => return Err(error),
                Err(error) => self.skip(error.to_string()),
            }
        }
        for path in missing {
            self.note_missing_file(&path);
        }
        Ok(files)
    }

    /// The certificates that `CertificateFile` names.
    fn certificate_files(&mut self) -> Vec<Certificate> {
        let mut certificates = Vec::new();
        for path in &self.options.certificate_files {
            match key_file::read_certificate(path) {
                Some(certificate) => certificates.push(certificate),
                None if !path.exists() => self.note_missing_file(path),
                None => self.skip(format!("{} is not a certificate.", path.display())),
            }
        }
        certificates
    }

    /// A file that the configuration names: a variable in its name may be unknown where Dockline was started.
    fn note_missing_file(&mut self, path: &Path) {
        self.skip(format!("{} does not exist.", path.display()));
    }

    /// The signature's hash for an RSA key; SHA-1 (RFC 8332) is never used. `Err` means: pass the key over.
    async fn rsa_hash(&mut self, key: &PublicKey) -> Result<Option<HashAlg>, ()> {
        if !key.algorithm().is_rsa() {
            return Ok(None);
        }
        match self.handle.best_supported_rsa_hash().await {
            Ok(Some(None)) => {
                self.skip("The server takes RSA keys only with SHA-1, which is broken.".to_owned());
                Err(())
            }
            Ok(Some(Some(hash))) => Ok(Some(hash)),
            // Servers that do not say have known both since 2016.
            Ok(None) | Err(_) => Ok(Some(HashAlg::Sha512)),
        }
    }

    /// Whether the server would take this key or one of its certificates, without a signature (RFC 4252 §7).
    async fn would_accept(
        &mut self,
        key: &PublicKey,
        certificates: &[Certificate],
        name: &str,
    ) -> Result<bool, TunnelError> {
        let Ok(hash) = self.rsa_hash(key).await else { return Ok(false) };
        for certificate in certificates {
            self.note(&format!("the certificate for {name}"));
            let (user, certificate) = (self.options.user.clone(), certificate.clone());
            match self.handle.authenticate_certificate_with(user, certificate, hash, &mut Probe).await {
                Ok(result) => {
                    self.answered(result);
                }
                Err(Probed::Accepted) => return Ok(true),
                Err(Probed::SessionEnded) => return Err(russh::Error::Disconnect.into()),
            }
        }
        if !self.may_try(MethodKind::PublicKey) {
            return Ok(false);
        }
        self.note(name);
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
        for attempt in 0..self.options.password_prompts {
            let question = Question::Passphrase { key: path.display().to_string(), again: attempt > 0 };
            let (passphrase, remember) = self.ask(question).await?;
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

fn is_default(path: &Path) -> bool {
    path.file_name().is_some_and(|name| DEFAULT_KEYS.iter().any(|default| name == *default))
}

fn blob(key: &PublicKey) -> Vec<u8> {
    key.to_bytes().unwrap_or_default()
}

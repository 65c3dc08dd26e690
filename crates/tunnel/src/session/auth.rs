//! Logging in: the agent's keys, key files, keyboard-interactive, and a password last.
//!
//! The order of keys is OpenSSH's (`ssh_config(5)`, IdentitiesOnly): the agent's keys that the configuration names,
//! the agent's other keys, key files. A key file that the person named for this registry goes before the agent's
//! other keys, though: with many keys in the agent, sshd's `MaxAuthTries` would end the session before its turn.
//! Encrypted files go last, and their passphrase is asked for only after the server has said that it would take the
//! key.

use super::{
    Client, SessionEnd, agent,
    key_file::{self, KeyFile, KeySecret},
};
use crate::{Ask, SecretId, error::TunnelError, host_options::HostOptions};
use dockline_model::{Answer, Question, RegistryName};
use russh::{
    MethodKind, MethodSet, SendError, Signer,
    client::{AuthResult, Handle, KeyboardInteractiveAuthResponse},
    keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, agent::AgentIdentity},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Questions for the same passphrase or password before giving up, as `NumberOfPasswordPrompts`.
const PROMPTS: usize = 3;

/// What was decrypted or typed once, for the further sessions of the same tunnel. In memory only.
#[derive(Default)]
pub(crate) struct Credentials {
    /// By path and encrypted text: a file that was replaced is asked about again.
    keys: Mutex<HashMap<(PathBuf, String), Arc<PrivateKey>>>,
    passwords: Mutex<HashMap<String, SecretString>>,
}

/// Whom to ask while logging in.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub ask: &'a dyn Ask,
    pub registry: &'a RegistryName,
    /// Whether a person may be bothered; a further session of a tunnel that is up must not.
    pub may_ask: bool,
}

impl Asker<'_> {
    async fn secret(&self, question: Question) -> Option<(SecretString, bool)> {
        if !self.may_ask {
            return None;
        }
        match self.ask.ask(self.registry, question).await? {
            Answer::Secret { value, remember } => Some((SecretString::from(value), remember)),
            Answer::Trust | Answer::Refuse => None,
        }
    }
}

/// One login in progress.
pub(super) struct Login<'a> {
    handle: &'a mut Handle<Client>,
    end: &'a SessionEnd,
    options: &'a HostOptions,
    asker: Asker<'a>,
    credentials: &'a Credentials,
    tried: Vec<String>,
    skipped: Vec<String>,
    /// What the server would accept; everything, until it has said.
    methods: MethodSet,
    has_said: bool,
    /// Passwords that were wrong, by whatever method.
    wrong_passwords: usize,
}

impl<'a> Login<'a> {
    pub(super) fn new(
        handle: &'a mut Handle<Client>,
        end: &'a SessionEnd,
        options: &'a HostOptions,
        asker: Asker<'a>,
        credentials: &'a Credentials,
    ) -> Self {
        let methods = MethodSet::client_supported();
        Self {
            handle,
            end,
            options,
            asker,
            credentials,
            tried: Vec::new(),
            skipped: Vec::new(),
            methods,
            has_said: false,
            wrong_passwords: 0,
        }
    }

    /// Tries everything there is, in order.
    pub(super) async fn run(mut self) -> Result<(), TunnelError> {
        if self.public_keys().await?
            || self.nothing().await?
            || self.keyboard_interactive().await?
            || self.password().await?
        {
            return Ok(());
        }
        if self.handle.is_closed() {
            // The reason is set a moment after the session's inbox is closed.
            let _ = tokio::time::timeout(Duration::from_secs(1), self.end.ended()).await;
            if !self.end.was_told() {
                return Err(russh::Error::HUP.into());
            }
            self.skipped.push(
                "The server ended the session after too many tries; `IdentitiesOnly yes` in ~/.ssh/config keeps \
                 keys out that are not for it."
                    .to_owned(),
            );
        }
        Err(TunnelError::Auth {
            login: self.options.login(),
            tried: self.tried,
            skipped: self.skipped,
            methods: self
                .methods
                .iter()
                .filter(|method| **method != MethodKind::None)
                .map(|method| <&str>::from(method).to_owned())
                .collect(),
        })
    }

    /// Takes in an answer; `true` if we are in.
    fn answered(&mut self, result: AuthResult) -> bool {
        match result {
            AuthResult::Success => true,
            AuthResult::Failure { remaining_methods, .. } => {
                // Empty when the session ended instead of answering.
                if !remaining_methods.is_empty() {
                    self.methods = remaining_methods;
                    self.has_said = true;
                }
                false
            }
        }
    }

    fn may_try(&self, method: MethodKind) -> bool {
        self.methods.contains(&method) && !self.handle.is_closed()
    }

    /// Where no key was tried, asks what the server would accept (RFC 4252 §5.2).
    async fn nothing(&mut self) -> Result<bool, TunnelError> {
        if self.has_said || self.handle.is_closed() {
            return Ok(false);
        }
        let result = self.handle.authenticate_none(self.options.user.clone()).await?;
        Ok(self.answered(result))
    }

    async fn public_keys(&mut self) -> Result<bool, TunnelError> {
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
            let name = file.path.display().to_string();
            if !self.tried.contains(&name) {
                self.tried.push(name);
            }
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
        self.tried.push(path.display().to_string());
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

    /// Passwords to try in turn: typed before, remembered, asked for.
    async fn next_password(&self) -> Option<(SecretString, Source)> {
        let login = self.options.login();
        if self.wrong_passwords == 0 {
            let typed = self
                .credentials
                .passwords
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&login)
                .cloned();
            if let Some(password) = typed {
                return Some((password, Source::Typed { remember: false }));
            }
            if let Some(password) = self.asker.ask.recall(&self.password_id()).await {
                return Some((password, Source::Remembered));
            }
        }
        let (password, remember) =
            self.asker.secret(Question::Password { login, again: self.wrong_passwords > 0 }).await?;
        Some((password, Source::Typed { remember }))
    }

    fn password_id(&self) -> SecretId {
        SecretId::Password { login: self.options.login() }
    }

    async fn password_was(&mut self, right: bool, password: SecretString, source: Source) {
        let login = self.options.login();
        if right {
            if matches!(source, Source::Typed { remember: true }) {
                self.asker.ask.remember(&self.password_id(), &password).await;
            }
            self.credentials.passwords.lock().unwrap_or_else(PoisonError::into_inner).insert(login, password);
        } else {
            self.wrong_passwords += 1;
            self.credentials.passwords.lock().unwrap_or_else(PoisonError::into_inner).remove(&login);
            if matches!(source, Source::Remembered) {
                self.asker.ask.forget(&self.password_id()).await;
            }
        }
    }

    async fn password(&mut self) -> Result<bool, TunnelError> {
        while self.wrong_passwords < PROMPTS && self.may_try(MethodKind::Password) {
            let Some((password, source)) = self.next_password().await else { break };
            self.note("a password");
            let user = self.options.user.clone();
            let result = self.handle.authenticate_password(user, password.expose_secret()).await?;
            let right = self.answered(result);
            self.password_was(right, password, source).await;
            if right {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Only the form that is a password by another name: one question whose answer is not shown (RFC 4256).
    async fn keyboard_interactive(&mut self) -> Result<bool, TunnelError> {
        while self.wrong_passwords < PROMPTS && self.may_try(MethodKind::KeyboardInteractive) {
            let user = self.options.user.clone();
            let mut response = self.handle.authenticate_keyboard_interactive_start(user, None).await?;
            let mut given = None;
            loop {
                match response {
                    KeyboardInteractiveAuthResponse::Success => {
                        if let Some((password, source)) = given {
                            self.password_was(true, password, source).await;
                        }
                        return Ok(true);
                    }
                    KeyboardInteractiveAuthResponse::Failure { remaining_methods, .. } => {
                        self.methods = remaining_methods;
                        match given {
                            Some((password, source)) => self.password_was(false, password, source).await,
                            None => return Ok(false),
                        }
                        break;
                    }
                    KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => {
                        let answers = match &prompts[..] {
                            [] => Vec::new(),
                            [prompt] if !prompt.echo && given.is_none() => {
                                let Some((password, source)) = self.next_password().await else {
                                    self.methods.remove(MethodKind::KeyboardInteractive);
                                    return Ok(false);
                                };
                                self.note("a password");
                                let answer = password.expose_secret().to_owned();
                                given = Some((password, source));
                                vec![answer]
                            }
                            _ => {
                                self.skipped.push(
                                    "The server asks more than a password, which Dockline cannot answer yet."
                                        .to_owned(),
                                );
                                return Ok(false);
                            }
                        };
                        response = self.handle.authenticate_keyboard_interactive_respond(answers).await?;
                    }
                }
            }
        }
        Ok(false)
    }

    fn note(&mut self, what: &str) {
        if !self.tried.iter().any(|tried| tried == what) {
            self.tried.push(what.to_owned());
        }
    }
}

/// Where a password came from.
enum Source {
    /// The keyring.
    Remembered,
    /// A person, now or for an earlier session.
    Typed { remember: bool },
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

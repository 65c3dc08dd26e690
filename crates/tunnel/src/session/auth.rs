//! Logging in: the agent's keys, key files, keyboard-interactive, and a password last.
//!
//! The order of keys is OpenSSH's (`ssh_config(5)`, IdentitiesOnly): the agent's keys that the configuration names,
//! the agent's other keys, key files. A key file that the person named for this registry goes before the agent's
//! other keys, though: with many keys in the agent, sshd's `MaxAuthTries` would end the session before its turn.
//! Encrypted files go last, and their passphrase is asked for only after the server has said that it would take the
//! key.

mod password;
mod public_key;

use super::{Client, SessionEnd};
use crate::{Ask, error::TunnelError, host_options::HostOptions};
use dockline_model::{Answer, Question, RegistryName};
use russh::{
    MethodKind, MethodSet,
    client::{AuthResult, Handle},
    keys::PrivateKey,
};
use secrecy::SecretString;
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex},
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

    /// Notes a way that is tried, once.
    fn note(&mut self, what: &str) {
        if !self.tried.iter().any(|tried| tried == what) {
            self.tried.push(what.to_owned());
        }
    }
}

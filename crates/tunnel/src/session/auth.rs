//! Logging in: with keys, with what a person types, and with several of these one after another where the server
//! wants that (`AuthenticationMethods`).
//!
//! The order is OpenSSH's: keys, keyboard-interactive, password, or as `PreferredAuthentications` says; which key goes
//! first is decided in [`order`]. A secret is asked for only after the server has said that it would take it.

mod keychain;
mod losses;
mod order;
mod password;
mod public_key;
mod signer;

use super::{Client, SessionEnd, tuning::INACTIVITY_TIMEOUT};
use crate::{Ask, error::TunnelError, host_options::HostOptions};
use dockline_model::{Answer, Question, RegistryName};
use losses::Losses;
use password::Kept;
use russh::{
    MethodKind, MethodSet,
    client::{AuthResult, Handle},
    keys::PrivateKey,
};
use secrecy::SecretString;
use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;

/// Ways that a server may want one after another; more is a server that plays.
const MOST_STEPS: usize = 8;

/// What was decrypted or typed once, for the further sessions of the same tunnel. In memory only.
#[derive(Default)]
pub(crate) struct Credentials {
    /// By path and encrypted text: a file that was replaced is asked about again.
    keys: Mutex<HashMap<(PathBuf, String), Arc<PrivateKey>>>,
    passwords: Mutex<HashMap<String, Kept>>,
    /// What was answered when the session that asked had ended: by login and the question's text.
    late: Mutex<HashMap<(String, String), SecretString>>,
    /// Sessions that ended instead of judging either.
    losses: Losses,
    /// The logins that ask a person something new each time.
    asking: Mutex<HashSet<String>>,
    /// Whether the agent has been offered the keys of Apple's keychain.
    keychain: OnceCell<()>,
}

impl Credentials {
    /// Whether a session for `login` cannot be had without a person. Trying all the same would be a failed login in the
    /// eyes of the server, which counts these.
    pub(super) fn need_a_person(&self, login: &str) -> bool {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).contains(login)
    }

    fn asks(&self, login: String) {
        self.asking.lock().unwrap_or_else(PoisonError::into_inner).insert(login);
    }
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
            Answer::Trust | Answer::Refuse | Answer::Login { .. } => None,
        }
    }
}

/// How a try to log in ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// We are in.
    In,
    /// It was right, and the server wants something else as well.
    Partial,
    /// It was not accepted, or not tried.
    Refused,
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
    /// How many keys the agent had to offer.
    agent_keys: usize,
    /// It was asked to sign, and has not answered.
    agent_is_silent: bool,
    /// Keys that were right already; the server takes none twice.
    used: Vec<Vec<u8>>,
    /// What the server would accept; everything, until it has said.
    methods: MethodSet,
    has_said: bool,
    /// Passwords that were wrong, by whatever method.
    wrong_passwords: usize,
    /// Sessions in a row before this one that ended instead of judging what was typed.
    losses: usize,
    /// A person was asked and would not say. Nothing else is asked then.
    was_refused: bool,
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
            agent_keys: 0,
            agent_is_silent: false,
            used: Vec::new(),
            methods,
            has_said: false,
            wrong_passwords: 0,
            losses: credentials.losses.of(&options.account()),
            was_refused: false,
        }
    }

    /// Tries everything there is, in order, as often as the server wants one thing more.
    pub(super) async fn run(mut self) -> Result<(), TunnelError> {
        for _ in 0..MOST_STEPS {
            match self.round().await? {
                Step::In => return Ok(()),
                Step::Partial => {}
                Step::Refused => break,
            }
        }
        let login = self.options.login();
        // Who would not answer is not asked again because the server was impatient; nor an agent.
        if self.handle.is_closed() && !self.was_refused && !self.agent_is_silent {
            self.settle().await;
            if !self.end.was_told() || self.tried.is_empty() {
                return Err(russh::Error::HUP.into());
            }
            return Err(TunnelError::TooManyTries {
                login,
                tried: self.tried,
                agent_keys: self.agent_keys,
                said: self.end.reason(),
            });
        }
        Err(TunnelError::Auth {
            login,
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

    /// Every way once.
    async fn round(&mut self) -> Result<Step, TunnelError> {
        // The first key is the first question; where there is none, or nothing but secrets is wanted, it is this one.
        if self.options.methods.first() != Some(&MethodKind::PublicKey) && self.nothing().await? == Step::In {
            return Ok(Step::In);
        }
        for method in &self.options.methods {
            let step = match method {
                MethodKind::PublicKey => match self.public_keys().await? {
                    Step::Refused => self.nothing().await?,
                    step @ (Step::In | Step::Partial) => step,
                },
                MethodKind::KeyboardInteractive => self.keyboard_interactive().await?,
                MethodKind::Password => self.password().await?,
                MethodKind::None | MethodKind::HostBased | MethodKind::GssapiWithMic => Step::Refused,
            };
            match step {
                Step::In | Step::Partial => return Ok(step),
                Step::Refused => {}
            }
        }
        Ok(Step::Refused)
    }

    /// Takes in an answer.
    fn answered(&mut self, result: AuthResult) -> Step {
        match result {
            AuthResult::Success => Step::In,
            AuthResult::Failure { remaining_methods, partial_success } => {
                self.refused(remaining_methods, partial_success)
            }
        }
    }

    fn refused(&mut self, remaining: MethodSet, is_partial: bool) -> Step {
        // Empty when the session ended instead of answering.
        if !remaining.is_empty() {
            self.methods = remaining;
            self.has_said = true;
        }
        if is_partial { Step::Partial } else { Step::Refused }
    }

    fn may_try(&self, method: MethodKind) -> bool {
        self.methods.contains(&method) && !self.was_refused && !self.handle.is_closed()
    }

    /// Where nothing was tried, asks what the server would accept (RFC 4252 §5.2).
    async fn nothing(&mut self) -> Result<Step, TunnelError> {
        if self.has_said || self.handle.is_closed() {
            return Ok(Step::Refused);
        }
        let result = self.handle.authenticate_none(self.options.user.clone()).await?;
        Ok(self.answered(result))
    }

    /// Asks a person, for as long as they take: a server that does not wait for it (sshd's `LoginGraceTime`) is dialled
    /// again with the answer.
    async fn ask(&self, question: Question) -> Option<(SecretString, bool)> {
        let mut asking = std::pin::pin!(self.asker.secret(question));
        loop {
            tokio::select! {
                answer = &mut asking => return answer,
                // The session's own limit of inactivity would end it under a slow typist; any message to it starts that
                // anew, and this one sends nothing.
                () = tokio::time::sleep(INACTIVITY_TIMEOUT / 3), if !self.end.has_ended() => {
                    let _ = self.handle.best_supported_rsa_hash().await;
                }
            }
        }
    }

    /// Fails if the session has not lived to see an answer.
    fn in_time(&self) -> Result<(), TunnelError> {
        match self.end.has_ended() || self.handle.is_closed() {
            true => Err(TunnelError::Outwaited { host: self.options.host_name.clone() }),
            false => Ok(()),
        }
    }

    /// Waits for the reason of an end: it is set a moment after the session's inbox is closed.
    async fn settle(&self) {
        let _ = tokio::time::timeout(Duration::from_secs(1), self.end.ended()).await;
    }

    /// Whether the session ended where there should have been an answer, for which the library has no other word than a
    /// refusal that leaves nothing to try. A server that says why it ends the session has heard enough (`MaxAuthTries`):
    /// that is an answer.
    async fn was_lost(&self, result: &AuthResult) -> bool {
        match result {
            AuthResult::Failure { remaining_methods, .. } if remaining_methods.is_empty() => {
                self.settle().await;
                self.end.has_ended() && !self.end.was_told()
            }
            AuthResult::Success | AuthResult::Failure { .. } => false,
        }
    }

    /// Notes why a way was not tried, once.
    fn skip(&mut self, why: String) {
        if !self.skipped.contains(&why) {
            self.skipped.push(why);
        }
    }

    /// Notes a way that is tried, once.
    fn note(&mut self, what: &str) {
        if !self.tried.iter().any(|tried| tried == what) {
            self.tried.push(what.to_owned());
        }
    }
}

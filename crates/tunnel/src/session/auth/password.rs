//! Logging in with what a person types: passwords, and keyboard-interactive (RFC 4256).

use super::{Login, PROMPTS};
use crate::{SecretId, error::TunnelError};
use dockline_model::Question;
use russh::{MethodKind, client::KeyboardInteractiveAuthResponse};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::PoisonError;

impl Login<'_> {
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

    pub(super) async fn password(&mut self) -> Result<bool, TunnelError> {
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
    pub(super) async fn keyboard_interactive(&mut self) -> Result<bool, TunnelError> {
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
}

/// Where a password came from.
enum Source {
    /// The keyring.
    Remembered,
    /// A person, now or for an earlier session.
    Typed { remember: bool },
}

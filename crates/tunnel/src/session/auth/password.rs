//! Logging in with what a person types: passwords, and whatever the server asks (keyboard-interactive, RFC 4256).

use super::{Login, Step, losses::REFUSAL};
use crate::{SecretId, error::TunnelError, session::plain_text};
use dockline_model::Question;
use russh::{
    MethodKind, MethodSet,
    client::{KeyboardInteractiveAuthResponse, Prompt},
};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::PoisonError;

/// Rounds of questions in one try; a server that asks more is playing.
const MOST_ROUNDS: usize = 16;

/// Where a password came from.
enum Origin {
    /// The keyring.
    Remembered,
    /// A person, now or for an earlier session.
    Typed { remember: bool },
}

/// A password that was typed, for the further sessions.
#[derive(Clone)]
pub(super) struct Kept {
    password: SecretString,
    /// Whether it goes into the keyring when it proves right.
    remember: bool,
    /// It was right before.
    was_right: bool,
}

/// What a person said in one try, until the server has judged it.
#[derive(Default)]
struct Said {
    password: Option<(SecretString, Origin)>,
    /// The other answers, by login and question.
    answers: Vec<((String, String), SecretString)>,
}

/// What came of asking a person everything that the server asked.
enum Answers {
    /// One for each question.
    Given(Vec<SecretString>),
    /// They would not say.
    Refused,
}

impl Login<'_> {
    /// Passwords to try in turn: typed before, remembered, asked for.
    async fn next_password(&mut self) -> Option<(SecretString, Origin)> {
        let login = self.options.account();
        if self.wrong_passwords == 0 {
            let typed = self
                .credentials
                .passwords
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(&login)
                .cloned();
            if let Some(Kept { password, remember, .. }) = typed {
                return Some((password, Origin::Typed { remember }));
            }
            if self.is_given_up() {
                self.note("a password");
            } else if let Some(password) = self.asker.ask.recall(&self.password_id()).await {
                return Some((password, Origin::Remembered));
            }
        }
        let again = self.wrong_passwords > 0 || self.is_given_up();
        let (password, remember) = self.ask(Question::Password { login, again }).await?;
        Some((password, Origin::Typed { remember }))
    }

    /// Whether so many sessions in a row ended at what was typed that it counts as refused.
    const fn is_given_up(&self) -> bool {
        self.losses >= REFUSAL
    }

    fn password_id(&self) -> SecretId {
        SecretId::Password { login: self.options.account() }
    }

    async fn password_was(&mut self, right: bool, password: SecretString, origin: Origin) {
        let login = self.options.account();
        self.credentials.losses.judged(&login);
        if right {
            if matches!(origin, Origin::Typed { remember: true }) {
                self.asker.ask.remember(&self.password_id(), &password).await;
            }
            self.keep(Kept { password, remember: false, was_right: true });
        } else {
            self.wrong_passwords += 1;
            let kept =
                self.credentials.passwords.lock().unwrap_or_else(PoisonError::into_inner).remove(&login);
            // What was never right is in no keyring; another may be.
            if matches!(origin, Origin::Remembered) || kept.is_some_and(|kept| kept.was_right) {
                self.asker.ask.forget(&self.password_id()).await;
            }
        }
    }

    fn keep(&self, kept: Kept) {
        let login = self.options.account();
        self.credentials.passwords.lock().unwrap_or_else(PoisonError::into_inner).insert(login, kept);
    }

    /// A password that came too late for this session is the first that the next one tries.
    fn keep_if_late(&self, password: &SecretString, origin: &Origin) -> Result<(), TunnelError> {
        let late = self.in_time();
        if late.is_err() {
            self.keep_for_next(password, origin);
        }
        late
    }

    /// A password of which nobody has said whether it is right is the first that the next session tries. Into the
    /// keyring it goes when it has proved right.
    fn keep_for_next(&self, password: &SecretString, origin: &Origin) {
        let Origin::Typed { remember } = origin else { return };
        let mut passwords = self.credentials.passwords.lock().unwrap_or_else(PoisonError::into_inner);
        // One that is kept already stays as it is.
        passwords.entry(self.options.account()).or_insert_with(|| Kept {
            password: password.clone(),
            remember: *remember,
            was_right: false,
        });
    }

    /// The session ended instead of judging what was said, which the next one tries once more. At the second such end in
    /// a row that is over, as if it had been refused; the keyring keeps what it has, since nobody has said that it is
    /// wrong.
    fn lost(
        &self,
        password: Option<&(SecretString, Origin)>,
        answers: Vec<((String, String), SecretString)>,
    ) {
        let login = self.options.account();
        if self.credentials.losses.count(login.clone(), self.losses) {
            self.credentials.passwords.lock().unwrap_or_else(PoisonError::into_inner).remove(&login);
            return;
        }
        if let Some((password, origin)) = password {
            self.keep_for_next(password, origin);
        }
        self.credentials.late.lock().unwrap_or_else(PoisonError::into_inner).extend(answers);
    }

    pub(super) async fn password(&mut self) -> Result<Step, TunnelError> {
        while self.wrong_passwords < self.options.password_prompts && self.may_try(MethodKind::Password) {
            let Some((password, origin)) = self.next_password().await else {
                self.was_refused = true;
                break;
            };
            self.keep_if_late(&password, &origin)?;
            self.note("a password");
            let user = self.options.user.clone();
            let result = self.handle.authenticate_password(user, password.expose_secret()).await;
            // A connection that broke has not judged it.
            let is_lost = match &result {
                Ok(result) => self.was_lost(result).await,
                Err(_) => true,
            };
            if is_lost {
                self.lost(Some(&(password, origin)), Vec::new());
                return Err(result.err().unwrap_or(russh::Error::HUP).into());
            }
            let step = self.answered(result?);
            self.password_was(step != Step::Refused, password, origin).await;
            if step != Step::Refused {
                return Ok(step);
            }
        }
        Ok(Step::Refused)
    }

    /// Any number of rounds with any number of questions. The first hidden question for a password is answered like
    /// one, keyring included; everything else is put to the person and forgotten.
    pub(super) async fn keyboard_interactive(&mut self) -> Result<Step, TunnelError> {
        for attempt in 0..self.options.password_prompts {
            if !self.may_try(MethodKind::KeyboardInteractive) {
                break;
            }
            let user = self.options.user.clone();
            let mut response = self.handle.authenticate_keyboard_interactive_start(user, None).await?;
            let mut said = Said::default();
            let (mut was_asked, mut rounds) = (false, 0);
            loop {
                match response {
                    KeyboardInteractiveAuthResponse::Success => {
                        self.credentials.losses.judged(&self.options.account());
                        if let Some((password, origin)) = said.password {
                            self.password_was(true, password, origin).await;
                        }
                        return Ok(Step::In);
                    }
                    KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                        let step = self.refused(remaining_methods, partial_success);
                        if was_asked {
                            self.credentials.losses.judged(&self.options.account());
                        }
                        if let Some((password, origin)) = said.password {
                            // Which of several answers was wrong is not said; a remembered password is asked about
                            // again rather than tried again.
                            self.password_was(step != Step::Refused, password, origin).await;
                        }
                        if step != Step::Refused || !was_asked {
                            return Ok(step);
                        }
                        break;
                    }
                    KeyboardInteractiveAuthResponse::InfoRequest { instructions, prompts, .. } => {
                        rounds += 1;
                        was_asked |= !prompts.is_empty();
                        let answers = self
                            .answers(&instructions, &prompts, &mut said, rounds == 1, attempt > 0)
                            .await?;
                        match answers {
                            Answers::Given(answers) if rounds <= MOST_ROUNDS => {
                                let answers = answers.iter().map(|a| a.expose_secret().to_owned()).collect();
                                response = self.respond(answers, &mut said).await?;
                            }
                            // The server still waits for answers, so nothing else can be tried in this session.
                            Answers::Given(_) | Answers::Refused => {
                                self.skip("The server's questions were not answered.".to_owned());
                                self.was_refused = true;
                                return Ok(Step::Refused);
                            }
                        }
                    }
                }
            }
        }
        Ok(Step::Refused)
    }

    /// Sends the answers. Where the session ends instead of judging them, they are kept for the next ([`Self::lost`]).
    async fn respond(
        &mut self,
        answers: Vec<String>,
        said: &mut Said,
    ) -> Result<KeyboardInteractiveAuthResponse, TunnelError> {
        let error = match self.handle.authenticate_keyboard_interactive_respond(answers).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        self.settle().await;
        if self.end.was_told() {
            // As a refusal that is one too many.
            let remaining_methods = MethodSet::empty();
            return Ok(KeyboardInteractiveAuthResponse::Failure {
                remaining_methods,
                partial_success: false,
            });
        }
        self.lost(said.password.as_ref(), std::mem::take(&mut said.answers));
        // Where they could not even be sent, it is the person whom the server has not waited for.
        if matches!(error, russh::Error::SendError) {
            return Err(TunnelError::Outwaited { host: self.options.host_name.clone() });
        }
        Err(error.into())
    }

    async fn answers(
        &mut self,
        instructions: &str,
        prompts: &[Prompt],
        said: &mut Said,
        is_first_round: bool,
        again: bool,
    ) -> Result<Answers, TunnelError> {
        let mut answers = Vec::new();
        for (index, prompt) in prompts.iter().enumerate() {
            if is_first_round && said.password.is_none() && asks_password(prompt) {
                let Some((password, origin)) = self.next_password().await else {
                    return Ok(Answers::Refused);
                };
                self.keep_if_late(&password, &origin)?;
                self.note("a password");
                answers.push(password.clone());
                said.password = Some((password, origin));
                continue;
            }
            self.credentials.asks(self.options.account());
            let key = (self.options.account(), prompt.prompt.clone());
            let late = self.credentials.late.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            if let Some(answer) = late.filter(|_| !again) {
                self.note("answers to the server's questions");
                said.answers.push((key, answer.clone()));
                answers.push(answer);
                continue;
            }
            let question = Question::Challenge {
                login: self.options.account(),
                instructions: if index == 0 { plain_text(instructions) } else { String::new() },
                prompt: plain_text(&prompt.prompt),
                is_shown: prompt.echo,
                again: again || self.is_given_up(),
            };
            if self.is_given_up() {
                self.note("answers to the server's questions");
            }
            let Some((answer, _)) = self.ask(question).await else { return Ok(Answers::Refused) };
            if let Err(late) = self.in_time() {
                let mut kept = self.credentials.late.lock().unwrap_or_else(PoisonError::into_inner);
                kept.insert(key, answer);
                return Err(late);
            }
            self.note("answers to the server's questions");
            said.answers.push((key, answer.clone()));
            answers.push(answer);
        }
        Ok(Answers::Given(answers))
    }
}

/// Whether a question is the one for the account's password. One-time codes are hidden as well by many servers, but a
/// keyring must not keep them; so the word has to be there.
fn asks_password(prompt: &Prompt) -> bool {
    let text = prompt.prompt.to_lowercase();
    let is_once = ["one-time", "one time", "otp", "code", "token"].iter().any(|word| text.contains(word));
    !prompt.echo && text.contains("passw") && !is_once
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_time_codes_are_no_passwords() {
        let prompt = |text: &str, echo| Prompt { prompt: text.to_owned(), echo };
        for text in ["Password: ", "(bob@h) Password:", "Passwort: "] {
            assert!(asks_password(&prompt(text, false)), "{text}");
        }
        assert!(!asks_password(&prompt("Password: ", true)));
        for text in ["Verification code: ", "One-time password (OATH) for `bob': ", "OTP password:", "PIN: "]
        {
            assert!(!asks_password(&prompt(text, false)), "{text}");
        }
    }
}

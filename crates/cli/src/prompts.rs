//! Questions of the tunnels, answered on the terminal or from standard input.

use crate::{
    interrupts::{Interrupts, cancelled},
    output::to_stderr,
    progress::Screen,
    terminal,
};
use dialoguer::{Confirm, Input, Password, theme::ColorfulTheme, theme::SimpleTheme, theme::Theme};
use dockline_core::Session;
use dockline_model::{Answer, Change, Code, Command, Prompt, PromptId, Question, Reply, Secret, UiError};
use std::{collections::BTreeSet, io};

/// Who answers.
#[derive(Clone)]
pub enum Answers {
    /// Nobody: commands that ask nothing.
    Nobody,
    /// The person at the terminal, if there is one.
    Terminal,
    /// A password or passphrase that came on standard input.
    Given(String),
}

impl Answers {
    /// Whether there is anybody.
    pub fn can_answer(&self) -> bool {
        match self {
            Self::Nobody => false,
            Self::Terminal => terminal::can_answer(),
            Self::Given(_) => true,
        }
    }

    /// The first line of standard input.
    pub fn from_stdin() -> io::Result<Self> {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(Self::Given(line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

/// Asks for a yes on the terminal; Ctrl-C is neither.
pub async fn agreed(question: String) -> Result<bool, UiError> {
    let mut interrupts = Interrupts::new()?;
    let asked =
        tokio::task::spawn_blocking(move || Confirm::new().with_prompt(question).default(false).interact());
    tokio::select! {
        // A terminal that went away is a no.
        answer = asked => Ok(matches!(answer, Ok(Ok(true)))),
        () = interrupts.next() => {
            to_stderr("\n");
            Err(cancelled())
        }
    }
}

/// Asks for a yes to what was just shown, unless it came beforehand. A no is a failure, and so is nobody to ask: a script
/// that goes on would take it for done. `undone` tells what has not happened then.
pub async fn agreed_or_nobody(
    yes: bool,
    question: impl Into<String>,
    undone: &'static str,
) -> Result<(), UiError> {
    if yes {
        return Ok(());
    }
    if !terminal::can_answer() {
        return Err(UiError::new(Code::NobodyToAsk, format!("{undone}: there is nobody to ask.")).hint(
            "Add --yes to have it done without a question, or --plan to see only what would be done.",
        ));
    }
    match agreed(question.into()).await? {
        true => Ok(()),
        false => Err(UiError::new(Code::Cancelled, format!("{undone}."))),
    }
}

/// Answers every open question of the session's, until it ends.
pub async fn answer_all(session: Session, answers: Answers, screen: Screen) {
    let mut events = session.events();
    let mut seen = BTreeSet::new();
    // Those that were asked before we came.
    if let Ok(Reply::Snapshot { snapshot }) = session.request(Command::Snapshot).await {
        for prompt in snapshot.prompts {
            answer_once(&session, &answers, &screen, &mut seen, prompt).await;
        }
    }
    while let Some(event) = events.next().await {
        if let Change::Prompt { prompt } = event.change {
            answer_once(&session, &answers, &screen, &mut seen, prompt).await;
        } else if let Change::Resync { snapshot } = event.change {
            for prompt in snapshot.prompts {
                answer_once(&session, &answers, &screen, &mut seen, prompt).await;
            }
        }
    }
}

async fn answer_once(
    session: &Session,
    answers: &Answers,
    screen: &Screen,
    seen: &mut BTreeSet<PromptId>,
    prompt: Prompt,
) {
    if !seen.insert(prompt.id) {
        return;
    }
    let id = prompt.id;
    let answer = match answers {
        Answers::Nobody => return,
        Answers::Given(secret) => answer_given(secret, &prompt.question),
        Answers::Terminal => {
            let quiet = screen.quiet();
            let asked = tokio::task::spawn_blocking(move || ask(&prompt)).await;
            quiet.answered();
            match asked {
                Ok(Ok(answer)) => answer,
                // The terminal went away, or Ctrl-C: that is no answer, and whoever waits is told so.
                Ok(Err(_)) | Err(_) => Answer::Refuse,
            }
        }
    };
    match session.request(Command::Answer { prompt: id, answer }).await {
        Err(error) if error.code == Code::NotFound => {
            screen.say("That question was answered elsewhere, or waited too long.");
        }
        Ok(_) | Err(_) => {}
    }
}

/// A host key cannot be judged by a script, and a secret that was refused once is not tried again.
fn answer_given(secret: &str, question: &Question) -> Answer {
    match question {
        Question::Passphrase { again: false, .. } | Question::Password { again: false, .. } => {
            Answer::Secret { value: secret.to_owned(), remember: false }
        }
        Question::RegistryLogin { user: Some(user), again: false, .. } => {
            Answer::Login { user: user.clone(), secret: Secret::new(secret.to_owned()), remember: false }
        }
        Question::HostKey { .. }
        | Question::Challenge { .. }
        | Question::RegistryLogin { .. }
        | Question::Passphrase { again: true, .. }
        | Question::Password { again: true, .. } => Answer::Refuse,
    }
}

fn ask(prompt: &Prompt) -> dialoguer::Result<Answer> {
    let theme: &dyn Theme =
        if console::colors_enabled_stderr() { &ColorfulTheme::default() } else { &SimpleTheme };
    match &prompt.question {
        Question::HostKey { host, key_type, fingerprint } => {
            to_stderr(&(host_key_text(prompt.registry.as_str(), host, key_type, fingerprint) + "\n"));
            let trusted =
                Confirm::with_theme(theme).with_prompt("Trust it from now on?").default(false).interact()?;
            Ok(if trusted { Answer::Trust } else { Answer::Refuse })
        }
        Question::Passphrase { key, again } => {
            let question = format!("{}Passphrase for {key}", if *again { "Wrong. " } else { "" });
            ask_secret(theme, &question, prompt.can_keep)
        }
        Question::Password { login, again } => {
            let question = format!("{}Password for {login}", if *again { "Wrong. " } else { "" });
            ask_secret(theme, &question, prompt.can_keep)
        }
        Question::Challenge { login, instructions, prompt: asked, is_shown, again } => {
            if !instructions.is_empty() {
                to_stderr(&format!("{login}: {instructions}\n"));
            }
            let question = format!("{}{login} asks: {asked}", if *again { "Wrong. " } else { "" });
            if *is_shown { ask_openly(theme, &question) } else { ask_secret(theme, &question, false) }
        }
        Question::RegistryLogin { authority, user, again } => {
            ask_login(theme, authority, user.as_deref(), *again, prompt.can_keep)
        }
    }
}

/// An empty answer gives up.
fn ask_openly(theme: &dyn Theme, question: &str) -> dialoguer::Result<Answer> {
    let value: String = Input::with_theme(theme)
        .with_prompt(format!("{question} (empty: give up)"))
        .allow_empty(true)
        .report(false)
        .interact_text()?;
    Ok(if value.is_empty() { Answer::Refuse } else { Answer::Secret { value, remember: false } })
}

/// Name, unless that is known, and password; an empty answer gives up.
fn ask_login(
    theme: &dyn Theme,
    authority: &str,
    user: Option<&str>,
    again: bool,
    can_keep: bool,
) -> dialoguer::Result<Answer> {
    let wrong = if again { "Wrong. " } else { "" };
    let user = match user {
        Some(user) => user.to_owned(),
        None => Input::with_theme(theme)
            .with_prompt(format!("{wrong}{authority} wants a login. User name (empty: give up)"))
            .allow_empty(true)
            .interact_text()?,
    };
    if user.is_empty() {
        return Ok(Answer::Refuse);
    }
    Ok(match ask_secret(theme, &format!("{wrong}Password or token of {user} at {authority}"), can_keep)? {
        Answer::Secret { value, remember } => Answer::Login { user, secret: Secret::new(value), remember },
        other @ (Answer::Trust | Answer::Refuse | Answer::Login { .. }) => other,
    })
}

/// An empty answer gives up.
fn ask_secret(theme: &dyn Theme, question: &str, can_keep: bool) -> dialoguer::Result<Answer> {
    let value = Password::with_theme(theme)
        .with_prompt(format!("{question} (empty: give up)"))
        .allow_empty_password(true)
        .report(false)
        .interact()?;
    if value.is_empty() {
        return Ok(Answer::Refuse);
    }
    let remember = can_keep
        && Confirm::with_theme(theme)
            .with_prompt("Keep it in this system's keyring?")
            .default(false)
            .interact()?;
    Ok(Answer::Secret { value, remember })
}

fn host_key_text(registry: &str, host: &str, key_type: &str, fingerprint: &str) -> String {
    format!(
        "{registry}: this machine has never seen the SSH host {host}.\n\
         Its {key_type} key has the fingerprint\n\n    {fingerprint}\n\n\
         Compare it with what the host's owner says, or with this on the host:\n    \
         ssh-keygen -lf /etc/ssh/ssh_host_{}_key.pub\n",
        key_file_word(key_type)
    )
}

/// The word in sshd's default file names (sshd_config(5), HostKey).
fn key_file_word(key_type: &str) -> &'static str {
    if key_type.starts_with("ecdsa") {
        "ecdsa"
    } else if key_type.contains("rsa") {
        "rsa"
    } else {
        "ed25519"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_secret_is_tried_once_and_trusts_nobody() {
        let host = Question::HostKey {
            host: "h".into(),
            key_type: "ssh-ed25519".into(),
            fingerprint: "SHA256:x".into(),
        };
        assert_eq!(answer_given("s", &host), Answer::Refuse);
        let code = Question::Challenge {
            login: "a@h".into(),
            instructions: String::new(),
            prompt: "Code:".into(),
            is_shown: false,
            again: false,
        };
        assert_eq!(answer_given("s", &code), Answer::Refuse, "a password is no one-time code");
        let first = Question::Password { login: "a@h".into(), again: false };
        assert_eq!(answer_given("s", &first), Answer::Secret { value: "s".into(), remember: false });
        assert_eq!(
            answer_given("s", &Question::Password { login: "a@h".into(), again: true }),
            Answer::Refuse
        );
    }

    #[test]
    fn a_host_key_is_shown_with_type_fingerprint_and_how_to_check_it() {
        let text = host_key_text("cr.boss.org", "[10.0.0.1]:2222", "ecdsa-sha2-nistp256", "SHA256:abc");
        for part in ["cr.boss.org", "[10.0.0.1]:2222", "ecdsa-sha2-nistp256", "SHA256:abc", "host_ecdsa_key"]
        {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }
}

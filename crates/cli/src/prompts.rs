//! Questions of the tunnels, answered on the terminal or from standard input.

use crate::{
    given::{Given, Recipient, Verdict},
    interrupts::{Interrupts, cancelled},
    output::{Output, to_stderr},
    printable::one_line,
    progress::Screen,
    terminal,
};
use dialoguer::{Confirm, Input, Password, theme::ColorfulTheme, theme::SimpleTheme, theme::Theme};
use dockline_core::{Paths, Session};
use dockline_model::{
    Answer, Change, Code, Command, Prompt, PromptId, Question, RegistryName, Reply, Secret, Snapshot, UiError,
};
use serde::Serialize;
use std::{collections::BTreeSet, io};

/// Who answers.
#[derive(Clone)]
pub enum Answers {
    /// Nobody: commands that ask nothing.
    Nobody,
    /// The person at the terminal, if there is one.
    Terminal,
    /// A password or passphrase that came on standard input.
    Given(Given),
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

    /// The first line of standard input, for the hosts of `registry`.
    pub fn from_stdin(registry: RegistryName) -> io::Result<Self> {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        let secret = line.trim_end_matches(['\r', '\n']).to_owned();
        Ok(Self::Given(Given { secret, registry }))
    }
}

/// Asks for a yes on the terminal; Ctrl-C is neither.
pub async fn agreed(question: String) -> Result<bool, UiError> {
    let mut interrupts = Interrupts::new()?;
    let asked = tokio::task::spawn_blocking(move || {
        Confirm::new().with_prompt(one_line(&question)).default(false).interact()
    });
    tokio::select! {
        // A terminal that went away is a no.
        answer = asked => Ok(matches!(answer, Ok(Ok(true)))),
        () = interrupts.next() => {
            to_stderr("\n");
            Err(cancelled())
        }
    }
}

/// Whether a plan is to be asked about and carried out. With `--json` one that is not is printed here, and so is one that
/// nobody can be asked about: the error stands behind it then.
pub fn goes_on<T: Serialize>(plan: &T, may_go_on: bool, yes: bool, output: Output) -> Result<bool, UiError> {
    if output.is_json() && (!may_go_on || (!yes && !terminal::can_answer())) {
        output.result(plan, String::new)?;
    }
    Ok(may_go_on)
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

/// Answers the open questions of the session's, until it ends.
pub async fn answer_all(session: Session, answers: Answers, screen: Screen, paths: Paths) {
    let mut events = session.events();
    // Those that were asked before we came.
    let before = match session.request(Command::Snapshot).await {
        Ok(Reply::Snapshot { snapshot }) => Some(snapshot),
        Ok(_) | Err(_) => None,
    };
    let answerer = match answers {
        Answers::Nobody => return,
        Answers::Terminal => Answerer::Terminal,
        Answers::Given(given) => {
            let views = before.iter().flat_map(|snapshot| &snapshot.registries);
            let registries: Vec<_> = views.map(|view| view.spec.clone()).collect();
            Answerer::Given(Recipient::of(given, &registries, &paths).await)
        }
    };
    let mut desk = Desk { session, screen, answerer, seen: BTreeSet::new() };
    if let Some(snapshot) = before {
        desk.answer_each(snapshot).await;
    }
    while let Some(event) = events.next().await {
        if let Change::Prompt { prompt } = event.change {
            desk.answer(prompt).await;
        } else if let Change::Resync { snapshot } = event.change {
            desk.answer_each(snapshot).await;
        }
    }
}

/// Who answers now.
enum Answerer {
    Terminal,
    Given(Recipient),
}

/// Where questions arrive, each once.
struct Desk {
    session: Session,
    screen: Screen,
    answerer: Answerer,
    seen: BTreeSet<PromptId>,
}

impl Desk {
    async fn answer_each(&mut self, snapshot: Snapshot) {
        for prompt in snapshot.prompts {
            self.answer(prompt).await;
        }
    }

    async fn answer(&mut self, prompt: Prompt) {
        if !self.seen.insert(prompt.id) {
            return;
        }
        let id = prompt.id;
        let answer = match &mut self.answerer {
            Answerer::Given(recipient) => match recipient.answer(&prompt) {
                Verdict::Answer(answer) => answer,
                Verdict::Refuse(why) => {
                    self.screen.say(&why);
                    Answer::Refuse
                }
                Verdict::Leave => return,
            },
            Answerer::Terminal => {
                let quiet = self.screen.quiet();
                let asked = tokio::task::spawn_blocking(move || ask(&prompt)).await;
                quiet.answered();
                match asked {
                    Ok(Ok(answer)) => answer,
                    // The terminal went away, or Ctrl-C: that is no answer, and whoever waits is told so.
                    Ok(Err(_)) | Err(_) => Answer::Refuse,
                }
            }
        };
        match self.session.request(Command::Answer { prompt: id, answer }).await {
            Err(error) if error.code == Code::NotFound => {
                self.screen.say("That question was answered elsewhere, or waited too long.");
            }
            Ok(_) | Err(_) => {}
        }
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
        .with_prompt(one_line(&format!("{question} (empty: give up)")))
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
            .with_prompt(one_line(&format!("{wrong}{authority} wants a login. User name (empty: give up)")))
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
        .with_prompt(one_line(&format!("{question} (empty: give up)")))
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
    fn a_host_key_is_shown_with_type_fingerprint_and_how_to_check_it() {
        let text = host_key_text("cr.boss.org", "[10.0.0.1]:2222", "ecdsa-sha2-nistp256", "SHA256:abc");
        for part in ["cr.boss.org", "[10.0.0.1]:2222", "ecdsa-sha2-nistp256", "SHA256:abc", "host_ecdsa_key"]
        {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }
}

//! A password or passphrase that came on standard input: for one registry's hosts, and for nobody on the way to them.

use dockline_core::Paths;
use dockline_model::{Answer, Prompt, Question, RegistryName, RegistrySpec};

/// The secret, and which registry's hosts it is for.
#[derive(Clone)]
pub struct Given {
    /// The text itself.
    pub secret: String,
    /// Of this one.
    pub registry: RegistryName,
}

/// Who may have it.
pub struct Recipient {
    given: Option<Given>,
    registry: RegistryName,
    /// As questions call them.
    logins: Vec<String>,
}

/// What becomes of a question.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is answered, or refused without a word.
    Answer(Answer),
    /// It is refused, and why.
    Refuse(String),
    /// It is about something else, and somebody else's to answer.
    Leave,
}

impl Recipient {
    /// The hosts of `given`'s registry, by the names that `~/.ssh/config` gives them. Jump hosts are not among them.
    pub async fn of(given: Given, registries: &[RegistrySpec], paths: &Paths) -> Self {
        let mut logins = Vec::new();
        for spec in registries.iter().filter(|spec| spec.name == given.registry && spec.url.is_none()) {
            for ssh in spec.hosts() {
                // Where `ssh` does not tell who that is, nobody gets it.
                logins.extend(paths.account(ssh).await);
            }
        }
        Self { registry: given.registry.clone(), given: Some(given), logins }
    }

    /// What to say to `prompt`. The secret is given once: what was refused is not tried again, and a second host that
    /// asks for one may be another's.
    pub fn answer(&mut self, prompt: &Prompt) -> Verdict {
        if prompt.registry != self.registry {
            return Verdict::Leave;
        }
        let is_for_it = match &prompt.question {
            // It opens a file of this machine's, and is sent to nobody.
            Question::Passphrase { again: false, .. } => true,
            Question::Password { login, again: false } => {
                if !self.logins.contains(login) {
                    return Verdict::Refuse(format!(
                        "{login} is no host of {}, so it does not get the password of standard input.",
                        self.registry
                    ));
                }
                true
            }
            // A host key cannot be judged by a script, and a password is no one-time code.
            Question::HostKey { .. }
            | Question::Challenge { .. }
            | Question::RegistryLogin { .. }
            | Question::Passphrase { again: true, .. }
            | Question::Password { again: true, .. } => false,
        };
        if !is_for_it {
            return Verdict::Answer(Answer::Refuse);
        }
        match self.given.take() {
            Some(Given { secret, .. }) => Verdict::Answer(Answer::Secret { value: secret, remember: false }),
            None => Verdict::Refuse(
                "A second secret is asked for, and standard input held one; it is not given twice."
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::PromptId;

    fn recipient() -> Recipient {
        let registry: RegistryName = "cr.boss.org".parse().unwrap();
        let given = Given { secret: "s".into(), registry: registry.clone() };
        Recipient { given: Some(given), registry, logins: vec!["a@h".into()] }
    }

    fn prompt(registry: &str, question: Question) -> Prompt {
        Prompt { id: PromptId(1), registry: registry.parse().unwrap(), question, can_keep: false }
    }

    fn password(login: &str, again: bool) -> Prompt {
        prompt("cr.boss.org", Question::Password { login: login.into(), again })
    }

    fn secret() -> Verdict {
        Verdict::Answer(Answer::Secret { value: "s".into(), remember: false })
    }

    #[test]
    fn the_host_of_the_registry_gets_it_once() {
        let mut recipient = recipient();
        assert_eq!(recipient.answer(&password("a@h", false)), secret());
        assert_eq!(recipient.answer(&password("a@h", true)), Verdict::Answer(Answer::Refuse));
        assert!(matches!(recipient.answer(&password("a@h", false)), Verdict::Refuse(_)));
    }

    #[test]
    fn nobody_on_the_way_gets_it() {
        let mut recipient = recipient();
        for other in ["a@gate", "b@h", "a@h:2222", "h", "a@h@gate"] {
            let Verdict::Refuse(why) = recipient.answer(&password(other, false)) else { panic!("{other}") };
            assert!(why.contains(other), "{why}");
        }
        let elsewhere = Question::Password { login: "a@h".into(), again: false };
        assert_eq!(recipient.answer(&prompt("other.example", elsewhere)), Verdict::Leave);
        assert_eq!(recipient.answer(&password("a@h", false)), secret(), "it is still there");
    }

    #[test]
    fn it_trusts_nobody_and_is_no_one_time_code() {
        let mut recipient = recipient();
        let key = Question::HostKey { host: "h".into(), key_type: "ssh-rsa".into(), fingerprint: "x".into() };
        let code = Question::Challenge {
            login: "a@h".into(),
            instructions: String::new(),
            prompt: "Code:".into(),
            is_shown: false,
            again: false,
        };
        let login = Question::RegistryLogin { authority: "h".into(), user: Some("a".into()), again: false };
        for question in [key, code, login] {
            assert_eq!(recipient.answer(&prompt("cr.boss.org", question)), Verdict::Answer(Answer::Refuse));
        }
        let passphrase = Question::Passphrase { key: "/k".into(), again: false };
        assert_eq!(recipient.answer(&prompt("cr.boss.org", passphrase)), secret());
    }
}

//! A password or passphrase that came on standard input: for one registry's hosts, and for nobody on the way to them.

use dockline_core::Paths;
use dockline_model::{Answer, Prompt, Question, RegistryName, RegistrySpec, SshTarget};
use std::{path::Path, process::Stdio, time::Duration};

/// As long as the tunnel itself has patience with it: `Match exec` runs programs.
const SSH_G_TIMEOUT: Duration = Duration::from_secs(10);

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
    logins: Vec<Login>,
}

/// A login at a host of the registry's. A question names it `user@host`, with the port where it is not 22, and with the
/// name that the host's key is known by where that is another: two hosts behind jump hosts may have the same address.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Login {
    /// Whoever it is, where nothing says.
    user: Option<String>,
    host: String,
    port: u16,
    /// `HostKeyAlias`.
    alias: Option<String>,
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
    pub async fn of(given: Given, registries: &[RegistrySpec]) -> Self {
        let mut logins = Vec::new();
        for spec in registries.iter().filter(|spec| spec.name == given.registry && spec.url.is_none()) {
            for ssh in spec.hosts() {
                logins.push(resolved(ssh).await);
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
                if !self.logins.iter().any(|known| known.is(login)) {
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

impl Login {
    /// Without `ssh` to ask.
    fn as_written(ssh: &SshTarget) -> Self {
        Self { user: ssh.user.clone(), host: ssh.host.clone(), port: ssh.port.unwrap_or(22), alias: None }
    }

    /// What `ssh -G` printed.
    fn read(text: &str, ssh: &SshTarget) -> Self {
        let written = Self::as_written(ssh);
        let value = |key: &str| {
            text.lines()
                .find_map(|line| line.split_once(' ').filter(|(found, _)| *found == key))
                .map(|it| it.1)
        };
        Self {
            user: value("user").map(str::to_owned).or(written.user),
            host: value("hostname").map_or(written.host, str::to_owned),
            port: value("port").and_then(|port| port.parse().ok()).unwrap_or(written.port),
            alias: value("hostkeyalias").map(str::to_owned),
        }
    }

    /// Whether a question calls it `login`.
    fn is(&self, login: &str) -> bool {
        let Some((user, place)) = login.rsplit_once('@') else { return false };
        let host = &self.host;
        // The second is as known_hosts has it.
        let (mut expected, known_as) = match self.port {
            22 => (host.clone(), host.clone()),
            port => (format!("{host}:{port}"), format!("[{host}]:{port}")),
        };
        if let Some(alias) = self.alias.as_ref().filter(|alias| !alias.eq_ignore_ascii_case(&known_as)) {
            expected += &format!(" ({alias})");
        }
        place.eq_ignore_ascii_case(&expected) && self.user.as_ref().is_none_or(|known| known == user)
    }
}

/// Where `ssh` would go and as whom.
async fn resolved(ssh: &SshTarget) -> Login {
    let environment = Paths::from_process().ok().map(|paths| paths.ssh);
    let Some((program, config)) =
        environment.and_then(|environment| Some((environment.ssh_program?, environment.config)))
    else {
        return Login::as_written(ssh);
    };
    match asked(&program, config.as_deref(), ssh).await {
        Some(text) => Login::read(&text, ssh),
        None => Login::as_written(ssh),
    }
}

async fn asked(program: &Path, config: Option<&Path>, ssh: &SshTarget) -> Option<String> {
    let mut command = tokio::process::Command::new(program);
    command.args(["-G", "-T"]);
    if let Some(config) = config {
        command.arg("-F").arg(config);
    }
    if let Some(user) = &ssh.user {
        command.args(["-l", user]);
    }
    if let Some(port) = ssh.port {
        command.args(["-p", &port.to_string()]);
    }
    let output = command.args(["--", &ssh.host]).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(SSH_G_TIMEOUT, output).await.ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::PromptId;

    fn recipient(logins: &[Login]) -> Recipient {
        let registry: RegistryName = "cr.boss.org".parse().unwrap();
        let given = Given { secret: "s".into(), registry: registry.clone() };
        Recipient { given: Some(given), registry, logins: logins.to_vec() }
    }

    fn host() -> Login {
        Login::as_written(&"a@h".parse().unwrap())
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
        let mut recipient = recipient(&[host()]);
        assert_eq!(recipient.answer(&password("a@h", false)), secret());
        assert_eq!(recipient.answer(&password("a@h", true)), Verdict::Answer(Answer::Refuse));
        assert!(matches!(recipient.answer(&password("a@h", false)), Verdict::Refuse(_)));
    }

    #[test]
    fn nobody_on_the_way_gets_it() {
        let mut recipient = recipient(&[host()]);
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
        let mut recipient = recipient(&[host()]);
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

    #[test]
    fn a_host_is_known_by_the_name_that_ssh_gives_it() {
        let alias: SshTarget = "build".parse().unwrap();
        let login = Login::read("host build\nuser deploy\nhostname 10.0.0.7\nport 2222\n", &alias);
        assert!(
            login.is("deploy@10.0.0.7:2222") && !login.is("deploy@build") && !login.is("x@10.0.0.7:2222")
        );
        assert!(Login::as_written(&alias).is("anybody@build"));
        let inner = Login::read("user a\nhostname 10.0.0.7\nport 22\nhostkeyalias inner\n", &alias);
        assert!(inner.is("a@10.0.0.7 (inner)") && !inner.is("a@10.0.0.7") && !inner.is("a@10.0.0.7 (outer)"));
        let same = Login::read("user a\nhostname 10.0.0.7\nport 22\nhostkeyalias 10.0.0.7\n", &alias);
        assert!(same.is("a@10.0.0.7"));
    }
}

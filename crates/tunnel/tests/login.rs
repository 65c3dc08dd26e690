//! Logging in: key files, encrypted ones, the agent, refusals; and passwords, against a server of this test's own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Answer, Code, LeaseHolder, Question, TunnelState, UiError};
use dockline_tunnel::{Nobody, SecretId, Tunnel, TunnelConfig};
use russh::{
    MethodKind, MethodSet,
    keys::{Algorithm, PrivateKey, PublicKey},
    server::{self, Auth, Response},
};
use std::{
    borrow::Cow,
    fs,
    path::PathBuf,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use support::{Lab, Person, echo_server, remote, secret, user};
use tokio::net::TcpListener;

async fn connect(config: TunnelConfig, person: Arc<Person>) -> Result<(), UiError> {
    let tunnel = Tunnel::start(config, person).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let outcome = tunnel.up(&lease).await;
    tunnel.stop().await;
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_key_is_refused_by_name() {
    need_sshd!();
    let lab = Lab::new();
    lab.keygen("stranger", "ed25519", "");
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = Some(lab.path("stranger"));
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let error = tunnel.up(&lease).await.unwrap_err();
    assert_eq!(error.code, Code::SshAuth, "{error:?}");
    assert!(error.message.contains(&lab.path("stranger").display().to_string()), "{error:?}");
    assert!(error.hint.as_ref().unwrap().contains("publickey"), "{error:?}");
    assert!(matches!(tunnel.view().state, TunnelState::Failed { .. }));

    // A new lease tries once more, which is what a person does after mending it.
    fs::copy(lab.path("stranger.pub"), lab.path("a-authorized")).unwrap();
    let again = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&again).await.unwrap();
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_missing_or_open_to_others_is_unusable() {
    need_sshd!();
    use std::os::unix::fs::PermissionsExt as _;
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = Some(lab.path("nowhere"));
    let error = connect(config.clone(), Person::answering([])).await.unwrap_err();
    assert_eq!(error.code, Code::SshKeyUnusable);
    assert!(error.message.contains("does not exist"), "{error:?}");

    fs::set_permissions(lab.path("id"), fs::Permissions::from_mode(0o644)).unwrap();
    config.spec.ssh.identity = Some(lab.path("id"));
    let error = connect(config.clone(), Person::answering([])).await.unwrap_err();
    assert_eq!(error.code, Code::SshKeyUnusable);
    assert!(error.message.contains("chmod 600"), "{error:?}");

    fs::write(lab.path("junk"), "not a key").unwrap();
    fs::set_permissions(lab.path("junk"), fs::Permissions::from_mode(0o600)).unwrap();
    config.spec.ssh.identity = Some(lab.path("junk"));
    assert_eq!(connect(config, Person::answering([])).await.unwrap_err().code, Code::SshKeyUnusable);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_common_key_type_logs_in() {
    need_sshd!();
    let lab = Lab::new();
    for key_type in ["rsa", "ecdsa"] {
        let public = lab.keygen(key_type, key_type, "");
        let sshd = lab.sshd_for(&format!("sshd-{key_type}"), "", &public).await;
        let mut config = lab.config(&sshd, remote(echo_server().await)).await;
        config.spec.ssh.identity = Some(lab.path(key_type));
        connect(config, Person::answering([])).await.unwrap();
        assert_eq!(sshd.logins(), 1);
        assert!(!sshd.log().contains("ssh-rsa SHA1"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_key_is_asked_about_and_kept_if_the_person_wants() {
    need_sshd!();
    let lab = Lab::new();
    let public = lab.keygen("locked", "ed25519", "open sesame");
    let sshd = lab.sshd_for("a", "", &public).await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = Some(lab.path("locked"));
    let id = SecretId::Passphrase { key_path: lab.path("locked") };

    let person = Person::answering([secret("wrong", false), secret("open sesame", true)]);
    connect(config.clone(), person.clone()).await.unwrap();
    let key = lab.path("locked").display().to_string();
    assert_eq!(
        person.asked(),
        [Question::Passphrase { key: key.clone(), again: false }, Question::Passphrase { key, again: true }]
    );
    assert_eq!(person.keyring.lock().unwrap()[&id], "open sesame");

    // Remembered: nobody is asked.
    let later = Person::answering([]);
    later.keyring.lock().unwrap().insert(id.clone(), "open sesame".to_owned());
    connect(config.clone(), later.clone()).await.unwrap();
    assert!(later.asked().is_empty());

    // Remembered, but changed since: dropped, and asked again.
    let stale = Person::answering([Answer::Refuse]);
    stale.keyring.lock().unwrap().insert(id.clone(), "old".to_owned());
    let error = connect(config, stale.clone()).await.unwrap_err();
    assert_eq!(error.code, Code::SshAuth);
    assert!(error.hint.as_ref().unwrap().contains("passphrase"), "{error:?}");
    assert!(!format!("{error:?}").contains("old\""));
    assert!(stale.keyring.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_for_the_passphrase_of_a_key_the_server_does_not_want() {
    need_sshd!();
    let lab = Lab::new();
    lab.keygen("locked", "ed25519", "open sesame");
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = Some(lab.path("locked"));
    let person = Person::answering([secret("open sesame", false)]);
    assert_eq!(connect(config, person.clone()).await.unwrap_err().code, Code::SshAuth);
    assert!(person.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_agents_keys_are_used() {
    need_sshd!();
    let lab = Lab::new();
    let public = lab.keygen("agents", "rsa", "");
    let sshd = lab.sshd_for("a", "", &public).await;
    let socket = lab.path("agent.sock");
    let mut agent = tokio::process::Command::new("ssh-agent")
        .arg("-D")
        .arg("-a")
        .arg(&socket)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    while !socket.exists() {
        tokio::task::yield_now().await;
    }
    for key in ["id", "agents"] {
        let added = std::process::Command::new("ssh-add")
            .arg("-q")
            .arg(lab.path(key))
            .env("SSH_AUTH_SOCK", &socket)
            .status()
            .unwrap();
        assert!(added.success());
    }
    fs::remove_file(lab.path("agents")).unwrap();
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.ssh.agent_socket = Some(socket);
    config.spec.ssh.identity = None;
    connect(config.clone(), Person::answering([])).await.unwrap();

    // IdentitiesOnly: the agent's key is used only where the configuration names it; its public half will do.
    fs::write(lab.path("config"), format!("IdentitiesOnly yes\nIdentityFile {}\n", lab.path("id").display()))
        .unwrap();
    assert_eq!(connect(config.clone(), Person::answering([])).await.unwrap_err().code, Code::SshAuth);
    fs::write(
        lab.path("config"),
        format!("IdentitiesOnly yes\nIdentityFile {}\n", lab.path("agents").display()),
    )
    .unwrap();
    connect(config, Person::answering([])).await.unwrap();
    agent.kill().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_logs_in() {
    need_sshd!();
    let lab = Lab::new();
    lab.keygen("ca", "ed25519", "");
    lab.keygen("signed", "ed25519", "");
    let status = std::process::Command::new("ssh-keygen")
        .args(["-q", "-I", "test", "-n", &user(), "-V", "+1h", "-s"])
        .arg(lab.path("ca"))
        .arg(lab.path("signed.pub"))
        .status()
        .unwrap();
    assert!(status.success());
    let extra = format!("TrustedUserCAKeys {}", lab.path("ca.pub").display());
    let sshd = lab.sshd_for("a", &extra, "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = Some(lab.path("signed"));
    connect(config, Person::answering([])).await.unwrap();
}

/// What `ssh` finds in the person's shell may not be known where Dockline was started.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_login_tells_what_was_not_there_to_try() {
    need_sshd!();
    let lab = Lab::new();
    lab.keygen("stranger", "ed25519", "");
    let sshd = lab.sshd("a", "").await;
    let mut config = lab.config(&sshd, remote(echo_server().await)).await;
    config.spec.ssh.identity = None;
    let text = format!(
        "IdentityFile {}\nIdentityFile /keys/${{CARGO_PKG_NAME}}/id\nCertificateFile /keys/cert.pub\n",
        lab.path("stranger").display()
    );
    fs::write(lab.path("config"), &text).unwrap();
    let hint = async |config: &TunnelConfig| {
        let error = connect(config.clone(), Person::answering([])).await.unwrap_err();
        assert_eq!(error.code, Code::SshAuth, "{error:?}");
        error.hint.unwrap()
    };
    let told = hint(&config).await;
    for part in [
        "No SSH agent is known",
        "/keys/dockline-tunnel/id does not exist.",
        "/keys/cert.pub does not exist.",
    ] {
        assert_eq!(told.matches(part).count(), 1, "{told}");
    }
    config.ssh.agent_socket = Some(lab.path("no-agent"));
    let told = hint(&config).await;
    assert!(told.contains("no-agent does not answer the Dockline that runs."), "{told}");
    fs::write(lab.path("config"), format!("{text}IdentityAgent none\n")).unwrap();
    assert!(!hint(&config).await.contains("agent"), "nobody wants one");
}

/// A server that takes one password, by the method it is told to.
#[derive(Clone)]
struct PasswordServer {
    method: MethodKind,
    /// What it asks by keyboard-interactive.
    prompt: &'static str,
    /// Answers at which it hangs up instead of saying whether they are right.
    breaks: Arc<AtomicUsize>,
}

impl PasswordServer {
    fn break_off(&self) -> Result<(), russh::Error> {
        let left = self.breaks.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        left.map_or(Ok(()), |_| Err(russh::Error::Disconnect))
    }

    /// The library would take the method off the list after one wrong password, unlike sshd.
    fn refusal(&self) -> Auth {
        let methods = MethodSet::from(&[MethodKind::PublicKey, self.method][..]);
        Auth::Reject { proceed_with_methods: Some(methods), partial_success: false }
    }
}

impl server::Handler for PasswordServer {
    type Error = russh::Error;

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        self.break_off()?;
        let right = self.method == MethodKind::Password && (user, password) == ("bob", "hunter2");
        Ok(if right { Auth::Accept } else { self.refusal() })
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        Ok(match response {
            None => Auth::Partial {
                name: Cow::Borrowed(""),
                instructions: Cow::Borrowed(""),
                prompts: Cow::Owned(vec![(Cow::Borrowed(self.prompt), false)]),
            },
            Some(mut answers) => {
                self.break_off()?;
                let right = answers.next().is_some_and(|answer| answer == b"hunter2"[..]);
                if right { Auth::Accept } else { self.refusal() }
            }
        })
    }
}

async fn password_server(lab: &Lab, method: MethodKind) -> TunnelConfig {
    server_of(lab, PasswordServer { method, prompt: "Password: ", breaks: Arc::default() }).await
}

async fn server_of(lab: &Lab, server: PasswordServer) -> TunnelConfig {
    let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
    let public: PublicKey = key.public_key().clone();
    let server_config = Arc::new(server::Config {
        keys: vec![key],
        methods: MethodSet::from(&[MethodKind::PublicKey, server.method][..]),
        auth_rejection_time: Duration::from_millis(10),
        ..server::Config::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (config, server) = (server_config.clone(), server.clone());
            tokio::spawn(async move {
                if let Ok(session) = server::run_stream(config, stream, server).await {
                    let _ = session.await;
                }
            });
        }
    });
    let known_hosts = lab.known_hosts(&format!("[127.0.0.1]:{port} {}\n", public.to_openssh().unwrap()));
    let spec = dockline_model::RegistrySpec {
        port: support::free_port().await,
        linger_seconds: 1,
        ..dockline_model::RegistrySpec::new(
            "cr.test".parse().unwrap(),
            format!("bob@127.0.0.1:{port}").parse().unwrap(),
            std::net::Ipv4Addr::LOCALHOST,
        )
    };
    let mut environment = lab.environment(&known_hosts);
    environment.home_ssh = PathBuf::from("/nonexistent/.ssh");
    TunnelConfig::new(spec, environment)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_is_the_last_resort() {
    let lab = Lab::new();
    for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let config = password_server(&lab, method).await;
        let login = format!("bob@127.0.0.1:{}", config.spec.ssh.port.unwrap());
        let person = Person::answering([secret("wrong", false), secret("hunter2", true)]);
        connect(config.clone(), person.clone()).await.unwrap();
        assert_eq!(
            person.asked(),
            [
                Question::Password { login: login.clone(), again: false },
                Question::Password { login: login.clone(), again: true }
            ]
        );
        let kept = person.keyring.lock().unwrap()[&SecretId::Password { login }].clone();
        assert_eq!(kept, "hunter2");

        let error = connect(config, Person::answering([Answer::Refuse])).await.unwrap_err();
        assert_eq!(error.code, Code::SshAuth, "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_breaks_while_a_password_is_checked_has_not_judged_it() {
    let lab = Lab::new();
    for method in [MethodKind::Password, MethodKind::KeyboardInteractive] {
        let breaks = Arc::new(AtomicUsize::new(1));
        let server = PasswordServer { method, prompt: "Password: ", breaks: breaks.clone() };
        let config = server_of(&lab, server).await;
        let id = SecretId::Password { login: format!("bob@127.0.0.1:{}", config.spec.ssh.port.unwrap()) };

        let person = Person::answering([]);
        person.keyring.lock().unwrap().insert(id.clone(), "hunter2".to_owned());
        connect(config.clone(), person.clone()).await.unwrap();
        assert!(person.asked().is_empty(), "{method:?}: {:?}", person.asked());
        assert_eq!(person.keyring.lock().unwrap()[&id], "hunter2");

        // Typed only now, it need not be typed again.
        breaks.store(1, SeqCst);
        let person = Person::answering([secret("hunter2", true)]);
        connect(config, person.clone()).await.unwrap();
        assert_eq!((person.asked().len(), breaks.load(SeqCst)), (1, 0), "{method:?}");
        assert_eq!(person.keyring.lock().unwrap()[&id], "hunter2");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_a_broken_connection_has_not_judged_is_not_asked_for_again() {
    let lab = Lab::new();
    let breaks = Arc::new(AtomicUsize::new(1));
    let method = MethodKind::KeyboardInteractive;
    let server = PasswordServer { method, prompt: "Verification code: ", breaks: breaks.clone() };
    let config = server_of(&lab, server).await;
    let person = Person::answering([secret("hunter2", false)]);
    connect(config, person.clone()).await.unwrap();
    assert_eq!((person.asked().len(), breaks.load(SeqCst)), (1, 0));
    assert!(matches!(&person.asked()[0], Question::Challenge { .. }));
}

/// Ends in a refusal after two tries, with questions that are repeated ones or not, as in `again`.
async fn is_given_up(lab: &Lab, server: (MethodKind, &'static str), stored: Option<&str>, again: &[bool]) {
    let (method, prompt) = server;
    let breaks = Arc::new(AtomicUsize::new(usize::MAX));
    let config = server_of(lab, PasswordServer { method, prompt, breaks: breaks.clone() }).await;
    let id = SecretId::Password { login: format!("bob@127.0.0.1:{}", config.spec.ssh.port.unwrap()) };
    let person = match stored {
        Some(_) => Person::answering([]),
        None => Person::answering([secret("wrong", true)]),
    };
    let keyring: Vec<_> = stored.map(|stored| (id, stored.to_owned())).into_iter().collect();
    person.keyring.lock().unwrap().extend(keyring.clone());
    let ended = tokio::time::timeout(Duration::from_secs(60), connect(config, person.clone()));
    let error = ended.await.expect("it redials for ever").unwrap_err();
    assert_eq!(error.code, Code::SshAuth, "{server:?}: {error:?}");
    let asked = person.asked().into_iter().map(|question| match question {
        Question::Password { again, .. } | Question::Challenge { again, .. } => again,
        other @ (Question::HostKey { .. } | Question::Passphrase { .. } | Question::RegistryLogin { .. }) => {
            panic!("{other:?}")
        }
    });
    assert_eq!(asked.collect::<Vec<_>>(), again, "{server:?}");
    assert_eq!(usize::MAX - breaks.load(SeqCst), 2, "{server:?}");
    // Nobody has said that it is right, nor that it is wrong.
    assert_eq!(person.keyring.lock().unwrap().clone(), keyring.into_iter().collect(), "{server:?}");
}

/// There are servers that say no by hanging up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_at_which_the_server_always_hangs_up_is_not_tried_for_ever() {
    // `known_hosts` is one file for a laboratory.
    let labs: [Lab; 5] = std::array::from_fn(|_| Lab::new());
    let password = (MethodKind::Password, "Password: ");
    let asked = (MethodKind::KeyboardInteractive, "Password: ");
    let code = (MethodKind::KeyboardInteractive, "Verification code: ");
    tokio::join!(
        is_given_up(&labs[0], password, None, &[false, true]),
        is_given_up(&labs[1], asked, None, &[false, true]),
        is_given_up(&labs[2], code, None, &[false, true]),
        is_given_up(&labs[3], password, Some("wrong"), &[true]),
        is_given_up(&labs[4], asked, Some("wrong"), &[true]),
    );
}

/// Two hosts with the same address, each behind a jump host of its own, are told apart by their `HostKeyAlias`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_password_is_for_the_host_by_the_name_of_its_key() {
    let lab = Lab::new();
    let config = password_server(&lab, MethodKind::Password).await;
    let known_hosts = fs::read_to_string(lab.path("known_hosts")).unwrap();
    lab.known_hosts(&format!("site-b {}", known_hosts.split_once(' ').unwrap().1));
    fs::write(lab.path("config"), "Host *\n HostKeyAlias site-b\n").unwrap();
    let address = format!("bob@127.0.0.1:{}", config.spec.ssh.port.unwrap());
    let login = format!("{address} (site-b)");
    let person = Person::answering([secret("hunter2", true)]);
    let of_another = SecretId::Password { login: address };
    person.keyring.lock().unwrap().insert(of_another.clone(), "the password of site-a".to_owned());
    connect(config, person.clone()).await.unwrap();
    assert_eq!(person.asked(), [Question::Password { login: login.clone(), again: false }]);
    let kept = person.keyring.lock().unwrap().clone();
    assert_eq!(kept[&SecretId::Password { login }], "hunter2");
    assert_eq!(kept[&of_another], "the password of site-a");
}

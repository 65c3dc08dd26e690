//! Logins of several steps against a real sshd with PAM: passwords, one-time codes, a key and then a code. Everything
//! here is logged at the most verbose level, and none of what is secret may stand in that log.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Answer, Code, LeaseHolder, Question, RegistryName, UiError};
use dockline_tunnel::{Ask, SecretId, Tunnel, TunnelConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha1::Sha1;
use std::{
    collections::HashMap,
    fs,
    io::Write,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use support::{Lab, Sshd, echo_server, remote, round_trip, user};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const PASSWORD: &str = "correct horse battery";
const PASSPHRASE: &str = "open sesame, please";
/// The secret of the one-time codes: 20 bytes, as RFC 4226 has in its examples.
const CODE_SECRET: &[u8; 20] = b"12345678901234567890";
const USER_DATA: &[u8] = b"what a person pushes is nobody's business";

/// Everything that was logged since the first test of this file began, the SSH library's records included.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.lock().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock()).into_owned()
    }
}

/// Logs as the programs do when they are told to say everything (`DOCKLINE_LOG=trace`).
fn log() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log = Log::default();
        let writer = log.clone();
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            // Its fractions of seconds could look like a code.
            .without_time()
            .with_writer(move || writer.clone())
            .init();
        log
    })
    .clone()
}

/// Whether this machine can have an sshd with PAM settings of the test's own. Loud where not, a failure on CI.
fn can_have_pam() -> bool {
    let module = ["/usr/lib", "/lib"].iter().any(|root| {
        fs::read_dir(root)
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| entry.path().join("security/pam_oath.so").exists())
    });
    let is_root = nix::unistd::geteuid().is_root();
    if module && is_root && Path::new("/etc/pam.d/sshd").exists() && support::has_sshd() {
        return true;
    }
    assert!(
        std::env::var("CI").as_deref() != Ok("true"),
        "root, sshd and libpam-oath are needed; CI must have them"
    );
    eprintln!("SKIPPED: needs root, openssh-server and libpam-oath");
    false
}

/// RFC 4226.
fn one_time_code(counter: u64) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(CODE_SECRET).unwrap().chain_update(counter.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let offset = usize::from(hash[19] & 15);
    let number = u32::from_be_bytes(hash[offset..offset + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

/// A server whose PAM asks for what `modules` say.
async fn sshd(lab: &mut Lab, extra: &str, modules: &[&str]) -> Sshd {
    let check = lab.path("check");
    fs::write(&check, format!("#!/bin/sh\n[ \"$(tr -d '\\0')\" = '{PASSWORD}' ]\n")).unwrap();
    fs::set_permissions(&check, fs::Permissions::from_mode(0o700)).unwrap();
    let codes = lab.path("codes");
    let secret: String = CODE_SECRET.iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(&codes, format!("HOTP {} - {secret}\n", user())).unwrap();
    fs::set_permissions(&codes, fs::Permissions::from_mode(0o600)).unwrap();
    let mut stack = String::new();
    for module in modules {
        stack += &match *module {
            "password" => format!("auth required pam_exec.so expose_authtok quiet {}\n", check.display()),
            "code" => format!("auth required pam_oath.so usersfile={} window=5 digits=6\n", codes.display()),
            other => panic!("{other}"),
        };
    }
    stack += "account required pam_permit.so\nsession required pam_permit.so\n";
    fs::write(lab.path("pam"), stack).unwrap();
    lab.pam = Some(lab.path("pam"));
    lab.sshd("a", &format!("UsePAM yes\n{extra}")).await
}

/// Says the password and the codes, the first of each as often wrong as told, and notes what was asked.
#[derive(Default)]
struct Owner {
    wrong_first: bool,
    asked: Mutex<Vec<String>>,
    next_code: Mutex<u64>,
    keyring: Mutex<HashMap<SecretId, String>>,
}

#[async_trait::async_trait]
impl Ask for Owner {
    async fn ask(&self, _: &RegistryName, question: Question) -> Option<Answer> {
        let (what, value) = match question {
            Question::Password { again, .. } => {
                let value = if self.wrong_first && !again { "not the password" } else { PASSWORD };
                ("password", value.to_owned())
            }
            Question::Passphrase { .. } => ("passphrase", PASSPHRASE.to_owned()),
            Question::Challenge { prompt, is_shown, .. } => {
                assert!(prompt.contains("One-time password") && !is_shown, "{prompt}");
                let mut next = self.next_code.lock().unwrap();
                *next += 1;
                ("code", one_time_code(*next - 1))
            }
            Question::HostKey { .. } => panic!("the host is known"),
            Question::RegistryLogin { .. } => panic!("a registry asks for that, not a host"),
        };
        self.asked.lock().unwrap().push(what.to_owned());
        Some(Answer::Secret { value, remember: true })
    }
    async fn recall(&self, key: &SecretId) -> Option<SecretString> {
        self.keyring.lock().unwrap().get(key).map(|secret| SecretString::from(secret.clone()))
    }
    async fn remember(&self, key: &SecretId, secret: &SecretString) {
        self.keyring.lock().unwrap().insert(key.clone(), secret.expose_secret().to_owned());
    }
    async fn forget(&self, key: &SecretId) {
        self.keyring.lock().unwrap().remove(key);
    }
}

impl Owner {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Logs in and sends something through.
async fn connect(config: TunnelConfig, owner: Arc<Owner>) -> Result<(), UiError> {
    let address = std::net::SocketAddr::from((config.spec.address, config.spec.port));
    let tunnel = Tunnel::start(config, owner).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let outcome = tunnel.up(&lease).await;
    if outcome.is_ok() {
        assert_eq!(round_trip(address, USER_DATA).await.unwrap(), USER_DATA);
    }
    tunnel.stop().await;
    outcome
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_and_then_a_one_time_code() {
    if !can_have_pam() {
        return;
    }
    log();
    let mut lab = Lab::new();
    let server = sshd(&mut lab, "KbdInteractiveAuthentication yes", &["password", "code"]).await;
    let mut config = lab.config(&server, remote(echo_server().await)).await;
    config.spec.ssh.identity = None;
    let owner = Arc::new(Owner { wrong_first: true, ..Owner::default() });
    connect(config.clone(), owner.clone()).await.unwrap();
    assert_eq!(owner.asked(), ["password", "code", "password", "code"]);
    let kept: Vec<String> = owner.keyring.lock().unwrap().values().cloned().collect();
    assert_eq!(kept, [PASSWORD], "the password may be kept, a code never");

    // The next login finds the password in the keyring, and asks for a code alone.
    let later = Arc::new(Owner { next_code: Mutex::new(2), ..Owner::default() });
    *later.keyring.lock().unwrap() = owner.keyring.lock().unwrap().clone();
    connect(config, later.clone()).await.unwrap();
    assert_eq!(later.asked(), ["code"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_and_then_a_one_time_code() {
    if !can_have_pam() {
        return;
    }
    log();
    let mut lab = Lab::new();
    lab.keygen("locked", "ed25519", PASSPHRASE);
    let extra = "KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive";
    let server = sshd(&mut lab, extra, &["code"]).await;
    let mut config = lab.config(&server, remote(echo_server().await)).await;
    fs::copy(lab.path("locked.pub"), lab.path("a-authorized")).unwrap();
    config.spec.ssh.identity = Some(lab.path("locked"));
    let owner = Arc::new(Owner::default());
    connect(config, owner.clone()).await.unwrap();
    assert_eq!(owner.asked(), ["passphrase", "code"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pool_does_not_grow_where_each_session_needs_a_person() {
    if !can_have_pam() {
        return;
    }
    log();
    let mut lab = Lab::new();
    let server = sshd(&mut lab, "KbdInteractiveAuthentication yes", &["password", "code"]).await;
    let mut config = lab.config(&server, remote(echo_server().await)).await;
    config.spec.ssh.identity = None;
    let address = std::net::SocketAddr::from((config.spec.address, config.spec.port));
    let owner = Arc::new(Owner::default());
    let tunnel = Tunnel::start(config, owner.clone()).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    // More connections than a session is meant to carry, all open at the same time.
    let mut streams = Vec::new();
    for _ in 0..6 {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        stream.write_all(USER_DATA).await.unwrap();
        let mut back = [0; USER_DATA.len()];
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(back, USER_DATA);
        streams.push(stream);
    }
    tunnel.stop().await;
    assert_eq!(owner.asked(), ["password", "code"]);
    let log = server.log();
    assert_eq!(log.lines().filter(|line| line.contains("Connection from ")).count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_and_then_a_key() {
    if !can_have_pam() {
        return;
    }
    log();
    let mut lab = Lab::new();
    let extra = "PasswordAuthentication yes\nAuthenticationMethods password,publickey";
    let server = sshd(&mut lab, extra, &["password"]).await;
    let config = lab.config(&server, remote(echo_server().await)).await;
    let owner = Arc::new(Owner { wrong_first: true, ..Owner::default() });
    connect(config, owner.clone()).await.unwrap();
    assert_eq!(owner.asked(), ["password", "password"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_keys_one_after_another() {
    need_sshd!();
    log();
    let lab = Lab::new();
    let keys: String =
        ["second", "third"].iter().map(|name| lab.keygen(name, "ed25519", "") + "\n").collect();
    let server = lab.sshd_for("a", "AuthenticationMethods publickey,publickey", &keys).await;
    let mut config = lab.config(&server, remote(echo_server().await)).await;
    config.spec.ssh.identity = None;
    let files = ["id", "second", "third"].map(|name| format!("IdentityFile {}\n", lab.path(name).display()));
    fs::write(lab.path("config"), files.concat()).unwrap();
    connect(config, Arc::new(Owner::default())).await.unwrap();
    // With one of the two there is no way in, and the sentence says what would be.
    fs::write(lab.path("config"), files[1].as_str()).unwrap();
    let mut config = lab.config(&server, remote(echo_server().await)).await;
    config.spec.ssh.identity = None;
    let error = connect(config, Arc::new(Owner::default())).await.unwrap_err();
    assert_eq!(error.code, Code::SshAuth);
    assert!(error.hint.unwrap().contains("publickey"), "{}", error.message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_and_nothing_that_was_carried_is_logged() {
    if !can_have_pam() {
        return;
    }
    let log = log();
    let mut lab = Lab::new();
    lab.keygen("locked", "ed25519", PASSPHRASE);
    let extra = "KbdInteractiveAuthentication yes\nAuthenticationMethods publickey,keyboard-interactive";
    let server = sshd(&mut lab, extra, &["password", "code"]).await;
    let mut config = lab.config(&server, remote(echo_server().await)).await;
    fs::copy(lab.path("locked.pub"), lab.path("a-authorized")).unwrap();
    config.spec.ssh.identity = Some(lab.path("locked"));
    let owner = Arc::new(Owner::default());
    connect(config.clone(), owner.clone()).await.unwrap();
    assert_eq!(owner.asked(), ["passphrase", "password", "code"]);

    // A refusal's words hold no secret either.
    fs::write(lab.path("check"), "#!/bin/sh\nexit 1\n").unwrap();
    let stubborn = Arc::new(Owner { next_code: Mutex::new(1), ..Owner::default() });
    let error = connect(config, stubborn.clone()).await.unwrap_err();
    assert_eq!(error.code, Code::SshAuth);

    let text = log.text();
    assert!(text.contains("russh"), "the SSH library's records are among these");
    let told = format!("{text}\n{error:?}");
    let codes = (0..4).map(one_time_code);
    let data = String::from_utf8_lossy(USER_DATA).into_owned();
    for secret in [PASSWORD.to_owned(), PASSPHRASE.to_owned(), data].into_iter().chain(codes) {
        let bytes: Vec<String> = secret.bytes().map(|byte| byte.to_string()).collect();
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        // As text, as a list of numbers, and in hexadecimal.
        for form in [secret.clone(), bytes.join(", "), hex] {
            if let Some(at) = told.find(&form) {
                let line = told[..at].rfind('\n').map_or(0, |newline| newline + 1);
                panic!("{secret} stands in the log: {}", &told[line..(at + 60).min(told.len())]);
            }
        }
    }
    let private = fs::read_to_string(lab.path("locked")).unwrap();
    let line = private.lines().nth(3).unwrap();
    assert!(!told.contains(line));
}

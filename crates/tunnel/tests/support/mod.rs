//! A real OpenSSH server for one test: own folder, own keys, own configuration, on a loopback port.
#![allow(dead_code, reason = "each test file uses its own part of this")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use dockline_model::{
    Answer, Question, RegistryName, RegistrySpec, RemoteEnd, SshTarget, TunnelState, TunnelView,
};
use dockline_tunnel::{AccessRules, Ask, SecretId, SshEnvironment, Tunnel, TunnelConfig};
use secrecy::{ExposeSecret as _, SecretString};
use std::{
    collections::{HashMap, VecDeque},
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpSocket, TcpStream},
    process::{Child, Command},
    sync::watch,
};

const SSHD: &str = "/usr/sbin/sshd";

/// Whether there is an sshd to test against. Loud where there is none, and a failure on CI.
pub fn has_sshd() -> bool {
    if Path::new(SSHD).exists() {
        return true;
    }
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{SSHD} is missing; CI must have it");
    eprintln!("SKIPPED: {SSHD} is missing; install openssh-server to run this test");
    false
}

/// Ends the test early without an sshd.
#[macro_export]
macro_rules! need_sshd {
    () => {
        if !support::has_sshd() {
            return;
        }
    };
}

/// A test's own folder with a client key and one or more servers.
pub struct Lab {
    pub folder: tempfile::TempDir,
    /// What the servers' `/etc/pam.d/sshd` is, in mount namespaces of their own.
    pub pam: Option<PathBuf>,
}

impl Lab {
    pub fn new() -> Self {
        if std::env::var_os("DOCKLINE_TEST_LOG").is_some() {
            let _ =
                tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_test_writer().try_init();
        }
        let folder = tempfile::Builder::new().prefix("dockline-tunnel").tempdir().unwrap();
        let lab = Self { folder, pam: None };
        lab.keygen("id", "ed25519", "");
        lab
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a key pair; the public half's text comes back.
    pub fn keygen(&self, name: &str, key_type: &str, passphrase: &str) -> String {
        let path = self.path(name);
        let status = std::process::Command::new("ssh-keygen")
            .args(["-q", "-t", key_type, "-N", passphrase, "-C", name, "-f"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        fs::read_to_string(path.with_extension("pub")).unwrap().trim().to_owned()
    }

    /// Starts a server that accepts the key `id`. `extra` goes before everything else in its configuration.
    pub async fn sshd(&self, name: &str, extra: &str) -> Sshd {
        let authorized = fs::read_to_string(self.path("id.pub")).unwrap();
        self.sshd_for(name, extra, &authorized).await
    }

    pub async fn sshd_for(&self, name: &str, extra: &str, authorized: &str) -> Sshd {
        fs::write(self.path(&format!("{name}-authorized")), authorized).unwrap();
        self.sshd_at(name, extra, free_port().await).await
    }

    /// The same at a port of its own; a server of that name that was there before leaves it its keys.
    pub async fn sshd_at(&self, name: &str, extra: &str, port: u16) -> Sshd {
        if !self.path(&format!("{name}-host")).exists() {
            self.keygen(&format!("{name}-host"), "ed25519", "");
        }
        let config = format!(
            "{extra}\nListenAddress 127.0.0.1\nPort {port}\nHostKey {host}\nAuthorizedKeysFile {authorized}\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             KbdInteractiveAuthentication no\nPermitRootLogin yes\nLogLevel VERBOSE\nUseDNS no\n",
            host = self.path(&format!("{name}-host")).display(),
            authorized = self.path(&format!("{name}-authorized")).display(),
        );
        let config_path = self.path(&format!("{name}.conf"));
        fs::write(&config_path, config).unwrap();
        if nix::unistd::geteuid().is_root() {
            // Debian's sshd separates privileges in it; the service makes it, and there is none here.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        let host_key = fs::read_to_string(self.path(&format!("{name}-host.pub"))).unwrap().trim().to_owned();
        let mut sshd = Sshd { port, config_path, host_key, pam: None, child: None, log: Arc::default() };
        sshd.pam = self.pam.clone();
        sshd.start().await;
        sshd
    }

    /// A known_hosts file of this test's.
    pub fn known_hosts(&self, text: &str) -> PathBuf {
        let path = self.path("known_hosts");
        fs::write(&path, text).unwrap();
        path
    }

    /// OpenSSH's files of this test's: no agent, an empty configuration.
    pub fn environment(&self, known_hosts: &Path) -> SshEnvironment {
        let config = self.path("config");
        if !config.exists() {
            fs::write(&config, "").unwrap();
        }
        SshEnvironment {
            home_ssh: self.path("home-ssh"),
            config: Some(config),
            known_hosts: vec![known_hosts.to_owned()],
            agent_socket: None,
            ssh_program: Some(PathBuf::from("ssh")),
            ..SshEnvironment::default()
        }
    }

    /// A tunnel through `sshd` to `remote` with the key `id`, whose host key is known. Linger: one second.
    pub async fn config(&self, sshd: &Sshd, remote: RemoteEnd) -> TunnelConfig {
        let mut config = self.bare_config(SocketAddr::from(([127, 0, 0, 1], 1))).await;
        self.known_hosts(&sshd.known_hosts_line());
        (config.spec.ssh.port, config.spec.remote) = (Some(sshd.port), remote);
        config
    }

    /// The same to a server of which nothing is known yet.
    pub async fn bare_config(&self, far: SocketAddr) -> TunnelConfig {
        let (known_hosts, remote) = (self.path("known_hosts"), remote(far));
        let mut target: SshTarget = format!("{}@127.0.0.1", user()).parse().unwrap();
        target.identity = Some(self.path("id"));
        let spec = RegistrySpec {
            remote,
            port: free_port().await,
            linger_seconds: 1,
            ..RegistrySpec::new("cr.test".parse().unwrap(), target, Ipv4Addr::LOCALHOST)
        };
        TunnelConfig {
            patience: Duration::from_secs(5),
            // What these tests carry is not HTTP; those of `access.rs` say otherwise.
            access: AccessRules::AnyProtocol,
            ..TunnelConfig::new(spec, self.environment(&known_hosts))
        }
    }
}

/// The user this test runs as, who is also the one that logs in.
pub fn user() -> String {
    nix::unistd::User::from_uid(nix::unistd::geteuid()).unwrap().unwrap().name
}

/// A port that nobody has, and that nobody is given who asks for any: those are above 32767 (Linux, `ip_local_port_range`).
///
/// It is tried without listening: a program that another test starts at this moment has a copy of the socket until it
/// begins, and a copy that listens would keep the port for as long.
pub async fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    loop {
        let turn = ASKED.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + (std::process::id().wrapping_mul(101).wrapping_add(turn) % 22_000) as u16;
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        if socket.bind((Ipv4Addr::LOCALHOST, port).into()).is_ok() {
            return port;
        }
    }
}

/// A running server; killed when dropped.
pub struct Sshd {
    pub port: u16,
    pub host_key: String,
    config_path: PathBuf,
    pam: Option<PathBuf>,
    child: Option<Child>,
    log: Arc<Mutex<String>>,
}

impl Sshd {
    pub async fn start(&mut self) {
        let mut command = match &self.pam {
            None => Command::new(SSHD),
            Some(pam) => {
                let mut command = Command::new("unshare");
                let script = "mount --bind \"$1\" /etc/pam.d/sshd && shift && exec \"$@\"";
                command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
                command.arg(pam).arg(SSHD);
                command
            }
        };
        let mut child = command
            .args(["-D", "-e", "-f"])
            .arg(&self.config_path)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .process_group(0)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = self.log.clone();
        let (ready, listening) = tokio::sync::oneshot::channel();
        tokio::spawn(async move {
            let mut ready = Some(ready);
            while let Ok(Some(line)) = lines.next_line().await {
                if std::env::var_os("DOCKLINE_TEST_LOG").is_some() {
                    eprintln!("sshd: {line}");
                }
                if line.contains("Server listening")
                    && let Some(ready) = ready.take()
                {
                    let _ = ready.send(());
                }
                log.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        if listening.await.is_err() {
            panic!("sshd did not start: {}", self.log.lock().unwrap());
        }
        self.child = Some(child);
    }

    /// Ends the server and every session of its.
    pub async fn kill(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let sessions = children_of(child.id().unwrap());
        child.kill().await.unwrap();
        kill_all(sessions);
    }

    /// Ends the sessions, and leaves the server running.
    pub fn kill_sessions(&self) {
        kill_all(children_of(self.child.as_ref().unwrap().id().unwrap()));
    }

    /// Stops the server and its sessions without ending them, as a dead path looks to us; or lets them go on.
    pub fn freeze(&self, frozen: bool) {
        use nix::sys::signal::Signal::{SIGCONT, SIGSTOP};
        let server = self.child.as_ref().unwrap().id().unwrap();
        for pid in children_of(server).into_iter().chain([server as i32]) {
            let signal = if frozen { SIGSTOP } else { SIGCONT };
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal);
        }
    }

    /// Processes that serve sessions.
    pub fn sessions(&self) -> usize {
        children_of(self.child.as_ref().unwrap().id().unwrap()).len()
    }

    /// How often somebody logged in so far.
    pub fn logins(&self) -> usize {
        self.log
            .lock()
            .unwrap()
            .lines()
            .filter(|line| line.contains("Accepted ") && line.contains(" from "))
            .count()
    }

    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn known_hosts_line(&self) -> String {
        let key: Vec<&str> = self.host_key.split(' ').take(2).collect();
        format!("[127.0.0.1]:{} {}\n", self.port, key.join(" "))
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        if let Some(id) = self.child.as_ref().and_then(Child::id) {
            kill_all(children_of(id));
        }
    }
}

/// The processes below `pid`, whatever depth (sshd's monitor and its unprivileged half).
fn children_of(pid: u32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let mut all = Vec::new();
    for child in children.split_ascii_whitespace().filter_map(|text| text.parse::<u32>().ok()) {
        all.extend(children_of(child));
        all.push(child as i32);
    }
    all
}

fn kill_all(pids: Vec<i32>) {
    for pid in pids {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL);
    }
}

/// A server that sends back what it gets, and its end-of-file after ours.
pub async fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = tokio::io::copy(&mut read, &mut write).await;
            });
        }
    });
    address
}

pub fn remote(address: SocketAddr) -> RemoteEnd {
    address.to_string().parse().unwrap()
}

/// Sends `data`, half-closes, and reads until the end.
pub async fn round_trip(address: SocketAddr, data: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let (mut read, mut write) = stream.split();
    let sending = async {
        write.write_all(data).await?;
        write.shutdown().await
    };
    let mut received = Vec::new();
    let (sent, got) = tokio::join!(sending, read.read_to_end(&mut received));
    got?;
    sent?;
    Ok(received)
}

/// Waits until the view is as wanted; says what it was instead after ten seconds.
pub async fn until(tunnel: &Tunnel, wanted: impl Fn(&TunnelView) -> bool) -> TunnelView {
    let mut views: watch::Receiver<TunnelView> = tunnel.watch();
    let waiting = tokio::time::timeout(Duration::from_secs(20), views.wait_for(|view| wanted(view)));
    match waiting.await {
        Ok(view) => view.unwrap().clone(),
        Err(_) => panic!("the tunnel stayed at {:?}", tunnel.view()),
    }
}

pub fn is_up(view: &TunnelView) -> bool {
    matches!(view.state, TunnelState::Up { .. })
}

pub fn is_idle(view: &TunnelView) -> bool {
    matches!(view.state, TunnelState::Idle)
}

/// Answers from a list, and notes what was asked.
#[derive(Default)]
pub struct Person {
    pub answers: Mutex<VecDeque<Answer>>,
    pub asked: Mutex<Vec<Question>>,
    pub keyring: Mutex<HashMap<SecretId, String>>,
}

impl Person {
    pub fn answering(answers: impl IntoIterator<Item = Answer>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    pub fn asked(&self) -> Vec<Question> {
        self.asked.lock().unwrap().clone()
    }
}

pub fn secret(value: &str, remember: bool) -> Answer {
    Answer::Secret { value: value.to_owned(), remember }
}

#[async_trait::async_trait]
impl Ask for Person {
    async fn ask(&self, _: &RegistryName, question: Question) -> Option<Answer> {
        self.asked.lock().unwrap().push(question);
        self.answers.lock().unwrap().pop_front()
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

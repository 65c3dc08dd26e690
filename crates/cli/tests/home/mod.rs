//! A home folder of a test's own, and `dockline` in it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use dockline_demo::DemoHost;
use dockline_model::UiError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// Nothing outside of its folder is read or written.
pub struct Home {
    folder: tempfile::TempDir,
    /// A registry name that no other test has, and so an address that no other test's owner listens at.
    pub registry: String,
}

static HOMES: AtomicU32 = AtomicU32::new(0);

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in [".ssh", "bin"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("hosts"), b"127.0.0.1 localhost\r\nno final line ending").unwrap();
        let number = HOMES.fetch_add(1, Ordering::Relaxed);
        Self { folder, registry: format!("r{number}-{}.boss.example", std::process::id()) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn config_file(&self) -> PathBuf {
        self.path("dockline/config.toml")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dockline"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            // No `ssh` to ask, whose idea of a home folder is not ours; no engine.
            .env("PATH", self.path("bin"))
            .env("DOCKER_HOST", format!("unix://{}", self.path("no-engine.sock").display()))
            .env("DOCKLINE_HOME", self.path("dockline"))
            .env("DOCKLINE_HOSTS_FILE", self.path("hosts"))
            .stdin(Stdio::null());
        command
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran::new(arguments, &output)
    }

    /// With `--json`, which must succeed.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self, arguments: &[&str]) -> T {
        let ran = self.run(&[arguments, &["--json"]].concat()).expect(0);
        serde_json::from_value(ran.last_json()).unwrap()
    }

    /// With `--json`, which must fail with `status`.
    #[track_caller]
    pub fn error(&self, arguments: &[&str], status: i32) -> UiError {
        self.run(&[arguments, &["--json"]].concat()).expect(status).error()
    }

    /// Starts an agent and waits until it is ready.
    pub fn agent(&self) -> Running {
        let mut agent = Running::start(self.command(&["agent"]));
        let line = agent.line();
        assert!(line.contains("ready"), "{line}");
        agent
    }

    /// `repository` in [`Self::registry`].
    pub fn reference(&self, repository: &str) -> String {
        format!("{}/{repository}", self.registry)
    }

    /// Adds `host` as [`Self::registry`], host key and all.
    #[track_caller]
    pub fn add(&self, host: &DemoHost) {
        fs::copy(host.known_hosts(), self.path(".ssh/known_hosts")).unwrap();
        self.add_unknown(host);
    }

    /// The same without its host key.
    #[track_caller]
    pub fn add_unknown(&self, host: &DemoHost) {
        self.add_through(host, host.ssh_addr());
    }

    /// The same through another address that leads to its SSH server.
    #[track_caller]
    pub fn add_through(&self, host: &DemoHost, ssh: SocketAddr) {
        let ssh = format!("{}@{ssh}", host.user());
        let (identity, remote) = (host.identity().to_str().unwrap(), host.registry_addr().to_string());
        self.run(&["add", &self.registry, "--ssh", &ssh, "--identity", identity, "--remote", &remote])
            .expect(0);
    }
}

/// How a command ended.
pub struct Ran {
    pub what: String,
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    pub fn new(arguments: &[&str], output: &Output) -> Self {
        Self {
            what: arguments.join(" "),
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        let Self { what, stdout, stderr, .. } = &self;
        assert_eq!(self.status, Some(status), "dockline {what}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        self
    }

    #[track_caller]
    pub fn last_json(&self) -> Value {
        let line = self.stdout.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}: {line}", self.what))
    }

    #[track_caller]
    pub fn error(&self) -> UiError {
        serde_json::from_value(self.last_json()["error"].clone()).unwrap()
    }
}

/// A command that runs beside the test; killed when it is dropped.
pub struct Running {
    pub child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
    /// Of standard error, what has been read.
    errors: String,
}

impl Running {
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdout, stderr, errors: String::new() }
    }

    /// The next line of standard output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        if self.stdout.read_line(&mut line).unwrap() == 0 {
            self.stderr.read_to_string(&mut self.errors).unwrap();
            panic!("it ended: {}", self.errors);
        }
        line
    }

    /// Reads standard error until a line holds `part`.
    pub fn until_error_line(&mut self, part: &str) {
        loop {
            let begin = self.errors.len();
            let count = self.stderr.read_line(&mut self.errors).unwrap();
            assert_ne!(count, 0, "it ended without “{part}”: {}", self.errors);
            if self.errors[begin..].contains(part) {
                return;
            }
        }
    }

    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Ran {
        let mut stdout = String::new();
        self.stdout.read_to_string(&mut stdout).unwrap();
        self.stderr.read_to_string(&mut self.errors).unwrap();
        let status = self.child.wait().unwrap().code();
        let stderr = std::mem::take(&mut self.errors);
        Ran { what: "(running)".to_owned(), status, stdout, stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! A dockerd and a registry of the test's own, on this machine's loopback, gone after it.

#![expect(clippy::unwrap_used, reason = "a rig that cannot be set up is a failed test")]

pub mod podman;
pub mod sluice;

use dockline_engine::{Engine, EngineEndpoint};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, geteuid},
};
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};
use tempfile::TempDir;

/// Whether the test can run here, as [`can_run`], but an engine that CI does not bring may be missing there too.
pub fn can_run_with(optional: &str, programs: &[&str]) -> bool {
    if which(optional).is_none() {
        note_skip(&format!("not installed here: {optional}"));
        return false;
    }
    can_run(programs)
}

/// Whether the test can run here. Says why not; under `CI=true`, not being able to is a failure.
pub fn can_run(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|program| which(program).is_none()).copied().collect();
    let reason = if !missing.is_empty() {
        format!("not installed here: {}", missing.join(", "))
    } else if !geteuid().is_root() {
        "dockerd needs root".to_owned()
    } else {
        return true;
    };
    assert!(std::env::var("CI").as_deref() != Ok("true"), "this test must run in CI: {reason}");
    note_skip(&reason);
    false
}

fn note_skip(reason: &str) {
    let test = thread::current().name().unwrap_or("a test").to_owned();
    eprintln!("SKIPPED {test}: {reason}");
    // `cargo xtask test` counts these lines.
    if let Some(path) = std::env::var_os("DOCKLINE_SKIPPED_TESTS") {
        let mut file = fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(format!("{test}: {reason}\n").as_bytes()).unwrap();
    }
}

fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/sbin")])
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// A program that ends with this value.
struct Daemon(Child);

impl Daemon {
    /// Starts it and waits for the first line of its log (standard error) that contains `ready`, which it returns.
    fn start(command: &mut Command, ready: &'static str) -> (Self, String) {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut daemon = Self(command.spawn().unwrap());
        let log = daemon.0.stderr.take().unwrap();
        let (sender, lines) = mpsc::channel();
        // Reads to the end, so that the daemon never waits for us.
        thread::spawn(move || {
            for line in BufReader::new(log).lines().map_while(Result::ok) {
                sender.send(line).ok();
            }
        });
        let mut seen = Vec::new();
        loop {
            let line = lines.recv_timeout(Duration::from_secs(60));
            let line = line.unwrap_or_else(|_| panic!("no “{ready}” in its log:\n{}", seen.join("\n")));
            if line.contains(ready) {
                return (daemon, line);
            }
            seen.push(line);
        }
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.0.id()).unwrap()), signal).ok();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        self.0.wait().ok();
    }
}

/// dockerd with everything of its own.
pub struct Dockerd {
    daemon: Option<Daemon>,
    folder: TempDir,
}

impl Dockerd {
    pub fn start() -> Self {
        // A short path: containerd's socket lies below, and a socket's path has 107 bytes at most (unix(7)).
        let folder = tempfile::Builder::new().prefix("dle-").tempdir_in("/tmp").unwrap();
        let mut dockerd = Self { daemon: None, folder };
        dockerd.restart();
        dockerd
    }

    /// Starts it on the same data, if it does not run.
    pub fn restart(&mut self) {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        fs::write(at("daemon.json"), "{}").unwrap();
        fs::create_dir_all(at("config")).unwrap();
        let mut command = Command::new(which("dockerd").unwrap());
        command
            .arg(format!("--data-root={}", at("data")))
            .arg(format!("--exec-root={}", at("exec")))
            .arg(format!("--pidfile={}", at("pid")))
            .arg(format!("--host=unix://{}", at("docker.sock")))
            .arg(format!("--config-file={}", at("daemon.json")))
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"]);
        self.daemon = Some(Daemon::start(&mut command, "API listen on").0);
    }

    pub fn stop(&mut self) {
        self.daemon = None;
    }

    /// Ends it at once, without a last word to anyone. Its containerd ends with it (dockerd asks the kernel so).
    pub fn kill(&mut self) {
        if let Some(daemon) = &self.daemon {
            daemon.signal(Signal::SIGKILL);
        }
        self.daemon = None;
    }

    pub fn engine(&self) -> Engine {
        Engine::connect(EngineEndpoint::Unix(self.folder.path().join("docker.sock"))).unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().unwrap().0.id()
    }

    pub fn config_file(&self) -> PathBuf {
        self.folder.path().join("daemon.json")
    }

    /// Runs `docker …`, which must succeed, and returns what it printed.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let output = Command::new("docker")
            .args(arguments)
            .env("DOCKER_HOST", format!("unix://{}", self.folder.path().join("docker.sock").display()))
            .env("DOCKER_CONFIG", self.folder.path().join("config"))
            .env("DOCKER_BUILDKIT", "0")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        assert!(output.status.success(), "docker {arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Builds an image with one layer of random bytes for each of `layers_kib`.
    pub fn build(&self, tag: &str, layers_kib: &[usize]) -> String {
        let context = self.folder.path().join("context");
        write_context(&context, layers_kib);
        self.docker(&["build", "--quiet", "--tag", tag, &context.display().to_string()])
    }
}

/// What to build an image from, with one layer of random bytes for each of `layers_kib`.
fn write_context(folder: &Path, layers_kib: &[usize]) {
    fs::create_dir_all(folder).unwrap();
    let mut dockerfile = "FROM scratch\n".to_owned();
    for (number, kib) in layers_kib.iter().enumerate() {
        let mut bytes = vec![0; kib * 1024];
        fs::File::open("/dev/urandom").unwrap().read_exact(&mut bytes).unwrap();
        fs::write(folder.join(number.to_string()), bytes).unwrap();
        dockerfile += &format!("COPY {number} /{number}\n");
    }
    fs::write(folder.join("Dockerfile"), dockerfile).unwrap();
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        self.stop();
        unmount_below(self.folder.path());
    }
}

/// A dockerd that was killed leaves mounts behind, which would keep its folder.
fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let prefix = folder.display().to_string();
    for mount in mounts.lines().rev().filter_map(|line| line.split(' ').nth(1)) {
        if mount.starts_with(&prefix) {
            Command::new("umount").arg("--lazy").arg(mount).status().ok();
        }
    }
}

/// docker-registry on a free loopback port.
pub struct Registry {
    pub address: String,
    _daemon: Daemon,
    _folder: TempDir,
}

impl Registry {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("config.yml");
        let storage = folder.path().join("storage").display().to_string();
        fs::write(
            &settings,
            format!(
                "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: '{storage}'}}}}\n\
                 http: {{addr: '127.0.0.1:0'}}\n"
            ),
        )
        .unwrap();
        let (daemon, line) =
            Daemon::start(Command::new("docker-registry").arg("serve").arg(settings), "listening on");
        let after = line.split("listening on ").nth(1).unwrap();
        let address = after.trim_matches(|c: char| !c.is_ascii_digit());
        let address = address.split(['"', ' ', ',']).next().unwrap().to_owned();
        Self { address, _daemon: daemon, _folder: folder }
    }
}

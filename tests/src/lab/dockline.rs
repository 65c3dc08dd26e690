//! Dockline itself, as a person at a terminal meets it: the `dockline` program with a home of its own.

use super::{
    daemon::Daemon, needs::find_program, person::Person, registry_host::RegistryHost,
    slot::unique_registry_name, workstation::Workstation,
};
use dockline_model::{RegistryName, Snapshot, UiError};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{
    env,
    ffi::OsString,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tempfile::TempDir;

/// A person's Dockline: configuration, state, SSH files and environment of its own.
#[derive(Debug)]
pub struct Dockline {
    folder: TempDir,
    workstation: Option<Arc<Workstation>>,
    docker_host: Option<String>,
    person: Option<Person>,
    variables: Vec<(OsString, OsString)>,
    program: Option<PathBuf>,
}

/// How a call of `dockline` ended.
#[derive(Debug)]
pub struct Outcome {
    command: String,
    /// The exit status; `None` if a signal ended it.
    pub status: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

impl Default for Dockline {
    fn default() -> Self {
        Self::new()
    }
}

impl Dockline {
    /// On this machine, without an engine.
    ///
    /// # Panics
    /// When a temporary folder cannot be made.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("dockline-test-")
            .tempdir()
            .expect("a temporary folder can be made");
        let ssh = folder.path().join(".ssh");
        for part in [&ssh, &folder.path().join("dockline"), &folder.path().join("bin")] {
            fs::create_dir(part).expect("the folder is ours");
        }
        // OpenSSH asks the password database for the home folder and not HOME (ssh_config(5), TOKENS), so the
        // configuration has to be named, and that only a program called `ssh` on the PATH can do.
        let config = format!(
            "Host *\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile none\n",
            ssh.join("known_hosts").display()
        );
        fs::write(ssh.join("config"), config).expect("the folder is ours");
        let program = folder.path().join("bin").join("ssh");
        let real = find_program("ssh").unwrap_or_else(|| "/usr/bin/ssh".into());
        let script =
            format!("#!/bin/sh\nexec '{}' -F '{}' \"$@\"\n", real.display(), ssh.join("config").display());
        fs::write(&program, script).expect("the folder is ours");
        fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("the folder is ours");
        Self {
            folder,
            workstation: None,
            docker_host: None,
            person: None,
            variables: Vec::new(),
            program: None,
        }
    }

    /// On a workstation: with its hosts file.
    #[must_use]
    pub fn on(workstation: &Arc<Workstation>) -> Self {
        Self { workstation: Some(Arc::clone(workstation)), ..Self::new() }
    }

    /// Run by this person, on their machine. Files of the registry host's that they need are copied.
    #[must_use]
    pub fn of(person: &Person) -> Self {
        let dockline = Self { person: Some(person.clone()), ..Self::on(person.workstation()) };
        person.owns(dockline.folder.path());
        dockline
    }

    /// With this engine (`DOCKER_HOST`).
    #[must_use]
    pub fn with_engine(self, endpoint: impl Into<String>) -> Self {
        Self { docker_host: Some(endpoint.into()), ..self }
    }

    /// With these environment variables, such as a [keyring's](crate::desktop::Keyring::environment).
    #[must_use]
    pub fn with_environment(
        mut self,
        variables: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
    ) -> Self {
        self.variables.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// This program, and not the one that was built: an installed one.
    #[must_use]
    pub fn with_program(self, program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), ..self }
    }

    /// `DOCKLINE_HOME`: one folder for configuration, state and sockets.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("dockline")
    }

    /// Where its state is.
    #[must_use]
    pub fn state_dir(&self) -> PathBuf {
        self.home().join("state")
    }

    /// The configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.home().join("config.toml")
    }

    /// What stands for `~/.ssh`: `config` and `known_hosts` are in it.
    #[must_use]
    pub fn ssh_folder(&self) -> PathBuf {
        self.folder.path().join(".ssh")
    }

    /// Adds lines to this person's known_hosts.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn trust(&self, line: &str) {
        let path = self.ssh_folder().join("known_hosts");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("{before}{line}\n")).expect("the folder is ours");
        if let Some(person) = &self.person {
            person.owns(self.folder.path());
        }
    }

    /// Has this person's ssh_config know a host by that word, with the key that may log in.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn nickname(&self, word: &str, host: &RegistryHost) {
        let path = self.ssh_folder().join("config");
        let before = fs::read_to_string(&path).expect("the folder is ours");
        let entry = format!(
            "Host {word}\n  HostName {}\n  Port {}\n  User {}\n  IdentityFile {}\n\n",
            host.address(),
            host.port(),
            host.user(),
            host.identity().display()
        );
        // The first value counts (ssh_config(5)), so what is for all hosts stays last.
        fs::write(&path, entry + &before).expect("the folder is ours");
    }

    /// Adds a host under a name of its own, trusted and with the key that may log in, and returns the name.
    ///
    /// # Panics
    /// When `dockline add` fails.
    #[track_caller]
    pub fn add(&self, host: &RegistryHost) -> RegistryName {
        let name = unique_registry_name("cr");
        self.trust(&host.known_hosts_line());
        self.add_as(&name, host, &[]);
        name
    }

    /// Adds a host by name, with more arguments; whom to trust is left to the test.
    ///
    /// # Panics
    /// When `dockline add` fails.
    #[track_caller]
    pub fn add_as(&self, name: &RegistryName, host: &RegistryHost, arguments: &[&str]) {
        let identity = self.own_copy(&host.identity());
        let mut words = vec!["add", name.as_str(), "--ssh"];
        let destination = host.destination();
        words.push(&destination);
        if !arguments.contains(&"--identity") {
            words.extend(["--identity", &identity]);
        }
        words.extend(arguments);
        self.run(&words).expect_success();
    }

    /// A key file that ssh takes: one's own.
    fn own_copy(&self, key: &Path) -> String {
        let Some(person) = &self.person else { return key.display().to_string() };
        let copy = self.ssh_folder().join("id");
        fs::copy(key, &copy).expect("the folder is ours");
        person.owns(self.folder.path());
        copy.display().to_string()
    }

    /// Any program where `dockline` is run: on the workstation, as the person.
    #[must_use]
    pub fn machine(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        match (&self.person, &self.workstation) {
            (Some(person), _) => person.command(program),
            (None, Some(workstation)) => workstation.command(program),
            (None, None) => Command::new(program),
        }
    }

    /// `dockline …`, ready to run.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.machine(self.program.as_deref().unwrap_or_else(|| dockline_program()));
        command
            .args(arguments)
            .env("DOCKLINE_HOME", self.home())
            .env("HOME", self.person.as_ref().map_or(self.folder.path(), Person::home))
            .env("PATH", self.search_path())
            .env("NO_COLOR", "1")
            .env_remove("SSH_AUTH_SOCK")
            .env_remove("DOCKER_CONTEXT")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            // An engine is there only if the test brought one.
            .env(
                "DOCKER_HOST",
                self.docker_host.clone().unwrap_or_else(|| {
                    format!("unix://{}", self.folder.path().join("no-engine.sock").display())
                }),
            )
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    fn search_path(&self) -> OsString {
        let own = self.folder.path().join("bin");
        let others = env::var_os("PATH").unwrap_or_default();
        env::join_paths(std::iter::once(own).chain(env::split_paths(&others)))
            .expect("a temporary folder's path has no colon")
    }

    /// Runs `dockline …` to its end, without a terminal.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let finished = super::shell::try_run(&mut self.command(arguments));
        Outcome {
            command: format!("dockline {}", arguments.join(" ")),
            status: finished.status.code(),
            stdout: finished.stdout,
            stderr: finished.stderr,
        }
    }

    /// Runs `dockline … --json`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Outcome {
        self.run(&[arguments, &["--json"]].concat())
    }

    /// The state of everything (`dockline status --json`).
    ///
    /// # Panics
    /// When it cannot be had.
    #[track_caller]
    pub fn snapshot(&self) -> Snapshot {
        self.json(&["status"]).expect_success().read()
    }

    /// Starts `dockline agent` and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    #[must_use]
    pub fn agent(&self) -> Agent {
        let daemon = Daemon::spawn("dockline agent", self.command(&["agent"]));
        daemon.wait_for_line("ready", Duration::from_secs(30));
        Agent { daemon }
    }

    /// The folder that holds everything of this person's.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// A running `dockline agent`; it ends when it is dropped.
#[derive(Debug)]
pub struct Agent {
    daemon: Daemon,
}

impl Agent {
    /// Its process and its log.
    #[must_use]
    pub fn daemon(&self) -> &Daemon {
        &self.daemon
    }
}

impl Outcome {
    /// Panics unless the exit status is 0.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        self.expect_status(0)
    }

    /// Panics unless the exit status is this one.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn expect_status(self, status: i32) -> Self {
        assert_eq!(
            self.status,
            Some(status),
            "`{}` ended so\n--- standard output ---\n{}\n--- standard error ---\n{}",
            self.command,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as one JSON value: its last line, since progress may come before it as lines of its own.
    ///
    /// # Panics
    /// When it is not JSON.
    #[track_caller]
    #[must_use]
    pub fn value(&self) -> Value {
        self.parse(&self.stdout)
    }

    /// Standard output as a type of the model's.
    ///
    /// # Panics
    /// When it is not one.
    #[track_caller]
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> T {
        serde_json::from_value(self.value()).unwrap_or_else(|error| {
            panic!("`{}` printed something else: {error}\n{}", self.command, self.stdout)
        })
    }

    /// The error that a failed `--json` call reports.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    #[must_use]
    pub fn error(&self) -> UiError {
        let value = self.value();
        let error = value.get("error").cloned().unwrap_or(value);
        serde_json::from_value(error).unwrap_or_else(|error| {
            panic!("`{}` reported no error: {error}\n{}{}", self.command, self.stdout, self.stderr)
        })
    }

    #[track_caller]
    fn parse(&self, text: &str) -> Value {
        let parsed = serde_json::from_str(text)
            .or_else(|_| serde_json::from_str(text.trim_end().lines().last().unwrap_or_default()));
        parsed.unwrap_or_else(|error| {
            panic!("`{}` printed no JSON: {error}\n{}{}", self.command, self.stdout, self.stderr)
        })
    }
}

/// The `dockline` program: `DOCKLINE_PROGRAM`, or the one of this workspace, built now so that no test runs an old
/// one.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn dockline_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        if let Some(path) = env::var_os("DOCKLINE_PROGRAM") {
            return path.into();
        }
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--workspace", "--bin", "dockline"])
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .expect("cargo runs");
        assert!(built.success(), "dockline does not build");
        // …/target/debug/deps/failures-0123 → …/target/debug/dockline
        let test = env::current_exe().expect("a test knows its own path");
        let profile = test.ancestors().find(|folder| folder.join("dockline").is_file());
        profile.expect("cargo puts programs beside their tests").join("dockline")
    })
}

/// The `dockline-helper` program: beside `DOCKLINE_PROGRAM`, or the one of this workspace, built now.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn helper_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let beside = dockline_program().with_file_name("dockline-helper");
        if env::var_os("DOCKLINE_PROGRAM").is_none() {
            let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let built = Command::new(cargo)
                .args(["build", "--quiet", "--package", "dockline-helper"])
                .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
                .status()
                .expect("cargo runs");
            assert!(built.success(), "dockline-helper does not build");
        }
        beside
    })
}

//! A real keyring: gnome-keyring-daemon on a session bus of its own, with nothing of the person's.

use super::{PATIENCE, screen::session_bus};
use crate::lab::Daemon;
use futures::StreamExt as _;
use std::{collections::HashMap, ffi::OsString, fs, future::Future, path::Path, process::Command};
use tempfile::TempDir;
use zbus::{
    Connection, Proxy,
    fdo::DBusProxy,
    zvariant::{OwnedObjectPath, OwnedValue, Value},
};

const NAME: &str = "org.freedesktop.secrets";
/// What unlocks it. Not a secret of Dockline's, and never in a place that Dockline sees.
const PASSWORD: &str = "opens the keyring";

/// A session bus, and the keyring on it while it runs.
#[derive(Debug)]
pub struct Keyring {
    daemon: Option<Daemon>,
    bus: Daemon,
    folder: TempDir,
}

/// An item of the keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptSecret {
    /// What the person reads.
    pub label: String,
    /// `service`, `username` and what else it is found by.
    pub attributes: HashMap<String, String>,
    /// The secret itself.
    pub secret: String,
}

impl Keyring {
    /// An unlocked one.
    #[must_use]
    pub fn start() -> Self {
        let mut keyring = Self::not_running();
        keyring.start_unlocked();
        keyring
    }

    /// The bus alone.
    ///
    /// # Panics
    /// When a folder cannot be made.
    #[must_use]
    pub fn not_running() -> Self {
        let folder =
            tempfile::Builder::new().prefix("dockline-keyring-").tempdir().expect("a folder can be made");
        for part in ["home", "runtime", "data"] {
            fs::create_dir(folder.path().join(part)).expect("the folder is ours");
        }
        fs::write(folder.path().join("password"), PASSWORD).expect("the folder is ours");
        let bus = session_bus(folder.path());
        Self { daemon: None, bus, folder }
    }

    /// Starts the keyring, unlocked.
    pub fn start_unlocked(&mut self) {
        self.start_with("--unlock");
    }

    /// Starts it as it is before the person has unlocked it, with nobody there to do so.
    pub fn start_locked(&mut self) {
        self.start_with("");
    }

    fn start_with(&mut self, option: &str) {
        let mut command = Command::new("sh");
        let line = format!(
            "exec gnome-keyring-daemon --foreground --components=secrets {option} < '{}'",
            self.folder.path().join("password").display()
        );
        command.args(["-c", &line]).envs(self.environment()).env("HOME", self.folder.path().join("home"));
        let daemon = Daemon::spawn("gnome-keyring-daemon", command);
        self.on_bus(async |bus| {
            let names = DBusProxy::new(&bus).await?;
            let mut changes = names.receive_name_owner_changed_with_args(&[(0, NAME)]).await?;
            if !names.name_has_owner(NAME.try_into()?).await? {
                changes.next().await;
            }
            Ok(())
        });
        self.daemon = Some(daemon);
    }

    /// Ends it without asking; what it holds stays on its disk.
    pub fn kill(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// The variables that lead a program to it.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let own = |part: &str| self.folder.path().join(part).into_os_string();
        let mut bus = OsString::from("unix:path=");
        bus.push(own("bus"));
        vec![
            ("DBUS_SESSION_BUS_ADDRESS".into(), bus),
            ("XDG_RUNTIME_DIR".into(), own("runtime")),
            ("XDG_DATA_HOME".into(), own("data")),
        ]
    }

    /// The folder that holds everything of its: what it keeps is encrypted there.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it holds for a service, as any other program of the person's would read it.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn secrets_of(&self, service: &str) -> Vec<KeptSecret> {
        self.on_bus(async |bus| {
            let keyring =
                Proxy::new(&bus, NAME, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service").await?;
            let query = HashMap::from([("service", service)]);
            let (unlocked, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
                keyring.call("SearchItems", &(query,)).await?;
            assert!(locked.is_empty(), "the keyring is locked");
            let (_, session): (OwnedValue, OwnedObjectPath) =
                keyring.call("OpenSession", &("plain", Value::from(""))).await?;
            let mut found = Vec::new();
            for path in unlocked {
                let item = Proxy::new(&bus, NAME, path, "org.freedesktop.Secret.Item").await?;
                let (secret,): ((OwnedObjectPath, Vec<u8>, Vec<u8>, String),) =
                    item.call("GetSecret", &(&session,)).await?;
                found.push(KeptSecret {
                    label: item.get_property("Label").await?,
                    attributes: item.get_property("Attributes").await?,
                    secret: String::from_utf8_lossy(&secret.2).into_owned(),
                });
            }
            Ok(found)
        })
    }

    fn on_bus<T, F: Future<Output = zbus::Result<T>>>(&self, call: impl FnOnce(Connection) -> F) -> T {
        let address = format!("unix:path={}", self.folder.path().join("bus").display());
        let runtime = tokio::runtime::Runtime::new().expect("threads can be started");
        let done = runtime.block_on(async {
            let bus = zbus::connection::Builder::address(address.as_str())?.build().await?;
            tokio::time::timeout(PATIENCE, call(bus)).await.unwrap_or_else(|_| {
                panic!("the keyring does not answer\n{}", self.daemon.as_ref().unwrap_or(&self.bus).log())
            })
        });
        done.unwrap_or_else(|error| panic!("the keyring failed: {error}"))
    }
}

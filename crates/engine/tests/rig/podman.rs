//! Podman's API service with a store of its own.

use super::{Registry, unmount_below, write_context};
use dockline_engine::{Engine, EngineEndpoint};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

pub struct Podman {
    service: Child,
    folder: TempDir,
}

impl Podman {
    /// Starts it, with `registry` as one that speaks HTTP, which Podman assumes of no address.
    pub async fn start(registry: &Registry) -> Self {
        Self::start_with(&[&registry.address]).await
    }

    /// The same with registries at these addresses.
    pub async fn start_with(addresses: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("dle-").tempdir_in("/tmp").unwrap();
        let settings: String = addresses
            .iter()
            .map(|address| format!("[[registry]]\nlocation = \"{address}\"\ninsecure = true\n"))
            .collect();
        fs::write(folder.path().join("registries.conf"), settings).unwrap();
        let socket = folder.path().join("podman.sock");
        let service = podman(folder.path())
            .args(["system", "service", "--time", "0"])
            .arg(format!("unix://{}", socket.display()))
            .spawn()
            .unwrap();
        let podman = Self { service, folder };
        // The service has no line that says it is ready.
        for _ in 0..100 {
            if podman.engine().describe().await.is_ok() {
                return podman;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("podman's service does not answer");
    }

    pub fn engine(&self) -> Engine {
        Engine::connect(EngineEndpoint::Unix(self.folder.path().join("podman.sock"))).unwrap()
    }

    pub fn build(&self, tag: &str, layers_kib: &[usize]) {
        let context = self.folder.path().join("context");
        write_context(&context, layers_kib);
        self.run(&["build", "--layers", "--quiet", "--tag", tag, &context.display().to_string()]);
    }

    /// Runs `podman …`, which must succeed.
    pub fn run(&self, arguments: &[&str]) {
        let output = podman(self.folder.path()).args(arguments).stderr(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "podman {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        kill(Pid::from_raw(i32::try_from(self.service.id()).unwrap()), Signal::SIGTERM).ok();
        self.service.wait().ok();
        unmount_below(self.folder.path());
    }
}

fn podman(folder: &Path) -> Command {
    let mut command = Command::new("podman");
    command
        .arg("--root")
        .arg(folder.join("root"))
        .arg("--runroot")
        .arg(folder.join("run"))
        .args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"])
        .env("CONTAINERS_REGISTRIES_CONF", folder.join("registries.conf"))
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

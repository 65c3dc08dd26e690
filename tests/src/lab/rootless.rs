//! Docker without root, as Debian packages it, and Podman.

use super::{
    daemon::Daemon,
    person::Person,
    shell::{Finished, try_run},
    workstation::Workstation,
};
use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

/// Where Debian's docker.io has it.
pub const ROOTLESS_SCRIPT: &str = "/usr/share/docker.io/contrib/dockerd-rootless.sh";

/// dockerd in namespaces of Ann's own: its network is slirp4netns', its loopback nobody else's.
#[derive(Debug)]
pub struct RootlessDockerd {
    daemon: Option<Daemon>,
    person: Person,
}

impl RootlessDockerd {
    /// Starts it.
    ///
    /// # Panics
    /// When it does not start; ask [`super::requires`] first.
    #[must_use]
    pub fn start(person: &Person) -> Self {
        let mut command = person.command(ROOTLESS_SCRIPT);
        // No firewall of its own in there, and a store that needs no overlay of the kernel's.
        command.args(["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]);
        let daemon = Daemon::spawn("dockerd-rootless", command);
        daemon.wait_for_line("API listen on", Duration::from_secs(60));
        Self { daemon: Some(daemon), person: person.clone() }
    }

    /// For `DOCKER_HOST`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.person.runtime_dir().join("docker.sock").display())
    }

    /// Runs `docker …` as Ann.
    #[track_caller]
    pub fn try_docker(&self, arguments: &[&str]) -> Finished {
        let mut command = self.person.command("docker");
        try_run(command.args(arguments).env("DOCKER_HOST", self.endpoint()).env("DOCKER_BUILDKIT", "0"))
    }
}

impl Drop for RootlessDockerd {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop(Duration::from_secs(30));
        }
    }
}

/// Podman's API as root, with a store of its own and the workstation's `/etc/containers`.
#[derive(Debug)]
pub struct Podman {
    daemon: Option<Daemon>,
    workstation: Arc<Workstation>,
}

impl Podman {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start(workstation: &Arc<Workstation>) -> Self {
        let folder = workstation.folder().join("podman");
        fs::create_dir_all(&folder).expect("the workstation's folder is ours");
        let mut command = podman(workstation, &folder);
        // It says when it is ready only at this level.
        command.args(["--log-level=info", "system", "service", "--time=0"]);
        command.arg(format!("unix://{}", folder.join("podman.sock").display()));
        let daemon = Daemon::spawn("podman", command);
        daemon.wait_for_line("API service listening on", Duration::from_secs(30));
        Self { daemon: Some(daemon), workstation: Arc::clone(workstation) }
    }

    /// For `DOCKER_HOST`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.workstation.folder().join("podman").join("podman.sock").display())
    }

    /// Runs `podman …`.
    #[track_caller]
    pub fn try_podman(&self, arguments: &[&str]) -> Finished {
        try_run(podman(&self.workstation, &self.workstation.folder().join("podman")).args(arguments))
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop(Duration::from_secs(30));
        }
    }
}

fn podman(workstation: &Arc<Workstation>, folder: &Path) -> Command {
    let mut command = workstation.command("podman");
    command
        .arg("--root")
        .arg(folder.join("root"))
        .arg("--runroot")
        .arg(folder.join("run"))
        .args(["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"])
        .env("HOME", folder);
    command
}

//! Docker without root, as Debian packages it, and Podman.

use super::{
    daemon::Daemon,
    person::Person,
    shell::{Finished, run, try_run},
    workstation::Workstation,
};
use std::{fs, path::PathBuf, process::Command, sync::Arc, time::Duration};

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
        // Where no udev has run, only root may open it.
        let tun = person.workstation().folder().join("tun");
        let shown = tun.display().to_string();
        run("mknod", &["--mode=666", &shown, "c", "10", "200"]);
        let mounted = person.workstation().command("mount").args(["--bind", &shown, "/dev/net/tun"]).status();
        assert!(mounted.is_ok_and(|status| status.success()), "{shown} cannot be put at /dev/net/tun");
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

/// Podman's API, root's or a person's, with a store of its own and the workstation's `/etc/containers`.
#[derive(Debug)]
pub struct Podman {
    daemon: Option<Daemon>,
    workstation: Arc<Workstation>,
    person: Option<Person>,
}

impl Podman {
    /// Starts it and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    #[must_use]
    pub fn start(workstation: &Arc<Workstation>) -> Self {
        Self::launch(workstation, None)
    }

    /// Starts Ann's own, without root.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn of(person: &Person) -> Self {
        Self::launch(person.workstation(), Some(person.clone()))
    }

    fn launch(workstation: &Arc<Workstation>, person: Option<Person>) -> Self {
        let mut podman = Self { daemon: None, workstation: Arc::clone(workstation), person };
        let folder = podman.folder();
        fs::create_dir_all(&folder).expect("the workstation's folder is ours");
        if let Some(person) = &podman.person {
            person.owns(&folder);
        }
        let mut command = podman.command();
        // It says when it is ready only at this level.
        command.args(["--log-level=info", "system", "service", "--time=0"]);
        command.arg(format!("unix://{}", folder.join("podman.sock").display()));
        let daemon = Daemon::spawn("podman", command);
        daemon.wait_for_line("API service listening on", Duration::from_secs(30));
        podman.daemon = Some(daemon);
        podman
    }

    fn folder(&self) -> PathBuf {
        match &self.person {
            Some(person) => person.home().join("podman"),
            None => self.workstation.folder().join("podman"),
        }
    }

    fn command(&self) -> Command {
        let folder = self.folder();
        let mut command = match &self.person {
            Some(person) => person.command("podman"),
            None => {
                let mut command = self.workstation.command("podman");
                command.env("HOME", &folder);
                command
            }
        };
        command.arg("--root").arg(folder.join("root")).arg("--runroot").arg(folder.join("run")).args([
            "--storage-driver",
            "vfs",
            "--cgroup-manager",
            "cgroupfs",
        ]);
        command
    }

    /// For `DOCKER_HOST`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.folder().join("podman.sock").display())
    }

    /// Runs `podman …`.
    #[track_caller]
    pub fn try_podman(&self, arguments: &[&str]) -> Finished {
        try_run(self.command().args(arguments))
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop(Duration::from_secs(30));
        }
    }
}

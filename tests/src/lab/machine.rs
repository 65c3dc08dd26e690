//! An engine in a virtual machine, as Docker Desktop is one, as far as that can be had without one: a dockerd with a
//! host name, a network and an `/etc` of its own, that gets out through a user-mode network only. Its connections to
//! this machine's 127.0.0.1 are made by a program on this machine, as Docker Desktop's backend makes them.
//!
//! slirp4netns is that program here. What it does is QEMU's user network (libslirp), as in Lima's and older Podman's
//! machines: 10.0.2.2 in there is 127.0.0.1 out here (slirp4netns(1)), and no other address of ours can be reached.

use super::{daemon::Daemon, dockerd::Dockerd, workstation::Workstation};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    time::Duration,
};

/// This machine, seen from within.
const HOST: &str = "10.0.2.2";

/// See the module. `docker desktop restart` is a script that does what is left of it here: the machine's dockerd gets
/// the person's daemon.json and certificates, and reads them.
#[derive(Debug)]
pub struct DesktopMachine {
    dockerd: Dockerd,
    _network: Daemon,
    machine: Arc<Workstation>,
}

impl DesktopMachine {
    /// Starts it for the person whose home folder is `home`.
    ///
    /// # Panics
    /// When it does not start; ask [`super::requires`] for root, dockerd and slirp4netns first.
    #[must_use]
    pub fn start(home: &Path) -> Self {
        let machine = Workstation::virtual_machine("docker-desktop");
        let mut network = std::process::Command::new("slirp4netns");
        network.args(["--configure", "--mtu=65520", "--disable-dns", &machine.pid().to_string(), "tap0"]);
        let network = Daemon::spawn("slirp4netns", network);
        network.wait_for_line("received tapfd", Duration::from_secs(10));
        let etc = "the machine's /etc is ours";
        let hosts = format!("127.0.0.1 localhost\n{HOST} host.docker.internal\n");
        fs::write(machine.path("/etc/hosts"), hosts).expect(etc);
        // moby reads the system's name there (`pkg/parsers/operatingsystem`), and Docker Desktop's machine says this.
        fs::remove_file(machine.path("/etc/os-release")).expect(etc);
        fs::write(machine.path("/etc/os-release"), "NAME=x\nPRETTY_NAME=\"Docker Desktop\"\n").expect(etc);
        fs::create_dir_all(machine.path("/etc/docker/certs.d")).expect(etc);
        fs::write(machine.path("/etc/docker/daemon.json"), "{}\n").expect(etc);
        let dockerd = Dockerd::of_system(&machine, "none", &[]);
        let plugins = home.join(".docker").join("cli-plugins");
        fs::create_dir_all(&plugins).expect("the home folder is ours");
        let script = format!(
            "#!/bin/sh\n\
             if [ \"$1\" = docker-cli-plugin-metadata ]; then\n\
             \techo '{{\"SchemaVersion\": \"0.1.0\", \"Vendor\": \"a test\", \"Version\": \"1\"}}'; exit\n\
             fi\n\
             [ \"$*\" = 'desktop restart' ] || exit 64\n\
             set -e\n\
             cp '{home}/.docker/daemon.json' '{etc}/docker/daemon.json'\n\
             [ ! -d '{home}/.docker/certs.d' ] || cp -r '{home}/.docker/certs.d' '{etc}/docker/'\n\
             kill -HUP {dockerd}\n",
            home = home.display(),
            etc = machine.path("/etc").display(),
            dockerd = dockerd.daemon().pid(),
        );
        let plugin = plugins.join("docker-desktop");
        fs::write(&plugin, script).expect("the home folder is ours");
        fs::set_permissions(&plugin, Permissions::from_mode(0o755)).expect("the home folder is ours");
        Self { dockerd, _network: network, machine }
    }

    /// The engine. Its socket is on this machine, as Docker Desktop's is.
    #[must_use]
    pub fn dockerd(&self) -> &Dockerd {
        &self.dockerd
    }

    /// What the machine reaches at `url`: an HTTP status, `000` for nothing.
    #[must_use]
    pub fn asks(&self, url: &str) -> String {
        let mut curl = self.machine.command("curl");
        curl.args([
            "--silent",
            "--output",
            "/dev/null",
            "--max-time",
            "5",
            "--write-out",
            "%{http_code}",
            url,
        ]);
        super::shell::try_run(&mut curl).stdout
    }
}

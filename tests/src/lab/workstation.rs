//! A person's machine: a mount namespace whose `/etc` is this machine's with private changes on top, so that
//! `/etc/hosts` and the engines' settings can be edited, renamed over and looked at, and the real ones never change. What
//! the helper keeps in `/var/lib/dockline` is its own, too.

use super::{daemon::Daemon, shell::run, slot::Slot};
use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

/// See the module. What runs on it shares it; it ends with the last of them.
#[derive(Debug)]
pub struct Workstation {
    // Holds the namespaces open.
    holder: Daemon,
    /// Those of its namespaces that a program has to enter.
    namespaces: &'static [&'static str],
    slot: Slot,
}

impl Workstation {
    /// Makes one.
    ///
    /// # Panics
    /// When the namespace cannot be made; ask [`super::requires`] for root first.
    #[must_use]
    pub fn start() -> Arc<Self> {
        Self::with(&["mnt"], "")
    }

    /// A machine within this one: with a host name and a network of its own, where nothing is but its loopback.
    ///
    /// # Panics
    /// When the namespaces cannot be made; ask [`super::requires`] for root first.
    #[must_use]
    pub fn virtual_machine(host_name: &str) -> Arc<Self> {
        Self::with(&["mnt", "net", "uts"], &format!("hostname {host_name} && ip link set lo up && "))
    }

    fn with(namespaces: &'static [&'static str], preparation: &str) -> Arc<Self> {
        let slot = Slot::claim();
        let folder = slot.folder().display().to_string();
        for layer in ["etc", "work", "state"] {
            fs::create_dir_all(slot.folder().join(layer)).expect("the slot's folder is ours");
        }
        let mut command = Command::new("unshare");
        let long = |short: &&str| if *short == "mnt" { "--mount".to_owned() } else { format!("--{short}") };
        command.args(namespaces.iter().map(long)).args(["--propagation", "private", "sh", "-c"]).arg(format!(
            "{preparation}mount -t overlay overlay -o lowerdir=/etc,upperdir='{folder}/etc',workdir='{folder}/work' /etc \
             && mkdir -p /var/lib/dockline && mount --bind '{folder}/state' /var/lib/dockline \
             && echo workstation is ready && exec sleep infinity"
        ));
        let holder = Daemon::spawn("workstation", command);
        holder.wait_for_line("workstation is ready", Duration::from_secs(10));
        Arc::new(Self { holder, namespaces, slot })
    }

    /// A program on this machine, with its `/etc`.
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        // nsenter(1) goes to the namespace's root folder; the program should start where the caller is.
        let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        for namespace in self.namespaces {
            let long = if *namespace == "mnt" { "mount" } else { namespace };
            command.arg(format!("--{long}=/proc/{}/ns/{namespace}", self.holder.pid()));
        }
        command.arg(format!("--wd={}", here.display())).arg("--").arg(program);
        command
    }

    /// Gives it private changes on top of one more folder, which has to be there: `/usr`.
    ///
    /// # Panics
    /// When it cannot be mounted.
    pub fn has_own(&self, folder: &str) {
        let layers = self.folder().join("layers").join(folder.replace('/', "-"));
        let (upper, work) = (layers.join("upper"), layers.join("work"));
        for layer in [&upper, &work] {
            fs::create_dir_all(layer).expect("the slot's folder is ours");
        }
        let options = format!("lowerdir={folder},upperdir={},workdir={}", upper.display(), work.display());
        let mut mount = self.command("mount");
        mount.args(["-t", "overlay", "overlay", "-o", &options, folder]);
        super::shell::try_run(&mut mount).expect_success();
    }

    /// The text of its `/etc/hosts`.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn hosts(&self) -> String {
        fs::read_to_string(self.hosts_path()).expect("the workstation has a hosts file")
    }

    /// Its `/etc/hosts`, as a path that works outside it too.
    #[must_use]
    pub fn hosts_path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root/etc/hosts", self.holder.pid()))
    }

    /// A path of this machine's as one that works outside it too: `/etc/docker/daemon.json`.
    #[must_use]
    pub fn path(&self, absolute: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root{absolute}", self.holder.pid()))
    }

    /// Makes it a bridge for containers and returns the bridge's name and this machine's address on it. It goes with
    /// the workstation.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn bridge(&self) -> (String, Ipv4Addr) {
        let (name, address) = (self.slot.bridge(), self.slot.near_address());
        run("ip", &["link", "add", &name, "type", "bridge"]);
        run("ip", &["address", "add", &format!("{address}/30"), "dev", &name]);
        run("ip", &["link", "set", &name, "up"]);
        (name, address)
    }

    /// The process that has its namespaces.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.holder.pid().as_raw()
    }

    /// A folder of its own, for programs' data.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.slot.folder()
    }
}

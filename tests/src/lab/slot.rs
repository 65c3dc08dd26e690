//! Slots: numbers that only one living process holds, and everything that is named after them.

use super::shell::try_run;
use dockline_model::RegistryName;
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Once,
        atomic::{AtomicU32, Ordering},
    },
};

const LOCKS: &str = "/run/lock/dockline-lab";
/// 10.213.0.0/16 in pieces of four addresses; fewer are used than fit.
const SLOTS: u16 = 4096;
/// A metric that everything else goes before.
const UNREACHABLE: &str = "4000";

/// A number of this process's own, with a temporary folder. The kernel drops the lock with the process, so a slot
/// whose lock is free but whose things exist was left behind by a crash.
#[derive(Debug)]
pub struct Slot {
    number: u16,
    folder: PathBuf,
    _lock: File,
}

impl Slot {
    /// Takes a free slot, after removing what earlier holders left in it.
    ///
    /// # Panics
    /// When none is free, or `/run/lock` cannot be written.
    #[must_use]
    pub fn claim() -> Self {
        static SWEPT: Once = Once::new();
        fs::create_dir_all(LOCKS).unwrap_or_else(|error| panic!("{LOCKS} cannot be made: {error}"));
        SWEPT.call_once(sweep);
        for number in 0..SLOTS {
            if let Some(lock) = try_lock(number) {
                remove_leftovers(number);
                let folder = folder(number);
                fs::create_dir_all(&folder)
                    .unwrap_or_else(|error| panic!("{} cannot be made: {error}", folder.display()));
                return Self { number, folder, _lock: lock };
            }
        }
        panic!("all {SLOTS} slots of the lab are taken");
    }

    /// Its folder, removed with it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The name of its network namespace.
    #[must_use]
    pub fn namespace(&self) -> String {
        namespace(self.number)
    }

    /// This machine's end of the veth pair.
    #[must_use]
    pub fn near_interface(&self) -> String {
        near_interface(self.number)
    }

    /// The namespace's end of the veth pair.
    #[must_use]
    pub fn far_interface(&self) -> String {
        format!("dll{}f", self.number)
    }

    /// The name of its bridge, for a slot that is a machine with containers.
    #[must_use]
    pub fn bridge(&self) -> String {
        bridge(self.number)
    }

    /// This machine's address in the slot's /30.
    #[must_use]
    pub fn near_address(&self) -> Ipv4Addr {
        self.address(1)
    }

    /// The namespace's address in the slot's /30.
    #[must_use]
    pub fn far_address(&self) -> Ipv4Addr {
        self.address(2)
    }

    /// The slot's addresses and a metric, for a route that says that they cannot be reached: it counts while this
    /// machine's end of the veth pair is down.
    #[must_use]
    pub fn unreachable(&self) -> (String, &'static str) {
        (block(self.number), UNREACHABLE)
    }

    fn address(&self, host: u16) -> Ipv4Addr {
        address(self.number, host)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        remove_leftovers(self.number);
    }
}

fn address(number: u16, host: u16) -> Ipv4Addr {
    let [high, low] = (number * 4 + host).to_be_bytes();
    Ipv4Addr::new(10, 213, high, low)
}

fn block(number: u16) -> String {
    format!("{}/30", address(number, 0))
}

fn folder(number: u16) -> PathBuf {
    // Not TMPDIR: containerd's socket lies in here, and a socket's path has 107 bytes at most (unix(7)).
    PathBuf::from(format!("/tmp/dockline-lab-{number}"))
}

fn near_interface(number: u16) -> String {
    format!("dll{number}n")
}

fn bridge(number: u16) -> String {
    format!("dll{number}b")
}

fn namespace(number: u16) -> String {
    format!("dockline-lab-{number}")
}

fn try_lock(number: u16) -> Option<File> {
    let path = Path::new(LOCKS).join(number.to_string());
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .unwrap_or_else(|error| panic!("{} cannot be opened: {error}", path.display()));
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock) => None,
        Err(TryLockError::Error(error)) => panic!("{} cannot be locked: {error}", path.display()),
    }
}

/// Cleans every slot that nobody holds.
fn sweep() {
    let Ok(entries) = fs::read_dir(LOCKS) else { return };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u16>().ok());
    for number in numbers {
        if let Some(_lock) = try_lock(number) {
            remove_leftovers(number);
        }
    }
}

/// Must be called with the slot's lock held.
fn remove_leftovers(number: u16) {
    let name = namespace(number);
    if Path::new("/run/netns").join(&name).exists() {
        // Only processes in a namespace that this slot made: nobody else's can be there.
        let pids = try_run(Command::new("ip").args(["netns", "pids", &name])).stdout;
        for pid in pids.split_whitespace().filter_map(|pid| pid.parse().ok()) {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).ok();
        }
        // The veth pair would go with the namespace, but some time later: the kernel takes namespaces apart in the
        // background, and meanwhile the name is taken.
        try_run(Command::new("ip").args(["link", "delete", &near_interface(number)]));
        try_run(Command::new("ip").args(["netns", "delete", &name]));
        // Rarely there, and then it is an error of no interest.
        try_run(Command::new("ip").args([
            "route",
            "delete",
            "unreachable",
            &block(number),
            "metric",
            UNREACHABLE,
        ]));
    }
    let bridge = bridge(number);
    if Path::new("/sys/class/net").join(&bridge).exists() {
        try_run(Command::new("ip").args(["link", "delete", &bridge]));
    }
    let folder = folder(number);
    if folder.exists()
        && let Err(error) = fs::remove_dir_all(&folder)
    {
        eprintln!("{} could not be removed: {error}", folder.display());
    }
}

/// A registry's name that no other test of this machine uses at the moment, and so neither its loopback address
/// (which is picked from the name).
///
/// # Panics
/// Never in practice: the name is a valid one.
#[must_use]
pub fn unique_registry_name(label: &str) -> RegistryName {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{label}-{}-{number}.dockline.test", std::process::id())
        .parse()
        .expect("letters, digits, hyphens and dots make a registry's name")
}

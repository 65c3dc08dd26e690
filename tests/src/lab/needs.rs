//! What a test needs of the machine, and what happens when it is not there.

use socket2::{Domain, Socket, Type};
use std::{
    env,
    fs::OpenOptions,
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    ops::Range,
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

/// Those that [`free_port`] chooses from.
const PORTS: Range<u16> = 10_000..32_000;

/// Something a machine may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Network and mount namespaces need root.
    Root,
    /// OpenSSH's server and `ssh-keygen` (Debian: `openssh-server`).
    Sshd,
    /// Distribution's registry (Debian: `docker-registry`).
    Registry,
    /// Docker's daemon and client (Debian: `docker.io`).
    Dockerd,
    /// The desktop app's test surroundings (Debian: `xvfb`, `dbus`, `webkit2gtk-driver`, `openbox`).
    Desktop,
    /// The bus that screen readers learn of a window on (Debian: `at-spi2-core`).
    ScreenReader,
    /// A keyring and a bus for it (Debian: `gnome-keyring`, `dbus-daemon`).
    Keyring,
    /// Any other program, by name.
    Program(&'static str),
    /// A file of a package's, by its path.
    File(&'static str),
    /// A Docker with containerd's image store and buildx, which Debian 12 has not: `cargo xtask newer-docker` fetches
    /// it, and so does `cargo xtask test`. [`super::Dockerd::newer`] starts it.
    NewerDocker,
    /// An OpenSSH server with post-quantum keys and penalties (9.9 or later), which Debian 12 has not: `cargo xtask
    /// newer-openssh` fetches it, and so does `cargo xtask test`. [`super::NewerSshd`] starts it.
    NewerOpenssh,
    /// A .deb of this build: `cargo xtask package --debug` makes it, and so does `cargo xtask test`.
    Package,
}

impl Need {
    /// The sentence about what is missing, or `None` if nothing is.
    fn missing(self) -> Option<String> {
        let programs: &[&str] = match self {
            Self::File(path) => {
                return (!Path::new(path).is_file()).then(|| format!("{path} is not there"));
            }
            Self::NewerDocker => {
                let root = newer_docker();
                let missing =
                    || format!("no Docker is unpacked in {} (cargo xtask newer-docker)", root.display());
                return (!root.join("usr/sbin/dockerd").is_file()).then(missing);
            }
            Self::NewerOpenssh => {
                let root = newer_openssh();
                let missing =
                    || format!("no OpenSSH is unpacked in {} (cargo xtask newer-openssh)", root.display());
                return (!root.join("usr/sbin/sshd").is_file()).then(missing);
            }
            Self::Package => {
                let package = package_file();
                let missing = || format!("there is no {} (cargo xtask package --debug)", package.display());
                return (!package.is_file()).then(missing);
            }
            Self::ScreenReader => return Self::File(crate::desktop::LAUNCHER).missing(),
            Self::Root => {
                return (!nix::unistd::geteuid().is_root())
                    .then(|| "it is not run as root (namespaces need that)".to_owned());
            }
            Self::Sshd => &["sshd", "ssh-keygen", "ip", "setpriv", "curl"],
            Self::Registry => &["docker-registry"],
            Self::Dockerd => &["dockerd", "docker", "unshare", "nsenter"],
            Self::Desktop => &["Xvfb", "dbus-run-session", "WebKitWebDriver", "openbox"],
            Self::Keyring => &["gnome-keyring-daemon", "dbus-daemon"],
            Self::Program(name) => &[name],
        };
        let missing: Vec<&str> =
            programs.iter().copied().filter(|program| find_program(program).is_none()).collect();
        (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(", ")))
    }
}

/// Whether this machine has all of `needs`. If not, says so loudly and notes the skip, so that the closing line of
/// `cargo xtask test` counts it; the test then returns.
///
/// # Panics
/// If something is missing and `CI=true`: there, a skipped test is a failed one.
#[must_use = "a test without what it needs must return"]
pub fn requires(needs: &[Need]) -> bool {
    let missing: Vec<String> = needs.iter().filter_map(|need| need.missing()).collect();
    if missing.is_empty() {
        return true;
    }
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let why = missing.join("; ");
    assert!(env::var("CI").as_deref() != Ok("true"), "{test} must not be skipped under CI=true, but {why}");
    eprintln!("SKIPPED {test}: {why}");
    if let Some(path) = env::var_os("DOCKLINE_SKIPPED_TESTS") {
        // One short append is atomic, so tests that skip at once do not mix their lines.
        let mut file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .unwrap_or_else(|error| panic!("{} cannot be opened: {error}", Path::new(&path).display()));
        file.write_all(format!("{test}: {why}\n").as_bytes())
            .unwrap_or_else(|error| panic!("{} cannot be written: {error}", Path::new(&path).display()));
    }
    false
}

/// Where the newer Docker is unpacked: `DOCKLINE_TEST_CONTAINERD_STORE`, or where xtask puts it.
///
/// # Panics
/// When the test does not know its own path.
#[must_use]
pub fn newer_docker() -> std::path::PathBuf {
    if let Some(folder) = env::var_os("DOCKLINE_TEST_CONTAINERD_STORE").filter(|folder| !folder.is_empty()) {
        return folder.into();
    }
    target().join("newer-docker").join("root")
}

/// Where the newer OpenSSH is unpacked: `DOCKLINE_TEST_NEWER_OPENSSH`, or where xtask puts it.
///
/// # Panics
/// When the test does not know its own path.
#[must_use]
pub fn newer_openssh() -> std::path::PathBuf {
    if let Some(folder) = env::var_os("DOCKLINE_TEST_NEWER_OPENSSH").filter(|folder| !folder.is_empty()) {
        return folder.into();
    }
    target().join("newer-openssh").join("root")
}

/// Where the package is: `DOCKLINE_TEST_PACKAGE`, or where xtask puts it.
///
/// # Panics
/// When the test does not know its own path.
#[must_use]
pub fn package_file() -> std::path::PathBuf {
    if let Some(file) = env::var_os("DOCKLINE_TEST_PACKAGE").filter(|file| !file.is_empty()) {
        return file.into();
    }
    target().join("package").join("debug").join("dockline.deb")
}

/// …/target/debug/deps/setup-0123 → …/target
fn target() -> std::path::PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    test.ancestors().nth(3).unwrap_or(Path::new("target")).to_owned()
}

/// Where a program is, on `PATH` or among the system programs that an ordinary `PATH` leaves out.
pub(super) fn find_program(name: &str) -> Option<std::path::PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin", "/usr/lib/openssh"].map(Into::into))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// A TCP port of 127.0.0.1 that nothing uses at the moment, below those that are given to whoever asks for any (Linux,
/// `ip_local_port_range`: from 32768).
///
/// It is tried without listening: a program that another test starts at this moment has a copy of the socket until it
/// begins, and a copy that listens would keep the port for as long.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: u16| {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket can be made");
        socket.set_reuse_address(true).expect("a socket that is new can be told so");
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)).into()).is_ok()
    };
    let start = std::process::id().wrapping_mul(101).wrapping_add(ASKED.fetch_add(1, Ordering::Relaxed));
    (0..PORTS.len() as u32)
        .filter_map(|step| u16::try_from(start.wrapping_add(step) % PORTS.len() as u32).ok())
        .map(|offset| PORTS.start + offset)
        .find(|port| is_free(*port))
        .expect("127.0.0.1 has a free port")
}

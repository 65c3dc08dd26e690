//! What the operating system must bring, how to find out whether it does, and how to get it on Debian.

use crate::workspace::find_program;
use anyhow::{Context, Result, bail};
use std::path::Path;

/// How to tell that something is there, on any distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// A program of that name.
    Program(&'static str),
    /// A file that only that package has.
    File(&'static str),
    /// A library with headers, by its pkg-config name.
    Library(&'static str),
    /// A module of PAM's.
    PamModule(&'static str),
}

/// One thing that is needed.
#[derive(Debug, Clone, Copy)]
pub struct Need {
    probe: Probe,
    /// Debian's package.
    package: &'static str,
    why: &'static str,
}

const fn program(name: &'static str, package: &'static str, why: &'static str) -> Need {
    Need { probe: Probe::Program(name), package, why }
}

const fn file(path: &'static str, package: &'static str, why: &'static str) -> Need {
    Need { probe: Probe::File(path), package, why }
}

const fn library(name: &'static str, package: &'static str, why: &'static str) -> Need {
    Need { probe: Probe::Library(name), package, why }
}

const fn pam_module(name: &'static str, package: &'static str, why: &'static str) -> Need {
    Need { probe: Probe::PamModule(name), package, why }
}

/// For compiling anything at all.
pub const BUILD: &[Need] = &[program("cc", "build-essential", "compiles the parts that are written in C")];

/// For compiling and running the desktop app.
pub const DESKTOP: &[Need] = &[
    program("pkg-config", "pkg-config", "finds the libraries below"),
    library("webkit2gtk-4.1", "libwebkit2gtk-4.1-dev", "shows the window"),
    library("librsvg-2.0", "librsvg2-dev", "draws icons"),
];

/// For making a package of Dockline.
pub const PACKAGE: &[Need] = &[
    program("dpkg-deb", "dpkg", "makes the package"),
    program("dpkg-shlibdeps", "dpkg-dev", "names the packages of the libraries that programs need"),
    program("strip", "binutils", "takes from programs what only debuggers read"),
];

/// For the tests that run against real parts.
pub const TESTS: &[Need] = &[
    program(
        "ssh",
        "openssh-client",
        "is asked for host options, as Dockline does, and is the bench's other side",
    ),
    program("sshd", "openssh-server", "is the registry host's SSH server (the package also starts one here)"),
    pam_module("pam_oath.so", "libpam-oath", "has that server ask for one-time codes"),
    program("docker-registry", "docker-registry", "is the registry (the package may also start one here)"),
    program("dockerd", "docker.io", "pushes and pulls (the package also starts one here)"),
    program("podman", "podman", "is the other engine"),
    program("rootlesskit", "rootlesskit", "runs dockerd without root"),
    program("slirp4netns", "slirp4netns", "is the network of a dockerd without root"),
    program("newuidmap", "uidmap", "gives a dockerd without root users of its own"),
    program("skopeo", "skopeo", "reads what Dockline pushed and pushes what it pulls, as a stranger"),
    program("ip", "iproute2", "gives each registry host a network namespace"),
    program("setpriv", "util-linux", "ties what a test starts to the test's life"),
    program(
        "nginx",
        "nginx-light",
        "stands before a registry and fails now and then (the package may start one here)",
    ),
    program("htpasswd", "apache2-utils", "writes down the logins of a registry that asks for one"),
    program("curl", "curl", "asks the registry what it holds, as a second opinion"),
    program("openssl", "openssl", "hashes the password of the registry host's only account"),
    program("gnome-keyring-daemon", "gnome-keyring", "is the keyring that passphrases are kept in"),
    program("dbus-daemon", "dbus-daemon", "is the message bus that programs find the keyring on"),
    program("busybox", "busybox-static", "is all that is in the image of a container that uses a tunnel"),
    program("chromium", "chromium", "is the browser whose pages must not get through"),
    program("strace", "strace", "kills the helper at each of its system calls, and makes them fail"),
    program("pkexec", "pkexec", "gives the helper root's rights, by leave of polkit"),
    program("pkttyagent", "polkitd", "is polkit itself, and asks a person at a terminal for a password"),
    program("sudo", "sudo", "gives it to a person at a terminal"),
    program("git", "git", "fetches the list of known vulnerabilities"),
];

/// For the tests of the desktop app.
pub const DESKTOP_TESTS: &[Need] = &[
    program("Xvfb", "xvfb", "is the screen that the desktop app is tested on"),
    program("dbus-run-session", "dbus-daemon", "gives each test a message bus for tray and notifications"),
    program("WebKitWebDriver", "webkit2gtk-driver", "clicks in the window"),
    program("openbox", "openbox", "is the window manager on that screen"),
    file(
        "/usr/libexec/at-spi-bus-launcher",
        "at-spi2-core",
        "tells what a screen reader is told of the window",
    ),
];

/// For compiling for systems that this machine is not.
pub const PLATFORMS: &[Need] = &[
    file(
        "/usr/bin/rustc",
        "rustc-web",
        "compiles for systems whose standard library rustup does not have here",
    ),
    file("/usr/bin/cargo", "cargo-web", "builds that standard library"),
    file("/usr/lib/rustlib/src/rust/library/std", "rust-web-src", "is its source"),
    program("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64", "compiles and links for Windows"),
    program("clang", "clang", "stands in for the other systems' C compilers"),
    file("/usr/lib/wine/wine64", "wine64", "runs Windows programs"),
];

/// PAM's modules lie in a folder of each architecture's.
fn has_pam_module(name: &str) -> bool {
    let folders =
        |root: &str| std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    ["/usr/lib", "/lib", "/usr"]
        .into_iter()
        .flat_map(folders)
        .any(|folder| folder.join("security").join(name).exists())
}

impl Need {
    fn is_there(&self) -> bool {
        match self.probe {
            Probe::Program(name) => find_program(name).is_some(),
            Probe::File(path) => Path::new(path).exists(),
            Probe::PamModule(name) => has_pam_module(name),
            Probe::Library(name) => duct::cmd("pkg-config", ["--exists", name]).stderr_null().run().is_ok(),
        }
    }
}

/// Those of `needs` that this machine lacks. Elsewhere than on Linux the platform brings its own.
pub fn missing(needs: &[Need]) -> Vec<Need> {
    if cfg!(target_os = "linux") {
        needs.iter().copied().filter(|need| !need.is_there()).collect()
    } else {
        Vec::new()
    }
}

/// Installs what is missing of `needs`, after saying what and why.
///
/// # Errors
/// When it cannot be installed from here; the message says what to install by hand.
pub fn install(needs: &[Need]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    println!("This machine lacks:");
    for need in &missing {
        println!("  {:<30} {}", need.package, need.why);
    }
    let mut packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    packages.dedup();
    if find_program("apt-get").is_none() {
        bail!(
            "The names above are Debian's, and there is no apt-get here. Install the same with your package \
             manager, and run this again."
        );
    }
    let as_root = elevation(&packages)?;
    println!("They are installed with apt-get{}.", if as_root.is_empty() { "" } else { " through sudo" });
    let apt = |arguments: &[&str]| {
        let line: Vec<&str> = as_root.iter().copied().chain(arguments.iter().copied()).collect();
        duct::cmd(line[0], &line[1..]).run().with_context(|| format!("`{}` failed", line.join(" ")))
    };
    apt(&["apt-get", "update", "-q"])?;
    // `env` because sudo drops the environment.
    let mut install = vec!["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-q", "-y"];
    install.push("--no-install-recommends");
    install.extend(&packages);
    apt(&install)?;

    let still: Vec<&str> = self::missing(needs).iter().map(|need| need.package).collect();
    if !still.is_empty() {
        bail!("apt-get installed everything, and yet {} does not work.", still.join(", "));
    }
    Ok(())
}

/// What to put before a command so that it runs as root.
fn elevation(packages: &[&str]) -> Result<&'static [&'static str]> {
    if is_root() {
        Ok(&[])
    } else if find_program("sudo").is_some() {
        Ok(&["sudo"])
    } else {
        bail!(
            "They can be installed only as root, and there is no sudo here. As root: apt-get install {}",
            packages.join(" ")
        );
    }
}

/// Whether this process is root's.
pub fn is_root() -> bool {
    duct::cmd!("id", "-u").read().is_ok_and(|id| id.trim() == "0")
}

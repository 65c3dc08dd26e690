//! Newer programs than Debian 12's, for the tests of what only newer ones do: Docker with containerd's image store and
//! buildx, and an OpenSSH server with post-quantum keys and penalties. Debian's own packages of a later release, unpacked
//! into the target folder and installed nowhere.
//!
//! They come from where this machine's apt gets Debian's packages, through an apt with lists of its own, which checks the
//! archive's signatures as always. Fetched once for a target folder; a variable names another folder to use instead.
//! Tests find them through `lab::Need::NewerDocker` and `lab::Need::NewerOpenssh`.

use crate::{packages::is_root, workspace};
use anyhow::{Context, Result, bail, ensure};
use duct::cmd;
use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// With that the signatures of Debian's archive are checked (package `debian-archive-keyring`).
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// What can be had.
#[derive(Debug)]
pub struct Newer {
    /// For people.
    name: &'static str,
    /// Below the target folder.
    folder: &'static str,
    /// Names another folder.
    pub variable: &'static str,
    /// Releases to take it from, the preferred one first.
    releases: &'static [&'static str],
    packages: &'static [&'static str],
    /// A program that is there when it is.
    program: &'static str,
    /// Whether what was unpacked runs here; may make it so.
    check: fn(&Path) -> Result<()>,
}

/// sid has the newest, whose programs may one day want a newer libc than this machine has.
pub const DOCKER: Newer = Newer {
    name: "Docker",
    folder: "newer-docker",
    variable: "DOCKLINE_TEST_CONTAINERD_STORE",
    releases: &["sid", "trixie"],
    packages: &["docker.io", "docker-cli", "docker-buildx", "containerd", "runc"],
    program: "usr/sbin/dockerd",
    check: docker_runs,
};

/// A root folder of its own, libc and all: it wants a newer one than this machine has.
pub const OPENSSH: Newer = Newer {
    name: "OpenSSH server",
    folder: "newer-openssh",
    variable: "DOCKLINE_TEST_NEWER_OPENSSH",
    releases: &["trixie"],
    packages: &[
        "openssh-server",
        "openssh-client",
        "libaudit1",
        "libbsd0",
        "libc6",
        "libcap-ng0",
        "libcap2",
        "libcom-err2",
        "libcrypt1",
        "libedit2",
        "libgcc-s1",
        "libgssapi-krb5-2",
        "libk5crypto3",
        "libkeyutils1",
        "libkrb5-3",
        "libkrb5support0",
        "libmd0",
        "libpam0g",
        "libpcre2-8-0",
        "libselinux1",
        "libsqlite3-0",
        "libssl3t64",
        "libsystemd0",
        "libtinfo6",
        "libwrap0",
        "libwtmpdb0",
        "libzstd1",
        "zlib1g",
    ],
    program: "usr/sbin/sshd",
    check: openssh_runs,
};

fn docker_runs(root: &Path) -> Result<()> {
    for program in ["usr/sbin/dockerd", "usr/bin/docker", "usr/bin/containerd"] {
        let version = cmd!(root.join(program), "--version").stderr_to_stdout().unchecked().run();
        let version = version.with_context(|| format!("{program} does not start"))?;
        ensure!(version.status.success(), "{program} does not run on this machine");
    }
    Ok(())
}

/// What packages take for granted is made: the links of a merged `/usr` (base-files), and sshd's account (its postinst).
fn openssh_runs(root: &Path) -> Result<()> {
    for folder in ["lib", "lib64", "bin", "sbin"] {
        if !root.join(folder).exists() {
            cmd!("ln", "--symbolic", format!("usr/{folder}"), root.join(folder))
                .run()
                .context("a link cannot be made")?;
        }
    }
    for folder in ["dev", "etc", "lab", "proc", "root", "run/sshd", "tmp"] {
        fs::create_dir_all(root.join(folder)).context("a folder cannot be made")?;
    }
    // sshd opens it before anything else; while it runs, this machine's /dev is there.
    fs::write(root.join("dev/null"), "").context("a file cannot be made")?;
    // Nobody gets a shell there; sshd wants one that exists.
    let accounts = "root:x:0:0::/root:/usr/bin/ssh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n";
    fs::write(root.join("etc/passwd"), accounts).context("the accounts cannot be written")?;
    fs::write(root.join("etc/group"), "root:x:0:\nnogroup:x:65534:\n")
        .context("the groups cannot be written")?;
    if is_root() {
        let version = cmd!("chroot", root, "/usr/sbin/sshd", "-V").stderr_to_stdout().unchecked().run();
        let version = version.context("chroot does not start")?;
        ensure!(version.status.success(), "sshd does not run on this machine");
    }
    Ok(())
}

/// Where it is, or is going to be.
pub fn folder(newer: &Newer) -> PathBuf {
    let named = env::var_os(newer.variable).filter(|folder| !folder.is_empty());
    named.map_or_else(|| workspace::target().join(newer.folder).join("root"), PathBuf::from)
}

/// Fetches it, unless it is there.
///
/// # Errors
/// When it cannot be had here; the tests that need it are skipped then, and say so.
pub fn provide(newer: &Newer) -> Result<()> {
    let root = folder(newer);
    if root.join(newer.program).is_file() || !cfg!(target_os = "linux") {
        return Ok(());
    }
    let work = workspace::target().join(newer.folder);
    fs::create_dir_all(&work).with_context(|| format!("{} cannot be made", work.display()))?;
    let archive = debian_archive()?;
    println!(
        "A newer {} than this release's is fetched from {archive} into {}, for tests; nothing is installed.",
        newer.name,
        work.display()
    );
    let mut failures = Vec::new();
    for release in newer.releases {
        match fetch(newer, &work, &archive, release) {
            Ok(unpacked) => {
                fs::rename(&unpacked, work.join("root")).context("what was unpacked cannot be moved")?;
                return Ok(());
            }
            Err(error) => failures.push(format!("{release}: {error:#}")),
        }
    }
    bail!("No newer {} could be had. {}", newer.name, failures.join("; "))
}

/// Where this machine's apt gets Debian's packages from (apt-get(8), `indextargets`).
fn debian_archive() -> Result<String> {
    let format = "$(REPO_URI)";
    let only = ["Created-By: Packages", "Origin: Debian", "Label: Debian"];
    let targets = cmd!("apt-get", "indextargets", "--format", format, only[0], only[1], only[2]);
    let listed = targets.stderr_null().read().context("apt-get cannot say where packages come from")?;
    let archives: BTreeSet<&str> = listed.lines().filter(|line| !line.is_empty()).collect();
    let archive = archives.first().context("this machine's apt knows no archive of Debian's")?;
    Ok((*archive).to_owned())
}

fn fetch(newer: &Newer, work: &Path, archive: &str, release: &str) -> Result<PathBuf> {
    let (own, unpacked) = (work.join(release), work.join(format!("root-{release}")));
    for folder in [&own, &unpacked] {
        fs::remove_dir_all(folder).ok(); // of a fetch that was broken off
    }
    for folder in ["lists/partial", "cache/archives/partial", "debs"] {
        fs::create_dir_all(own.join(folder)).context("a folder for packages cannot be made")?;
    }
    fs::write(own.join("status"), "").context("apt's list of installed packages cannot be begun")?;
    let source = format!("deb [signed-by={KEYRING}] {archive} {release} main\n");
    fs::write(own.join("sources.list"), source).context("apt's list of sources cannot be written")?;
    apt(&own, &["update", "--quiet"])?;
    apt(&own, &[&["download", "--quiet"], newer.packages].concat())?;
    let packages = fs::read_dir(own.join("debs")).context("the packages cannot be listed")?;
    for package in packages.flatten().map(|entry| entry.path()) {
        cmd!("dpkg", "-x", &package, &unpacked).run().context("a package cannot be unpacked")?;
    }
    (newer.check)(&unpacked)?;
    fs::remove_dir_all(&own).ok(); // the packages are unpacked, and half as large again
    Ok(unpacked)
}

/// apt-get with nothing of this machine's but its archive's address.
fn apt(own: &Path, words: &[&str]) -> Result<()> {
    let setting = |key: &str, value: &Path| format!("{key}={}", value.display());
    let mut settings = vec![
        setting("Dir::State::lists", &own.join("lists")),
        setting("Dir::State::status", &own.join("status")),
        setting("Dir::Cache", &own.join("cache")),
        setting("Dir::Etc::sourcelist", &own.join("sources.list")),
        setting("Dir::Etc::sourceparts", Path::new("/dev/null")),
        setting("Dir::Etc::preferences", Path::new("/dev/null")),
        setting("Dir::Etc::preferencesparts", Path::new("/dev/null")),
        // What an image of Debian has there deletes packages that somebody else is fetching.
        "APT::Update::Post-Invoke=".to_owned(),
    ];
    if is_root() {
        // apt's own user may not write into the target folder.
        settings.push("APT::Sandbox::User=root".to_owned());
    }
    let options = settings.into_iter().flat_map(|setting| ["-o".to_owned(), setting]);
    let arguments = options.chain(words.iter().map(|&word| word.to_owned())).map(OsString::from);
    let apt = duct::cmd("apt-get", arguments).dir(own.join("debs"));
    apt.run().map(drop).with_context(|| format!("`apt-get {}` failed", words.join(" ")))
}

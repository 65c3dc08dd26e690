//! A newer Docker than Debian 12's, for the tests of what only a newer one does (containerd's image store, buildx):
//! Debian's own packages of a later release, unpacked into the target folder and installed nowhere.
//!
//! They come from where this machine's apt gets Debian's packages, through an apt with lists of its own, which checks the
//! archive's signatures as always. Fetched once for a target folder; `DOCKLINE_TEST_CONTAINERD_STORE` names another
//! folder to use instead. Tests find it through `lab::Need::NewerDocker` and `Dockerd::newer`.

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

/// Releases to take them from: sid has the newest, whose programs may one day want a newer libc than this machine has.
const RELEASES: &[&str] = &["sid", "trixie"];
const PACKAGES: &[&str] = &["docker.io", "docker-cli", "docker-buildx", "containerd", "runc"];
/// With that the signatures of Debian's archive are checked (package `debian-archive-keyring`).
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// What an unpacked Docker is run with; each says its version.
const PROGRAMS: &[&str] = &["usr/sbin/dockerd", "usr/bin/docker", "usr/bin/containerd"];

/// Where it is, or is going to be.
pub fn folder() -> PathBuf {
    let named = env::var_os("DOCKLINE_TEST_CONTAINERD_STORE").filter(|folder| !folder.is_empty());
    named.map_or_else(|| workspace::target().join("newer-docker").join("root"), PathBuf::from)
}

/// Fetches it, unless it is there.
///
/// # Errors
/// When it cannot be had here; the tests that need it are skipped then, and say so.
pub fn provide() -> Result<()> {
    let root = folder();
    if root.join(PROGRAMS[0]).is_file() || !cfg!(target_os = "linux") {
        return Ok(());
    }
    let work = workspace::target().join("newer-docker");
    fs::create_dir_all(&work).with_context(|| format!("{} cannot be made", work.display()))?;
    let archive = debian_archive()?;
    println!(
        "A newer Docker than this release's is fetched from {archive} into {}, for tests; nothing is installed.",
        work.display()
    );
    let mut failures = Vec::new();
    for release in RELEASES {
        match fetch(&work, &archive, release) {
            Ok(unpacked) => {
                fs::rename(&unpacked, work.join("root")).context("the unpacked Docker cannot be moved")?;
                return Ok(());
            }
            Err(error) => failures.push(format!("{release}: {error:#}")),
        }
    }
    bail!("No newer Docker could be had. {}", failures.join("; "))
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

fn fetch(work: &Path, archive: &str, release: &str) -> Result<PathBuf> {
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
    apt(&own, &[&["download", "--quiet"], PACKAGES].concat())?;
    let packages = fs::read_dir(own.join("debs")).context("the packages cannot be listed")?;
    for package in packages.flatten().map(|entry| entry.path()) {
        cmd!("dpkg", "-x", &package, &unpacked).run().context("a package cannot be unpacked")?;
    }
    for program in PROGRAMS {
        let version = cmd!(unpacked.join(program), "--version").stderr_to_stdout().unchecked().run();
        let version = version.with_context(|| format!("{program} does not start"))?;
        ensure!(version.status.success(), "{program} does not run on this machine");
    }
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

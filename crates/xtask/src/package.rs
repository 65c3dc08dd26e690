//! `cargo xtask package`: a .deb with all that a person installs: the desktop app, the command line, the helper with
//! polkit's action for it, and the script that takes Dockline's settings out of the system before the package goes.
//!
//! Debian's own programs make it. (Tauri's bundler packs one package's programs; these are three packages'.)

use crate::{packages, test, workspace};
use anyhow::{Context, Result, ensure};
use duct::cmd;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// What is in `/usr/bin`, and what it was built as: the desktop's program is the command line's, too, whose code would
/// otherwise be there twice.
const PROGRAMS: [(&str, &str); 3] = [
    ("dockline", "dockline-desktop"),
    ("dockline-helper", "dockline-helper"),
    ("dockline-window", "dockline-window"),
];

/// Other files: from the repository, to below the root, with that mode.
const FILES: &[(&str, &str, &str)] = &[
    (
        "crates/helper/data/org.dockline.helper.policy",
        "usr/share/polkit-1/actions/org.dockline.helper.policy",
        "644",
    ),
    ("src-tauri/data/dockline.desktop", "usr/share/applications/dockline.desktop", "644"),
    ("icons/app.svg", "usr/share/icons/hicolor/scalable/apps/dockline.svg", "644"),
    ("icons/app-32.png", "usr/share/icons/hicolor/32x32/apps/dockline.png", "644"),
    ("icons/app-48.png", "usr/share/icons/hicolor/48x48/apps/dockline.png", "644"),
    ("icons/app-128.png", "usr/share/icons/hicolor/128x128/apps/dockline.png", "644"),
    ("icons/app-256.png", "usr/share/icons/hicolor/256x256/apps/dockline.png", "644"),
    ("LICENSE", "usr/share/doc/dockline/copyright", "644"),
    ("LICENSE-APACHE", "usr/share/doc/dockline/LICENSE-APACHE", "644"),
    ("LICENSE-MIT", "usr/share/doc/dockline/LICENSE-MIT", "644"),
    ("CHANGELOG.md", "usr/share/doc/dockline/CHANGELOG.md", "644"),
    // deb-prerm(5), deb-postrm(5).
    ("crates/helper/data/before-removal.sh", "DEBIAN/prerm", "755"),
    ("crates/helper/data/after-purge.sh", "DEBIAN/postrm", "755"),
];

/// The same program as the desktop app, and under the names that Docker looks for: its plugin (docker/cli,
/// `cli-plugins/manager`, `defaultSystemPluginDirs`) and its credential helper.
const LINKS: &[(&str, &str)] = &[
    ("dockline", "usr/bin/dockline-desktop"),
    ("/usr/bin/dockline", "usr/libexec/docker/cli-plugins/docker-dockline"),
    ("dockline", "usr/bin/docker-credential-dockline"),
];

/// Where shells look for completions that packages bring.
const COMPLETIONS: &[(&str, &str)] = &[
    ("bash", "usr/share/bash-completion/completions/dockline"),
    ("zsh", "usr/share/zsh/vendor-completions/_dockline"),
    ("fish", "usr/share/fish/vendor_completions.d/dockline.fish"),
];

#[derive(clap::Args)]
pub struct Options {
    /// Pack the programs of a plain build, for a look at the package; they are large and slow.
    #[arg(long)]
    debug: bool,
}

/// Which programs are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Release,
    Debug,
}

impl Profile {
    const fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
        }
    }
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let package = make(if options.debug { Profile::Debug } else { Profile::Release })?;
    println!("{}", package.display());
    Ok(ExitCode::SUCCESS)
}

/// Builds the programs and packs them; says where the package is.
///
/// # Errors
/// When something does not build, or as [`pack`].
pub fn make(profile: Profile) -> Result<PathBuf> {
    packages::install(&[packages::BUILD, packages::DESKTOP, packages::PACKAGE].concat())?;
    match profile {
        Profile::Release => workspace::build_ui()?,
        Profile::Debug => test::page_is_built()?,
    }
    let build = match profile {
        Profile::Release => {
            let packages = ["dockline-desktop", "dockline-helper"];
            let packages = packages.iter().flat_map(|name| ["--package", *name]);
            workspace::cargo(["build", "--release", "--locked"].into_iter().chain(packages))
        }
        // As the tests build them.
        Profile::Debug => {
            let programs = PROGRAMS.iter().flat_map(|(_, built)| ["--bin", *built]);
            workspace::cargo(["build", "--workspace"].into_iter().chain(programs))
        }
    };
    build.run().context("the programs do not build")?;
    pack(profile)
}

/// Where [`pack`] puts the package.
pub fn path(profile: Profile) -> PathBuf {
    folder(profile).join("dockline.deb")
}

/// Packs programs that are built already.
///
/// # Errors
/// When a program is missing, or one of Debian's programs fails.
pub fn pack(profile: Profile) -> Result<PathBuf> {
    let folder = folder(profile);
    let root = root(profile);
    if root.exists() {
        fs::remove_dir_all(&root).context("the package before this one cannot be removed")?;
    }
    let built = workspace::target().join(profile.folder());
    for (program, built_as) in PROGRAMS {
        let (from, to) = (built.join(built_as), root.join("usr/bin").join(program));
        install(&from, &to, "755")?;
        // What tells the lines of the source is most of a plain build.
        cmd!("strip", "--strip-unneeded", &to)
            .run()
            .with_context(|| format!("{program} cannot be stripped"))?;
    }
    for (from, to, mode) in FILES {
        install(&workspace::root().join(from), &root.join(to), mode)?;
    }
    for (target, link) in LINKS {
        let link = root.join(link);
        make_parent(&link)?;
        cmd!("ln", "--symbolic", target, &link).run().context("a link cannot be made")?;
    }
    for (shell, file) in COMPLETIONS {
        let file = root.join(file);
        make_parent(&file)?;
        let completions = cmd!(root.join("usr/bin/dockline"), "completions", shell).stdout_path(&file);
        completions.run().with_context(|| format!("dockline does not print completions for {shell}"))?;
    }
    let sums = "find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum > DEBIAN/md5sums";
    cmd!("sh", "-c", sums).dir(&root).run().context("the files' sums cannot be written")?;
    fs::write(root.join("DEBIAN/control"), control(&folder, &root)?)
        .context("DEBIAN/control cannot be written")?;
    // Whatever this person's umask is.
    cmd!("chmod", "--recursive", "u=rwX,go=rX", &root).run().context("modes cannot be set")?;
    let package = path(profile);
    let compression = match profile {
        Profile::Release => "-Zxz",
        Profile::Debug => "-Znone",
    };
    cmd!("dpkg-deb", compression, "--root-owner-group", "--build", &root, &package)
        .stdout_null()
        .run()
        .context("dpkg-deb does not make the package")?;
    Ok(package)
}

/// Where [`pack`] puts the package's files, as they are after an installation.
pub fn root(profile: Profile) -> PathBuf {
    folder(profile).join("root")
}

fn folder(profile: Profile) -> PathBuf {
    workspace::target().join("package").join(profile.folder())
}

fn make_parent(path: &Path) -> Result<()> {
    let parent = path.parent().unwrap_or(path);
    fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))
}

fn install(from: &Path, to: &Path, mode: &str) -> Result<()> {
    ensure!(from.is_file(), "{} is not there", from.display());
    let done = cmd!("install", "-D", "--mode", mode, from, to).run();
    done.map(drop).with_context(|| format!("{} cannot be put into the package", from.display()))
}

/// deb-control(5).
fn control(folder: &Path, root: &Path) -> Result<String> {
    let architecture =
        cmd!("dpkg", "--print-architecture").read().context("dpkg does not name this architecture")?;
    let size = cmd!("du", "--summarize", "--block-size=1K", "--apparent-size", "usr").dir(root).read();
    let size = size.context("the files cannot be measured")?;
    let size = size.split_whitespace().next().unwrap_or("0").to_owned();
    Ok(format!(
        "Package: dockline\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: Dockline's authors <authors@dockline.invalid>\n\
         Installed-Size: {size}\n\
         Depends: {libraries}\n\
         Recommends: openssh-client, pkexec | policykit-1\n\
         Suggests: docker.io | docker-ce | podman\n\
         Section: net\n\
         Priority: optional\n\
         Description: push and pull container images through SSH\n \
         Dockline keeps SSH tunnels to registries on hosts of your own, makes docker push\n \
         work through them by one click, and moves images itself. A tray icon, a window and\n \
         a command line.\n",
        version = env!("CARGO_PKG_VERSION"),
        libraries = libraries(folder, root)?,
    ))
}

/// The packages of the libraries that the programs name (dpkg-shlibdeps(1), which wants a source package around it).
fn libraries(folder: &Path, root: &Path) -> Result<String> {
    let source = folder.join("source");
    let control = source.join("debian/control");
    make_parent(&control)?;
    fs::write(&control, "Source: dockline\n\nPackage: dockline\nArchitecture: any\n")
        .context("the source package's control cannot be written")?;
    let programs = PROGRAMS.map(|(program, _)| root.join("usr/bin").join(program).into_os_string());
    let words = ["-O".into(), "--warnings=0".into()].into_iter().chain(programs);
    let said = duct::cmd("dpkg-shlibdeps", words).dir(&source).read().context("dpkg-shlibdeps failed")?;
    let line = said.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    line.map(str::to_owned).context("dpkg-shlibdeps names no library")
}

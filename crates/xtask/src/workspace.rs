//! The workspace's folders, and programs run in them.

use anyhow::{Context, Result, bail};
use duct::Expression;
use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The repository's top folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Where cargo builds: `CARGO_TARGET_DIR`, or `target` in the repository.
pub fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A program at the repository's top.
pub fn program<I>(name: &str, arguments: I) -> Expression
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    duct::cmd(name, arguments).dir(root())
}

/// The cargo that runs this.
pub fn cargo<I>(arguments: I) -> Expression
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    without_own_package(duct::cmd(cargo_path(), arguments).dir(root()))
}

/// Where the cargo is that runs this.
pub fn cargo_path() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Takes away what `cargo run` told *this* program about its own package: a build script that watches those variables
/// (ring's) would otherwise be built anew, with all that stands on it, whenever `cargo xtask` and plain `cargo` take
/// turns.
pub fn without_own_package(cargo: Expression) -> Expression {
    env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
        .fold(cargo, |command, name| command.env_remove(name))
}

/// npm in the window's folder.
pub fn npm(arguments: &[&str]) -> Expression {
    duct::cmd("npm", arguments).dir(root().join("ui"))
}

/// Installs the window's packages as `package-lock.json` names them, unless they are there already.
pub fn install_npm_packages() -> Result<()> {
    let ui = root().join("ui");
    let modified = |path: &Path| path.metadata().and_then(|metadata| metadata.modified());
    // npm writes this file last (npm-install(1), hidden lockfile), so it tells a finished installation.
    let installed = modified(&ui.join("node_modules").join(".package-lock.json"));
    let wanted = modified(&ui.join("package-lock.json")).context("ui/package-lock.json is missing")?;
    if installed.is_ok_and(|installed| installed >= wanted) {
        return Ok(());
    }
    check_node()?;
    println!("npm ci in ui/: the window is built from these packages; they stay in ui/node_modules.");
    npm(&["ci", "--no-audit", "--no-fund"]).run().context("npm ci failed in ui/")?;
    Ok(())
}

/// Builds the window's page into `ui/dist`, which the desktop app holds inside.
pub fn build_ui() -> Result<()> {
    install_npm_packages()?;
    npm(&["run", "build"]).run().context("the window's page does not build")?;
    Ok(())
}

fn check_node() -> Result<()> {
    const NEEDED: (u32, u32) = (20, 19);
    let said = duct::cmd!("node", "--version")
        .read()
        .context("Node.js is missing; Dockline's window needs 20.19 or later (https://nodejs.org)")?;
    let mut numbers =
        said.trim_start_matches('v').split('.').map(|number| number.parse::<u32>().unwrap_or(0));
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version < NEEDED {
        bail!("Node.js {said} is too old; Dockline's window needs {}.{} or later", NEEDED.0, NEEDED.1);
    }
    Ok(())
}

/// Where a program is: on `PATH`, or among the system's own that an ordinary `PATH` leaves out.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
        .find(|candidate| candidate.is_file())
}

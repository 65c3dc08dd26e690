//! `cargo xtask demo`: from a fresh clone to a push through a tunnel.

use crate::{packages, workspace};
use anyhow::{Context, Result};
use std::{env, process::ExitCode};

#[derive(clap::Args)]
pub struct Options {
    /// Show it in the terminal even if there is a display.
    #[arg(long)]
    headless: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    if options.headless || !has_display() { headless(options.headless) } else { desktop() }
}

/// Whether a window could be shown.
fn has_display() -> bool {
    let is_set = |variable| env::var_os(variable).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || is_set("WAYLAND_DISPLAY") || is_set("DISPLAY")
}

fn headless(asked_for: bool) -> Result<ExitCode> {
    if !asked_for {
        println!(
            "There is no display (neither DISPLAY nor WAYLAND_DISPLAY is set): the demo runs in the terminal."
        );
    }
    packages::install(packages::BUILD)?;
    println!("Building the command line …");
    workspace::cargo(["build", "--package", "dockline-cli"])
        .run()
        .context("the command line does not build")?;
    start("dockline", &["demo", "--headless"])
}

fn desktop() -> Result<ExitCode> {
    packages::install(&[packages::BUILD, packages::DESKTOP].concat())?;
    workspace::build_ui()?;
    println!("Building the desktop app and the command line …");
    workspace::cargo(["build", "--package", "dockline-desktop", "--package", "dockline-cli"])
        .run()
        .context("the desktop app does not build")?;
    start("dockline-desktop", &["--demo"])
}

fn start(name: &str, arguments: &[&str]) -> Result<ExitCode> {
    let path = workspace::target().join("debug").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let ended = duct::cmd(&path, arguments)
        .unchecked()
        .run()
        .with_context(|| format!("{} does not start", path.display()))?;
    let code = ended.status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

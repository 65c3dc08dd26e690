//! `cargo deny`: licenses, sources, bans, and known vulnerabilities where their list can be fetched.

use super::{run::succeeds, tally::Tally};
use crate::workspace;
use anyhow::{Context, Result};
use std::path::PathBuf;

/// The version that is built where none is installed.
const VERSION: &str = "0.20.2";
const ADVISORIES: &str = "https://github.com/rustsec/advisory-db";

pub fn check() -> Result<Tally> {
    let program = find_or_install()?;
    let deny = |checks: &[&str]| {
        let arguments = ["--all-features", "check", "--hide-inclusion-graph"];
        let path = program.as_os_str().to_owned();
        let arguments = ["deny"].into_iter().chain(arguments).chain(checks.iter().copied());
        let expression = duct::cmd(path, arguments).dir(workspace::root());
        succeeds(expression)
    };
    let mut tally = Tally::of(deny(&["bans", "licenses", "sources"])?);
    if advisories_reachable() {
        tally += Tally::of(deny(&["advisories"])?);
    } else {
        println!("SKIPPED advisories: {ADVISORIES} cannot be reached from here.");
        tally += Tally::SKIPPED;
    }
    Ok(tally)
}

fn find_or_install() -> Result<PathBuf> {
    if let Some(path) = workspace::find_program("cargo-deny") {
        return Ok(path);
    }
    let tools = workspace::target().join("tools");
    let path = tools.join("bin").join(format!("cargo-deny{}", std::env::consts::EXE_SUFFIX));
    if !path.is_file() {
        println!(
            "cargo-deny {VERSION} is built into {}: it reads every dependency's license.",
            tools.display()
        );
        // Unoptimised it is built in a minute instead of five, and takes a second longer to run.
        let arguments =
            ["install", "cargo-deny", "--locked", "--quiet", "--debug", "--version", VERSION, "--root"];
        workspace::cargo(arguments.into_iter().map(Into::into).chain([tools.as_os_str().to_owned()]))
            .env("CARGO_TARGET_DIR", tools.join("build"))
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .run()
            .context("cargo-deny could not be built")?;
    }
    Ok(path)
}

fn advisories_reachable() -> bool {
    duct::cmd("git", ["ls-remote", "--exit-code", ADVISORIES, "HEAD"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdout_null()
        .stderr_null()
        .run()
        .is_ok()
}

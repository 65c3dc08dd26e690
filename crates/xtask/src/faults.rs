//! `cargo xtask faults`: the campaign of faults in its long form. The tests have a short one.

use crate::{packages, workspace};
use anyhow::{Context, Result};
use std::{
    process::ExitCode,
    time::{SystemTime, UNIX_EPOCH},
};

#[derive(clap::Args)]
pub struct Options {
    /// What the faults are made from; the same seed brings the same faults. Without it the clock makes one.
    #[arg(long)]
    seed: Option<u64>,
    /// How many faults; 2100 strike 2000 times and more, which is the nightly form, and take half an hour.
    #[arg(long, default_value_t = 2100)]
    count: u64,
    /// The first one's number: with `--count 1`, one that was reported is had alone.
    #[arg(long, default_value_t = 0)]
    start: u64,
    /// How many happen at once, each with a registry host of its own.
    #[arg(long, default_value_t = 12)]
    worlds: u64,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    packages::install(&[packages::BUILD, packages::TESTS].concat())?;
    workspace::cargo(["build", "--quiet", "--package", "dockline-tests", "--bin", "faults"])
        .run()
        .context("the campaign does not build")?;
    let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    let seed = options.seed.unwrap_or_else(clock);
    let arguments = [
        ("--seed", seed),
        ("--start", options.start),
        ("--count", options.count),
        ("--worlds", options.worlds),
    ];
    let program = workspace::target().join("debug").join("faults");
    let arguments = arguments.into_iter().flat_map(|(name, value)| [name.to_owned(), value.to_string()]);
    let ended = duct::cmd(program, arguments).dir(workspace::root()).unchecked().run()?;
    Ok(if ended.status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `cargo xtask bench NAME`: figures beside another tool's, from one run.

use crate::{packages, workspace};
use anyhow::{Context, Result};
use std::{fs, process::ExitCode};

#[derive(clap::Subcommand)]
pub enum What {
    /// A tunnel beside `ssh -L`: throughput each way, cold connect, memory at idle.
    Tunnel {
        /// How many times each side is measured, in turns.
        #[arg(long, default_value_t = 9)]
        pairs: u32,
        /// Size of one measured transfer in MiB.
        #[arg(long, default_value_t = 256)]
        mebibytes: u32,
    },
}

pub fn run(what: &What) -> Result<ExitCode> {
    let What::Tunnel { pairs, mebibytes } = what;
    packages::install(&[packages::BUILD, packages::TESTS].concat())?;
    // Our side as it is shipped. The bench itself only moves bytes and reads clocks: it need not be optimised.
    workspace::cargo(["build", "--release", "--package", "dockline-tunnel", "--example", "forward"])
        .run()
        .context("the tunnel does not build")?;
    let folder = workspace::target().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let forward = workspace::target().join("release").join("examples").join("forward");
    workspace::cargo(
        ["run", "--quiet", "--package", "dockline-tests", "--bin", "bench-tunnel", "--"]
            .map(Into::into)
            .into_iter()
            .chain([
                "--forward".into(),
                forward.into_os_string(),
                "--out".into(),
                folder.join("tunnel.json").into_os_string(),
                "--pairs".into(),
                pairs.to_string().into(),
                "--mebibytes".into(),
                mebibytes.to_string().into(),
            ]),
    )
    .run()
    .context("the bench failed")?;
    Ok(ExitCode::SUCCESS)
}

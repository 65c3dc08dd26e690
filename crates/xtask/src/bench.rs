//! `cargo xtask bench NAME`: figures beside another tool's, from one run.

use crate::{
    package::{self, Profile},
    packages, workspace,
};
use anyhow::{Context, Result};
use std::{ffi::OsString, fs, process::ExitCode};

#[derive(clap::Subcommand)]
pub enum What {
    /// A tunnel beside `ssh -L`, with its default ciphers and with AES-128-GCM (rows that end in -gcm): throughput,
    /// processor time, a long path, small requests, memory. docs/benchmarks.md says what each row means.
    Tunnel(Tunnel),
    /// Pushes and pulls beside `docker push` through `ssh -L` and skopeo: first pushes, changed layers, archives, a long
    /// line, cuts, memory. docs/benchmarks.md says what each row means.
    Transfer(Transfer),
    /// The desktop app: start, memory, processor time, size. docs/benchmarks.md says what each row means.
    Desktop(Desktop),
}

#[derive(clap::Args)]
pub struct Desktop {
    /// Only rows that begin like one of these, separated by commas.
    #[arg(long)]
    only: Option<String>,
    /// How many times each side is started, in turns.
    #[arg(long, default_value_t = 9)]
    pairs: u32,
    /// One turn and short looks: shows that the bench works, and nothing else.
    #[arg(long)]
    quick: bool,
    /// Put the figures into docs/benchmarks.md.
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    record: bool,
}

#[derive(clap::Args)]
pub struct Transfer {
    /// Only rows that begin like one of these, separated by commas.
    #[arg(long)]
    only: Option<String>,
    /// How many times each side is measured, in turns.
    #[arg(long, default_value_t = 5)]
    pairs: u32,
    /// Size of the image in megabytes.
    #[arg(long, default_value_t = 400)]
    size: u32,
    /// One small turn each: shows that the bench works, and nothing else.
    #[arg(long)]
    quick: bool,
    /// Put the figures into docs/benchmarks.md.
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    record: bool,
}

#[derive(clap::Args)]
pub struct Tunnel {
    /// Only rows that begin like one of these, separated by commas.
    #[arg(long)]
    only: Option<String>,
    /// How many times each side is measured, in turns.
    #[arg(long, default_value_t = 7)]
    pairs: u32,
    /// Size of one measured transfer in MiB.
    #[arg(long, default_value_t = 512)]
    size: u32,
    /// One small turn each: shows that the bench works, and nothing else.
    #[arg(long)]
    quick: bool,
    /// Put the figures into docs/benchmarks.md.
    #[arg(long, conflicts_with_all = ["quick", "only"])]
    record: bool,
}

pub fn run(what: &What) -> Result<ExitCode> {
    match what {
        What::Tunnel(options) => tunnel(options),
        What::Transfer(options) => transfer(options),
        What::Desktop(options) => desktop(options),
    }
}

fn desktop(options: &Desktop) -> Result<ExitCode> {
    packages::install(packages::TESTS)?;
    // What is measured is what is shipped.
    let package = package::make(Profile::Release)?;
    workspace::cargo(["build", "--quiet", "--package", "dockline-tests", "--bin", "bench-desktop"])
        .run()
        .context("the bench does not build")?;
    let folder = workspace::target().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let programs = package::root(Profile::Release).join("usr/bin");
    let (pairs, watch, settle) = if options.quick { (1, "5", "2") } else { (options.pairs, "60", "10") };
    let mut arguments: Vec<OsString> = vec![
        "--out".into(),
        folder.into(),
        "--package".into(),
        package.into(),
        "--pairs".into(),
        pairs.to_string().into(),
        "--watch".into(),
        watch.into(),
        "--settle".into(),
        settle.into(),
    ];
    if let Some(only) = &options.only {
        arguments.extend(["--only".into(), only.into()]);
    }
    if options.record {
        arguments.extend(["--record".into(), workspace::root().join("docs").join("benchmarks.md").into()]);
    }
    let program = workspace::target().join("debug").join("bench-desktop");
    workspace::program(&program.display().to_string(), arguments)
        .env("DOCKLINE_PROGRAM", programs.join("dockline"))
        .env("DOCKLINE_DESKTOP_PROGRAM", programs.join("dockline-desktop"))
        .run()
        .context("the bench failed")?;
    Ok(ExitCode::SUCCESS)
}

fn transfer(options: &Transfer) -> Result<ExitCode> {
    packages::install(&[packages::BUILD, packages::TESTS].concat())?;
    workspace::cargo(["build", "--release", "--package", "dockline-cli"])
        .run()
        .context("dockline does not build")?;
    workspace::cargo(["build", "--quiet", "--package", "dockline-tests", "--bin", "bench-transfer"])
        .run()
        .context("the bench does not build")?;
    let folder = workspace::target().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let (pairs, size) = if options.quick { (1, 30) } else { (options.pairs, options.size) };
    let mut arguments: Vec<OsString> = vec![
        "--out".into(),
        folder.into(),
        "--pairs".into(),
        pairs.to_string().into(),
        "--megabytes".into(),
        size.to_string().into(),
    ];
    if let Some(only) = &options.only {
        arguments.extend(["--only".into(), only.into()]);
    }
    if options.record {
        arguments.extend(["--record".into(), workspace::root().join("docs").join("benchmarks.md").into()]);
    }
    let program = workspace::target().join("debug").join("bench-transfer");
    workspace::program(&program.display().to_string(), arguments)
        .env("DOCKLINE_PROGRAM", workspace::target().join("release").join("dockline"))
        .run()
        .context("the bench failed")?;
    Ok(ExitCode::SUCCESS)
}

fn tunnel(options: &Tunnel) -> Result<ExitCode> {
    packages::install(&[packages::BUILD, packages::TESTS].concat())?;
    // Our side as it is shipped. The bench itself only moves bytes and reads clocks: it need not be optimised.
    workspace::cargo(["build", "--release", "--package", "dockline-tunnel", "--example", "forward"])
        .run()
        .context("the tunnel does not build")?;
    workspace::cargo(["build", "--quiet", "--package", "dockline-tests", "--bin", "bench-tunnel"])
        .run()
        .context("the bench does not build")?;
    let folder = workspace::target().join("bench");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;

    let (pairs, size, seconds) =
        if options.quick { (1, 64, "0.5") } else { (options.pairs, options.size, "4") };
    let mut arguments: Vec<OsString> = vec![
        // A thousand connections are two thousand sockets in the programs that carry them.
        "--nofile=16384".into(),
        workspace::target().join("debug").join("bench-tunnel").into(),
        "--forward".into(),
        workspace::target().join("release").join("examples").join("forward").into(),
        "--out".into(),
        folder.into(),
        "--pairs".into(),
        pairs.to_string().into(),
        "--mebibytes".into(),
        size.to_string().into(),
        "--seconds".into(),
        seconds.into(),
    ];
    if let Some(only) = &options.only {
        arguments.extend(["--only".into(), only.into()]);
    }
    if options.record {
        arguments.extend(["--record".into(), workspace::root().join("docs").join("benchmarks.md").into()]);
    }
    workspace::program("prlimit", arguments).run().context("the bench failed")?;
    Ok(ExitCode::SUCCESS)
}

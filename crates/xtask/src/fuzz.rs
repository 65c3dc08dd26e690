//! `cargo xtask fuzz`: libFuzzer on every target, for as long as one likes.
//!
//! A stable compiler is enough: coverage is an LLVM pass that it has, and address sanitizing, for which cargo-fuzz
//! wants a nightly one, finds nothing in code without `unsafe`. The short run of the test command needs none of this:
//! see `tests/fuzz`.

use crate::{packages, test::run::succeeds, workspace};
use anyhow::{Context, Result, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// As cargo-fuzz compiles, but without a sanitizer.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                     -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                     -Cdebug-assertions -Coverflow-checks";

#[derive(clap::Args)]
pub struct Options {
    /// How long each target runs, in seconds.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Only this one: a folder of tests/fuzz/corpus by name.
    #[arg(long)]
    target: Option<String>,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    let examples = workspace::root().join("tests/fuzz/corpus");
    let all = folders(&examples)?;
    let targets: Vec<&String> = match &options.target {
        Some(name) => match all.iter().find(|target| *target == name) {
            Some(target) => vec![target],
            None => bail!("There is no target “{name}”; the targets are {}.", all.join(", ")),
        },
        None => all.iter().collect(),
    };
    packages::install(packages::BUILD)?;
    let folder = workspace::target().join("fuzz");
    let programs = build(&folder)?;
    let mut broken = Vec::new();
    for target in targets {
        println!("\n== {target}, {} s", options.seconds);
        let (found, artifacts) = (folder.join("corpus").join(target), folder.join("artifacts").join(target));
        for folder in [&found, &artifacts] {
            fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        }
        // What is found goes into the first folder; the examples of the repository are only read.
        let arguments = [
            found.display().to_string(),
            examples.join(target).display().to_string(),
            format!("-artifact_prefix={}/", artifacts.display()),
            format!("-max_total_time={}", options.seconds),
            "-timeout=10".to_owned(),
            "-rss_limit_mb=2048".to_owned(),
            "-max_len=20000".to_owned(),
            "-verbosity=0".to_owned(),
            "-print_final_stats=1".to_owned(),
        ];
        if !succeeds(duct::cmd(programs.join(target), arguments).dir(workspace::root()))? {
            broken.push(format!("{target}: what broke it is in {}", artifacts.display()));
        }
    }
    if broken.is_empty() {
        println!("\nNothing was found.");
        return Ok(ExitCode::SUCCESS);
    }
    println!("\n{}\nAs a file in tests/fuzz/corpus it is tried by every test run.", broken.join("\n"));
    Ok(ExitCode::FAILURE)
}

/// Builds libFuzzer's programs; the folder they are in comes back.
fn build(folder: &Path) -> Result<PathBuf> {
    let place = workspace::root().join("tests/fuzz/libfuzzer");
    // The versions of the workspace, and not newer ones.
    fs::copy(workspace::root().join("Cargo.lock"), place.join("Cargo.lock"))
        .context("Cargo.lock cannot be copied")?;
    // With a target named, build scripts and macros are compiled without the flags, which are for what they make.
    let host = duct::cmd(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()), ["-vV"]).read()?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let manifest = place.join("Cargo.toml").display().to_string();
    let words = ["build", "--bins", "--manifest-path", &manifest, "--target", host];
    println!("libFuzzer and the targets are built into {}; the first time takes minutes.", folder.display());
    let built = workspace::cargo(words).env("CARGO_TARGET_DIR", folder).env("RUSTFLAGS", FLAGS);
    if !succeeds(built)? {
        bail!("The targets do not build.");
    }
    Ok(folder.join(host).join("debug"))
}

fn folders(parent: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(parent).with_context(|| format!("{} cannot be listed", parent.display()))?;
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

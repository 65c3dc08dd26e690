//! The window's TypeScript types, generated from the model, and the tray's Dutch sentences, taken from the window's.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(clap::Args)]
pub struct Options {
    /// Change nothing; fail if the generated types are not what the model says.
    #[arg(long)]
    check: bool,
}

pub fn run(options: &Options) -> Result<ExitCode> {
    if options.check {
        check()?;
    } else {
        generate(&folder())?;
        write_sentences()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes `src-tauri/data/sentences`. A test of the window's (ui/test/tray.test.ts) fails where that is not up to date.
fn write_sentences() -> Result<()> {
    workspace::install_npm_packages()?;
    let script = duct::cmd!("node", "scripts/sentences.mjs").dir(workspace::root().join("ui"));
    script.run().context("the tray's sentences could not be written")?;
    Ok(())
}

/// Fails if the files in the repository differ from what the model says.
pub fn check() -> Result<()> {
    let fresh = workspace::target().join("bindings");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| format!("{} cannot be removed", fresh.display()))?;
    }
    generate(&fresh)?;
    let (kept, fresh) = (read_all(&folder())?, read_all(&fresh)?);
    let differing: Vec<&str> = fresh
        .iter()
        .filter(|(name, text)| kept.get(*name) != Some(*text))
        .map(|(name, _)| name)
        .chain(kept.keys().filter(|name| !fresh.contains_key(*name)))
        .map(String::as_str)
        .collect();
    if !differing.is_empty() {
        bail!(
            "the window's types are not the model's: {}. Run `cargo xtask bindings` and commit the result.",
            differing.join(", ")
        );
    }
    println!("{} generated files are as the model says.", fresh.len());
    Ok(())
}

fn folder() -> PathBuf {
    workspace::root().join("ui").join("src").join("generated")
}

fn generate(folder: &Path) -> Result<()> {
    let arguments =
        ["run", "--quiet", "--package", "dockline-model", "--features", "typescript", "--example"];
    workspace::cargo(
        arguments
            .into_iter()
            .chain(["export-typescript", "--"])
            .map(Into::into)
            .chain([folder.as_os_str().to_owned()]),
    )
    .run()
    .context("the types could not be generated")?;
    Ok(())
}

fn read_all(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let Ok(entries) = fs::read_dir(folder) else { return Ok(files) };
    for entry in entries {
        let path = entry.with_context(|| format!("{} cannot be listed", folder.display()))?.path();
        if path.extension().is_some_and(|extension| extension == "ts") {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let text =
                fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
            files.insert(name, text);
        } else if path.is_dir() {
            let prefix = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.extend(read_all(&path)?.into_iter().map(|(name, text)| (format!("{prefix}/{name}"), text)));
        }
    }
    Ok(files)
}

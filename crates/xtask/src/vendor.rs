//! The libraries in `vendor`: each is what its authors published, and our patch, and nothing else.
//!
//! `vendor/NAME.published` lists the published files by their Git blob ids, `vendor/NAME.patch` is what we changed. The
//! check takes the patch off a copy and compares; it needs neither the network nor the published crate.

use crate::workspace;
use anyhow::{Context, Result, bail};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Name and version of each library in `vendor`.
const LIBRARIES: &[(&str, &str)] = &[("russh", "0.65.1")];
/// Of what is published, only this is kept: the library itself.
const KEPT: [&str; 3] = ["Cargo.toml", "README.md", "src"];

#[derive(clap::Args)]
pub struct Options {}

/// Has cargo fetch what was published, and writes the lists and patches anew.
pub fn run(_: &Options) -> Result<ExitCode> {
    for (name, version) in LIBRARIES {
        let scratch = scratch(name)?;
        let published = fetch(name, version, &scratch)?;
        let (before, after) = (scratch.join("a"), scratch.join("b"));
        for (from, to) in [(&published, &before), (&vendor().join(name), &after)] {
            for kept in KEPT {
                copy(&from.join(kept), &to.join(kept))?;
            }
        }
        let list: String = blob_ids(&before)?.iter().map(|(path, id)| format!("{id}  {path}\n")).collect();
        write(&list_of(name), &list)?;
        let diff = git(&scratch, ["diff", "--no-index", "--no-color", "--no-ext-diff", "a", "b"])
            .stdout_capture()
            .unchecked() // it exits with 1 when there are differences
            .run()
            .context("git diff does not run")?;
        // Two prefixes of git's own stand before ours.
        let text = String::from_utf8_lossy(&diff.stdout).replace(" a/a/", " a/").replace(" b/b/", " b/");
        let text = text.replace(" a/b/", " a/").replace(" b/a/", " b/");
        write(&patch_of(name), &text)?;
        println!(
            "{name} {version}: {} and {} are written.",
            list_of(name).display(),
            patch_of(name).display()
        );
    }
    check()?;
    Ok(ExitCode::SUCCESS)
}

/// Fails if a library is anything else than what was published and our patch.
pub fn check() -> Result<()> {
    for (name, version) in LIBRARIES {
        let scratch = scratch(name)?;
        copy(&vendor().join(name), &scratch)?;
        let patch = patch_of(name);
        git(
            &scratch,
            ["apply", "--reverse", "--whitespace=nowarn"]
                .map(Into::into)
                .into_iter()
                .chain([patch.into_os_string()]),
        )
        .run()
        .with_context(|| format!("vendor/{name}.patch cannot be taken off vendor/{name}: {REMEDY}"))?;
        let path = list_of(name);
        let list = fs::read_to_string(&path).with_context(|| format!("{} cannot be read", path.display()))?;
        let published: BTreeMap<String, String> = list
            .lines()
            .filter_map(|line| line.split_once("  ").map(|(id, path)| (path.to_owned(), id.to_owned())))
            .collect();
        let found = blob_ids(&scratch)?;
        let differing: Vec<&str> = found
            .iter()
            .filter(|(path, id)| published.get(*path) != Some(*id))
            .map(|(path, _)| path)
            .chain(published.keys().filter(|path| !found.contains_key(*path)))
            .map(String::as_str)
            .collect();
        if !differing.is_empty() {
            bail!(
                "vendor/{name} without our patch is not {name} {version}: {}. {REMEDY}",
                differing.join(", ")
            );
        }
        println!("vendor/{name} is {name} {version} and vendor/{name}.patch: {} files.", found.len());
    }
    Ok(())
}

const REMEDY: &str = "If the change is meant, run `cargo xtask vendor` and commit the result.";

fn vendor() -> PathBuf {
    workspace::root().join("vendor")
}

fn list_of(name: &str) -> PathBuf {
    vendor().join(format!("{name}.published"))
}

fn patch_of(name: &str) -> PathBuf {
    vendor().join(format!("{name}.patch"))
}

/// git, without a repository around it: it would leave alone what it takes for files of that repository.
fn git<I>(folder: &Path, arguments: I) -> duct::Expression
where
    I: IntoIterator,
    I::Item: Into<std::ffi::OsString>,
{
    duct::cmd("git", arguments).dir(folder).env("GIT_CEILING_DIRECTORIES", workspace::target())
}

/// An empty folder that is nobody else's.
fn scratch(name: &str) -> Result<PathBuf> {
    let folder = workspace::target().join("vendor").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    Ok(folder)
}

/// Where cargo has unpacked a published crate, after it has verified its checksum.
fn fetch(name: &str, version: &str, scratch: &Path) -> Result<PathBuf> {
    let package = scratch.join("package");
    let manifest = format!(
        "[package]\nname = \"fetched\"\nedition = \"2024\"\n\n[lib]\npath = \"lib.rs\"\n\n[dependencies]\n{name} = \"={version}\"\n\n[workspace]\n"
    );
    fs::create_dir_all(&package).with_context(|| format!("{} cannot be made", package.display()))?;
    write(&package.join("Cargo.toml"), &manifest)?;
    write(&package.join("lib.rs"), "")?;
    let json = workspace::cargo(
        ["metadata", "--format-version", "1", "--manifest-path"]
            .map(Into::into)
            .into_iter()
            .chain([package.join("Cargo.toml").into_os_string()]),
    )
    .read()
    .with_context(|| format!("cargo cannot fetch {name} {version}"))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&json).context("cargo's metadata cannot be read")?;
    metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == name)
        .and_then(|package| Path::new(package["manifest_path"].as_str()?).parent())
        .map(Path::to_owned)
        .with_context(|| format!("cargo did not say where {name} is"))
}

fn blob_ids(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut paths = Vec::new();
    list_files(folder, folder, &mut paths)?;
    let ids = git(folder, ["hash-object", "--no-filters", "--stdin-paths"])
        .stdin_bytes(paths.join("\n"))
        .read()
        .context("git cannot identify the files")?;
    Ok(paths.into_iter().zip(ids.lines().map(str::to_owned)).collect())
}

fn list_files(top: &Path, folder: &Path, paths: &mut Vec<String>) -> Result<()> {
    let unreadable = || format!("{} cannot be listed", folder.display());
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        if path.is_dir() {
            list_files(top, &path, paths)?;
        } else if let Some(relative) = path.strip_prefix(top).ok().and_then(Path::to_str) {
            paths.push(relative.replace('\\', "/"));
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let failed = || format!("{} cannot be copied", from.display());
    if !from.is_dir() {
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).with_context(failed)?;
        }
        fs::copy(from, to).with_context(failed)?;
        return Ok(());
    }
    fs::create_dir_all(to).with_context(failed)?;
    for entry in fs::read_dir(from).with_context(failed)? {
        let entry = entry.with_context(failed)?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

//! What the desktop app costs: time to be there, memory, processor time, disk. `cargo xtask bench desktop` builds what
//! it needs and runs it; docs/benchmarks.md says what each row means.

mod owner;
mod rows;

use anyhow::{Context, Result, bail, ensure};
use dockline_tests::lab;
use rows::{ROWS, World};
use serde::Serialize;
use std::{collections::HashMap, env, fs, path::PathBuf, time::Duration};

/// How much of everything.
struct Effort {
    /// Starts of each side.
    pairs: usize,
    /// How long processor time is counted.
    watch: Duration,
    /// How long a program is left alone before it is weighed.
    settle: Duration,
}

/// One line of `target/bench/desktop.json`.
#[derive(Debug, Serialize)]
struct Figure {
    id: &'static str,
    value: f64,
    unit: &'static str,
    limit: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let options: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let option = |name: &str| options.get(name).copied().with_context(|| format!("{name} is missing"));
    let seconds = |name: &str| -> Result<Duration> {
        Ok(Duration::from_secs(option(name)?.parse().with_context(|| name.to_owned())?))
    };
    let effort = Effort {
        pairs: option("--pairs")?.parse().context("--pairs")?,
        watch: seconds("--watch")?,
        settle: seconds("--settle")?,
    };
    ensure!(effort.pairs > 0, "--pairs must be 1 at least");
    let folder = PathBuf::from(option("--out")?);
    let only: Vec<&str> = options.get("--only").map(|only| only.split(',').collect()).unwrap_or_default();

    let world = World::set_up(effort, PathBuf::from(option("--package")?));
    let (mut figures, mut lines) = (Vec::new(), Vec::new());
    for row in ROWS.iter().filter(|row| only.is_empty() || only.iter().any(|name| row.starts_with(name))) {
        println!("{row} …");
        let measured = world.measure(row).await?;
        let verdict = if measured.value <= measured.limit { "yes" } else { "**no**" };
        println!(
            "    {:.2} {} (at most {}): {}",
            measured.value, measured.unit, measured.limit, measured.detail
        );
        lines.push(format!(
            "| {row} | {:.2} | {} | {} | {} | {verdict} |",
            measured.value, measured.unit, measured.limit, measured.detail
        ));
        figures.push(Figure { id: row, value: measured.value, unit: measured.unit, limit: measured.limit });
        // After each, so that a run that is broken off has not been for nothing.
        write(&folder.join("desktop.json"), &(serde_json::to_string_pretty(&figures)? + "\n"))?;
    }
    if figures.is_empty() {
        bail!("No row begins like that; there are {}.", ROWS.join(", "));
    }
    let page = format!(
        "{}\n\n| id | value | unit | at most | how it came about | reached |\n|---|---|---|---|---|---|\n{}\n",
        heading(),
        lines.join("\n")
    );
    write(&folder.join("desktop.md"), &page)?;
    if let Some(file) = options.get("--record") {
        record(&PathBuf::from(file), &page)?;
    }
    Ok(())
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// Puts the figures into a page, between two comments that are there for it.
fn record(file: &PathBuf, page: &str) -> Result<()> {
    const BEGIN: &str = "<!-- figures of `cargo xtask bench desktop --record` -->\n";
    const END: &str = "<!-- end of the figures of the desktop -->";
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (before, rest) = text.split_once(BEGIN).context("the page has no place for figures")?;
    let (_, after) = rest.split_once(END).context("the place for figures has no end")?;
    write(file, &format!("{before}{BEGIN}\n{page}\n{END}{after}"))
}

fn heading() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "Measured on {}. {cores} cores, {}.",
        lab::run("date", &["-u", "+%F"]).trim(),
        lab::run("uname", &["-sr"]).trim()
    )
}

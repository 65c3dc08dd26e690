//! Pushes and pulls of ours beside `docker push` through `ssh -L` and skopeo. `cargo xtask bench transfer` builds what
//! it needs and runs it; docs/benchmarks.md says what each row means.

mod disk;
mod rows;
mod world;

use anyhow::{Context, Result, bail, ensure};
use dockline_tests::{
    bench::{Figure, Heading, Sample, json, markdown, table},
    lab,
};
use rows::{ROWS, Row};
use std::{collections::HashMap, env, fs, path::PathBuf};
use world::World;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let options: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let option = |name: &str| options.get(name).copied().with_context(|| format!("{name} is missing"));
    let chosen = chosen(options.get("--only").copied())?;
    let turns: usize = option("--pairs")?.parse().context("--pairs")?;
    ensure!(turns > 0, "--pairs must be 1 at least");
    let megabytes: usize = option("--megabytes")?.parse().context("--megabytes")?;
    let folder = PathBuf::from(option("--out")?);

    let mut world = World::set_up(megabytes)?;
    let mut figures = Vec::new();
    for row in chosen {
        figures.extend(in_turns(&mut world, row, turns)?);
        // After each, so that a run that is broken off has not been for nothing.
        write(&folder.join("transfer.json"), &json(&figures))?;
    }
    let page = markdown(&figures, &heading());
    write(&folder.join("transfer.md"), &page)?;
    println!("\n{}", table(&figures));
    println!("Medians; a ratio over 1 is better than the peer. All of it is in {}.", folder.display());
    if let Some(file) = options.get("--record") {
        record(&PathBuf::from(file), &page)?;
    }
    Ok(())
}

/// The rows that begin with one of the names in `only`.
fn chosen(only: Option<&str>) -> Result<Vec<&'static Row>> {
    let names: Vec<&str> = only.map(|only| only.split(',').collect()).unwrap_or_default();
    let is_wanted = |row: &&Row| names.is_empty() || names.iter().any(|name| row.id.starts_with(name));
    let chosen: Vec<_> = ROWS.iter().filter(is_wanted).collect();
    if chosen.is_empty() {
        let ids: Vec<&str> = ROWS.iter().map(|row| row.id).collect();
        bail!("No row begins like that; there are {}.", ids.join(", "));
    }
    Ok(chosen)
}

/// Both sides `turns` times, one after the other; who begins changes from turn to turn. A peer whose figure is a bound
/// is measured no more than the others.
fn in_turns(world: &mut World, row: &Row, turns: usize) -> Result<Option<Figure>> {
    let (mut ours, mut peer) = (Sample::default(), Sample::default());
    for turn in 0..turns {
        for position in 0..2 {
            let is_ours = (turn + position) % 2 == 0;
            println!("{} {} of {turns}: {} …", row.id, turn + 1, if is_ours { "Dockline" } else { row.peer });
            let (take, sample) =
                if is_ours { (row.take_ours, &mut ours) } else { (row.take_peer, &mut peer) };
            let Some(value) = take(world).with_context(|| row.id.to_owned())? else { return Ok(None) };
            println!("    {value:.2} {}", row.unit);
            sample.push(value);
        }
    }
    Ok(Some(Figure::of(row.id, row.unit, row.better, &ours, &peer, row.target)))
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// Puts the figures into a page, between two comments that are there for it.
fn record(file: &PathBuf, page: &str) -> Result<()> {
    const BEGIN: &str = "<!-- figures of `cargo xtask bench transfer --record` -->\n";
    const END: &str = "<!-- end of the figures of transfers -->";
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (before, rest) = text.split_once(BEGIN).context("the page has no place for figures")?;
    let (_, after) = rest.split_once(END).context("the place for figures has no end")?;
    write(file, &format!("{before}{BEGIN}\n{page}\n{END}{after}"))
}

fn heading() -> Heading {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let first = |program: &str, argument: &str| {
        let text = lab::try_run(std::process::Command::new(program).arg(argument)).stdout;
        text.lines().next().unwrap_or_default().trim().to_owned()
    };
    let machine = format!(
        "{cores} cores, {}; {}; {}; docker-registry {}.",
        lab::run("uname", &["-sr"]).trim(),
        first("dockerd", "--version"),
        first("skopeo", "--version"),
        first("docker-registry", "--version"),
    );
    Heading { date: lab::run("date", &["-u", "+%F"]).trim().to_owned(), machine }
}

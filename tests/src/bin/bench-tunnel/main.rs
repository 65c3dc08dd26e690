//! A tunnel of ours beside `ssh -L`, with its default ciphers and with its fastest one. `cargo xtask bench tunnel`
//! builds what it needs and runs it; docs/benchmarks.md says what each row means.

mod measures;
mod process;
mod side;

use anyhow::{Context, Result, bail, ensure};
use dockline_tests::{
    bench::{Figure, Heading, Sample, json, markdown, serve, table},
    lab,
};
use measures::{MEASURES, Measure, Size};
use side::{Bench, FAR_PORT, Side};
use std::{collections::HashMap, env, fs, net::Ipv4Addr, path::PathBuf};

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return serve((Ipv4Addr::LOCALHOST, FAR_PORT).into()).context("the byte server cannot listen");
    }
    let options: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let option = |name: &str| options.get(name).copied().with_context(|| format!("{name} is missing"));
    let measures = chosen(options.get("--only").copied())?;
    let turns: usize = option("--pairs")?.parse().context("--pairs")?;
    ensure!(turns > 0, "--pairs must be 1 at least");
    let size = Size {
        bytes: option("--mebibytes")?.parse::<u64>().context("--mebibytes")? << 20,
        seconds: option("--seconds")?.parse().context("--seconds")?,
    };
    let folder = PathBuf::from(option("--out")?);

    let bench = Bench::set_up(PathBuf::from(option("--forward")?))?;
    let mut figures = Vec::new();
    for measure in measures {
        figures.extend(in_turns(&bench, measure, turns, size));
        // After each, so that a run that is broken off has not been for nothing.
        write(&folder.join("tunnel.json"), &json(&figures))?;
    }
    let page = markdown(&figures, &heading());
    write(&folder.join("tunnel.md"), &page)?;
    println!("\n{}", table(&figures));
    println!(
        "Medians; a ratio over 1 is better than ssh -L. All of it is in {}/tunnel.json, .md.",
        folder.display()
    );
    if let Some(file) = options.get("--record") {
        record(&PathBuf::from(file), &page)?;
    }
    Ok(())
}

/// The measures of which a row begins with one of the names in `only`.
fn chosen(only: Option<&str>) -> Result<Vec<&'static Measure>> {
    let names: Vec<&str> = only.map(|only| only.split(',').collect()).unwrap_or_default();
    let is_wanted = |measure: &Measure| {
        names.is_empty() || measure.rows.iter().any(|row| names.iter().any(|name| row.id.starts_with(name)))
    };
    let chosen: Vec<_> = MEASURES.iter().filter(|measure| is_wanted(measure)).collect();
    if chosen.is_empty() {
        let ids: Vec<&str> = MEASURES.iter().flat_map(|measure| measure.rows).map(|row| row.id).collect();
        bail!("No row begins like that; there are {}.", ids.join(", "));
    }
    Ok(chosen)
}

/// All sides `turns` times, one after the other; who begins changes from turn to turn.
fn in_turns(bench: &Bench, measure: &Measure, turns: usize, size: Size) -> Vec<Figure> {
    let mut samples: HashMap<(Side, usize), Sample> = HashMap::new();
    for turn in 0..turns {
        for position in 0..Side::ALL.len() {
            let side = Side::ALL[(turn + position) % Side::ALL.len()];
            println!("{} {} of {turns}: {side} …", measure.rows[0].id, turn + 1);
            for (row, value) in (measure.take)(bench, side, size).into_iter().enumerate() {
                samples.entry((side, row)).or_default().push(value);
            }
        }
    }
    let figure = |(index, row): (usize, &measures::Row), peer, suffix, target| {
        let id = format!("{}{suffix}", row.id);
        let (ours, peer) = (&samples[&(Side::Ours, index)], &samples[&(peer, index)]);
        Figure::of(&id, row.unit, row.better, ours, peer, target)
    };
    let rows = || measure.rows.iter().enumerate();
    let default = rows().map(|row| figure(row, Side::Ssh, "", row.1.target));
    let gcm = rows().map(|row| figure(row, Side::SshGcm, "-gcm", row.1.target_gcm));
    default.chain(gcm).collect()
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
}

/// Puts the figures into a page, between two comments that are there for it.
fn record(file: &PathBuf, page: &str) -> Result<()> {
    const BEGIN: &str = "<!-- figures of `cargo xtask bench tunnel --record` -->\n";
    const END: &str = "<!-- end of figures -->";
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let (before, rest) = text.split_once(BEGIN).context("the page has no place for figures")?;
    let (_, after) = rest.split_once(END).context("the place for figures has no end")?;
    write(file, &format!("{before}{BEGIN}\n{page}\n{END}{after}"))
}

fn heading() -> Heading {
    let first = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':').map(|pair| pair.1));
        value.map(|value| value.trim().to_owned()).unwrap_or_else(|| "unknown".to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = lab::run("uname", &["-sr"]);
    // ssh says its version on the other stream.
    let ssh = lab::try_run(std::process::Command::new("ssh").arg("-V")).stderr;
    let machine = format!(
        "{cores} cores of {}, {} of memory, {}, {}.",
        first("/proc/cpuinfo", "model name"),
        first("/proc/meminfo", "MemTotal"),
        kernel.trim(),
        ssh.trim()
    );
    Heading { date: lab::run("date", &["-u", "+%F"]).trim().to_owned(), machine }
}

//! A campaign of faults against a tunnel. `cargo xtask faults` builds what it needs and runs it; the campaign itself
//! is `dockline_tests::faults`.

use anyhow::{Context, Result, bail};
use dockline_tests::{
    faults::{Campaign, Length},
    lab::{Need, requires},
};
use std::{collections::HashMap, env, process::ExitCode, time::Instant};

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let options: HashMap<&str, &str> =
        arguments.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str())).collect();
    let number = |name: &str| -> Result<u64> {
        let value = options.get(name).with_context(|| format!("{name} is missing"))?;
        value.parse().with_context(|| format!("{name} {value}"))
    };
    if !requires(&[Need::Root, Need::Sshd]) {
        bail!("the campaign needs registry hosts in network namespaces");
    }
    let (start, count) = (number("--start")?, number("--count")?);
    let campaign = Campaign {
        seed: number("--seed")?,
        rounds: start..start + count,
        worlds: number("--worlds")?.max(1),
        length: Length::Full,
    };
    let began = Instant::now();
    let mut told = 0;
    let report = campaign
        .run(|report| {
            println!("{:>5} s: {report}", began.elapsed().as_secs());
            for violation in &report.violations[told..] {
                println!("  {violation}");
            }
            told = report.violations.len();
        })
        .await;
    for violation in &report.violations[told..] {
        println!("  {violation}");
    }
    println!("seed {}: {report}", campaign.seed);
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

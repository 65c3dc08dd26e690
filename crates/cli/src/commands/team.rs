//! `dockline team`: registries written down for others, and taken over from others.

use crate::{
    arguments::Team,
    face::{Face, unexpected},
    output::{Output, wrapped_for_stdout},
    prompts::{self, Answers},
};
use dockline_model::{
    Code, Command, ImportEntry, ImportPlan, ImportVerdict, RegistryName, RegistrySpec, RemoteEnd, Reply,
    SshTarget, Target, UiError,
};
use serde::Serialize;
use std::{fs, path::Path};

/// Longer is no list of registries.
const LONGEST: u64 = 1 << 20;

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

/// Exports or imports.
pub async fn team(team: Team, output: Output) -> Result<(), UiError> {
    let (face, _) = Face::open_configured(Answers::Nobody, output).await?;
    let done = match team {
        Team::Export { registries, output: file } => export(&face, registries, file.as_deref(), output).await,
        Team::Import { file, registries, plan, yes } => {
            let text = read(&file)?;
            let ask = if plan {
                Ask::PlanOnly
            } else if yes {
                Ask::Nothing
            } else {
                Ask::AboutWarnings
            };
            import(&face, text, registries, ask, output).await
        }
    };
    face.close_when_unneeded().await;
    done
}

async fn export(
    face: &Face,
    registries: Vec<RegistryName>,
    file: Option<&Path>,
    output: Output,
) -> Result<(), UiError> {
    let reply = face.request(Command::ExportRegistries { registries }).await?;
    let Reply::TeamFile { text } = reply else { return Err(unexpected(&reply)) };
    let Some(file) = file else { return output.result(&Text { text: &text }, || text.clone()) };
    // A file that is there may be somebody's.
    let written = fs::File::options().write(true).create_new(true).open(file);
    let written = written.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.map_err(|error| file_error(file, &error))?;
    output.result(&Text { text: &text }, || format!("Written to {}.", file.display()))
}

/// What stands between a plan and what is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Nothing,
    AboutWarnings,
    PlanOnly,
}

fn read(file: &Path) -> Result<String, UiError> {
    let length = fs::metadata(file).map_err(|error| file_error(file, &error))?.len();
    if length > LONGEST {
        return Err(UiError::new(
            Code::ConfigInvalid,
            format!("{} is no team file: it is longer than 1 MiB.", file.display()),
        ));
    }
    fs::read_to_string(file).map_err(|error| file_error(file, &error))
}

async fn import(
    face: &Face,
    text: String,
    registries: Vec<RegistryName>,
    ask: Ask,
    output: Output,
) -> Result<(), UiError> {
    let plan = async |command| {
        let reply = face.request(command).await?;
        let Reply::ImportPlan { plan } = reply else { return Err(unexpected(&reply)) };
        // The answer is about the whole file.
        plan.only(&registries)
    };
    let wanted = plan(Command::PlanImport { text: text.clone() }).await?;
    let only_plan = ask == Ask::PlanOnly;
    // Whoever has a question to answer sees first what it is about.
    let is_shown = only_plan || wanted.wants_thought();
    if is_shown {
        if !output.is_json() {
            output.result(&wanted, || shown(&wanted, &wanted.summary))?;
        }
        for warning in wanted.entries.iter().flat_map(|entry| &entry.warnings) {
            output.warn(warning);
        }
    }
    let yes = ask == Ask::Nothing || !wanted.wants_thought();
    if !prompts::goes_on(&wanted, !only_plan, yes, output)? {
        return Ok(());
    }
    prompts::agreed_or_nobody(yes, "Add what there is a warning about, too?", "Nothing was added").await?;
    let done = plan(Command::ImportRegistries { text, registries: registries.clone() }).await?;
    let summary = done.summary.replace("will be added", "added");
    output.result(&done, || if is_shown { wrapped_for_stdout(&summary) } else { shown(&done, &summary) })
}

fn shown(plan: &ImportPlan, summary: &str) -> String {
    let line = |entry: &ImportEntry| match &entry.verdict {
        ImportVerdict::Add => format!("  + {} {}", entry.registry, way(&entry.target)),
        ImportVerdict::Same => format!("    {} is here already", entry.registry),
        ImportVerdict::Conflict { error } => format!("  ! {}", error.message),
    };
    let lines: Vec<String> = plan.entries.iter().map(line).collect();
    format!("{}\n{}", lines.join("\n"), wrapped_for_stdout(summary)).trim_start_matches('\n').to_owned()
}

/// All that decides where a push, and a login with it, goes to.
fn way(target: &Target) -> String {
    if let Some(url) = &target.url {
        return format!("at {url}, without a tunnel");
    }
    let hosts: Vec<String> =
        std::iter::once(&target.ssh).chain(&target.fallbacks).map(SshTarget::to_string).collect();
    let mut way = format!("by ssh {}", hosts.join(", or "));
    if let Some(jump) = &target.ssh.jump {
        way += &format!(", through {jump}");
    }
    if let Some(remote) = target.remote.as_ref().filter(|remote| **remote != RemoteEnd::default()) {
        way += &format!(", on to {remote}");
    }
    if let Some(port) = target.port.filter(|port| *port != RegistrySpec::DEFAULT_PORT) {
        way += &format!(", at port {port} here");
    }
    way
}

fn file_error(file: &Path, error: &std::io::Error) -> UiError {
    UiError::new(Code::FileIo, format!("{} cannot be used: {error}.", file.display()))
}

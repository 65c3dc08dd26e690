//! `dockline team`: registries written down for others, and taken over from others.

use crate::{
    arguments::Team,
    face::{Face, unexpected},
    output::{Output, wrapped_for_stdout},
    prompts::Answers,
};
use dockline_model::{
    Code, Command, ImportEntry, ImportPlan, ImportVerdict, RegistryName, Reply, SshTarget, UiError,
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
        Team::Import { file, registries, plan } => import(&face, &file, registries, plan, output).await,
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

async fn import(
    face: &Face,
    file: &Path,
    registries: Vec<RegistryName>,
    only_plan: bool,
    output: Output,
) -> Result<(), UiError> {
    let length = fs::metadata(file).map_err(|error| file_error(file, &error))?.len();
    if length > LONGEST {
        return Err(UiError::new(
            Code::ConfigInvalid,
            format!("{} is no team file: it is longer than 1 MiB.", file.display()),
        ));
    }
    let text = fs::read_to_string(file).map_err(|error| file_error(file, &error))?;
    let command = match only_plan {
        true => Command::PlanImport { text },
        false => Command::ImportRegistries { text, registries: registries.clone() },
    };
    let reply = face.request(command).await?;
    let Reply::ImportPlan { plan } = reply else { return Err(unexpected(&reply)) };
    // The answer is about the whole file.
    let plan = plan.only(&registries)?;
    output.result(&plan, || shown(&plan, only_plan))
}

fn shown(plan: &ImportPlan, only_plan: bool) -> String {
    let line = |entry: &ImportEntry| {
        let hosts: Vec<String> = std::iter::once(&entry.target.ssh)
            .chain(&entry.target.fallbacks)
            .map(SshTarget::to_string)
            .collect();
        match &entry.verdict {
            ImportVerdict::Add => format!("  + {} by ssh {}", entry.registry, hosts.join(", or ")),
            ImportVerdict::Same => format!("    {} is here already", entry.registry),
            ImportVerdict::Conflict { error } => format!("  ! {}", error.message),
        }
    };
    let lines: Vec<String> = plan.entries.iter().map(line).collect();
    let summary = match only_plan {
        true => plan.summary.clone(),
        false => plan.summary.replace("will be added", "added"),
    };
    format!("{}\n{}", lines.join("\n"), wrapped_for_stdout(&summary)).trim_start_matches('\n').to_owned()
}

fn file_error(file: &Path, error: &std::io::Error) -> UiError {
    UiError::new(Code::FileIo, format!("{} cannot be used: {error}.", file.display()))
}

//! `dockline doctor` and `dockline proposals`.

use super::configure;
use crate::{
    arguments::Doctor,
    face::{Face, unexpected},
    interrupts::{Interrupts, cancelled},
    output::{Output, say_to_stdout, wrapped_for_stdout},
    printable::style,
    prompts::Answers,
};
use dockline_core::EventStream;
use dockline_model::{
    Change, Code, Command, DoctorId, DoctorReport, Link, LinkState, LinkView, Patient, Proposal, Remedy,
    Reply, Snapshot, UiError,
};
use std::{collections::BTreeSet, mem};

/// Examines one registry, or all of them, or one that is not configured.
pub async fn doctor(arguments: Doctor, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Terminal, output).await?;
    let examined = examine(&face, &snapshot, arguments, output).await;
    face.close_when_unneeded().await;
    examined
}

async fn examine(face: &Face, snapshot: &Snapshot, arguments: Doctor, output: Output) -> Result<(), UiError> {
    let round_trip = arguments.round_trip;
    let patients = patients(snapshot, arguments)?;
    let mut first_failure = None;
    for patient in patients {
        let report = one(face, patient, round_trip, output).await?;
        let failure = report.failure().map(|(_, error, _)| error.clone());
        first_failure = first_failure.or(failure);
        if output.is_json() {
            output.result(&report, String::new)?;
        } else if let Some(summary) = &report.summary {
            say_to_stdout(&wrapped_for_stdout(summary))?;
        }
    }
    first_failure.map_or(Ok(()), Err)
}

fn patients(snapshot: &Snapshot, arguments: Doctor) -> Result<Vec<Patient>, UiError> {
    if !arguments.ssh.is_empty() {
        let target = configure::candidate(arguments)?;
        return Ok(vec![Patient::Candidate { target: Box::new(target) }]);
    }
    if let Some(registry) = arguments.registry {
        crate::face::find(snapshot, &registry)?;
        return Ok(vec![Patient::Registry { registry }]);
    }
    if snapshot.registries.is_empty() {
        return Err(UiError::new(Code::RegistryUnknown, "No registry is configured.")
            .hint("Add one, or try one before: dockline doctor cr.boss.org --ssh user@host"));
    }
    let names = snapshot.registries.iter().map(|view| view.spec.name.clone());
    Ok(names.map(|registry| Patient::Registry { registry }).collect())
}

async fn one(
    face: &Face,
    patient: Patient,
    round_trip: bool,
    output: Output,
) -> Result<DoctorReport, UiError> {
    let mut interrupts = Interrupts::new()?;
    let events = face.events();
    let reply = face.request(Command::Doctor { patient, round_trip }).await?;
    let Reply::Doctor { id } = reply else { return Err(unexpected(&reply)) };
    tokio::select! {
        report = follow(face, events, id, output) => report,
        () = interrupts.next() => {
            // The owner stops by itself when this face is gone; this only saves it a moment.
            let _ = face.request(Command::EndDoctor { doctor: id }).await;
            Err(cancelled())
        }
    }
}

async fn follow(
    face: &Face,
    mut events: EventStream,
    id: DoctorId,
    output: Output,
) -> Result<DoctorReport, UiError> {
    let (mut told, mut has_begun) = (BTreeSet::new(), false);
    while let Some(event) = events.next().await {
        let report = if let Change::Doctor { report } = event.change {
            report
        } else if let Change::Resync { snapshot } = event.change
            && let Some(report) = snapshot.doctors.into_iter().find(|report| report.id == id)
        {
            report
        } else {
            continue;
        };
        if report.id != id {
            continue;
        }
        if !mem::replace(&mut has_begun, true) && !output.is_json() {
            face.screen().say(&format!("The way to {}:", report.registry));
        }
        for view in &report.links {
            if is_known(&view.state) && told.insert(view.link) && !output.is_json() {
                line(view).iter().try_for_each(|line| say_to_stdout(line))?;
            }
        }
        if report.finished.is_some() {
            return Ok(report);
        }
    }
    Err(UiError::new(Code::OwnerGone, "The owner of the tunnels ended before the examination did."))
}

fn is_known(state: &LinkState) -> bool {
    match state {
        LinkState::Waiting | LinkState::Running => false,
        LinkState::Passed { .. } | LinkState::Failed { .. } | LinkState::Skipped { .. } => true,
    }
}

fn line(view: &LinkView) -> Vec<String> {
    let title = |link: Link| style(link.title()).bold();
    match &view.state {
        LinkState::Waiting | LinkState::Running => Vec::new(),
        LinkState::Passed { words } => vec![format!("  {}  {}", style("ok").green(), words)],
        LinkState::Skipped { why } => vec![format!("   -  {}: {why}", title(view.link))],
        LinkState::Failed { error, remedy } => {
            let mends = match remedy {
                Remedy::Run { command, .. } => remedy_line(command),
                Remedy::Person { words } => words.clone(),
            };
            let mut lines =
                vec![format!("  {}   {}: {}", style("!").red().bold(), title(view.link), error.message)];
            lines.push(format!("      {mends}"));
            lines
        }
    }
}

/// The button, as it is typed.
fn remedy_line(command: &Command) -> String {
    if let Command::PlanSetup { registry: Some(registry), .. } = command {
        return format!("Fix it: dockline setup {registry}");
    }
    if let Command::Connect { registry, .. } = command {
        return format!("Fix it: dockline connect {registry}");
    }
    "The window has a button that fixes it.".to_owned()
}

/// Registries that this machine seems to know already.
pub async fn proposals(output: Output) -> Result<(), UiError> {
    let (face, _) = Face::open_configured(Answers::Nobody, output).await?;
    let found = face.request(Command::FindProposals).await;
    let told = found.and_then(|reply| {
        let Reply::Proposals { proposals } = reply else { return Err(unexpected(&reply)) };
        output.result(&proposals, || {
            if proposals.is_empty() {
                return "Nothing here looks like a registry of yours. Name one:\n  \
                        dockline add cr.boss.org --ssh dockercr@88.88.88.88"
                    .to_owned();
            }
            proposals.iter().map(proposal_text).collect::<Vec<_>>().join("\n")
        })
    });
    face.close_when_unneeded().await;
    told
}

fn proposal_text(proposal: &Proposal) -> String {
    let name = proposal.name.as_ref().map_or("cr.example.org", |name| name.as_str());
    let command = match &proposal.ssh {
        Some(ssh) => format!("\n  dockline doctor {name} --ssh {ssh}"),
        None => String::new(),
    };
    format!("{}{command}", proposal.why)
}

//! `dockline hosts`.

use crate::{
    arguments::Hosts,
    diff,
    face::{Face, unexpected},
    output::Output,
    prompts::{self, Answers},
};
use dockline_core::Paths;
use dockline_model::{Command, HostsAction, HostsView, Reply, Snapshot, UiError};

/// Shows the change of the hosts file, and makes it if that is wanted.
pub async fn hosts(hosts: Hosts, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::open_configured(Answers::Nobody, output).await?;
    let result = plan_and_apply(&face, &snapshot, &hosts, output).await;
    face.close_when_unneeded().await;
    result
}

async fn plan_and_apply(
    face: &Face,
    snapshot: &Snapshot,
    hosts: &Hosts,
    output: Output,
) -> Result<(), UiError> {
    let action = if hosts.undo { HostsAction::Undo } else { HostsAction::Apply };
    let plan = view(face.request(Command::PlanHosts { action }).await?)?;
    if !output.is_json() {
        print_plan(&plan, output)?;
    }
    let may_go_on = !plan.satisfied && !hosts.plan;
    if !prompts::goes_on(&plan, may_go_on, hosts.yes, output)? {
        return Ok(());
    }
    let question = format!("Change {}?", plan.path);
    prompts::agreed_or_nobody(hosts.yes, question, "Nothing was changed").await?;
    // Here and not by the owner: sudo asks on this terminal. The owner sees the file change.
    let paths = Paths::from_process().map_err(|error| UiError::from(&error))?;
    let specs = snapshot.registries.iter().map(|registry| &registry.spec);
    let applied = dockline_core::hosts::Hosts::new(&paths, specs).apply(plan).await?;
    output.result(&applied, || match action {
        HostsAction::Apply => format!("{} names the registries now.", applied.path),
        HostsAction::Undo => format!("{} is as it was without Dockline.", applied.path),
    })
}

fn view(reply: Reply) -> Result<HostsView, UiError> {
    let Reply::Hosts { plan } = reply else { return Err(unexpected(&reply)) };
    Ok(plan)
}

fn print_plan(plan: &HostsView, output: Output) -> Result<(), UiError> {
    output.result(plan, || match (plan.satisfied, plan.action) {
        (true, HostsAction::Apply) => format!("{} needs no change.", plan.path),
        (true, HostsAction::Undo) => format!("{} has no lines of Dockline's.", plan.path),
        (false, _) => diff::coloured(&plan.diff),
    })?;
    plan.warnings.iter().for_each(|warning| output.warn(warning));
    Ok(())
}

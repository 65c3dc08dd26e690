//! `dockline gc`: a registry's garbage, collected on its host.

use super::{
    configure::existing_file,
    contents::{place, visit},
    transfer::absolute,
};
use crate::{
    arguments::Gc,
    face::{Face, unexpected},
    format,
    interrupts::{Interrupts, cancelled},
    output::{Output, wrapped_for_stdout},
    prompts,
};
use dockline_model::{
    Code, CollectPlan, Collected, Command, RegistryName, RegistryRun, Reply, SshTarget, UiError,
};

/// Shows what would go, asks, and has it removed.
pub async fn collect(arguments: Gc, output: Output) -> Result<(), UiError> {
    let identity = arguments.identity.map(existing_file).transpose()?;
    let identity = identity.map(absolute).transpose()?;
    let jump = arguments.jump;
    let ssh = arguments.ssh.map(|ssh| SshTarget { identity, jump, ..ssh });
    let (plan_only, yes, untagged) = (arguments.plan, arguments.yes, arguments.untagged);
    visit(output, async |face, snapshot| {
        let (registry, repository) = place(arguments.registry.as_deref(), snapshot)?;
        if let Some(repository) = repository {
            return Err(UiError::new(
                Code::InvalidArgument,
                format!("Garbage is collected in all of {registry}, not in {repository} alone."),
            )
            .hint(format!("dockline gc {registry}")));
        }
        let plan = planned(face, registry, ssh, untagged).await?;
        if !output.is_json() {
            output.result(&plan, || plan_text(&plan))?;
        }
        let may_go_on = !plan_only && !plan.is_empty();
        if !prompts::goes_on(&plan, may_go_on, yes, output)? {
            return Ok(());
        }
        prompts::agreed_or_nobody(yes, "Stop the registry and remove it?", "Nothing was removed").await?;
        let reply = face.request(Command::Collect { plan: Box::new(plan) }).await?;
        let Reply::Collected { collected } = reply else { return Err(unexpected(&reply)) };
        output.result(&collected, || done_text(&collected))
    })
    .await
}

/// Marking what is used takes minutes where there is much; Ctrl-C ends the waiting.
async fn planned(
    face: &Face,
    registry: RegistryName,
    ssh: Option<SshTarget>,
    untagged: bool,
) -> Result<CollectPlan, UiError> {
    let mut interrupts = Interrupts::new()?;
    let planning = face.request(Command::PlanCollect { registry, ssh, untagged });
    let reply = tokio::select! {
        reply = planning => reply?,
        () = interrupts.next() => return Err(cancelled()),
    };
    let Reply::CollectPlan { plan } = reply else { return Err(unexpected(&reply)) };
    Ok(*plan)
}

fn plan_text(plan: &CollectPlan) -> String {
    let run = match &plan.run {
        RegistryRun::Container { engine, name, image, .. } => format!("{engine} container {name} ({image})"),
        RegistryRun::Unit { name } => format!("systemd service {name}"),
    };
    let version = plan.version.as_ref().map(|version| format!(", version {version}")).unwrap_or_default();
    let mut text = format!("{} on {}\n  runs as   {run}{version}\n", plan.registry, plan.ssh);
    if plan.is_empty() {
        return text + "  There is nothing to remove.\n";
    }
    let bytes = plan.bytes.map(|bytes| format!(", {}", format::bytes(bytes))).unwrap_or_default();
    text += &format!("  unused    {}{bytes}\n", blobs(plan.blobs));
    if plan.manifests > 0 {
        text += &format!("  images    {} that no tag leads to\n", plan.manifests);
    }
    text.extend(plan.notes.iter().map(|note| format!("{}\n", wrapped_for_stdout(note))));
    text
}

fn done_text(collected: &Collected) -> String {
    let freed = collected.bytes.map(|bytes| format!(", {} freed", format::bytes(bytes))).unwrap_or_default();
    let seconds = collected.stopped_seconds;
    format!(
        "Removed {}{freed}. The registry was stopped for {seconds} s and serves again.",
        blobs(collected.blobs)
    )
}

fn blobs(count: u64) -> String {
    if count == 1 { "1 blob".to_owned() } else { format!("{count} blobs") }
}

//! `dockline status` and `dockline list`.

use crate::{
    face::{Face, find},
    format,
    output::{Output, columns},
    printable::style,
};
use console::Term;
use dockline_model::{RegistryName, RegistryView, Snapshot, TransferView, TunnelState, UiError};

/// Everything, or one registry.
pub async fn status(registry: Option<RegistryName>, output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::look(output).await?;
    let told = match registry {
        Some(name) => find(&snapshot, &name).and_then(|view| output.result(view, || block(view))),
        None => output.result(&snapshot, || text(&snapshot)),
    };
    if told.is_ok() && !face.has_owner() && !snapshot.registries.is_empty() {
        output.remark(
            "Neither the desktop app nor an agent runs, so no tunnel opens by itself. Start one: dockline agent",
        );
    }
    face.close().await;
    told
}

fn text(snapshot: &Snapshot) -> String {
    if snapshot.registries.is_empty() && snapshot.offers.is_empty() {
        return nothing_configured();
    }
    let mut registries = snapshot.registries.iter().map(block).collect::<Vec<_>>().join("\n");
    if !snapshot.offers.is_empty() {
        let gap = if registries.is_empty() { "" } else { "\n" };
        let lines: String = snapshot.offers.iter().map(|offer| format::offer(offer, format::now())).collect();
        registries += &format!("{gap}Offered\n{lines}");
    }
    let running: Vec<String> =
        snapshot.transfers.iter().filter(|transfer| !transfer.state.is_final()).map(transfer_line).collect();
    match running.as_slice() {
        [] => registries,
        running => format!("{registries}\nTransfers\n{}", running.concat()),
    }
}

fn transfer_line(transfer: &TransferView) -> String {
    let progress = format!("{} of {}", format::bytes(transfer.current), format::bytes(transfer.total));
    format!("  {:>3}  {}  {progress}\n", transfer.id.0, transfer.reference)
}

fn block(view: &RegistryView) -> String {
    let name = style(view.spec.name.as_str()).bold();
    let dot = match &view.tunnel.state {
        _ if view.tunnel.listener_error.is_some() => style("!").red(),
        TunnelState::Up { .. } | TunnelState::Lingering { .. } => style("*").green(),
        TunnelState::Failed { .. } => style("!").red(),
        TunnelState::Connecting { .. } | TunnelState::Reconnecting { .. } | TunnelState::Closing => {
            style("~").yellow()
        }
        TunnelState::Idle => style("-").dim(),
    };
    format!("{dot} {name}\n{}", format::registry(view, format::now(), columns(&Term::stdout())))
}

fn nothing_configured() -> String {
    "No registry is configured. Add one:\n  dockline add cr.boss.org --ssh dockercr@88.88.88.88".to_owned()
}

/// One line a registry.
pub async fn list(output: Output) -> Result<(), UiError> {
    let (face, snapshot) = Face::look(output).await?;
    let told = output.result(&snapshot.registries, || {
        if snapshot.registries.is_empty() {
            return nothing_configured();
        }
        let row = |view: &RegistryView| {
            let name = view.spec.name.to_string();
            if let Some(url) = &view.spec.url {
                return vec![name, "-".to_owned(), url.to_string(), "no tunnel".to_owned()];
            }
            vec![
                name,
                format::state_word(&view.tunnel).to_owned(),
                [vec![view.spec.listen().to_string()], format::also_at(&view.spec)].concat().join(", "),
                format!("ssh {}", view.spec.ssh),
            ]
        };
        let rows: Vec<Vec<String>> = snapshot.registries.iter().map(row).collect();
        let width = columns(&Term::stdout());
        format::table(&["NAME", "STATE", "ADDRESS", "BY"], &rows, width)
    });
    face.close().await;
    told
}

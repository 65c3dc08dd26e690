//! What the tray's menu says: a pure function of the state.

use super::{
    entry::{MenuEntry, shortened},
    holders::{counted, holders},
};
use crate::{choice::Choice, sentences, strings::Tongue, words::Wish};
use dockline_model::{
    EngineView, LeaseHolder, LeaseView, OfferState, OfferView, RegistryName, RegistryView, Snapshot,
    TransferState, TransferView, TunnelState, UiError,
};

/// Images that are offered for a push; the window shows all of them.
const RECENT_IMAGES: usize = 10;

const MEGABYTE: u64 = 1_000_000;

/// The menu before anything is known.
#[must_use]
pub fn while_opening(tongue: Tongue) -> Vec<MenuEntry> {
    let mut entries = vec![MenuEntry::Note { text: tongue.starting().to_owned() }, MenuEntry::Separator];
    entries.extend(last_entries(tongue));
    entries
}

/// The menu while there is no owner to ask.
#[must_use]
pub fn menu_without_owner(error: &UiError, tongue: Tongue) -> Vec<MenuEntry> {
    let mut entries = vec![failure(error, tongue), MenuEntry::Separator];
    entries.extend(last_entries(tongue));
    entries
}

fn last_entries(tongue: Tongue) -> [MenuEntry; 2] {
    [MenuEntry::action(Choice::Open(None), tongue.open()), MenuEntry::action(Choice::Quit, tongue.quit())]
}

/// The whole menu. `is_owner` says whether the tunnels end with this program.
#[must_use]
pub fn menu(state: &Snapshot, is_owner: bool, tongue: Tongue) -> Vec<MenuEntry> {
    let mut entries = Vec::new();
    for registry in &state.registries {
        entries.extend(registry_entries(registry, &state.transfers, tongue));
    }
    entries.extend(state.offers.iter().flat_map(|offer| offer_entries(offer, tongue)));
    if state.registries.is_empty() && state.offers.is_empty() {
        entries.push(MenuEntry::Note { text: tongue.no_registry().to_owned() });
    }
    if state.config_error.is_some() {
        entries.push(MenuEntry::Note { text: tongue.unreadable_configuration().to_owned() });
    }
    entries.push(MenuEntry::Separator);
    let before = entries.len();
    let moving = state.transfers.iter().filter_map(|transfer| transfer_text(transfer, tongue));
    entries.extend(moving.map(|text| MenuEntry::Note { text }));
    let is_moving = state.transfers.iter().any(|transfer| !is_at_rest(&transfer.state));
    if state.paused {
        entries.push(MenuEntry::action(Choice::ResumeAll, tongue.resume_all()));
    } else if is_moving {
        entries.push(MenuEntry::action(Choice::PauseAll, tongue.pause_all()));
    }
    if entries.len() > before {
        entries.push(MenuEntry::Separator);
    }
    if !state.registries.is_empty() {
        entries.extend(push_entry(&state.registries, &state.engine, tongue));
        entries.push(address_entry(&state.registries, tongue));
        entries.push(MenuEntry::action(Choice::Open(Some(Wish::Setup)), tongue.set_up()));
        entries.push(MenuEntry::Separator);
    }
    let newer = state.updates.last.as_ref().and_then(|last| last.release.as_ref());
    entries.extend(newer.map(|release| {
        let text = shortened(&tongue.see_newer_version(&release.version));
        MenuEntry::action(Choice::Open(Some(Wish::Settings)), text)
    }));
    entries.push(MenuEntry::action(Choice::Open(None), tongue.open()));
    if let Some(on) = state.settings.start_at_login {
        let (choice, text) = (Choice::StartAtLogin(!on), tongue.start_at_login().to_owned());
        entries.push(MenuEntry::Check { choice, text, on });
    }
    let interrupted = if is_owner { interrupted(state, tongue) } else { Vec::new() };
    entries.push(match interrupted.is_empty() {
        true => MenuEntry::action(Choice::Quit, tongue.quit()),
        false => {
            MenuEntry::action(Choice::Quit, shortened(&tongue.quit_interrupting(&interrupted.join(", "))))
        }
    });
    entries
}

/// The engine's newest images; below each registry, where there are several.
fn push_entry(registries: &[RegistryView], engine: &EngineView, tongue: Tongue) -> Option<MenuEntry> {
    let recent: Vec<&String> =
        engine.images.iter().filter_map(|image| image.tags.first()).take(RECENT_IMAGES).collect();
    let images = |registry: &RegistryName| {
        let push = |image: &String| Choice::Push { image: image.clone(), registry: registry.clone() };
        recent.iter().map(|image| MenuEntry::action(push(image), image.as_str())).collect::<Vec<_>>()
    };
    match registries {
        _ if recent.is_empty() => None,
        [] => None,
        [only] => {
            let name = &only.spec.name;
            Some(MenuEntry::Submenu { text: tongue.push_to(name.as_str()), entries: images(name) })
        }
        several => {
            let below = several.iter().map(|registry| {
                let name = &registry.spec.name;
                MenuEntry::Submenu { text: name.to_string(), entries: images(name) }
            });
            Some(MenuEntry::Submenu { text: tongue.push().to_owned(), entries: below.collect() })
        }
    }
}

fn address_entry(registries: &[RegistryView], tongue: Tongue) -> MenuEntry {
    let copy = |registry: &RegistryView| Choice::CopyAddress(registry.spec.authority());
    match registries {
        [only] => {
            MenuEntry::action(copy(only), format!("{} {}", tongue.copy_address(), only.spec.authority()))
        }
        several => {
            let lines = several.iter().map(|one| MenuEntry::action(copy(one), one.spec.authority()));
            MenuEntry::Submenu { text: tongue.copy_address().to_owned(), entries: lines.collect() }
        }
    }
}

/// What the end of the tunnels would break off: transfers, and what other programs do through them.
fn interrupted(state: &Snapshot, tongue: Tongue) -> Vec<String> {
    let moving = state.transfers.iter().filter(|transfer| match transfer.state {
        TransferState::Waiting
        | TransferState::Paused
        | TransferState::Running
        | TransferState::Verifying => true,
        TransferState::Done { .. } | TransferState::Failed { .. } | TransferState::Cancelled => false,
    });
    let mut said = Vec::new();
    said.extend(counted(moving.count(), tongue.transfers()));
    let others =
        state.registries.iter().flat_map(|registry| &registry.tunnel.leases).filter(|lease| {
            matches!(lease.holder, LeaseHolder::Connection { .. } | LeaseHolder::Face { .. })
        });
    let others: Vec<LeaseView> = others.cloned().collect();
    said.extend(holders(&others, &[], tongue));
    said
}

/// What went wrong. What to do about it is in the window.
fn failure(error: &UiError, tongue: Tongue) -> MenuEntry {
    MenuEntry::note(&sentences::message(error, tongue))
}

fn registry_entries(registry: &RegistryView, transfers: &[TransferView], tongue: Tongue) -> Vec<MenuEntry> {
    let name = &registry.spec.name;
    if !registry.spec.has_tunnel() {
        return vec![MenuEntry::Note { text: tongue.direct(name.as_str()) }];
    }
    let holders = holders(&registry.tunnel.leases, transfers, tongue);
    let connect = || MenuEntry::action(Choice::Connect(name.clone()), tongue.connect(name.as_str()));
    let disconnect = || disconnect(registry, &holders, tongue);
    let said = |state: &str| match holders.is_empty() {
        true => state.to_owned(),
        false => tongue.state_for(state, &holders.join(", ")),
    };
    let mut entries = match &registry.tunnel.state {
        TunnelState::Idle | TunnelState::Closing => vec![connect()],
        TunnelState::Connecting { .. } => {
            vec![disconnect(), MenuEntry::note(&said(tongue.connecting()))]
        }
        TunnelState::Up { .. } => {
            let mut entries = vec![disconnect(), MenuEntry::note(&said(tongue.is_open()))];
            let detour = registry.tunnel.route.as_ref().and_then(|route| tongue.detour(route));
            entries.extend(detour.map(|detour| MenuEntry::note(&detour)));
            entries
        }
        TunnelState::Lingering { .. } => {
            vec![disconnect(), MenuEntry::note(tongue.unused())]
        }
        TunnelState::Reconnecting { error, .. } => {
            vec![disconnect(), MenuEntry::note(&said(tongue.reconnecting())), failure(error, tongue)]
        }
        TunnelState::Failed { error } => vec![connect(), failure(error, tongue)],
    };
    if let Some(error) = &registry.tunnel.listener_error {
        entries.push(failure(error, tongue));
    }
    entries
}

fn offer_entries(offer: &OfferView, tongue: Tongue) -> Vec<MenuEntry> {
    let host = &offer.spec.ssh.host;
    let stop = MenuEntry::action(Choice::Withdraw(offer.id), tongue.stop_offering(host));
    let note = match (&offer.state, &offer.error) {
        (OfferState::Connecting, _) => MenuEntry::note(tongue.connecting()),
        (OfferState::Offering { .. }, Some(error)) => failure(error, tongue),
        (OfferState::Offering { .. }, None) => {
            MenuEntry::note(&tongue.offering(&offer.spec.to.to_string(), offer.spec.port))
        }
        (OfferState::Reconnecting { error, .. } | OfferState::Failed { error }, _) => failure(error, tongue),
    };
    vec![stop, note]
}

/// Disconnect lets go of the person's own lease. Where there is none, only force closes the tunnel, and then the
/// entry names whom that cuts off.
fn disconnect(registry: &RegistryView, holders: &[String], tongue: Tongue) -> MenuEntry {
    let name = &registry.spec.name;
    let leases = &registry.tunnel.leases;
    if leases.is_empty() || leases.iter().any(|lease| lease.holder == LeaseHolder::Manual) {
        MenuEntry::action(Choice::Disconnect(name.clone()), tongue.disconnect(name.as_str()))
    } else {
        let text = tongue.disconnect_others(name.as_str(), &holders.join(", "));
        MenuEntry::action(Choice::DisconnectOthers(name.clone()), text)
    }
}

/// Whether nothing happens to it by itself.
fn is_at_rest(state: &TransferState) -> bool {
    state.is_final() || matches!(state, TransferState::Paused)
}

/// One line for a transfer that is still going on.
fn transfer_text(transfer: &TransferView, tongue: Tongue) -> Option<String> {
    let doing = tongue.doing(transfer.kind, &transfer.source);
    match &transfer.state {
        TransferState::Waiting => Some(format!("{doing}: {}", tongue.waiting())),
        TransferState::Paused => Some(format!("{doing}: {}", tongue.paused())),
        TransferState::Running => Some(match (transfer.share, transfer.sent / MEGABYTE) {
            (Some(share), _) => format!("{doing}: {} %", share / 10),
            // Podman tells of no bytes; the tunnel counts them. In whole ones: each change is a new menu.
            (None, megabytes @ 1..) => format!("{doing}: {}", tongue.crossed(transfer.kind, megabytes)),
            (None, 0) => doing,
        }),
        TransferState::Verifying => Some(format!("{doing}: {}", tongue.verifying())),
        TransferState::Done { .. } | TransferState::Failed { .. } | TransferState::Cancelled => None,
    }
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;

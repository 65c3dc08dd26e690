//! What the tray's menu says: a pure function of the state.

use crate::{choice::Choice, words::Wish};
use dockline_model::{
    EngineView, LeaseHolder, LeaseView, OfferState, OfferView, RegistryName, RegistryView, Snapshot,
    TransferKind, TransferState, TransferView, TunnelState, UiError,
};
use std::collections::BTreeMap;

/// Longest error that is put in the menu, in characters; the window shows all of it.
const LONGEST_NOTE: usize = 72;

/// Images that are offered for a push; the window shows all of them.
const RECENT_IMAGES: usize = 10;

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuEntry {
    /// Can be clicked.
    Action {
        /// What a click does.
        choice: Choice,
        /// What it says.
        text: String,
    },
    /// Can be clicked, and is on or off.
    Check {
        /// What a click does.
        choice: Choice,
        /// What it says.
        text: String,
        /// Which of the two.
        on: bool,
    },
    /// Says something; cannot be clicked.
    Note {
        /// What it says.
        text: String,
    },
    /// Has more lines beside it.
    Submenu {
        /// What it says.
        text: String,
        /// The lines.
        entries: Vec<MenuEntry>,
    },
    /// A line between groups.
    Separator,
}

impl MenuEntry {
    fn action(choice: Choice, text: impl Into<String>) -> Self {
        Self::Action { choice, text: text.into() }
    }

    /// A note belongs to the entry above it, and is indented to show that.
    fn note(text: &str) -> Self {
        Self::Note { text: format!("    {}", shortened(text)) }
    }

    /// The entry's text; none for a separator.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Action { text, .. }
            | Self::Check { text, .. }
            | Self::Note { text }
            | Self::Submenu { text, .. } => Some(text),
            Self::Separator => None,
        }
    }

    /// What a click does, if anything.
    #[must_use]
    pub fn choice(&self) -> Option<&Choice> {
        match self {
            Self::Action { choice, .. } | Self::Check { choice, .. } => Some(choice),
            Self::Note { .. } | Self::Submenu { .. } | Self::Separator => None,
        }
    }

    /// The lines beside it.
    #[must_use]
    pub fn entries(&self) -> &[Self] {
        match self {
            Self::Submenu { entries, .. } => entries,
            Self::Action { .. } | Self::Check { .. } | Self::Note { .. } | Self::Separator => &[],
        }
    }

    /// Takes the lines beside it out of it.
    #[must_use]
    pub fn take_entries(&mut self) -> Vec<Self> {
        match self {
            Self::Submenu { entries, .. } => std::mem::take(entries),
            Self::Action { .. } | Self::Check { .. } | Self::Note { .. } | Self::Separator => Vec::new(),
        }
    }

    /// Whether `other` differs in nothing but what it says (and what is beside it), so that an open menu can be kept.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Action { choice: one, .. }, Self::Action { choice: two, .. }) => one == two,
            (Self::Check { .. }, Self::Check { .. })
            | (Self::Note { .. }, Self::Note { .. })
            | (Self::Submenu { .. }, Self::Submenu { .. })
            | (Self::Separator, Self::Separator) => true,
            (
                Self::Action { .. }
                | Self::Check { .. }
                | Self::Note { .. }
                | Self::Submenu { .. }
                | Self::Separator,
                _,
            ) => false,
        }
    }
}

/// On one line, of a length that a menu can have.
fn shortened(text: &str) -> String {
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() > LONGEST_NOTE {
        text = text.chars().take(LONGEST_NOTE - 1).collect::<String>();
        text.truncate(text.trim_end().len());
        text.push('…');
    }
    text
}

/// The menu before anything is known.
#[must_use]
pub fn while_opening() -> Vec<MenuEntry> {
    let mut entries = vec![MenuEntry::Note { text: "Starting…".to_owned() }, MenuEntry::Separator];
    entries.extend(last_entries());
    entries
}

/// The menu while there is no owner to ask.
#[must_use]
pub fn menu_without_owner(error: &UiError) -> Vec<MenuEntry> {
    let mut entries = vec![MenuEntry::note(&error.message), MenuEntry::Separator];
    entries.extend(last_entries());
    entries
}

fn last_entries() -> [MenuEntry; 2] {
    [MenuEntry::action(Choice::Open(None), "Open Dockline"), MenuEntry::action(Choice::Quit, "Quit Dockline")]
}

/// The whole menu. `is_owner` says whether the tunnels end with this program.
#[must_use]
pub fn menu(state: &Snapshot, is_owner: bool) -> Vec<MenuEntry> {
    let mut entries = Vec::new();
    for registry in &state.registries {
        entries.extend(registry_entries(registry, &state.transfers));
    }
    entries.extend(state.offers.iter().flat_map(offer_entries));
    if state.registries.is_empty() && state.offers.is_empty() {
        entries.push(MenuEntry::Note { text: "No registry yet".to_owned() });
    }
    if state.config_error.is_some() {
        entries.push(MenuEntry::Note { text: "The configuration cannot be read".to_owned() });
    }
    entries.push(MenuEntry::Separator);
    let before = entries.len();
    entries.extend(state.transfers.iter().filter_map(transfer_text).map(|text| MenuEntry::Note { text }));
    let is_moving = entries.len() > before;
    if state.paused {
        entries.push(MenuEntry::action(Choice::ResumeAll, "Resume transfers"));
    } else if is_moving {
        entries.push(MenuEntry::action(Choice::PauseAll, "Pause all transfers"));
    }
    if entries.len() > before {
        entries.push(MenuEntry::Separator);
    }
    if !state.registries.is_empty() {
        entries.extend(push_entry(&state.registries, &state.engine));
        entries.push(address_entry(&state.registries));
        entries.push(MenuEntry::action(Choice::Open(Some(Wish::Setup)), "Make docker push work here…"));
        entries.push(MenuEntry::Separator);
    }
    entries.push(MenuEntry::action(Choice::Open(None), "Open Dockline"));
    if let Some(on) = state.settings.start_at_login {
        let (choice, text) = (Choice::StartAtLogin(!on), "Start at login".to_owned());
        entries.push(MenuEntry::Check { choice, text, on });
    }
    let interrupted = if is_owner { interrupted(state) } else { Vec::new() };
    entries.push(match interrupted.is_empty() {
        true => MenuEntry::action(Choice::Quit, "Quit Dockline"),
        false => {
            let text = shortened(&format!("Quit Dockline (interrupts {})", interrupted.join(", ")));
            MenuEntry::action(Choice::Quit, text)
        }
    });
    entries
}

/// The engine's newest images; below each registry, where there are several.
fn push_entry(registries: &[RegistryView], engine: &EngineView) -> Option<MenuEntry> {
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
            Some(MenuEntry::Submenu { text: format!("Push to {name}"), entries: images(name) })
        }
        several => {
            let below = several.iter().map(|registry| {
                let name = &registry.spec.name;
                MenuEntry::Submenu { text: name.to_string(), entries: images(name) }
            });
            Some(MenuEntry::Submenu { text: "Push".to_owned(), entries: below.collect() })
        }
    }
}

fn address_entry(registries: &[RegistryView]) -> MenuEntry {
    let copy = |registry: &RegistryView| Choice::CopyAddress(registry.spec.authority());
    match registries {
        [only] => MenuEntry::action(copy(only), format!("Copy address {}", only.spec.authority())),
        several => {
            let lines = several.iter().map(|one| MenuEntry::action(copy(one), one.spec.authority()));
            MenuEntry::Submenu { text: "Copy address".to_owned(), entries: lines.collect() }
        }
    }
}

/// What the end of the tunnels would break off: transfers, and what other programs do through them.
fn interrupted(state: &Snapshot) -> Vec<String> {
    let moving = state.transfers.iter().filter(|transfer| match transfer.state {
        TransferState::Waiting
        | TransferState::Paused
        | TransferState::Running
        | TransferState::Verifying => true,
        TransferState::Done { .. } | TransferState::Failed { .. } | TransferState::Cancelled => false,
    });
    let mut said = Vec::new();
    said.extend(counted(moving.count(), "transfer", "transfers"));
    let others =
        state.registries.iter().flat_map(|registry| &registry.tunnel.leases).filter(|lease| {
            matches!(lease.holder, LeaseHolder::Connection { .. } | LeaseHolder::Face { .. })
        });
    let others: Vec<LeaseView> = others.cloned().collect();
    said.extend(holders(&others, &[]));
    said
}

fn registry_entries(registry: &RegistryView, transfers: &[TransferView]) -> Vec<MenuEntry> {
    let name = &registry.spec.name;
    let holders = holders(&registry.tunnel.leases, transfers);
    let connect = || MenuEntry::action(Choice::Connect(name.clone()), format!("Connect to {name}"));
    let mut entries = match &registry.tunnel.state {
        TunnelState::Idle | TunnelState::Closing => vec![connect()],
        TunnelState::Connecting { .. } => {
            vec![disconnect(registry, &holders), MenuEntry::note(&said("connecting", &holders))]
        }
        TunnelState::Up { .. } => {
            let mut entries = vec![disconnect(registry, &holders), MenuEntry::note(&said("open", &holders))];
            let detour = registry.tunnel.route.as_ref().and_then(|route| route.detour());
            entries.extend(detour.map(|detour| MenuEntry::note(&detour)));
            entries
        }
        TunnelState::Lingering { .. } => {
            vec![disconnect(registry, &holders), MenuEntry::note("unused, closes by itself")]
        }
        TunnelState::Reconnecting { error, .. } => vec![
            disconnect(registry, &holders),
            MenuEntry::note(&said("reconnecting", &holders)),
            MenuEntry::note(&error.message),
        ],
        TunnelState::Failed { error } => vec![connect(), MenuEntry::note(&error.message)],
    };
    if let Some(error) = &registry.tunnel.listener_error {
        entries.push(MenuEntry::note(&error.message));
    }
    entries
}

fn offer_entries(offer: &OfferView) -> Vec<MenuEntry> {
    let host = &offer.spec.ssh.host;
    let stop = MenuEntry::action(Choice::Withdraw(offer.id), format!("Stop offering to {host}"));
    let note = match (&offer.state, &offer.error) {
        (OfferState::Connecting, _) => "connecting".to_owned(),
        (OfferState::Offering { .. }, Some(error)) => error.message.clone(),
        (OfferState::Offering { .. }, None) => {
            format!("offering {} at its port {}", offer.spec.to, offer.spec.port)
        }
        (OfferState::Reconnecting { error, .. } | OfferState::Failed { error }, _) => error.message.clone(),
    };
    vec![stop, MenuEntry::note(&note)]
}

/// Disconnect lets go of the person's own lease. Where there is none, only force closes the tunnel, and then the
/// entry names whom that cuts off.
fn disconnect(registry: &RegistryView, holders: &[String]) -> MenuEntry {
    let name = &registry.spec.name;
    let leases = &registry.tunnel.leases;
    if leases.is_empty() || leases.iter().any(|lease| lease.holder == LeaseHolder::Manual) {
        MenuEntry::action(Choice::Disconnect(name.clone()), format!("Disconnect {name}"))
    } else {
        let text = format!("Disconnect {name} (cuts off {})", holders.join(", "));
        MenuEntry::action(Choice::DisconnectOthers(name.clone()), text)
    }
}

fn said(state: &str, holders: &[String]) -> String {
    if holders.is_empty() { state.to_owned() } else { format!("{state} for {}", holders.join(", ")) }
}

/// `you`, `dockerd`, `2 pushes`: each kind of holder once, the person first, programs by name, transfers last.
fn holders(leases: &[LeaseView], transfers: &[TransferView]) -> Vec<String> {
    let (mut manual, mut terminals, mut pushes, mut pulls) = (false, 0_usize, 0_usize, 0_usize);
    let mut programs = BTreeMap::<&str, usize>::new();
    for lease in leases {
        match &lease.holder {
            // The person's own, in this window most of the time.
            LeaseHolder::Manual | LeaseHolder::Visit => manual = true,
            LeaseHolder::Face { .. } => terminals += 1,
            LeaseHolder::Transfer { id } => match transfers.iter().find(|t| t.id == *id).map(|t| t.kind) {
                Some(TransferKind::Pull) => pulls += 1,
                Some(TransferKind::Push | TransferKind::Ship | TransferKind::Copy) | None => pushes += 1,
            },
            LeaseHolder::Connection { .. } => {
                *programs.entry(lease.program.as_deref().unwrap_or("a program")).or_default() += 1;
            }
        }
    }
    let mut said = Vec::new();
    said.extend(manual.then(|| "you".to_owned()));
    said.extend(counted(terminals, "terminal", "terminals"));
    said.extend(programs.into_keys().map(str::to_owned));
    said.extend(counted(pushes, "push", "pushes"));
    said.extend(counted(pulls, "pull", "pulls"));
    said
}

fn counted(count: usize, one: &str, many: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        more => Some(format!("{more} {many}")),
    }
}

/// One line for a transfer that is still going on.
fn transfer_text(transfer: &TransferView) -> Option<String> {
    let doing = match transfer.kind {
        TransferKind::Push => "Pushing",
        TransferKind::Pull => "Pulling",
        TransferKind::Ship => "Shipping",
        TransferKind::Copy => "Copying",
    };
    let what = &transfer.source;
    match &transfer.state {
        TransferState::Waiting => Some(format!("{doing} {what}: waiting")),
        TransferState::Paused => Some(format!("{doing} {what}: halted")),
        TransferState::Running => Some(match percent(transfer) {
            Some(percent) => format!("{doing} {what}: {percent} %"),
            None => format!("{doing} {what}"),
        }),
        TransferState::Verifying => Some(format!("{doing} {what}: comparing digests")),
        TransferState::Done { .. } | TransferState::Failed { .. } | TransferState::Cancelled => None,
    }
}

/// Whole percent, rounded down: 100 only when all of it is there.
fn percent(transfer: &TransferView) -> Option<u64> {
    let current = u128::from(transfer.current.min(transfer.total));
    let percent = (current * 100).checked_div(u128::from(transfer.total))?;
    u64::try_from(percent).ok()
}

#[cfg(test)]
#[path = "menu_tests.rs"]
mod tests;

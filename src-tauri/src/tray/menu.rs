//! What the tray's menu says: a pure function of the state.

use dockline_model::{
    LeaseHolder, LeaseView, OfferId, OfferState, OfferView, RegistryName, RegistryView, Snapshot,
    TransferKind, TransferState, TransferView, TunnelState, UiError,
};
use std::collections::BTreeMap;

/// Longest error that is put in the menu, in characters; the window shows all of it.
const LONGEST_NOTE: usize = 72;

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuEntry {
    /// Can be clicked.
    Action {
        /// What a click does.
        action: MenuAction,
        /// What it says.
        text: String,
    },
    /// Says something; cannot be clicked.
    Note {
        /// What it says.
        text: String,
    },
    /// A line between groups.
    Separator,
}

/// What a click does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MenuAction {
    /// Take the manual lease.
    Connect(RegistryName),
    /// Drop the manual lease; what others hold stays up.
    Disconnect(RegistryName),
    /// Close a tunnel that only others hold. The text says whom that interrupts.
    DisconnectOthers(RegistryName),
    /// Take an offer back. The text says whose.
    Withdraw(OfferId),
    /// Hold back what waits, and halt what can be halted.
    PauseAll,
    /// Let it go on.
    ResumeAll,
    /// Show what docker push needs on this machine.
    Setup,
    /// Show the window.
    OpenWindow,
    /// End the app.
    Quit,
}

impl MenuAction {
    /// The text by which the toolkit names the entry.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::Connect(registry) => format!("connect:{registry}"),
            Self::Disconnect(registry) => format!("disconnect:{registry}"),
            Self::DisconnectOthers(registry) => format!("disconnect-others:{registry}"),
            Self::Withdraw(OfferId(id)) => format!("withdraw:{id}"),
            Self::PauseAll => "pause-all".to_owned(),
            Self::ResumeAll => "resume-all".to_owned(),
            Self::Setup => "setup".to_owned(),
            Self::OpenWindow => "open".to_owned(),
            Self::Quit => "quit".to_owned(),
        }
    }

    /// Reads [`Self::id`] back; `None` for anything else.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        match id {
            "pause-all" => return Some(Self::PauseAll),
            "resume-all" => return Some(Self::ResumeAll),
            "setup" => return Some(Self::Setup),
            "open" => return Some(Self::OpenWindow),
            "quit" => return Some(Self::Quit),
            _ => {}
        }
        let (verb, registry) = id.split_once(':')?;
        if verb == "withdraw" {
            return Some(Self::Withdraw(OfferId(registry.parse().ok()?)));
        }
        let registry = registry.parse().ok()?;
        match verb {
            "connect" => Some(Self::Connect(registry)),
            "disconnect" => Some(Self::Disconnect(registry)),
            "disconnect-others" => Some(Self::DisconnectOthers(registry)),
            _ => None,
        }
    }
}

impl MenuEntry {
    fn action(action: MenuAction, text: impl Into<String>) -> Self {
        Self::Action { action, text: text.into() }
    }

    /// A note belongs to the entry above it, and is indented to show that.
    fn note(text: &str) -> Self {
        let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() > LONGEST_NOTE {
            text = text.chars().take(LONGEST_NOTE - 1).collect::<String>();
            text.truncate(text.trim_end().len());
            text.push('…');
        }
        Self::Note { text: format!("    {text}") }
    }

    /// The entry's text; none for a separator.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Action { text, .. } | Self::Note { text } => Some(text),
            Self::Separator => None,
        }
    }

    /// Whether `other` differs in nothing but its text, so that an open menu can be kept.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Action { action: one, .. }, Self::Action { action: two, .. }) => one == two,
            (Self::Note { .. }, Self::Note { .. }) | (Self::Separator, Self::Separator) => true,
            (Self::Action { .. } | Self::Note { .. } | Self::Separator, _) => false,
        }
    }
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
    [
        MenuEntry::action(MenuAction::OpenWindow, "Open Dockline"),
        MenuEntry::action(MenuAction::Quit, "Quit Dockline"),
    ]
}

/// The whole menu.
#[must_use]
pub fn menu(state: &Snapshot) -> Vec<MenuEntry> {
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
        entries.push(MenuEntry::action(MenuAction::ResumeAll, "Resume transfers"));
    } else if is_moving {
        entries.push(MenuEntry::action(MenuAction::PauseAll, "Pause all transfers"));
    }
    if entries.len() > before {
        entries.push(MenuEntry::Separator);
    }
    if !state.registries.is_empty() {
        entries.push(MenuEntry::action(MenuAction::Setup, "Make docker push work here…"));
    }
    entries.extend(last_entries());
    entries
}

fn registry_entries(registry: &RegistryView, transfers: &[TransferView]) -> Vec<MenuEntry> {
    let name = &registry.spec.name;
    let holders = holders(&registry.tunnel.leases, transfers);
    let connect = || MenuEntry::action(MenuAction::Connect(name.clone()), format!("Connect to {name}"));
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
    let stop = MenuEntry::action(MenuAction::Withdraw(offer.id), format!("Stop offering to {host}"));
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
        MenuEntry::action(MenuAction::Disconnect(name.clone()), format!("Disconnect {name}"))
    } else {
        let text = format!("Disconnect {name} (cuts off {})", holders.join(", "));
        MenuEntry::action(MenuAction::DisconnectOthers(name.clone()), text)
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
    let counted = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        more => Some(format!("{more} {many}")),
    };
    let mut said = Vec::new();
    said.extend(manual.then(|| "you".to_owned()));
    said.extend(counted(terminals, "terminal", "terminals"));
    said.extend(programs.into_keys().map(str::to_owned));
    said.extend(counted(pushes, "push", "pushes"));
    said.extend(counted(pulls, "pull", "pulls"));
    said
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

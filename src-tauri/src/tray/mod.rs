//! The tray icon and its menu, made to look like what [`mod@menu`] and [`icon_state`] say.

mod layout;
mod linux;
mod menu;
mod picture;
mod state;
mod tone;

pub use menu::{MenuEntry, menu, menu_without_owner, while_opening};
pub use state::{IconState, icon_state};

use crate::choice::Choice;
use std::time::Duration;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// How long a starting desktop may take to bring up its tray.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The menu.
    pub entries: Vec<MenuEntry>,
    /// The icon's shape.
    pub icon: IconState,
}

/// The icon in the tray. Cheap to clone; it goes with the last clone.
#[derive(Debug, Clone)]
pub struct Tray {
    looks: watch::Sender<Look>,
    in_tray: watch::Receiver<bool>,
}

impl Tray {
    /// Puts the icon into the tray as soon as the desktop has one. `choices` gets every choice from the menu.
    #[must_use]
    pub fn start(look: Look, choices: mpsc::UnboundedSender<Choice>) -> Self {
        let (looks, changes) = watch::channel(look);
        let (placed, in_tray) = watch::channel(false);
        tokio::spawn(async move {
            if let Err(error) = linux::keep(changes, choices, placed).await {
                tracing::warn!(%error, "there is no session bus, and so no tray");
            }
        });
        Self { looks, in_tray }
    }

    /// Shows something else.
    pub fn show(&self, look: Look) {
        self.looks.send_if_modified(|shown| {
            let is_different = *shown != look;
            *shown = look;
            is_different
        });
    }

    /// Whether the icon is in a tray or comes into one within seconds, as it does while a desktop session is starting.
    /// Without one a hidden start would show nothing whatever.
    pub async fn appears(&self) -> bool {
        let mut in_tray = self.in_tray.clone();
        timeout(PATIENCE, in_tray.wait_for(|is_in| *is_in)).await.is_ok_and(|seen| seen.is_ok())
    }
}

//! The tray icon and its menu, made to look like what [`mod@menu`] and [`icon_state`] say.

mod entry;
mod holders;
mod layout;
#[cfg(target_os = "linux")]
mod linux;
mod menu;
#[cfg(any(target_os = "macos", windows))]
mod native;
mod picture;
mod state;
#[cfg(any(target_os = "macos", windows, test))]
mod steps;
mod tone;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(any(target_os = "macos", windows))]
use native as platform;

pub use platform::{Bar, beside};

pub use entry::MenuEntry;
pub use menu::{menu, menu_without_owner, while_opening};
pub use state::{IconState, icon_state};

use crate::{choice::Choice, strings::Tongue};
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
    /// What the icon's tooltip is said in.
    pub tongue: Tongue,
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
    pub fn start(bar: Bar, look: Look, choices: mpsc::UnboundedSender<Choice>) -> Self {
        let (looks, changes) = watch::channel(look);
        let (placed, in_tray) = watch::channel(false);
        tokio::spawn(platform::keep(bar, changes, choices, placed));
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
        self.is_placed_within(PATIENCE).await
    }

    /// Whether the icon is in a tray, or comes into one within that time.
    pub async fn is_placed_within(&self, time: Duration) -> bool {
        let mut in_tray = self.in_tray.clone();
        timeout(time, in_tray.wait_for(|is_in| *is_in)).await.is_ok_and(|seen| seen.is_ok())
    }
}

//! What the desktop does with the state: page, tray, notifications, and the window when a question needs it.

use crate::{
    bridge::{self, Bridge, Wish},
    notifications, session, state,
    tray::{self, IconState, MenuAction, MenuEntry, Tray},
    window,
};
use dockline_model::{Command, Event, Snapshot, UiError};
use std::time::Duration;
use tauri::{AppHandle, Manager};

/// How long quitting waits for tunnels and transfers to end in order.
const ORDERLY_END: Duration = Duration::from_secs(5);

/// The face that the desktop app shows.
pub struct Desktop {
    app: AppHandle,
    tray: Tray,
}

impl Desktop {
    /// A desktop that shows the state in `tray` and in `app`'s window.
    #[must_use]
    pub const fn new(app: AppHandle, tray: Tray) -> Self {
        Self { app, tray }
    }

    fn show(&mut self, entries: Vec<MenuEntry>, state: IconState) {
        if let Err(error) = self.tray.show(entries, state) {
            tracing::warn!(%error, "the tray cannot be changed");
        }
    }
}

impl session::Face for Desktop {
    async fn changed(&mut self, event: &Event, before: &Snapshot, after: &Snapshot) {
        bridge::tell_page(&self.app, event);
        self.show(tray::menu(after), tray::icon_state(after));
        if state::asks_something_new(before, after) {
            window::open(&self.app);
        }
        let notices = notifications::notifications_for(before, after);
        if !notices.is_empty() && !window::is_watched(&self.app) {
            // The desktop may take its time; the next event must not wait for it.
            tauri::async_runtime::spawn(notifications::show(notices));
        }
    }

    fn broken(&mut self, error: &UiError) {
        self.show(tray::menu_without_owner(error), IconState::Error);
    }

    fn dismissed(&mut self) {
        quit(&self.app);
    }
}

/// Carries out a choice from the tray's menu.
pub fn clicked(app: &AppHandle, action: MenuAction) {
    let command = match action {
        MenuAction::Connect(registry) => Command::Connect { registry, hold: false },
        MenuAction::Disconnect(registry) => Command::Disconnect { registry, force: false },
        MenuAction::Withdraw(offer) => Command::Withdraw { offer },
        MenuAction::DisconnectOthers(registry) => Command::Disconnect { registry, force: true },
        MenuAction::PauseAll => Command::PauseAll,
        MenuAction::ResumeAll => Command::ResumeAll,
        MenuAction::Setup => return bridge::wish(app, Wish::Setup),
        MenuAction::OpenWindow => return window::open(app),
        MenuAction::Quit => return quit(app),
    };
    let bridge = app.state::<Bridge>().inner().clone();
    tauri::async_runtime::spawn(async move {
        // How it went is part of the state, which the tray, the window and a notification show.
        if let Err(error) = bridge.request(command).await {
            tracing::info!(%error, "a choice from the tray failed");
        }
    });
}

/// Ends the app: its session in order, if that does not take long.
pub fn quit(app: &AppHandle) {
    let (app, bridge) = (app.clone(), app.state::<Bridge>().inner().clone());
    tauri::async_runtime::spawn(async move {
        let orderly = tokio::time::timeout(ORDERLY_END, async {
            if let Ok(session) = bridge.session().await {
                session.close().await;
            }
        });
        if orderly.await.is_err() {
            tracing::warn!("the session did not end within 5 seconds; leaving anyway");
        }
        app.exit(0);
    });
}

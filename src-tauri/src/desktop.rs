//! What the desktop shows of the state: tray, notifications, and the window when a question needs it.

use crate::{
    awake::Awake,
    notifications,
    notifier::Notifier,
    session, state,
    strings::Tongue,
    tray::{self, IconState, Look, Tray},
    window::Window,
};
use dockline_model::{Snapshot, UiError};

/// The face that the tray's program shows.
pub struct Desktop {
    tray: Tray,
    window: Window,
    notifier: Notifier,
    awake: Awake,
    /// What was spoken last.
    tongue: Tongue,
}

impl Desktop {
    /// A desktop that shows the state in `tray`, and news with `notifier`.
    #[must_use]
    pub fn new(tray: Tray, window: Window, notifier: Notifier) -> Self {
        Self { tray, window, notifier, awake: Awake::default(), tongue: Tongue::of_system() }
    }
}

impl session::Face for Desktop {
    fn changed(&mut self, before: &Snapshot, after: &Snapshot, is_owner: bool) {
        let tongue = Tongue::of(after.settings.language);
        self.tongue = tongue;
        self.awake.follow(after);
        self.tray.show(Look {
            entries: tray::menu(after, is_owner, tongue),
            icon: tray::icon_state(after),
            tongue,
        });
        if state::asks_something_new(before, after) {
            self.window.open(None);
        }
        let notices = notifications::notifications_for(before, after, tongue);
        // Whoever looks at the window is told by its page, whichever one it shows.
        if !self.window.is_watched() {
            for notice in notices {
                self.notifier.show(notice);
            }
        }
    }

    fn broken(&mut self, error: &UiError) {
        let tongue = self.tongue;
        self.awake.rest();
        let entries = tray::menu_without_owner(error, tongue);
        self.tray.show(Look { entries, icon: IconState::Error, tongue });
    }
}

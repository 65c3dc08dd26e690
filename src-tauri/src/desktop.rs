//! What the desktop shows of the state: tray, notifications, and the window when a question needs it.

use crate::{
    notifications,
    notifier::Notifier,
    session, state,
    tray::{self, IconState, Look, Tray},
    window::Window,
};
use dockline_model::{Snapshot, UiError};

/// The face that the tray's program shows.
pub struct Desktop {
    tray: Tray,
    window: Window,
    notifier: Notifier,
}

impl Desktop {
    /// A desktop that shows the state in `tray`, and news with `notifier`.
    #[must_use]
    pub const fn new(tray: Tray, window: Window, notifier: Notifier) -> Self {
        Self { tray, window, notifier }
    }
}

impl session::Face for Desktop {
    fn changed(&mut self, before: &Snapshot, after: &Snapshot, is_owner: bool) {
        self.tray.show(Look { entries: tray::menu(after, is_owner), icon: tray::icon_state(after) });
        if state::asks_something_new(before, after) {
            self.window.open(None);
        }
        let notices = notifications::notifications_for(before, after);
        if !self.window.is_watched() {
            for notice in notices {
                self.notifier.show(notice);
            }
        }
    }

    fn broken(&mut self, error: &UiError) {
        self.tray.show(Look { entries: tray::menu_without_owner(error), icon: IconState::Error });
    }
}

//! Shows notices through the desktop, and hears what is clicked on them.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(any(target_os = "macos", windows))]
mod native;
#[cfg(target_os = "linux")]
use linux as platform;
#[cfg(any(target_os = "macos", windows))]
use native as platform;

use crate::{choice::Choice, notifications::Notice};
use tokio::sync::mpsc;

/// The way to the desktop's notifications. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Notifier(mpsc::UnboundedSender<Notice>);

impl Notifier {
    /// What is clicked on a notification goes to `choices`.
    #[must_use]
    pub fn start(choices: mpsc::UnboundedSender<Choice>) -> Self {
        let (notices, coming) = mpsc::unbounded_channel();
        tokio::spawn(platform::serve(coming, choices));
        Self(notices)
    }

    /// Shows one. The desktop may take its time; nobody waits for it.
    pub fn show(&self, notice: Notice) {
        if self.0.send(notice).is_err() {
            tracing::debug!("the app is ending");
        }
    }
}

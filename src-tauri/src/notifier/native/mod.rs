//! macOS and Windows, through notify-rust: a notification, its button, and what is clicked on it.
//!
//! The library waits for a click on the thread that showed the notification, and knows no other way to hear of one. So each
//! has a thread of its own until it is clicked or gone.

#[cfg(target_os = "macos")]
mod macos;
#[cfg(windows)]
mod windows;
#[cfg(target_os = "macos")]
use macos as system;
#[cfg(windows)]
use windows as system;

use crate::{
    choice::Choice,
    notifications::{self, Notice},
};
use notify_rust::{Notification, NotificationResponse};
use std::{sync::Arc, thread};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

/// What the system knows the app by, as its packages have it (`tauri.conf.json`).
const APP: &str = "org.dockline.desktop";
/// The button's name.
const REMEDY: &str = "remedy";
/// Notifications whose clicks are waited for: a person may leave any number of them where they are.
const WAITED_FOR: usize = 20;

/// Shows what is `coming`, until that has no sender any more.
pub async fn serve(mut coming: mpsc::UnboundedReceiver<Notice>, choices: mpsc::UnboundedSender<Choice>) {
    let waited_for = Arc::new(Semaphore::new(WAITED_FOR));
    let mut is_known = None;
    while let Some(notice) = coming.recv().await {
        // The window and the tray say the same.
        if !*is_known.get_or_insert_with(introduce) {
            continue;
        }
        let (choices, waits) = (choices.clone(), waited_for.clone().try_acquire_owned().ok());
        let shown =
            thread::Builder::new().name("notification".to_owned()).spawn(|| show(notice, choices, waits));
        if let Err(error) = shown {
            tracing::warn!(%error, "a notification has no thread");
        }
    }
}

/// Makes the app known to the system's notifications; whether it is.
fn introduce() -> bool {
    system::introduce()
        .inspect_err(|error| tracing::warn!(%error, "the system takes no notifications of Dockline"))
        .is_ok()
}

/// Shows one, and passes on what is clicked. Without a permit the click is nobody's: too many wait already.
fn show(notice: Notice, choices: mpsc::UnboundedSender<Choice>, waits: Option<OwnedSemaphorePermit>) {
    let mut notification = Notification::new();
    notification.appname("Dockline").summary(&notice.title).body(&notice.body);
    if let Some((label, _)) = &notice.remedy {
        notification.action(REMEDY, label);
    }
    system::address(&mut notification);
    let answered = notification.show().and_then(|shown| match &waits {
        Some(_) => shown.wait_for_response(|response: &NotificationResponse| {
            if let Some(choice) = chosen(notice, response) {
                // The app is ending: so be it.
                let _ = choices.send(choice);
            }
        }),
        None => {
            tracing::debug!("too many notifications wait for a click; this one is only shown");
            Ok(())
        }
    });
    if let Err(error) = answered {
        tracing::warn!(%error, "a notification was not shown");
    }
}

/// What was chosen, if anything.
fn chosen(notice: Notice, response: &NotificationResponse) -> Option<Choice> {
    match response {
        NotificationResponse::Default => Some(notifications::clicked(notice, false)),
        NotificationResponse::Action(name) => Some(notifications::clicked(notice, name == REMEDY)),
        NotificationResponse::Reply(_) | NotificationResponse::Closed(_) => None,
    }
}

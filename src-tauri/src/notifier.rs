//! Shows notices through the desktop (Desktop Notifications Specification 1.2), and hears what is clicked on them.
//!
//! Spoken over the bus itself: a library that asks for clicks only after it has shown the notification misses the quick
//! ones, and one connection serves all.

use crate::{
    choice::Choice,
    notifications::{self, Notice},
};
use futures::StreamExt as _;
use std::collections::HashMap;
use tokio::sync::mpsc;
use zbus::{Connection, Proxy, proxy::SignalStream, zvariant::Value};

const SERVER: &str = "org.freedesktop.Notifications";
const SERVER_PATH: &str = "/org/freedesktop/Notifications";
/// The name of a click on the notification itself.
const ITSELF: &str = "default";
/// The button's name.
const REMEDY: &str = "remedy";
/// Notifications whose buttons are remembered; desktops keep some for good.
const REMEMBERED: usize = 100;

/// The icon's name in the theme, as the packages install it.
const ICON: &str = "dockline";
/// A name that every icon theme has (Icon Naming Specification).
const FAILURE_ICON: &str = "dialog-error";

/// The way to the desktop's notifications. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Notifier(mpsc::UnboundedSender<Notice>);

impl Notifier {
    /// What is clicked on a notification goes to `choices`.
    #[must_use]
    pub fn start(choices: mpsc::UnboundedSender<Choice>) -> Self {
        let (notices, mut coming) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            // The first one connects. A desktop that has nowhere to show it is no failure: the window and the tray say
            // the same.
            while let Some(first) = coming.recv().await {
                if let Err(error) = serve(first, &mut coming, &choices).await {
                    tracing::debug!(%error, "the desktop shows no notifications");
                }
            }
        });
        Self(notices)
    }

    /// Shows one. The desktop may take its time; nobody waits for it.
    pub fn show(&self, notice: Notice) {
        if self.0.send(notice).is_err() {
            tracing::debug!("the app is ending");
        }
    }
}

/// What is to be done about clicks on a notification.
struct Shown {
    id: u32,
    notice: Notice,
}

async fn serve(
    first: Notice,
    coming: &mut mpsc::UnboundedReceiver<Notice>,
    choices: &mpsc::UnboundedSender<Choice>,
) -> zbus::Result<()> {
    let bus = Connection::session().await?;
    let server = Proxy::new(&bus, SERVER, SERVER_PATH, SERVER).await?;
    // Listening comes first, so that no click falls between.
    let mut clicks: SignalStream<'_> = server.receive_signal("ActionInvoked").await?;
    let mut shown = vec![show(&server, first).await?];
    loop {
        tokio::select! {
            notice = coming.recv() => match notice {
                Some(notice) => shown.push(show(&server, notice).await?),
                None => return Ok(()),
            },
            Some(click) = clicks.next() => {
                let (id, name): (u32, String) = click.body().deserialize()?;
                if let Some(at) = shown.iter().position(|shown| shown.id == id) {
                    let choice = notifications::clicked(shown.remove(at).notice, name == REMEDY);
                    // The app is ending: so be it.
                    let _ = choices.send(choice);
                }
            }
        }
        if shown.len() > REMEMBERED {
            shown.remove(0);
        }
    }
}

async fn show(server: &Proxy<'_>, notice: Notice) -> zbus::Result<Shown> {
    let mut actions = vec![ITSELF, "Show"];
    if let Some((label, _)) = &notice.remedy {
        actions.extend([REMEDY, label]);
    }
    let icon = if notice.failure { FAILURE_ICON } else { ICON };
    let hints = HashMap::from([("desktop-entry", Value::from(ICON))]);
    let (replaces, expires) = (0_u32, -1_i32);
    let body = escaped(&notice.body);
    let id = server
        .call("Notify", &("Dockline", replaces, icon, notice.title.as_str(), body, actions, hints, expires))
        .await?;
    Ok(Shown { id, notice })
}

/// The body may hold markup (Desktop Notifications Specification, "Markup"): an engine's own words must not.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_not_markup() {
        assert_eq!(escaped("<a href=x>&"), "&lt;a href=x&gt;&amp;");
    }
}

//! Linux desktops (Desktop Notifications Specification 1.2).
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

/// The name of the icon in the theme and of the app's entry, as the packages install both.
const ICON: &str = "dockline";
/// A name that every icon theme has (Icon Naming Specification).
const FAILURE_ICON: &str = "dialog-error";

/// Shows what is `coming`, until that has no sender any more.
pub async fn serve(mut coming: mpsc::UnboundedReceiver<Notice>, choices: mpsc::UnboundedSender<Choice>) {
    // The first one connects. A desktop that has nowhere to show it is no failure: the window and the tray say the same.
    while let Some(first) = coming.recv().await {
        if let Err(error) = stay(first, &mut coming, &choices).await {
            tracing::debug!(%error, "the desktop shows no notifications");
        }
    }
}

/// What is to be done about clicks on a notification.
struct Shown {
    id: u32,
    notice: Notice,
}

async fn stay(
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
    let mut actions = vec![ITSELF, notice.show];
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

//! Keeps the window at the owner's control socket: finds the owner, passes its events on to the page, and finds the next
//! one when it goes away.

use crate::page;
use dockline_core::{Client, Newest, Paths};
use dockline_desktop::link::Link;
use dockline_model::{Change, Command, Event, FaceKind, Hello, PROTOCOL_VERSION, Reply, UiError};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tauri::{AppHandle, Emitter as _};
use tokio::{sync::watch, time::sleep};

/// The event's name on the page's side.
const EVENTS: &str = "dockline-events";
/// Least time between two words to the page: each costs the page a layout, and a bar that moves four times a second moves.
const CALM: Duration = Duration::from_millis(250);
/// Pause between two attempts to find an owner.
const RETRY: Duration = Duration::from_secs(1);

/// Runs for as long as the window is there.
pub async fn keep(runtime: PathBuf, app: AppHandle, link: watch::Sender<Link<Arc<Client>>>) {
    let mut paths = Paths::in_folder(&runtime);
    paths.runtime_dir = runtime;
    let hello = Hello { protocol: PROTOCOL_VERSION, face: FaceKind::Desktop, can_answer: true };
    let mut is_first = true;
    loop {
        match Client::find(&paths, &hello).await {
            Ok((client, newest)) => {
                let client = Arc::new(client);
                // The page asked an older owner for its state; to it, everything is new.
                if !is_first && let Err(error) = resync(&client, &newest).await {
                    tracing::warn!(%error, "the new owner's state is not to be had");
                }
                is_first = false;
                link.send_replace(Link::Open(client));
                while newest.filled().await {
                    tell(&app, &newest);
                    tokio::select! {
                        () = sleep(CALM) => {}
                        () = newest.ended() => {}
                    }
                }
                tell(&app, &newest);
                tracing::info!("the owner has ended; looking for another");
                link.send_replace(Link::Opening);
            }
            Err(error) => {
                tracing::warn!(%error, "no owner");
                link.send_replace(Link::Broken(error));
            }
        }
        sleep(RETRY).await;
    }
}

async fn resync(client: &Client, newest: &Newest) -> Result<(), UiError> {
    if let Reply::Snapshot { snapshot } = client.request(Command::Snapshot).await? {
        newest.push(Event { sequence: snapshot.sequence, change: Change::Resync { snapshot } });
    }
    Ok(())
}

fn tell(app: &AppHandle, newest: &Newest) {
    let events = newest.take();
    if !events.is_empty()
        && let Err(error) = app.emit_to(page::LABEL, EVENTS, &events)
    {
        tracing::warn!(%error, "the page did not get events");
    }
}

//! The page's way to the owner: one command, one event.

use crate::demo::Demo;
use dockline_core::Session;
use dockline_model::{Code, Command, Event, Reply, UiError};
use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tauri::{AppHandle, Emitter, Manager, State};
use tauri_plugin_dialog::DialogExt;
use tokio::sync::watch;

/// The event's name on the page's side.
const EVENT: &str = "dockline-event";
/// Tells the page that there is a wish to take up.
const WISH: &str = "dockline-wish";

/// How long a command waits for an owner. Finding one takes milliseconds; starting one, a second at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// The session of the moment, or why there is none.
#[derive(Debug, Clone)]
pub enum Link {
    /// Being opened.
    Opening,
    /// There.
    Open(Session),
    /// Could not be opened; it is being tried again.
    Broken(UiError),
}

/// Hands commands to whichever session there is.
#[derive(Debug, Clone)]
pub struct Bridge {
    link: watch::Receiver<Link>,
}

impl Bridge {
    /// A bridge over `link`.
    #[must_use]
    pub const fn new(link: watch::Receiver<Link>) -> Self {
        Self { link }
    }

    /// Sends one command to the owner.
    ///
    /// # Errors
    /// The owner's, or why there is no owner.
    pub async fn request(&self, command: Command) -> Result<Reply, UiError> {
        self.session().await?.request(command).await
    }

    /// The session there is, or the one being opened.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn session(&self) -> Result<Session, UiError> {
        let mut link = self.link.clone();
        let settled =
            tokio::time::timeout(PATIENCE, link.wait_for(|link| !matches!(link, Link::Opening))).await;
        let Ok(settled) = settled else {
            return Err(UiError::new(Code::TimedOut, "Dockline's core did not start within 10 seconds.")
                .hint("Quit Dockline and start it from a terminal, where it says why."));
        };
        match settled.as_deref() {
            Ok(Link::Open(session)) => Ok(session.clone()),
            Ok(Link::Broken(error)) => Err(error.clone()),
            Ok(Link::Opening) | Err(_) => {
                Err(UiError::new(Code::OwnerGone, "Dockline is ending and takes no more commands."))
            }
        }
    }
}

/// The page's every wish.
#[tauri::command]
pub async fn dispatch(command: Command, bridge: State<'_, Bridge>) -> Result<Reply, UiError> {
    bridge.request(command).await
}

/// What the page is to show, chosen outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wish {
    /// What docker push needs on this machine.
    Setup,
}

/// The wish that no page has taken up yet: it outlives the making of a window.
#[derive(Debug, Default)]
pub struct OpenWish(Mutex<Option<Wish>>);

/// Shows the window, and in it what is wished for.
pub fn wish(app: &AppHandle, wish: Wish) {
    *app.state::<OpenWish>().0.lock().unwrap_or_else(PoisonError::into_inner) = Some(wish);
    crate::window::open(app);
    // A page that is only being loaded asks by itself.
    if let Err(error) = app.emit_to(crate::window::LABEL, WISH, ()) {
        tracing::warn!(%error, "the page did not hear of a wish");
    }
}

/// The page takes up the wish, if there is one.
#[tauri::command]
pub fn take_wish(open: State<'_, OpenWish>) -> Option<Wish> {
    open.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The archive that `--demo` offers; nothing otherwise.
#[tauri::command]
pub fn demo_sample(demo: State<'_, Option<Demo>>) -> Option<PathBuf> {
    demo.as_ref().map(|demo| demo.sample().to_owned())
}

/// Lets the person choose an image archive; nothing if they close the dialog.
#[tauri::command]
pub async fn choose_archive(app: AppHandle) -> Option<PathBuf> {
    let (chosen, choice) = tokio::sync::oneshot::channel();
    app.dialog()
        .file()
        .set_title("Push an image archive")
        .add_filter("Image archives (docker save, OCI layout)", &["tar", "gz", "tgz", "zst", "tzst"])
        .pick_file(move |file| {
            // The page may be gone by now; then nobody waits for the answer.
            let _ = chosen.send(file);
        });
    choice.await.ok()??.into_path().ok()
}

/// Tells the page of a change.
pub fn tell_page(app: &AppHandle, event: &Event) {
    if let Err(error) = app.emit_to(crate::window::LABEL, EVENT, event) {
        tracing::warn!(%error, "the page did not get an event");
    }
}

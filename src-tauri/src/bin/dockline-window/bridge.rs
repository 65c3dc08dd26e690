//! The page's way to the owner: one command. What the window knows besides it was told by the tray.

use dockline_core::Client;
use dockline_desktop::{link::Bridge, words::Wish};
use dockline_model::{Command, Reply, UiError};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use tauri::{AppHandle, Emitter as _, Manager as _, State};

/// Tells the page that there is a wish to take up.
const WISH: &str = "dockline-wish";

/// The page's every request.
#[tauri::command]
pub async fn dispatch(command: Command, bridge: State<'_, Bridge<Arc<Client>>>) -> Result<Reply, UiError> {
    bridge.session().await?.request(command).await
}

/// The archive that the demo offers.
#[derive(Debug)]
pub struct Sample(pub Option<PathBuf>);

/// The archive that the demo offers; nothing otherwise.
#[tauri::command]
pub fn demo_sample(sample: State<'_, Sample>) -> Option<PathBuf> {
    sample.0.clone()
}

/// The wish that the page has not taken up yet.
#[derive(Debug)]
pub struct OpenWish(Mutex<Option<Wish>>);

impl OpenWish {
    /// One to begin with.
    pub const fn new(wish: Option<Wish>) -> Self {
        Self(Mutex::new(wish))
    }
}

/// Has the page show what is wished for.
pub fn wish(app: &AppHandle, wish: Wish) {
    *app.state::<OpenWish>().0.lock().unwrap_or_else(PoisonError::into_inner) = Some(wish);
    // A page that is only being loaded asks by itself.
    if let Err(error) = app.emit_to(crate::page::LABEL, WISH, ()) {
        tracing::warn!(%error, "the page did not hear of a wish");
    }
}

/// The page takes up the wish, if there is one.
#[tauri::command]
pub fn take_wish(open: State<'_, OpenWish>) -> Option<Wish> {
    open.0.lock().unwrap_or_else(PoisonError::into_inner).take()
}

//! The one window. It is made when it is opened and destroyed when it is closed; the tray stays.

use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder};

/// Label of the window; the capability in `capabilities/window.json` names it.
pub const LABEL: &str = "main";

/// Shows the window: a new one, or the one there is, in front and unminimised. May be called from any thread.
pub fn open(app: &AppHandle) {
    let handle = app.clone();
    // Windows are made on the main thread alone; from it this runs at once.
    if let Err(error) = app.run_on_main_thread(move || {
        if let Err(error) = open_here(&handle) {
            tracing::error!(%error, "the window cannot be shown");
        }
    }) {
        tracing::debug!(%error, "the app is ending");
    }
}

fn open_here(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.unminimize()?;
        window.show()?;
        return window.set_focus();
    }
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
        .title("Dockline")
        .inner_size(980.0, 680.0)
        .min_inner_size(400.0, 420.0)
        .focused(true)
        .build()?;
    Ok(())
}

/// Whether the person is looking at the window: what it shows needs no notification.
#[must_use]
pub fn is_watched(app: &AppHandle) -> bool {
    app.get_webview_window(LABEL).is_some_and(|window| {
        window.is_focused().unwrap_or(false)
            && window.is_visible().unwrap_or(false)
            && !window.is_minimized().unwrap_or(false)
    })
}

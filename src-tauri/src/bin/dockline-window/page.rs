//! The one window and its page.

use dockline_desktop::words::{self, FromWindow};
use tauri::{AppHandle, Manager as _, Url, WebviewUrl, WebviewWindowBuilder, webview::NewWindowResponse};

/// Label of the window; the capability in `capabilities/window.json` names it.
pub const LABEL: &str = "main";

/// Label of the empty window that the real one is measured against; no capability names it.
const BARE: &str = "bare";

/// What the empty window shows, so that it can be seen when it has been painted.
const BARE_SCRIPT: &str =
    "addEventListener('DOMContentLoaded', () => { document.documentElement.style.background = '#0a3a5a' });";

/// Makes the window.
///
/// # Errors
/// What the toolkit says.
pub fn open(app: &AppHandle, bare: bool) -> tauri::Result<()> {
    let window = match bare {
        true => {
            let blank = Url::parse("about:blank").map_err(tauri::Error::InvalidUrl)?;
            WebviewWindowBuilder::new(app, BARE, WebviewUrl::External(blank))
                .initialization_script(BARE_SCRIPT)
        }
        false => WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
            .on_navigation(is_ours)
            .on_new_window(|_, _| NewWindowResponse::Deny),
    };
    window.title("Dockline").inner_size(980.0, 680.0).min_inner_size(400.0, 420.0).focused(true).build()?;
    tell_tray(FromWindow::Shown);
    Ok(())
}

/// Whether a page is the one that is built in: the window shows no other.
fn is_ours(page: &Url) -> bool {
    page.scheme() == "tauri" || (cfg!(dev) && page.host_str() == Some("localhost"))
}

/// Brings the window to the front, unminimised. May be called from any thread.
pub fn raise(app: &AppHandle) {
    let handle = app.clone();
    let raised = app.run_on_main_thread(move || {
        // Without one it has just been closed; the tray opens another.
        let Some(window) = handle.get_webview_window(LABEL) else { return };
        match window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus()) {
            Ok(()) => tell_tray(FromWindow::Shown),
            Err(error) => tracing::error!(%error, "the window cannot be brought to the front"),
        }
    });
    if let Err(error) = raised {
        tracing::debug!(%error, "the window is ending");
    }
}

/// Says something to the tray.
pub fn tell_tray(word: FromWindow) {
    if let Err(error) = words::say(&mut std::io::stdout().lock(), &word) {
        tracing::debug!(%error, "the tray has ended");
    }
}

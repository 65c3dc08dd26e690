//! The one window and its page.

use dockline_desktop::words::{self, FromWindow};
use std::borrow::Cow;
use tauri::{
    AppHandle, Manager as _, Url, WebviewUrl, WebviewWindowBuilder,
    http::{HeaderValue, Response, header::CONTENT_TYPE},
    webview::NewWindowResponse,
};

/// Label of the window; the capability in `capabilities/window.json` names it.
pub const LABEL: &str = "main";

/// Label of the empty window that the real one is measured against; no capability names it.
const BARE: &str = "bare";

/// Where the empty window's page is from, which exists in bare mode alone.
const BARE_SCHEME: &str = "bare";

/// A line of text and nothing else, so that it can be seen when it has been painted. A script, a style sheet or an owner
/// would be what the real page is to be measured by.
const BARE_PAGE: &[u8] = b"<!doctype html><html lang=en><meta charset=utf-8><title>Dockline</title>\
<h1>An empty window, to measure by: nothing works in here.</h1>";

/// Has the toolkit serve the empty window's page.
pub fn serve_bare<R: tauri::Runtime>(app: tauri::Builder<R>) -> tauri::Builder<R> {
    app.register_uri_scheme_protocol(BARE_SCHEME, |_, _| {
        let mut page = Response::new(Cow::Borrowed(BARE_PAGE));
        page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        page
    })
}

/// Makes the window.
///
/// # Errors
/// What the toolkit says.
pub fn open(app: &AppHandle, bare: bool) -> tauri::Result<()> {
    let window = match bare {
        true => {
            let page =
                Url::parse(&format!("{BARE_SCHEME}://localhost/")).map_err(tauri::Error::InvalidUrl)?;
            WebviewWindowBuilder::new(app, BARE, WebviewUrl::CustomProtocol(page))
        }
        false => WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App("index.html".into()))
            .on_navigation(is_ours)
            .on_new_window(|_, _| NewWindowResponse::Deny),
    };
    window.title("Dockline").inner_size(980.0, 680.0).min_inner_size(400.0, 420.0).focused(true).build()?;
    tell_tray(&FromWindow::Shown);
    Ok(())
}

/// Whether a page is the one that is built in: the window shows no other. Windows' web engine knows no schemes of others'
/// making, so there the toolkit gives it a host instead.
fn is_ours(page: &Url) -> bool {
    is_built_in(page, cfg!(windows)) || (cfg!(dev) && page.host_str() == Some("localhost"))
}

fn is_built_in(page: &Url, on_windows: bool) -> bool {
    match on_windows {
        true => {
            page.scheme() == "http" && page.host_str() == Some("tauri.localhost") && page.port().is_none()
        }
        false => page.scheme() == "tauri",
    }
}

/// Brings the window to the front, unminimised. May be called from any thread.
pub fn raise(app: &AppHandle) {
    let handle = app.clone();
    let raised = app.run_on_main_thread(move || {
        // Without one it has just been closed; the tray opens another.
        let Some(window) = handle.get_webview_window(LABEL) else { return };
        match window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus()) {
            Ok(()) => tell_tray(&FromWindow::Shown),
            Err(error) => tracing::error!(%error, "the window cannot be brought to the front"),
        }
    });
    if let Err(error) = raised {
        tracing::debug!(%error, "the window is ending");
    }
}

/// Says something to the tray.
pub fn tell_tray(word: &FromWindow) {
    if let Err(error) = words::say(&mut std::io::stdout().lock(), word) {
        tracing::debug!(%error, "the tray has ended");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_shows_its_own_page_and_no_other() {
        let is_built_in = |page: &str, on_windows| is_built_in(&Url::parse(page).unwrap(), on_windows);
        assert!(is_built_in("tauri://localhost/index.html", false));
        assert!(is_built_in("http://tauri.localhost/index.html", true));
        for other in ["https://example.org/", "http://localhost/", "http://tauri.localhost.example.org/"] {
            assert!(!is_built_in(other, false) && !is_built_in(other, true), "{other}");
        }
        assert!(
            !is_built_in("http://tauri.localhost/", false)
                && !is_built_in("http://tauri.localhost:81/", true)
        );
    }
}

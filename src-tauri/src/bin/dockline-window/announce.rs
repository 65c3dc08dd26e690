//! What a screen reader is told besides what has the focus.
//!
//! The page has a live region, which is how a web page says such things. WebKitGTK tells assistive technology nothing of a
//! live region whose text changes, and Orca listens to the live regions of a WebKitGTK window only since 47. Every Orca
//! reads a notification that comes into sight, so on Linux the window shows one of the toolkit's, which no eye sees.

use tauri::{AppHandle, Runtime};

/// Says `text`, if the page's own live region would not be heard here. `false` if the page has to say it itself. Without
/// any text nothing is said; the answer is the same.
#[tauri::command]
pub fn announce<R: Runtime>(text: String, app: AppHandle<R>) -> bool {
    #[cfg(target_os = "linux")]
    return text.is_empty() || linux::announce(text, &app);
    #[cfg(not(target_os = "linux"))]
    {
        drop((text, app));
        false
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::page::LABEL;
    use gtk::{atk, glib::translate::IntoGlib as _, prelude::*};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tauri::{AppHandle, Manager as _, Runtime};

    /// What the widgets are called among their siblings, before their numbers.
    const NAME: &str = "announcement";
    /// A reader asks for the words when it gets round to it. By then the next ones must not stand there.
    const WIDGETS: usize = 4;
    static NEXT: AtomicUsize = AtomicUsize::new(0);

    pub(super) fn announce<R: Runtime>(text: String, app: &AppHandle<R>) -> bool {
        let window = app.clone();
        let said = app.run_on_main_thread(move || {
            let Some(window) = window.get_webview_window(LABEL) else { return };
            match window.default_vbox() {
                Ok(content) => show(&content, &text),
                Err(error) => tracing::debug!(%error, "the window is ending"),
            }
        });
        said.is_ok()
    }

    /// The state is told, and the widget stays hidden: it would take a line of the page away. A reader goes by what it is
    /// told.
    fn show(content: &gtk::Box, text: &str) {
        let name = format!("{NAME}-{}", NEXT.fetch_add(1, Ordering::Relaxed) % WIDGETS);
        let known = content.children().into_iter().find(|child| child.widget_name() == name);
        let widget = known.unwrap_or_else(|| {
            let label = gtk::Label::new(None);
            label.set_widget_name(&name);
            label.set_no_show_all(true);
            content.add(&label);
            label.upcast()
        });
        let Some(accessible) = widget.accessible() else { return };
        accessible.set_role(atk::Role::Notification);
        accessible.set_name(text);
        if let Ok(showing) = atk::State::try_from(atk::StateType::Showing.into_glib()) {
            accessible.notify_state_change(showing, true);
        }
    }
}

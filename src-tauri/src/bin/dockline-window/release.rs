//! The page about a newer version, in the person's own browser.

use dockline_core::Client;
use dockline_desktop::link::Bridge;
use dockline_model::{Code, Command, Reply, UiError};
use std::sync::Arc;
use tauri::State;

/// Opens the page that the owner knows of: the window's page names none, so that it can have none but this opened.
#[tauri::command]
pub async fn open_release(bridge: State<'_, Bridge<Arc<Client>>>) -> Result<(), UiError> {
    let Reply::Snapshot { snapshot } = bridge.session().await?.request(Command::Snapshot).await? else {
        return Err(UiError::new(
            Code::Internal,
            "The owner answered a request for its state with something else.",
        ));
    };
    let release = snapshot.updates.last.and_then(|last| last.release);
    let Some(url) = release.map(|release| release.url).filter(|url| is_a_page(url)) else {
        return Err(UiError::new(Code::NotFound, "There is no newer version to show."));
    };
    open::that_detached(&url).map_err(|error| {
        UiError::new(Code::FileIo, format!("{url} cannot be opened in a browser."))
            .hint("Copy the address and open it yourself.")
            .details(error.to_string())
    })
}

/// The owner lets no other through; a browser's is the one kind of program that this starts, all the same.
fn is_a_page(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_are_opened() {
        assert!(is_a_page("https://example.org/1.2.0") && is_a_page("http://127.0.0.1:8080/"));
        for other in ["file:///etc/passwd", "javascript:x", "/usr/bin/x", "-x", ""] {
            assert!(!is_a_page(other), "{other}");
        }
    }
}

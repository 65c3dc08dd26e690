//! Files dragged over the window: their paths and place go to the page, which decides what they mean. So do the paths of
//! those that are let go over the app's icon in macOS' Dock while the window is there.

use serde::Serialize;
use std::path::PathBuf;
use tauri::{AppHandle, DragDropEvent, Emitter, PhysicalPosition, RunEvent, Window};

/// The event's name on the page's side.
const EVENT: &str = "dockline-drop";

/// What the page hears.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Drop {
    kind: Phase,
    /// Absolute paths; names that are not Unicode are shown with replacement characters and refused later.
    paths: Vec<String>,
    /// CSS pixels from the page's left edge.
    x: f64,
    /// CSS pixels from the page's upper edge.
    y: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Phase {
    Enter,
    Over,
    Leave,
    Drop,
}

/// Passes a drag on to the page of `window`.
pub fn forward(window: &Window, event: &DragDropEvent) {
    let scale = window.scale_factor().unwrap_or(1.0);
    if let Some(drop) = translate(event, scale)
        && let Err(error) = window.emit_to(window.label(), EVENT, drop)
    {
        tracing::warn!(%error, "the page did not get a drop");
    }
}

/// Has the page take up files that the Dock passes on. The icon there is the window's: the tray's program has none.
#[cfg(target_os = "macos")]
pub fn on_the_dock(app: &AppHandle, event: &RunEvent) {
    use dockline_desktop::words::Wish;
    let RunEvent::Opened { urls } = event else { return };
    let files = urls.iter().filter_map(|url| url.to_file_path().ok());
    let paths: Vec<String> = files.map(|file| file.to_string_lossy().into_owned()).collect();
    if !paths.is_empty() {
        crate::bridge::wish(app, Wish::Archives { paths });
    }
}

/// Other systems' task bars start the program with the files, which then tells the window.
#[cfg(not(target_os = "macos"))]
pub const fn on_the_dock(_: &AppHandle, _: &RunEvent) {}

fn translate(event: &DragDropEvent, scale: f64) -> Option<Drop> {
    let drop = |kind, paths: &[PathBuf], place: PhysicalPosition<f64>| {
        let place = place.to_logical::<f64>(scale);
        let paths = paths.iter().map(|path| path.to_string_lossy().into_owned()).collect();
        Some(Drop { kind, paths, x: place.x, y: place.y })
    };
    match event {
        DragDropEvent::Enter { paths, position } => drop(Phase::Enter, paths, *position),
        DragDropEvent::Over { position } => drop(Phase::Over, &[], *position),
        DragDropEvent::Drop { paths, position } => drop(Phase::Drop, paths, *position),
        DragDropEvent::Leave => drop(Phase::Leave, &[], PhysicalPosition::new(0.0, 0.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_css_pixels() {
        let position = PhysicalPosition::new(300.0, 150.0);
        let event = DragDropEvent::Drop { paths: vec!["/tmp/app.tar".into()], position };
        let drop = translate(&event, 1.5).unwrap();
        assert_eq!((drop.x, drop.y), (200.0, 100.0));
        let json = serde_json::to_value(&drop).unwrap();
        assert_eq!(json["kind"], "drop");
        assert_eq!(json["paths"][0], "/tmp/app.tar");
        assert_eq!(translate(&DragDropEvent::Leave, 1.0).unwrap().kind, Phase::Leave);
    }
}

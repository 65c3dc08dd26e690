//! Files dragged over the window: their paths and place go to the page, which decides what they mean. So do the paths of
//! those that are let go over the app's icon in macOS' Dock while the window is there.

use crate::bridge::OpenWishes;
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};
use tauri::{AppHandle, DragDropEvent, Emitter as _, Manager as _, PhysicalPosition, RunEvent, Window};

/// The event's name on the page's side.
const EVENT: &str = "dockline-drop";

/// How long a look at the disk may take. Some never end: a file may be on a server that does not answer any more.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was dropped. The page cannot look at the disk: what is a folder, and which of those hold an image, it is told; of
/// nothing but what a person has dragged over it or dropped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dropped {
    /// Absolute paths; names that are not Unicode are shown with replacement characters and refused later.
    paths: Vec<String>,
    /// Those of them that are folders.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    folders: Vec<Folder>,
    /// Whether some of it was dropped on an earlier window, which was closed before anything became of it.
    #[serde(rename = "isLeft", skip_serializing_if = "std::ops::Not::not")]
    is_left: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Folder {
    path: String,
    /// Whether it looks like an OCI layout, which is pushed like an archive. The owner reads it, and has the last word.
    is_layout: bool,
}

impl Dropped {
    /// Looks at each of them, as long as that takes no longer than a person waits. Without a look nothing is a folder, and
    /// the owner says what is wrong with it. Blocks meanwhile.
    pub fn look_at(paths: &[PathBuf]) -> Self {
        Self::looked_at(paths, PATIENCE, folders)
    }

    fn looked_at(
        paths: &[PathBuf],
        patience: Duration,
        look: impl FnOnce(&[PathBuf]) -> Vec<Folder> + Send + 'static,
    ) -> Self {
        let unseen = Self::unseen(paths);
        if paths.is_empty() {
            return unseen;
        }
        let (sender, seen) = mpsc::channel();
        let paths = paths.to_owned();
        // Of its own: one that does not come back holds up nothing else.
        let started = thread::Builder::new().name("look".to_owned()).spawn(move || {
            // Nobody may be waiting any more.
            let _ = sender.send(look(&paths));
        });
        match started.and_then(|_| seen.recv_timeout(patience).map_err(io::Error::other)) {
            Ok(folders) => Self { folders, ..unseen },
            Err(error) => {
                tracing::warn!(%error, "files that were dropped could not be looked at");
                unseen
            }
        }
    }

    /// Nothing but the paths.
    pub fn unseen(paths: &[PathBuf]) -> Self {
        Self { paths: paths.iter().map(|path| shown(path)).collect(), folders: Vec::new(), is_left: false }
    }

    /// The same, with whether an earlier window has left it.
    pub fn left(self, is_left: bool) -> Self {
        Self { is_left, ..self }
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Those of the paths that are folders.
fn folders(paths: &[PathBuf]) -> Vec<Folder> {
    let folders = paths.iter().filter(|path| path.is_dir());
    folders.map(|path| Folder { path: shown(path), is_layout: is_layout(path) }).collect()
}

/// Whether a folder has what every OCI layout has (image-spec, image-layout.md).
fn is_layout(folder: &Path) -> bool {
    ["oci-layout", "index.json"].iter().all(|name| folder.join(name).is_file())
}

/// What the page hears.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Drop {
    kind: Phase,
    #[serde(flatten)]
    dropped: Dropped,
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

/// The way of drags to the page: one after the other, and beside the window, which a slow disk would hold up.
#[derive(Debug)]
pub struct Drags(mpsc::Sender<(Window, DragDropEvent)>);

impl Drags {
    /// Lasts as long as the window's program.
    ///
    /// # Errors
    /// If there can be no thread for it.
    pub fn start() -> io::Result<Self> {
        let (sender, drags) = mpsc::channel();
        thread::Builder::new().name("drags".to_owned()).spawn(move || {
            for (window, event) in drags {
                forward(&window, &event);
            }
        })?;
        Ok(Self(sender))
    }

    /// Passes a drag on to the page of `window`.
    pub fn pass_on(&self, window: &Window, event: &DragDropEvent) {
        if self.0.send((window.clone(), event.clone())).is_err() {
            tracing::warn!("the page does not get drags any more");
        }
    }
}

fn forward(window: &Window, event: &DragDropEvent) {
    let scale = window.scale_factor().unwrap_or(1.0);
    let Some(drop) = translate(event, scale) else { return };
    if drop.kind == Phase::Drop {
        window.state::<OpenWishes>().know(&drop.dropped.paths);
    }
    if let Err(error) = window.emit_to(window.label(), EVENT, drop) {
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
        Some(Drop { kind, dropped: Dropped::look_at(paths), x: place.x, y: place.y })
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
        assert_eq!(json.get("folders"), None, "nothing is said of files");
        assert_eq!(translate(&DragDropEvent::Leave, 1.0).unwrap().kind, Phase::Leave);
    }

    #[test]
    fn a_look_that_does_not_end_holds_up_nothing() {
        let paths = ["/mnt/gone/app.tar".into()];
        let (end, never) = mpsc::channel::<()>();
        let look = move |_: &[PathBuf]| {
            never.recv().ok();
            Vec::new()
        };
        let dropped = Dropped::looked_at(&paths, Duration::from_millis(1), look);
        assert_eq!(serde_json::to_value(&dropped).unwrap(), serde_json::json!({ "paths": paths }));
        drop(end);
    }

    #[test]
    fn the_page_is_told_which_folders_hold_an_image() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str, files: &[&str]| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).unwrap();
            for file in files {
                std::fs::write(path.join(file), "{}").unwrap();
            }
            path
        };
        let layout = make("layout", &["oci-layout", "index.json"]);
        let half = make("half.tar", &["oci-layout"]);
        let file = folder.path().join("app.tar");
        std::fs::write(&file, "").unwrap();
        let dropped = Dropped::look_at(&[file, layout.clone(), half.clone(), folder.path().join("gone")]);
        assert_eq!(dropped.paths.len(), 4);
        let folders = serde_json::to_value(&dropped).unwrap()["folders"].clone();
        let expected = serde_json::json!([
            { "path": layout, "isLayout": true },
            { "path": half, "isLayout": false },
        ]);
        assert_eq!(folders, expected);
    }
}

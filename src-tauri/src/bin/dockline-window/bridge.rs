//! The page's way to the owner: one command. What the window knows besides it was told by the tray.

use crate::{drops::Dropped, page};
use dockline_core::Client;
use dockline_desktop::{
    link::Bridge,
    words::{self, FromWindow, Wish},
};
use dockline_model::{Command, Reply, UiError};
use serde::Serialize;
use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tauri::{AppHandle, Emitter as _, Manager as _, State, async_runtime::spawn_blocking};

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

/// The wishes that are not done. The tray is told of each change: a window that is closed leaves them to the next one.
#[derive(Debug)]
pub struct OpenWishes(Mutex<Wishes>);

#[derive(Debug, Default)]
struct Wishes {
    /// The page has not taken them up yet.
    open: Vec<Wish>,
    /// It has, and has not said since what of them waits.
    taken: Vec<Wish>,
    /// It has, and cannot do them yet.
    waiting: Vec<Wish>,
    /// Every path that a person has dropped: the page keeps no other.
    known: HashSet<String>,
    /// The paths that an earlier window has left, until they are dropped again.
    left_over: HashSet<String>,
}

impl Wishes {
    fn left(&self) -> Vec<Wish> {
        let mut left = self.waiting.clone();
        for wish in self.taken.iter().chain(&self.open) {
            words::queue(&mut left, wish.clone());
        }
        left
    }

    fn know(&mut self, wish: &Wish) {
        self.known.extend(wish.files().iter().cloned());
    }
}

impl OpenWishes {
    /// Those to begin with, and the files of them that an earlier window has left.
    pub fn new(open: Vec<Wish>, left: Vec<String>) -> Self {
        let mut wishes = Wishes { left_over: left.into_iter().collect(), ..Wishes::default() };
        open.iter().for_each(|wish| wishes.know(wish));
        Self(Mutex::new(Wishes { open, ..wishes }))
    }

    fn lock(&self) -> MutexGuard<'_, Wishes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Paths that were dropped on the page itself.
    pub fn know(&self, paths: &[String]) {
        self.lock().known.extend(paths.iter().cloned());
    }

    /// Returns what is left to do, as the others below.
    fn add(&self, wish: Wish) -> Vec<Wish> {
        let mut wishes = self.lock();
        wishes.know(&wish);
        for path in wish.files() {
            wishes.left_over.remove(path);
        }
        words::queue(&mut wishes.open, wish);
        wishes.left()
    }

    /// The oldest one. Until the page has said what waits in it, it may wait.
    fn take(&self) -> Option<Wish> {
        let mut wishes = self.lock();
        if wishes.open.is_empty() {
            return None;
        }
        let wish = wishes.open.remove(0);
        words::queue(&mut wishes.taken, wish.clone());
        Some(wish)
    }

    /// Whether an earlier window has left some of it.
    fn is_left(&self, wish: &Wish) -> bool {
        let left = &self.lock().left_over;
        wish.files().iter().any(|path| left.contains(path))
    }

    /// What of all that it has taken up, or was dropped on it, waits in the page.
    fn keep(&self, waiting: Vec<Wish>) -> Vec<Wish> {
        let mut wishes = self.lock();
        let known = |wish| match wish {
            Wish::Archives { mut paths } => {
                paths.retain(|path| wishes.known.contains(path));
                (!paths.is_empty()).then_some(Wish::Archives { paths })
            }
            other @ (Wish::Setup | Wish::Registries | Wish::Transfers | Wish::Settings) => Some(other),
        };
        wishes.waiting = waiting.into_iter().filter_map(known).collect();
        wishes.taken.clear();
        wishes.left()
    }
}

/// Has the page show what is wished for.
pub fn wish(app: &AppHandle, wish: Wish) {
    let wishes = app.state::<OpenWishes>().add(wish);
    page::tell_tray(&FromWindow::Left { wishes });
    // A page that is only being loaded asks by itself.
    if let Err(error) = app.emit_to(page::LABEL, WISH, ()) {
        tracing::warn!(%error, "the page did not hear of a wish");
    }
}

/// A wish, as the page gets it.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Taken {
    /// Files, and which of them are folders.
    Archives {
        /// What was looked at.
        archives: Dropped,
    },
    /// Anything else.
    Other(Wish),
}

impl Taken {
    async fn new(wish: Wish, is_left: bool) -> Self {
        match wish {
            Wish::Archives { paths } => {
                let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
                let looked = paths.clone();
                // The look may take a while, and what the page asks for otherwise does not wait for it.
                let archives = spawn_blocking(move || Dropped::look_at(&looked)).await;
                let archives = archives.unwrap_or_else(|error| {
                    tracing::error!(%error, "the look at dropped files failed");
                    Dropped::unseen(&paths)
                });
                Self::Archives { archives: archives.left(is_left) }
            }
            other @ (Wish::Setup | Wish::Registries | Wish::Transfers | Wish::Settings) => Self::Other(other),
        }
    }
}

/// The page takes up the oldest wish, if there is one, and asks until there is none.
#[tauri::command]
pub async fn take_wish(open: State<'_, OpenWishes>) -> Result<Option<Taken>, UiError> {
    let Some(wish) = open.take() else { return Ok(None) };
    let is_left = open.is_left(&wish);
    Ok(Some(Taken::new(wish, is_left).await))
}

/// The page says what of all that waits in it. Nothing comes of it but that the next window asks for it again.
#[tauri::command]
pub fn keep_wishes(wishes: Vec<Wish>, open: State<'_, OpenWishes>) {
    let wishes = open.keep(wishes);
    page::tell_tray(&FromWindow::Left { wishes });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> Wish {
        Wish::Archives { paths: paths.iter().map(|&path| path.to_owned()).collect() }
    }

    #[test]
    fn no_wish_takes_the_place_of_another() {
        let open = OpenWishes::new(vec![files(&["/a.tar"])], Vec::new());
        open.add(Wish::Setup);
        open.add(files(&["/b.tar"]));
        let both = files(&["/a.tar", "/b.tar"]);
        assert_eq!((open.take(), open.take(), open.take()), (Some(both), Some(Wish::Setup), None));
    }

    #[test]
    fn what_is_not_done_is_left_to_the_next_window() {
        let open = OpenWishes::new(vec![files(&["/a.tar"])], Vec::new());
        open.know(&["/b.tar".to_owned()]);
        assert_eq!(open.add(Wish::Settings), [files(&["/a.tar"]), Wish::Settings]);
        open.take();
        // Taken, but the page has not said yet what it does with it.
        assert_eq!(open.add(Wish::Setup), [files(&["/a.tar"]), Wish::Settings, Wish::Setup]);
        assert_eq!((open.take(), open.take()), (Some(Wish::Settings), Some(Wish::Setup)));
        let waiting = vec![files(&["/a.tar", "/b.tar"]), Wish::Setup];
        assert_eq!(open.keep(waiting.clone()), waiting);
        assert_eq!(open.keep(Vec::new()), []);
    }

    #[test]
    fn the_page_keeps_no_path_that_nobody_has_dropped() {
        let open = OpenWishes::new(Vec::new(), Vec::new());
        open.know(&["/home/me/a.tar".to_owned()]);
        assert_eq!(open.keep(vec![files(&["/etc/passwd", "/home/me/a.tar"])]), [files(&["/home/me/a.tar"])]);
        assert_eq!(open.keep(vec![files(&["/etc/passwd", "file:///etc/passwd"])]), []);
    }

    #[test]
    fn files_of_an_earlier_window_are_left_until_they_are_dropped_again() {
        let open = OpenWishes::new(vec![files(&["/a.tar", "/b.tar"])], vec!["/a.tar".to_owned()]);
        assert!(open.is_left(&files(&["/a.tar", "/b.tar"])) && !open.is_left(&files(&["/b.tar"])));
        open.add(files(&["/a.tar"]));
        assert!(!open.is_left(&files(&["/a.tar"])) && !open.is_left(&Wish::Setup));
    }

    #[test]
    fn the_page_gets_files_and_folders_in_one() {
        let json = |wish: Wish, is_left| {
            serde_json::to_value(tauri::async_runtime::block_on(Taken::new(wish, is_left))).unwrap()
        };
        assert_eq!(json(Wish::Setup, false), serde_json::json!("setup"));
        let archive = files(&["/x/a.tar"]);
        assert_eq!(
            json(archive.clone(), false),
            serde_json::json!({ "archives": { "paths": ["/x/a.tar"] } })
        );
        let left = serde_json::json!({ "archives": { "paths": ["/x/a.tar"], "isLeft": true } });
        assert_eq!(json(archive, true), left);
    }
}

//! The page's way to the owner: one command. What the window knows besides it was told by the tray.

use dockline_core::Client;
use dockline_desktop::{
    link::Bridge,
    words::{self, Wish},
};
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

/// The wishes that the page has not taken up yet.
#[derive(Debug)]
pub struct OpenWishes(Mutex<Vec<Wish>>);

impl OpenWishes {
    /// Those to begin with.
    pub const fn new(wishes: Vec<Wish>) -> Self {
        Self(Mutex::new(wishes))
    }

    fn add(&self, wish: Wish) {
        words::queue(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), wish);
    }

    /// The oldest one.
    fn take(&self) -> Option<Wish> {
        let mut wishes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if wishes.is_empty() { None } else { Some(wishes.remove(0)) }
    }
}

/// Has the page show what is wished for.
pub fn wish(app: &AppHandle, wish: Wish) {
    app.state::<OpenWishes>().add(wish);
    // A page that is only being loaded asks by itself.
    if let Err(error) = app.emit_to(crate::page::LABEL, WISH, ()) {
        tracing::warn!(%error, "the page did not hear of a wish");
    }
}

/// The page takes up the oldest wish, if there is one, and asks until there is none.
#[tauri::command]
pub fn take_wish(open: State<'_, OpenWishes>) -> Option<Wish> {
    open.take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_wish_takes_the_place_of_another() {
        let files = |path: &str| Wish::Archives { paths: vec![path.to_owned()] };
        let open = OpenWishes::new(vec![files("/a.tar")]);
        open.add(Wish::Setup);
        open.add(files("/b.tar"));
        let both = Wish::Archives { paths: vec!["/a.tar".to_owned(), "/b.tar".to_owned()] };
        assert_eq!((open.take(), open.take(), open.take()), (Some(both), Some(Wish::Setup), None));
    }
}

//! One app for each account: a second start shows the first one's window, and ends.
//!
//! The first holds a lock, which the system drops even if the app is killed, and listens on a socket beside it; both are
//! in the folder of the control socket, which is nobody else's (mode 0700).

use anyhow::Context as _;
use dockline_core::Paths;
use std::{
    fs::{File, TryLockError},
    io,
    path::PathBuf,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

/// How long a second start waits for a first one that is only starting, or ending.
const PATIENCE: Duration = Duration::from_secs(5);
/// Neither is an event for another process.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// What a second start says: show the window, or nothing.
const SHOW: u8 = b'w';
const STAY_HIDDEN: u8 = b'-';
/// What the first one answers when it has heard.
const HEARD: u8 = b'.';

/// The one app that runs. Dropping it lets the next one start.
#[derive(Debug)]
pub struct First {
    /// Gets an item for each later start that wants the window.
    pub wanted: mpsc::UnboundedReceiver<()>,
    _lock: File,
}

/// Becomes the one app that runs in the folder of `paths`; `None` if there is one already, which has then been asked to
/// show its window unless `hidden`.
///
/// # Errors
/// If the folder cannot be used, or another app neither answers nor ends.
pub async fn first(paths: &Paths, hidden: bool) -> anyhow::Result<Option<First>> {
    paths.prepare()?;
    let (lock, socket) = (paths.runtime_dir.join("desktop.lock"), paths.runtime_dir.join("desktop.sock"));
    let file = File::options().create(true).write(true).truncate(false).open(&lock);
    let file = file.with_context(|| format!("{} cannot be opened", lock.display()))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return listen(socket, file).map(Some),
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", lock.display()));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if timeout(PATIENCE, tell(&socket, hidden)).await.is_ok_and(|told| told.is_ok()) {
            return Ok(None);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "Dockline runs already, but does not answer; end it (its process is named dockline-desktop)"
        );
        sleep(LOOK_AGAIN).await;
    }
}

async fn tell(socket: &PathBuf, hidden: bool) -> io::Result<()> {
    let mut first = UnixStream::connect(socket).await?;
    first.write_u8(if hidden { STAY_HIDDEN } else { SHOW }).await?;
    match first.read_u8().await? {
        HEARD => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn listen(socket: PathBuf, lock: File) -> anyhow::Result<First> {
    // The lock is ours: whoever made this socket has ended.
    match std::fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} cannot be replaced", socket.display()));
        }
        Ok(()) | Err(_) => {}
    }
    let listener =
        UnixListener::bind(&socket).with_context(|| format!("{} cannot be made", socket.display()))?;
    let (wants, wanted) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while !wants.is_closed() {
            match listener.accept().await {
                Ok((mut second, _)) => {
                    let wants = wants.clone();
                    tokio::spawn(timeout(PATIENCE, async move {
                        if second.read_u8().await? == SHOW {
                            // The app is ending: so be it.
                            let _ = wants.send(());
                        }
                        second.write_u8(HEARD).await
                    }));
                }
                Err(error) => {
                    tracing::warn!(%error, "a second start could not be heard");
                    sleep(PATIENCE).await;
                }
            }
        }
    });
    Ok(First { wanted, _lock: lock })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_start_asks_the_first_for_its_window() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::in_folder(folder.path());
        let mut one = first(&paths, false).await.unwrap().expect("nobody else runs");
        assert!(first(&paths, true).await.unwrap().is_none());
        assert!(one.wanted.try_recv().is_err(), "a hidden start shows nothing");
        assert!(first(&paths, false).await.unwrap().is_none());
        assert!(one.wanted.try_recv().is_ok());
        drop(one);
        assert!(first(&paths, false).await.unwrap().is_some(), "a socket that is left over is replaced");
    }
}

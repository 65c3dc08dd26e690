//! One app for each account: a second start shows the first one's window, and ends.
//!
//! The first holds a lock, which the system drops even if the app is killed, and listens on a socket beside it; both are
//! in the folder of the control socket, which is nobody else's (mode 0700).

use crate::words::Wish;
use anyhow::Context as _;
use dockline_core::Paths;
use interprocess::local_socket::{
    ConnectOptions, ListenerOptions, Name,
    tokio::{Listener, Stream, prelude::*},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, TryLockError},
    io,
    path::Path,
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

/// How long a second start waits for a first one that is only starting, or ending.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long an app that has ended may keep its pipe.
const HANDOVER: Duration = Duration::from_secs(1);
/// Neither is an event for another process.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
/// The longest that a second start may say: more files than a person can name.
const LONGEST: u64 = 1 << 20;
/// What the first one answers when it has heard.
const HEARD: u8 = b'.';

/// What a start wants: the words of a second one to the first, as a line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Whether the window is to be seen.
    pub show: bool,
    /// And what in it.
    pub wish: Option<Wish>,
}

/// The one app that runs. Dropping it lets the next one start.
#[derive(Debug)]
pub struct First {
    /// Gets an item for each later start that wants the window.
    pub wanted: mpsc::UnboundedReceiver<Option<Wish>>,
    _lock: File,
}

/// Becomes the one app that runs in the folder of `paths`; `None` if there is one already, which has then been told what
/// is `wanted`.
///
/// # Errors
/// If the folder cannot be used, or another app neither answers nor ends.
pub async fn first(paths: &Paths, wanted: &Wanted) -> anyhow::Result<Option<First>> {
    paths.prepare()?;
    let (lock, socket) = (paths.runtime_dir.join("desktop.lock"), paths.runtime_dir.join("desktop.sock"));
    let file = File::options().create(true).write(true).truncate(false).open(&lock);
    let file = file.with_context(|| format!("{} cannot be opened", lock.display()))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => {
                let listener = bind_soon(&socket).await;
                let listener = listener.with_context(|| format!("{} cannot be made", socket.display()))?;
                return Ok(Some(listen(listener, file)));
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("{} cannot be locked", lock.display()));
            }
            Err(TryLockError::WouldBlock) => {}
        }
        if timeout(PATIENCE, tell(&socket, wanted)).await.is_ok_and(|told| told.is_ok()) {
            return Ok(None);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "Dockline runs already, but does not answer; end it (its process is named dockline-desktop)"
        );
        sleep(LOOK_AGAIN).await;
    }
}

#[cfg(unix)]
fn name(socket: &Path) -> io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericFilePath, ToFsName as _};
    socket.to_owned().to_fs_name::<GenericFilePath>()
}

/// Pipes share one flat name space, and their names have no folders.
#[cfg(windows)]
fn name(socket: &Path) -> io::Result<Name<'static>> {
    use interprocess::local_socket::{GenericNamespaced, ToNsName as _};
    let flat = socket.to_string_lossy().replace(['\\', '/', ':'], "-");
    format!("dockline-{flat}").to_ns_name::<GenericNamespaced>()
}

/// The lock is ours: whoever made a socket that is there has ended.
fn bind(socket: &Path) -> io::Result<Listener> {
    #[cfg(unix)]
    match std::fs::remove_file(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    ListenerOptions::new().name(name(socket)?).create_tokio()
}

/// On Windows the pipe of an app that has just ended is there for as long as somebody is connected to it.
async fn bind_soon(socket: &Path) -> io::Result<Listener> {
    let deadline = Instant::now() + HANDOVER;
    loop {
        match bind(socket) {
            Err(error)
                if cfg!(windows)
                    && error.kind() == io::ErrorKind::PermissionDenied
                    && Instant::now() < deadline =>
            {
                sleep(LOOK_AGAIN).await;
            }
            done => return done,
        }
    }
}

async fn tell(socket: &Path, wanted: &Wanted) -> io::Result<()> {
    let mut first = ConnectOptions::new().name(name(socket)?).connect_tokio().await?;
    let mut line = serde_json::to_vec(wanted)?;
    line.push(b'\n');
    first.write_all(&line).await?;
    match first.read_u8().await? {
        HEARD => Ok(()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// What a second start says.
async fn hear(second: Stream) -> io::Result<Wanted> {
    let mut second = BufReader::new(second.take(LONGEST));
    let mut line = String::new();
    second.read_line(&mut line).await?;
    let wanted = serde_json::from_str(&line)?;
    second.get_mut().get_mut().write_u8(HEARD).await?;
    Ok(wanted)
}

fn listen(listener: Listener, lock: File) -> First {
    let (wants, wanted) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while !wants.is_closed() {
            match listener.accept().await {
                Ok(second) => {
                    let wants = wants.clone();
                    tokio::spawn(async move {
                        if let Ok(Ok(Wanted { show: true, wish })) = timeout(PATIENCE, hear(second)).await {
                            // The app is ending: so be it.
                            let _ = wants.send(wish);
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a second start could not be heard");
                    sleep(PATIENCE).await;
                }
            }
        }
    });
    First { wanted, _lock: lock }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_start_asks_the_first_for_its_window() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::in_folder(folder.path());
        let wish = Wish::Archives { paths: vec!["/tmp/app.tar".to_owned()] };
        let shown = Wanted { show: true, wish: Some(wish.clone()) };
        let mut one = first(&paths, &shown).await.unwrap().expect("nobody else runs");
        assert!(first(&paths, &Wanted { show: false, wish: None }).await.unwrap().is_none());
        assert!(first(&paths, &shown).await.unwrap().is_none());
        assert_eq!(one.wanted.recv().await, Some(Some(wish)), "a hidden start shows nothing");
        drop(one);
        assert!(first(&paths, &shown).await.unwrap().is_some(), "a socket that is left over is replaced");
    }
}

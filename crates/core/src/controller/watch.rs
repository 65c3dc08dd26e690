//! Notices when the configuration or the hosts file changes on disk.

use super::{Mailbox, Message};
#[cfg(target_os = "linux")]
use futures::StreamExt as _;
use notify::{Config, Event, EventKind, PollWatcher, RecursiveMode, Watcher};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
#[cfg(target_os = "linux")]
use {std::collections::HashMap, tokio_util::task::AbortOnDropHandle};

/// Room for some events of the kernel's, in bytes: one takes 16 and its file's name.
#[cfg(target_os = "linux")]
const EVENTS: usize = 4096;

/// How often the files are looked at where the system cannot tell (its watches are used up, network folders).
const POLL: Duration = Duration::from_secs(3);

/// Watches the files' folders rather than the files: editors put a new file in the old one's place.
pub(super) struct FileWatch {
    /// Held for its life.
    _watcher: Option<Kept>,
}

/// What ends the watching when it is dropped.
enum Kept {
    #[cfg(target_os = "linux")]
    Task {
        _task: AbortOnDropHandle<()>,
    },
    Watcher {
        _watcher: Box<dyn Watcher + Send>,
    },
}

impl FileWatch {
    pub(super) fn start(files: &[&Path], mailbox: Mailbox) -> Self {
        let mut watched = BTreeSet::new();
        for file in files {
            watched.insert(file.to_path_buf());
            // A linked file changes where the link leads.
            watched.extend(fs::canonicalize(file));
        }
        let watcher = watch_natively(&watched, mailbox.clone())
            .or_else(|error| {
                tracing::warn!(%error, "changes on disk are looked for every {} s", POLL.as_secs());
                watch::<PollWatcher>(&watched, mailbox, Config::default().with_poll_interval(POLL))
                    .map(|watcher| Kept::Watcher { _watcher: watcher })
            })
            .inspect_err(|error| tracing::warn!(%error, "changes of the configuration are not noticed"))
            .ok();
        Self { _watcher: watcher }
    }
}

#[cfg(not(target_os = "linux"))]
fn watch_natively(files: &BTreeSet<PathBuf>, mailbox: Mailbox) -> notify::Result<Kept> {
    let watcher = watch::<notify::RecommendedWatcher>(files, mailbox, Config::default())?;
    Ok(Kept::Watcher { _watcher: watcher })
}

/// As the library does it, but for changes alone (inotify(7)): the library asks to be told of every opening, too, and
/// something in `/etc`, where the hosts file is, is opened by every program that starts on this machine.
#[cfg(target_os = "linux")]
fn watch_natively(files: &BTreeSet<PathBuf>, mailbox: Mailbox) -> notify::Result<Kept> {
    use inotify::{EventMask, Inotify, WatchMask};
    let changes = WatchMask::ATTRIB
        | WatchMask::CREATE
        | WatchMask::DELETE
        | WatchMask::CLOSE_WRITE
        | WatchMask::MODIFY
        | WatchMask::MOVED_FROM
        | WatchMask::MOVED_TO;
    let inotify = Inotify::init()?;
    let mut folders = HashMap::new();
    for folder in folders_of(files) {
        folders.insert(inotify.watches().add(folder, changes)?, folder.to_owned());
    }
    let mut events = inotify.into_event_stream(vec![0; EVENTS])?;
    let wanted = files.clone();
    let task = tokio::spawn(async move {
        while let Some(event) = events.next().await {
            let relevant = match &event {
                Ok(event) => {
                    let path = folders.get(&event.wd).zip(event.name.as_ref());
                    // Without a name it is the folder itself, or more than there was room for.
                    event.mask.contains(EventMask::Q_OVERFLOW)
                        || path.is_some_and(|(folder, name)| wanted.contains(&folder.join(name)))
                }
                Err(_) => true,
            };
            if relevant {
                mailbox.post(Message::FilesChanged);
            }
            if let Err(error) = event {
                tracing::warn!(%error, "changes of the configuration are not noticed any more");
                return;
            }
        }
    });
    Ok(Kept::Task { _task: AbortOnDropHandle::new(task) })
}

/// Those that are there.
fn folders_of(files: &BTreeSet<PathBuf>) -> BTreeSet<&Path> {
    files.iter().filter_map(|file| file.parent()).filter(|folder| folder.is_dir()).collect()
}

fn watch<W: Watcher + Send + 'static>(
    files: &BTreeSet<PathBuf>,
    mailbox: Mailbox,
    config: Config,
) -> notify::Result<Box<dyn Watcher + Send>> {
    let wanted = files.clone();
    let on_event = move |event: notify::Result<Event>| {
        let relevant = match event {
            // Reading the file, as we do ourselves, is no change.
            Ok(Event { kind: EventKind::Access(_), .. }) => false,
            Ok(event) => event.need_rescan() || event.paths.iter().any(|path| wanted.contains(path)),
            Err(_) => true,
        };
        if relevant {
            mailbox.post(Message::FilesChanged);
        }
    };
    let mut watcher = W::new(on_event, config)?;
    for folder in folders_of(files) {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(Box::new(watcher))
}

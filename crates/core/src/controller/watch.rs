//! Notices when the configuration or the hosts file changes on disk.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as native;

use super::{Mailbox, Message};
use notify::{Config, Event, EventKind, PollWatcher, RecursiveMode, Watcher};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often the files are looked at where the system cannot tell (its watches are used up, network folders).
const POLL: Duration = Duration::from_secs(3);

/// Watches the files' folders rather than the files: editors put a new file in the old one's place.
pub(super) struct FileWatch {
    /// Held for its life.
    _watcher: Option<Kept>,
}

/// What ends the watching when it is dropped.
type Kept = Box<dyn Send>;

impl FileWatch {
    pub(super) fn start(files: &[&Path], mailbox: Mailbox) -> Self {
        let mut watched = BTreeSet::new();
        for file in files {
            watched.insert(file.to_path_buf());
            // A linked file changes where the link leads.
            watched.extend(fs::canonicalize(file));
        }
        let watcher = native::start(&watched, mailbox.clone())
            .or_else(|error| -> notify::Result<Kept> {
                tracing::warn!(%error, "changes on disk are looked for every {} s", POLL.as_secs());
                let every = Config::default().with_poll_interval(POLL);
                Ok(Box::new(watch::<PollWatcher>(&watched, mailbox, every)?))
            })
            .inspect_err(|error| tracing::warn!(%error, "changes of the configuration are not noticed"))
            .ok();
        Self { _watcher: watcher }
    }
}

/// Everywhere else the library does it.
#[cfg(not(target_os = "linux"))]
mod native {
    use super::{BTreeSet, Config, Kept, Mailbox, PathBuf, watch};

    pub(super) fn start(files: &BTreeSet<PathBuf>, mailbox: Mailbox) -> notify::Result<Kept> {
        Ok(Box::new(watch::<notify::RecommendedWatcher>(files, mailbox, Config::default())?))
    }
}

/// Those that are there.
fn folders_of(files: &BTreeSet<PathBuf>) -> BTreeSet<&Path> {
    files.iter().filter_map(|file| file.parent()).filter(|folder| folder.is_dir()).collect()
}

fn watch<W: Watcher>(files: &BTreeSet<PathBuf>, mailbox: Mailbox, config: Config) -> notify::Result<W> {
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
    Ok(watcher)
}

//! Notices when the configuration or the hosts file changes on disk.

use super::{Mailbox, Message};
use notify::{Config, Event, EventKind, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};
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
    _watcher: Option<Box<dyn Watcher + Send>>,
}

impl FileWatch {
    pub(super) fn start(files: &[&Path], mailbox: Mailbox) -> Self {
        let mut watched = BTreeSet::new();
        for file in files {
            watched.insert(file.to_path_buf());
            // A linked file changes where the link leads.
            watched.extend(fs::canonicalize(file));
        }
        let watcher = watch::<RecommendedWatcher>(&watched, mailbox.clone(), Config::default())
            .or_else(|error| {
                tracing::warn!(%error, "changes on disk are looked for every {} s", POLL.as_secs());
                watch::<PollWatcher>(&watched, mailbox, Config::default().with_poll_interval(POLL))
            })
            .inspect_err(|error| tracing::warn!(%error, "changes of the configuration are not noticed"))
            .ok();
        Self { _watcher: watcher }
    }
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
    let folders: BTreeSet<&Path> = files.iter().filter_map(|file| file.parent()).collect();
    for folder in folders.into_iter().filter(|folder| folder.is_dir()) {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(Box::new(watcher))
}

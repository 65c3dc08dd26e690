//! Linux: inotify(7), asked for changes alone.

use super::{Kept, Mailbox, Message, folders_of};
use futures::StreamExt as _;
use inotify::{EventMask, Inotify, WatchMask};
use std::{
    collections::{BTreeSet, HashMap},
    path::PathBuf,
};
use tokio_util::task::AbortOnDropHandle;

/// Room for some events of the kernel's, in bytes: one takes 16 and its file's name.
const EVENTS: usize = 4096;

/// As the library does it, but for changes alone (inotify(7)): the library asks to be told of every opening, too, and
/// something in `/etc`, where the hosts file is, is opened by every program that starts on this machine.
pub(super) fn start(files: &BTreeSet<PathBuf>, mailbox: Mailbox) -> notify::Result<Kept> {
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
    Ok(Box::new(AbortOnDropHandle::new(task)))
}

//! The list of transfers outlives the owner: a file in the state folder, replaced whole, never half-written.

use crate::files::{blocking, replace};
use dockline_model::{Code, Command, TransferState, TransferView, UiError};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tokio::{sync::watch, task::JoinHandle};

/// Transfers that are kept; beyond, the oldest are forgotten.
pub(super) const KEPT: usize = 200;
const VERSION: u32 = 1;

/// A transfer and what was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Past {
    pub(super) view: TransferView,
    pub(super) command: Command,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    version: u32,
    transfers: Vec<serde_json::Value>,
}

/// Writes the list down whenever it changed; the newest state only, if it changes faster than the disk.
#[derive(Debug)]
pub(super) struct History {
    newest: watch::Sender<Vec<Past>>,
    writer: JoinHandle<()>,
}

impl History {
    pub(super) fn start(path: PathBuf) -> Self {
        let (newest, mut changes) = watch::channel(Vec::new());
        let writer = tokio::spawn(async move {
            while changes.changed().await.is_ok() {
                let (list, path) = (changes.borrow_and_update().clone(), path.clone());
                if let Ok(Err(error)) = blocking(move || write(&path, &list)).await {
                    tracing::warn!(%error, "the list of transfers is not kept");
                }
            }
        });
        Self { newest, writer }
    }

    pub(super) fn keep(&self, list: Vec<Past>) {
        self.newest.send_if_modified(|newest| {
            let is_new = *newest != list;
            *newest = list;
            is_new
        });
    }

    /// Waits until the newest is on disk.
    pub(super) async fn close(self) {
        drop(self.newest);
        // A panic in there has been told of already.
        let _ = self.writer.await;
    }
}

/// What an earlier owner left. One entry that does not read, of a later version perhaps, is left out; what was under
/// way when that owner was killed has failed. Blocks.
pub(super) fn read(path: &Path) -> Vec<Past> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, "the list of transfers cannot be read");
            }
            return Vec::new();
        }
    };
    let Ok(file) = serde_json::from_slice::<File>(&text) else {
        tracing::warn!("the list of transfers does not read; a new one is begun");
        return Vec::new();
    };
    let read = file.transfers.into_iter().filter_map(|value| serde_json::from_value::<Past>(value).ok());
    read.map(ended).collect()
}

fn ended(mut past: Past) -> Past {
    if !past.view.state.is_final() {
        past.view.state = TransferState::Failed {
            error: UiError::new(Code::OwnerGone, "Dockline was ended before this transfer was.")
                .hint("Try it again: what the registry has already is not sent twice."),
        };
        past.view.finished = Some(past.view.started);
    }
    past.view.rate = None;
    past.view.seconds_left = None;
    past
}

fn write(path: &Path, list: &[Past]) -> io::Result<()> {
    let newest = list.len().saturating_sub(KEPT);
    let transfers: Result<Vec<_>, _> = list[newest..].iter().map(serde_json::to_value).collect();
    let text = serde_json::to_vec(&File { version: VERSION, transfers: transfers? })?;
    replace(path, &text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dockline_model::{Road, TransferId, TransferKind, UnixMillis};

    fn past(id: u64, state: TransferState) -> Past {
        Past {
            view: TransferView {
                id: TransferId(id),
                kind: TransferKind::Pull,
                road: Road::Engine,
                registry: "cr.boss.org".parse().unwrap(),
                host: None,
                why: None,
                sent: 0,
                skipped: 0,
                source: "app".to_owned(),
                reference: "cr.boss.org:5000/app:v1".to_owned(),
                state,
                layers: Vec::new(),
                current: 1,
                total: 2,
                share: None,
                rate: Some(1),
                seconds_left: Some(1),
                started: UnixMillis(1),
                finished: None,
            },
            command: Command::Pull { reference: "cr.boss.org/app:v1".to_owned(), platform: None, road: None },
        }
    }

    #[tokio::test]
    async fn it_is_bounded_and_what_was_cut_short_has_failed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("transfers.json");
        assert!(read(&path).is_empty());
        let history = History::start(path.clone());
        history.keep((0..300).map(|id| past(id, TransferState::Cancelled)).collect());
        let list: Vec<Past> = (1..=300).map(|id| past(id, TransferState::Running)).collect();
        history.keep(list);
        history.close().await;
        let back = read(&path);
        assert_eq!((back.len(), back[0].view.id), (KEPT, TransferId(101)));
        assert!(
            matches!(&back[0].view.state, TransferState::Failed { error } if error.code == Code::OwnerGone)
        );
        assert_eq!((back[0].view.rate, back[0].view.finished), (None, Some(UnixMillis(1))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written is left");
    }

    #[test]
    fn what_does_not_read_does_not_keep_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("transfers.json");
        write(&path, &[past(1, TransferState::Cancelled)]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"transfers\":[", "\"transfers\":[{\"view\":7},")).unwrap();
        assert_eq!(read(&path).len(), 1);
        fs::write(&path, "{\"version\":1,\"tra").unwrap();
        assert!(read(&path).is_empty());
    }
}

//! Archives, looked into before they are pushed: what their images are called.

use super::{
    Answerer, FaceId, Mailbox, Message,
    run::cancelled,
    transfers::{Order, Reading},
};
use dockline_model::{Code, Command, RegistrySpec, TransferId, UiError};
use dockline_registry::{
    RegistryError,
    archive::{self, ArchiveError, ArchiveImage},
};
use std::path::Path;
use tokio::sync::{Semaphore, oneshot};

/// A packed archive is unpacked to find out whose it is; a folder full of them at once would fill the disk.
static READING: Semaphore = Semaphore::const_new(2);

/// The images in an archive. Where nobody waits any more it is read to its end all the same, and has its turn until then.
pub(super) async fn images(path: &Path) -> Result<Vec<ArchiveImage>, UiError> {
    // Closed by nobody.
    let turn = READING.acquire().await;
    let path = path.to_owned();
    let read = tokio::spawn(async move {
        let _turn = turn;
        archive::images(&path).await
    });
    match read.await {
        Ok(images) => images.map_err(told),
        Err(error) => {
            Err(UiError::new(Code::Internal, format!("The task that reads the archive failed: {error}.")))
        }
    }
}

fn told(error: ArchiveError) -> UiError {
    UiError::from(&RegistryError::from(error))
}

/// Refuses a folder of something else, whatever it is to be called at the registry. Reading one takes no time, and none of
/// the turns of archives that have to be unpacked.
pub(super) async fn check_folder(path: &Path) -> Result<(), UiError> {
    match tokio::fs::metadata(path).await {
        Ok(found) if found.is_dir() => archive::images(path).await.map(drop).map_err(told),
        // What is wrong with a file is told when it is read.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What the list shows of an archive while the name of its image is read; nothing of what is asked for otherwise.
pub(super) fn reading(
    specs: &[RegistrySpec],
    command: &Command,
    replaces: Option<TransferId>,
) -> Option<Reading> {
    let Command::PushArchive { path, registry, reference: None, host, .. } = command else { return None };
    let spec = specs.iter().find(|spec| spec.name == *registry)?;
    Some(Reading {
        registry: spec.name.clone(),
        host: host.clone(),
        source: super::request::file_name(path),
        reference: spec.authority(),
        command: command.clone(),
        replaces,
    })
}

/// Waits for an order that takes its time, and has a row in the list for it until then: whoever cancels that stops waiting.
pub(super) async fn wait_in_the_list(
    (face, reading): (FaceId, Reading),
    order: impl Future<Output = Result<Order, UiError>>,
    mailbox: &Mailbox,
    answer: Answerer,
) {
    let (row, shown) = oneshot::channel();
    mailbox.post(Message::Reading { face, reading: Box::new(reading), row });
    // Without a row the owner is ending, and whoever waits for the answer is told that.
    let Ok(shown) = shown.await else { return };
    let (id, cancel) = match shown {
        Ok(shown) => shown,
        // A face that has gone does not hear it.
        Err(error) => return drop(answer.send(Err(error))),
    };
    let order = tokio::select! {
        order = order => order,
        () = cancel.cancelled() => Err(cancelled()),
    };
    mailbox.post(Message::Read { id, order: order.map(Box::new), answer });
}

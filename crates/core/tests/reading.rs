//! Archives that take long to read: they stand in the list meanwhile, and can be cancelled there.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test that fails should panic")]
#![cfg(unix)]

mod common;

use common::{NAME, SOON, add, name, next, open, paths, request, snapshot, target_at};
use dockline_core::{EventStream, Mode, Session};
use dockline_model::{
    Change, Code, Command, Extent, PushOptions, Reply, TransferId, TransferState, TransferView, UiError,
};
use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
};
use tokio::{task::JoinHandle, time::timeout};

fn push(path: &Path, reference: Option<&str>) -> Command {
    Command::PushArchive {
        path: path.to_owned(),
        registry: name(),
        reference: reference.map(str::to_owned),
        image: None,
        options: PushOptions::default(),
        host: None,
        extent: Extent::default(),
    }
}

/// A pipe that nobody writes to: whoever opens it waits, as others do for a large archive.
fn endless(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    path
}

/// Ends the wait: there is nothing in it.
fn end(pipe: &Path) {
    drop(OpenOptions::new().write(true).open(pipe).unwrap());
}

type Asked = JoinHandle<Result<Reply, UiError>>;

fn ask(session: &Session, command: Command) -> Asked {
    let session = session.clone();
    tokio::spawn(async move { session.request(command).await })
}

async fn answer(asked: Asked) -> Result<Reply, UiError> {
    timeout(SOON, asked).await.expect("an answer in time").unwrap()
}

/// The next that is said of the transfer of that file, if it is as wanted.
async fn row(events: &mut EventStream, source: &str, wanted: impl Fn(&TransferView) -> bool) -> TransferView {
    loop {
        if let Change::Transfer { transfer } = next(events).await.change
            && transfer.source == source
            && wanted(&transfer)
        {
            return transfer;
        }
    }
}

/// Waits until the transfer of that file has failed.
async fn failed(events: &mut EventStream, source: &str) -> (TransferId, Code) {
    let row = row(events, source, |row| row.state.is_final()).await;
    match row.state {
        TransferState::Failed { error } => (row.id, error.code),
        other => panic!("it has not failed: {other:?}"),
    }
}

async fn known(session: &Session) -> Vec<TransferId> {
    snapshot(session).await.transfers.iter().map(|row| row.id).collect()
}

async fn gone(events: &mut EventStream, id: TransferId) {
    while !matches!(next(events).await.change, Change::TransferGone { id: gone } if gone == id) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_stands_in_the_list_while_it_is_read() {
    let home = tempfile::tempdir().unwrap();
    let session = open(&paths(home.path()), Mode::MustOwn).await;
    add(&session, target_at("127.0.0.1:1")).await;
    let mut events = session.events();
    let (one, two) = (endless(home.path(), "one.tar.gz"), endless(home.path(), "two.tar.gz"));
    let sample = home.path().join("sample.tar");
    dockline_registry::sample::write_sample(&sample).unwrap();

    let is_read =
        |row: &TransferView| row.state == TransferState::Waiting && row.reference == format!("{NAME}:5000");
    let first = ask(&session, push(&one, None));
    let cancelled = row(&mut events, "one.tar.gz", is_read).await.id;
    let second = ask(&session, push(&two, None));
    let refused = row(&mut events, "two.tar.gz", is_read).await.id;
    // Two at once: the third has to wait for its turn, and stands there as well.
    let third = ask(&session, push(&sample, None));
    let kept = row(&mut events, "sample.tar", is_read).await.id;

    request(&session, Command::Cancel { transfer: cancelled }).await.unwrap();
    assert_eq!(answer(first).await.unwrap_err().code, Code::Cancelled);
    assert_eq!(row(&mut events, "one.tar.gz", |_| true).await.state, TransferState::Cancelled);

    // It goes on being read while it is halted, and waits for the person then.
    request(&session, Command::Pause { transfer: kept }).await.unwrap();
    row(&mut events, "sample.tar", |row| row.state == TransferState::Paused).await;
    end(&one);
    let named = row(&mut events, "sample.tar", |row| row.reference.contains('/')).await;
    assert_eq!((named.id, named.state), (kept, TransferState::Paused));
    assert_eq!(answer(third).await, Ok(Reply::Transfer { id: kept }));
    request(&session, Command::Resume { transfer: kept }).await.unwrap();
    row(&mut events, "sample.tar", |row| row.state == TransferState::Waiting).await;
    // Nothing is behind that address.
    request(&session, Command::Cancel { transfer: kept }).await.unwrap();

    // What everybody has seen in the list does not go without a word: it stands there with the reason.
    end(&two);
    assert_eq!(failed(&mut events, "two.tar.gz").await, (refused, Code::ArchiveInvalid));
    assert_eq!(answer(second).await, Ok(Reply::Transfer { id: refused }));
    assert_eq!(known(&session).await, [cancelled, refused, kept]);

    // Asked for again, what failed stays until the new one is read, and there are never two of it.
    let again = ask(&session, Command::Retry { transfer: refused });
    let next_try = row(&mut events, "two.tar.gz", is_read).await.id;
    let same = ask(&session, Command::Retry { transfer: refused });
    assert_eq!(answer(same).await.unwrap_err().code, Code::NotFound);
    assert_eq!(known(&session).await, [cancelled, refused, kept, next_try]);
    end(&two);
    assert_eq!(failed(&mut events, "two.tar.gz").await, (next_try, Code::ArchiveInvalid));
    gone(&mut events, refused).await;
    assert_eq!(answer(again).await, Ok(Reply::Transfer { id: next_try }));
    assert_eq!(known(&session).await, [cancelled, kept, next_try]);

    // Whoever clears the list meanwhile has not meant what is under way.
    let again = ask(&session, Command::Retry { transfer: next_try });
    let last_try = row(&mut events, "two.tar.gz", is_read).await.id;
    request(&session, Command::DismissAll).await.unwrap();
    assert_eq!(known(&session).await, [last_try]);
    // What ends it from outside is what whoever waits is told.
    request(&session, Command::RemoveRegistry { registry: NAME.parse().unwrap() }).await.unwrap();
    let ended = row(&mut events, "two.tar.gz", |row| row.state.is_final()).await.state;
    assert_eq!(ended, TransferState::Failed { error: answer(again).await.unwrap_err() });
    end(&two);
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_of_something_else_is_refused_before_it_stands_in_the_list() {
    let home = tempfile::tempdir().unwrap();
    let session = open(&paths(home.path()), Mode::MustOwn).await;
    add(&session, target_at("127.0.0.1:1")).await;
    let photos = home.path().join("photos");
    std::fs::create_dir(&photos).unwrap();
    for reference in [None, Some("photos:v1")] {
        let error = request(&session, push(&photos, reference)).await.unwrap_err();
        assert_eq!(error.code, Code::ArchiveInvalid);
        assert!(error.message.contains("oci-layout"), "{error:?}");
    }
    std::fs::write(photos.join("oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}").unwrap();
    let error = request(&session, push(&photos, Some("photos:v1"))).await.unwrap_err();
    assert!(error.message.contains("index.json is missing"), "{error:?}");
    assert!(snapshot(&session).await.transfers.is_empty());
    session.close().await;
}

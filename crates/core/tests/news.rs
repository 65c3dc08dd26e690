//! Newer versions of Dockline: asked for when a person or the settings say so, told once, kept.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test that fails should panic")]

mod common;

use axum::{Router, routing::get};
use common::{open, paths, request, snapshot};
use dockline_core::{Mode, Session};
use dockline_model::{Change, Code, Command, Reply, SettingsChange, UpdateCheck, UpdatesView};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::net::TcpListener;

/// A server with a document, and how often it was asked.
async fn server(version: &'static str) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let document = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async move { format!("{{\"version\": \"{version}\", \"url\": \"https://example.org/{version}\"}}") }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/dockline.json", listener.local_addr().unwrap());
    let router = Router::new().route("/dockline.json", get(document));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, asked)
}

async fn set(session: &Session, change: SettingsChange) {
    request(session, Command::ChangeSettings { change }).await.unwrap();
}

fn with_url(url: &str) -> SettingsChange {
    SettingsChange { update_url: Some(url.to_owned()), ..SettingsChange::default() }
}

async fn check(session: &Session) -> UpdatesView {
    match request(session, Command::CheckUpdates).await.unwrap() {
        Reply::Updates { updates } => updates,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn nobody_is_asked_who_was_not_named_and_the_answer_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let (url, asked) = server("99.0.0").await;
    let session = open(&paths, Mode::OwnIfNone).await;
    let error = request(&session, Command::CheckUpdates).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    for bad in ["http://example.org/", "nonsense"] {
        let refused = Command::ChangeSettings { change: with_url(bad) };
        assert_eq!(request(&session, refused).await.unwrap_err().code, Code::InvalidArgument);
    }
    set(&session, with_url(&url)).await;
    let updates = check(&session).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1, "the address alone has nobody asked");
    let last = updates.last.unwrap();
    assert!(last.is_news && !updates.asking);
    assert_eq!(last.release.unwrap().url, "https://example.org/99.0.0");
    session.close().await;

    // Another start knows it, without asking; and so does a look without an owner.
    let looked = open(&paths, Mode::Look).await;
    assert_eq!(snapshot(&looked).await.updates.last.unwrap().newest, "99.0.0");
    looked.close().await;
    let session = open(&paths, Mode::MustOwn).await;
    assert_eq!(snapshot(&session).await.updates.last.unwrap().newest, "99.0.0");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert!(!check(&session).await.last.unwrap().is_news, "told once");
    // Nobody is there any more.
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    set(&session, with_url(&format!("http://{gone}/"))).await;
    assert_eq!(snapshot(&session).await.updates.last, None, "that was another one's answer");
    let error = request(&session, Command::CheckUpdates).await.unwrap_err();
    assert_eq!(error.code, Code::UpdateUnreachable);
    assert_eq!(snapshot(&session).await.updates.failure.unwrap().error, error);
    set(&session, with_url("")).await;
    assert_eq!(snapshot(&session).await.settings.update_url, None);
    session.close().await;
}

#[tokio::test]
async fn an_owner_that_stays_asks_by_itself_once_it_is_told_to() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let (url, asked) = server("99.0.0").await;
    let session = open(&paths, Mode::MustOwn).await;
    let mut events = session.events();
    let weekly = SettingsChange { update_check: Some(UpdateCheck::Weekly), ..with_url(&url) };
    set(&session, weekly).await;
    let told = loop {
        if let Change::Updates { updates } = common::next(&mut events).await.change
            && let Some(last) = updates.last
        {
            break last;
        }
    };
    assert!(told.is_news && told.newest == "99.0.0");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // Switched off and on again: that was just asked.
    for check in [UpdateCheck::Off, UpdateCheck::Daily] {
        set(&session, SettingsChange { update_check: Some(check), ..SettingsChange::default() }).await;
    }
    assert!(!check(&session).await.last.unwrap().is_news);
    assert_eq!(asked.load(Ordering::SeqCst), 2, "this time a person did");
    session.close().await;
    let config = std::fs::read_to_string(&paths.config_file).unwrap();
    assert!(config.contains("update-check = \"daily\""), "{config}");
}

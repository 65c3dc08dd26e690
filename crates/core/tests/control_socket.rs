//! The control socket as a stranger meets it: wrong versions, garbage, giant lines, slow readers.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test that fails should panic")]
#![cfg(unix)]

mod common;

use common::{SOON, hello, open, paths};
use dockline_core::{Mode, Paths, Session};
use dockline_demo::DemoHost;
use dockline_model::{
    Change, Code, Command, Envelope, Event, Extent, Hello, PROTOCOL_VERSION, PushOptions, Reply, Request,
    Response,
};
use std::{
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    time::timeout,
};

/// A face that speaks by hand.
struct Raw(BufReader<UnixStream>);

impl Raw {
    async fn connect(paths: &Paths) -> Self {
        Self(BufReader::new(UnixStream::connect(paths.control_socket()).await.unwrap()))
    }

    async fn welcomed(paths: &Paths) -> Self {
        let mut raw = Self::connect(paths).await;
        raw.say(&serde_json::to_string(&hello(false)).unwrap()).await;
        assert_eq!(raw.hear().await, Some(Envelope::Welcome { protocol: PROTOCOL_VERSION }));
        raw
    }

    /// The owner may hang up in the middle of a line it will not have.
    async fn say(&mut self, line: &str) {
        let _ = self.0.write_all(format!("{line}\n").as_bytes()).await;
    }

    async fn command(&mut self, id: u64, command: Command) {
        self.say(&serde_json::to_string(&Request { id, command }).unwrap()).await;
    }

    /// The next line; `None` once the owner has hung up.
    async fn hear(&mut self) -> Option<Envelope> {
        let mut line = String::new();
        match timeout(SOON, self.0.read_line(&mut line)).await.expect("a line in time") {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
        }
    }

    async fn answer(&mut self, wanted: u64) -> Response {
        loop {
            match self.hear().await.expect("an answer") {
                Envelope::Response(response) if response.id == wanted => return response,
                Envelope::Response(_) | Envelope::Event(_) => {}
                other @ (Envelope::Welcome { .. } | Envelope::Goodbye { .. }) => panic!("{other:?}"),
            }
        }
    }
}

async fn goodbye(raw: &mut Raw) -> Code {
    let code = match raw.hear().await {
        Some(Envelope::Goodbye { error }) => error.code,
        other => panic!("{other:?}"),
    };
    assert_eq!(raw.hear().await, None);
    code
}

#[tokio::test]
async fn the_socket_is_private_and_goes_with_its_owner() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let owner = open(&paths, Mode::MustOwn).await;
    assert!(owner.is_owner());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&paths.runtime_dir), 0o700);
    #[cfg(target_os = "linux")]
    assert_eq!(mode(&paths.control_socket()), 0o600);
    owner.close().await;
    assert!(!paths.control_socket().exists());
}

#[tokio::test]
async fn another_version_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let _owner = open(&paths, Mode::MustOwn).await;
    let mut raw = Raw::connect(&paths).await;
    raw.say(r#"{"protocol":99,"something":"new"}"#).await;
    assert_eq!(goodbye(&mut raw).await, Code::OwnerGone);

    let other = Hello { protocol: PROTOCOL_VERSION + 1, ..hello(false) };
    // Whoever wants to be the owner is told at once as well, as is who only wants to end the one there is.
    for mode in [Mode::OwnIfNone, Mode::RequireOwner, Mode::Look, Mode::MustOwn] {
        let begun = Instant::now();
        let refused = Session::open(paths.clone(), other.clone(), mode).await.unwrap_err();
        assert_eq!(refused.code, Code::OwnerVersion, "{mode:?}: {refused}");
        assert!(refused.message.contains("version"), "{refused}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{mode:?} waited for it");
    }
}

#[tokio::test]
async fn an_owner_makes_way_for_another_version_unless_it_is_in_use() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (paths, owner, _) = common::connected_owner(home.path(), &host).await;
    common::request(&owner, Command::Connect { registry: common::name(), hold: false }).await.unwrap();
    let refused = Session::end_owner(&paths, false).await.unwrap_err();
    assert_eq!(refused.code, Code::OwnerBusy);

    // As any later version would say it.
    let mut raw = Raw::connect(&paths).await;
    raw.say(r#"{"protocol":99,"quit":{"force":false},"more":1}"#).await;
    assert_eq!(goodbye(&mut raw).await, Code::OwnerBusy);
    let ending = tokio::spawn(async move {
        assert_eq!(owner.ended().await, None);
        owner.close().await;
    });
    Session::end_owner(&paths, true).await.unwrap();
    ending.await.unwrap();
    assert!(!paths.control_socket().exists());
    Session::end_owner(&paths, false).await.unwrap();
}

#[tokio::test]
async fn garbage_and_giant_lines_do_not_hurt() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let owner = open(&paths, Mode::MustOwn).await;

    let mut raw = Raw::connect(&paths).await;
    raw.say("GET / HTTP/1.1\r\n").await;
    assert_eq!(goodbye(&mut raw).await, Code::InvalidArgument);

    let giant = format!(r#"{{"protocol":1,"face":"cli","canAnswer":false,"x":"{}"}}"#, "x".repeat(2 << 20));
    let mut raw = Raw::connect(&paths).await;
    raw.say(&giant).await;
    // The rest of its line is still in the socket when the owner hangs up: a reset may overtake the goodbye.
    assert!(matches!(raw.hear().await, Some(Envelope::Goodbye { .. }) | None));

    let mut raw = Raw::welcomed(&paths).await;
    raw.say(r#"{"id":7,"command":{"kind":"fly"}}"#).await;
    assert_eq!(raw.answer(7).await.result.unwrap_err().code, Code::InvalidArgument);
    raw.command(8, Command::Snapshot).await;
    assert!(raw.answer(8).await.result.is_ok(), "one bad request does not end the conversation");
    raw.say(&giant).await;
    while let Some(envelope) = raw.hear().await {
        assert!(!matches!(envelope, Envelope::Response(_)), "{envelope:?}");
    }

    for _ in 0..100 {
        let mut raw = Raw::connect(&paths).await;
        raw.say("\0\0\0").await;
    }
    assert!(owner.request(Command::Snapshot).await.is_ok());
    drop(Raw::welcomed(&paths).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_too_slow_is_brought_up_to_date() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let owner = open(&paths, Mode::MustOwn).await;
    let mut target = common::target_at("127.0.0.1:1");
    target.linger_seconds = None;
    let spec = common::add(&owner, target).await;
    let mut slow = Raw::welcomed(&paths).await;
    // Each makes three events that nothing replaces: waiting, cancelled, gone.
    for _ in 0..3000 {
        let push = Command::Push {
            image: "app:v1".to_owned(),
            registry: spec.name.clone(),
            reference: None,
            host: None,
            extent: Extent::default(),
            options: PushOptions::default(),
        };
        let id = common::transfer(&owner, push).await;
        owner.request(Command::Cancel { transfer: id }).await.unwrap();
    }
    slow.command(1, Command::Snapshot).await;
    let (mut sequence, mut resyncs, mut snapshot) = (0, 0, None);
    // An answer does not wait behind events: either may come first.
    while snapshot.is_none() || resyncs == 0 {
        let heard = tokio::time::timeout(std::time::Duration::from_secs(30), slow.hear()).await;
        match heard.expect("the owner's memory has a bound").expect("the owner stays") {
            Envelope::Event(Event { sequence: n, change }) => {
                assert!(n > sequence, "{n} after {sequence}");
                sequence = n;
                resyncs += u32::from(matches!(change, Change::Resync { .. }));
            }
            Envelope::Response(Response { result: Ok(Reply::Snapshot { snapshot: found }), .. }) => {
                snapshot = Some(found);
            }
            other => panic!("{other:?}"),
        }
    }
    let transfers = snapshot.unwrap().transfers;
    assert_eq!(transfers.len(), 200, "the oldest are forgotten");
    assert!(transfers.iter().all(|transfer| transfer.state.is_final()));
}

#[tokio::test]
async fn a_second_face_uses_the_first_ones_owner() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let owner = open(&paths, Mode::OwnIfNone).await;
    let face = open(&paths, Mode::OwnIfNone).await;
    assert!(owner.is_owner() && !face.is_owner());
    let mut events = face.events();
    let spec = common::add(&owner, common::target_at("127.0.0.1:1")).await;
    assert_eq!(common::until(&mut events, |registry| registry.spec == spec).await.spec, spec);
    assert_eq!(common::snapshot(&face).await.registries.len(), 1);
    let second = Session::open(paths.clone(), hello(false), Mode::MustOwn).await.unwrap_err();
    assert_eq!(second.code, Code::OwnerBusy);

    assert_eq!(common::request(&face, Command::Quit { force: false }).await.unwrap(), Reply::Done);
    assert!(timeout(SOON, owner.ended()).await.unwrap().is_none());
    owner.close().await;
    assert_eq!(timeout(SOON, face.ended()).await.unwrap().unwrap().code, Code::OwnerGone);
    assert_eq!(common::request(&face, Command::Snapshot).await.unwrap_err().code, Code::OwnerGone);
    while timeout(SOON, events.next()).await.unwrap().is_some() {}
    let none = Session::open(paths.clone(), hello(false), Mode::RequireOwner).await.unwrap_err();
    assert_eq!(none.code, Code::OwnerGone);
}

#[tokio::test]
async fn an_owner_waits_for_the_faces_that_need_it() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let owner = open(&paths, Mode::OwnIfNone).await;
    timeout(SOON, owner.unneeded_by_others()).await.unwrap();
    let spec = common::add(&owner, common::target_at("127.0.0.1:1")).await;
    let face = open(&paths, Mode::OwnIfNone).await;
    let archive = home.path().join("image.tar");
    dockline_registry::sample::write_sample(&archive).unwrap();
    let push = |path| Command::PushArchive {
        path,
        registry: spec.name.clone(),
        reference: None,
        host: None,
        extent: Extent::default(),
        image: None,
        options: PushOptions::default(),
    };
    common::transfer(&face, push(archive.clone())).await;
    let own = common::transfer(&owner, push(archive)).await;
    let mut waiting = Box::pin(owner.unneeded_by_others());
    assert!(futures::poll!(&mut waiting).is_pending());
    assert!(common::snapshot(&owner).await.transfers.len() == 2);
    assert!(futures::poll!(&mut waiting).is_pending());
    face.close().await;
    timeout(SOON, waiting.as_mut()).await.unwrap();
    drop(waiting);
    owner.request(Command::Cancel { transfer: own }).await.unwrap();
    owner.close().await;
}

//! Who owns the tunnels, between real processes: this test binary starts itself again as a face.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test that fails should panic")]
#![cfg(unix)]

mod common;

use common::{SOON, open, paths};
use dockline_core::Mode;
use dockline_model::{Code, Command};
use std::{path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout},
    time::timeout,
};

const HOME: &str = "DOCKLINE_TEST_FACE_HOME";

/// Not a test of its own: the face that the others start.
#[tokio::test(flavor = "multi_thread")]
async fn face() {
    let Some(home) = std::env::var_os(HOME) else { return };
    let mut paths = dockline_core::Paths::in_folder(Path::new(&home));
    paths.hosts_file = paths.config_file.with_file_name("hosts");
    let session = open(&paths, Mode::OwnIfNone).await;
    println!("role {}", if session.is_owner() { "owner" } else { "remote" });
    // Until the test closes our input.
    let mut input = BufReader::new(tokio::io::stdin()).lines();
    let _ = input.next_line().await;
    session.close().await;
    println!("role ended");
}

struct Face {
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Face {
    fn start(home: &Path) -> Self {
        let mut child = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["face", "--exact", "--nocapture"])
            .env(HOME, home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, output }
    }

    async fn role(&mut self) -> String {
        loop {
            let line = timeout(SOON, self.output.next_line()).await.unwrap().unwrap().expect("a role");
            if let Some((_, role)) = line.split_once("role ") {
                return role.to_owned();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_start_at_once_one_is_the_owner() {
    let home = tempfile::tempdir().unwrap();
    let mut faces: Vec<Face> = (0..6).map(|_| Face::start(home.path())).collect();
    let mut owners = 0;
    for face in &mut faces {
        owners += usize::from(face.role().await == "owner");
    }
    assert_eq!(owners, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_owner_is_succeeded() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    for _ in 0..3 {
        let mut owner = Face::start(home.path());
        assert_eq!(owner.role().await, "owner");
        let remote = open(&paths, Mode::RequireOwner).await;
        owner.child.kill().await.unwrap();
        assert_eq!(timeout(SOON, remote.ended()).await.unwrap().unwrap().code, Code::OwnerGone);
        assert_eq!(remote.request(Command::Snapshot).await.unwrap_err().code, Code::OwnerGone);
        assert!(paths.control_socket().exists(), "it was left behind");
    }
    let heir = open(&paths, Mode::MustOwn).await;
    assert!(heir.is_owner());
    heir.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_ends_is_succeeded_without_a_gap() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let mut owner = Face::start(home.path());
    assert_eq!(owner.role().await, "owner");
    drop(owner.child.stdin.take());
    // While it ends: neither refused by the old owner nor afraid of its lock.
    let heir = open(&paths, Mode::OwnIfNone).await;
    assert_eq!(owner.role().await, "ended");
    if heir.is_owner() {
        assert!(paths.control_socket().exists(), "the old owner must not remove the new one's socket");
    } else {
        assert_eq!(timeout(SOON, heir.ended()).await.unwrap().unwrap().code, Code::OwnerGone);
    }
}

//! What the tests of this crate share: folders of their own, faces, and a demo host with a registry on it.

#![allow(dead_code, reason = "each test binary uses its own part")]

use dockline_core::{EventStream, Mode, Paths, Session};
use dockline_demo::DemoHost;
use dockline_model::{
    Change, Command, Event, FaceKind, Hello, PROTOCOL_VERSION, RegistryName, RegistrySpec, RegistryView,
    Reply, Snapshot, Target, TransferId, TransferView, UiError,
};
use dockline_tunnel::SshEnvironment;
use std::{
    net::Ipv4Addr,
    path::Path,
    sync::atomic::{AtomicU8, Ordering},
    time::Duration,
};
use tokio::time::timeout;

/// Nothing here takes that long; a test that hangs should say where.
pub const SOON: Duration = Duration::from_secs(60);

pub const NAME: &str = "cr.demo.test";

/// Folders, a hosts file and OpenSSH files of the test's own.
pub fn paths(home: &Path) -> Paths {
    let mut paths = Paths::in_folder(home);
    paths.hosts_file = home.join("hosts");
    std::fs::write(&paths.hosts_file, "127.0.0.1 localhost\n").unwrap();
    paths.ssh = SshEnvironment {
        home_ssh: home.join("ssh"),
        known_hosts: vec![home.join("known_hosts")],
        ..SshEnvironment::default()
    };
    paths
}

pub const fn hello(can_answer: bool) -> Hello {
    Hello { protocol: PROTOCOL_VERSION, face: FaceKind::Cli, can_answer }
}

pub async fn open(paths: &Paths, mode: Mode) -> Session {
    Session::open(paths.clone(), hello(false), mode).await.unwrap()
}

/// An address that no other test on this machine uses at the same time.
pub fn address() -> Ipv4Addr {
    static LAST: AtomicU8 = AtomicU8::new(0);
    let [a, b, ..] = std::process::id().to_ne_bytes();
    Ipv4Addr::new(127, 128 + LAST.fetch_add(1, Ordering::Relaxed), a, b.max(1))
}

pub fn name() -> RegistryName {
    NAME.parse().unwrap()
}

/// The demo host's registry, as a person would add it.
pub fn target(host: &DemoHost) -> Target {
    Target { port: None, address: Some(address()), linger_seconds: Some(1), ..host.target(name()) }
}

/// An owner whose one registry is the demo host's, with its host key known.
pub async fn connected_owner(home: &Path, host: &DemoHost) -> (Paths, Session, RegistrySpec) {
    let paths = paths(home);
    std::fs::copy(host.known_hosts(), &paths.ssh.known_hosts[0]).unwrap();
    let session = open(&paths, Mode::MustOwn).await;
    let spec = add(&session, target(host)).await;
    (paths, session, spec)
}

pub async fn add(session: &Session, target: Target) -> RegistrySpec {
    match request(session, Command::AddRegistry { target }).await.unwrap() {
        Reply::Registry { spec } => spec,
        other => panic!("{other:?}"),
    }
}

pub async fn request(session: &Session, command: Command) -> Result<Reply, UiError> {
    timeout(SOON, session.request(command)).await.expect("an answer in time")
}

pub async fn snapshot(session: &Session) -> Snapshot {
    match request(session, Command::Snapshot).await.unwrap() {
        Reply::Snapshot { snapshot } => snapshot,
        other => panic!("{other:?}"),
    }
}

pub async fn transfer(session: &Session, command: Command) -> TransferId {
    match request(session, command).await.unwrap() {
        Reply::Transfer { id } => id,
        other => panic!("{other:?}"),
    }
}

/// The next event, in time.
pub async fn next(events: &mut EventStream) -> Event {
    timeout(SOON, events.next()).await.expect("an event in time").expect("the owner is there")
}

/// Waits for the transfer's end.
pub async fn finished(events: &mut EventStream, id: TransferId) -> TransferView {
    loop {
        if let Change::Transfer { transfer } = next(events).await.change
            && transfer.id == id
            && transfer.state.is_final()
        {
            return transfer;
        }
    }
}

/// Waits until the registry is as wanted.
pub async fn until(events: &mut EventStream, wanted: impl Fn(&RegistryView) -> bool) -> RegistryView {
    loop {
        if let Change::Registry { registry } = next(events).await.change
            && wanted(&registry)
        {
            return registry;
        }
    }
}

/// A registry behind an SSH host at `address`, where nothing need listen.
pub fn target_at(ssh: &str) -> Target {
    Target { address: Some(address()), linger_seconds: Some(1), ..Target::new(name(), ssh.parse().unwrap()) }
}

//! Who opens a tunnel without being asked, who keeps it, and what a person is told who closes it.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test that fails should panic")]
#![cfg(unix)]

mod common;

use common::{add, name, open, paths, request, snapshot, target, target_at, until};
use dockline_core::{Mode, Paths, Session};
use dockline_demo::DemoHost;
use dockline_model::{
    Code, Command, Interruption, LeaseHolder, RegistryView, Reply, SshTarget, Target, TrafficLimits,
    TunnelState,
};
use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{self, Child, Stdio},
};

fn is_up(view: &RegistryView) -> bool {
    matches!(view.tunnel.state, TunnelState::Up { .. })
}

/// Folders where the host's key is known.
fn paths_for(home: &Path, host: &DemoHost) -> Paths {
    let paths = paths(home);
    std::fs::copy(host.known_hosts(), &paths.ssh.known_hosts[0]).unwrap();
    paths
}

/// An owner that ends again, for the sake of what it writes down.
async fn configured(paths: &Paths, target: Target) {
    let session = open(paths, Mode::MustOwn).await;
    add(&session, target).await;
    session.close().await;
}

/// Of this process, as Dockline's own connections are.
fn connect_to(view: &RegistryView) -> TcpStream {
    let mut stream = TcpStream::connect(view.spec.listen()).unwrap();
    write!(stream, "GET /v2/ HTTP/1.1\r\nHost: {}\r\n\r\n", view.spec.listen()).unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).unwrap();
    stream
}

/// Another program, connected until it is dropped or cut off.
struct OtherProgram(Child);

impl OtherProgram {
    fn connected_to(view: &RegistryView) -> Self {
        let (host, port) = (view.spec.address, view.spec.port);
        let script = format!(
            "exec 3<>/dev/tcp/{host}/{port}; printf 'GET /v2/ HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n' >&3; \
             head -c 1 <&3; exec cat <&3 >/dev/null"
        );
        let mut bash = process::Command::new("bash");
        let bash = bash.args(["-c", &script]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut program = bash.spawn().unwrap();
        let mut byte = [0];
        program.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
        Self(program)
    }

    /// Waits until it is cut off.
    fn ends_cut_off(mut self) -> bool {
        !self.0.wait().unwrap().success()
    }
}

impl Drop for OtherProgram {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

async fn view(session: &Session) -> RegistryView {
    snapshot(session).await.registries.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_listens_to_nothing_and_dials_nobody() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    // Whoever dialled would be seen here.
    let host = TcpListener::bind("127.0.0.1:0").unwrap();
    host.set_nonblocking(true).unwrap();
    let ssh = format!("u@{}", host.local_addr().unwrap());
    configured(&paths, Target { keep_open: true, open_at_start: true, ..target_at(&ssh) }).await;
    while host.accept().is_ok() {}

    let session = open(&paths, Mode::Look).await;
    assert!(!session.is_owner() && !session.has_owner());
    let seen = view(&session).await;
    assert_eq!((seen.spec.name.clone(), seen.tunnel.state.clone()), (name(), TunnelState::Idle));
    TcpListener::bind(seen.spec.listen()).unwrap();
    assert!(!paths.control_socket().exists());
    let refused = request(&session, Command::Connect { registry: name(), hold: false }).await;
    assert_eq!(refused.unwrap_err().code, Code::OwnerGone);
    assert!(host.accept().is_err(), "somebody dialled");
    session.close().await;

    std::fs::write(&paths.config_file, "nonsense").unwrap();
    let hello = common::hello(false);
    let error = Session::open(paths.clone(), hello, Mode::Look).await.unwrap_err();
    assert_eq!(error.code, Code::ConfigInvalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_that_fails_takes_no_earlier_hold_away() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let paths = paths_for(home.path(), &host);
    // The tunnel comes up, but to there the host forwards nothing.
    let nowhere = Some("127.0.0.1:1".parse().unwrap());
    configured(&paths, Target { open_at_start: true, remote: nowhere, ..target(&host) }).await;
    let owner = open(&paths, Mode::MustOwn).await;
    let mut events = owner.events();
    if !is_up(&view(&owner).await) {
        until(&mut events, is_up).await;
    }
    request(&owner, Command::Connect { registry: name(), hold: false }).await.unwrap_err();
    let after = view(&owner).await;
    assert!(is_up(&after) && after.tunnel.leases.iter().any(|lease| lease.holder == LeaseHolder::Manual));
    // Nobody said Connect, so nobody is cut off.
    request(&owner, Command::Quit { force: false }).await.unwrap();
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_sees_what_an_owner_has() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (paths, owner, _) = common::connected_owner(home.path(), &host).await;
    request(&owner, Command::Connect { registry: name(), hold: false }).await.unwrap();
    let session = open(&paths, Mode::Look).await;
    assert!(session.has_owner() && is_up(&view(&session).await));
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_opens_at_the_start_of_an_owner_that_stays() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let paths = paths_for(home.path(), &host);
    configured(&paths, Target { open_at_start: true, ..target(&host) }).await;
    assert_eq!(host.sessions_accepted(), 0, "adding it opens nothing");
    // A command that owns the tunnels for its own length opens nothing either.
    let brief = open(&paths, Mode::OwnIfNone).await;
    assert!(brief.is_owner());
    assert_eq!(view(&brief).await.tunnel.leases, []);
    brief.close().await;
    assert_eq!(host.sessions_accepted(), 0);

    let owner = open(&paths, Mode::MustOwn).await;
    let mut events = owner.events();
    if !is_up(&view(&owner).await) {
        until(&mut events, is_up).await;
    }
    // Nobody said Connect, so nobody is cut off.
    request(&owner, Command::Quit { force: false }).await.unwrap();
    let reply = request(&owner, Command::Disconnect { registry: name(), force: false }).await.unwrap();
    assert!(matches!(reply, Reply::Registry { .. }), "{reply:?}");
    assert_eq!(view(&owner).await.tunnel.state, TunnelState::Idle);
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_down_at_the_start_is_waited_for() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let paths = paths_for(home.path(), &host);
    // Nothing listens there yet.
    let gate = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let there = target(&host);
    let ssh = SshTarget { port: Some(gate.port()), ..there.ssh.clone() };
    let known = std::fs::read_to_string(&paths.ssh.known_hosts[0]).unwrap();
    let at_the_gate = known.replace(&host.ssh_addr().port().to_string(), &gate.port().to_string());
    std::fs::write(&paths.ssh.known_hosts[0], at_the_gate).unwrap();
    configured(&paths, Target { open_at_start: true, ssh, ..there }).await;
    let owner = open(&paths, Mode::MustOwn).await;
    let mut events = owner.events();
    let is_waiting = |view: &RegistryView| matches!(view.tunnel.state, TunnelState::Reconnecting { .. });
    if !is_waiting(&view(&owner).await) {
        until(&mut events, is_waiting).await;
    }
    let listener = tokio::net::TcpListener::bind(gate).await.unwrap();
    let far = host.ssh_addr();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut far = tokio::net::TcpStream::connect(far).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    until(&mut events, is_up).await;
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_open_stays_so_until_a_person_closes_it() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let paths = paths_for(home.path(), &host);
    let owner = open(&paths, Mode::MustOwn).await;
    add(&owner, Target { keep_open: true, linger_seconds: Some(0), ..target(&host) }).await;
    let mut events = owner.events();
    assert_eq!(view(&owner).await.tunnel.state, TunnelState::Idle, "only use opens it");
    let program = OtherProgram::connected_to(&view(&owner).await);
    let held = |view: &RegistryView| view.tunnel.leases.iter().any(|l| l.holder == LeaseHolder::Manual);
    until(&mut events, held).await;
    drop(program);
    until(&mut events, |view| view.tunnel.leases.len() == 1).await;
    assert!(is_up(&view(&owner).await), "the program is gone, and there is no linger");

    // A program that is there when a person closes it keeps it, and nothing else does.
    let program = OtherProgram::connected_to(&view(&owner).await);
    let reply = request(&owner, Command::Disconnect { registry: name(), force: false }).await.unwrap();
    let Reply::StillOpen { interrupts, .. } = reply else { panic!("{reply:?}") };
    assert!(matches!(interrupts[..], [Interruption::Program { connections: 1, .. }]), "{interrupts:?}");
    assert!(!held(&view(&owner).await));
    drop(program);
    until(&mut events, |view| matches!(view.tunnel.state, TunnelState::Idle)).await;
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_says_what_it_would_cut_off() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (paths, owner, _) = common::connected_owner(home.path(), &host).await;
    let face = open(&paths, Mode::RequireOwner).await;
    request(&face, Command::Connect { registry: name(), hold: true }).await.unwrap();
    let shown = view(&owner).await;
    let (one, other) = (OtherProgram::connected_to(&shown), OtherProgram::connected_to(&shown));
    let mut events = owner.events();
    let mut own = connect_to(&shown);
    // Whose it is, is found out a moment later.
    until(&mut events, |view| view.tunnel.leases.iter().any(|lease| lease.is_own)).await;
    let disconnect = |force| Command::Disconnect { registry: name(), force };
    let reply = request(&owner, disconnect(false)).await.unwrap();
    let Reply::StillOpen { interrupts, .. } = reply else { panic!("{reply:?}") };
    let connections: u32 = interrupts
        .iter()
        .map(|interruption| match interruption {
            Interruption::Program { connections, .. } => *connections,
            _ => 0,
        })
        .sum();
    assert_eq!(connections, 2, "Dockline's own is nobody's work: {interrupts:?}");
    assert!(interrupts.contains(&Interruption::Faces { count: 1 }), "{interrupts:?}");
    let reply = request(&owner, disconnect(true)).await.unwrap();
    assert!(matches!(reply, Reply::Registry { .. }), "{reply:?}");
    assert!(own.read_to_end(&mut Vec::new()).is_err(), "a reset, no clean end");
    assert!(one.ends_cut_off() && other.ends_cut_off());
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn soft_settings_change_under_open_connections() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (paths, owner, _) = common::connected_owner(home.path(), &host).await;
    let mut events = owner.events();
    let mut program = connect_to(&view(&owner).await);
    let text = std::fs::read_to_string(&paths.config_file).unwrap();
    let text = text.replace("linger-seconds = 1", "linger-seconds = 0\nlimit-up = \"1M\"");
    std::fs::write(&paths.config_file, text).unwrap();
    let limits = TrafficLimits { up: Some(1_000_000), down: None };
    until(&mut events, |view| view.spec.limits == limits && view.spec.linger_seconds == 0).await;
    write!(program, "GET /v2/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n", NAME = common::NAME).unwrap();
    program.read_exact(&mut [0; 64]).unwrap();
    drop(program);
    until(&mut events, |view| matches!(view.tunnel.state, TunnelState::Idle)).await;
    assert_eq!(host.sessions_accepted(), 1);
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_is_written_in_place_cuts_nothing() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (paths, owner, _) = common::connected_owner(home.path(), &host).await;
    let mut events = owner.events();
    let mut program = connect_to(&view(&owner).await);
    let text = std::fs::read_to_string(&paths.config_file).unwrap();
    // Each time the file is empty for a moment, and somebody may look just then.
    for rate in 1..=30 {
        let limit = format!("linger-seconds = 1\nlimit-up = \"{rate}M\"");
        std::fs::write(&paths.config_file, text.replace("linger-seconds = 1", &limit)).unwrap();
    }
    let limits = TrafficLimits { up: Some(30_000_000), down: None };
    until(&mut events, |view| view.spec.limits == limits).await;
    write!(program, "GET /v2/ HTTP/1.1\r\nHost: {NAME}\r\n\r\n", NAME = common::NAME).unwrap();
    program.read_exact(&mut [0; 64]).unwrap();
    assert_eq!(host.sessions_accepted(), 1);
    drop(program);
    owner.close().await;
}

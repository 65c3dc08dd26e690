//! The real thing, against the host inside the program: tunnels, pushes and pulls, one owner and several faces.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod home;

use dockline_demo::DemoHost;
use dockline_model::{
    Code, LeaseHolder, LeaseView, RegistryView, Snapshot, TransferState, TransferView, TunnelState, Verified,
};
use home::{Home, Running};
use rustix::process::Signal;
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
};
use tokio::runtime::Runtime;

/// The host's servers need a runtime that outlives the commands.
fn host() -> (Runtime, DemoHost) {
    let runtime = Runtime::new().unwrap();
    let host = runtime.block_on(DemoHost::start()).unwrap();
    (runtime, host)
}

/// What any program gets at the registry's address.
fn answer_at(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /v2/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn verified(view: &TransferView) -> &Verified {
    let TransferState::Done { verified } = &view.state else { panic!("{:?}", view.state) };
    verified
}

#[test]
fn the_demo_does_the_main_job() {
    let home = Home::new();
    let ran = home.run(&["demo", "--headless"]).expect(0);
    assert!(ran.stdout.contains("the same digest"), "{}", ran.stdout);
    for part in ["Connected in", "Pushed", "Pulled back", "127.77.", "MB/s", "6 layers"] {
        assert!(ran.stderr.contains(part), "{part} is missing:\n{}", ran.stderr);
    }
    assert!(!home.config_file().exists(), "the demo must not touch the configuration");
    let outcome: serde_json::Value = home.json(&["demo"]);
    assert_eq!(outcome["sameDigest"], true);
}

#[test]
fn without_an_owner_each_command_is_one() {
    let (_runtime, host) = host();
    let home = Home::new();
    home.add(&host);
    let sample = host.sample_archive().to_str().unwrap();
    let pushed: TransferView = home.json(&["push", sample, &home.reference("team/app:v1")]);
    assert!(verified(&pushed).at_registry);
    assert_eq!(pushed.reference, format!("{}:5000/team/app:v1", home.registry));

    let file = home.path("pulled.tar");
    let image = home.reference("team/app:v1");
    let pull = ["pull", &image, "--output", file.to_str().unwrap()];
    let pulled: TransferView = home.json(&pull);
    assert_eq!(verified(&pulled).digest, verified(&pushed).digest);
    // What was pulled can be pushed, and is the same image.
    let again: TransferView = home.json(&["push", file.to_str().unwrap(), &home.reference("copy:v1")]);
    assert_eq!(verified(&again).digest, verified(&pushed).digest);

    assert_eq!(home.error(&pull, 9).code, Code::FileIo, "an existing file is not overwritten");
    let absent = home.path("absent.tar");
    let none_there = home.reference("none:v1");
    let none = ["pull", &none_there, "--output", absent.to_str().unwrap()];
    assert_eq!(home.error(&none, 8).code, Code::ReferenceNotFound);
    std::fs::write(home.path("bad.tar"), b"no archive").unwrap();
    let bad = home.path("bad.tar");
    assert_eq!(
        home.error(&["push", bad.to_str().unwrap(), &home.reference("x:v1")], 9).code,
        Code::ArchiveInvalid
    );
}

#[test]
fn an_unknown_host_key_needs_a_person() {
    let (_runtime, host) = host();
    let home = Home::new();
    home.add_unknown(&host);
    let error = home.error(&["connect", &home.registry], 5);
    assert_eq!(error.code, Code::HostKeyUnknown);
    assert!(error.message.contains("SHA256:") || error.hint.is_some(), "{error:?}");
}

#[test]
fn connect_without_an_owner_holds_the_tunnel_until_ctrl_c() {
    let (_runtime, host) = host();
    let home = Home::new();
    home.add(&host);
    let mut connect = Running::start(home.command(&["connect", &home.registry, "--json"]));
    let view: RegistryView = serde_json::from_str(&connect.line()).unwrap();
    assert!(matches!(view.tunnel.state, TunnelState::Up { .. }), "{:?}", view.tunnel.state);
    assert!(answer_at(view.spec.listen()).starts_with("HTTP/1.1 200"));
    // It is the owner for others meanwhile.
    let other: RegistryView = home.json(&["status", &home.registry]);
    assert!(other.tunnel.leases.iter().any(|lease| lease.holder == LeaseHolder::Manual));
    connect.signal(Signal::INT);
    connect.wait().expect(0);
    assert!(TcpStream::connect(view.spec.listen()).is_err(), "nobody listens any more");
}

#[test]
fn a_second_ctrl_c_cuts_off_what_still_uses_the_tunnel() {
    let (_runtime, host) = host();
    let home = Home::new();
    home.add(&host);
    let mut connect = Running::start(home.command(&["connect", &home.registry, "--json"]));
    let view: RegistryView = serde_json::from_str(&connect.line()).unwrap();
    let mut user = TcpStream::connect(view.spec.listen()).unwrap();
    write!(user, "GET /v2/ HTTP/1.1\r\nHost: {}\r\n\r\n", view.spec.listen()).unwrap();
    let mut first = [0];
    user.read_exact(&mut first).unwrap();
    connect.signal(Signal::INT);
    // The first Ctrl-C has been heard when the manual lease is gone.
    let is_released = || {
        let view: RegistryView = home.json(&["status", &home.registry]);
        view.tunnel.leases.iter().all(|lease| lease.holder != LeaseHolder::Manual)
    };
    while !is_released() {}
    assert!(connect.child.try_wait().unwrap().is_none(), "it waits for the connection");
    connect.signal(Signal::INT);
    connect.wait().expect(0);
}

#[test]
fn ctrl_c_cancels_a_push() {
    let (_runtime, host) = host();
    let home = Home::new();
    home.add(&host);
    let sample = host.sample_archive().to_str().unwrap();
    let mut push = Running::start(home.command(&["push", sample, &home.reference("app:v1"), "--json"]));
    push.line();
    push.signal(Signal::INT);
    let ran = push.wait().expect(130);
    assert_eq!(ran.error().code, Code::Cancelled);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let last: TransferView = serde_json::from_str(lines[lines.len() - 2]).unwrap();
    assert_eq!(last.state, TransferState::Cancelled);
}

/// A way to the host that nobody gets through until it is opened.
struct Gate {
    listener: TcpListener,
    to: SocketAddr,
}

impl Gate {
    /// Adds `host` to `home`, behind the gate.
    fn before(host: &DemoHost, home: &Home) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (to, own) = (host.ssh_addr(), listener.local_addr().unwrap());
        let known = std::fs::read_to_string(host.known_hosts()).unwrap();
        let known = known.replace(&format!(":{} ", to.port()), &format!(":{} ", own.port()));
        std::fs::write(home.path(".ssh/known_hosts"), known).unwrap();
        home.add_through(host, own);
        Self { listener, to }
    }

    fn open(self) {
        std::thread::spawn(move || {
            for from in self.listener.incoming() {
                let (from, to) = (from.unwrap(), TcpStream::connect(self.to).unwrap());
                for (mut read, mut write) in
                    [(from.try_clone().unwrap(), to.try_clone().unwrap()), (to, from)]
                {
                    std::thread::spawn(move || {
                        // Whoever hangs up ends it.
                        let _ = std::io::copy(&mut read, &mut write);
                        let _ = write.shutdown(std::net::Shutdown::Both);
                    });
                }
            }
        });
    }
}

/// The first of two is the owner, and done before the second, which waits in its queue.
#[test]
fn of_two_pushes_at_once_the_first_waits_for_the_second() {
    let (_runtime, host) = host();
    let home = Home::new();
    let gate = Gate::before(&host, &home);
    let config = std::fs::read_to_string(home.config_file()).unwrap();
    std::fs::write(home.config_file(), format!("{config}\n[settings]\ntransfers-per-registry = 1\n"))
        .unwrap();
    let sample = host.sample_archive().to_str().unwrap();
    let mut first = Running::start(home.command(&["push", sample, &home.reference("first:v1")]));
    first.until_error_line("connecting");
    let transfers = || {
        let snapshot: Snapshot = home.json(&["status"]);
        snapshot.transfers.len()
    };
    let second = Running::start(home.command(&["push", sample, &home.reference("second:v1"), "--json"]));
    while transfers() < 2 {}
    gate.open();
    assert!(first.line().contains("Pushed"));
    let first = first.wait().expect(0);
    assert!(
        first.stderr.contains("Another dockline needs what this one opened; waiting for it."),
        "{}",
        first.stderr
    );
    let second: TransferView = serde_json::from_value(second.wait().expect(0).last_json()).unwrap();
    assert!(verified(&second).at_registry);
}

#[test]
fn ctrl_c_ends_the_wait_for_another_dockline() {
    let (_runtime, host) = host();
    let home = Home::new();
    let gate = Gate::before(&host, &home);
    let sample = host.sample_archive().to_str().unwrap();
    let mut push = Running::start(home.command(&["push", sample, &home.reference("app:v1")]));
    push.until_error_line("connecting");
    let hold = Running::start(home.command(&["connect", &home.registry, "--hold"]));
    let is_held = |lease: &LeaseView| matches!(lease.holder, LeaseHolder::Face { .. });
    let status = || -> RegistryView { home.json(&["status", &home.registry]) };
    while !status().tunnel.leases.iter().any(is_held) {}
    gate.open();
    assert!(push.line().contains("Pushed"));
    push.until_error_line("waiting for it");
    push.signal(Signal::INT);
    push.wait().expect(0);
    hold.wait().expect(11);
}

/// How many wait to be let in at the home's control socket.
#[cfg(target_os = "linux")]
fn waiting_at_socket(home: &Home) -> u32 {
    let listing = std::process::Command::new("ss").arg("-xlH").output().unwrap();
    let folder = home.path("").to_str().unwrap().to_owned();
    let listing = String::from_utf8(listing.stdout).unwrap();
    let line = listing.lines().find(|line| line.contains(&folder)).unwrap();
    // Netid, state, Recv-Q: for a socket that listens, what is not accepted yet.
    line.split_ascii_whitespace().nth(2).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_command_that_meets_an_owner_at_its_end_takes_over() {
    let (_runtime, host) = host();
    let home = Home::new();
    home.add(&host);
    let mut owner = Running::start(home.command(&["connect", &home.registry]));
    owner.line();
    owner.signal(Signal::STOP);
    let sample = host.sample_archive().to_str().unwrap();
    let push = Running::start(home.command(&["push", sample, &home.reference("app:v1"), "--json"]));
    while waiting_at_socket(&home) == 0 {}
    // Both are there at once when it goes on: the end, and the push.
    owner.signal(Signal::INT);
    owner.signal(Signal::CONT);
    let pushed: TransferView = serde_json::from_value(push.wait().expect(0).last_json()).unwrap();
    assert!(verified(&pushed).at_registry);
    owner.wait().expect(0);
}

#[test]
fn an_agent_serves_other_processes() {
    let (_runtime, host) = host();
    let home = Home::new();
    let agent = home.agent();
    home.add(&host);

    let second = home.error(&["agent"], 11);
    assert_eq!(second.code, Code::OwnerBusy);

    let connected: RegistryView = home.json(&["connect", &home.registry]);
    assert!(matches!(connected.tunnel.state, TunnelState::Up { .. }));
    assert_eq!(host.sessions_accepted(), 1);
    assert!(answer_at(connected.spec.listen()).starts_with("HTTP/1.1 200"));

    let sample = host.sample_archive().to_str().unwrap();
    let pushed: TransferView = home.json(&["push", sample, &home.reference("app:v1")]);
    assert!(verified(&pushed).at_registry);
    let snapshot: Snapshot = home.json(&["status"]);
    assert!(snapshot.registries[0].tunnel.bytes_up > 1_000_000);

    // A person's Connect is not cut off by the way.
    assert_eq!(home.error(&["agent", "--stop"], 11).code, Code::OwnerBusy);
    let held: RegistryView = home.json(&["disconnect", &home.registry]);
    assert!(held.tunnel.leases.iter().all(|lease| lease.holder != LeaseHolder::Manual));
    home.run(&["agent", "--stop"]).expect(0);
    agent.wait().expect(0);
    assert!(home.run(&["agent", "--stop"]).expect(0).stdout.contains("Nothing runs"));
}

#[test]
fn disconnect_says_what_it_would_cut_off_and_cuts_it_off_only_with_force() {
    let (_runtime, host) = host();
    let home = Home::new();
    let _agent = home.agent();
    home.add(&host);
    let view: RegistryView = home.json(&["connect", &home.registry]);
    let address = view.spec.listen();
    let mut user = TcpStream::connect(address).unwrap();
    let asks = |user: &mut TcpStream| {
        write!(user, "GET /v2/ HTTP/1.1\r\nHost: {address}\r\n\r\n").unwrap();
        let mut answer = [0; 12];
        user.read_exact(&mut answer).map(|()| String::from_utf8_lossy(&answer).into_owned())
    };
    assert_eq!(asks(&mut user).unwrap(), "HTTP/1.1 200");

    // Nobody can be asked here, so nothing is cut off.
    let ran = home.run(&["disconnect", &home.registry]).expect(0);
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let program = std::env::current_exe().unwrap();
    // The kernel keeps 15 bytes of a program's name (proc(5), comm).
    let name: String = program.file_name().unwrap().to_string_lossy().chars().take(15).collect();
    assert!(said.contains("It closes when this is done: ") && said.contains(&name), "{said}");
    assert!(said.ends_with(&format!("dockline disconnect {} --force", home.registry)), "{said}");
    let mut rest = [0; 1 << 12];
    user.set_read_timeout(Some(std::time::Duration::from_millis(1))).unwrap();
    // What was left of the first answer.
    while user.read(&mut rest).is_ok_and(|count| count > 0) {}
    user.set_read_timeout(None).unwrap();
    assert_eq!(asks(&mut user).unwrap(), "HTTP/1.1 200");

    let ran = home.run(&["disconnect", &home.registry, "--force"]).expect(0);
    assert!(ran.stdout.contains("Disconnected from"), "{}", ran.stdout);
    assert!(user.read_to_end(&mut Vec::new()).is_err(), "a reset, no clean end");
}

#[test]
fn a_held_tunnel_is_let_go_when_the_holder_dies() {
    let (_runtime, host) = host();
    let home = Home::new();
    let agent = home.agent();
    home.add(&host);
    let mut hold = Running::start(home.command(&["connect", &home.registry, "--hold", "--json"]));
    let view: RegistryView = serde_json::from_str(&hold.line()).unwrap();
    assert!(view.tunnel.leases.iter().any(|lease| matches!(lease.holder, LeaseHolder::Face { .. })));
    hold.signal(Signal::KILL);
    let is_let_go = || {
        let view: RegistryView = home.json(&["status", &home.registry]);
        view.tunnel.leases.is_empty()
    };
    while !is_let_go() {}
    agent.signal(Signal::TERM);
    agent.wait().expect(0);
}

#[test]
fn after_kill_9_the_next_agent_starts() {
    let (_runtime, host) = host();
    let home = Home::new();
    home.add(&host);
    for _ in 0..3 {
        let agent = home.agent();
        home.run(&["connect", &home.registry]).expect(0);
        agent.signal(Signal::KILL);
        let ran = agent.wait();
        assert_eq!(ran.status, None);
    }
    // And a command in between, which finds the dead one's socket.
    home.run(&["list"]).expect(0);
    let agent = home.agent();
    let view: RegistryView = home.json(&["connect", &home.registry]);
    assert!(answer_at(view.spec.listen()).starts_with("HTTP/1.1 200"));
    drop(agent);
}

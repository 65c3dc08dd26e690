//! Commands beside an owner: what they hold is theirs alone, and one of another version is not nobody.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod home;

use dockline_core::Paths;
use dockline_model::{Code, Envelope, LeaseHolder, RegistryView, UiError};
use home::{Home, Running};
use rustix::process::Signal;
use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixListener,
};

#[test]
fn ctrl_c_while_it_connects_lets_go_of_nobody_elses_hold() {
    let home = Home::new();
    let _agent = home.agent();
    // Nothing listens there, which may change: it is tried on and on.
    home.run(&["add", &home.registry, "--ssh", "u@127.0.0.1:1"]).expect(0);
    let is_held = |wanted: fn(&LeaseHolder) -> bool| {
        let view: RegistryView = home.json(&["status", &home.registry]);
        view.tunnel.leases.iter().any(|lease| wanted(&lease.holder))
    };
    let is_manual = |holder: &LeaseHolder| *holder == LeaseHolder::Manual;
    let _first = Running::start(home.command(&["connect", &home.registry]));
    while !is_held(is_manual) {}
    let holding = Running::start(home.command(&["connect", &home.registry, "--hold"]));
    while !is_held(|holder| matches!(holder, LeaseHolder::Face { .. })) {}
    holding.signal(Signal::INT);
    holding.wait().expect(130);
    assert!(is_held(is_manual), "somebody else said connect");
}

/// An owner as one from before `quit` was part of a hello: it refuses whoever speaks another version.
fn older_owner(paths: &Paths) -> File {
    paths.prepare().unwrap();
    let lock = File::create(paths.owner_lock()).unwrap();
    lock.lock().unwrap();
    let listener = UnixListener::bind(paths.control_socket()).unwrap();
    let error = UiError::new(Code::OwnerGone, "The Dockline that runs speaks version 1.");
    let line = serde_json::to_string(&Envelope::Goodbye { error }).unwrap();
    std::thread::spawn(move || {
        for mut face in listener.incoming().map_while(Result::ok) {
            let _ = BufReader::new(&face).read_line(&mut String::new());
            let _ = writeln!(face, "{line}");
        }
    });
    lock
}

#[test]
fn an_owner_of_another_version_is_not_taken_for_none() {
    let home = Home::new();
    let _lock = older_owner(&Paths::in_folder(&home.path("dockline")));
    for command in [&["agent", "--stop"][..], &["agent"], &["status"]] {
        let error = home.error(command, 11);
        assert_eq!(error.code, Code::OwnerVersion, "{command:?}: {error:?}");
        assert!(error.message.contains("version 1"), "{error:?}");
    }
}

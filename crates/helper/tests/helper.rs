//! The helper as a program: what it answers, and what it refuses.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use dockline_edits::{
    Agreed, Fingerprint, HelperAnswer, HelperRequest, Intent, Paths, Recovery,
    hosts::{self, Entry},
    plan,
};
use dockline_model::Code;
use std::{
    fs,
    io::{Read as _, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const FOREIGN: &[u8] = b"127.0.0.1 localhost\n# \xff not UTF-8\r\n10.0.0.1 other";

struct Scene {
    _folder: tempfile::TempDir,
    paths: Paths,
}

fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths::beside(&folder.path().join("hosts"));
    fs::write(&paths.hosts, FOREIGN).unwrap();
    Scene { _folder: folder, paths }
}

fn entries(names: &[&str]) -> Vec<Entry> {
    names
        .iter()
        .enumerate()
        .map(|(i, name)| Entry { name: name.parse().unwrap(), address: [127, 77, 0, i as u8 + 1].into() })
        .collect()
}

fn request(paths: &Paths, entries: Vec<Entry>) -> HelperRequest {
    asking(paths, vec![Intent::Hosts { entries, gateway: None }])
}

fn asking(paths: &Paths, intents: Vec<Intent>) -> HelperRequest {
    let agree = |intent: Intent| {
        let plan = plan(paths, &intent).unwrap();
        Agreed { intent, before: plan.before, after: plan.after }
    };
    HelperRequest::Apply { changes: intents.into_iter().map(agree).collect() }
}

fn start(hosts: &Path, json: &[u8]) -> Child {
    started(Command::new(env!("CARGO_BIN_EXE_dockline-helper")), hosts, json)
}

fn started(mut command: Command, hosts: &Path, json: &[u8]) -> Child {
    let mut child = command
        .env("DOCKLINE_HOSTS_FILE", hosts)
        .env_remove("SUDO_UID") // under `sudo cargo test` the helper would not take a hosts file from us
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(json).unwrap();
    child
}

fn ask(paths: &Paths, json: &[u8]) -> (HelperAnswer, bool) {
    let output = start(&paths.hosts, json).wait_with_output().unwrap();
    let answer = serde_json::from_slice(&output.stdout).unwrap();
    (answer, output.status.success())
}

fn ask_for(paths: &Paths, request: &HelperRequest) -> (HelperAnswer, bool) {
    ask(paths, &serde_json::to_vec(request).unwrap())
}

#[test]
fn it_applies_and_undoes_what_was_planned() {
    let scene = scene();
    let (answer, ok) = ask_for(&scene.paths, &request(&scene.paths, entries(&["cr.boss.org"])));
    assert!(ok && matches!(answer, HelperAnswer::Done { .. }), "{answer:?}");
    let bytes = fs::read(&scene.paths.hosts).unwrap();
    assert!(hosts::lookup(&bytes, &"cr.boss.org".parse().unwrap()).is_some());
    let (_, ok) = ask_for(&scene.paths, &request(&scene.paths, vec![]));
    assert!(ok);
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
    let (answer, ok) = ask(&scene.paths, br#"{"verb":"recover"}"#);
    assert!(ok);
    assert_eq!(answer, HelperAnswer::Recovered { recovery: Recovery::NothingToDo });
}

/// sudo(8) hands the caller's umask on. Whoever plans reads the journal's record, and dockerd's own programs the settings.
#[test]
fn what_it_makes_can_be_read_whatever_the_umask_is() {
    use std::os::unix::fs::PermissionsExt as _;
    for umask in ["022", "027", "077"] {
        let scene = scene();
        let daemon = dockline_edits::daemon_json::Daemon::Native;
        let insecure = ["172.17.0.1:5000".parse().unwrap()].into();
        let wanted = asking(&scene.paths, vec![Intent::DaemonJson { daemon, insecure }]);
        let script = format!("umask {umask}; exec {}", env!("CARGO_BIN_EXE_dockline-helper"));
        let mut command = Command::new("sh");
        command.args(["-c", &script]);
        let output = started(command, &scene.paths.hosts, &serde_json::to_vec(&wanted).unwrap());
        let output = output.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let (root, journal) = (&scene.paths.root, &scene.paths.journal);
        for (path, mode) in [
            (root.join("etc"), 0o755),
            (root.join("etc/docker"), 0o755),
            (root.join("etc/docker/daemon.json"), 0o644),
            (journal.clone(), 0o755),
            (journal.join("applied.json"), 0o644),
            (journal.join("log"), 0o600),
            (journal.join("lock"), 0o600),
        ] {
            let found = fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
            assert_eq!(found, mode, "{} is {found:o} under a umask of {umask}", path.display());
        }
    }
}

#[test]
fn it_refuses_anything_else() {
    let scene = scene();
    let good = request(&scene.paths, entries(&["cr.boss.org"]));
    let HelperRequest::Apply { mut changes } = good else { unreachable!() };
    changes[0].after = Fingerprint::of(Some(b"something else"));
    let stale = HelperRequest::Apply { changes };
    let (answer, ok) = ask_for(&scene.paths, &stale);
    let HelperAnswer::Failed { error } = answer else { panic!("{answer:?}") };
    assert!(!ok && error.code == Code::HostsChanged, "{error:?}");
    for bad in [
        &b""[..],
        b"{}",
        br#"{"verb":"shell"}"#,
        br#"{"verb":"recover","path":"/etc/shadow"}"#,
        br#"{"verb":"undo-all","path":"/etc/shadow"}"#,
        br#"{"verb":"apply","changes":[{"intent":{"kind":"hosts","entries":[]},"before":"x","after":"y"}]}"#,
        br#"{"verb":"apply","changes":[{"intent":{"kind":"hosts","entries":[],"path":"/x"},"before":"absent","after":"absent"}]}"#,
        br#"{"verb":"apply","changes":[{"intent":{"kind":"hosts","entries":[]},"path":"/x","before":"absent","after":"absent"}]}"#,
        // The person's own files are not for the helper.
        br#"{"verb":"apply","changes":[{"intent":{"kind":"builder-config","registries":{}},"before":"absent","after":"absent"}]}"#,
        br#"{"verb":"apply","changes":[{"intent":{"kind":"colima-yaml","profile":"../../etc","insecure":[]},"before":"absent","after":"absent"}]}"#,
    ] {
        let (answer, ok) = ask(&scene.paths, bad);
        let HelperAnswer::Failed { error } = answer else { panic!("{answer:?}") };
        assert!(!ok && error.code == Code::InvalidArgument, "{error:?}");
    }
    let arguments = Command::new(env!("CARGO_BIN_EXE_dockline-helper")).arg("/etc/shadow").output().unwrap();
    assert!(!arguments.status.success());
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
}

/// The way on Windows, whose elevated programs get no standard input.
#[test]
fn a_request_in_a_file_has_to_be_the_one_whose_hash_is_given() {
    let scene = scene();
    let json = serde_json::to_vec(&request(&scene.paths, entries(&["cr.boss.org"]))).unwrap();
    let file = scene.paths.hosts.with_file_name("request.json");
    fs::write(&file, &json).unwrap();
    let ask = |path: &Path, hash: &str| {
        Command::new(env!("CARGO_BIN_EXE_dockline-helper"))
            .arg("--request-file")
            .arg(path)
            .arg(hash)
            .env("DOCKLINE_HOSTS_FILE", &scene.paths.hosts)
            .env_remove("SUDO_UID")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let hash = Fingerprint::of(Some(&json));
    let absent = scene.paths.hosts.with_file_name("absent.json");
    for (path, hash) in
        [(&file, Fingerprint::of(Some(b"other")).as_str()), (&absent, hash.as_str()), (&file, "absent")]
    {
        let output = ask(path, hash);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.code() == Some(1) && text.contains("not the one that was written"), "{text}");
    }
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
    let output = ask(&file, hash.as_str());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_ne!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
}

#[test]
fn two_at_once_take_turns() {
    let scene = scene();
    let json = serde_json::to_vec(&request(&scene.paths, entries(&["cr.boss.org"]))).unwrap();
    let helpers: Vec<Child> = (0..6).map(|_| start(&scene.paths.hosts, &json)).collect();
    for helper in helpers {
        let output = helper.wait_with_output().unwrap();
        // The first did it; the others find it done.
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn its_environment_is_empty() {
    let scene = scene();
    // It waits for its request, so there is time to look.
    let mut child = Command::new(env!("CARGO_BIN_EXE_dockline-helper"))
        .env("DOCKLINE_HOSTS_FILE", &scene.paths.hosts)
        .env("DOCKLINE_MARK", "x")
        .env_remove("SUDO_UID")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let environment = format!("/proc/{}/environ", child.id());
    let deadline = Instant::now() + Duration::from_secs(10);
    let is_clear = || {
        let mut bytes = Vec::new();
        fs::File::open(&environment).and_then(|mut f| f.read_to_end(&mut bytes)).is_ok_and(|_| {
            bytes.starts_with(b"DOCKLINE_HOSTS_FILE=") && bytes.iter().filter(|b| **b == 0).count() == 1
        })
    };
    while !is_clear() {
        assert!(Instant::now() < deadline, "the environment was not cleared");
        std::thread::yield_now();
    }
    drop(child.stdin.take());
    child.wait().unwrap();
}

//! The helper killed on entering every system call that writes, and every such call failing as on a full or a dying disk.
//!
//! strace(1) does both (`-e inject=`), so nothing in the helper knows of it. A call that was not made and a call after
//! which the process died leave the disk as it is before the next call, so stopping before each is stopping anywhere;
//! what lies inside one write is tested byte by byte in `dockline-edits`.
//!
//! After the next start all files have to be the old ones or all the new ones, to the byte, with nothing lying around.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use dockline_edits::{
    Agreed, CertificateFolder, HelperAnswer, HelperRequest, Intent, Outcome, Paths, applied,
    daemon_json::Daemon, hosts::Entry, pending, plan,
};
use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::Mutex,
};

const HOSTS: &str = "127.0.0.1 localhost\n# last line without an end";
const DAEMON: &str = "{\n  \"log-driver\": \"journald\"\n}\n";

/// Every call by which the helper can change anything on a disk.
const WRITING: &str =
    "write,fsync,fchmod,fchown,fsetxattr,ftruncate,renameat,renameat2,linkat,unlinkat,mkdirat,flock,openat";

/// Which change is interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// A file replaced, another replaced, a third made in folders that are made.
    Apply,
    /// A file replaced, another replaced, a third removed with its folders.
    Undo,
    /// A file written over in place, another replaced.
    InPlace,
}

struct Scene {
    folder: tempfile::TempDir,
    paths: Paths,
}

fn intents() -> Vec<Intent> {
    let entry = Entry { name: "cr.boss.org".parse().unwrap(), address: [127, 77, 1, 5].into() };
    let authority = "cr.boss.org:5000".parse().unwrap();
    vec![
        Intent::Hosts { entries: vec![entry], gateway: None },
        Intent::RegistryHosts {
            folder: CertificateFolder::Docker,
            authority,
            address: Some([127, 77, 1, 5].into()),
        },
        Intent::DaemonJson { daemon: Daemon::Native, insecure: ["172.17.0.1:5000".parse().unwrap()].into() },
    ]
}

impl Scene {
    fn new(change: Change) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hosts = folder.path().join("hosts");
        fs::write(&hosts, HOSTS).unwrap();
        fs::create_dir_all(folder.path().join("etc/docker")).unwrap();
        fs::write(folder.path().join("etc/docker/daemon.json"), DAEMON).unwrap();
        if change == Change::InPlace {
            fs::hard_link(&hosts, folder.path().join("second-name")).unwrap();
        }
        let scene = Self { paths: Paths::beside(&hosts), folder };
        if change == Change::Undo {
            dockline_edits::perform(&scene.paths, &scene.request(false), None).unwrap();
        }
        scene
    }

    fn request(&self, undo: bool) -> HelperRequest {
        let agree = |intent: Intent| {
            let intent = if undo { intent.nothing() } else { intent };
            let plan = plan(&self.paths, &intent).unwrap();
            Agreed { intent, before: plan.before, after: plan.after }
        };
        HelperRequest::Apply { changes: intents().into_iter().map(agree).collect() }
    }

    /// Every file that is not Dockline's own record, with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() && !path.ends_with("hosts.dockline-journal") {
                    // An empty folder is something left behind, too.
                    found.insert(path.clone(), Vec::new());
                    walk(&path, found);
                } else if path.is_file() {
                    found.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        let mut found = BTreeMap::new();
        walk(self.folder.path(), &mut found);
        found
            .into_iter()
            .map(|(path, bytes)| (path.strip_prefix(self.folder.path()).unwrap().into(), bytes))
            .collect()
    }

    /// What the journal's folder may hold when nothing is under way.
    fn journal_is_quiet(&self) -> bool {
        let names = fs::read_dir(&self.paths.journal).into_iter().flatten();
        let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        !pending(&self.paths) && names.all(|name| ["lock", "log", "applied.json"].contains(&name.as_str()))
    }

    /// Runs the helper with strace around it.
    fn traced(&self, options: &[&str], request: &HelperRequest) -> Output {
        let mut command = Command::new("strace");
        command.arg("-qq").args(options).arg(env!("CARGO_BIN_EXE_dockline-helper"));
        self.run(command, request)
    }

    fn helper(&self, request: &HelperRequest) -> HelperAnswer {
        let output = self.run(Command::new(env!("CARGO_BIN_EXE_dockline-helper")), request);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// With nothing else in the environment, so that the helper does not start itself anew.
    fn run(&self, mut command: Command, request: &HelperRequest) -> Output {
        let mut child = command
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("DOCKLINE_HOSTS_FILE", &self.paths.hosts)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let json = serde_json::to_vec(request).unwrap();
        // It may be dead before it read anything.
        let written = child.stdin.take().unwrap().write_all(&json);
        drop(written);
        child.wait_with_output().unwrap()
    }
}

/// The calls of an undisturbed run that write: name, and which call of that name.
fn writing_calls(change: Change) -> Vec<(String, usize)> {
    let scene = Scene::new(change);
    let trace = scene.folder.path().join("trace");
    let expression = format!("trace={WRITING}");
    let output = scene
        .traced(&["-o", &trace.to_string_lossy(), "-e", &expression], &scene.request(change == Change::Undo));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in fs::read_to_string(&trace).unwrap().lines() {
        let Some((name, rest)) = line.split_once('(') else { continue };
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        let only_reads =
            name == "openat" && !["O_WRONLY", "O_RDWR", "O_CREAT"].iter().any(|flag| rest.contains(flag));
        if !only_reads {
            calls.push((name.to_owned(), *count));
        }
    }
    calls
}

/// Whether strace works here. It does on CI, or CI fails.
fn can_trace() -> bool {
    let works =
        Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).status().is_ok_and(|s| s.success());
    assert!(works || std::env::var("CI").is_err(), "strace is not installed or may not trace");
    if !works {
        println!("SKIPPED: strace is not installed or may not trace here");
    }
    works
}

/// Every call in every way, which takes minutes, instead of a choice that every change of the code can wait for.
fn is_long() -> bool {
    std::env::var_os("DOCKLINE_HELPER_CAMPAIGN").is_some()
}

/// What happens to one change: to the helper that makes it, and to those that are started after it to recover.
type Fate = Vec<String>;

/// Interrupts the change once for each of `fates`, and looks at what the next start makes of it. Returns how many
/// runs ended with the old files, and how many with the new ones.
fn interrupt_everywhere(change: Change, fates: Vec<Fate>) -> (usize, usize) {
    let reference = Scene::new(change);
    let old = reference.files();
    let HelperAnswer::Done { outcomes, .. } = reference.helper(&reference.request(change == Change::Undo))
    else {
        panic!("the undisturbed run failed")
    };
    assert_eq!(outcomes[0] == Outcome::Rewritten, change == Change::InPlace);
    let new = reference.files();
    assert_ne!(old, new);
    let queue = Mutex::new(fates.into_iter());
    let totals = Mutex::new((0, 0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(fate) = queue.lock().unwrap().next() else { return };
                    let ended_new = interrupt(change, &fate, &old, &new);
                    let mut totals = totals.lock().unwrap();
                    if ended_new { totals.1 += 1 } else { totals.0 += 1 }
                }
            });
        }
    });
    totals.into_inner().unwrap()
}

fn interrupt(
    change: Change,
    fate: &Fate,
    old: &BTreeMap<PathBuf, Vec<u8>>,
    new: &BTreeMap<PathBuf, Vec<u8>>,
) -> bool {
    let scene = Scene::new(change);
    let request = scene.request(change == Change::Undo);
    // Only calls that are traced are injected into.
    let traced = format!("trace={WRITING}");
    let struck = |injection: &str, request| {
        scene.traced(&["-o", "/dev/null", "-e", &traced, "-e", injection], request)
    };
    let injection = fate.join(", then ");
    let output = struck(&fate[0], &request);
    let answer = serde_json::from_slice::<HelperAnswer>(&output.stdout).ok();
    if matches!(answer, Some(HelperAnswer::Done { .. })) {
        assert_eq!(scene.files(), *new, "{change:?} {injection}: it said that it was done");
    }
    for second in &fate[1..] {
        struck(second, &HelperRequest::Recover {});
    }
    // The next start.
    let recovered = scene.helper(&HelperRequest::Recover {});
    assert!(matches!(recovered, HelperAnswer::Recovered { .. }), "{change:?} {injection}: {recovered:?}");
    let files = scene.files();
    assert!(scene.journal_is_quiet(), "{change:?} {injection}: the journal is not empty");
    assert!(
        files == *old || files == *new,
        "{change:?} {injection}: neither the old files nor the new: {files:?}"
    );
    let is_new = files == *new;
    // The record tells the same as the files.
    let has_record = !applied(&scene.paths).unwrap().is_empty();
    assert_eq!(has_record, is_new != (change == Change::Undo), "{change:?} {injection}: the record is wrong");
    // And from there everything can still be taken out, by the helper alone.
    let undone = scene.helper(&HelperRequest::UndoAll {});
    assert!(
        matches!(&undone, HelperAnswer::Undone { failed, .. } if failed.is_empty()),
        "{injection}: {undone:?}"
    );
    let files = scene.files();
    assert_eq!(files[Path::new("hosts")], HOSTS.as_bytes(), "{change:?} {injection}");
    let daemon: serde_json::Value =
        serde_json::from_slice(&files[Path::new("etc/docker/daemon.json")]).unwrap();
    assert_eq!(daemon["log-driver"], "journald");
    assert!(!String::from_utf8_lossy(&files[Path::new("etc/docker/daemon.json")]).contains("172.17.0.1"));
    assert!(!files.contains_key(Path::new("etc/docker/certs.d")), "{change:?} {injection}");
    is_new
}

fn kill_at(name: &str, count: usize) -> String {
    format!("inject={name}:signal=KILL:when={count}")
}

fn killed(change: Change) {
    if !can_trace() {
        return;
    }
    let calls = writing_calls(change);
    assert!(calls.len() > 40, "too few calls to be a change of three files: {calls:?}");
    let fates = calls.iter().map(|(name, count)| vec![kill_at(name, *count)]).collect();
    let (old, new) = interrupt_everywhere(change, fates);
    println!(
        "{change:?}: killed at {} calls; {old} times the old files, {new} times the new ones",
        calls.len()
    );
    assert!(old > 0 && new > 0);
}

#[test]
fn killed_at_every_call_of_an_apply() {
    killed(Change::Apply);
}

#[test]
fn killed_at_every_call_of_an_undo() {
    killed(Change::Undo);
}

#[test]
fn killed_at_every_call_of_a_change_in_place() {
    killed(Change::InPlace);
}

/// The helper that puts things right is killed as well, and so is the next one.
#[test]
fn killed_while_recovering_from_a_kill() {
    if !can_trace() {
        return;
    }
    // What a recovery does; where it ends earlier, nothing happens to it.
    let seconds = ["write", "fsync", "renameat", "unlinkat", "fchmod"];
    for change in [Change::Apply, Change::Undo, Change::InPlace] {
        let calls = writing_calls(change);
        let step = if is_long() { 1 } else { 9 };
        let mut fates = Vec::new();
        for (index, (name, count)) in calls.iter().enumerate().step_by(step) {
            let chosen =
                if is_long() { 0..seconds.len() } else { index % seconds.len()..index % seconds.len() + 1 };
            for second in &seconds[chosen] {
                for at in 1..=2 {
                    fates.push(vec![kill_at(name, *count), kill_at(second, at), kill_at("unlinkat", 1)]);
                }
            }
        }
        let runs = fates.len();
        let (old, new) = interrupt_everywhere(change, fates);
        println!("{change:?}: {runs} runs; {old} times the old files, {new} times the new ones");
    }
}

/// A full disk refuses to write, make and name; a dying one refuses anything. Once, and from then on.
#[test]
fn every_call_fails_as_on_a_full_or_a_dying_disk() {
    if !can_trace() {
        return;
    }
    for change in [Change::Apply, Change::Undo, Change::InPlace] {
        let calls: Vec<(String, usize)> =
            writing_calls(change).into_iter().filter(|(name, _)| name != "flock").collect();
        let fates = calls
            .iter()
            .enumerate()
            .flat_map(|(index, (name, count))| {
                let grows = ["write", "openat", "mkdirat", "linkat", "renameat"].contains(&name.as_str());
                let errors: &[&str] = match (grows, is_long(), index % 2 == 0) {
                    (true, true, _) => &["ENOSPC", "EIO"],
                    (true, false, true) => &["ENOSPC"],
                    (true, false, false) | (false, ..) => &["EIO"],
                };
                // Both forms of every call take too long for every change of the code; each second one does for the
                // second form.
                let forms: &[&str] = if is_long() || index % 2 == 0 { &["", "+"] } else { &[""] };
                let fate =
                    |error: &str, form: &str| vec![format!("inject={name}:error={error}:when={count}{form}")];
                errors
                    .iter()
                    .flat_map(|error| forms.iter().map(move |form| fate(error, form)))
                    .collect::<Vec<_>>()
            })
            .collect();
        let (old, new) = interrupt_everywhere(change, fates);
        println!("{change:?}: {old} times the old files, {new} times the new ones");
        assert!(old > 0 && new > 0);
    }
}

//! Applying and recovering on real files in a folder of the tests' own.
#![cfg(unix)]

use super::*;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

const FOREIGN: &[u8] = b"127.0.0.1 localhost\n\xff\xfe odd\r\nlast line without an end";

struct Scene {
    _folder: tempfile::TempDir,
    paths: Paths,
}

fn scene(contents: &[u8]) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let paths = Paths { hosts: folder.path().join("hosts"), journal: folder.path().join("journal") };
    fs::write(&paths.hosts, contents).unwrap();
    Scene { _folder: folder, paths }
}

fn intent(names: &[&str]) -> Intent {
    let entry = |(index, name): (usize, &&str)| hosts::Entry {
        name: name.parse().unwrap(),
        address: [127, 77, 0, index as u8 + 1].into(),
    };
    Intent::Hosts { entries: names.iter().enumerate().map(entry).collect() }
}

fn apply_now(paths: &Paths, intent: &Intent) -> Result<Outcome, EditError> {
    let plan = plan(paths, intent)?;
    apply(paths, intent, &plan.before, &plan.after)
}

/// Everything in the folder of the hosts file and in the journal, but for the lock.
fn leftovers(paths: &Paths) -> Vec<String> {
    let names = |folder: &Path| {
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect::<Vec<_>>()
    };
    let mut all = names(paths.hosts.parent().unwrap());
    all.extend(names(&paths.journal));
    all.retain(|name| !["hosts", "other-name", "journal", "lock"].contains(&name.as_str()));
    all
}

#[test]
fn apply_and_undo_leave_no_trace() {
    let scene = scene(FOREIGN);
    fs::set_permissions(&scene.paths.hosts, fs::Permissions::from_mode(0o640)).unwrap();
    let wanted = intent(&["cr.boss.org", "b.example"]);
    assert_eq!(apply_now(&scene.paths, &wanted).unwrap(), Outcome::Replaced);
    let bytes = fs::read(&scene.paths.hosts).unwrap();
    assert_eq!(hosts::lookup(&bytes, &"cr.boss.org".parse().unwrap()), Some([127, 77, 0, 1].into()));
    assert_eq!(apply_now(&scene.paths, &wanted).unwrap(), Outcome::AlreadySatisfied);
    assert_eq!(apply_now(&scene.paths, &intent(&[])).unwrap(), Outcome::Replaced);
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
    assert_eq!(fs::metadata(&scene.paths.hosts).unwrap().permissions().mode() & 0o7777, 0o640);
    assert_eq!(leftovers(&scene.paths), [""; 0]);
}

#[test]
fn a_file_with_two_names_keeps_both() {
    let scene = scene(FOREIGN);
    let other = scene.paths.hosts.with_file_name("other-name");
    fs::hard_link(&scene.paths.hosts, &other).unwrap();
    let plan = plan(&scene.paths, &intent(&["cr.boss.org"])).unwrap();
    assert!(plan.warnings[0].contains("in place"), "{:?}", plan.warnings);
    assert_eq!(apply_now(&scene.paths, &intent(&["cr.boss.org"])).unwrap(), Outcome::Rewritten);
    assert_eq!(fs::read(&other).unwrap(), plan.bytes);
    assert_eq!(apply_now(&scene.paths, &intent(&[])).unwrap(), Outcome::Rewritten);
    assert_eq!(fs::read(&other).unwrap(), FOREIGN);
    assert_eq!(leftovers(&scene.paths), [""; 0]);
}

#[test]
fn a_plan_that_is_out_of_date_is_refused() {
    let scene = scene(FOREIGN);
    let wanted = intent(&["cr.boss.org"]);
    let shown = plan(&scene.paths, &wanted).unwrap();
    fs::write(&scene.paths.hosts, b"127.0.0.1 localhost\n").unwrap();
    assert!(matches!(
        apply(&scene.paths, &wanted, &shown.before, &shown.after),
        Err(EditError::Changed { .. })
    ));
    // The same file, but an intent other than the one that was shown.
    fs::write(&scene.paths.hosts, FOREIGN).unwrap();
    let other = intent(&["evil.example"]);
    assert!(matches!(
        apply(&scene.paths, &other, &shown.before, &shown.after),
        Err(EditError::Changed { .. })
    ));
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
    assert_eq!(leftovers(&scene.paths), [""; 0]);
}

#[test]
fn what_is_no_regular_file_is_left_alone() {
    let scene = scene(FOREIGN);
    let link = scene.paths.hosts.with_file_name("link");
    std::os::unix::fs::symlink(&scene.paths.hosts, &link).unwrap();
    let folder = scene.paths.hosts.with_file_name("folder");
    fs::create_dir(&folder).unwrap();
    for hosts in [link, folder] {
        let paths = Paths { hosts, ..scene.paths.clone() };
        assert!(matches!(plan(&paths, &intent(&["a.example"])), Err(EditError::NotRegular { .. })));
    }
    let paths = Paths { hosts: "/nowhere/hosts".into(), ..scene.paths.clone() };
    assert!(matches!(plan(&paths, &intent(&["a.example"])), Err(EditError::Read { .. })));
}

/// The journal as it is when the file is about to be written.
fn begun(scene: &Scene, wanted: &Intent, method: Method) -> (Record, Vec<u8>, Vec<u8>) {
    let before = fs::read(&scene.paths.hosts).unwrap();
    let plan = plan(&scene.paths, wanted).unwrap();
    let record = Record { intent: wanted.clone(), before: plan.before, after: plan.after, method };
    Journal::open(&scene.paths.journal).unwrap().begin(&record, &before, &plan.bytes).unwrap();
    assert!(pending(&scene.paths));
    (record, before, plan.bytes)
}

#[test]
fn a_file_half_written_at_any_byte_is_put_back() {
    let scene = scene(&[FOREIGN, b"\n"].concat());
    apply_now(&scene.paths, &intent(&["a.example", "b.example", "c.example"])).unwrap();
    // Shorter and longer: two kinds of overwriting.
    for names in [&["a.example"][..], &["a.example", "b.example", "c.example", "d.example"]] {
        let wanted = intent(names);
        let (_, before, after) = begun(&scene, &wanted, Method::InPlace);
        for written in 0..=after.len() {
            let tail = before.get(written..).unwrap_or_default();
            fs::write(&scene.paths.hosts, [&after[..written], tail].concat()).unwrap();
            let recovery = recover(&scene.paths).unwrap();
            let bytes = fs::read(&scene.paths.hosts).unwrap();
            match recovery {
                Recovery::Complete => assert_eq!(bytes, after),
                Recovery::NotBegun | Recovery::Reverted => assert_eq!(bytes, before),
                Recovery::NothingToDo | Recovery::Foreign { .. } => panic!("{recovery:?} at {written}"),
            }
            assert!(!pending(&scene.paths));
            assert_eq!(leftovers(&scene.paths), [""; 0]);
            fs::write(&scene.paths.hosts, &before).unwrap();
            begun(&scene, &wanted, Method::InPlace);
        }
        fs::write(&scene.paths.hosts, &before).unwrap();
        assert_eq!(recover(&scene.paths).unwrap(), Recovery::NotBegun);
    }
}

#[test]
fn a_foreign_change_after_a_crash_is_kept() {
    let scene = scene(FOREIGN);
    for method in [Method::Replace, Method::InPlace] {
        fs::write(&scene.paths.hosts, FOREIGN).unwrap();
        begun(&scene, &intent(&["a.example"]), method);
        fs::write(&scene.paths.hosts, b"somebody else's\n").unwrap();
        let Recovery::Foreign { kept } = recover(&scene.paths).unwrap() else {
            panic!("not seen as foreign")
        };
        assert_eq!(kept.is_some(), method == Method::InPlace);
        assert!(kept.is_none_or(|kept| fs::read(kept).unwrap() == FOREIGN));
        assert_eq!(fs::read(&scene.paths.hosts).unwrap(), b"somebody else's\n");
        assert!(!pending(&scene.paths));
    }
}

#[test]
fn a_journal_that_is_not_ours_stops_everything() {
    let scene = scene(FOREIGN);
    fs::create_dir(&scene.paths.journal).unwrap();
    fs::write(scene.paths.journal.join("change.json"), b"{}").unwrap();
    assert!(matches!(recover(&scene.paths), Err(EditError::JournalInvalid { .. })));
    assert!(matches!(
        apply_now(&scene.paths, &intent(&["a.example"])),
        Err(EditError::JournalInvalid { .. })
    ));
    begun_with_damaged_copy(&scene);
    assert!(matches!(recover(&scene.paths), Err(EditError::Journal { .. })));
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
}

fn begun_with_damaged_copy(scene: &Scene) {
    begun(scene, &intent(&["a.example"]), Method::InPlace);
    fs::write(scene.paths.journal.join("before"), b"damaged").unwrap();
}

#[test]
fn recovery_without_a_journal_makes_none() {
    let scene = scene(FOREIGN);
    assert_eq!(recover(&scene.paths).unwrap(), Recovery::NothingToDo);
    assert!(!scene.paths.journal.exists());
}

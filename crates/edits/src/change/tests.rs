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
    fs::write(folder.path().join("hosts"), contents).unwrap();
    let paths = Paths::beside(&folder.path().join("hosts"));
    Scene { _folder: folder, paths }
}

fn intent(names: &[&str]) -> Intent {
    let entry = |(index, name): (usize, &&str)| crate::hosts::Entry {
        name: name.parse().unwrap(),
        address: [127, 77, 0, index as u8 + 1].into(),
    };
    Intent::Hosts { entries: names.iter().enumerate().map(entry).collect(), gateway: None }
}

fn apply_now(paths: &Paths, intent: &Intent) -> Result<Outcome, EditError> {
    let outcomes = apply(paths, &agree(paths, std::slice::from_ref(intent))?)?;
    assert_eq!(outcomes.len(), 1);
    Ok(outcomes[0])
}

fn agree(paths: &Paths, intents: &[Intent]) -> Result<Vec<Agreed>, EditError> {
    let agree = |intent: &Intent| {
        let plan = plan(paths, intent)?;
        Ok(Agreed { intent: intent.clone(), before: plan.before, after: plan.after })
    };
    intents.iter().map(agree).collect()
}

fn daemon_json(entries: &[&str]) -> Intent {
    let insecure = entries.iter().map(|entry| entry.parse().unwrap()).collect();
    Intent::DaemonJson { daemon: crate::daemon_json::Daemon::Native, insecure }
}

fn registry_hosts(address: Option<[u8; 4]>) -> Intent {
    Intent::RegistryHosts {
        folder: crate::CertificateFolder::Docker,
        authority: "cr.boss.org:5000".parse().unwrap(),
        address: address.map(Into::into),
    }
}

/// Everything in the folder of the hosts file and in the journal, but for the lock and the record of what was applied.
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
    all.retain(|name| {
        let name = name.as_str();
        !["hosts", "other-name", "hosts.dockline-journal", "lock", "applied.json"].contains(&name)
    });
    all
}

#[test]
fn apply_and_undo_leave_no_trace() {
    let scene = scene(FOREIGN);
    fs::set_permissions(&scene.paths.hosts, fs::Permissions::from_mode(0o640)).unwrap();
    let wanted = intent(&["cr.boss.org", "b.example"]);
    assert_eq!(apply_now(&scene.paths, &wanted).unwrap(), Outcome::Replaced);
    let bytes = fs::read(&scene.paths.hosts).unwrap();
    assert_eq!(crate::hosts::lookup(&bytes, &"cr.boss.org".parse().unwrap()), Some([127, 77, 0, 1].into()));
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
    assert!(plan.in_place_note.as_deref().unwrap().contains("in place"), "{plan:?}");
    assert_eq!(apply_now(&scene.paths, &intent(&["cr.boss.org"])).unwrap(), Outcome::Rewritten);
    assert_eq!(Some(fs::read(&other).unwrap()), plan.contents);
    assert_eq!(apply_now(&scene.paths, &intent(&[])).unwrap(), Outcome::Rewritten);
    assert_eq!(fs::read(&other).unwrap(), FOREIGN);
    assert_eq!(leftovers(&scene.paths), [""; 0]);
}

#[test]
fn a_plan_that_is_out_of_date_is_refused() {
    let scene = scene(FOREIGN);
    let wanted = intent(&["cr.boss.org"]);
    let shown = agree(&scene.paths, &[wanted]).unwrap();
    fs::write(&scene.paths.hosts, b"127.0.0.1 localhost\n").unwrap();
    assert!(matches!(apply(&scene.paths, &shown), Err(EditError::Changed { .. })));
    // The same file, but an intent other than the one that was shown.
    fs::write(&scene.paths.hosts, FOREIGN).unwrap();
    let other = [Agreed { intent: intent(&["evil.example"]), ..shown[0].clone() }];
    assert!(matches!(apply(&scene.paths, &other), Err(EditError::Changed { .. })));
    // The same file twice, and a file of the person's among the system's.
    let twice = [shown[0].clone(), shown[0].clone()];
    assert!(matches!(apply(&scene.paths, &twice), Err(EditError::Unreasonable)));
    let own = Intent::BuilderConfig { registries: [].into() };
    assert!(matches!(plan(&scene.paths, &own), Err(EditError::Unreasonable)));
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
    // A folder on the way that is a link leads nowhere either.
    let way = scene.paths.hosts.with_file_name("way");
    std::os::unix::fs::symlink(scene.paths.hosts.parent().unwrap(), &way).unwrap();
    let paths = Paths { hosts: way.join("hosts"), ..scene.paths.clone() };
    let Err(EditError::Read { source, .. }) = plan(&paths, &intent(&["a.example"])) else {
        panic!("followed")
    };
    assert!(source.to_string().contains("symbolic link"), "{source}");
}

/// Another program writes the file between the last look at it and the writing in place.
#[test]
fn what_another_program_wrote_meanwhile_is_not_written_over() {
    let scene = scene(FOREIGN);
    fs::hard_link(&scene.paths.hosts, scene.paths.hosts.with_file_name("other-name")).unwrap();
    // The second looks like half of our own writing, and is not: zeros are what a power cut leaves behind a short file.
    for theirs in [b"somebody else's\n".to_vec(), [FOREIGN, b"\0\0\0"].concat()] {
        fs::write(&scene.paths.hosts, FOREIGN).unwrap();
        let (_, after) = begun(&scene, &intent(&["a.example"]), Method::InPlace);
        let journal = Journal::open(&scene.paths).unwrap();
        let journal::Begun { mut record, copies } = journal.read().unwrap().unwrap();
        fs::write(&scene.paths.hosts, &theirs).unwrap();
        let error = write_all(&journal, &mut record, &copies).unwrap_err();
        let EditError::Changed { found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*found, Fingerprint::of(Some(&theirs)));
        let Recovery::Foreign { kept: None } = settle(&scene.paths, &journal).unwrap() else {
            panic!("touched")
        };
        assert_eq!(fs::read(&scene.paths.hosts).unwrap(), theirs);
        let planned_from = Fingerprint::of(Some(FOREIGN));
        assert_eq!(write::overwrite(&scene.paths.hosts, &planned_from, &after).unwrap(), Replaced::Changed);
        assert_eq!(fs::read(&scene.paths.hosts).unwrap(), theirs);
    }
    fs::remove_file(&scene.paths.hosts).unwrap();
    let gone = write::overwrite(&scene.paths.hosts, &Fingerprint::of(Some(FOREIGN)), b"x").unwrap();
    assert_eq!(gone, Replaced::Changed);
}

/// The journal as it is when the file is about to be written.
fn begun(scene: &Scene, wanted: &Intent, method: Method) -> (Vec<u8>, Vec<u8>) {
    let before = fs::read(&scene.paths.hosts).unwrap();
    let plan = plan(&scene.paths, wanted).unwrap();
    let file = FileRecord {
        intent: wanted.clone(),
        path: scene.paths.hosts.clone(),
        before: plan.before,
        after: plan.after,
        method,
        made_folders: vec![],
        removed_folders: vec![],
    };
    let copies = [Copies { before: Some(before.clone()), after: plan.contents.clone() }];
    let record = Record { files: vec![file], applied: vec![] };
    Journal::open(&scene.paths).unwrap().begin(&record, &copies).unwrap();
    assert!(pending(&scene.paths));
    (before, plan.contents.unwrap())
}

#[test]
fn a_file_half_written_at_any_byte_is_put_back() {
    let scene = scene(&[FOREIGN, b"\n"].concat());
    apply_now(&scene.paths, &intent(&["a.example", "b.example", "c.example"])).unwrap();
    // Shorter and longer: two kinds of overwriting.
    for names in [&["a.example"][..], &["a.example", "b.example", "c.example", "d.example"]] {
        let wanted = intent(names);
        let (before, after) = begun(&scene, &wanted, Method::InPlace);
        // Each is synced to the disk several times; a prime stride meets every line and both ends.
        for written in (0..after.len()).step_by(11).chain([after.len()]) {
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
    fs::remove_file(scene.paths.journal.join("change.json")).unwrap();
    begun_with_damaged_copy(&scene);
    assert!(matches!(recover(&scene.paths), Err(EditError::Journal { .. })));
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
}

fn begun_with_damaged_copy(scene: &Scene) {
    begun(scene, &intent(&["a.example"]), Method::InPlace);
    fs::write(scene.paths.journal.join("before-0"), b"damaged").unwrap();
}

#[test]
fn recovery_without_a_journal_makes_none() {
    let scene = scene(FOREIGN);
    assert_eq!(recover(&scene.paths).unwrap(), Recovery::NothingToDo);
    assert!(!scene.paths.journal.exists());
}

/// All three kinds of step at once: a file replaced, one made in folders that are made, and later one removed.
#[test]
fn several_files_are_changed_together_and_undone_together() {
    let scene = scene(FOREIGN);
    let wanted =
        [intent(&["cr.boss.org"]), daemon_json(&["172.17.0.1:5000"]), registry_hosts(Some([127, 77, 0, 1]))];
    let outcomes = apply(&scene.paths, &agree(&scene.paths, &wanted).unwrap()).unwrap();
    assert_eq!(outcomes, [Outcome::Replaced; 3]);
    let root = &scene.paths.root;
    assert!(root.join("etc/docker/certs.d/cr.boss.org:5000/hosts.toml").exists());
    assert_eq!(applied(&scene.paths).unwrap().len(), 3);
    let nothing: Vec<Intent> = wanted.iter().map(Intent::nothing).collect();
    apply(&scene.paths, &agree(&scene.paths, &nothing).unwrap()).unwrap();
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
    assert_eq!(
        fs::read(root.join("etc/docker/daemon.json")).unwrap(),
        b"{\n  \"insecure-registries\": []\n}\n"
    );
    assert!(!root.join("etc/docker/certs.d").exists());
    assert_eq!(applied(&scene.paths).unwrap(), []);
}

#[test]
fn one_file_that_cannot_be_changed_keeps_the_others_as_they_are() {
    let scene = scene(FOREIGN);
    let wanted = [intent(&["cr.boss.org"]), daemon_json(&["172.17.0.1:5000"])];
    let agreed = agree(&scene.paths, &wanted).unwrap();
    let docker = scene.paths.root.join("etc/docker");
    fs::create_dir_all(&docker).unwrap();
    fs::write(docker.join("daemon.json"), "").unwrap();
    assert!(matches!(apply(&scene.paths, &agreed), Err(EditError::Refused { .. })));
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
    fs::write(docker.join("daemon.json"), "{}").unwrap();
    assert!(matches!(apply(&scene.paths, &agreed), Err(EditError::Changed { .. })));
    assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
    assert_eq!(applied(&scene.paths).unwrap(), []);
}

#[test]
fn a_new_file_takes_nobodys_place() {
    let scene = scene(FOREIGN);
    let agreed = agree(&scene.paths, &[daemon_json(&["172.17.0.1:5000"])]).unwrap();
    let docker = scene.paths.root.join("etc/docker");
    fs::create_dir_all(&docker).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", docker.join("daemon.json")).unwrap();
    assert!(matches!(apply(&scene.paths, &agreed), Err(EditError::NotRegular { .. })));
    assert_eq!(
        write::replace(&docker.join("daemon.json"), &Fingerprint::of(None), Some(b"x")).unwrap(),
        Replaced::Changed
    );
    assert!(docker.join("daemon.json").is_symlink());
}

#[test]
fn access_lists_and_attributes_are_kept() {
    let scene = scene(FOREIGN);
    let file = fs::File::open(&scene.paths.hosts).unwrap();
    let flags = rustix::fs::XattrFlags::empty();
    if rustix::fs::fsetxattr(&file, "user.dockline-test", b"kept", flags).is_err() {
        println!("SKIPPED: this file system keeps no extended attributes");
        return;
    }
    // An access list: user::rw-, user:4711:r--, group::r--, mask::r--, other::r-- (acl(5), linux/posix_acl_xattr.h).
    let mut list = 2u32.to_le_bytes().to_vec();
    for (tag, rights, id) in
        [(1u16, 6u16, u32::MAX), (2, 4, 4711), (4, 4, u32::MAX), (0x10, 4, u32::MAX), (0x20, 4, u32::MAX)]
    {
        list.extend([&tag.to_le_bytes()[..], &rights.to_le_bytes(), &id.to_le_bytes()].concat());
    }
    let has_list = rustix::fs::fsetxattr(&file, "system.posix_acl_access", &list, flags).is_ok();
    apply_now(&scene.paths, &intent(&["cr.boss.org"])).unwrap();
    let file = fs::File::open(&scene.paths.hosts).unwrap();
    let mut value = [0u8; 256];
    let length = rustix::fs::fgetxattr(&file, "user.dockline-test", &mut value[..]).unwrap();
    assert_eq!(&value[..length], b"kept");
    if has_list {
        let length = rustix::fs::fgetxattr(&file, "system.posix_acl_access", &mut value[..]).unwrap();
        assert_eq!(&value[..length], list);
    }
}

/// Whoever gets a record into the journal of a program that runs as root must not choose what it writes.
#[test]
fn a_planted_record_touches_nothing() {
    let scene = scene(FOREIGN);
    let victim = scene.paths.hosts.with_file_name("victim");
    let folder = scene.paths.hosts.with_file_name("empty");
    fs::create_dir(&folder).unwrap();
    let temporary = victim.with_file_name(".victim.dockline-new");
    let good = FileRecord {
        intent: intent(&["a.example"]),
        path: scene.paths.hosts.clone(),
        before: Fingerprint::of(Some(b"planted")),
        after: Fingerprint::of(Some(b"innocent")),
        method: Method::Replace,
        made_folders: vec![],
        removed_folders: vec![],
    };
    for (planted, named) in [
        (FileRecord { path: victim.clone(), ..good.clone() }, &victim),
        (FileRecord { path: victim.clone(), method: Method::InPlace, ..good.clone() }, &victim),
        (FileRecord { made_folders: vec![folder.clone()], ..good.clone() }, &folder),
        (FileRecord { removed_folders: vec![folder.clone()], ..good.clone() }, &folder),
    ] {
        fs::write(&victim, b"innocent").unwrap();
        fs::write(&temporary, b"somebody's").unwrap();
        let copies = [Copies { before: Some(b"planted".to_vec()), after: Some(b"innocent".to_vec()) }];
        let record = Record { files: vec![planted.clone()], applied: vec![] };
        Journal::open(&scene.paths).unwrap().begin(&record, &copies).unwrap();
        let agreed = agree(&scene.paths, &[intent(&["cr.boss.org"])]).unwrap();
        for refused in [recover(&scene.paths).map(drop), apply(&scene.paths, &agreed).map(drop)] {
            let Err(EditError::JournalMisplaced { path, file }) = refused else { panic!("{refused:?}") };
            assert_eq!((&path, &file), (&scene.paths.journal, named));
        }
        assert_eq!(fs::read(&victim).unwrap(), b"innocent", "{planted:?}");
        assert_eq!(fs::read(&temporary).unwrap(), b"somebody's", "{planted:?}");
        assert_eq!(fs::read(&scene.paths.hosts).unwrap(), FOREIGN);
        assert!(folder.exists());
        assert!(pending(&scene.paths), "it stays, to be looked at");
    }
}

/// The list of what was applied names folders too.
#[test]
fn folders_that_do_not_lead_to_the_file_are_left() {
    let scene = scene(FOREIGN);
    let wanted = registry_hosts(Some([127, 77, 0, 1]));
    apply_now(&scene.paths, &wanted).unwrap();
    let other = scene.paths.root.join("other");
    fs::create_dir(&other).unwrap();
    let journal = Journal::open(&scene.paths).unwrap();
    let mut list = journal.applied().unwrap();
    list[0].made_folders.push(other.clone());
    journal.adopt_applied(&list).unwrap();
    drop(journal);
    apply_now(&scene.paths, &wanted.nothing()).unwrap();
    assert!(other.exists());
    assert!(!scene.paths.root.join("etc/docker/certs.d").exists());
}

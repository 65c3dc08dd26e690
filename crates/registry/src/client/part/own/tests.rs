//! What may stand where a pull's own files belong.

use super::{super::Part, *};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown, symlink},
    path::PathBuf,
};

fn begin(target: &Path) -> (Part, PathBuf) {
    let part = Part::open(target, &[(0, b"what is written".to_vec())], 100).unwrap();
    let path = part.contents.path.to_path_buf();
    (part, path)
}

fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// What may stand where a pull's file or its journal belongs.
fn trap(kind: &str, path: &Path, precious: &Path) {
    match kind {
        "a link" => symlink(precious, path).unwrap(),
        "a link to nothing" => symlink(precious.with_extension("nothing"), path).unwrap(),
        "another name" => fs::hard_link(precious, path).unwrap(),
        "a folder" => fs::create_dir(path).unwrap(),
        "a pipe" => pipe(path),
        "somebody else's" => {
            fs::write(path, "").unwrap();
            // Only root gives files away; for anybody else it is a folder once more.
            if chown(path, Some(12_345), None).is_err() {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            }
        }
        kind => panic!("{kind}"),
    }
}

#[test]
fn what_others_put_under_a_name_of_ours_is_neither_written_to_nor_removed() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("app.tar");
    let elsewhere = tempfile::tempdir().unwrap();
    let precious = elsewhere.path().join("precious");
    fs::write(&precious, "precious").unwrap();
    let (part, first) = begin(&target);
    drop(part);
    let second = PathBuf::from(first.display().to_string().replace(".part", "-1.part"));
    for kind in ["a link", "a link to nothing", "another name", "a folder", "a pipe", "somebody else's"] {
        for planted in [first.clone(), first.with_extension("part-journal")] {
            trap(kind, &planted, &precious);
            let before = planted.symlink_metadata().unwrap();
            let (part, path) = begin(&target);
            part.note(0, 7);
            assert_eq!(path, second, "{kind}");
            drop(part);
            let after = planted.symlink_metadata().unwrap();
            assert!(is_same(&before, &after) && before.len() == after.len(), "{kind}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{kind}: only that is left");
            assert_eq!(fs::read_to_string(&precious).unwrap(), "precious", "{kind}");
            assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1, "{kind}");
            if before.is_dir() { fs::remove_dir(&planted) } else { fs::remove_file(&planted) }.unwrap();
        }
    }
}

fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino(), one.uid()) == (other.dev(), other.ino(), other.uid())
}

#[test]
fn a_pipe_that_looks_abandoned_holds_nobody_up() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("app.tar");
    let planted = folder.path().join(format!("{}abandoned.part", prefix(&target)));
    pipe(&planted);
    begin(&target);
    assert!(planted.symlink_metadata().is_ok());
}

#[test]
fn nobody_else_reads_the_file_until_it_is_whole_and_then_whoever_reads_others_there() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("app.tar");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (part, path) = begin(&target);
    assert_eq!(mode(&path), 0o600);
    part.keep(&target).unwrap();
    let other = folder.path().join("other");
    fs::write(&other, "").unwrap();
    assert_eq!(mode(&target), mode(&other));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}

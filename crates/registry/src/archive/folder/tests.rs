//! Folders that are layouts, and such as only look like them.

use super::super::{ArchiveError, Tarball};
use std::{fs, io::Read as _, path::Path};

fn layout(folder: &Path) {
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    fs::write(folder.join("index.json"), "{}").unwrap();
    fs::write(folder.join("blobs/sha256/abc"), "a blob").unwrap();
}

#[test]
fn a_folder_is_read_file_by_file() {
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path());
    fs::write(folder.path().join("blobs/sha256/def"), "a blob").unwrap();
    fs::write(folder.path().join("notes.txt"), "somebody's").unwrap();
    let opened = Tarball::open(folder.path()).unwrap();
    assert_eq!(opened.bytes("blobs/sha256/abc").unwrap(), b"a blob");
    assert!(opened.contains("index.json") && !opened.contains("notes.txt"));
    let section = |name| opened.section(name).unwrap();
    assert_ne!(section("blobs/sha256/abc"), section("blobs/sha256/def"), "two files are one");

    // What has changed since then is an error, and nothing else's bytes.
    let mut reader = opened.reader(section("blobs/sha256/abc"));
    fs::write(folder.path().join("blobs/sha256/abc"), "a b").unwrap();
    assert!(reader.read_to_end(&mut Vec::new()).is_err());
}

#[test]
fn what_is_no_layout_is_refused_and_says_what_it_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let refused = || Tarball::open(folder.path()).unwrap_err();
    let error = refused();
    assert!(matches!(&error, ArchiveError::NotALayout { .. }), "{error:?}");
    assert!(error.to_string().contains("oci-layout"), "{error}");
    layout(folder.path());
    fs::remove_file(folder.path().join("index.json")).unwrap();
    let error = refused();
    assert!(matches!(&error, ArchiveError::Missing { name } if name == "index.json"), "{error:?}");
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_a_folder() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    layout(folder.path());
    layout(elsewhere.path());
    let blobs = folder.path().join("blobs/sha256");
    fs::write(elsewhere.path().join("secret"), "secret").unwrap();
    symlink(elsewhere.path().join("secret"), blobs.join("absolute")).unwrap();
    symlink("../../../secret", blobs.join("upwards")).unwrap();
    symlink("abc", blobs.join("beside")).unwrap();
    symlink(elsewhere.path().join("blobs/sha256"), folder.path().join("blobs/sha512")).unwrap();
    let opened = Tarball::open(folder.path()).unwrap();
    for name in ["absolute", "upwards"] {
        let error = opened.section(&format!("blobs/sha256/{name}")).unwrap_err();
        assert!(matches!(error, ArchiveError::UnsafeName { .. }), "{name}: {error:?}");
    }
    assert_eq!(opened.bytes("blobs/sha256/beside").unwrap(), b"a blob");
    assert!(!opened.contains("blobs/sha512/abc"), "a folder that is a link was followed");

    // A link that takes a file's place after it was seen.
    let mut reader = opened.reader(opened.section("blobs/sha256/abc").unwrap());
    fs::remove_file(blobs.join("abc")).unwrap();
    symlink(elsewhere.path().join("blobs/sha256/abc"), blobs.join("abc")).unwrap();
    assert!(reader.read_to_end(&mut Vec::new()).is_err());

    // The mark itself.
    fs::remove_file(folder.path().join("oci-layout")).unwrap();
    symlink(elsewhere.path().join("oci-layout"), folder.path().join("oci-layout")).unwrap();
    assert!(matches!(Tarball::open(folder.path()), Err(ArchiveError::NotALayout { .. })));
}

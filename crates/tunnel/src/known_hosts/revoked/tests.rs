//! Lists of revoked keys: our reader against what `ssh-keygen -k` writes.

use super::*;
use crate::known_hosts::tests::{ED, key, line};
use russh::keys::{Certificate, PublicKey};
use std::{fs, path::Path, process::Command};

#[test]
fn a_plain_list_holds_keys_and_comments() {
    let text = format!("# comment\n\n  {}", line("", ED, 1).trim_start());
    let revoked = RevokedKeys::parse(text.as_bytes()).unwrap();
    assert!(revoked.revokes(&key(ED, 1), None) && !revoked.revokes(&key(ED, 2), None));
    let by_authority = CertificateFacts { authority: key(ED, 1), serial: 0, key_id: String::new() };
    assert!(revoked.revokes(&key(ED, 2), Some(&by_authority)));
    assert!(RevokedKeys::parse(b"").unwrap().is_empty());
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let list = format!("{}nonsense\n", line("", ED, 1).trim_start());
    assert_eq!(RevokedKeys::parse(list.as_bytes()), Err(RevocationError::NotAKey(2)));
    assert_eq!(RevokedKeys::parse(MAGIC), Err(RevocationError::Damaged));
    let version = [MAGIC, &[0, 0, 0, 2]].concat();
    assert_eq!(RevokedKeys::parse(&version), Err(RevocationError::UnknownVersion(2)));
    let mut signed = [MAGIC, &[0, 0, 0, 1], &[0; 24], &[0; 8]].concat();
    assert!(RevokedKeys::parse(&signed).unwrap().is_empty());
    signed.extend([4, 0, 0, 0, 0]);
    assert_eq!(RevokedKeys::parse(&signed), Err(RevocationError::UnknownSection(4)));
}

fn ssh_keygen(folder: &Path, arguments: &[&str]) -> bool {
    let output = Command::new("ssh-keygen").args(arguments).current_dir(folder).output().unwrap();
    output.status.success()
}

/// Every way of revoking that `ssh-keygen -k` has, against its own answer for every certificate (`ssh-keygen -Q`).
#[test]
fn lists_of_ssh_keygen_revoke_what_it_says_they_do() {
    if Command::new("ssh-keygen").arg("-?").output().is_err() {
        assert!(std::env::var("CI").as_deref() != Ok("true"), "ssh-keygen is missing; CI must have it");
        eprintln!("SKIPPED: ssh-keygen is missing; install openssh-client to run this test");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for name in ["ca", "other-ca", "a", "b"] {
        assert!(ssh_keygen(folder, &["-q", "-t", "ed25519", "-N", "", "-f", name]));
    }
    let mut shown: Vec<(String, Key, Option<CertificateFacts>)> = Vec::new();
    for (ca, serial, id) in [
        ("ca", "0", "zero"),
        ("ca", "5", "five"),
        ("ca", "1000", "thousand"),
        ("ca", "1063", "bitmap"),
        ("other-ca", "5", "five"),
    ] {
        let signing = ["-q", "-s", ca, "-h", "-I", id, "-z", serial, "-V", "always:forever", "a.pub"];
        assert!(ssh_keygen(folder, &signing));
        let name = format!("{ca}-{serial}.pub");
        fs::rename(folder.join("a-cert.pub"), folder.join(&name)).unwrap();
        let certificate =
            Certificate::from_openssh(fs::read_to_string(folder.join(&name)).unwrap().trim()).unwrap();
        let facts = CertificateFacts {
            authority: Key::of(certificate.signature_key()).unwrap(),
            serial: certificate.serial(),
            key_id: certificate.key_id().to_owned(),
        };
        shown.push((name, Key::of(certificate.public_key()).unwrap(), Some(facts)));
    }
    for name in ["a.pub", "b.pub"] {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let key = Key::of(PublicKey::from_openssh(text.trim()).unwrap().key_data()).unwrap();
        shown.push((name.to_owned(), key, None));
    }
    let public = fs::read_to_string(folder.join("a.pub")).unwrap();
    let fingerprint = PublicKey::from_openssh(public.trim()).unwrap().fingerprint(Default::default());
    let many: String = (0..64).step_by(3).map(|n| format!("serial: {}\n", 1000 + n)).collect();
    let mut revoked_once = false;
    for (spec, authority) in [
        (format!("key: {public}"), ""),
        (format!("sha1: {public}"), ""),
        (format!("sha256: {public}"), ""),
        (format!("hash: {fingerprint}\n"), ""),
        ("serial: 5\n".to_owned(), "ca.pub"),
        ("serial: 4-1000\n".to_owned(), "ca.pub"),
        (many, "ca.pub"),
        ("id: five\n".to_owned(), "ca.pub"),
        ("id: zero\nserial: 5\n".to_owned(), "NONE"),
        (fs::read_to_string(folder.join("ca.pub")).unwrap().replacen("ssh-", "key: ssh-", 1), ""),
        (String::new(), ""),
    ] {
        fs::write(folder.join("spec"), &spec).unwrap();
        let mut making = vec!["-q", "-k", "-f", "krl"];
        if !authority.is_empty() {
            making.extend(["-s", authority]);
        }
        making.push("spec");
        assert!(ssh_keygen(folder, &making), "{spec}");
        let revoked = RevokedKeys::parse(&fs::read(folder.join("krl")).unwrap()).unwrap();
        for (name, key, facts) in &shown {
            let is_free = ssh_keygen(folder, &["-q", "-Q", "-f", "krl", name]);
            assert_eq!(revoked.revokes(key, facts.as_ref()), !is_free, "{name} by {spec}");
            revoked_once |= !is_free;
        }
    }
    assert!(revoked_once);
}

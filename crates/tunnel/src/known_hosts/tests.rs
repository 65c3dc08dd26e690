//! The reader of known_hosts against the format's corners.

use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use proptest::prelude::*;

pub(super) const ED: &str = "ssh-ed25519";
pub(super) const RSA: &str = "ssh-rsa";

/// A key's bytes that read as one, made from nothing but a number.
fn blob(key_type: &str, seed: u8) -> Vec<u8> {
    let mut blob = Vec::new();
    let mut put = |field: &[u8]| {
        blob.extend((field.len() as u32).to_be_bytes());
        blob.extend(field);
    };
    put(key_type.as_bytes());
    if key_type == RSA {
        put(&[1, 0, 1]);
        let mut modulus = vec![0x7f];
        modulus.extend([seed; 255]);
        put(&modulus);
    } else {
        put(&[seed; 32]);
    }
    blob
}

pub(super) fn key(key_type: &str, seed: u8) -> Key {
    key::read(&blob(key_type, seed)).unwrap().key
}

pub(super) fn line(hosts: &str, key_type: &str, seed: u8) -> String {
    format!("{hosts} {key_type} {}\n", STANDARD.encode(blob(key_type, seed)))
}

fn read(text: &str) -> KnownHosts {
    let mut hosts = KnownHosts::default();
    hosts.add_file(Path::new("/k"), text.as_bytes());
    hosts
}

fn at(line: usize) -> Place {
    Place { file: PathBuf::from("/k"), line }
}

fn verdict(hosts: &KnownHosts, host: &str, key_type: &str, seed: u8) -> Verdict {
    hosts.verdict(&HostNames::new(host, 22), &key(key_type, seed))
}

#[test]
fn known_unknown_and_changed() {
    let hosts = read(&format!("# comment\n\n{}", line("a.org,b.org", ED, 1)));
    assert_eq!(verdict(&hosts, "b.org", ED, 1), Verdict::Known(at(3)));
    assert_eq!(verdict(&hosts, "c.org", ED, 1), Verdict::Unknown);
    assert_eq!(verdict(&hosts, "a.org", ED, 2), Verdict::Changed(at(3)));
}

#[test]
fn a_key_of_another_type_is_a_changed_key() {
    let hosts = read(&line("a.org", ED, 1));
    assert_eq!(verdict(&hosts, "a.org", RSA, 1), Verdict::Changed(at(1)));
    let names = HostNames::new("a.org", 22);
    assert!(hosts.knows_type(&names, ED) && !hosts.knows_type(&names, RSA));
}

#[test]
fn several_keys_of_a_host() {
    let hosts = read(&format!("{}{}{}", line("a.org", RSA, 9), line("a.org", ED, 1), line("a.org", ED, 2)));
    for (seed, place) in [(1, 2), (2, 3)] {
        assert_eq!(verdict(&hosts, "a.org", ED, seed), Verdict::Known(at(place)));
    }
    assert_eq!(verdict(&hosts, "a.org", ED, 3), Verdict::Changed(at(2)));
}

#[test]
fn ports_are_part_of_the_name_unless_only_the_host_is_known() {
    let other_port = HostNames::new("A.org", 2222);
    let hosts = read(&line("[a.org]:2222", ED, 1));
    assert_eq!(hosts.verdict(&other_port, &key(ED, 1)), Verdict::Known(at(1)));
    assert_eq!(verdict(&hosts, "a.org", ED, 1), Verdict::Unknown);

    // As `ssh`: the host's key at the usual port will do, but another one there says nothing.
    let hosts = read(&line("a.org", ED, 1));
    assert_eq!(hosts.verdict(&other_port, &key(ED, 1)), Verdict::Known(at(1)));
    assert_eq!(hosts.verdict(&other_port, &key(ED, 2)), Verdict::Unknown);
    let both = read(&format!("{}{}", line("a.org", ED, 1), line("[a.org]:2222", ED, 2)));
    assert_eq!(both.verdict(&other_port, &key(ED, 1)), Verdict::Changed(at(2)));
    // An alias stands for host and port both.
    assert_eq!(hosts.verdict(&HostNames::alias("A.org"), &key(ED, 1)), Verdict::Known(at(1)));
}

#[test]
fn wildcards_and_negation() {
    let hosts = read(&line("*.a.org,!bad.a.org,host?", ED, 1));
    assert_eq!(verdict(&hosts, "x.a.org", ED, 1), Verdict::Known(at(1)));
    assert_eq!(verdict(&hosts, "host7", ED, 1), Verdict::Known(at(1)));
    for other in ["bad.a.org", "a.org", "host", "host77"] {
        assert_eq!(verdict(&hosts, other, ED, 1), Verdict::Unknown, "{other}");
    }
}

#[test]
fn revoked_beats_known_and_authorities_are_no_keys() {
    let hosts = read(&format!(
        "{}{}{}",
        line("a.org", ED, 1),
        line("@revoked *", ED, 1),
        line("@cert-authority *", ED, 5)
    ));
    assert_eq!(verdict(&hosts, "a.org", ED, 1), Verdict::Revoked(at(2)));
    assert_eq!(verdict(&hosts, "b.org", ED, 5), Verdict::Unknown);
    // Where only the plain name is revoked, a server at another port is no better.
    assert_eq!(hosts.verdict(&HostNames::new("c.org", 2222), &key(ED, 1)), Verdict::Revoked(at(2)));
}

#[test]
fn authorities_are_of_the_hosts_they_are_written_for() {
    let names = HostNames::new("x.a.org", 22);
    let hosts = read(&line("@cert-authority *.a.org", ED, 5));
    assert_eq!(hosts.authority(&names, &key(ED, 1), &key(ED, 5)), Authority::Trusted(at(1)));
    assert_eq!(hosts.authority(&names, &key(ED, 1), &key(ED, 6)), Authority::Unknown);
    assert_eq!(hosts.authority(&HostNames::new("b.org", 22), &key(ED, 1), &key(ED, 5)), Authority::Unknown);
    for revoked in [5, 1] {
        let text = format!("{}{}", line("@cert-authority *", ED, 5), line("@revoked *", ED, revoked));
        assert_eq!(read(&text).authority(&names, &key(ED, 1), &key(ED, 5)), Authority::Revoked(at(2)));
    }
}

#[test]
fn hashed_names_read_back() {
    let salt = [7; 20];
    let text = format_line("[a.org]:2222", &key(ED, 1), Some(&salt));
    assert!(text.starts_with("|1|") && !text.contains("a.org"));
    let hosts = read(&text);
    assert_eq!(hosts.verdict(&HostNames::new("a.org", 2222), &key(ED, 1)), Verdict::Known(at(1)));
    assert_eq!(verdict(&hosts, "a.org", ED, 1), Verdict::Unknown);
}

#[test]
fn nonsense_is_passed_over() {
    let good = line("a.org", ED, 1);
    let contradiction = good.replace(ED, RSA);
    let text = format!(
        "a.org\na.org ssh-ed25519\na.org ssh-ed25519 %%%\n@what {good}|2|x|y z\n{contradiction}{good}"
    );
    assert_eq!(verdict(&read(&text), "a.org", ED, 2), Verdict::Changed(at(7)));
}

#[test]
fn a_tab_after_a_marker_revokes_but_makes_no_authority() {
    let hosts = read(&format!("{}{}", line("@revoked\t*", ED, 1), line("@cert-authority\t*", ED, 5)));
    assert_eq!(verdict(&hosts, "a.org", ED, 1), Verdict::Revoked(at(1)));
    assert!(!hosts.has_authority(&HostNames::new("a.org", 22)));
    assert!(
        read(&line("@cert-authority *", ED, 5).replace(' ', "\t"))
            .has_authority(&HostNames::new("a.org", 22))
    );
}

#[test]
fn lines_of_windows_and_of_c() {
    let windows = line("a.org", ED, 1).replace('\n', "\r\n");
    assert_eq!(verdict(&read(&windows), "a.org", ED, 1), Verdict::Known(at(1)));
    let cut = format!("\0{}", line("a.org", ED, 1));
    assert_eq!(verdict(&read(&cut), "a.org", ED, 1), Verdict::Unknown);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(content in prop::collection::vec(any::<u8>(), 0..400), name in ".*") {
        let mut hosts = KnownHosts::default();
        hosts.add_file(Path::new("/k"), &content);
        let _ = hosts.verdict(&HostNames::new(&name, 22), &key(ED, 1));
        let _ = RevokedKeys::parse(&content);
        let _ = RevokedKeys::parse(&[b"SSHKRL\n\0\0\0\0\x01".as_slice(), &content].concat());
        let _ = Update::plan(&name, &[key(ED, 1)], &[(PathBuf::from("/k"), content)]);
    }

    #[test]
    fn any_key_is_read_without_a_panic(content in prop::collection::vec(any::<u8>(), 0..400), kind in 0..4_usize) {
        let kind = ["ssh-ed25519", "ssh-rsa-cert-v01@openssh.com", "ecdsa-sha2-nistp256", "ssh-dss"][kind];
        let blob = [&(kind.len() as u32).to_be_bytes(), kind.as_bytes(), &content].concat();
        let _ = line::parse(format!("* {kind} {}", STANDARD.encode(blob)).as_bytes());
    }

    #[test]
    fn wildcards_match_as_a_naive_matcher_does(pattern in "[ab*?]{0,8}", text in "[ab]{0,8}") {
        fn naive(pattern: &[u8], text: &[u8]) -> bool {
            match (pattern.split_first(), text.split_first()) {
                (None, None) => true,
                (Some((b'*', rest)), _) => {
                    naive(rest, text) || text.split_first().is_some_and(|(_, t)| naive(pattern, t))
                }
                (Some((b'?', rest)), Some((_, t))) => naive(rest, t),
                (Some((p, rest)), Some((c, t))) => p == c && naive(rest, t),
                (Some(_), None) | (None, Some(_)) => false,
            }
        }
        prop_assert_eq!(
            line::wildcard(pattern.as_bytes(), text.as_bytes()),
            naive(pattern.as_bytes(), text.as_bytes())
        );
    }
}

//! The reader of known_hosts against the format's corners.

use super::*;
use proptest::prelude::*;

fn blob(key_type: &str, seed: u8) -> Vec<u8> {
    let mut blob = (key_type.len() as u32).to_be_bytes().to_vec();
    blob.extend(key_type.as_bytes());
    blob.extend([0, 0, 0, 32]);
    blob.extend([seed; 32]);
    blob
}

fn line(hosts: &str, key_type: &str, seed: u8) -> String {
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

const ED: &str = "ssh-ed25519";
const RSA: &str = "ssh-rsa";

#[test]
fn known_unknown_and_changed() {
    let hosts = read(&format!("# comment\n\n{}", line("a.org,b.org", ED, 1)));
    assert_eq!(hosts.verdict("b.org", ED, &blob(ED, 1)), Verdict::Known);
    assert_eq!(hosts.verdict("c.org", ED, &blob(ED, 1)), Verdict::Unknown);
    assert_eq!(hosts.verdict("a.org", ED, &blob(ED, 2)), Verdict::Changed(at(3)));
}

#[test]
fn a_key_of_another_type_is_a_changed_key() {
    let hosts = read(&line("a.org", ED, 1));
    assert_eq!(hosts.verdict("a.org", RSA, &blob(RSA, 1)), Verdict::Changed(at(1)));
    assert_eq!(hosts.key_types("a.org"), [ED]);
}

#[test]
fn several_keys_of_a_host() {
    let hosts = read(&format!("{}{}{}", line("a.org", RSA, 9), line("a.org", ED, 1), line("a.org", ED, 2)));
    for seed in [1, 2] {
        assert_eq!(hosts.verdict("a.org", ED, &blob(ED, seed)), Verdict::Known);
    }
    assert_eq!(hosts.verdict("a.org", ED, &blob(ED, 3)), Verdict::Changed(at(2)));
    assert_eq!(hosts.key_types("a.org"), [RSA, ED]);
}

#[test]
fn ports_are_part_of_the_name() {
    let hosts = read(&line("[a.org]:2222", ED, 1));
    assert_eq!(hosts.verdict(&lookup_name("A.org", 2222), ED, &blob(ED, 1)), Verdict::Known);
    assert_eq!(hosts.verdict(&lookup_name("a.org", 22), ED, &blob(ED, 1)), Verdict::Unknown);
}

#[test]
fn wildcards_and_negation() {
    let hosts = read(&line("*.a.org,!bad.a.org,host?", ED, 1));
    assert_eq!(hosts.verdict("x.a.org", ED, &blob(ED, 1)), Verdict::Known);
    assert_eq!(hosts.verdict("host7", ED, &blob(ED, 1)), Verdict::Known);
    for other in ["bad.a.org", "a.org", "host", "host77"] {
        assert_eq!(hosts.verdict(other, ED, &blob(ED, 1)), Verdict::Unknown, "{other}");
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
    assert_eq!(hosts.verdict("a.org", ED, &blob(ED, 1)), Verdict::Revoked(at(2)));
    assert_eq!(hosts.verdict("b.org", ED, &blob(ED, 5)), Verdict::Unknown);
}

#[test]
fn hashed_names_read_back() {
    let salt = [7; 20];
    let text = format_line("[a.org]:2222", ED, &blob(ED, 1), Some(&salt));
    assert!(text.starts_with("|1|") && !text.contains("a.org"));
    let hosts = read(&text);
    assert_eq!(hosts.verdict("[a.org]:2222", ED, &blob(ED, 1)), Verdict::Known);
    assert_eq!(hosts.verdict("a.org", ED, &blob(ED, 1)), Verdict::Unknown);
}

#[test]
fn nonsense_is_passed_over() {
    let good = line("a.org", ED, 1);
    let contradiction = good.replace(ED, RSA);
    let text = format!(
        "a.org\na.org ssh-ed25519\na.org ssh-ed25519 %%%\n@what {good}|2|x|y z\n{contradiction}{good}"
    );
    let hosts = read(&text);
    assert_eq!(hosts.verdict("a.org", ED, &blob(ED, 2)), Verdict::Changed(at(7)));
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(content in prop::collection::vec(any::<u8>(), 0..400), name in ".*") {
        let mut hosts = KnownHosts::default();
        hosts.add_file(Path::new("/k"), &content);
        let _ = hosts.verdict(&name, ED, &blob(ED, 1));
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
        prop_assert_eq!(wildcard(pattern.as_bytes(), text.as_bytes()), naive(pattern.as_bytes(), text.as_bytes()));
    }
}

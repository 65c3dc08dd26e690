//! The planner on every kind of file.

use super::*;
use proptest::prelude::*;

const PATH: &str = "/etc/hosts";
const DEBIAN: &[u8] = b"127.0.0.1\tlocalhost\n127.0.1.1\tlaptop\n\n# IPv6\n::1 localhost ip6-localhost\n";

fn entry(name: &str, last: u8) -> Entry {
    Entry { name: name.parse().unwrap(), address: Ipv4Addr::new(127, 77, 1, last) }
}

fn bytes(plan: &Plan) -> Vec<u8> {
    plan.contents.clone().unwrap()
}

fn applied(current: &[u8], entries: &[Entry]) -> Vec<u8> {
    plan(Path::new(PATH), entries, None, current).unwrap().contents.unwrap()
}

#[test]
fn a_block_is_added_at_the_end_and_taken_out_again() {
    let plan = plan(Path::new(PATH), &[entry("cr.boss.org", 5)], None, DEBIAN).unwrap();
    let text = String::from_utf8(bytes(&plan).clone()).unwrap();
    assert!(text.ends_with("\n127.77.1.5\tcr.boss.org\n# END dockline\n"), "{text}");
    assert!(plan.diff.contains("+127.77.1.5\tcr.boss.org\n"), "{}", plan.diff);
    assert!(!plan.diff.contains("\n-"), "{}", plan.diff);
    assert_eq!(applied(&bytes(&plan), &[]), DEBIAN);
}

#[test]
fn a_block_is_replaced_where_it_is() {
    let first = applied(DEBIAN, &[entry("cr.boss.org", 5)]);
    let edited = [first.as_slice(), b"10.0.0.1 later\n"].concat();
    let second = applied(&edited, &[entry("b.example", 6), entry("a.example", 7)]);
    let text = String::from_utf8(second.clone()).unwrap();
    assert!(
        text.contains("\n127.77.1.7\ta.example\n127.77.1.6\tb.example\n# END dockline\n10.0.0.1 later\n")
    );
    assert!(!text.contains("cr.boss.org"));
    assert_eq!(applied(&second, &[]), [DEBIAN, b"10.0.0.1 later\n"].concat());
}

#[test]
fn a_satisfied_file_is_left_alone() {
    let once = applied(DEBIAN, &[entry("cr.boss.org", 5)]);
    let again = plan(Path::new(PATH), &[entry("cr.boss.org", 5)], None, &once).unwrap();
    assert!(again.satisfied && again.diff.is_empty() && again.before == again.after);
    assert!(plan(Path::new(PATH), &[], None, DEBIAN).unwrap().satisfied);
}

#[test]
fn line_endings_are_the_files_own() {
    let windows = b"# Copyright Microsoft\r\n127.0.0.1 localhost\r\n";
    let bytes = applied(windows, &[entry("cr.boss.org", 5)]);
    assert_eq!(bytes.iter().filter(|b| **b == b'\n').count(), 6);
    assert_eq!(bytes.windows(2).filter(|pair| pair == b"\r\n").count(), 6);
    assert_eq!(applied(&bytes, &[]), windows);
}

#[test]
fn a_missing_last_line_ending_is_missing_again_after_undo() {
    for odd in [&b"127.0.0.1 localhost"[..], b"a\r\nb", b"a\r\nb\r", b"\xef\xbb\xbf", b"\xff\xffx", b"x\r"] {
        let bytes = applied(odd, &[entry("cr.boss.org", 5)]);
        assert_eq!(lookup(&bytes, &"cr.boss.org".parse().unwrap()), Some([127, 77, 1, 5].into()), "{odd:?}");
        let changed = applied(&bytes, &[entry("cr.boss.org", 6), entry("b.example", 7)]);
        assert_eq!(applied(&changed, &[]), odd);
    }
}

#[test]
fn lines_added_below_our_block_never_join_the_line_above_it() {
    let bytes = [applied(b"1.2.3.4 a", &[entry("cr.boss.org", 5)]), b"5.6.7.8 b\n".to_vec()].concat();
    assert_eq!(applied(&bytes, &[]), b"1.2.3.4 a\n5.6.7.8 b\n");
}

#[test]
fn half_a_marker_is_refused_and_not_repaired() {
    for (text, line) in [
        ("a\n# BEGIN dockline\n127.77.1.5 x.org\n", 2),
        ("a\n# END dockline\n", 2),
        ("# END dockline\n# BEGIN dockline\n", 1),
        ("# BEGIN dockline\n# BEGIN dockline\n# END dockline\n", 1),
        ("# BEGIN dockline\n# END dockline\n# END dockline\n", 3),
    ] {
        let refused = plan(Path::new(PATH), &[], None, text.as_bytes()).unwrap_err();
        assert_eq!(refused, Refused::HalfMarker { line }, "{text:?}");
    }
    let twice = "# BEGIN dockline\n# END dockline\n# BEGIN dockline\n# END dockline\n";
    assert_eq!(
        plan(Path::new(PATH), &[], None, twice.as_bytes()).unwrap_err(),
        Refused::SecondBlock { line: 3 }
    );
    // Somebody else's marker is none of ours.
    assert!(plan(Path::new(PATH), &[], None, b"# BEGIN dockline-two\n").unwrap().satisfied);
}

#[test]
fn a_name_that_is_there_already_is_refused_with_its_line() {
    for taken in
        ["127.0.0.1 CR.boss.org", "::1 x cr.boss.org.", "10.0.0.1\tcr.boss.org # old", "9 cr.boss.org"]
    {
        let file = format!("127.0.0.1 localhost\n{taken}\n");
        let refused = plan(Path::new(PATH), &[entry("cr.boss.org", 5)], None, file.as_bytes()).unwrap_err();
        assert!(matches!(refused, Refused::NameTaken { line: 2, .. }), "{taken}: {refused}");
        assert!(plan(Path::new(PATH), &[], None, file.as_bytes()).is_ok(), "undo does not mind");
    }
    for free in
        ["# 127.0.0.1 cr.boss.org", "127.0.0.1 a # cr.boss.org", "127.0.0.1 xcr.boss.org", "cr.boss.org"]
    {
        assert!(plan(Path::new(PATH), &[entry("cr.boss.org", 5)], None, free.as_bytes()).is_ok(), "{free}");
    }
}

#[test]
fn what_would_lead_off_this_machine_or_contradict_itself_is_refused() {
    let far = Entry { name: "cr.boss.org".parse().unwrap(), address: Ipv4Addr::new(10, 0, 0, 1) };
    assert!(matches!(plan(Path::new(PATH), &[far], None, b""), Err(Refused::NotLoopback { .. })));
    let gateway = [172, 17, 0, 1].into();
    let near = Entry { name: "cr.boss.org".parse().unwrap(), address: gateway };
    assert!(plan(Path::new(PATH), std::slice::from_ref(&near), Some(gateway), b"").is_ok());
    assert!(matches!(
        plan(Path::new(PATH), &[near], Some([172, 17, 0, 2].into()), b""),
        Err(Refused::NotLoopback { .. })
    ));
    assert!(matches!(
        plan(Path::new(PATH), &[], Some([8, 8, 8, 8].into()), b""),
        Err(Refused::NotPrivate { .. })
    ));
    for suffix in ["co.uk", "github.io", "com.au"] {
        let refused = plan(Path::new(PATH), &[entry(suffix, 1)], None, b"").unwrap_err();
        assert!(matches!(refused, Refused::PublicSuffix { .. }), "{suffix}: {refused}");
    }
    for own in ["cr.co.uk", "registry.test", "cr.lan", "x.github.io"] {
        assert!(plan(Path::new(PATH), &[entry(own, 1)], None, b"").is_ok(), "{own}");
    }
    let twice = [entry("cr.boss.org", 5), entry("cr.boss.org", 6)];
    assert!(matches!(plan(Path::new(PATH), &twice, None, b""), Err(Refused::Duplicate { .. })));
    for utf16 in [&b"\xff\xfea\0"[..], b"\xfe\xff\0a"] {
        assert_eq!(plan(Path::new(PATH), &[], None, utf16), Err(Refused::Utf16));
    }
}

#[test]
fn lookup_reads_like_a_resolver() {
    let file = b"\xef\xbb\xbf127.0.0.9 first\nnonsense cr.boss.org\n127.77.1.5 a CR.BOSS.ORG\n10.0.0.1 cr.boss.org\n";
    assert_eq!(lookup(file, &"cr.boss.org".parse().unwrap()), Some([127, 77, 1, 5].into()));
    assert_eq!(lookup(file, &"other.org".parse().unwrap()), None);
}

/// Files as people and programs leave them, and as nobody would.
fn any_file() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::collection::vec(any::<u8>(), 0..12),
        2 => Just(b"127.0.0.1 localhost".to_vec()),
        2 => Just(b"\n".to_vec()),
        2 => Just(b"\r\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b"\xef\xbb\xbf".to_vec()),
        1 => Just(b"# BEGIN dockline".to_vec()),
        1 => Just(b"# END dockline".to_vec()),
        1 => Just(b"10.0.0.1 a.example".to_vec()),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn any_entries() -> impl Strategy<Value = Vec<Entry>> {
    prop::collection::btree_map("[a-d]\\.example", 1u8..255, 1..4)
        .prop_map(|map| map.iter().map(|(name, last)| entry(name, *last)).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn foreign_bytes_survive_apply_and_undo(file in any_file(), first in any_entries(), second in any_entries()) {
        let Ok(clean) = plan(Path::new(PATH), &[], None, &file) else { return Ok(()) };
        let clean = bytes(&clean);
        let Ok(once) = plan(Path::new(PATH), &first, None, &clean) else { return Ok(()) };
        for entry in &first {
            prop_assert_eq!(lookup(&bytes(&once), &entry.name), Some(entry.address.into()));
        }
        prop_assert!(plan(Path::new(PATH), &first, None, &bytes(&once)).unwrap().satisfied);
        prop_assert_eq!(&applied(&bytes(&once), &[]), &clean);
        if let Ok(twice) = plan(Path::new(PATH), &second, None, &bytes(&once)) {
            prop_assert_eq!(&applied(&bytes(&twice), &[]), &clean);
            prop_assert_eq!(&applied(&bytes(&twice), &first), &bytes(&once));
        }
    }

    #[test]
    fn undo_takes_out_the_block_and_nothing_else(file in any_file(), below in any_file()) {
        let entries = [entry("cr.boss.org", 5)];
        let Ok(plan) = plan(Path::new(PATH), &entries, None, &file) else { return Ok(()) };
        let with_more = [bytes(&plan).as_slice(), &below].concat();
        let Ok(undone) = super::plan(Path::new(PATH), &[], None, &with_more) else { return Ok(()) };
        prop_assert!(bytes(&undone).ends_with(&below));
    }
}

//! Changes read back, leave what a person wrote alone, and do not undo each other.

use super::{super::authority, *};
use dockline_model::SshTarget;
use proptest::prelude::*;
use std::net::TcpListener;

fn paths() -> (tempfile::TempDir, Paths) {
    let home = tempfile::tempdir().unwrap();
    let paths = Paths::in_folder(home.path());
    paths.prepare().unwrap();
    (home, paths)
}

fn target(name: &str) -> Target {
    Target::new(name.parse().unwrap(), "dockercr@88.88.88.88".parse().unwrap())
}

#[test]
fn what_is_added_reads_back_and_is_private() {
    let (_home, paths) = paths();
    let full = Target {
        ssh: SshTarget {
            identity: Some("/home/a \"b\"/.ssh/id".into()),
            jump: Some("a@b,c".to_owned()),
            ..target("x.example").ssh
        },
        remote: Some("/run/r.sock".parse().unwrap()),
        port: Some(5001),
        address: Some([127, 0, 0, 1].into()),
        linger_seconds: Some(0),
        gateway: None,
        localhost_port: None,
        ca: None,
        keep_open: true,
        url: None,
        client_certificate: None,
        open_at_start: true,
        limits: dockline_model::TrafficLimits { up: Some(1_500_000), down: Some(12_345) },
        ..target("b.example")
    };
    let (first, _) = add(&paths, &target("cr.boss.org")).unwrap();
    let (second, config) = add(&paths, &full).unwrap();
    assert_eq!(config.registries, [first, second]);
    assert_eq!(load(&paths.config_file).unwrap(), config);
    let text = fs::read_to_string(&paths.config_file).unwrap();
    assert!(text.starts_with(HEADER), "{text}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&paths.config_file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let config = remove(&paths, &"cr.boss.org".parse().unwrap()).unwrap();
    assert_eq!(config.registries.len(), 1);
    assert!(fs::read_to_string(&paths.config_file).unwrap().starts_with(HEADER));
}

#[test]
fn names_and_listeners_are_not_taken_twice() {
    let (_home, paths) = paths();
    let (spec, _) = add(&paths, &target("cr.boss.org")).unwrap();
    assert!(matches!(add(&paths, &target("cr.boss.org")), Err(ConfigError::NameTaken(_))));
    let same = Target { address: Some(spec.address), ..target("other.example") };
    assert!(matches!(add(&paths, &same), Err(ConfigError::AddressTaken { .. })));
    let unknown = remove(&paths, &"other.example".parse().unwrap());
    assert!(matches!(unknown, Err(ConfigError::Unknown(_))));
    let public = Target { address: Some([8, 8, 8, 8].into()), ..target("other.example") };
    assert!(matches!(add(&paths, &public), Err(ConfigError::Unwritable(_))));
    assert_eq!(load(&paths.config_file).unwrap().registries.len(), 1);
}

#[test]
fn a_change_keeps_the_address_and_what_a_person_wrote() {
    let (_home, paths) = paths();
    let text = "# mine\n[[registry]]\nname = \"a.b\" # the name\nssh = \"h\" # home\nport = 5001 # odd\n";
    fs::write(&paths.config_file, text).unwrap();
    let before = load(&paths.config_file).unwrap().registries[0].clone();
    let ports = [Localhost { name: before.name.clone(), port: 5100 }];
    let config = listen_at_localhost(&paths, &ports).unwrap();
    assert_eq!(config.registries, [RegistrySpec { localhost_port: Some(5100), ..before.clone() }]);
    let wanted = Target { ssh: "u@other".parse().unwrap(), keep_open: true, ..target("a.b") };
    let (spec, config) = change(&paths, &wanted).unwrap();
    assert_eq!((spec.address, spec.port, spec.localhost_port), (before.address, 5000, None));
    assert_eq!(load(&paths.config_file).unwrap(), config);
    let text = fs::read_to_string(&paths.config_file).unwrap();
    let address = before.address;
    assert_eq!(
        text,
        format!(
            "# mine\n[[registry]]\nname = \"a.b\" # the name\nssh = \"u@other\" # home\naddress = \
             \"{address}\"\nkeep-open = true\n"
        )
    );
    assert!(matches!(change(&paths, &target("c.d")), Err(ConfigError::Unknown(_))));
}

#[test]
fn an_authoritys_certificate_is_copied_and_goes_with_its_registry() {
    // The shortest thing that passes for a certificate here; what is in it is for TLS to judge.
    const PEM: &str = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n";
    let (home, paths) = paths();
    let source = home.path().join("ca.pem");
    fs::write(&source, format!("our own\n{PEM}")).unwrap();
    let wanted = Target { ca: Some(source.clone()), ..target("cr.boss.org") };
    let (spec, _) = add(&paths, &wanted).unwrap();
    let copy = spec.ca.clone().unwrap();
    assert_eq!(fs::read_to_string(&copy).unwrap(), PEM);
    fs::remove_file(&source).unwrap();
    assert_eq!(authority(&paths, &spec).unwrap().as_deref(), Some(PEM));
    // What is named already is Dockline's own copy.
    let (spec, _) = change(&paths, &Target { ca: Some(copy.clone()), ..wanted.clone() }).unwrap();
    assert_eq!(spec.ca.as_ref(), Some(&copy));
    let missing = change(&paths, &wanted);
    assert!(matches!(missing, Err(ConfigError::CertificateRead { .. })), "{missing:?}");
    fs::write(&source, "-----BEGIN PRIVATE KEY-----\nMAMCAQE=\n-----END PRIVATE KEY-----\n").unwrap();
    let key = change(&paths, &wanted);
    assert!(matches!(key, Err(ConfigError::Certificate { .. })), "{key:?}");
    assert_eq!(authority(&paths, &spec).unwrap().as_deref(), Some(PEM), "a failed change keeps the old one");
    let (spec, _) = change(&paths, &target("cr.boss.org")).unwrap();
    assert_eq!((spec.ca, copy.exists()), (None, false));
}

#[test]
fn an_address_that_somebody_listens_at_is_passed_over() {
    let (_home, paths) = paths();
    let wanted = target("passed-over.example");
    let first = pick_address(&wanted.name, &BTreeSet::new()).unwrap();
    let second = pick_address(&wanted.name, &BTreeSet::from([first])).unwrap();
    // A port of the test's own, free at both addresses.
    let here = TcpListener::bind((first, 0)).unwrap();
    let port = here.local_addr().unwrap().port();
    let (spec, _) = add(&paths, &Target { port: Some(port), ..wanted.clone() }).unwrap();
    assert_eq!(spec.address, second);
    remove(&paths, &wanted.name).unwrap();
    drop(here);
    let (spec, _) = add(&paths, &Target { port: Some(port), ..wanted.clone() }).unwrap();
    assert_eq!(spec.address, first);
    remove(&paths, &wanted.name).unwrap();
    let everywhere = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
    let port = everywhere.local_addr().unwrap().port();
    let (spec, _) = add(&paths, &Target { port: Some(port), ..wanted }).unwrap();
    assert_eq!(spec.address, first, "none would be better");
}

#[test]
fn a_broken_file_is_left_alone() {
    let (_home, paths) = paths();
    fs::write(&paths.config_file, "[[registry]]\nnam = 1\n").unwrap();
    assert!(matches!(add(&paths, &target("cr.boss.org")), Err(ConfigError::Invalid { .. })));
    assert_eq!(fs::read_to_string(&paths.config_file).unwrap(), "[[registry]]\nnam = 1\n");
}

#[test]
fn a_picked_address_is_written_down_at_the_next_change() {
    let (_home, paths) = paths();
    fs::write(&paths.config_file, "[[registry]]\nname = \"a.b\"\nssh = \"h\" # home\n").unwrap();
    let before = load(&paths.config_file).unwrap().registries[0].clone();
    add(&paths, &target("cr.boss.org")).unwrap();
    let text = fs::read_to_string(&paths.config_file).unwrap();
    assert!(text.contains(&format!("ssh = \"h\" # home\naddress = \"{}\"\n", before.address)), "{text}");
}

#[test]
fn so_is_a_picked_port() {
    let text =
        "[[registry]]\nname = \"a.b\"\nssh = \"h\" # home\n[[registry]]\nname = \"c.d\"\nssh = \"h\"\n";
    let mut config = parse(text).unwrap();
    // As on a machine that has no other address.
    config.registries[0].address = Ipv4Addr::LOCALHOST;
    config.registries[0].port = 5123;
    config.registries[1].address = Ipv4Addr::new(127, 77, 1, 5);
    config.registries[1].port = RegistrySpec::DEFAULT_PORT;
    let mut document: DocumentMut = text.parse().unwrap();
    keep_addresses(&mut document, &config);
    let expected = "[[registry]]\nname = \"a.b\"\nssh = \"h\" # home\naddress = \"127.0.0.1\"\nport = 5123\n[[registry]]\nname = \
         \"c.d\"\nssh = \"h\"\naddress = \"127.77.1.5\"\n";
    assert_eq!(document.to_string(), expected);
    assert_eq!(parse(expected).unwrap(), config);
}

#[test]
fn a_port_of_127_0_0_1_stays_as_an_address_does() {
    let (_home, paths) = paths();
    let at_localhost =
        Target { address: Some(Ipv4Addr::LOCALHOST), port: Some(5123), ..target("cr.boss.org") };
    let (before, config) = add(&paths, &at_localhost).unwrap();
    let (after, _) = change(&paths, &target("cr.boss.org")).unwrap();
    assert_eq!(after.listen(), before.listen());
    // And a new one gets another where there is no other address.
    let as_on_macos = |listener: SocketAddrV4| match *listener.ip() == Ipv4Addr::LOCALHOST {
        true => listener::Binding::Free,
        false => listener::Binding::NoAddress,
    };
    let wanted = Target { port: Some(5123), ..target("other.example") };
    let second = listener_of(&wanted, config.registries.iter(), None, as_on_macos).unwrap();
    assert!(*second.ip() == Ipv4Addr::LOCALHOST && second.port() != 5123, "{second}");
    // What had no tunnel until now listened nowhere.
    let url = Some(Box::new("https://cr.boss.org".parse().unwrap()));
    let without = RegistrySpec { url, address: Ipv4Addr::new(127, 77, 1, 5), ..before };
    let now = listener_of(&target("cr.boss.org"), std::iter::empty(), Some(&without), as_on_macos).unwrap();
    assert_eq!(*now.ip(), Ipv4Addr::LOCALHOST);
}

#[test]
fn lines_keep_the_end_that_they_had() {
    let registry = |name: &str| {
        format!("[[registry]]\nname = \"{name}\" # {name}\nssh = \"h\"\naddress = \"127.77.1.5\"\n")
    };
    let header = "# The header.\n# It is mine.\n\n";
    let (first, second) = (registry("a.b"), registry("c.d").replace("1.5", "1.6"));
    let text = format!("{header}# About the first.\n{first}\n# About the second.\n{second}");
    let left = format!("{header}# About the second.\n{second}");
    let mostly = |text: &str| text.replace('\n', "\r\n").replacen("\r\n", "\n", 1);
    for (before, after) in [
        (text.clone(), left.clone()),
        (text.replace('\n', "\r\n"), left.replace('\n', "\r\n")),
        (mostly(&text), left.replace('\n', "\r\n")),
        (text.replacen('\n', "\r\n", 1), left.clone()),
    ] {
        let (_home, paths) = paths();
        fs::write(&paths.config_file, &before).unwrap();
        remove(&paths, &"a.b".parse().unwrap()).unwrap();
        assert_eq!(fs::read_to_string(&paths.config_file).unwrap(), after, "of {before:?}");
        // What is added ends its lines as the rest does.
        add(&paths, &target("e.f")).unwrap();
        let grown = fs::read_to_string(&paths.config_file).unwrap();
        assert!(grown.starts_with(&after) && grown.len() > after.len(), "{grown:?}");
        let (all, crlf) = (grown.matches('\n').count(), grown.matches("\r\n").count());
        assert_eq!(crlf, if after.contains('\r') { all } else { 0 }, "{grown:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_linked_file_stays_a_link() {
    let (home, paths) = paths();
    let real = home.path().join("dotfiles.toml");
    fs::write(&real, "# mine\n").unwrap();
    std::os::unix::fs::symlink(&real, &paths.config_file).unwrap();
    add(&paths, &target("cr.boss.org")).unwrap();
    assert!(fs::symlink_metadata(&paths.config_file).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().starts_with("# mine\n"));
}

#[test]
fn two_writers_do_not_undo_each_other() {
    let (_home, paths) = paths();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let paths = &paths;
            scope.spawn(move || add(paths, &target(&format!("r{n}.example"))).unwrap());
        }
    });
    assert_eq!(load(&paths.config_file).unwrap().registries.len(), 8);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn comments_and_order_survive(
        names in proptest::collection::btree_set("[a-z]{1,8}", 1..5),
        comments in proptest::collection::vec("[ -~]{0,20}", 12),
        settings_last in any::<bool>(),
        remove_at in any::<proptest::sample::Index>(),
    ) {
        let (_home, paths) = paths();
        let names: Vec<String> = names.into_iter().rev().map(|name| format!("{name}.example")).collect();
        let mut comment = comments.iter().enumerate().map(|(n, text)| format!("# c{n} {text}\n"));
        let mut next = || comment.next().unwrap_or_default();
        let settings = format!("[settings]\n{}keyring = false\n", next());
        let mut text = format!("{}\n", next());
        if !settings_last { text += &settings; }
        for name in &names {
            text += &format!("\n{}[[registry]]\nname = \"{name}\"\nssh = \"h\" {}", next(), next());
        }
        if settings_last { text += &settings; }
        text += &next();
        fs::write(&paths.config_file, &text).unwrap();
        let before = load(&paths.config_file).unwrap();

        let (added, after) = add(&paths, &target("new.test.org")).unwrap();
        let mut expected = before.clone();
        expected.registries.push(added);
        prop_assert_eq!(&after, &expected);
        let written = fs::read_to_string(&paths.config_file).unwrap();
        for line in text.lines() {
            prop_assert!(written.lines().any(|l| l == line), "{:?} is lost in\n{}", line, written);
        }

        let at = remove_at.index(names.len());
        let after = remove(&paths, &names[at].parse().unwrap()).unwrap();
        expected.registries.remove(at);
        prop_assert_eq!(&after, &expected);
        let written = fs::read_to_string(&paths.config_file).unwrap();
        let header = text.lines().next().unwrap_or_default();
        prop_assert!(written.lines().any(|l| l == header), "{:?} is lost in\n{}", header, written);
        let _ = remove(&paths, &"new.test.org".parse().unwrap()).unwrap();
    }
}

#[test]
fn several_hosts_stay_in_their_order() {
    let (_home, paths) = paths();
    let others: Vec<SshTarget> = ["b", "root@c:2222"].map(|text| text.parse().unwrap()).to_vec();
    let several = Target { fallbacks: others.clone(), ..target("cr.boss.org") };
    let (spec, config) = add(&paths, &several).unwrap();
    assert_eq!(spec.fallbacks, others);
    assert_eq!(config.registries, [spec]);
    let text = fs::read_to_string(&paths.config_file).unwrap();
    assert!(text.contains(r#"ssh = ["dockercr@88.88.88.88", "b", "root@c:2222"]"#), "{text}");
    let with_key = SshTarget { identity: Some("/k".into()), ..others[0].clone() };
    let differing = Target { fallbacks: vec![with_key], ..target("other.example") };
    assert!(matches!(add(&paths, &differing), Err(ConfigError::Unwritable(_))));
    let same_twice = Target { fallbacks: vec![target("x.example").ssh], ..target("other.example") };
    assert!(matches!(add(&paths, &same_twice), Err(ConfigError::Unwritable(_))));
}

#[test]
fn an_offer_is_written_once_and_taken_out_again() {
    let (_home, paths) = paths();
    add(&paths, &target("cr.boss.org")).unwrap();
    let before = fs::read_to_string(&paths.config_file).unwrap();
    let mut ssh: SshTarget = "root@prod:2222".parse().unwrap();
    ssh.identity = Some("/k".into());
    ssh.jump = Some("gate".to_owned());
    let offer = OfferSpec { ssh, port: 5001, to: "127.0.0.1:5002".parse().unwrap() };
    keep_offer(&paths, &offer).unwrap();
    let config = keep_offer(&paths, &offer).unwrap();
    assert_eq!(config.offers, std::slice::from_ref(&offer));
    assert_eq!(load(&paths.config_file).unwrap(), config);
    let config = withdraw_offer(&paths, &offer).unwrap();
    assert!(config.offers.is_empty() && config.registries.len() == 1);
    assert_eq!(fs::read_to_string(&paths.config_file).unwrap(), before);
    withdraw_offer(&paths, &offer).unwrap();
}

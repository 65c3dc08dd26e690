//! What a file says, and every way in which it may not.

use super::{super::listener::Binding, *};
use std::{collections::BTreeSet, net::SocketAddrV4};

fn problems(text: &str) -> Vec<String> {
    parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_file_reads() {
    let config = parse(
        r#"
        # mine
        [settings]
        transfers-per-registry = 3
        keyring = false

        [[registry]]
        name = "cr.boss.org"
        ssh = "dockercr@88.88.88.88:2222"
        identity = "~/.ssh/boss"
        jump = "a@b:22,c"
        remote = "/run/registry.sock"
        address = "127.77.1.1"
        port = 5001
        linger-seconds = 0
        keep-open = true

        [[registry]]
        name = "cr.other.org"
        ssh = "other"
        "#,
    )
    .unwrap();
    assert_eq!(
        config.settings,
        Settings { transfers_per_registry: 3, keyring: false, ..Settings::default() }
    );
    let boss = &config.registries[0];
    assert_eq!(boss.listen().to_string(), "127.77.1.1:5001");
    assert_eq!(boss.ssh.port, Some(2222));
    assert_eq!(boss.ssh.identity.as_deref(), Some(std::path::Path::new("~/.ssh/boss")));
    assert_eq!(boss.remote.to_string(), "/run/registry.sock");
    assert!(boss.keep_open);
    let other = &config.registries[1];
    assert_eq!((other.port, other.linger_seconds, other.keep_open), (5000, 10, false));
    assert!(other.address.is_loopback());
}

#[test]
fn one_host_or_several() {
    let text = "[[registry]]\nname = \"a.b\"\nssh = [\"u@a\", \"b:2222\"]\nidentity = \"/k\"\n";
    let registry = parse(text).unwrap().registries.remove(0);
    let hosts: Vec<String> = registry.hosts().map(ToString::to_string).collect();
    assert_eq!(hosts, ["u@a", "b:2222"]);
    assert!(registry.hosts().all(|ssh| ssh.identity.as_deref() == Some(std::path::Path::new("/k"))));
    for (list, problem) in [
        ("[]", "line 3, column 7: the list of hosts is empty; put the preferred one first"),
        ("[\"a\", 1]", "line 3, column 13: each host must be a text in quotes"),
        ("[\"a\", \"a\"]", "line 3, column 13: “a” is in the list already"),
    ] {
        assert_eq!(problems(&format!("[[registry]]\nname = \"a.b\"\nssh = {list}\n")), [problem]);
    }
}

#[test]
fn an_empty_file_is_an_empty_configuration() {
    assert_eq!(parse("").unwrap(), Config::default());
    assert_eq!(parse("# nothing\n").unwrap(), Config::default());
}

#[test]
fn every_problem_is_told_with_its_place() {
    let text = "\
[settings]
transfers-per-registry = 0
colour = \"red\"

[[registry]]
name = \"cr.boss.org\"
ssh = \"-oProxyCommand=id\"
port = \"5000\"

[[registry]]
name = \"cr.boss.org\"
ssh = \"a@b\"
address = \"10.0.0.1\"
linger = 3

[[registry]]
name = \"registry\"
identity = \"keys/id\"
keep-open = 1

[extra]
";
    assert_eq!(
        problems(text),
        [
            "line 2, column 26: transfers-per-registry must be a whole number from 1 to 8, without quotes",
            "line 3, column 1: “colour” is not a setting; these are: transfers-per-registry, linger-seconds, \
             keepalive-seconds, keyring, notifications, theme, language, text-percent, docker-context, \
             update-check, update-url",
            "line 7, column 7: “-oProxyCommand=id” is not an SSH destination; write it as user@host, host, or \
             user@host:2222",
            "line 8, column 8: port must be a whole number from 1 to 65535, without quotes",
            "line 13, column 11: “10.0.0.1” is not an address of this machine; use one of 127.0.0.0/8, as in \
             127.77.1.1",
            "line 14, column 1: “linger” is not a setting of a registry; these are: name, ssh, identity, jump, \
             remote, address, gateway, port, localhost-port, ca, linger-seconds, keep-open, url, client-certificate, client-key, open-at-start, limit-up, limit-down",
            "line 16, column 1: this registry has no ssh; add a line such as ssh = \"dockercr@88.88.88.88\"",
            "line 17, column 8: “registry” needs a dot in it, as in cr.boss.org: Docker takes a name without one \
             for a Docker Hub user",
            "line 18, column 12: “keys/id” must be an absolute path, or begin with ~/",
            "line 19, column 13: keep-open must be true or false, without quotes",
            "line 21, column 2: “extra” is not a part of the configuration; it knows [settings], [[registry]] and [[offer]]",
        ]
    );
}

#[test]
fn duplicates_name_the_first_line() {
    let text = "\
[[registry]]
name = \"a.example\"
ssh = \"h\"
address = \"127.0.0.1\"
[[registry]]
name = \"A.example\"
ssh = \"h\"
address = \"127.0.0.1\"
";
    assert_eq!(
        problems(text),
        [
            "line 6, column 8: “a.example” is the name of the registry at line 2 already",
            "line 8, column 11: 127.0.0.1:5000 belongs to the registry at line 4 already",
        ]
    );
}

#[test]
fn a_gateway_is_a_private_address_that_no_two_share() {
    let registry = |name: &str, gateway: &str| {
        format!("[[registry]]\nname = \"{name}\"\nssh = \"h\"\ngateway = \"{gateway}\"\n")
    };
    let one = parse(&registry("a.example", "172.17.0.1")).unwrap().registries.remove(0);
    assert_eq!(one.gateway, Some(Ipv4Addr::new(172, 17, 0, 1)));
    let two = registry("a.example", "172.17.0.1") + &registry("b.example", "172.17.0.1");
    assert_eq!(
        problems(&two),
        ["line 8, column 11: 172.17.0.1:5000 belongs to the registry at line 4 already"]
    );
    for outside in ["8.8.8.8", "0.0.0.0", "127.0.0.1", "::1", "docker0"] {
        let told = problems(&registry("a.example", outside));
        assert!(told[0].contains("is not an address of a container network"), "{told:?}");
    }
}

#[test]
fn ports_at_localhost_are_nobody_elses() {
    let registry = |name: &str, rest: &str| format!("[[registry]]\nname = \"{name}\"\nssh = \"h\"\n{rest}\n");
    let one = parse(&registry("a.example", "localhost-port = 5001")).unwrap().registries.remove(0);
    assert_eq!((one.localhost_port, one.at_localhost()), (Some(5001), Some(5001)));
    let at_localhost = parse(&registry("a.example", "address = \"127.0.0.1\"")).unwrap().registries.remove(0);
    assert_eq!(at_localhost.at_localhost(), Some(5000));
    let first = registry("a.example", "localhost-port = 5001");
    for (second, column) in [("localhost-port = 5001", 18), ("address = \"127.0.0.1\"\nport = 5001", 11)] {
        assert_eq!(
            problems(&(first.clone() + &registry("b.example", second))),
            [format!("line 8, column {column}: 127.0.0.1:5001 belongs to the registry at line 4 already")]
        );
    }
}

#[test]
fn syntax_errors_have_a_place_too() {
    let told = problems("[[registry]]\nname = \"ü\" x\nssh = \n");
    assert!(told[0].starts_with("line 2, column 12: "), "{told:?}");
    assert!(told.iter().any(|problem| problem.starts_with("line 3, ")), "{told:?}");
    assert!(problems("[registry]\nname = \"a.b\"\n")[0].contains("two brackets"));
    assert!(!problems("\u{feff}x=1\r\n").is_empty());
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n|\\[\\[registry\\]\\]\n|name = |\"|ssh=){0,40}") {
        let _ = parse(&text);
    }
}

#[test]
fn a_registry_may_open_at_the_start_and_go_slowly() {
    let text = "[[registry]]\nname = \"a.b\"\nssh = \"h\"\nopen-at-start = true\nlimit-up = \"2 MB/s\"\n";
    let registry = parse(text).unwrap().registries.remove(0);
    assert!(registry.open_at_start && !registry.keep_open);
    assert_eq!(registry.limits, TrafficLimits { up: Some(2_000_000), down: None });
    let slow = problems(&text.replace("2 MB/s", "1 B/s"));
    assert!(slow[0].starts_with("line 5, column 12: “1 B/s” is not a rate"), "{slow:?}");
}

#[test]
fn offers_are_read_like_registries() {
    let text = "[[offer]]\nssh = \"root@prod\"\n[[offer]]\nssh = \"root@prod\"\nport = 5001\nto = \"127.0.0.1:5002\"\n";
    let offers = parse(text).unwrap().offers;
    assert_eq!((offers[0].port, offers[0].to), (5000, OfferSpec::DEFAULT_TO));
    assert_eq!((offers[1].port, offers[1].to.port()), (5001, 5002));
    let twice = problems(&text.replace("port = 5001\n", ""));
    assert_eq!(twice, ["line 4, column 7: port 5000 of root@prod is offered already"]);
    let found = problems("[[offer]]\nport = 0\nto = \"far:1\"\nwhat = 1\n");
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn a_machine_with_one_loopback_address_gives_every_registry_a_port_of_its_own() {
    let as_on_macos = |listener: SocketAddrV4| match *listener.ip() == Ipv4Addr::LOCALHOST {
        true => Binding::Free,
        false => Binding::NoAddress,
    };
    let registry = |name: &str, rest: &str| format!("[[registry]]\nname = \"{name}\"\nssh = \"h\"\n{rest}\n");
    let listeners = |text: &str| -> Vec<String> {
        let config = parse_with(text, &as_on_macos).unwrap();
        config.registries.iter().map(|spec| spec.listen().to_string()).collect()
    };
    let alone = listeners(&registry("cr.boss.org", "")).remove(0);
    let (host, own) = alone.split_once(':').unwrap();
    assert_eq!(host, "127.0.0.1");
    // A port that is written is its writer's, wherever it stands and whatever the others' names come to.
    let text = registry("cr.boss.org", "")
        + &registry("b.example", "port = 5000")
        + &registry("c.example", "port = 5000")
        + &registry("d.example", &format!("port = {own}"))
        + &registry("e.example", "address = \"127.0.0.1\"\nport = 6000")
        + &registry("f.example", "address = \"127.77.1.5\"");
    let given = listeners(&text);
    assert_eq!(given, listeners(&text), "the same at each reading");
    assert!(given.iter().take(5).all(|listener| listener.starts_with("127.0.0.1:")), "{given:?}");
    assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len(), "{given:?}");
    assert_eq!(given[1], "127.0.0.1:5000");
    assert_eq!(given[3..], [alone, "127.0.0.1:6000".to_owned(), "127.77.1.5:5000".to_owned()]);
    // Elsewhere each has an address.
    let config = parse_with(&text, &|_| Binding::Free).unwrap();
    let ports: Vec<u16> = config.registries.iter().map(|spec| spec.port).collect();
    assert_eq!(ports[..3], [5000, 5000, 5000]);
}

#[test]
fn what_only_a_tunnel_has_is_nothing_to_a_registry_without_one() {
    for setting in ["localhost-port = 5001", "keep-open = true", "port = 5001"] {
        let text = format!("[[registry]]\nname = \"a.b\"\nurl = \"https://a.b\"\n{setting}\n");
        let (key, _) = setting.split_once(' ').unwrap();
        let told = problems(&text);
        let expected = format!("a registry with a url has no tunnel, so {key} means nothing here");
        assert!(told.len() == 1 && told[0].ends_with(&expected), "{told:?}");
    }
    // Dockline itself once wrote them there.
    for setting in ["open-at-start = true", "limit-up = \"2 MB/s\"", "limit-down = \"2 MB/s\""] {
        let text = format!("[[registry]]\nname = \"a.b\"\nurl = \"https://a.b\"\n{setting}\n");
        assert!(parse(&text).is_ok(), "{setting}");
    }
}

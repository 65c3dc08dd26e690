//! What the script is sent, and what its answers mean.

use super::*;

#[test]
fn what_the_script_says_is_read_among_greetings() {
    let found = Findings::read(
        "Welcome to prod\twith tabs\ndockline\tcollect\ncontainer\tabc\nengine\tdocker\nname\tregistry\n\
         image\tregistry:2\nversion\t2.8.1\nconfiguration\t/etc/docker/registry/config.yml\nblobs\t3\n\
         manifests\t0\nbytes\t4096\n",
    );
    assert!(found.is_ours && found.refused.is_none() && !found.done);
    let container = RegistryRun::Container {
        engine: "docker".into(),
        id: "abc".into(),
        name: "registry".into(),
        image: "registry:2".into(),
    };
    assert_eq!(found.run, Some(container));
    assert_eq!((found.blobs, found.manifests, found.bytes), (Some(3), Some(0), Some(4096)));
    assert_eq!(found.version.as_deref(), Some("2.8.1"));
    assert!(!Findings::read("This account is currently not available.\n").is_ours);
    assert_eq!(Findings::read("refused\tno-volume\n").refused, Some(Why::NoVolume));
    assert_eq!(Findings::read("blobs\tmany\nversion\t\n").blobs, None);
}

#[test]
fn nothing_of_a_plan_leaves_its_quotes() {
    let listens = Listens { addresses: itself("localhost").unwrap(), port: 5000 };
    assert!(settings(&listens, "collect", false, "docker-registry@a\\x2db.service").is_ok());
    for bad in ["a'b", "a b", "$(reboot)", "a\nb", "a;b", "ä"] {
        assert_eq!(
            settings(&listens, "collect", false, bad).unwrap_err().code,
            Code::InvalidArgument,
            "{bad:?}"
        );
    }
}

#[test]
fn a_far_end_is_the_host_itself_at_its_own_addresses_alone() {
    assert_eq!(itself("127.0.0.1").as_deref(), Some(r"127\.0\.0\.1"));
    assert_eq!(itself("localhost").as_deref(), Some(r"127\.0\.0\.1|\[?::1\]?"));
    assert_eq!(itself("::1").as_deref(), Some(r"\[?::1\]?"));
    for other in ["10.0.0.7", "registry.lan", "0.0.0.0", "127.0.0.1'; reboot"] {
        assert_eq!(itself(other), None, "{other}");
    }
}

#[test]
fn every_reason_is_a_sentence_with_a_remedy() {
    let words = [
        "nothing",
        "no-leave",
        "kind",
        "by-hand",
        "vanishes",
        "orchestrated",
        "no-volume",
        "changed",
        "old-untagged",
        "stop",
        "start",
        "failed",
    ];
    for word in words {
        // The script knows no other words than these.
        assert!(SCRIPT.contains(&format!("refuse {word}")), "{word}");
        assert_ne!(Why::of(word), Why::Unknown, "{word}");
        let (message, hint) = Why::of(word).told("prod", 5000, "deploy");
        assert!(message.ends_with('.') && !hint.is_empty(), "{message} {hint}");
    }
    let said = SCRIPT.match_indices("refuse ").map(|(at, _)| &SCRIPT[at + 7..]);
    for rest in said {
        let word = rest.split(|c: char| !(c.is_ascii_lowercase() || c == '-')).next().unwrap_or_default();
        assert!(words.contains(&word), "“{word}” is not read");
    }
}

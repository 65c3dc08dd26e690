//! What is fuzzed of this crate, and what has to hold whatever the bytes are: `tests/fuzz` calls these. Each panics
//! where it does not hold.

use crate::{
    Gateway, HttpRules, RegistryProtocol,
    access::{AccessRules, Gate, HEAD_LIMIT, Verdict},
    known_hosts::{HostNames, Key, KnownHosts, RevokedKeys, Verdict as KeyVerdict, format_line},
};
use russh::keys::ssh_key::public::{Ed25519PublicKey, KeyData};
use std::{
    net::{Ipv4Addr, SocketAddrV4},
    path::Path,
};

/// The first bytes of a connection: pieces make no difference, and what is let in asks for us and is no browser.
///
/// # Panics
/// When that does not hold.
pub fn request_head(data: &[u8]) {
    let Some((&[how, size], head)) = data.split_first_chunk::<2>() else { return };
    let head = &head[..head.len().min(HEAD_LIMIT)];
    let speaks = match how & 3 {
        0 => RegistryProtocol::Unknown,
        1 => RegistryProtocol::Plain,
        _ => RegistryProtocol::Tls,
    };
    let gate = gate(speaks, how & 4 != 0);
    let at_once = gate.judge(head);
    let mut end = 0;
    let in_pieces = loop {
        let verdict = gate.judge(&head[..end]);
        if verdict != Verdict::Open || end == head.len() {
            break verdict;
        }
        end = (end + usize::from(size) + 1).min(head.len());
    };
    assert_eq!(at_once, in_pieces, "pieces make a difference");

    if at_once == Verdict::Admit && head.first() != Some(&0x16) {
        // Empty lines before a request are nothing (RFC 9112, 2.2).
        let empty = head.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let head = &head[empty..];
        let end = find(head, b"\r\n\r\n").expect("what is admitted has an end");
        let text = String::from_utf8_lossy(&head[..end]).to_ascii_lowercase();
        let fields: Vec<(&str, &str)> =
            text.split("\r\n").skip(1).filter_map(|line| line.split_once(':')).collect();
        let hosts: Vec<&str> =
            fields.iter().filter(|(name, _)| *name == "host").map(|(_, host)| host.trim()).collect();
        assert_eq!(hosts.len(), 1, "one Host: {text}");
        let name = hosts[0].rsplit_once(":500").map_or(hosts[0], |(name, _)| name);
        let ours = ["cr.boss.org", "localhost", "127.0.0.1", "127.77.1.2", "[::1]", "172.17.0.1"];
        assert!(ours.contains(&name) || Gateway::NAMES.contains(&name), "not ours: {text}");
        for mark in ["origin", "sec-fetch-site", "upgrade-insecure-requests"] {
            assert!(fields.iter().all(|(name, _)| *name != mark), "a browser: {text}");
        }
    }
}

fn gate(speaks: RegistryProtocol, at_gateway: bool) -> Gate {
    let rules = AccessRules::Http(HttpRules { speaks, other_names: Vec::new() });
    let gate = Gate::of(rules, "cr.boss.org", Ipv4Addr::new(127, 77, 1, 2), 5000);
    let gateway = Gateway { address: SocketAddrV4::new(Ipv4Addr::new(172, 17, 0, 1), 5001) };
    if at_gateway { gate.for_gateway(gateway) } else { gate }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

/// known_hosts: whatever is in the file, a revocation and a key that are added to it count; and no key is known that
/// is not written there.
///
/// # Panics
/// When that does not hold.
pub fn known_hosts(data: &[u8]) {
    let key = |seed: u8| Key::of(&KeyData::Ed25519(Ed25519PublicKey([seed; 32])));
    let (Some(ours), Some(other)) = (key(1), key(2)) else { return };
    let read = |content: &[u8]| {
        let mut hosts = KnownHosts::default();
        hosts.add_file(Path::new("known_hosts"), content);
        hosts
    };
    let line = |key: &Key| format_line("a.org", key, None);
    // As OpenSSH, which reads base64 as b64_pton(3) does: white space inside a key is nothing.
    let without_space: Vec<u8> =
        data.iter().copied().filter(|byte| !matches!(byte, 0x0b | 0x0c | b'\r')).collect();
    for names in [HostNames::new("a.org", 22), HostNames::new("a.org", 2222), HostNames::alias("a.org")] {
        let hosts = read(data);
        let before = hosts.verdict(&names, &ours);
        let text = line(&ours);
        let blob = text.rsplit(' ').next().unwrap_or_default();
        assert!(
            !matches!(before, KeyVerdict::Known(_))
                || find(&without_space, &blob.as_bytes()[..blob.len() - 1]).is_some(),
            "a key is known that is nowhere"
        );
        let _ = (hosts.authority(&names, &ours, &other), hosts.knows_type(&names, ours.key_type()));

        // The lines before may end in anything, but in a line.
        let with = |line: &str| read(&[data, b"\n", line.as_bytes(), b"\n"].concat()).verdict(&names, &ours);
        let revoked = with(&format!("@revoked * {}", text.split_once(' ').map_or("", |(_, key)| key)));
        assert!(matches!(revoked, KeyVerdict::Revoked(_)), "a revocation does not count: {revoked:?}");
        let added = with(&text);
        assert!(
            matches!(added, KeyVerdict::Known(_) | KeyVerdict::Revoked(_) | KeyVerdict::Changed(_)),
            "a line that was added makes no difference: {added:?}"
        );
        if matches!(before, KeyVerdict::Known(_)) {
            assert!(
                matches!(with(&line(&other)), KeyVerdict::Known(_)),
                "another key makes a known one unknown"
            );
        }
    }
}

/// Lists of revoked keys: reading never fails in another way than with an error, and what reads can be asked.
///
/// # Panics
/// When it does.
pub fn revoked_keys(data: &[u8]) {
    if let (Ok(revoked), Some(key)) =
        (RevokedKeys::parse(data), Key::of(&KeyData::Ed25519(Ed25519PublicKey([1; 32]))))
    {
        let _ = revoked.revokes(&key, None);
    }
}

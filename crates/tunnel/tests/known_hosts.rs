//! Our verdict on host keys against that of the real `ssh`, over generated known_hosts files and settings.
//!
//! Both get the same configuration file and reach the same real `sshd`, which runs as the ProxyCommand of each
//! connection: so a host can have any name and port, and no network is needed. `DOCKLINE_HOST_KEY_CASES` makes the
//! campaign longer, `DOCKLINE_HOST_KEY_SEED` repeats one.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Code, LeaseHolder, UiError};
use dockline_tunnel::{
    Nobody, SshEnvironment, Tunnel, TunnelConfig,
    known_hosts::{Key, format_line},
};
use futures::StreamExt as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use russh::keys::PublicKey;
use std::{fmt::Write as _, fs, path::Path, process::Command, sync::Arc, time::Duration};
use support::Lab;

/// In the test command; enough for every outcome to be seen.
const CASES: u64 = 40;
/// At the same time; both sides wait for processes most of the time.
const AT_ONCE: usize = 4;

/// Names a host may have in a case.
const HOSTS: [&str; 3] = ["a.example.org", "B.example.org", "c.test"];
const PORTS: [u16; 2] = [22, 2222];
/// Keys of the servers and of nobody, by name.
const KEYS: [&str; 5] = ["ed", "rsa", "ecdsa", "other-ed", "other-rsa"];
const AUTHORITIES: [&str; 4] = ["ca-ed", "ca-rsa", "ca-ecdsa", "ca-other"];

/// What a server shows: host keys and certificates.
struct Server {
    name: &'static str,
    keys: &'static [&'static str],
    certificates: &'static [&'static str],
}

const SERVERS: [Server; 9] = [
    Server { name: "plain", keys: &["ed"], certificates: &[] },
    Server { name: "several", keys: &["ed", "rsa", "ecdsa"], certificates: &[] },
    Server { name: "rsa-only", keys: &["rsa"], certificates: &[] },
    Server { name: "signed", keys: &["ed", "rsa"], certificates: &["good"] },
    Server { name: "by-rsa", keys: &["ed"], certificates: &["by-rsa"] },
    Server { name: "by-ecdsa", keys: &["rsa"], certificates: &["by-ecdsa"] },
    Server { name: "expired", keys: &["ed"], certificates: &["expired"] },
    Server { name: "elsewhere", keys: &["ed", "ecdsa"], certificates: &["elsewhere"] },
    Server { name: "anywhere", keys: &["ed"], certificates: &["anywhere"] },
];

/// Certificates: name, authority, key, and what else `ssh-keygen` is told.
const CERTIFICATES: [(&str, &str, &str, &[&str]); 6] = [
    ("good", "ca-ed", "ed", &["-n", "a.example.org,b.example.org,alias", "-V", "always:forever", "-z", "7"]),
    ("by-rsa", "ca-rsa", "ed", &["-n", "a.example.org,c.test", "-V", "-1d:+1d"]),
    ("by-ecdsa", "ca-ecdsa", "rsa", &["-n", "a.example.org,c.test", "-V", "-1d:+1d"]),
    ("expired", "ca-ed", "ed", &["-n", "a.example.org,b.example.org,c.test", "-V", "-2d:-1d"]),
    ("elsewhere", "ca-ed", "ed", &["-n", "*.example.org,z.test", "-V", "always:forever"]),
    ("anywhere", "ca-ed", "ed", &["-V", "always:forever"]),
];

const ANY_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJ9qBjDVDPWIlvgvyfSBq1jLrIQ2XdHWXPEYyCFsZhL";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Trusted,
    Unknown,
    Changed,
    Revoked,
    /// The list of revoked keys does not read.
    Unreadable,
}

fn prepare(lab: &Lab) {
    for name in KEYS.iter().chain(&AUTHORITIES) {
        let key_type = match name.rsplit('-').next() {
            Some("rsa") => "rsa",
            Some("ecdsa") => "ecdsa",
            _ => "ed25519",
        };
        lab.keygen(name, key_type, "");
    }
    for (name, authority, key, arguments) in CERTIFICATES {
        let (public, copy) = (lab.path(&format!("{key}.pub")), lab.path(&format!("{name}.pub")));
        fs::copy(public, &copy).unwrap();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-h", "-I", name, "-s"])
            .arg(lab.path(authority))
            .args(arguments)
            .arg(copy)
            .status()
            .unwrap();
        assert!(made.success());
    }
    if nix::unistd::geteuid().is_root() {
        // Debian's sshd separates privileges in it; the service makes it, and there is none here.
        fs::create_dir_all("/run/sshd").unwrap();
    }
    for server in &SERVERS {
        let mut config =
            "UsePAM no\nPermitRootLogin yes\nStrictModes no\nPidFile none\nAuthorizedKeysFile none\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nUseDNS no\n"
                .to_owned();
        for key in server.keys {
            writeln!(config, "HostKey {}", lab.path(key).display()).unwrap();
        }
        for certificate in server.certificates {
            let file = lab.path(&format!("{certificate}-cert.pub"));
            writeln!(config, "HostCertificate {}", file.display()).unwrap();
        }
        fs::write(lab.path(&format!("{}.sshd", server.name)), config).unwrap();
    }
    // A list of revoked keys of every kind.
    fs::write(lab.path("revoked-list"), format!("# revoked\n{}\n", public(lab, "rsa"))).unwrap();
    fs::write(lab.path("revoked-none"), "# none\n").unwrap();
    fs::write(lab.path("revoked-broken"), "nonsense\n").unwrap();
    fs::write(lab.path("krl-spec"), format!("serial: 7\nsha256: {}\n", public(lab, "ecdsa"))).unwrap();
    for (name, arguments) in
        [("krl-serial", vec!["-s", "ca-ed.pub", "krl-spec"]), ("krl-ca", vec!["ca-rsa.pub"])]
    {
        let made = Command::new("ssh-keygen")
            .current_dir(lab.folder.path())
            .args(["-q", "-k", "-f", name])
            .args(arguments)
            .status()
            .unwrap();
        assert!(made.success());
    }
}

fn public(lab: &Lab, name: &str) -> String {
    let text = fs::read_to_string(lab.path(&format!("{name}.pub"))).unwrap();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Lines of a known_hosts file: right, wrong and odd ones.
fn known_hosts(lab: &Lab, random: &mut StdRng) -> String {
    let mut text = String::new();
    for _ in 0..random.random_range(0..4) {
        let marker = *[
            "",
            "",
            "",
            "@revoked ",
            "@cert-authority ",
            "@cert-authority ",
            "@other ",
            "@revoked @revoked ",
        ]
        .choose(random)
        .unwrap();
        let of_authority = marker.contains("authority") != random.random_ratio(1, 10);
        let key = if of_authority { AUTHORITIES.choose(random) } else { KEYS.choose(random) };
        let mut key = public(lab, key.unwrap());
        match random.random_range(0..24) {
            0 => key = key.replacen("ssh-", "ssh_", 1),
            1 => key = key.replacen("ssh-rsa", "rsa-sha2-512", 1),
            2 => key.truncate(key.len() - 4),
            3 => key.push_str(" a comment"),
            4 => key.push('\r'),
            5 => key = key.replacen(' ', "\t ", 1),
            6 => key.push('='),
            7 => {
                let certificate = CERTIFICATES.choose(random).unwrap().0;
                key = public(lab, &format!("{certificate}-cert"));
            }
            8 => key = "# no key".to_owned(),
            _ => {}
        }
        let hosts = hosts(random);
        let space = if random.random_ratio(1, 10) { "\t" } else { " " };
        let line = format!("{marker}{hosts}{space}{key}");
        let line = match random.random_range(0..16) {
            0 => format!("  \t{line}"),
            1 => format!("# {line}"),
            2 => line.replacen(space, "", 1),
            _ => line,
        };
        text += &line;
        text.push('\n');
    }
    if random.random_ratio(1, 6) {
        text.pop();
    }
    text
}

fn hosts(random: &mut StdRng) -> String {
    let one = |random: &mut StdRng| {
        let host = *HOSTS.choose(random).unwrap();
        match random.random_range(0..12) {
            0 => "*".to_owned(),
            1 => "*.example.org".to_owned(),
            2 => "?.test".to_owned(),
            3 => format!("[{host}]:*"),
            4 | 5 => format!("[{host}]:2222"),
            6 => "alias".to_owned(),
            7 => host.to_ascii_uppercase(),
            _ => host.to_ascii_lowercase(),
        }
    };
    match random.random_range(0..9) {
        0 => format!("{},{}", one(random), one(random)),
        1 => format!("*,!{}", one(random)),
        2 => format!("{},!{}", one(random), one(random)),
        3 | 4 => hashed(&one(random), random),
        _ => one(random),
    }
}

fn hashed(name: &str, random: &mut StdRng) -> String {
    // Made by our own writer; that `ssh` reads it as we do is what the comparison shows.
    let anything = PublicKey::from_openssh(ANY_KEY).unwrap();
    let line = format_line(name, &Key::of(anything.key_data()).unwrap(), Some(&random.random()));
    let field = line.split(' ').next().unwrap().to_owned();
    match random.random_range(0..10) {
        0 => field.replacen("|1|", "|2|", 1),
        1 => field[..field.len() - 1].to_owned(),
        _ => field,
    }
}

struct Case {
    host: &'static str,
    /// Where we may say "changed" and `ssh` trusts; see [`is_known_difference`].
    has_certificate_at_port: bool,
    config: String,
    files: Vec<(String, String)>,
}

/// A case with a folder of its own.
fn case(lab: &Lab, folder: &Path, random: &mut StdRng) -> Case {
    let server = SERVERS.choose(random).unwrap();
    let host = *HOSTS.choose(random).unwrap();
    let port = *PORTS.choose(random).unwrap();
    let mut config = format!(
        "ProxyCommand /usr/sbin/sshd -i -f {}\nPort {}\nUser nobody-there\nIdentityFile none\nIdentityAgent none\n\
         StrictHostKeyChecking {}\nBatchMode yes\nUserKnownHostsFile {} {}\nGlobalKnownHostsFile {}\n",
        lab.path(&format!("{}.sshd", server.name)).display(),
        port,
        if random.random_ratio(3, 4) { "yes" } else { "ask" },
        folder.join("user").display(),
        folder.join("user2").display(),
        folder.join("global").display(),
    );
    if random.random_ratio(1, 6) {
        config += ["HostKeyAlias alias\n", "HostKeyAlias Alias\n"].choose(random).unwrap();
    }
    if random.random_ratio(1, 4) {
        let list = ["revoked-list", "revoked-none", "revoked-broken", "krl-serial", "krl-ca", "missing"];
        writeln!(config, "RevokedHostKeys {}", lab.path(list.choose(random).unwrap()).display()).unwrap();
    }
    if random.random_ratio(1, 8) {
        config += ["HostKeyAlgorithms rsa-sha2-512,ssh-ed25519\n", "CASignatureAlgorithms ssh-ed25519\n"]
            .choose(random)
            .unwrap();
    }
    let files = ["user", "user2", "global"].map(|name| (name.to_owned(), known_hosts(lab, random)));
    let has_certificate_at_port =
        port != 22 && !server.certificates.is_empty() && !config.contains("HostKeyAlias");
    Case { host, has_certificate_at_port, config, files: files.to_vec() }
}

/// What `ssh` says of the host.
async fn theirs(config: &Path, host: &str) -> (Outcome, String) {
    let output = tokio::process::Command::new("ssh")
        .arg("-F")
        .arg(config)
        .args(["-o", "PreferredAuthentications=none", "-o", "UpdateHostKeys=no", host, "true"])
        .output()
        .await
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let outcome = if words.contains("Permission denied") {
        Outcome::Trusted
    } else if words.contains("Error checking host key") {
        Outcome::Unreadable
    } else if words.contains("revoked by file") || words.contains("REVOKED HOST KEY DETECTED") {
        Outcome::Revoked
    } else if words.contains("IDENTIFICATION HAS CHANGED") {
        Outcome::Changed
    } else if words.contains("Host key verification failed") {
        Outcome::Unknown
    } else {
        panic!("ssh said something else: {words}")
    };
    (outcome, words)
}

async fn ours(folder: &Path, config: &Path, host: &str) -> (Outcome, UiError) {
    let spec = dockline_model::RegistrySpec {
        port: support::free_port().await,
        linger_seconds: 1,
        ..dockline_model::RegistrySpec::new(
            "cr.test".parse().unwrap(),
            host.parse().unwrap(),
            std::net::Ipv4Addr::LOCALHOST,
        )
    };
    let environment = SshEnvironment {
        home_ssh: folder.to_owned(),
        config: Some(config.to_owned()),
        ssh_program: Some("ssh".into()),
        ..SshEnvironment::default()
    };
    let config = TunnelConfig { patience: Duration::from_secs(20), ..TunnelConfig::new(spec, environment) };
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    let error = tunnel.up(&lease).await.unwrap_err();
    tunnel.stop().await;
    let outcomes = [
        (Code::SshAuth, Outcome::Trusted),
        (Code::HostKeyUnknown, Outcome::Unknown),
        (Code::HostKeyChanged, Outcome::Changed),
        (Code::HostKeyRevoked, Outcome::Revoked),
        (Code::FileIo, Outcome::Unreadable),
    ];
    match outcomes.iter().find(|(code, _)| *code == error.code) {
        Some((_, outcome)) => (*outcome, error),
        None => panic!("{error:?}"),
    }
}

/// Our outcome, and the whole story where it is not theirs.
async fn compare(lab: &Lab, seed: u64) -> (Outcome, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let case = case(lab, folder.path(), &mut StdRng::seed_from_u64(seed));
    let config = folder.path().join("config");
    fs::write(&config, &case.config).unwrap();
    for (name, text) in &case.files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let ((theirs, words), (ours, error)) =
        tokio::join!(theirs(&config, case.host), ours(folder.path(), &config, case.host));
    let is_different = ours != theirs && !is_known_difference(&case, theirs, ours);
    let difference = is_different.then(|| {
        let files: String = case.files.iter().map(|(name, text)| format!("--- {name}\n{text}")).collect();
        let (host, config) = (case.host, case.config);
        format!(
            "seed {seed}: ssh says {theirs:?}, we say {ours:?}\n{host}\n{config}{files}{words}\n{error:?}\n"
        )
    });
    (ours, difference)
}

/// Where we mean to differ:
///
/// - We refuse a key that has changed at its port, and `ssh` trusts it: once no authority vouches for a certificate, it
///   looks the key in it up under the host's name without the port *before* it compares it with those known for the
///   port. So any certificate, of whatever authority, makes it pass over the change.
/// - Both refuse, and `ssh` knows one reason more: where a type is known, we do not ask for certificates of others.
/// - We ask for a type that is known first, among those that `HostKeyAlgorithms` allows, and so see the known key of a
///   host that has several. `ssh` does the same unless the setting is there; then it takes the host's first.
fn is_known_difference(case: &Case, theirs: Outcome, ours: Outcome) -> bool {
    match (theirs, ours) {
        (Outcome::Trusted, Outcome::Changed) => case.has_certificate_at_port,
        (Outcome::Revoked, Outcome::Changed) => true,
        (Outcome::Changed, Outcome::Trusted) => case.config.contains("HostKeyAlgorithms"),
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_verdict_is_that_of_ssh() {
    need_sshd!();
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("DOCKLINE_HOST_KEY_SEED").unwrap_or(20_260);
    let count = number("DOCKLINE_HOST_KEY_CASES").unwrap_or(CASES);
    let lab = Lab::new();
    prepare(&lab);
    let compared: Vec<(Outcome, Option<String>)> = futures::stream::iter(0..count)
        .map(|index| compare(&lab, seed.wrapping_add(index)))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let differences: Vec<&String> = compared.iter().filter_map(|(_, story)| story.as_ref()).collect();
    for story in &differences {
        eprintln!("{story}");
    }
    assert!(differences.is_empty(), "{} of {count} differ", differences.len());
    let count_of = |wanted| compared.iter().filter(|(outcome, _)| *outcome == wanted).count();
    let all = [Outcome::Trusted, Outcome::Unknown, Outcome::Changed, Outcome::Revoked, Outcome::Unreadable];
    let seen = all.map(|outcome| (outcome, count_of(outcome)));
    eprintln!("{count} cases: {seen:?}");
    assert!(
        count < CASES || seen.iter().all(|(_, times)| *times > 0),
        "the campaign shows too little: {seen:?}"
    );
}

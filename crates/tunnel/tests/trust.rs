//! Host keys against a real sshd: unknown, trusted, changed, revoked.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Answer, Code, LeaseHolder, Question, TunnelState};
use dockline_tunnel::{Nobody, Tunnel, TunnelConfig};
use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};
use support::{Lab, Person, Sshd, echo_server, remote, until};

async fn with_known_hosts(lab: &Lab, sshd: &Sshd, text: Option<&str>) -> TunnelConfig {
    let config = lab.config(sshd, remote(echo_server().await)).await;
    let path = lab.path("known_hosts");
    match text {
        Some(text) => fs::write(path, text).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_host_is_asked_about_once_and_remembered() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = with_known_hosts(&lab, &sshd, None).await;
    let person = Person::answering([Answer::Trust]);
    let tunnel = Tunnel::start(config.clone(), person.clone()).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    tunnel.stop().await;
    let [Question::HostKey { host, key_type, fingerprint }] = &person.asked()[..] else {
        panic!("{:?}", person.asked())
    };
    assert_eq!((host.as_str(), key_type.as_str()), (&*format!("[127.0.0.1]:{}", sshd.port), "ssh-ed25519"));
    let shown =
        std::process::Command::new("ssh-keygen").arg("-lf").arg(lab.path("a-host.pub")).output().unwrap();
    assert!(String::from_utf8_lossy(&shown.stdout).contains(fingerprint.as_str()));
    assert_eq!(fs::read_to_string(lab.path("known_hosts")).unwrap(), sshd.known_hosts_line());
    assert_eq!(fs::metadata(lab.path("known_hosts")).unwrap().permissions().mode() & 0o777, 0o600);

    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hashed_file_gets_a_hashed_line_that_openssh_finds() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = with_known_hosts(&lab, &sshd, Some("# no newline at the end")).await;
    fs::write(lab.path("config"), "HashKnownHosts yes\n").unwrap();
    let tunnel = Tunnel::start(config, Person::answering([Answer::Trust])).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    tunnel.stop().await;
    let text = fs::read_to_string(lab.path("known_hosts")).unwrap();
    assert!(text.starts_with("# no newline at the end\n|1|"), "{text}");
    let found = std::process::Command::new("ssh-keygen")
        .args(["-F", &format!("[127.0.0.1]:{}", sshd.port), "-f"])
        .arg(lab.path("known_hosts"))
        .output()
        .unwrap();
    assert!(found.status.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_anybody_to_ask_an_unknown_host_is_refused() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    for (person, hint) in
        [(Person::answering([]), "Connect once"), (Person::answering([Answer::Refuse]), "Compare")]
    {
        let config = with_known_hosts(&lab, &sshd, Some("")).await;
        let tunnel = Tunnel::start(config, person).await;
        let lease = tunnel.lease(LeaseHolder::Manual);
        let error = tunnel.up(&lease).await.unwrap_err();
        assert_eq!(error.code, Code::HostKeyUnknown);
        assert!(error.hint.as_ref().unwrap().contains(hint), "{error:?}");
        assert_eq!(fs::read_to_string(lab.path("known_hosts")).unwrap(), "");
        tunnel.stop().await;
    }
    assert_eq!(sshd.logins(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_key_is_refused_with_the_line_at_fault() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    for key_type in ["ed25519", "rsa"] {
        let other = lab.keygen(&format!("other-{key_type}"), key_type, "");
        let line = format!("# first\n[127.0.0.1]:{} {other}\n", sshd.port);
        let config = with_known_hosts(&lab, &sshd, Some(&line)).await;
        let person = Person::answering([Answer::Trust]);
        let tunnel = Tunnel::start(config, person.clone()).await;
        let lease = tunnel.lease(LeaseHolder::Manual);
        let error = tunnel.up(&lease).await.unwrap_err();
        assert_eq!(error.code, Code::HostKeyChanged, "{error:?}");
        assert!(
            error.message.contains(&format!("line 2 of {}", lab.path("known_hosts").display())),
            "{error:?}"
        );
        assert!(error.hint.unwrap().contains("ssh-keygen -R"));
        assert!(matches!(tunnel.view().state, TunnelState::Failed { .. }));
        assert!(person.asked().is_empty(), "nobody may wave a changed key through");
        tunnel.stop().await;
    }
    assert_eq!(sshd.logins(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_is_refused() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let text = format!("{}@revoked * {}\n", sshd.known_hosts_line(), sshd.host_key);
    let config = with_known_hosts(&lab, &sshd, Some(&text)).await;
    let tunnel = Tunnel::start(config, Person::answering([Answer::Trust])).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    assert_eq!(tunnel.up(&lease).await.unwrap_err().code, Code::HostKeyRevoked);
    assert_eq!(sshd.logins(), 0);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_whose_key_cannot_be_written_down_is_trusted_all_the_same() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = with_known_hosts(&lab, &sshd, None).await;
    // Nobody makes a folder there, not even root.
    config.ssh.known_hosts = vec!["/proc/dockline/known_hosts".into()];
    let person = Person::answering([Answer::Trust]);
    let tunnel = Tunnel::start(config, person.clone()).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    // Nor is the next session's key asked about.
    sshd.kill_sessions();
    until(&tunnel, |view| !matches!(view.state, TunnelState::Up { .. })).await;
    until(&tunnel, |view| matches!(view.state, TunnelState::Up { .. })).await;
    assert_eq!(person.asked().len(), 1);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strict_host_key_checking_no_is_not_obeyed() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = with_known_hosts(&lab, &sshd, Some("")).await;
    fs::write(lab.path("config"), "StrictHostKeyChecking no\n").unwrap();
    let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    assert_eq!(tunnel.up(&lease).await.unwrap_err().code, Code::HostKeyUnknown);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_hosts_none_asks_and_remembers_nothing() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let mut config = with_known_hosts(&lab, &sshd, Some("")).await;
    config.ssh.known_hosts.clear();
    fs::write(lab.path("config"), "UserKnownHostsFile none\nGlobalKnownHostsFile none\n").unwrap();
    let person = Person::answering([Answer::Trust]);
    let tunnel = Tunnel::start(config, person.clone()).await;
    let lease = tunnel.lease(LeaseHolder::Manual);
    tunnel.up(&lease).await.unwrap();
    assert_eq!(person.asked().len(), 1);
    tunnel.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_host_is_remembered_unasked_or_refused_as_configured() {
    need_sshd!();
    let lab = Lab::new();
    let sshd = lab.sshd("a", "").await;
    let config = with_known_hosts(&lab, &sshd, None).await;
    for (setting, outcome) in [("yes", Err(Code::HostKeyUnknown)), ("accept-new", Ok(()))] {
        fs::write(lab.path("config"), format!("StrictHostKeyChecking {setting}\n")).unwrap();
        let person = Person::answering([Answer::Trust]);
        let tunnel = Tunnel::start(config.clone(), person.clone()).await;
        let lease = tunnel.lease(LeaseHolder::Manual);
        assert_eq!(tunnel.up(&lease).await.map_err(|error| error.code), outcome, "{setting}");
        tunnel.stop().await;
        assert!(person.asked().is_empty());
    }
    assert_eq!(fs::read_to_string(lab.path("known_hosts")).unwrap(), sshd.known_hosts_line());
}

/// The host's line as it should be after the server named its keys: waits for the file, which is written after login.
async fn known_hosts_become(lab: &Lab, wanted: impl Fn(&str) -> bool) -> String {
    let changed = async {
        loop {
            let text = fs::read_to_string(lab.path("known_hosts")).unwrap();
            if wanted(&text) {
                return text;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(std::time::Duration::from_secs(10), changed).await {
        Ok(text) => text,
        Err(_) => panic!("it stayed at {}", fs::read_to_string(lab.path("known_hosts")).unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_names_its_other_keys_and_proves_them() {
    need_sshd!();
    let lab = Lab::new();
    for key_type in ["rsa", "ecdsa", "ed25519"] {
        lab.keygen(&format!("more-{key_type}"), key_type, "");
    }
    let public = |name: &str| {
        let text = fs::read_to_string(lab.path(&format!("{name}.pub"))).unwrap();
        text.split(' ').take(2).collect::<Vec<_>>().join(" ")
    };
    let extra =
        format!("HostKey {}\nHostKey {}", lab.path("more-rsa").display(), lab.path("more-ecdsa").display());
    let sshd = lab.sshd("a", &extra).await;
    let host = format!("[127.0.0.1]:{}", sshd.port);
    // A key that the server no longer has, and another host's.
    let old = format!("{host} {}\n", public("more-ed25519"));
    let others = format!("# a comment\nelsewhere.org {}\n", public("id"));
    let config =
        with_known_hosts(&lab, &sshd, Some(&format!("{others}{}{old}", sshd.known_hosts_line()))).await;
    for (setting, is_followed) in [("no", false), ("yes", true)] {
        fs::write(lab.path("config"), format!("UpdateHostKeys {setting}\n")).unwrap();
        let tunnel = Tunnel::start(config.clone(), Arc::new(Nobody)).await;
        let lease = tunnel.lease(LeaseHolder::Manual);
        tunnel.up(&lease).await.unwrap();
        if is_followed {
            let text = known_hosts_become(&lab, |text| text.contains("ssh-rsa")).await;
            let added = ["more-rsa", "more-ecdsa"].map(|name| format!("{host} {}\n", public(name)));
            assert_eq!(text, format!("{others}{}{}{}", sshd.known_hosts_line(), added[0], added[1]));
        }
        tunnel.stop().await;
        if !is_followed {
            assert!(fs::read_to_string(lab.path("known_hosts")).unwrap().ends_with(&old));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_a_known_authority_needs_no_known_key() {
    need_sshd!();
    let lab = Lab::new();
    let authority = lab.keygen("ca", "rsa", "");
    for key_type in ["ed25519", "rsa", "ecdsa"] {
        let name = format!("host-{key_type}");
        lab.keygen(&name, key_type, "");
        let signed = std::process::Command::new("ssh-keygen")
            .args(["-q", "-h", "-I", "host", "-n", "127.0.0.1", "-V", "-1m:+1h", "-s"])
            .arg(lab.path("ca"))
            .arg(lab.path(&format!("{name}.pub")))
            .status()
            .unwrap();
        assert!(signed.success());
        let extra = format!(
            "HostKey {}\nHostCertificate {}",
            lab.path(&name).display(),
            lab.path(&format!("{name}-cert.pub")).display()
        );
        let sshd = lab.sshd(&format!("sshd-{key_type}"), &extra).await;
        let text = format!("@cert-authority [127.0.0.1]:* {authority}\n");
        let config = with_known_hosts(&lab, &sshd, Some(&text)).await;
        let tunnel = Tunnel::start(config, Arc::new(Nobody)).await;
        let lease = tunnel.lease(LeaseHolder::Manual);
        tunnel.up(&lease).await.unwrap();
        tunnel.stop().await;
        assert_eq!(fs::read_to_string(lab.path("known_hosts")).unwrap(), text, "nothing is written down");
    }
}

//! Host keys against a real sshd: unknown, trusted, changed, revoked.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod support;

use dockline_model::{Answer, Code, LeaseHolder, Question, TunnelState};
use dockline_tunnel::{Nobody, Tunnel, TunnelConfig};
use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};
use support::{Lab, Person, Sshd, echo_server, remote};

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

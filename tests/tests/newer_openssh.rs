//! What only a newer OpenSSH than Debian 12's does: post-quantum keys that Dockline knows, too, and penalties for addresses
//! that logins fail from.

use dockline_model::{Code, RegistryName, TransferState, TransferView, TunnelState, TunnelView};
use dockline_tests::lab::{
    self, Daemon, Dockline, Need, NewerSshd, Watcher, free_port, unique_registry_name,
};
use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::NewerOpenssh];
const SOON: Duration = Duration::from_secs(20);

fn add(dockline: &Dockline, sshd: &NewerSshd, identity: &Path, remote: &str) -> RegistryName {
    let name = unique_registry_name("cr");
    dockline.trust(&sshd.known_hosts_line());
    let (destination, identity) = (sshd.destination(), identity.display().to_string());
    let words = ["add", name.as_str(), "--ssh", &destination, "--identity", &identity, "--remote", remote];
    dockline.run(&words).expect_success();
    name
}

#[test]
fn post_quantum_keys_are_agreed_on_and_carry_a_push() {
    if !lab::requires(&[NEEDS, &[Need::Registry]].concat()) {
        return;
    }
    let sshd = NewerSshd::start("");
    let dockline = Dockline::new();
    let address = format!("127.0.0.1:{}", free_port());
    let settings = format!(
        "version: 0.1\nlog: {{level: info}}\nhttp: {{addr: '{address}'}}\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\n",
        dockline.folder().join("storage").display()
    );
    fs::write(dockline.folder().join("registry.yml"), settings).expect("the folder is ours");
    let mut registry = Command::new("docker-registry");
    registry.arg("serve").arg(dockline.folder().join("registry.yml"));
    let registry = Daemon::spawn("docker-registry", registry);
    registry.wait_for_line("listening on", SOON);

    let name = add(&dockline, &sshd, &sshd.identity(), &address);
    let archive = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&archive).expect("the folder is ours");
    let words = ["push", &archive.display().to_string(), &format!("{name}/app:v1")];
    let pushed: TransferView = dockline.json(&words).expect_success().read();
    assert!(matches!(&pushed.state, TransferState::Done { verified } if verified.at_registry), "{pushed:?}");
    let log = sshd.daemon().log();
    let agreed: Vec<&str> =
        log.lines().filter_map(|line| line.split_once("kex: algorithm: ")?.1.split(' ').next()).collect();
    assert!(!agreed.is_empty() && agreed.iter().all(|kex| *kex == "mlkem768x25519-sha256"), "{agreed:?}");
    // And on the cipher that this processor is fast at, though the server would rather have another.
    if fs::read_to_string("/proc/cpuinfo").is_ok_and(|text| text.split_whitespace().any(|flag| flag == "aes"))
    {
        assert!(log.contains("client->server cipher: aes128-gcm@openssh.com"), "{log}");
    }
}

/// `PerSourcePenalties` (sshd_config(5)): a login fails, and for a while this machine is turned away before it may say
/// anything. That is quoted, and the server is left alone until it is over.
#[test]
fn a_penalty_is_quoted_and_waited_for() {
    if !lab::requires(NEEDS) {
        return;
    }
    let sshd = NewerSshd::start("PerSourcePenalties authfail:3s min:1s max:12s");
    let dockline = Dockline::new();
    let _agent = dockline.agent();
    let registry = TcpListener::bind("127.0.0.1:0").expect("127.0.0.1 has a free port");
    let remote = registry.local_addr().expect("it is bound").to_string();
    let wrong = add(&dockline, &sshd, &sshd.stranger(), &remote);
    let right = add(&dockline, &sshd, &sshd.identity(), &remote);
    let refused = dockline.json(&["connect", wrong.as_str()]).error();
    assert_eq!(refused.code, Code::SshAuth, "{refused:?}");
    sshd.daemon().wait_for_line("penalty", SOON);

    let began = Instant::now();
    let connect = Daemon::spawn("dockline connect", dockline.command(&["connect", right.as_str()]));
    connect.wait_for_line("“Not allowed at this time”", SOON);
    // The command may say so and leave it to the agent, which goes on trying.
    let is_up = |view: &TunnelView| matches!(view.state, TunnelState::Up { .. });
    Watcher::join(&dockline).wait_for(&right, "up after the penalty", Duration::from_secs(40), is_up);
    connect.wait(SOON).unwrap_or_else(|| panic!("it goes on:\n{}", connect.log()));
    // Turned away no more often than the waits allow: the first is two seconds at least, the next four.
    let tries = sshd.daemon().count("drop connection");
    let seconds = began.elapsed().as_secs();
    assert!((1..=4).contains(&tries), "turned away {tries} times in {seconds} s:\n{}", sshd.daemon().log());
}

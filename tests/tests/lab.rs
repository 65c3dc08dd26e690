//! The lab itself: if these fail, no other black-box test means anything.

use dockline_tests::lab::{
    self, Dockerd, Need, RegistryHost, RegistryHostOptions, Workstation, run, try_run,
};
use std::{fs, net::TcpStream, path::Path, process::Command};

#[test]
fn a_registry_host_is_reached_through_ssh_alone() {
    if !lab::requires(&[Need::Root, Need::Sshd, Need::Registry]) {
        return;
    }
    let mut host = RegistryHost::start();
    assert!(TcpStream::connect((host.address(), 5000)).is_err(), "the registry listens on the outside");

    let known_hosts = tempfile::NamedTempFile::new().unwrap();
    fs::write(&known_hosts, format!("{}\n", host.known_hosts_line())).unwrap();
    let ssh = |identity: &Path| {
        let mut command = Command::new("ssh");
        command
            .args(["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i"])
            .arg(identity)
            .arg("-o")
            .arg(format!("UserKnownHostsFile={}", known_hosts.path().display()))
            .arg(host.destination())
            .arg("true");
        try_run(&mut command)
    };
    ssh(&host.identity()).expect_success();
    assert!(!ssh(&host.wrong_identity()).status.success(), "the wrong key may log in");
    assert_eq!(host.logins(), 1);

    let before = host.fingerprint();
    host.change_host_key();
    assert_ne!(host.fingerprint(), before);
    assert_eq!(host.logins(), 1, "logins are counted over restarts");
    assert_eq!(host.manifest_digest("nothing", "v1"), None);
}

#[test]
fn a_small_disk_is_small() {
    if !lab::requires(&[Need::Root, Need::Sshd, Need::Registry]) {
        return;
    }
    let host =
        RegistryHost::with(RegistryHostOptions { disk_mib: Some(2), ..RegistryHostOptions::default() });
    let pid = host.registry().pid().to_string();
    let mounts = fs::read_to_string(format!("/proc/{pid}/mounts")).unwrap();
    assert!(mounts.contains("size=2048k"), "{mounts}");
}

#[test]
fn a_workstation_keeps_its_hosts_file_to_itself() {
    if !lab::requires(&[Need::Root]) {
        return;
    }
    let before = fs::read_to_string("/etc/hosts").unwrap();
    let workstation = Workstation::start();
    let mut command = workstation.command("sh");
    command.args(["-c", "(cat /etc/hosts; echo 127.77.1.2 lab.test) > /etc/h && mv /etc/h /etc/hosts"]);
    try_run(&mut command).expect_success();
    assert!(workstation.hosts().contains("lab.test"));
    assert_eq!(fs::read_to_string("/etc/hosts").unwrap(), before);
}

#[test]
fn dockerd_builds_images_of_several_layers() {
    if !lab::requires(&[Need::Root, Need::Dockerd]) {
        return;
    }
    let folder = {
        let workstation = Workstation::start();
        let dockerd = Dockerd::start(&workstation);
        dockerd.build_image("app:v1", &[64, 32]);
        let layers =
            dockerd.run_docker(&["image", "inspect", "--format", "{{len .RootFS.Layers}}", "app:v1"]);
        assert_eq!(layers, "2");
        assert_eq!(dockerd.image_id("app:v2"), None);
        workstation.folder().to_owned()
    };
    assert!(!folder.exists(), "{} was left behind", folder.display());
    assert!(!run("ip", &["netns"]).contains("Error"));
}

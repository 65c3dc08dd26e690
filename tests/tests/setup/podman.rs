//! Podman of the system and of a person: by name, and over TLS of a private authority.

use super::{NEEDS, all_reached, files};
use dockline_model::{Code, EngineKind, SettingsFile, SetupPlan, SetupReport};
use dockline_tests::lab::{
    self, Dockline, Need, Person, Podman, RegistryHost, RegistryHostOptions, Workstation,
};
use std::fs;

#[test]
fn podman_pushes_by_name_and_an_undo_leaves_nothing() {
    if !lab::requires(&[NEEDS, &[Need::Program("podman")]].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let podman = Podman::start(&workstation);
    let dockline = Dockline::on(&workstation).with_engine(podman.endpoint());
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let conf = workstation.path("/etc/containers/registries.conf.d");
    let listing = || {
        let mut names: Vec<_> =
            fs::read_dir(&conf).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let (hosts_before, conf_before) = (workstation.hosts(), listing());

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert_eq!(plan.engine.kind, EngineKind::Podman);
    assert_eq!(files(&plan), [SettingsFile::Hosts, SettingsFile::RegistriesConf], "{plan:?}");
    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");

    let image = format!("{name}:5000/team/app:v1");
    let archive = workstation.folder().join("root.tar").display().to_string();
    lab::run("tar", &["-C", "/etc", "-cf", &archive, "hostname"]);
    podman.try_podman(&["import", &archive, &image]).expect_success();
    podman.try_podman(&["push", &image]).expect_success();
    assert!(host.manifest_digest("team/app", "v1").is_some());

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    assert_eq!((workstation.hosts(), listing()), (hosts_before, conf_before));
    assert!(!podman.try_podman(&["push", &image]).status.success());
}

/// Podman looks into `/etc/containers/certs.d`, and checks certificates on loopback, too.
#[test]
fn podman_pushes_over_tls_once_it_knows_the_private_authority() {
    if !lab::requires(&[NEEDS, &[Need::Program("podman")]].concat()) {
        return;
    }
    let workstation = Workstation::start();
    let name = lab::unique_registry_name("cr");
    let tls_names = vec![name.to_string()];
    let host = RegistryHost::with(RegistryHostOptions { tls_names, ..RegistryHostOptions::default() });
    let podman = Podman::start(&workstation);
    let dockline = Dockline::on(&workstation).with_engine(podman.endpoint());
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &[]);
    let _agent = dockline.agent();
    let image = format!("{name}:5000/team/app:v1");
    let archive = workstation.folder().join("root.tar").display().to_string();
    lab::run("tar", &["-C", "/etc", "-cf", &archive, "hostname"]);
    podman.try_podman(&["import", &archive, &image]).expect_success();

    let ca = host.authority().certificate().display().to_string();
    let words = ["setup", name.as_str(), "--ca", &ca];
    let plan: SetupPlan = dockline.json(&[&words[..], &["--plan"]].concat()).expect_success().read();
    assert_eq!(files(&plan), [SettingsFile::Hosts, SettingsFile::RegistryCertificate], "{plan:?}");
    let report: SetupReport = dockline.json(&[&words[..], &["--yes"]].concat()).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    podman.try_podman(&["push", &image]).expect_success();
    assert!(host.manifest_digest("team/app", "v1").is_some());
    // And Dockline's own push through the engine.
    dockline.run(&["push", &image, &format!("{name}/team/app:v2"), "--engine"]).expect_success();
    assert_eq!(host.manifest_digest("team/app", "v2"), host.manifest_digest("team/app", "v1"));

    let folder = workstation.path(&format!("/etc/containers/certs.d/{name}:5000"));
    assert!(folder.join("ca.crt").is_file());
    let with_name = workstation.hosts();
    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    assert!(!folder.exists());
    // It is the certificate that is refused, and not the name that is unknown.
    fs::write(workstation.hosts_path(), with_name).unwrap();
    let refused = podman.try_podman(&["push", &image]);
    assert!(!refused.status.success() && refused.stderr.contains("certificate"), "{refused:?}");
}

/// Ann's own Podman, and a line in the hosts file that takes root: sudo(8) starts the helper, by a rule for it alone.
#[test]
fn rootless_podman_pushes_by_name_after_sudo_let_the_helper_write_the_hosts_file() {
    const ROOTLESS: &[Need] = &[Need::Program("podman"), Need::Program("newuidmap"), Need::Program("sudo")];
    if !lab::requires(&[NEEDS, ROOTLESS].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let ann = Person::on(&workstation);
    let helper = ann.may_start_as_root(lab::helper_program());
    let podman = Podman::of(&ann);
    let dockline = Dockline::of(&ann)
        .with_engine(podman.endpoint())
        .with_environment([("DOCKLINE_HELPER", helper.as_os_str())]);
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let hosts_before = workstation.hosts();

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert_eq!(plan.engine.kind, EngineKind::PodmanRootless);
    assert_eq!(files(&plan), [SettingsFile::Hosts, SettingsFile::RegistriesConf], "{plan:?}");
    assert!(plan.needs_admin());
    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    assert!(workstation.hosts().contains(name.as_str()));
    let conf = ann.home().join(".config/containers/registries.conf.d/dockline.conf");
    assert!(fs::read_to_string(&conf).unwrap().contains(name.as_str()));

    let image = format!("{name}:5000/team/app:v1");
    let archive = ann.home().join("root.tar").display().to_string();
    lab::run("tar", &["-C", "/etc", "-cf", &archive, "hostname"]);
    ann.owns(ann.home());
    podman.try_podman(&["import", &archive, &image]).expect_success();
    podman.try_podman(&["push", &image]).expect_success();
    assert!(host.manifest_digest("team/app", "v1").is_some());

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    assert_eq!(workstation.hosts(), hosts_before);
    assert!(!conf.exists());
    assert!(!podman.try_podman(&["push", &image]).status.success());
    // Without the rule nobody is let in, and nothing is written.
    fs::remove_file(workstation.path("/etc/sudoers.d/ann")).unwrap();
    let refused = dockline.json(&["setup", "--yes"]).error();
    assert_eq!(refused.code, Code::PermissionDenied);
    assert_eq!(workstation.hosts(), hosts_before);
}

//! Every engine: what it needs, the files before and after, and what is restarted. On real files, in folders whose names
//! have colons.
#![cfg(unix)]

use super::*;
use crate::{HelperAnswer, HelperRequest, Platform, perform};
use dockline_model::{
    BuilderFacts, Code, EngineKind, HostSystem, ImageStore, RegistrySecurity, SettingsFile, SystemdUnit,
};
use std::fs;

#[path = "golden.rs"]
mod golden;

const PEM: &str = "-----BEGIN CERTIFICATE-----\nMAEA\n-----END CERTIFICATE-----\n";
const PUSH_INSTEAD: &str = "`dockline push IMAGE`";

struct Scene {
    folder: tempfile::TempDir,
    system: Paths,
    user: Paths,
}

fn scene(platform: Platform) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    fs::create_dir(&home).unwrap();
    fs::write(folder.path().join("hosts"), "127.0.0.1 localhost\n").unwrap();
    let system = Paths { platform, ..Paths::beside(&folder.path().join("hosts")) };
    let user = Paths { platform, ..Paths::user(&home, &home.join(".config"), folder.path()) };
    Scene { folder, system, user }
}

impl Scene {
    fn prepare(&self, targets: &[SetupTarget], facts: &EngineFacts) -> Prepared {
        prepare(targets, facts, &self.system, &self.user)
    }

    fn undo(&self, facts: &EngineFacts) -> Prepared {
        prepare_undo(None, facts, &self.system, &self.user)
    }

    fn carry_out(&self, prepared: &Prepared) {
        for (paths, changes) in [(&prepared.system_paths, &prepared.system), (&self.user, &prepared.user)] {
            let request = HelperRequest::Apply { changes: changes.clone() };
            let answer = perform(paths, &request, None).unwrap();
            assert!(matches!(answer, HelperAnswer::Done { .. }), "{answer:?}");
        }
    }

    /// Every file below the folder but for the journals, with its text.
    fn files(&self) -> Vec<(String, String)> {
        fn walk(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.to_string_lossy().contains("journal") {
                    continue;
                }
                if path.is_dir() {
                    walk(&path, root, found);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                    found.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), self.folder.path(), &mut found);
        found.sort();
        found
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

fn target() -> SetupTarget {
    SetupTarget {
        name: "cr.boss.org".parse().unwrap(),
        address: [127, 77, 1, 5].into(),
        port: 5000,
        security: RegistrySecurity::Plain,
        gateway: None,
        localhost_port: None,
        in_public_dns: false,
    }
}

fn facts(kind: EngineKind) -> EngineFacts {
    EngineFacts {
        kind,
        system: HostSystem::Linux,
        label: "Docker 29.0.0".to_owned(),
        context: None,
        image_store: ImageStore::Classic,
        config_file: None,
        flag_keys: Vec::new(),
        insecure: Vec::new(),
        has_registry_settings: false,
        live_restore: false,
        running: vec!["db".to_owned(), "web".to_owned()],
        pid: Some(4711),
        unit: None,
        builder: None,
    }
}

/// The same engine, when it goes by an entry.
fn listing(facts: &EngineFacts, entry: &str) -> EngineFacts {
    EngineFacts { insecure: vec![entry.to_owned()], ..facts.clone() }
}

fn commands(plan: &SetupPlan) -> Vec<String> {
    plan.steps.iter().map(|step| step.command.join(" ")).collect()
}

fn refusal(prepared: &Prepared) -> &UiError {
    assert!(prepared.plan.changes.is_empty() && prepared.plan.steps.is_empty() && prepared.system.is_empty());
    let SetupVerdict::Refused { error } = &prepared.plan.verdict else {
        panic!("{:?}", prepared.plan.verdict)
    };
    error
}

#[test]
fn native_docker_needs_the_name_only() {
    let scene = scene(Platform::Linux);
    let prepared = scene.prepare(&[target()], &facts(EngineKind::DockerNative));
    let [change] = prepared.plan.changes.as_slice() else { panic!("{:?}", prepared.plan) };
    assert_eq!(change.file, SettingsFile::Hosts);
    assert!(prepared.plan.steps.is_empty() && prepared.plan.needs_admin());
    assert_eq!(prepared.plan.authorities[0].authority, "cr.boss.org:5000");
    scene.carry_out(&prepared);
    let again = scene.prepare(&[target()], &facts(EngineKind::DockerNative));
    let SetupVerdict::AlreadySatisfied { why } = &again.plan.verdict else { panic!("{:?}", again.plan) };
    assert!(why.contains("by itself to every registry on a loopback address"), "{why}");
    // A daemon.json that needs no change may be as broken as it likes.
    fs::create_dir_all(scene.folder.path().join("etc/docker")).unwrap();
    fs::write(scene.folder.path().join("etc/docker/daemon.json"), "{").unwrap();
    let again = scene.prepare(&[target()], &facts(EngineKind::DockerNative));
    assert!(matches!(again.plan.verdict, SetupVerdict::AlreadySatisfied { .. }));
}

#[test]
fn the_gateway_is_the_one_insecure_entry_and_its_undo_leaves_an_empty_list() {
    let scene = scene(Platform::Linux);
    let target = SetupTarget { gateway: Some([172, 17, 0, 1].into()), in_public_dns: true, ..target() };
    let facts = facts(EngineKind::DockerNative);
    let prepared = scene.prepare(std::slice::from_ref(&target), &facts);
    assert_eq!(commands(&prepared.plan), ["kill -HUP 4711"]);
    assert!(prepared.plan.stops().is_empty());
    assert!(prepared.plan.changes[0].warnings[0].contains("public DNS"));
    scene.carry_out(&prepared);
    assert_eq!(
        scene.text("etc/docker/daemon.json"),
        "{\n  \"insecure-registries\": [\"172.17.0.1:5000\"]\n}\n"
    );
    let applied = applied(&scene.system, &scene.user).unwrap();
    let what: Vec<_> = applied.iter().map(|change| (change.id.as_str(), change.entries.join(" "))).collect();
    assert_eq!(
        what,
        [("hosts", "cr.boss.org".to_owned()), ("daemon-json:native", "172.17.0.1:5000".to_owned())]
    );
    // The gateway is given up: the entry goes, by the same way.
    let without = SetupTarget { gateway: None, ..target };
    let prepared = scene.prepare(&[without], &facts);
    assert_eq!(prepared.plan.changes[0].id, "daemon-json:native");
    let undo = scene.undo(&facts);
    assert_eq!(undo.plan.changes.len(), 2);
    assert_eq!(commands(&undo.plan), ["kill -HUP 4711"]);
    scene.carry_out(&undo);
    assert_eq!(
        scene.files(),
        [
            ("etc/docker/daemon.json".to_owned(), "{\n  \"insecure-registries\": []\n}\n".to_owned()),
            ("hosts".to_owned(), "127.0.0.1 localhost\n".to_owned()),
        ]
    );
    assert!(super::applied(&scene.system, &scene.user).unwrap().is_empty());
    assert!(matches!(scene.undo(&facts).plan.verdict, SetupVerdict::AlreadySatisfied { .. }));
}

#[test]
fn one_change_can_be_undone_alone() {
    let scene = scene(Platform::Linux);
    let target = SetupTarget { gateway: Some([172, 17, 0, 1].into()), ..target() };
    let facts = facts(EngineKind::DockerNative);
    scene.carry_out(&scene.prepare(&[target], &facts));
    let undo = prepare_undo(Some(&["hosts".to_owned()]), &facts, &scene.system, &scene.user);
    assert_eq!(undo.plan.changes.len(), 1);
    scene.carry_out(&undo);
    assert_eq!(scene.text("hosts"), "127.0.0.1 localhost\n");
    assert_eq!(applied(&scene.system, &scene.user).unwrap()[0].id, "daemon-json:native");
}

#[test]
fn the_containerd_store_is_told_for_one_registry_and_by_its_address() {
    let scene = scene(Platform::Linux);
    let fresh = EngineFacts { image_store: ImageStore::Containerd, ..facts(EngineKind::DockerNative) };
    let prepared = scene.prepare(&[target()], &fresh);
    assert!(prepared.plan.steps.is_empty(), "it takes effect at once");
    scene.carry_out(&prepared);
    // containerd, docs/hosts.md.
    assert_eq!(
        scene.text("etc/docker/certs.d/cr.boss.org:5000/hosts.toml"),
        "# Written by Dockline, which replaces this whole file.\nserver = \"https://cr.boss.org:5000\"\n\n[host.\"http://127.77.1.5:5000\"]\n  capabilities = [\"pull\", \"resolve\", \"push\"]\n"
    );
    scene.carry_out(&scene.undo(&fresh));
    assert_eq!(scene.files().len(), 1);
    assert!(!scene.folder.path().join("etc").exists(), "folders made for it go with it");
    let settled = EngineFacts { has_registry_settings: true, ..fresh };
    let prepared = scene.prepare(&[target()], &settled);
    assert_eq!(prepared.plan.changes.len(), 1, "the hosts file alone");
}

#[test]
fn a_private_authority_is_put_where_the_engine_looks() {
    let target = SetupTarget {
        security: RegistrySecurity::PrivateCa { certificate: PEM.to_owned(), file: None },
        localhost_port: Some(5000),
        ..target()
    };
    let containerd = EngineFacts { image_store: ImageStore::Containerd, ..facts(EngineKind::DockerNative) };
    let mac = |kind| EngineFacts { system: HostSystem::MacOs, ..facts(kind) };
    let colima = EngineKind::Colima { profile: "work".into() };
    for (facts, file, steps) in [
        (containerd, "etc/docker/certs.d/cr.boss.org:5000/ca.crt", &[][..]),
        (facts(EngineKind::Podman), "etc/containers/certs.d/cr.boss.org:5000/ca.crt", &[]),
        (facts(EngineKind::PodmanRootless), "home/.config/containers/certs.d/cr.boss.org:5000/ca.crt", &[]),
        (
            mac(EngineKind::DockerDesktop),
            "home/.docker/certs.d/host.docker.internal:5000/ca.crt",
            &["docker desktop restart"],
        ),
        (
            mac(colima),
            "home/.docker/certs.d/host.docker.internal:5000/ca.crt",
            &["colima restart --profile work"],
        ),
    ] {
        let scene = scene(Platform::Linux);
        let before = scene.files();
        let prepared = scene.prepare(std::slice::from_ref(&target), &facts);
        assert_eq!(commands(&prepared.plan), steps, "{:?}", facts.kind);
        let change =
            prepared.plan.changes.iter().find(|c| c.file == SettingsFile::RegistryCertificate).unwrap();
        assert!(change.warnings[0].contains("fingerprint"), "{change:?}");
        scene.carry_out(&prepared);
        assert_eq!(
            scene.text(file),
            format!("# Written by Dockline, which replaces this whole file.\n{PEM}")
        );
        scene.carry_out(&scene.undo(&facts));
        assert_eq!(scene.files(), before);
    }
    // The operating system's store, where an engine reads only that.
    for kind in [EngineKind::OrbStack, EngineKind::RancherDesktop] {
        let scene = scene(Platform::MacOs);
        let prepared = scene.prepare(std::slice::from_ref(&target), &mac(kind));
        let change = &prepared.plan.changes[0];
        assert_eq!(change.file, SettingsFile::SystemTrust);
        assert!(change.warnings[0].contains("for any site"));
        assert!(commands(&prepared.plan)[0].starts_with("/usr/bin/security add-trusted-cert -r trustRoot"));
        // The dialogue is shown to the person, whom the helper cannot reach.
        let file = Path::new("/x.pem");
        let trusted = step::after(&prepared.system[0].intent, file, None, Some(PEM.as_bytes()));
        assert_eq!(steps::of_system(&trusted[0], true, &prepared.plan.engine)[0].by, StepBy::Dockline);
        scene.carry_out(&prepared);
        assert_eq!(scene.text("Library/Application Support/Dockline/certificates/cr.boss.org.pem"), PEM);
    }
    let classic =
        scene(Platform::Linux).prepare(std::slice::from_ref(&target), &facts(EngineKind::DockerNative));
    assert_eq!(classic.plan.changes.len(), 1, "classic dockerd checks no certificate on loopback");
    let bad = SetupTarget {
        security: RegistrySecurity::PrivateCa { certificate: "x".into(), file: None },
        ..target
    };
    let refused = scene(Platform::Linux).prepare(&[bad], &facts(EngineKind::Podman));
    assert_eq!(refusal(&refused).code, Code::InvalidArgument);
}

/// For each engine with files of the person's own: before, after, commands, and the same bytes after undo.
#[test]
fn engines_in_machines_are_told_of_the_name_they_have_for_this_machine() {
    let target = SetupTarget { localhost_port: Some(5000), ..target() };
    let colima = EngineKind::Colima { profile: "default".into() };
    let machine = EngineKind::PodmanMachine { machine: "podman-machine-default".into() };
    for (kind, platform, file, before, after, steps) in [
        (
            // docs.docker.com/engine/daemon, “Configuration file”.
            EngineKind::DockerDesktop,
            Platform::MacOs,
            "home/.docker/daemon.json",
            Some(
                "{\n  \"builder\": {\n    \"gc\": {\n      \"defaultKeepStorage\": \"20GB\",\n      \"enabled\": true\n    }\n  },\n  \"experimental\": false,\n  \"insecure-registries\": []\n}",
            ),
            "{\n  \"builder\": {\n    \"gc\": {\n      \"defaultKeepStorage\": \"20GB\",\n      \"enabled\": true\n    }\n  },\n  \"experimental\": false,\n  \"insecure-registries\": [\"host.docker.internal:5000\"]\n}",
            &["docker desktop restart"][..],
        ),
        (
            // docs.orbstack.dev/docker, “Engine config”.
            EngineKind::OrbStack,
            Platform::MacOs,
            "home/.orbstack/config/docker.json",
            Some("{\"insecure-registries\":[\"a:1\"]}"),
            "{\"insecure-registries\":[\"a:1\", \"host.docker.internal:5000\"]}",
            &["orb restart docker"],
        ),
        (
            colima,
            Platform::MacOs,
            "home/.colima/default/colima.yaml",
            Some("cpu: 2\ndocker: {}\n"),
            "cpu: 2\ndocker: \n  # BEGIN dockline\n  # Written by Dockline, which replaces everything between these two markers.\n  insecure-registries:\n    - host.docker.internal:5000\n  # END dockline\n",
            &["colima restart --profile default"],
        ),
        (
            // docs.rancherdesktop.io, “Provisioning Scripts”.
            EngineKind::RancherDesktop,
            Platform::Windows,
            "home/AppData/Local/rancher-desktop/provisioning/dockline.start",
            None,
            "#!/bin/sh\n# Written by Dockline, which replaces this whole file.\nif [ ! -e /etc/docker/daemon.json ] || cmp -s /etc/docker/daemon.json /etc/docker/.dockline-daemon.json; then\n  mkdir -p /etc/docker\n  printf '%s\\n' '{\"insecure-registries\":[\"host.docker.internal:5000\"]}' > /etc/docker/.dockline-daemon.json\n  cp /etc/docker/.dockline-daemon.json /etc/docker/daemon.json\nfi\n",
            &["rdctl shutdown", "rdctl start"],
        ),
        (
            // containers-registries.conf.d(5), podman-machine-ssh(1).
            machine,
            Platform::MacOs,
            "home/.config/containers/registries.conf.d/dockline.conf",
            None,
            "# Written by Dockline, which replaces this whole file.\n\n[[registry]]\nlocation = \"host.containers.internal:5000\"\ninsecure = true\n",
            &[
                "podman machine ssh podman-machine-default printf %s '# Written by Dockline, which replaces this whole file.\n\n[[registry]]\nlocation = \"host.containers.internal:5000\"\ninsecure = true\n' | sudo tee /etc/containers/registries.conf.d/dockline.conf >/dev/null",
            ],
        ),
    ] {
        let scene = scene(platform);
        let path = scene.folder.path().join(file);
        if let Some(before) = before {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, before).unwrap();
        }
        let files = scene.files();
        let facts = facts(kind);
        let prepared = scene.prepare(std::slice::from_ref(&target), &facts);
        assert!(!prepared.plan.needs_admin() && prepared.system.is_empty(), "{:?}", prepared.plan);
        assert_eq!(commands(&prepared.plan), steps);
        assert!(prepared.plan.authorities[0].authority.ends_with(".internal:5000"));
        scene.carry_out(&prepared);
        assert_eq!(scene.text(file), after);
        let listed = listing(&facts, "host.docker.internal:5000");
        assert!(matches!(
            scene.prepare(std::slice::from_ref(&target), &listed).plan.verdict,
            SetupVerdict::AlreadySatisfied { .. }
        ));
        scene.carry_out(&scene.undo(&facts));
        assert_eq!(scene.files(), files);
    }
    let elsewhere = SetupTarget { localhost_port: None, ..target };
    let refused = scene(Platform::MacOs).prepare(&[elsewhere], &facts(EngineKind::DockerDesktop));
    assert_eq!(refusal(&refused).code, Code::EngineCannotReach);
}

#[test]
fn restarts_name_the_containers_that_stop() {
    let scene = scene(Platform::MacOs);
    let target = SetupTarget { localhost_port: Some(5000), ..target() };
    let plan = scene.prepare(std::slice::from_ref(&target), &facts(EngineKind::DockerDesktop)).plan;
    assert_eq!(plan.stops(), ["db", "web"]);
    assert!(plan.summary.ends_with("2 running containers stop."), "{}", plan.summary);
    let alive = EngineFacts { live_restore: true, ..facts(EngineKind::DockerDesktop) };
    assert!(scene.prepare(&[target], &alive).plan.stops().is_empty());
}

/// The file is right, and the engine's reload or restart after it failed: it is due as long as the engine says so.
#[test]
fn an_engine_that_does_not_go_by_its_file_is_told_again() {
    let target =
        SetupTarget { gateway: Some([172, 17, 0, 1].into()), localhost_port: Some(5000), ..target() };
    let colima = EngineKind::Colima { profile: "default".into() };
    for (kind, entry, command, stops) in [
        (EngineKind::DockerNative, "172.17.0.1:5000", "kill -HUP 4711", 0),
        (EngineKind::DockerSnap, "172.17.0.1:5000", "/usr/bin/snap restart docker", 2),
        (EngineKind::DockerRootless, "172.17.0.1:5000", "kill -HUP 4711", 0),
        (EngineKind::DockerDesktop, "host.docker.internal:5000", "docker desktop restart", 2),
        (EngineKind::OrbStack, "host.docker.internal:5000", "orb restart docker", 2),
        (colima, "host.docker.internal:5000", "colima restart --profile default", 2),
    ] {
        let scene = scene(Platform::Linux);
        let yaml = scene.folder.path().join("home/.colima/default/colima.yaml");
        fs::create_dir_all(yaml.parent().unwrap()).unwrap();
        fs::write(yaml, "docker: {}\n").unwrap();
        let facts = facts(kind);
        let first = scene.prepare(std::slice::from_ref(&target), &facts);
        scene.carry_out(&first);
        let again = scene.prepare(std::slice::from_ref(&target), &facts).plan;
        let SetupVerdict::Needed { why } = &again.verdict else { panic!("{again:?}") };
        assert!(why.contains(entry) && why.contains("does not go by it yet"), "{why}");
        assert!(again.changes.is_empty(), "{again:?}");
        assert_eq!((&again.steps, commands(&again)), (&first.plan.steps, vec![command.to_owned()]));
        assert_eq!(again.stops().len(), stops);
        assert!(again.summary.starts_with("The engine "), "{}", again.summary);
        // It goes by it.
        let listed = scene.prepare(std::slice::from_ref(&target), &listing(&facts, entry)).plan;
        assert!(matches!(listed.verdict, SetupVerdict::AlreadySatisfied { .. }), "{listed:?}");
        assert!(listed.steps.is_empty());
    }
}

#[test]
fn rootless_docker_needs_a_gateway_and_is_reloaded_by_its_own_systemd() {
    let scene = scene(Platform::Linux);
    let unit = SystemdUnit { name: "docker.service".into(), user: true };
    let facts = EngineFacts { unit: Some(unit), ..facts(EngineKind::DockerRootless) };
    let error = scene.prepare(&[target()], &facts);
    let hint = refusal(&error).hint.as_deref().unwrap();
    // A road that is there: the registry exists by now, so that adding it is none.
    assert!(hint.contains("dockline push IMAGE") && !hint.contains("dockline add"), "{hint}");
    assert!(hint.contains(PUSH_INSTEAD), "{hint}");
    let target = SetupTarget { gateway: Some([172, 17, 0, 1].into()), ..target() };
    let prepared = scene.prepare(&[target], &facts);
    assert!(!prepared.plan.needs_admin());
    assert_eq!(commands(&prepared.plan), ["systemctl --user reload docker.service"]);
    assert_eq!(prepared.plan.authorities[0].authority, "172.17.0.1:5000");
    scene.carry_out(&prepared);
    assert!(scene.text("home/.config/docker/daemon.json").contains("172.17.0.1:5000"));
    scene.carry_out(&scene.undo(&facts));
    assert_eq!(scene.text("home/.config/docker/daemon.json"), "{\n  \"insecure-registries\": []\n}\n");
}

#[test]
fn podman_is_told_by_name_and_warned_about_it() {
    for (kind, file) in [
        (EngineKind::Podman, "etc/containers/registries.conf.d/dockline.conf"),
        (EngineKind::PodmanRootless, "home/.config/containers/registries.conf.d/dockline.conf"),
    ] {
        let scene = scene(Platform::Linux);
        let facts = facts(kind);
        let prepared = scene.prepare(&[target()], &facts);
        assert!(prepared.plan.steps.is_empty());
        assert!(prepared.plan.changes[1].warnings[0].contains("in the clear"));
        scene.carry_out(&prepared);
        assert!(scene.text(file).contains("location = \"cr.boss.org:5000\"\ninsecure = true\n"));
        scene.carry_out(&scene.undo(&facts));
        assert_eq!(scene.files().len(), 1);
    }
}

#[test]
fn snap_and_windows_restart_what_they_have() {
    let target = SetupTarget { gateway: Some([172, 17, 0, 1].into()), ..target() };
    let snap = scene(Platform::Linux).prepare(std::slice::from_ref(&target), &facts(EngineKind::DockerSnap));
    assert_eq!(commands(&snap.plan), ["/usr/bin/snap restart docker"]);
    assert_eq!(snap.plan.stops(), ["db", "web"]);
    assert!(snap.plan.changes[1].path.ends_with("/var/snap/docker/current/config/daemon.json"));
    let windows = scene(Platform::Windows).prepare(&[target], &facts(EngineKind::DockerWindows));
    assert!(commands(&windows.plan)[0].ends_with("Restart-Service docker"));
    assert!(windows.plan.changes[1].path.ends_with("ProgramData/docker/config/daemon.json"));
}

/// `current` is a link wherever there is a snap; a refresh copies the folder and moves the link (snapd's documentation, “Data
/// locations”).
#[test]
fn the_snap_is_set_up_in_the_folder_of_its_revision_and_undone_in_that_of_another() {
    let scene = scene(Platform::Linux);
    let target = SetupTarget { gateway: Some([172, 17, 0, 1].into()), ..target() };
    let facts = facts(EngineKind::DockerSnap);
    let snap = scene.folder.path().join("var/snap/docker");
    let revision = |revision: &str| {
        fs::create_dir_all(snap.join(revision).join("config")).unwrap();
        fs::write(snap.join(revision).join("config/daemon.json"), "{}").unwrap();
        drop(fs::remove_file(snap.join("current")));
        std::os::unix::fs::symlink(revision, snap.join("current")).unwrap();
    };
    revision("2932");
    let prepared = scene.prepare(std::slice::from_ref(&target), &facts);
    assert!(
        prepared.plan.changes[1].path.ends_with("/var/snap/docker/2932/config/daemon.json"),
        "{:?}",
        prepared.plan
    );
    scene.carry_out(&prepared);
    let written = scene.text("var/snap/docker/2932/config/daemon.json");
    assert_eq!(written, "{\"insecure-registries\": [\"172.17.0.1:5000\"]}");
    // The snap is refreshed.
    revision("3000");
    fs::write(snap.join("3000/config/daemon.json"), &written).unwrap();
    let again = scene.prepare(std::slice::from_ref(&target), &listing(&facts, "172.17.0.1:5000"));
    assert!(matches!(again.plan.verdict, SetupVerdict::AlreadySatisfied { .. }), "{:?}", again.plan);
    scene.carry_out(&scene.undo(&facts));
    assert_eq!(scene.text("var/snap/docker/3000/config/daemon.json"), "{\"insecure-registries\": []}");
    assert!(applied(&scene.system, &scene.user).unwrap().is_empty());
    // Somebody's own link is not followed.
    fs::remove_file(snap.join("current")).unwrap();
    std::os::unix::fs::symlink("/etc", snap.join("current")).unwrap();
    let refused = scene.prepare(&[target], &facts);
    assert_eq!(refusal(&refused).code, Code::SettingsRefused);
    assert!(refusal(&refused).message.contains("one revision of the snap"), "{:?}", refused.plan);
}

/// At each start colima may write its file anew, without our markers; and it may have stopped, or its folder been moved.
#[test]
fn colima_is_undone_where_it_was_set_up_and_without_its_markers() {
    let scene = scene(Platform::MacOs);
    let target = SetupTarget { localhost_port: Some(5000), ..target() };
    let facts = facts(EngineKind::Colima { profile: "default".into() });
    let refused = scene.prepare(std::slice::from_ref(&target), &facts);
    assert_eq!(refusal(&refused).code, Code::SettingsRefused, "there is no colima.yaml");
    assert!(!scene.folder.path().join("home/.colima").exists());

    let told = scene.folder.path().canonicalize().unwrap().join("told");
    fs::create_dir_all(told.join("default")).unwrap();
    fs::write(told.join("default/colima.yaml"), "cpu: 2\ndocker: {}\n").unwrap();
    let user = Paths { colima: Some(told.clone()), ..scene.user.clone() };
    let prepared = prepare(std::slice::from_ref(&target), &facts, &scene.system, &user);
    let request = HelperRequest::Apply { changes: prepared.user.clone() };
    perform(&prepared.user_paths, &request, None).unwrap();
    assert!(scene.text("told/default/colima.yaml").contains("# BEGIN dockline"));
    let regenerated = "cpu: 2\ndocker:\n  insecure-registries:\n    - host.docker.internal:5000\n";
    fs::write(told.join("default/colima.yaml"), regenerated).unwrap();
    // Nothing tells now where colima has its folder; the record does.
    let undo = scene.undo(&EngineFacts { kind: EngineKind::None, ..facts.clone() });
    let [change] = undo.plan.changes.as_slice() else { panic!("{:?}", undo.plan) };
    assert_eq!(change.path, told.join("default/colima.yaml").display().to_string());
    // Nor would it be any help where the folder has been moved to its usual place.
    fs::rename(&told, scene.folder.path().join("home/.colima")).unwrap();
    scene.carry_out(&scene.undo(&facts));
    assert_eq!(scene.text("home/.colima/default/colima.yaml"), "cpu: 2\ndocker: {}\n");
    assert!(applied(&scene.system, &scene.user).unwrap().is_empty());
}

#[test]
fn a_builder_in_a_container_is_set_up_too() {
    let scene = scene(Platform::Linux);
    let builder = BuilderFacts {
        name: "mine".into(),
        endpoint: "default".into(),
        host_network: true,
        driver_options: vec!["network=host".into()],
    };
    let host = EngineFacts { builder: Some(builder.clone()), ..facts(EngineKind::DockerNative) };
    let prepared = scene.prepare(&[target()], &host);
    assert_eq!(
        commands(&prepared.plan),
        [
            "docker buildx rm mine",
            "docker buildx create --name mine --driver docker-container --driver-opt network=host --use default"
        ]
    );
    assert!(prepared.plan.steps.iter().all(|step| step.optional));
    scene.carry_out(&prepared);
    let text = scene.text("home/.docker/buildx/buildkitd.default.toml");
    assert!(text.contains("[registry.\"cr.boss.org:5000\"]\n  http = true\n"), "{text}");
    scene.carry_out(&scene.undo(&host));
    assert_eq!(scene.files().len(), 1);
    // Without the host's network and without a gateway it sees nothing, and is left alone.
    let alone = EngineFacts { builder: Some(BuilderFacts { host_network: false, ..builder }), ..host };
    let prepared = scene.prepare(&[target()], &alone);
    assert_eq!(prepared.plan.changes.len(), 1);
}

#[test]
fn what_cannot_be_set_up_is_refused_with_the_road_that_is_left() {
    let scene = scene(Platform::Linux);
    for (kind, code) in [
        (EngineKind::Remote { address: "ssh://a@b".into() }, Code::EngineCannotReach),
        (EngineKind::Unknown { name: "minikube".into() }, Code::EngineCannotReach),
        (EngineKind::None, Code::EngineUnavailable),
    ] {
        let prepared = scene.prepare(&[target()], &facts(kind));
        let error = refusal(&prepared);
        assert_eq!(error.code, code);
        // Without an engine there is no image to push, and an archive is what is left.
        let road = if code == Code::EngineUnavailable { "dockline push FILE.tar" } else { PUSH_INSTEAD };
        assert!(error.hint.as_deref().unwrap().contains(road), "{error:?}");
    }
    let gateway = SetupTarget { gateway: Some([172, 17, 0, 1].into()), ..target() };
    let flag =
        EngineFacts { flag_keys: vec!["insecure-registries".into()], ..facts(EngineKind::DockerNative) };
    let refused = scene.prepare(std::slice::from_ref(&gateway), &flag);
    assert_eq!(refusal(&refused).code, Code::SettingsRefused);
    assert!(refusal(&refused).message.contains("--insecure-registry"));
    // One file that cannot be changed: none is.
    fs::create_dir_all(scene.folder.path().join("etc/docker")).unwrap();
    fs::write(scene.folder.path().join("etc/docker/daemon.json"), "").unwrap();
    let refused = scene.prepare(&[gateway], &facts(EngineKind::DockerNative));
    assert!(refusal(&refused).message.contains("it is empty"), "{:?}", refused.plan);
}

#[test]
fn an_engine_that_was_told_another_daemon_json_gets_that_one_changed() {
    let scene = scene(Platform::Linux);
    let path = scene.folder.path().join("told.json");
    fs::write(&path, "{}").unwrap();
    let told =
        EngineFacts { config_file: Some(path.canonicalize().unwrap()), ..facts(EngineKind::DockerNative) };
    let target = SetupTarget { gateway: Some([172, 17, 0, 1].into()), ..target() };
    let prepared = scene.prepare(&[target], &told);
    scene.carry_out(&prepared);
    assert_eq!(scene.text("told.json"), "{\"insecure-registries\": [\"172.17.0.1:5000\"]}");
    scene.carry_out(&scene.undo(&told));
    assert_eq!(scene.text("told.json"), "{\"insecure-registries\": []}");
}

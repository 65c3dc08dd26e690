//! dockerd of the system: by name, from its containers, at a port of localhost, with containerd's image store, and over
//! TLS of a private authority.

use super::{NEEDS, all_reached, files};
use dockline_model::{
    Code, EngineKind, ImageStore, RegistryName, SettingsFile, SetupAction, SetupPlan, SetupReport,
    SetupVerdict,
};
use dockline_tests::lab::{
    self, Agent, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Workplace, Workstation,
};
use std::{
    fs,
    net::Ipv4Addr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

/// A workstation's files can be read and written.
const OURS: &str = "the workstation's /etc is ours";

/// A machine with the system's dockerd, a bridge for containers, and an agent with one registry.
struct Machine {
    _agent: Agent,
    name: RegistryName,
    gateway: Ipv4Addr,
    dockline: Dockline,
    dockerd: Dockerd,
    workstation: Arc<Workstation>,
}

impl Machine {
    fn start(destination: &str, identity: &[&str], dockerd_arguments: &[&str]) -> Self {
        let workstation = Workstation::start();
        let (bridge, gateway) = workstation.bridge();
        let dockerd = Dockerd::of_system(&workstation, &bridge, dockerd_arguments);
        let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
        let name = lab::unique_registry_name("cr");
        let address = gateway.to_string();
        let words = ["add", name.as_str(), "--ssh", destination, "--gateway", &address];
        dockline.run(&[&words, identity].concat()).expect_success();
        let agent = dockline.agent();
        Self { _agent: agent, name, gateway, dockline, dockerd, workstation }
    }

    /// With a host that answers.
    fn with(host: &RegistryHost) -> Self {
        let identity = host.identity().display().to_string();
        let machine = Self::start(&host.destination(), &["--identity", &identity], &[]);
        machine.dockline.trust(&host.known_hosts_line());
        machine
    }

    fn daemon_json(&self) -> PathBuf {
        self.workstation.path("/etc/docker/daemon.json")
    }

    fn plan(&self, arguments: &[&str]) -> SetupPlan {
        self.dockline.json(&[&["setup", "--plan"], arguments].concat()).expect_success().read()
    }

    fn apply(&self, arguments: &[&str]) -> SetupReport {
        self.dockline.json(&[&["setup", "--yes"], arguments].concat()).expect_success().read()
    }

    fn insecure(&self) -> String {
        self.dockerd.run_docker(&["info", "--format", "{{json .RegistryConfig.IndexConfigs}}"])
    }

    fn pid(&self) -> i32 {
        self.dockerd.daemon().pid().as_raw()
    }
}

#[test]
fn dockerd_pushes_by_name_and_from_containers_and_an_undo_leaves_nothing() {
    if !lab::requires(&[NEEDS, &[Need::Program("skopeo"), Need::Program("ldd")]].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let machine = Machine::with(&host);
    let (dockerd, name, gateway) = (&machine.dockerd, &machine.name, machine.gateway);
    let hosts_before = fs::read(machine.workstation.hosts_path()).unwrap();
    let pid = machine.pid();

    // A plan changes nothing.
    let plan = machine.plan(&[]);
    assert_eq!(plan.engine.kind, EngineKind::DockerNative);
    assert!(matches!(plan.verdict, SetupVerdict::Needed { .. }), "{plan:?}");
    assert_eq!(files(&plan), [SettingsFile::Hosts, SettingsFile::DaemonJson]);
    assert!(plan.stops().is_empty(), "a reload serves: {plan:?}");
    assert_eq!(fs::read(machine.workstation.hosts_path()).unwrap(), hosts_before);
    assert!(!machine.daemon_json().exists());
    // Nobody to ask, and no yes: the same.
    machine.dockline.run(&["setup"]).expect_status(11);
    assert!(!machine.daemon_json().exists());

    let report = machine.apply(&[]);
    assert!(all_reached(&report), "{report:?}");
    assert!(report.summary.contains("docker push works here"), "{}", report.summary);
    assert_eq!(machine.pid(), pid, "dockerd was restarted");
    assert!(machine.insecure().contains(&format!("{gateway}:5000")), "{}", machine.insecure());
    assert!(!machine.insecure().contains(name.as_str()), "a loopback alias must fail closed elsewhere");

    let by_name = format!("{name}:5000/team/app:v1");
    dockerd.build_image(&by_name, &[1000]);
    dockerd.run_docker(&["push", &by_name]);
    assert!(host.manifest_digest("team/app", "v1").is_some());
    let by_gateway = format!("{gateway}:5000/team/app:v2");
    dockerd.run_docker(&["tag", &by_name, &by_gateway]);
    dockerd.run_docker(&["push", &by_gateway]);
    assert_eq!(host.manifest_digest("team/app", "v2"), host.manifest_digest("team/app", "v1"));
    push_from_a_container(&machine, &host);

    // Once more is nothing more.
    let again = machine.plan(&[]);
    assert!(matches!(again.verdict, SetupVerdict::AlreadySatisfied { .. }), "{again:?}");
    let satisfied = machine.dockline.json(&["setup", "--yes"]).expect_success();
    assert!(matches!(satisfied.read::<SetupPlan>().verdict, SetupVerdict::AlreadySatisfied { .. }));

    // Back, one change first.
    let one: SetupReport = machine
        .dockline
        .json(&["setup", "--yes", "--undo", "/etc/docker/daemon.json"])
        .expect_success()
        .read();
    assert_eq!(one.action, SetupAction::Undo);
    assert!(!machine.insecure().contains(&format!("{gateway}:5000")), "{}", machine.insecure());
    let refused = dockerd.try_docker(&["push", &by_gateway]);
    assert!(!refused.status.success() && refused.stderr.contains("HTTPS"), "{refused:?}");
    dockerd.run_docker(&["push", &by_name]);
    assert_ne!(fs::read(machine.workstation.hosts_path()).unwrap(), hosts_before);

    let all = machine.apply(&["--undo"]);
    assert_eq!(all.failure(), None);
    assert_eq!(fs::read(machine.workstation.hosts_path()).unwrap(), hosts_before);
    assert_eq!(machine.pid(), pid);
    let nothing = machine.plan(&["--undo"]);
    assert!(matches!(nothing.verdict, SetupVerdict::AlreadySatisfied { .. }), "{nothing:?}");

    refuses_what_cannot_be_changed_safely(&machine);

    // Removing the registry offers to take back what was set up for it; without a terminal it says how.
    let removed = machine.dockline.run(&["remove", name.as_str()]).expect_success();
    assert!(removed.stderr.contains("dockline setup --undo"), "{}", removed.stderr);
}

/// With skopeo in a real container on the bridge, which nobody told of anything but the address.
fn push_from_a_container(machine: &Machine, host: &RegistryHost) {
    let dockerd = &machine.dockerd;
    dockerd.import_programs("pusher:1", &["skopeo"]);
    let archive = machine.workstation.folder().join("app.tar");
    let archive = archive.display().to_string();
    dockerd.run_docker(&["save", "--output", &archive, &format!("{}:5000/team/app:v1", machine.name)]);
    let volume = format!("{archive}:/app.tar:ro");
    let to = format!("docker://{}:5000/team/from-container:v1", machine.gateway);
    dockerd.run_docker(&[
        "run",
        "--rm",
        "--volume",
        &volume,
        "pusher:1",
        "skopeo",
        "--insecure-policy",
        "copy",
        "--dest-tls-verify=false",
        "docker-archive:/app.tar",
        &to,
    ]);
    assert!(host.manifest_digest("team/from-container", "v1").is_some());
}

/// What dockerd would not read, and what nobody could take back, stays as it is.
fn refuses_what_cannot_be_changed_safely(machine: &Machine) {
    let path = machine.daemon_json();
    fs::create_dir_all(machine.workstation.path("/etc/docker")).expect(OURS);
    for (what, bytes) in [
        ("not JSON", &b"{\"debug\": true,}"[..]),
        ("empty", b""),
        ("a byte order mark", b"\xef\xbb\xbf{\"debug\": true}"),
        ("a key twice", b"{\"insecure-registries\": [], \"insecure-registries\": [\"a:1\"]}"),
        ("not an object", b"[]"),
        ("no list", b"{\"insecure-registries\": \"a:1\"}"),
    ] {
        fs::write(&path, bytes).expect(OURS);
        let refused = machine.dockline.json(&["setup", "--yes"]);
        let error = refused.expect_status(10).error();
        assert_eq!(error.code, Code::SettingsRefused, "{what}: {error:?}");
        assert!(error.message.contains("/etc/docker/daemon.json"), "{what}: {}", error.message);
        assert_eq!(fs::read(&path).expect(OURS), bytes, "{what}: the file was touched");
        assert!(!machine.workstation.hosts().contains(machine.name.as_str()), "{what}: half of it was done");
        machine.dockerd.run_docker(&["version"]);
    }
    // What else is in the file stays, to the letter.
    let odd = "{\n\t\"debug\" : true,\r\n  \"log-level\":\"warn\" }\n";
    fs::write(&path, odd).expect(OURS);
    machine.apply(&[]);
    let changed = fs::read_to_string(&path).expect(OURS);
    assert!(
        changed.contains("\t\"debug\" : true,\r\n") && changed.contains("insecure-registries"),
        "{changed}"
    );
    assert!(machine.insecure().contains(&format!("{}:5000", machine.gateway)));
}

#[test]
fn a_key_that_is_a_flag_too_is_refused_since_dockerd_would_not_start_again() {
    if !lab::requires(&[Need::Root, Need::Dockerd]) {
        return;
    }
    let machine = Machine::start("nobody@127.0.0.1", &[], &["--insecure-registry=10.9.9.9:5000"]);
    let error = machine.dockline.json(&["setup", "--yes"]).expect_status(10).error();
    assert_eq!(error.code, Code::SettingsRefused);
    assert!(error.message.contains("--insecure-registry"), "{}", error.message);
    assert!(!machine.daemon_json().exists());
}

#[test]
fn the_containerd_store_pushes_by_name() {
    if !lab::requires(&[NEEDS, &[Need::NewerDocker]].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { workstation, dockerd, dockline } = Workplace::with(Dockerd::newer);
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let image = format!("{name}:5000/team/app:v1");
    dockerd.build_image(&image, &[100]);

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert_eq!(plan.engine.image_store, ImageStore::Containerd);
    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    dockerd.run_docker(&["push", &image]);
    assert!(host.manifest_digest("team/app", "v1").is_some());
    assert_eq!(
        fs::read_to_string(workstation.path("/etc/docker/daemon.json")).unwrap(),
        lab::CONTAINERD_STORE
    );

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    assert!(!dockerd.try_docker(&["push", &image]).status.success());
    assert!(!workstation.path(&format!("/etc/docker/certs.d/{name}:5000")).exists());
}

#[test]
fn dockerd_of_this_machine_pushes_to_a_port_of_localhost() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let name = lab::unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    let port = lab::free_port();
    dockline.add_as(&name, &host, &["--localhost-port", &port.to_string()]);
    let _agent = dockline.agent();
    let image = format!("localhost:{port}/team/app:v1");
    dockerd.build_image(&image, &[100]);
    dockerd.run_docker(&["push", &image]);
    assert!(host.manifest_digest("team/app", "v1").is_some());

    // A port that somebody has is told, and the registry's own address works on.
    let taken = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken_port = taken.local_addr().unwrap().port();
    let text = fs::read_to_string(dockline.config_file()).unwrap();
    fs::write(dockline.config_file(), text.replace(&port.to_string(), &taken_port.to_string())).unwrap();
    let mut watcher = lab::Watcher::join(&dockline);
    let patience = Duration::from_secs(20);
    let view = watcher.wait_for(&name, "short of a port", patience, |view| view.localhost_error.is_some());
    assert_eq!(view.localhost_error.unwrap().code, Code::PortInUse);
    assert_eq!(view.listener_error, None);
    let refused = dockerd.try_docker(&["push", &image]);
    assert!(!refused.status.success(), "{refused:?}");
    drop(taken);
    watcher.wait_for(&name, "listening there", patience, |view| view.localhost_error.is_none());
}

/// Engines remember a name for five seconds after it is gone; until then its port must not become somebody else's.
#[test]
fn the_port_is_given_up_six_seconds_after_the_name() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let listener = dockline.snapshot().registries.remove(0).spec.listen();
    dockline.json(&["setup", "--yes"]).expect_success();
    let image = format!("{name}:5000/team/app:v1");
    dockerd.build_image(&image, &[100]);
    dockerd.run_docker(&["push", &image]);

    let before = Instant::now();
    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    dockline.run(&["remove", name.as_str()]).expect_success();
    assert!(dockline.snapshot().registries.is_empty());
    while std::net::TcpStream::connect(listener).is_ok() {
        assert!(before.elapsed() < Duration::from_secs(30), "the port is never given up");
        // Whoever dockerd would turn to now is still Dockline.
        dockerd.try_docker(&["push", &image]);
    }
    assert!(before.elapsed() >= Duration::from_secs(6), "given up after {:?}", before.elapsed());
    let after = dockerd.try_docker(&["push", &image]);
    assert!(!after.status.success(), "{after:?}");
}

/// The registry speaks TLS with a certificate that only a private authority vouches for.
#[test]
fn a_private_authority_is_made_known_to_the_engine_and_forgotten_again() {
    if !lab::requires(&[NEEDS, &[Need::NewerDocker]].concat()) {
        return;
    }
    let workstation = Workstation::start();
    let name = lab::unique_registry_name("cr");
    let tls_names = vec![name.to_string()];
    let host = RegistryHost::with(RegistryHostOptions { tls_names, ..RegistryHostOptions::default() });
    // dockerd with containerd's store checks the certificates of loopback registries; the classic one does not.
    let dockerd = Dockerd::newer(&workstation);
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &[]);
    let _agent = dockline.agent();
    let image = format!("{name}:5000/team/app:v1");
    dockerd.build_image(&image, &[100]);

    let ca = host.authority().certificate().display().to_string();
    let plan: SetupPlan =
        dockline.json(&["setup", name.as_str(), "--ca", &ca, "--plan"]).expect_success().read();
    assert_eq!(files(&plan), [SettingsFile::Hosts, SettingsFile::RegistryCertificate], "{plan:?}");
    let report: SetupReport =
        dockline.json(&["setup", name.as_str(), "--ca", &ca, "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    dockerd.run_docker(&["push", &image]);
    assert!(host.manifest_digest("team/app", "v1").is_some());
    let folder = workstation.path(&format!("/etc/docker/certs.d/{name}:5000"));
    let written = fs::read_to_string(folder.join("ca.crt")).unwrap();
    assert!(written.ends_with(fs::read_to_string(&ca).unwrap().trim_start()), "{written}");

    // It is kept: the next plan knows it without being told, though the file it came from is gone.
    let kept =
        dockline.snapshot().registries.remove(0).spec.ca.expect("the configuration names a certificate");
    assert!(kept.starts_with(dockline.home()), "{}", kept.display());
    let again: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert!(matches!(again.verdict, SetupVerdict::AlreadySatisfied { .. }), "{again:?}");

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    assert!(!folder.exists());
    let pushed = dockerd.try_docker(&["push", &image]);
    assert!(!pushed.status.success(), "{pushed:?}");
    // The name alone is not enough: it is the certificate that is refused.
    let hosts = fs::read_to_string(workstation.hosts_path()).unwrap();
    let address = dockline.snapshot().registries.remove(0).spec.address;
    fs::write(workstation.hosts_path(), format!("{hosts}{address} {name}\n")).unwrap();
    // dockerd looks at the hosts file again within five seconds.
    let deadline = Instant::now() + Duration::from_secs(10);
    let refused = loop {
        let refused = dockerd.try_docker(&["push", &image]);
        assert!(!refused.status.success(), "{refused:?}");
        if refused.stderr.contains("certificate") || Instant::now() > deadline {
            break refused;
        }
    };
    assert!(refused.stderr.contains("certificate"), "{refused:?}");
}

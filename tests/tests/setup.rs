//! “Make docker push work here” with real engines: what is planned, what is written, what the engine says, and that an
//! undo leaves nothing. Each machine is a workstation with an `/etc` of its own.

use dockline_model::{
    CheckOutcome, Code, EngineKind, RegistryName, SettingsFile, SetupAction, SetupPlan, SetupReport,
    SetupVerdict,
};
use dockline_tests::lab::{
    self, Agent, Dockerd, Dockline, Need, Person, Podman, RegistryHost, RootlessDockerd, Workstation,
};
use std::{fs, net::Ipv4Addr, path::PathBuf, sync::Arc};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];

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

fn files(plan: &SetupPlan) -> Vec<SettingsFile> {
    plan.changes.iter().map(|change| change.file).collect()
}

fn all_reached(report: &SetupReport) -> bool {
    !report.checks.is_empty()
        && report.checks.iter().all(|check| check.outcome == CheckOutcome::Reached { login_wanted: false })
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
fn dockerd_without_root_is_recognised_and_reaches_the_registry_by_the_gateway() {
    const ROOTLESS: &[Need] = &[
        Need::Program("rootlesskit"),
        Need::Program("slirp4netns"),
        Need::Program("newuidmap"),
        Need::File(lab::ROOTLESS_SCRIPT),
    ];
    if !lab::requires(&[NEEDS, ROOTLESS].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let (_, gateway) = workstation.bridge();
    let ann = Person::on(&workstation);
    let dockerd = RootlessDockerd::start(&ann);
    let dockline = Dockline::of(&ann).with_engine(dockerd.endpoint());
    let name = lab::unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &["--gateway", &gateway.to_string()]);
    let _agent = dockline.agent();

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert_eq!(plan.engine.kind, EngineKind::DockerRootless);
    let daemon_json = ann.home().join(".config/docker/daemon.json");
    assert!(!daemon_json.exists());
    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    let authority = format!("{gateway}:5000");
    assert!(fs::read_to_string(&daemon_json).unwrap().contains(&authority));
    assert!(
        !workstation.hosts().contains(name.as_str()),
        "the name leads to a loopback that this engine has not"
    );

    let image = format!("{authority}/team/app:v1");
    let context = ann.home().join("context");
    fs::create_dir(&context).unwrap();
    fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n").unwrap();
    ann.owns(&context);
    dockerd.try_docker(&["build", "-t", &image, &context.display().to_string()]).expect_success();
    dockerd.try_docker(&["push", &image]).expect_success();
    assert!(host.manifest_digest("team/app", "v1").is_some());

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    let refused = dockerd.try_docker(&["push", &image]);
    assert!(!refused.status.success() && refused.stderr.contains("HTTPS"), "{refused:?}");
}

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

/// `DOCKLINE_TEST_CONTAINERD_STORE` names the folder where somebody unpacked such an engine.
#[test]
#[ignore = "Debian 12 has no dockerd with containerd's image store; docs/platforms.md says how this is run"]
fn the_containerd_store_pushes_by_name() {
    if !lab::requires(NEEDS) {
        return;
    }
    let root = std::env::var_os("DOCKLINE_TEST_CONTAINERD_STORE").map(PathBuf::from);
    let root = root.expect("DOCKLINE_TEST_CONTAINERD_STORE names the folder of an unpacked Docker");
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let features = "{\"features\": {\"containerd-snapshotter\": true}}\n";
    fs::create_dir_all(workstation.path("/etc/docker")).unwrap();
    fs::write(workstation.path("/etc/docker/daemon.json"), features).unwrap();
    let dockerd = Dockerd::unpacked(&workstation, &root);
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let image = format!("{name}:5000/team/app:v1");
    dockerd.build_image(&image, &[100]);

    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    dockerd.run_docker(&["push", &image]);
    assert!(host.manifest_digest("team/app", "v1").is_some());
    assert_eq!(fs::read_to_string(workstation.path("/etc/docker/daemon.json")).unwrap(), features);

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    assert!(!dockerd.try_docker(&["push", &image]).status.success());
    assert!(!workstation.path(&format!("/etc/docker/certs.d/{name}:5000")).exists());
}

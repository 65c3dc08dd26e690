//! “Make docker push work here” with real engines: what is planned, what is written, what the engine says, and that an
//! undo leaves nothing. Each machine is a workstation with an `/etc` of its own.

use dockline_model::{
    CheckOutcome, Code, EngineKind, ImageStore, RegistryName, Road, SettingsFile, SetupAction, SetupPlan,
    SetupReport, SetupVerdict, TransferView,
};
use dockline_tests::lab::{
    self, Agent, DesktopMachine, Dockerd, Dockline, Finished, Need, Person, Podman, RegistryHost,
    RegistryHostOptions, RootlessDockerd, Workstation,
};
use std::{
    fs,
    io::Read as _,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];

const ROOTLESS_DOCKER: &[Need] = &[
    Need::Program("rootlesskit"),
    Need::Program("slirp4netns"),
    Need::Program("newuidmap"),
    Need::File(lab::ROOTLESS_SCRIPT),
];

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
    if !lab::requires(&[NEEDS, ROOTLESS_DOCKER].concat()) {
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

    dockerd.try_docker(&["tag", &image, "own:v1"]).expect_success();
    goes_through_the_engine(&dockline, &name, &host, |arguments| dockerd.try_docker(arguments));

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    let refused = dockerd.try_docker(&["push", &image]);
    assert!(!refused.status.success() && refused.stderr.contains("HTTPS"), "{refused:?}");
}

/// Without a gateway address there is no way from that engine's network to the registry: setup says so, and the images
/// go directly.
#[test]
fn dockerd_without_root_and_without_a_gateway_is_told_of_the_road_that_is_left() {
    if !lab::requires(&[NEEDS, ROOTLESS_DOCKER].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let ann = Person::on(&workstation);
    let dockerd = RootlessDockerd::start(&ann);
    let dockline = Dockline::of(&ann).with_engine(dockerd.endpoint());
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let error = dockline.json(&["setup", "--plan"]).error();
    assert_eq!(error.code, Code::EngineCannotReach);
    assert!(error.hint.as_deref().unwrap_or_default().contains("--gateway"), "{error:?}");
    let context = ann.home().join("context");
    fs::create_dir(&context).unwrap();
    let layers: String = (0..10).map(|layer| format!("COPY Dockerfile /{layer}\n")).collect();
    fs::write(context.join("Dockerfile"), format!("FROM scratch\n{layers}")).unwrap();
    ann.owns(&context);
    dockerd.try_docker(&["build", "-t", "own:v1", &context.display().to_string()]).expect_success();
    let docker = |arguments: &[&str]| dockerd.try_docker(arguments);
    pushes_without_the_engines_way(&dockline, &name, &host, docker, &context);
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

#[test]
fn the_containerd_store_pushes_by_name() {
    if !lab::requires(&[NEEDS, &[Need::NewerDocker]].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let dockerd = Dockerd::newer(&workstation);
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
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

/// The engine of Docker Desktop, as far as it can be had here: see [`DesktopMachine`].
#[test]
fn an_engine_in_a_machine_pushes_through_a_port_of_127_0_0_1() {
    if !lab::requires(&[NEEDS, &[Need::Program("slirp4netns")]].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let dockline = Dockline::on(&workstation);
    let desktop = DesktopMachine::start(dockline.folder());
    let dockerd = desktop.dockerd();
    let dockline = dockline.with_engine(dockerd.endpoint());
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    let own = dockline.snapshot().registries.remove(0).spec;
    dockerd.build_image("own:v1", &[20; 10]);
    let context = dockline.folder().join("context");
    fs::create_dir(&context).unwrap();
    let docker = |arguments: &[&str]| dockerd.try_docker(arguments);
    pushes_without_the_engines_way(&dockline, &name, &host, docker, &context);
    assert_eq!(desktop.asks(&format!("http://{}/v2/", own.listen())), "000", "it sees our loopback");

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert_eq!(plan.engine.kind, EngineKind::DockerDesktop);
    assert_eq!(files(&plan), [SettingsFile::DaemonJson], "{plan:?}");
    let [listener] = plan.listens.as_slice() else { panic!("{plan:?}") };
    let port = listener.port;
    assert_eq!(plan.authorities[0].authority, format!("host.docker.internal:{port}"));
    assert_eq!(dockline.snapshot().registries[0].spec.localhost_port, None, "a plan changes nothing");
    let settings = dockline.folder().join(".docker/daemon.json");
    assert!(!settings.exists());

    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    assert!(fs::read_to_string(&settings).unwrap().contains(&format!("host.docker.internal:{port}")));
    let view = dockline.snapshot().registries.remove(0);
    assert_eq!((view.spec.localhost_port, view.tunnel.localhost_error), (Some(port), None));
    let listed = dockline.run(&["list"]).expect_success().stdout;
    assert!(listed.contains(&format!("127.0.0.1:{port}")), "{listed}");

    let image = format!("host.docker.internal:{port}/team/app:v1");
    dockerd.build_image(&image, &[1000]);
    dockerd.run_docker(&["push", &image]);
    assert!(host.manifest_digest("team/app", "v1").is_some());
    // Other names are another's there, too.
    let stranger = format!("http://10.0.2.2:{port}/v2/");
    assert_eq!(desktop.asks(&stranger), "403");

    // Dockline's own pushes and pulls through this engine go the same way, and leave no name behind.
    goes_through_the_engine(&dockline, &name, &host, docker);

    // The port stays what it is, and nothing is left to do.
    let again: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    assert!(matches!(again.verdict, SetupVerdict::AlreadySatisfied { .. }), "{again:?}");
    assert!(again.listens.is_empty());
    assert_eq!(again.authorities, plan.authorities);

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    let refused = dockerd.try_docker(&["push", &image]);
    assert!(!refused.status.success() && refused.stderr.contains("HTTPS"), "{refused:?}");
}

/// Nothing is set up, and the engine cannot get to the registry: its image goes there all the same, from Dockline. The
/// engine's own road says what is missing.
fn pushes_without_the_engines_way(
    dockline: &Dockline,
    name: &RegistryName,
    host: &RegistryHost,
    docker: impl Fn(&[&str]) -> Finished,
    context: &Path,
) {
    let words = ["push", "own:v1", name.as_str()];
    let refused = dockline.json(&[&words[..], &["--engine"]].concat()).error();
    assert_eq!(refused.code, Code::EngineCannotReach, "{refused:?}");
    assert!(refused.hint.as_deref().unwrap_or_default().contains("dockline setup"), "{refused:?}");
    assert_eq!(host.manifest_digest("own", "v1"), None);
    dockline.run(&words).expect_success();
    assert!(host.manifest_digest("own", "v1").is_some());
    // On a slow line the engine's road would be taken if there were one: it begins to send at once. The first of these
    // images finds out how slow the line is.
    host.limit_link("100mbit");
    for tag in ["v2", "v3"] {
        let mut noise = vec![0; 3 << 20];
        fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut noise)).expect("noise");
        fs::write(context.join("noise"), noise).expect("the test's folder");
        fs::write(context.join("Dockerfile"), "FROM scratch\nCOPY noise /\n").expect("the test's folder");
        let image = format!("own:{tag}");
        docker(&["build", "-t", &image, &context.display().to_string()]).expect_success();
        dockline.run(&["push", &image, name.as_str()]).expect_success();
        assert!(host.manifest_digest("own", tag).is_some());
    }
    let last = dockline
        .snapshot()
        .transfers
        .into_iter()
        .max_by_key(|transfer| transfer.id.0)
        .expect("one was pushed");
    assert_eq!(last.road, Road::Direct, "{last:?}");
    let is_right = |why: &str| why.contains("does not see") || why.contains("virtual machine");
    let why = last.why.unwrap_or_default();
    assert!(is_right(&why), "{why}");

    // And back, in the same way.
    let id = |name: &str| docker(&["image", "inspect", "--format", "{{.Id}}", name]).stdout.trim().to_owned();
    let pushed = id("own:v2");
    docker(&["rmi", "--force", "own:v2"]).expect_success();
    let reference = format!("{name}/own:v2");
    let view: TransferView = dockline.json(&["pull", &reference]).expect_success().read();
    assert_eq!(view.road, Road::Direct);
    assert!(view.why.as_deref().is_some_and(is_right), "{:?}", view.why);
    assert_eq!(id(&format!("{name}:5000/own:v2")), pushed);
}

/// `dockline push --engine` and `dockline pull` with an engine that does not see this machine's loopback.
fn goes_through_the_engine(
    dockline: &Dockline,
    name: &RegistryName,
    host: &RegistryHost,
    docker: impl Fn(&[&str]) -> Finished,
) {
    let names = || {
        let listed = docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]).expect_success().stdout;
        listed.lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    let before = names();
    let own = before.iter().find(|image| image.ends_with("own:v1")).expect("the test built it").clone();
    let to = format!("{name}/through/engine:v2");
    dockline.run(&["push", &own, &to, "--engine"]).expect_success();
    assert!(host.manifest_digest("through/engine", "v2").is_some());
    assert_eq!(names(), before, "a name that was only for the way is gone");
    dockline.run(&["pull", &to]).expect_success();
    let after: Vec<String> = names().difference(&before).cloned().collect();
    assert_eq!(after, [format!("{name}:5000/through/engine:v2")], "it is called after the registry");
}

#[test]
fn dockerd_of_this_machine_pushes_to_a_port_of_localhost() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let dockerd = Dockerd::start(&workstation);
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
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

/// A BuildKit builder reads a file of its own, once, when it is made.
#[test]
fn the_builder_that_buildx_uses_gets_the_registry_when_it_is_made_anew() {
    if !lab::requires(&[NEEDS, &[Need::NewerDocker]].concat()) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let dockerd = Dockerd::newer(&workstation);
    let config = dockerd.client_folder();
    let dockline = Dockline::on(&workstation)
        .with_engine(dockerd.endpoint())
        .with_environment([("DOCKER_CONFIG", config.as_os_str())]);
    let name = dockline.add(&host);
    let _agent = dockline.agent();
    // A builder that was made before, and a file that somebody wrote for others.
    fs::create_dir_all(config.join("buildx")).unwrap();
    let theirs = "debug = true\n[registry.\"other.example:5000\"]\n  http = true\n";
    let default = config.join("buildx/buildkitd.default.toml");
    fs::write(&default, theirs).unwrap();
    let create = ["buildx", "create", "--name", "theirs", "--driver", "docker-container"];
    dockerd.run_docker(&[&create[..], &["--driver-opt", "network=host", "--use"]].concat());

    let plan: SetupPlan = dockline.json(&["setup", "--plan"]).expect_success().read();
    let builder = plan.engine.builder.clone().expect("buildx's choice is found");
    assert_eq!((builder.name.as_str(), builder.host_network), ("theirs", true));
    assert!(files(&plan).contains(&SettingsFile::BuilderConfig), "{plan:?}");
    let report: SetupReport = dockline.json(&["setup", "--yes"]).expect_success().read();
    assert!(all_reached(&report), "{report:?}");
    let merged = fs::read_to_string(&default).unwrap();
    assert!(
        merged.starts_with(theirs) && merged.contains(&format!("[registry.\"{name}:5000\"]")),
        "{merged}"
    );
    // What Dockline offers, done: the same builder again, with the file as it is now.
    let offered: Vec<_> = plan.steps.iter().filter(|step| step.optional).collect();
    assert_eq!(offered.len(), 2, "{plan:?}");
    for step in offered {
        let words: Vec<&str> = step.command.iter().skip(1).map(String::as_str).collect();
        dockerd.run_docker(&words);
    }
    let made = fs::read_to_string(config.join("buildx/instances/theirs")).unwrap();
    let made: serde_json::Value = serde_json::from_str(&made).unwrap();
    let node = &made["Nodes"][0];
    assert_eq!(node["DriverOpts"]["network"], "host", "{made}");
    let own = dockerd.run_docker(&["buildx", "inspect", "theirs"]);
    assert!(own.contains("docker-container"), "{own}");
    assert!(made.to_string().contains("buildkitd.toml"), "made without the file: {made}");

    dockline.json(&["setup", "--yes", "--undo"]).expect_success();
    assert_eq!(fs::read_to_string(&default).unwrap(), theirs);
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

/// Engines remember a name for five seconds after it is gone; until then its port must not become somebody else's.
#[test]
fn the_port_is_given_up_six_seconds_after_the_name() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let workstation = Workstation::start();
    let dockerd = Dockerd::start(&workstation);
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
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

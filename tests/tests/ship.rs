//! An image shipped into the Docker of a host that has no registry: real sshd and a second dockerd in a network of
//! their own.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use dockline_model::{Code, LayerState, TransferKind, TransferState, TransferView, UiError};
use dockline_tests::lab::{
    self, Daemon, Dockerd, Dockline, Gate, Need, RegistryHost, RegistryHostOptions, Workplace, Workstation,
    try_run,
};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Command,
    time::{Duration, Instant},
};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Dockerd];
const PATIENCE: Duration = Duration::from_secs(120);

/// A host with Docker and sshd, and no registry.
struct Production {
    host: RegistryHost,
    dockerd: Dockerd,
}

impl Production {
    fn start(also_authorized: &str) -> Self {
        Self::with(also_authorized, |endpoint| format!("SetEnv DOCKER_HOST={endpoint}\n"))
    }

    fn with(also_authorized: &str, sshd_config: impl FnOnce(&str) -> String) -> Self {
        let workstation = Workstation::start();
        let endpoint = format!("unix://{}", workstation.folder().join("docker/docker.sock").display());
        let host = RegistryHost::with(RegistryHostOptions {
            without_registry: true,
            also_authorized: also_authorized.to_owned(),
            sshd_config: sshd_config(&endpoint),
            ..RegistryHostOptions::default()
        });
        let dockerd = Dockerd::in_network(&workstation, &host.network());
        assert_eq!(dockerd.endpoint(), endpoint);
        Self { host, dockerd }
    }

    /// Everything that the Docker there calls by a name.
    fn names(&self) -> Vec<String> {
        let listed = self.dockerd.run_docker(&["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
        listed.lines().map(str::to_owned).filter(|name| name != "<none>:<none>").collect()
    }

    /// Ports of its loopback at which it is offered something.
    fn offered(&self) -> Vec<u16> {
        let listening =
            try_run(Command::new("ip").args(["netns", "exec", &self.host.network(), "ss", "-Hltn"])).stdout;
        let at = |line: &str| line.split_whitespace().nth(3)?.strip_prefix("127.0.0.1:")?.parse::<u16>().ok();
        listening.lines().filter_map(at).filter(|port| *port >= 60_000).collect()
    }

    /// What shipping has left there: names, ports that are listened at, programs.
    #[track_caller]
    fn must_be_clean(&self) {
        let began = Instant::now();
        loop {
            let names: Vec<String> =
                self.names().into_iter().filter(|name| name.starts_with("127.0.0.1:")).collect();
            let ports = self.offered();
            if names.is_empty() && ports.is_empty() && self.host.sessions() == 0 {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "left behind: {names:?} {ports:?}, {} sessions",
                self.host.sessions()
            );
        }
    }
}

/// Somebody's laptop with Docker.
struct Laptop {
    dockline: Dockline,
    dockerd: Dockerd,
}

impl Laptop {
    fn start(hosts: &[&Production]) -> Self {
        let Workplace { dockerd, dockline, .. } = Workplace::start();
        for production in hosts {
            dockline.trust(&production.host.known_hosts_line());
        }
        Self { dockline, dockerd }
    }

    fn arguments(image: &str, hosts: &[&Production]) -> Vec<String> {
        let mut arguments = vec!["ship".to_owned(), image.to_owned()];
        arguments.extend(hosts.iter().map(|production| production.host.destination()));
        arguments.extend(["--identity".to_owned(), hosts[0].host.identity().display().to_string()]);
        arguments
    }

    #[track_caller]
    fn ship(&self, image: &str, host: &Production) -> TransferView {
        let arguments = Self::arguments(image, &[host]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.dockline.json(&arguments).expect_success().read()
    }

    /// The archives that are on their way.
    fn archives(&self) -> usize {
        let folder = self.dockline.state_dir().join("shipping");
        let Ok(entries) = fs::read_dir(folder) else { return 0 };
        entries.flatten().filter(|entry| entry.file_name().to_string_lossy().ends_with(".part")).count()
    }
}

fn skipped(view: &TransferView) -> usize {
    view.layers.iter().filter(|layer| layer.state == LayerState::Exists).count()
}

#[test]
fn an_image_arrives_under_its_name_and_only_what_is_new_is_sent() {
    if !lab::requires(NEEDS) {
        return;
    }
    let production = Production::start("");
    let laptop = Laptop::start(&[&production]);
    let id = laptop.dockerd.build_image("team/app:v1", &[2048, 512, 64]);

    let view = laptop.ship("team/app:v1", &production);
    assert_eq!((view.kind, view.reference.as_str()), (TransferKind::Ship, "team/app:v1"));
    let TransferState::Done { verified } = &view.state else { panic!("{:?}", view.state) };
    assert_eq!(verified.digest, id);
    assert!(verified.at_registry);
    assert_eq!(production.dockerd.image_id("team/app:v1").as_deref(), Some(id.as_str()));
    assert_eq!(production.names(), ["team/app:v1"]);
    assert_eq!(view.layers.len(), 3);
    assert!(view.sent > 2_600 << 10, "{} bytes crossed the way", view.sent);
    production.must_be_clean();
    assert_eq!(laptop.archives(), 0);

    // One more layer on top of the same ones.
    let context = laptop.dockline.folder().join("more");
    fs::create_dir_all(&context).unwrap();
    fs::write(context.join("more"), vec![7; 100_000]).unwrap();
    fs::write(context.join("Dockerfile"), "FROM team/app:v1\nCOPY more /more\n").unwrap();
    let id = laptop.dockerd.run_docker(&["build", "-q", "-t", "team/app:v2", &context.display().to_string()]);
    let view = laptop.ship("team/app:v2", &production);
    assert_eq!(production.dockerd.image_id("team/app:v2").as_deref(), Some(id.as_str()));
    assert_eq!(skipped(&view), 3, "{:?}", view.layers);
    assert!(view.sent < 400 << 10, "{} bytes crossed the way", view.sent);

    // Nothing new; by the human's road. The host is asked before the engine here exports anything.
    let ship = |more: &[&str]| {
        let arguments = Laptop::arguments("team/app:v2", &[&production]);
        let mut command = laptop.dockline.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let shipped = try_run(command.args(more).env("DOCKLINE_LOG", "info"));
        assert!(shipped.status.success(), "{}", shipped.stderr);
        (shipped.stdout, shipped.stderr.contains("the image is at hand"))
    };
    let began = Instant::now();
    let (told, is_fetched) = ship(&[]);
    eprintln!("what the host has is shipped in {:?}", began.elapsed());
    assert!(
        told.contains("Shipped team/app:v2 to") && told.contains("The host has the same image"),
        "{told}"
    );
    assert!(told.contains("4 layers, 4 already there") && !is_fetched, "{told}");
    // Under a name that it has not got there, or that is another image's.
    for name in ["team/other:v1", "team/app:v1"] {
        let (told, is_fetched) = ship(&["--as", name]);
        assert!(told.contains(&format!("as {name}")) && !is_fetched, "{told}");
        assert_eq!(production.dockerd.image_id(name).as_deref(), Some(id.as_str()));
    }
    production.must_be_clean();

    // What was there and is gone arrives again.
    production.dockerd.run_docker(&["rmi", "--force", &id]);
    assert!(ship(&[]).1);
    assert_eq!(production.dockerd.image_id("team/app:v2").as_deref(), Some(id.as_str()));
    production.must_be_clean();
}

#[test]
fn several_hosts_have_results_of_their_own() {
    if !lab::requires(NEEDS) {
        return;
    }
    let first = Production::start("");
    let key = fs::read_to_string(first.host.identity().with_extension("pub")).unwrap();
    // Nothing answers as Docker on the second.
    let second = Production::with(&key, |_| "SetEnv DOCKER_HOST=unix:///nowhere/docker.sock\n".to_owned());
    let third = Production::start(&key);
    let laptop = Laptop::start(&[&first, &second, &third]);
    let id = laptop.dockerd.build_image("app:v1", &[256]);
    let arguments = Laptop::arguments("app:v1", &[&first, &second, &third]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = laptop.dockline.run(&arguments);
    assert_eq!(ended.status, Some(i32::from(Code::EngineUnavailable.exit_status())), "{ended:?}");
    assert!(ended.stderr.contains("Docker does not run on"), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 of 3 failed"), "{}", ended.stderr);
    for well in [&first, &third] {
        assert_eq!(well.dockerd.image_id("app:v1").as_deref(), Some(id.as_str()));
        well.must_be_clean();
    }
    second.must_be_clean();
    assert!(second.names().is_empty());
}

#[test]
fn a_kill_leaves_nothing_and_the_same_command_ends_well() {
    if !lab::requires(NEEDS) {
        return;
    }
    let production = Production::start("");
    let laptop = Laptop::start(&[&production]);
    let id = laptop.dockerd.build_image("app:v1", &[24 << 10, 16 << 10]);
    production.host.limit_link("60mbit");
    let arguments = Laptop::arguments("app:v1", &[&production]);
    let arguments: Vec<&str> =
        [&["--json"], arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat();
    for signal in [Signal::SIGKILL, Signal::SIGINT] {
        let shipping = Daemon::spawn("dockline ship", laptop.dockline.command(&arguments));
        shipping.wait_for_line("\"transferring\"", PATIENCE);
        shipping.signal(signal);
        let ended = shipping.wait(PATIENCE).expect("the signal ends it");
        assert!(!ended.success());
        production.must_be_clean();
        assert!(production.names().is_empty(), "{:?}", production.names());
    }
    assert_eq!(laptop.archives(), 0, "Ctrl-C leaves no archive, and it removes that of the killed one");
    let view = laptop.ship("app:v1", &production);
    assert!(matches!(view.state, TransferState::Done { .. }), "{:?}", view.state);
    assert_eq!(production.dockerd.image_id("app:v1").as_deref(), Some(id.as_str()));
    production.must_be_clean();

    // A lost connection on the way is mended on the way.
    let id = laptop.dockerd.build_image("app:v2", &[24 << 10]);
    let arguments = Laptop::arguments("app:v2", &[&production]);
    let arguments: Vec<&str> =
        [&["--json"], arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat();
    let shipping = Daemon::spawn("dockline ship", laptop.dockline.command(&arguments));
    shipping.wait_for_line("\"transferring\"", PATIENCE);
    production.host.end_sessions();
    let ended = shipping.wait(PATIENCE).expect("it goes on");
    assert!(ended.success(), "{}", shipping.log());
    assert_eq!(production.dockerd.image_id("app:v2").as_deref(), Some(id.as_str()));
    production.must_be_clean();
}

/// After a change of networks the host keeps the lost session for hours, with the port that was asked for and with the pull
/// that goes over it, whose layers no other pull gets.
#[test]
fn a_session_that_the_host_has_not_missed_keeps_nobody_waiting() {
    if !lab::requires(NEEDS) {
        return;
    }
    let mut production = Production::start("");
    let laptop = Laptop::start(&[&production]);
    production.host.limit_link("60mbit");
    let begin = |image: &str, production: &Production| {
        let id = laptop.dockerd.build_image(image, &[24 << 10, 8 << 10]);
        let arguments = Laptop::arguments(image, &[production]);
        let arguments: Vec<&str> =
            [&["--json"], arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice()].concat();
        let shipping = Daemon::spawn("dockline ship", laptop.dockline.command(&arguments));
        shipping.wait_for_line("\"transferring\"", PATIENCE);
        (shipping, id)
    };
    let (shipping, id) = begin("app:v1", &production);
    production.host.freeze_sessions();
    let ended = shipping.wait(PATIENCE).expect("it goes on at another port");
    assert!(ended.success(), "{}", shipping.log());
    assert_eq!(production.dockerd.image_id("app:v1").as_deref(), Some(id.as_str()));
    production.must_be_clean();

    // The session is gone, and somebody else has the port by now.
    let (shipping, id) = begin("app:v2", &production);
    let [port] = production.offered()[..] else { panic!("{:?}", production.offered()) };
    production.host.stop_sshd();
    lab::until("the sessions are gone", || production.host.sessions() == 0);
    let taken = production.host.listen_inside((Ipv4Addr::LOCALHOST, port).into());
    production.host.start_sshd();
    let ended = shipping.wait(PATIENCE).expect("it goes on at another port");
    assert!(ended.success(), "{}", shipping.log());
    drop(taken);
    assert_eq!(production.dockerd.image_id("app:v2").as_deref(), Some(id.as_str()));
    production.must_be_clean();
}

#[test]
fn layers_that_are_packed_otherwise_than_they_once_were_arrive() {
    if !lab::requires(NEEDS) {
        return;
    }
    let production = Production::start("");
    let laptop = Laptop::start(&[&production]);
    let id = laptop.dockerd.build_image("app:v1", &[256, 512, 128]);
    // A fast way has them as they are.
    production.host.limit_link("60mbit");
    laptop.ship("app:v1", &production);
    production.must_be_clean();
    production.dockerd.run_docker(&["rmi", "--force", &id]);

    // As another version of the compressor would have left it.
    let file = laptop.dockline.state_dir().join("pushes/layers.json");
    let mut records: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let packed = records["registries"]["shelf"].as_object_mut().unwrap();
    assert_eq!(packed.len(), 3);
    for (number, known) in packed.values_mut().enumerate() {
        known[0]["digest"] = format!("sha256:{number:064x}").into();
    }
    fs::write(&file, records.to_string()).unwrap();

    let arguments = Laptop::arguments("app:v1", &[&production]);
    let mut command = laptop.dockline.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let began = Instant::now();
    let shipped = try_run(command.env("DOCKLINE_LOG", "info"));
    assert!(shipped.status.success(), "{}", shipped.stderr);
    assert!(shipped.stderr.contains("the image is sent anew"), "{}", shipped.stderr);
    // dockerd asks five times for a layer that it is not given, for the best part of a minute.
    assert!(began.elapsed() < Duration::from_secs(30), "it took {:?}", began.elapsed());
    assert_eq!(production.dockerd.image_id("app:v1").as_deref(), Some(id.as_str()));
    production.must_be_clean();
}

#[test]
fn a_way_that_breaks_and_comes_back_while_the_image_is_fetched_costs_nothing() {
    if !lab::requires(NEEDS) {
        return;
    }
    let production = Production::start("");
    let laptop = Laptop::start(&[&production]);
    // The engine's own store is read through a container that never runs; where it cannot be, the image is exported.
    let gate = Gate::before(&laptop.dockerd.endpoint(), &["/containers/create", "/get"]);
    let laptop = Laptop { dockline: laptop.dockline.with_engine(gate.endpoint()), ..laptop };
    let id = laptop.dockerd.build_image("app:v1", &[64]);
    let arguments = Laptop::arguments("app:v1", &[&production]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = laptop.dockline.command(&arguments);
    command.env("DOCKLINE_LOG", "info");
    let shipping = Daemon::spawn("dockline ship", command);
    gate.wait_until_reached(PATIENCE);
    // The Docker there has answered, and the way is measured.
    shipping.wait_for_line("the way to the host is open", PATIENCE);
    let logins = production.host.logins();
    production.host.end_sessions();
    production.host.sshd().wait_for_count("Accepted publickey", logins + 1, PATIENCE);
    gate.open();
    let ended = shipping.wait(PATIENCE).expect("it goes on");
    assert!(ended.success(), "{}", shipping.log());
    assert_eq!(production.dockerd.image_id("app:v1").as_deref(), Some(id.as_str()));
    production.must_be_clean();
}

/// The Docker there has taken the first question, and the answer never comes.
#[test]
fn a_way_that_breaks_while_the_docker_there_is_asked_costs_nothing() {
    if !lab::requires(NEEDS) {
        return;
    }
    let mut gate = None;
    let production = Production::with("", |endpoint| {
        let gate = gate.insert(Gate::before(endpoint, &["/version"]));
        format!("SetEnv DOCKER_HOST={}\n", gate.endpoint())
    });
    let gate = gate.unwrap();
    let laptop = Laptop::start(&[&production]);
    let id = laptop.dockerd.build_image("app:v1", &[64]);
    let arguments = Laptop::arguments("app:v1", &[&production]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let shipping = Daemon::spawn("dockline ship", laptop.dockline.command(&arguments));
    gate.wait_until_reached(PATIENCE);
    let logins = production.host.logins();
    production.host.end_sessions();
    production.host.sshd().wait_for_count("Accepted publickey", logins + 1, PATIENCE);
    gate.open();
    let ended = shipping.wait(PATIENCE).expect("it goes on");
    assert!(ended.success(), "{}", shipping.log());
    assert_eq!(production.dockerd.image_id("app:v1").as_deref(), Some(id.as_str()));
    production.must_be_clean();
}

/// Four programs would be begun at once there.
#[test]
fn a_host_with_room_for_three_programs_is_shipped_to() {
    if !lab::requires(NEEDS) {
        return;
    }
    let production =
        Production::with("", |endpoint| format!("SetEnv DOCKER_HOST={endpoint}\nMaxSessions 3\n"));
    let laptop = Laptop::start(&[&production]);
    for (image, layers) in [("app:v1", &[512, 64][..]), ("app:v2", &[256])] {
        let id = laptop.dockerd.build_image(image, layers);
        let view = laptop.ship(image, &production);
        assert!(matches!(view.state, TransferState::Done { .. }), "{:?}", view.state);
        assert_eq!(production.dockerd.image_id(image).as_deref(), Some(id.as_str()));
        production.must_be_clean();
    }
}

#[test]
fn what_stands_in_the_way_is_told() {
    if !lab::requires(NEEDS) {
        return;
    }
    let production =
        Production::with("", |endpoint| format!("SetEnv DOCKER_HOST={endpoint}\nPermitListen none\n"));
    let laptop = Laptop::start(&[&production]);
    let fails = |image: &str| -> UiError {
        let arguments = Laptop::arguments(image, &[&production]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        laptop.dockline.json(&arguments).error()
    };
    assert_eq!(fails("nothing:v1").code, Code::ImageNotFound);
    laptop.dockerd.build_image("app:v1", &[16]);
    assert_eq!(fails("app:v1").code, Code::ForwardForbidden);
    assert_eq!(laptop.archives(), 0);
    let arguments = Laptop::arguments("app:v1", &[&production]);
    let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    arguments.extend(["--as", "[fd00::1]:5000/app:v1"]);
    let logins = production.host.logins();
    assert_eq!(laptop.dockline.json(&arguments).error().code, Code::ReferenceInvalid);
    assert_eq!(production.host.logins(), logins, "nobody goes there for that");
}

/// Whoever logs in there finds a shell, and no program called docker.
#[test]
fn a_host_without_docker_is_told_from_one_whose_docker_does_not_run() {
    if !lab::requires(NEEDS) {
        return;
    }
    let programs = tempfile::tempdir().unwrap();
    fs::set_permissions(programs.path(), fs::Permissions::from_mode(0o755)).unwrap();
    for program in ["sh", "head", "cat"] {
        symlink(format!("/bin/{program}"), programs.path().join(program)).unwrap();
    }
    let path = programs.path().display().to_string();
    // Whatever start-up files add to PATH; and /usr/local/bin, which Dockline adds to it, is empty there.
    let without = Production::with("", |_| {
        format!(
            "ForceCommand exec unshare --mount sh -c 'mount -t tmpfs none /usr/local/bin && \
             PATH={path} exec sh -c \"$SSH_ORIGINAL_COMMAND\"'\n"
        )
    });
    let stopped = Production::with("", |_| "SetEnv DOCKER_HOST=unix:///nowhere.sock\n".to_owned());
    // As from somebody's ~/.bashrc.
    let noisy = Production::with("", |endpoint| {
        format!(
            "SetEnv DOCKER_HOST={endpoint}\nForceCommand echo 3 updates; exec sh -c \"$SSH_ORIGINAL_COMMAND\"\n"
        )
    });
    let laptop = Laptop::start(&[&without, &stopped, &noisy]);
    laptop.dockerd.build_image("app:v1", &[16]);
    let fails = |host: &Production| -> UiError {
        let arguments = Laptop::arguments("app:v1", &[host]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        laptop.dockline.json(&arguments).error()
    };
    let name = |production: &Production| production.host.address().to_string();
    let error = fails(&without);
    assert_eq!(
        (error.code, error.message),
        (Code::EngineUnavailable, format!("There is no Docker on {}.", name(&without)))
    );
    let error = fails(&stopped);
    assert_eq!(
        (error.code, error.message),
        (Code::EngineUnavailable, format!("Docker does not run on {}.", name(&stopped)))
    );
    let error = fails(&noisy);
    assert_eq!((error.code, error.details.as_deref()), (Code::EngineFailed, Some("3 updates")));
    assert!(error.message.starts_with(&format!("The shell on {} says something", name(&noisy))), "{error:?}");
    assert_eq!(laptop.archives(), 0);
    without.must_be_clean();
    stopped.must_be_clean();
    noisy.must_be_clean();
}

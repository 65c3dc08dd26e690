//! The main job on real parts: an engine, a tunnel and a registry that nothing but the tunnel reaches.
//!
//! Everybody's machine here is a workstation with a hosts file of its own; dockerd and Dockline share it, as they
//! share a laptop.

use dockline_model::{Code, LeaseHolder, RegistryName, TransferState, TransferView, TunnelState, TunnelView};
use dockline_tests::lab::{
    self, Agent, Daemon, Dockerd, Dockline, Need, RegistryHost, Terminal, Watcher, Workplace, Workstation,
    try_run,
};
use nix::sys::signal::Signal;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    sync::Arc,
    time::{Duration, Instant},
};

const NEEDS: &[Need] = &[Need::Root, Need::Sshd, Need::Registry, Need::Dockerd];
/// For what takes a moment on a machine that has little else to do.
const SOON: Duration = Duration::from_secs(30);
/// For a push or pull with all of dockerd's own retries (five within about 50 s).
const TRANSFER: Duration = Duration::from_secs(120);
const LINGER: Duration = Duration::from_secs(10);

/// A laptop: dockerd, `dockline agent`, and the names of `hosts` in the hosts file.
struct Laptop {
    agent: Agent,
    names: Vec<RegistryName>,
    dockline: Dockline,
    dockerd: Dockerd,
    workstation: Arc<Workstation>,
}

impl Laptop {
    fn for_hosts(hosts: &[&RegistryHost]) -> Self {
        let workstation = Workstation::start();
        let dockline = Dockline::on(&workstation);
        let names: Vec<_> = hosts.iter().map(|host| dockline.add(host)).collect();
        // Before dockerd starts: Go reads a changed hosts file only after 5 s (`net/hosts.go`, `cacheMaxAge`).
        dockline.run(&["hosts", "--apply", "--yes"]).expect_success();
        let dockerd = Dockerd::start(&workstation);
        let dockline = dockline.with_engine(dockerd.endpoint());
        let agent = dockline.agent();
        Self { agent, names, dockline, dockerd, workstation }
    }

    fn watcher(&self) -> Watcher {
        Watcher::join(&self.dockline)
    }

    /// `cr….dockline.test:5000/REPOSITORY`, at the first registry.
    fn reference(&self, repository: &str) -> String {
        format!("{}:5000/{repository}", self.names[0])
    }

    /// Builds an image that is named for the first registry; a layer for each size in KiB.
    fn build(&self, repository: &str, layers_kib: &[usize]) -> (String, String) {
        let reference = self.reference(repository);
        let id = self.dockerd.build_image(&reference, layers_kib);
        (reference, id)
    }

    /// `docker push`, in a shell of its own, which goes on by itself.
    fn docker_push(&self, reference: &str) -> Daemon {
        Daemon::spawn("docker push", self.dockerd.docker(&["push", reference]))
    }

    fn forget(&self, id: &str) {
        self.dockerd.run_docker(&["image", "rm", "--force", id]);
        assert!(self.dockerd.image_id(id).is_none());
    }
}

#[track_caller]
fn must_end_well(program: &Daemon, patience: Duration) {
    let status = program.wait(patience);
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n{}", program.log());
}

fn is_up(view: &TunnelView) -> bool {
    matches!(view.state, TunnelState::Up { .. })
}

fn connections(view: &TunnelView) -> usize {
    view.leases.iter().filter(|lease| matches!(lease.holder, LeaseHolder::Connection { .. })).count()
}

/// Waits until sshd has seen the end of all logins so far. Each is one line, whichever side ended it.
#[track_caller]
fn all_sessions_end(host: &RegistryHost, patience: Duration) {
    host.sshd().wait_for_count(&format!(" user {} ", host.user()), host.logins(), patience);
}

fn finished_transfer(outcome: &lab::Outcome) -> (TransferView, String) {
    let transfer: TransferView = outcome.read();
    let TransferState::Done { verified } = &transfer.state else { panic!("not done: {:?}", transfer.state) };
    assert!(verified.at_registry, "the digest was not compared at the registry: {transfer:?}");
    let digest = verified.digest.clone();
    (transfer, digest)
}

#[test]
fn any_program_pushes_and_pulls_through_the_tunnel_that_opens_by_itself() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let laptop = Laptop::for_hosts(&[&host]);
    let (reference, id) = laptop.build("team/app:v1", &[6000, 3000, 1]);
    assert_eq!(host.logins(), 0, "nobody has asked for a tunnel yet");

    let pushed = laptop.dockerd.run_docker(&["push", &reference]);
    let digest = host.manifest_digest("team/app", "v1").expect("the registry has the image");
    assert!(pushed.contains(&digest), "{pushed}");
    assert!(host.logins() >= 1);

    laptop.forget(&id);
    let pulled = laptop.dockerd.run_docker(&["pull", &reference]);
    assert!(pulled.contains(&digest), "{pulled}");
    assert_eq!(laptop.dockerd.image_id(&reference), Some(id));

    let registry = laptop.dockline.snapshot().registries.remove(0);
    assert!(registry.alias_ready);
    assert!(registry.tunnel.bytes_up > 9_000_000 && registry.tunnel.bytes_down > 9_000_000);
    assert!(laptop.agent.daemon().is_running());
}

#[test]
fn dockline_itself_pushes_and_pulls_with_progress_and_a_compared_digest() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let laptop = Laptop::for_hosts(&[&host]);
    let id = laptop.dockerd.build_image("app:v1", &[6000, 3000, 1]);
    let name = laptop.names[0].as_str();

    let outcome = laptop.dockline.json(&["push", "app:v1", name]).expect_success();
    let (push, digest) = finished_transfer(&outcome);
    assert_eq!(host.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));
    assert_eq!(push.layers.len(), 3);
    assert!(push.current == push.total && push.total >= 9_000_000, "{push:?}");
    assert!(outcome.stdout.lines().count() > 2, "no progress before the end:\n{}", outcome.stdout);
    let tags = laptop.dockerd.run_docker(&["image", "inspect", "--format", "{{join .RepoTags \" \"}}", &id]);
    let named = laptop.reference("app:v1");
    assert!(tags.split(' ').all(|tag| tag == "app:v1" || tag == named), "left behind: {tags}");

    laptop.forget(&id);
    let pulled = laptop.dockline.json(&["pull", &format!("{name}/app:v1")]).expect_success();
    let (_, pulled_digest) = finished_transfer(&pulled);
    assert_eq!(pulled_digest, digest);
    assert_eq!(laptop.dockerd.image_id(&named), Some(id), "the same image is back");
}

#[test]
fn without_the_alias_the_engine_is_given_the_loopback_address() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { workstation, dockerd, dockline } = Workplace::start();
    let name = dockline.add(&host);
    let id = dockerd.build_image("app:v1", &[100]);

    // No agent either: the call is the owner for as long as it runs.
    let (_, digest) =
        finished_transfer(&dockline.json(&["push", "app:v1", name.as_str(), "--engine"]).expect_success());
    assert_eq!(host.manifest_digest("app", "v1"), Some(digest));
    assert_eq!(dockerd.image_id("app:v1"), Some(id));
    assert!(!workstation.hosts().contains(name.as_str()), "the hosts file was changed without being asked");
}

#[test]
fn two_pushes_share_a_tunnel_that_outlives_the_first_and_lingers() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let laptop = Laptop::for_hosts(&[&host]);
    let name = &laptop.names[0];
    let mut watcher = laptop.watcher();
    let (small, _) = laptop.build("small:v1", &[1]);
    let (large, _) = laptop.build("large:v1", &[80_000]);

    // The registry holds its breath, so that both pushes are surely there at once.
    host.registry().signal(Signal::SIGSTOP);
    let (first, second) = (laptop.docker_push(&small), laptop.docker_push(&large));
    watcher.wait_for(name, "held by both pushes", SOON, |view| is_up(view) && connections(view) >= 2);
    assert_eq!(host.logins(), 1, "two pushes, one login");
    host.registry().signal(Signal::SIGCONT);

    must_end_well(&first, SOON);
    host.registry().signal(Signal::SIGSTOP);
    assert!(second.is_running(), "the large push ended with the small one:\n{}", second.log());
    watcher.wait_for(name, "held by the second push", SOON, |view| is_up(view) && connections(view) >= 1);
    host.registry().signal(Signal::SIGCONT);
    must_end_well(&second, TRANSFER);

    // dockerd closes each connection with its request, so now nobody holds the tunnel: it lingers.
    watcher.wait_for(name, "lingering", SOON, |view| matches!(view.state, TunnelState::Lingering { .. }));
    let logins = host.logins();
    let mut curl = laptop.workstation.command("curl");
    curl.args(["--silent", "--show-error", "--fail", &format!("http://{name}:5000/v2/_catalog")]);
    let catalog = try_run(&mut curl).expect_success().stdout;
    assert!(catalog.contains("small") && catalog.contains("large"), "{catalog}");
    assert_eq!(host.logins(), logins, "a connection during the linger does not dial again");

    // The linger begins anew with that connection's end, and is ten seconds long.
    watcher.wait_for(name, "lingering", SOON, |view| matches!(view.state, TunnelState::Lingering { .. }));
    let last_use = Instant::now();
    watcher.wait_for(name, "idle", SOON, |view| view.state == TunnelState::Idle);
    let lingered = last_use.elapsed();
    assert!(
        lingered > LINGER - Duration::from_secs(1) && lingered < LINGER + Duration::from_secs(3),
        "closed after {lingered:?}"
    );
    all_sessions_end(&host, SOON);

    laptop.dockerd.run_docker(&["push", &small]);
    assert!(host.logins() > logins, "the next use dials again");
}

#[test]
fn docker_push_survives_an_sshd_that_goes_and_comes_back() {
    if lab::requires(NEEDS) {
        interrupted_push(|laptop, reference| laptop.docker_push(reference));
    }
}

#[test]
fn dockline_push_survives_an_sshd_that_goes_and_comes_back() {
    if lab::requires(NEEDS) {
        interrupted_push(|laptop, reference| {
            Daemon::spawn("dockline push", laptop.dockline.command(&["push", reference, "--engine"]))
        });
    }
}

#[test]
fn a_direct_push_survives_an_sshd_that_goes_and_comes_back() {
    if lab::requires(NEEDS) {
        interrupted_push(|laptop, reference| {
            Daemon::spawn("dockline push", laptop.dockline.command(&["push", reference, "--direct"]))
        });
    }
}

/// sshd ends in the middle of a large layer and comes back when the tunnel has said so.
fn interrupted_push(start: impl Fn(&Laptop, &str) -> Daemon) {
    let mut host = RegistryHost::start();
    let laptop = Laptop::for_hosts(&[&host]);
    let name = &laptop.names[0];
    let mut watcher = laptop.watcher();
    let (reference, id) = laptop.build("app:v1", &[80_000]);

    let push = start(&laptop, &reference);
    watcher
        .wait_for(name, "up and carrying megabytes", SOON, |view| is_up(view) && view.bytes_up > 2_000_000);
    host.stop_sshd();
    let lost = watcher
        .wait_for(name, "reconnecting", SOON, |view| matches!(view.state, TunnelState::Reconnecting { .. }));
    let TunnelState::Reconnecting { error, .. } = lost.state else { unreachable!("just waited for") };
    assert!(
        matches!(error.code, Code::SshLost | Code::SshUnreachable) && !error.message.is_empty(),
        "not a clear state: {error:?}"
    );
    assert!(push.is_running(), "the push gave up at once:\n{}", push.log());

    host.start_sshd();
    watcher.wait_for(name, "up again", SOON, is_up);
    must_end_well(&push, TRANSFER);
    let digest = host.manifest_digest("app", "v1").expect("the registry has the image");
    laptop.forget(&id);
    let pulled = laptop.dockerd.run_docker(&["pull", &reference]);
    assert!(pulled.contains(&digest), "{pulled}");
    assert_eq!(laptop.dockerd.image_id(&reference), Some(id));
}

#[test]
fn ctrl_c_stops_the_engine_and_lets_go_of_the_tunnel() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let laptop = Laptop::for_hosts(&[&host]);
    let name = &laptop.names[0];
    let mut watcher = laptop.watcher();
    let (reference, _) = laptop.build("app:v1", &[80_000]);

    let push = Daemon::spawn("dockline push", laptop.dockline.command(&["push", &reference, "--engine"]));
    watcher
        .wait_for(name, "up and carrying megabytes", SOON, |view| is_up(view) && view.bytes_up > 2_000_000);
    // From here on the upload cannot end by itself.
    host.registry().signal(Signal::SIGSTOP);
    push.signal(Signal::SIGINT);
    let status = push.wait(SOON).unwrap_or_else(|| panic!("it goes on:\n{}", push.log()));
    assert_eq!(status.code(), Some(130), "{}", push.log());
    // An engine that went on would now send the rest, and the manifest after it.
    host.registry().signal(Signal::SIGCONT);
    watcher.wait_for(name, "idle", SOON, |view| view.state == TunnelState::Idle);
    assert_eq!(host.manifest_digest("app", "v1"), None);
    assert!(laptop.agent.daemon().is_running());
}

#[test]
fn names_can_be_used_as_soon_as_they_were_entered() {
    if !lab::requires(NEEDS) {
        return;
    }
    let host = RegistryHost::start();
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let name = dockline.add(&host);
    let id = dockerd.build_image("app:v1", &[1]);
    // Makes dockerd read the hosts file, which it then believes for 5 s (`net/hosts.go`, `cacheMaxAge`).
    let unknown = dockerd.try_docker(&["pull", "nobody.dockline.test:5000/app"]);
    assert!(unknown.stderr.contains("no such host"), "{}", unknown.stderr);

    dockline.run(&["hosts", "--apply", "--yes"]).expect_success();
    // dockerd does not know the name yet, and is given the address instead.
    let (_, digest) =
        finished_transfer(&dockline.json(&["push", "app:v1", name.as_str(), "--engine"]).expect_success());
    assert_eq!(host.manifest_digest("app", "v1"), Some(digest));
    let tags = || dockerd.run_docker(&["image", "inspect", "--format", "{{join .RepoTags \" \"}}", &id]);
    assert!(!tags().contains("127.77."), "left behind: {}", tags());
    assert!(dockerd.daemon().log().contains("no such host"), "the name was known already: {}", tags());

    // The same for a pull: another unknown name makes dockerd believe an empty hosts file for five seconds.
    dockline.run(&["hosts", "--undo", "--yes"]).expect_success();
    dockerd.run_docker(&["image", "rm", "--force", &id]);
    let unlearned = Instant::now() + Duration::from_secs(8);
    let reference = format!("{name}:5000/app:v1");
    while !dockerd.try_docker(&["pull", &reference]).stderr.contains("no such host") {
        assert!(Instant::now() < unlearned, "dockerd does not forget the name");
    }
    dockline.run(&["hosts", "--apply", "--yes"]).expect_success();
    dockline.json(&["pull", &reference]).expect_success();
    assert_eq!(dockerd.image_id(&reference).as_ref(), Some(&id));
    assert!(!tags().contains("127.77."), "left behind: {}", tags());
}

#[test]
fn two_registries_are_both_on_port_5000_at_once() {
    if !lab::requires(NEEDS) {
        return;
    }
    let (one, other) = (RegistryHost::start(), RegistryHost::start());
    let laptop = Laptop::for_hosts(&[&one, &other]);
    let mut watcher = laptop.watcher();
    let references: Vec<_> = laptop
        .names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let reference = format!("{name}:5000/app{number}:v1");
            laptop.dockerd.build_image(&reference, &[2000, 500]);
            reference
        })
        .collect();

    one.registry().signal(Signal::SIGSTOP);
    other.registry().signal(Signal::SIGSTOP);
    let pushes: Vec<_> = references.iter().map(|reference| laptop.docker_push(reference)).collect();
    for name in &laptop.names {
        watcher.wait_for(name, "up", SOON, |view| is_up(view) && connections(view) >= 1);
    }
    one.registry().signal(Signal::SIGCONT);
    other.registry().signal(Signal::SIGCONT);
    for push in &pushes {
        must_end_well(push, TRANSFER);
    }

    assert!(one.manifest_digest("app0", "v1").is_some() && one.manifest_digest("app1", "v1").is_none());
    assert!(other.manifest_digest("app1", "v1").is_some() && other.manifest_digest("app0", "v1").is_none());
    let registries = laptop.dockline.snapshot().registries;
    assert!(registries.iter().all(|registry| registry.spec.port == 5000 && registry.alias_ready));
    assert_ne!(registries[0].spec.address, registries[1].spec.address);
}

/// On a terminal, `dockline disconnect` asks before it cuts anything off.
#[test]
fn disconnect_asks_before_it_cuts_anything_off() {
    if !lab::requires(&[Need::Root, Need::Sshd, Need::Registry, Need::Program("script")]) {
        return;
    }
    let (host, dockline) = (RegistryHost::start(), Dockline::new());
    let _agent = dockline.agent();
    let name = dockline.add(&host);
    dockline.run(&["connect", name.as_str()]).expect_success();
    let address = dockline.snapshot().registries.remove(0).spec.listen();
    let mut user = TcpStream::connect(address).expect("the listener is always there");
    let mut asks = || -> std::io::Result<()> {
        write!(user, "HEAD /v2/ HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            user.read_exact(&mut byte)?;
            answer.extend(byte);
        }
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
        Ok(())
    };
    asks().expect("it is carried");
    for (key, is_cut) in [('n', false), ('y', true)] {
        let mut terminal = Terminal::start(&dockline.command(&["disconnect", name.as_str()]));
        terminal.wait_for("is still in use");
        terminal.wait_for("cut that off?");
        terminal.press(key);
        assert!(terminal.wait().success(), "{}", terminal.shown());
        let said = if is_cut { "Disconnected from" } else { "It closes when this is done" };
        assert!(terminal.shown().contains(said), "{}", terminal.shown());
        assert_eq!(asks().is_err(), is_cut, "{}", terminal.shown());
    }
}

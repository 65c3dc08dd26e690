//! One registry on three hosts, as for servers that mirror one another: the first that is healthy is used, whichever
//! that is, and a registry of this machine offered to a host. Real sshd and docker-registry, each host with a network
//! and a loopback of its own.

use dockline_model::{Code, RegistryName, RegistryView, Snapshot, TransferState, TransferView, TunnelState};
use dockline_tests::lab::{
    self, Daemon, Dockline, Need, RegistryHost, RegistryHostOptions, unique_registry_name,
};
use nix::sys::signal::Signal;
use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

const HOST: &[Need] = &[Need::Root, Need::Sshd, Need::Registry];
/// A tunnel returns to the preferred host after three quiet looks, ten seconds apart, and a look that finds it busy is none.
const PATIENCE: Duration = Duration::from_secs(60);

/// A host that the same key may log in to as the first.
fn replica_of(first: &RegistryHost) -> RegistryHost {
    let public = fs::read_to_string(first.identity().with_extension("pub")).expect("the host has a key");
    RegistryHost::with(RegistryHostOptions { also_authorized: public, ..RegistryHostOptions::default() })
}

fn sample(dockline: &Dockline) -> String {
    let path = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&path).expect("the folder is ours");
    path.display().to_string()
}

/// `dockline offer …` while it runs.
fn offer(dockline: &Dockline, there: &RegistryHost, to: &str) -> Daemon {
    dockline.trust(&there.known_hosts_line());
    let (identity, destination) = (there.identity().display().to_string(), there.destination());
    let arguments = ["offer", &destination, "--to", to, "--identity", &identity];
    let offer = Daemon::spawn("dockline offer", dockline.command(&arguments));
    offer.wait_for_line("Ctrl-C takes it back", PATIENCE);
    offer
}

fn take_back(offer: &Daemon) {
    offer.signal(Signal::SIGINT);
    let ended = offer.wait(PATIENCE).expect("Ctrl-C ends it");
    assert!(ended.success(), "{}", offer.log());
}

/// A registry at all of `hosts`, the first one preferred.
fn add(dockline: &Dockline, hosts: &[&RegistryHost]) -> RegistryName {
    let name = unique_registry_name("cr");
    let mut arguments = vec!["add".to_owned(), name.to_string()];
    for host in hosts {
        dockline.trust(&host.known_hosts_line());
        arguments.extend(["--ssh".to_owned(), host.destination()]);
    }
    arguments.extend(["--identity".to_owned(), hosts[0].identity().display().to_string()]);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    dockline.run(&arguments).expect_success();
    name
}

fn view(dockline: &Dockline, name: &RegistryName) -> RegistryView {
    dockline.json(&["status", name.as_str()]).expect_success().read()
}

/// Waits until the tunnel is up by way of `host`; the view then.
#[track_caller]
fn until_via(dockline: &Dockline, name: &RegistryName, host: &RegistryHost) -> RegistryView {
    let began = Instant::now();
    loop {
        let view = view(dockline, name);
        let is_via =
            view.tunnel.route.as_ref().is_some_and(|route| route.ssh.host == host.address().to_string());
        if is_via && matches!(view.tunnel.state, TunnelState::Up { .. }) {
            return view;
        }
        assert!(began.elapsed() < PATIENCE, "it did not go via {}: {:?}", host.address(), view.tunnel);
    }
}

fn push(dockline: &Dockline, archive: &str, name: &RegistryName, repository: &str) -> String {
    let view: TransferView =
        dockline.json(&["push", archive, &format!("{name}/{repository}:v1")]).expect_success().read();
    let TransferState::Done { verified } = view.state else { panic!("{:?}", view.state) };
    verified.digest
}

#[test]
fn a_push_finds_the_host_that_is_healthy() {
    if !lab::requires(HOST) {
        return;
    }
    let mut a = RegistryHost::start();
    let (mut b, c) = (replica_of(&a), replica_of(&a));
    let dockline = Dockline::new();
    let _agent = dockline.agent();
    let name = add(&dockline, &[&a, &b, &c]);
    let archive = sample(&dockline);

    let digest = push(&dockline, &archive, &name, "first");
    assert_eq!(a.manifest_digest("first", "v1").as_deref(), Some(digest.as_str()));
    assert_eq!((b.logins(), c.logins()), (0, 0), "the others are left alone while the first works");

    // Gone, registry and all: its port is refused at once.
    a.stop_sshd();
    let digest = push(&dockline, &archive, &name, "second");
    assert_eq!(b.manifest_digest("second", "v1").as_deref(), Some(digest.as_str()));
    assert!(c.logins() == 0);

    // The next one lives, but its registry does not.
    b.stop_registry();
    let digest = push(&dockline, &archive, &name, "third");
    assert_eq!(c.manifest_digest("third", "v1").as_deref(), Some(digest.as_str()));
    let text = dockline.run(&["connect", name.as_str()]).expect_success();
    assert!(text.stdout.contains("Connected"));
    let told = until_via(&dockline, &name, &c).tunnel.route.unwrap();
    let codes: Vec<Code> = told.passed_over.iter().map(|passed| passed.error.code).collect();
    assert_eq!(codes, [Code::SshUnreachable, Code::RemoteClosed]);
    let status = dockline.run(&["status", name.as_str()]).expect_success().stdout;
    let sentence = format!(
        "via {}, since {} does not answer and {} has no registry that answers",
        c.address(),
        a.address(),
        b.address()
    );
    assert!(status.split_whitespace().collect::<Vec<_>>().join(" ").contains(&sentence), "{status}");

    // The preferred host again, as soon as nothing would notice.
    a.start_sshd();
    let back = until_via(&dockline, &name, &a);
    assert!(back.tunnel.route.unwrap().passed_over.is_empty());
    let digest = push(&dockline, &archive, &name, "fourth");
    assert_eq!(a.manifest_digest("fourth", "v1").as_deref(), Some(digest.as_str()));
}

/// Whatever the host was doing when it died: what was pushed is whole, or the push says that it is not.
#[test]
fn a_host_that_dies_under_a_push_takes_nothing_with_it() {
    if !lab::requires(HOST) {
        return;
    }
    let mut a = RegistryHost::start();
    let b = replica_of(&a);
    let dockline = Dockline::new();
    let _agent = dockline.agent();
    let name = add(&dockline, &[&a, &b]);
    let archive = sample(&dockline);
    a.limit_link("10mbit");
    let target = format!("{name}/app:v1");
    let pushing = Daemon::spawn("dockline push", dockline.command(&["push", &archive, &target, "--json"]));
    pushing.wait_for_line("\"kind\":\"transferring\"", PATIENCE);
    a.stop_sshd();
    let ended = pushing.wait(PATIENCE).expect("a push does not hang");
    let arrived = b.manifest_digest("app", "v1");
    assert_eq!(ended.success(), arrived.is_some(), "{}", pushing.log());
    let digest = push(&dockline, &archive, &name, "app");
    assert_eq!(b.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));
    assert!(arrived.is_none_or(|arrived| arrived == digest));
}

/// A registry of this machine, at an address of its own, which a host pulls from at its own localhost.
#[test]
fn a_host_pulls_from_a_registry_of_this_machine_while_it_is_offered() {
    if !lab::requires(HOST) {
        return;
    }
    let (here, dockline) = (RegistryHost::start(), Dockline::new());
    let there =
        RegistryHost::with(RegistryHostOptions { without_registry: true, ..RegistryHostOptions::default() });
    let _agent = dockline.agent();
    let name = dockline.add(&here);
    let digest = push(&dockline, &sample(&dockline), &name, "app");
    let to = view(&dockline, &name).spec.listen().to_string();
    let offer = offer(&dockline, &there, &to);
    assert_eq!(there.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));
    let snapshot: Snapshot = dockline.json(&["status"]).expect_success().read();
    assert_eq!(snapshot.offers.len(), 1);

    // Its link breaks, and it comes back by itself.
    there.end_sessions();
    let began = Instant::now();
    while there.try_manifest_digest("app", "v1").is_none() {
        assert!(began.elapsed() < PATIENCE, "it is not offered again");
    }
    take_back(&offer);
    assert!(there.try_manifest_digest("app", "v1").is_none(), "the host listens no more");
    let snapshot: Snapshot = dockline.json(&["status"]).expect_success().read();
    assert!(snapshot.offers.is_empty());
}

/// `offer --keep` and `offer --withdraw`: in the configuration, and so with the next owner, until it is taken back.
#[test]
fn an_offer_that_is_kept_comes_back_with_the_next_owner_until_it_is_withdrawn() {
    if !lab::requires(HOST) {
        return;
    }
    let (here, dockline) = (RegistryHost::start(), Dockline::new());
    let there =
        RegistryHost::with(RegistryHostOptions { without_registry: true, ..RegistryHostOptions::default() });
    dockline.trust(&there.known_hosts_line());
    let agent = dockline.agent();
    let name = dockline.add(&here);
    let digest = push(&dockline, &sample(&dockline), &name, "app");
    let to = view(&dockline, &name).spec.listen().to_string();
    let (identity, destination) = (there.identity().display().to_string(), there.destination());
    let offer = ["offer", &destination, "--to", &to, "--identity", &identity];
    let until = |is_there: bool| {
        let began = Instant::now();
        while there.try_manifest_digest("app", "v1").is_some() != is_there {
            assert!(began.elapsed() < PATIENCE, "still not so: offered = {is_there}");
        }
    };
    dockline.run(&[&offer[..], &["--keep"]].concat()).expect_success();
    assert_eq!(there.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));

    drop(agent);
    until(false);
    let agent = dockline.agent();
    until(true);
    let withdraw = ["offer", &destination, "--withdraw"];
    dockline.run(&withdraw).expect_success();
    until(false);
    let text = fs::read_to_string(dockline.config_file()).expect("the folder is ours");
    assert!(!text.contains("[[offer]]"), "{text}");
    drop(agent);
    let _agent = dockline.agent();
    assert!(dockline.snapshot().offers.is_empty());
    // What is not there cannot be taken back, with an owner or without.
    assert_eq!(dockline.json(&withdraw).error().code, Code::NotFound);
}

/// sshd may open the port to everybody whatever it is asked for; Dockline lets in the host itself only.
#[test]
fn an_offered_registry_is_for_the_host_alone() {
    if !lab::requires(HOST) {
        return;
    }
    let dockline = Dockline::new();
    let here = RegistryHost::start();
    let there = RegistryHost::with(RegistryHostOptions {
        without_registry: true,
        sshd_config: "GatewayPorts yes".to_owned(),
        ..RegistryHostOptions::default()
    });
    let _agent = dockline.agent();
    let name = dockline.add(&here);
    let digest = push(&dockline, &sample(&dockline), &name, "app");
    let to = view(&dockline, &name).spec.listen().to_string();
    let offer = offer(&dockline, &there, &to);
    let outer = format!("http://{}:5000/v2/", there.address());
    let curl = Command::new("curl").args(["--silent", "--max-time", "10", &outer]).output().unwrap();
    assert!(!curl.status.success() && curl.stdout.is_empty(), "a stranger got an answer: {curl:?}");
    offer.wait_for_line("lets other machines connect", PATIENCE);
    assert_eq!(there.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));
    take_back(&offer);
}

/// `push --replicas` and `copy`: to every host of a registry, and from one registry to another through two tunnels.
#[test]
fn an_image_goes_to_all_replicas_and_from_one_registry_to_another() {
    if !lab::requires(HOST) {
        return;
    }
    let a = RegistryHost::start();
    let (mut b, c, other) = (replica_of(&a), replica_of(&a), replica_of(&a));
    let dockline = Dockline::new();
    let name = add(&dockline, &[&a, &b, &c]);
    let second = add(&dockline, &[&other]);
    let archive = sample(&dockline);
    let target = format!("{name}/app:v1");
    dockline.run(&["push", &archive, &target, "--replicas"]).expect_success();
    let digest = a.manifest_digest("app", "v1").expect("the first has it");
    for replica in [&b, &c] {
        assert_eq!(replica.manifest_digest("app", "v1").as_deref(), Some(digest.as_str()));
    }

    // What each of them has is remembered of that host, and not of the port that led there.
    let records = fs::read_to_string(dockline.state_dir().join("pushes/layers.json")).expect("records");
    let records: serde_json::Value = serde_json::from_str(&records).expect("they are JSON");
    let known = records["registries"].as_object().expect("by registry");
    assert_eq!(known.len(), 3, "{known:?}");
    for host in [&a, &b, &c] {
        let place = format!("{name}:5000 at {}", host.destination());
        assert!(known.contains_key(&place), "{place}: {:?}", known.keys());
    }

    let copied: TransferView =
        dockline.json(&["copy", &target, &format!("{second}/team/app:v2")]).expect_success().read();
    let TransferState::Done { verified } = copied.state else { panic!("{:?}", copied.state) };
    assert_eq!((verified.digest.as_str(), verified.at_registry), (digest.as_str(), true));
    assert_eq!(other.manifest_digest("team/app", "v2").as_deref(), Some(digest.as_str()));

    // Two of three take their time: the third does not wait for them.
    for slow in [&a, &b] {
        slow.registry().signal(Signal::SIGSTOP);
    }
    let pushing = Daemon::spawn(
        "dockline push",
        dockline.command(&["push", &archive, &format!("{name}/slow:v1"), "--replicas"]),
    );
    lab::until("the third has it", || {
        c.try_manifest_digest("slow", "v1").as_deref() == Some(digest.as_str())
    });
    for slow in [&a, &b] {
        assert!(pushing.is_running(), "{}", pushing.log());
        slow.registry().signal(Signal::SIGCONT);
    }
    assert!(pushing.wait(PATIENCE).expect("it ends").success(), "{}", pushing.log());

    // One of three is down: the others get it, and the exit status says that one did not.
    b.stop_sshd();
    let ended = dockline.run(&["push", &archive, &format!("{name}/again:v1"), "--replicas"]);
    assert_eq!(ended.status, Some(i32::from(Code::SshUnreachable.exit_status())), "{ended:?}");
    assert!(ended.stderr.contains(&format!("1 of 3 failed: {}", b.destination())), "{}", ended.stderr);
    for replica in [&a, &c] {
        assert_eq!(replica.manifest_digest("again", "v1").as_deref(), Some(digest.as_str()));
    }
}

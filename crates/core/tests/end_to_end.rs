//! The main job against a real SSH server and a real registry: both inside this process, both on loopback.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test that fails should panic")]

mod common;

use common::{
    NAME, add, connected_owner, finished, hello, name, next, open, paths, request, snapshot, target,
    transfer, until,
};
use dockline_core::{Mode, Session};
use dockline_demo::DemoHost;
use dockline_model::{
    Answer, ArchiveFormat, Change, Code, Command, Extent, HostsAction, LeaseHolder, PushOptions, Question,
    Reply, TransferState, TransferView, TunnelState, Verified,
};
use std::{net::TcpListener, path::Path, time::Duration};

fn push(host: &DemoHost, reference: &str) -> Command {
    Command::PushArchive {
        path: host.sample_archive().to_owned(),
        registry: name(),
        reference: Some(reference.to_owned()),
        host: None,
        extent: Extent::default(),
        image: None,
        options: PushOptions::default(),
    }
}

fn verified(transfer: &TransferView) -> &Verified {
    match &transfer.state {
        TransferState::Done { verified } => verified,
        other => panic!("{other:?}"),
    }
}

fn code(transfer: &TransferView) -> Code {
    match &transfer.state {
        TransferState::Failed { error } => {
            assert!(error.message.ends_with('.'), "{error:?}");
            error.code
        }
        other => panic!("{other:?}"),
    }
}

fn is_idle(state: &TunnelState) -> bool {
    matches!(state, TunnelState::Idle)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_comes_back() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (_, session, _) = connected_owner(home.path(), &host).await;
    let mut events = session.events();
    // Without a reference the archive's own name is taken.
    let command = Command::PushArchive {
        path: host.sample_archive().to_owned(),
        registry: name(),
        reference: None,
        image: None,
        options: PushOptions::default(),
        host: None,
        extent: Extent::default(),
    };
    let id = transfer(&session, command).await;
    let (mut last, mut layers) = (0, 0);
    let pushed = loop {
        let Change::Transfer { transfer } = next(&mut events).await.change else { continue };
        assert!(transfer.current >= last, "progress runs backwards");
        last = transfer.current;
        layers = layers.max(transfer.layers.len());
        if transfer.id == id && transfer.state.is_final() {
            break transfer;
        }
    };
    assert!(verified(&pushed).at_registry && layers > 1, "{pushed:?}");
    assert_eq!((pushed.current, pushed.source.as_str()), (pushed.total, "sample.tar"));
    assert!(pushed.reference.starts_with(&format!("{NAME}:5000/")), "{}", pushed.reference);

    let path = home.path().join("back.tar");
    let pull = Command::PullArchive {
        reference: pushed.reference.clone(),
        path: path.clone(),
        format: ArchiveFormat::Oci,
        platform: None,
        extent: Extent::default(),
    };
    let id = transfer(&session, pull.clone()).await;
    let pulled = finished(&mut events, id).await;
    assert_eq!(verified(&pulled).digest, verified(&pushed).digest);
    assert!(path.metadata().unwrap().len() > 1 << 20);
    assert_eq!(request(&session, pull).await.unwrap_err().code, Code::FileIo, "the file is there");

    let idle = until(&mut events, |registry| is_idle(&registry.tunnel.state)).await;
    assert!(idle.tunnel.leases.is_empty() && idle.tunnel.bytes_up > 1 << 20, "{idle:?}");
    request(&session, Command::Dismiss { transfer: id }).await.unwrap();
    assert_eq!(snapshot(&session).await.transfers.len(), 1);
    session.close().await;
    // The host learns of it from the network, a moment later than the program that hung up.
    let gone = async {
        while host.sessions_open() != 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), gone).await.expect("the SSH session is closed");
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_share_the_tunnel_and_queue() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (_, session, _) = connected_owner(home.path(), &host).await;
    let mut events = session.events();
    let mut waiting = Vec::new();
    for n in 0..4 {
        waiting.push(transfer(&session, push(&host, &format!("app{n}:v1"))).await);
    }
    let mut digests = std::collections::BTreeSet::new();
    let mut active = std::collections::BTreeSet::new();
    while !waiting.is_empty() {
        let Change::Transfer { transfer } = next(&mut events).await.change else { continue };
        match transfer.state {
            TransferState::Waiting | TransferState::Paused => {}
            TransferState::Running | TransferState::Verifying => drop(active.insert(transfer.id)),
            TransferState::Done { .. } | TransferState::Failed { .. } | TransferState::Cancelled => {
                active.remove(&transfer.id);
                waiting.retain(|id| *id != transfer.id);
                digests.insert(verified(&transfer).digest.clone());
            }
        }
        assert!(active.len() <= 2, "two at a time");
    }
    assert_eq!(digests.len(), 1);
    // One dial, and what the pool adds for more than two channels at once; never one a transfer or a layer.
    assert!((1..=3).contains(&host.sessions_accepted()), "{}", host.sessions_accepted());
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_transfer_stops_and_lets_go() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (_, session, _) = connected_owner(home.path(), &host).await;
    let mut events = session.events();
    let id = transfer(&session, push(&host, "app:v1")).await;
    while !matches!(&next(&mut events).await.change,
        Change::Transfer { transfer } if transfer.state == TransferState::Running)
    {}
    request(&session, Command::Cancel { transfer: id }).await.unwrap();
    assert_eq!(finished(&mut events, id).await.state, TransferState::Cancelled);
    until(&mut events, |registry| registry.tunnel.leases.is_empty()).await;
    let again = transfer(&session, push(&host, "app:v1")).await;
    assert!(verified(&finished(&mut events, again).await).at_registry);
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_host_key_is_asked_about_once() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let paths = paths(home.path());
    let owner = open(&paths, Mode::MustOwn).await;
    add(&owner, target(&host)).await;
    let mut events = owner.events();
    let connect = Command::Connect { registry: name(), hold: false };
    let nobody = request(&owner, connect.clone()).await.unwrap_err();
    assert_eq!(nobody.code, Code::HostKeyUnknown);
    until(&mut events, |registry| {
        matches!(registry.tunnel.state, TunnelState::Failed { .. }) && registry.tunnel.leases.is_empty()
    })
    .await;

    // A face with a person in front of it: the owner's question reaches it over the control socket.
    let person = Session::open(paths.clone(), hello(true), Mode::RequireOwner).await.unwrap();
    let mut events = person.events();
    let asker = owner.clone();
    let connecting = tokio::spawn(async move { request(&asker, connect).await });
    let prompt = loop {
        if let Change::Prompt { prompt } = next(&mut events).await.change {
            break prompt;
        }
    };
    assert!(
        matches!(&prompt.question, Question::HostKey { fingerprint, .. } if fingerprint.starts_with("SHA256:"))
    );
    assert_eq!(snapshot(&person).await.prompts.len(), 1);
    let trust = Command::Answer { prompt: prompt.id, answer: Answer::Trust };
    request(&person, trust.clone()).await.unwrap();
    assert_eq!(request(&owner, trust).await.unwrap_err().code, Code::NotFound, "the first answer wins");
    connecting.await.unwrap().unwrap();
    assert!(std::fs::read_to_string(&paths.ssh.known_hosts[0]).unwrap().contains("ssh-ed25519"));

    request(&owner, Command::Disconnect { registry: name(), force: true }).await.unwrap();
    request(&owner, Command::Connect { registry: name(), hold: false }).await.unwrap();
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_ends_with_the_last_person_who_could_answer() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let paths = paths(home.path());
    let owner = open(&paths, Mode::MustOwn).await;
    add(&owner, target(&host)).await;
    let person = Session::open(paths, hello(true), Mode::RequireOwner).await.unwrap();
    let mut events = owner.events();
    let asker = owner.clone();
    let connecting =
        tokio::spawn(
            async move { request(&asker, Command::Connect { registry: name(), hold: false }).await },
        );
    while !matches!(next(&mut events).await.change, Change::Prompt { .. }) {}
    person.close().await;
    assert_eq!(connecting.await.unwrap().unwrap_err().code, Code::HostKeyUnknown);
    assert!(snapshot(&owner).await.prompts.is_empty());
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_face_holds_dies_with_it() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (paths, owner, _) = connected_owner(home.path(), &host).await;
    let mut events = owner.events();
    let face = open(&paths, Mode::RequireOwner).await;
    request(&face, Command::Connect { registry: name(), hold: true }).await.unwrap();
    let held = snapshot(&owner).await.registries.remove(0).tunnel;
    assert!(matches!(held.leases[0].holder, LeaseHolder::Face { .. }), "{held:?}");
    assert!(matches!(held.state, TunnelState::Up { .. }));
    let busy = request(&owner, Command::Quit { force: false }).await.unwrap_err();
    assert_eq!(busy.code, Code::OwnerBusy);

    let id = transfer(&face, push(&host, "app:v1")).await;
    drop(face);
    assert_eq!(finished(&mut events, id).await.state, TransferState::Cancelled);
    until(&mut events, |registry| is_idle(&registry.tunnel.state)).await;
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_have_their_codes() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (paths, session, spec) = connected_owner(home.path(), &host).await;
    let mut events = session.events();
    let connect = || Command::Connect { registry: name(), hold: false };
    let remove = || Command::RemoveRegistry { registry: name() };

    let missing = Command::PullArchive {
        reference: format!("{NAME}/nothing:v1"),
        format: ArchiveFormat::Oci,
        platform: None,
        extent: Extent::default(),
        path: home.path().join("nothing.tar"),
    };
    let id = transfer(&session, missing).await;
    assert_eq!(code(&finished(&mut events, id).await), Code::ReferenceNotFound);
    let unknown = Command::Pull { reference: "cr.unknown.org/app:v1".to_owned(), platform: None, road: None };
    assert_eq!(request(&session, unknown).await.unwrap_err().code, Code::RegistryUnknown);
    std::fs::write(home.path().join("no.tar"), "not an archive").unwrap();
    let no_archive = Command::PushArchive {
        path: home.path().join("no.tar"),
        registry: name(),
        reference: None,
        image: None,
        options: PushOptions::default(),
        host: None,
        extent: Extent::default(),
    };
    assert_eq!(request(&session, no_archive).await.unwrap_err().code, Code::ArchiveInvalid);
    assert_eq!(
        request(&session, Command::AddRegistry { target: target(&host) }).await.unwrap_err().code,
        Code::RegistryExists
    );

    // The demo host forwards to its registry alone.
    request(&session, remove()).await.unwrap();
    let mut elsewhere = target(&host);
    elsewhere.remote = Some("127.0.0.1:1".parse().unwrap());
    add(&session, elsewhere).await;
    let refused = request(&session, connect()).await.unwrap_err();
    assert!(matches!(refused.code, Code::ForwardForbidden | Code::RemoteClosed), "{refused:?}");

    request(&session, remove()).await.unwrap();
    let mut wrong_key = target(&host);
    let other = DemoHost::start().await.unwrap();
    wrong_key.ssh.identity = Some(other.identity().to_owned());
    add(&session, wrong_key).await;
    assert_eq!(request(&session, connect()).await.unwrap_err().code, Code::SshAuth);

    request(&session, remove()).await.unwrap();
    let known = std::fs::read_to_string(host.known_hosts()).unwrap();
    let theirs = std::fs::read_to_string(other.known_hosts()).unwrap();
    let (place, key) = (known.split_once(' ').unwrap().0, theirs.split_once(' ').unwrap().1);
    std::fs::write(&paths.ssh.known_hosts[0], format!("{place} {key}")).unwrap();
    add(&session, target(&host)).await;
    assert_eq!(request(&session, connect()).await.unwrap_err().code, Code::HostKeyChanged);
    std::fs::write(&paths.ssh.known_hosts[0], known).unwrap();

    // Somebody else's listener must not be pushed to.
    request(&session, remove()).await.unwrap();
    let taken = TcpListener::bind(spec.listen()).unwrap();
    let mut there = target(&host);
    there.address = Some(spec.address);
    add(&session, there).await;
    let id = transfer(&session, push(&host, "app:v1")).await;
    assert_eq!(code(&finished(&mut events, id).await), Code::PortInUse);
    drop(taken);
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_disconnect_ends_transfers() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (_, session, _) = connected_owner(home.path(), &host).await;
    let mut events = session.events();
    let id = transfer(&session, push(&host, "app:v1")).await;
    until(&mut events, |registry| matches!(registry.tunnel.state, TunnelState::Up { .. })).await;
    request(&session, Command::Disconnect { registry: name(), force: true }).await.unwrap();
    assert_eq!(code(&finished(&mut events, id).await), Code::Disconnected);
    session.close().await;
}

async fn config_error(events: &mut dockline_core::EventStream) -> Option<Code> {
    loop {
        if let Change::Config { error } = next(events).await.change {
            return error.map(|error| error.code);
        }
    }
}

fn registry_toml(name: &str) -> String {
    let address = common::address();
    format!("[[registry]]\nname = \"{name}\"\nssh = \"demo@127.0.0.1:1\"\naddress = \"{address}\"\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_may_be_edited_by_hand() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let session = open(&paths, Mode::MustOwn).await;
    let mut events = session.events();
    let first = registry_toml("cr.one.org");
    std::fs::write(&paths.config_file, &first).unwrap();
    assert_eq!(next_registry(&mut events).await, "cr.one.org");

    std::fs::write(&paths.config_file, format!("{first}colour = 1\n")).unwrap();
    assert_eq!(config_error(&mut events).await, Some(Code::ConfigInvalid));
    let broken = snapshot(&session).await;
    assert_eq!(broken.registries.len(), 1, "the last good ones stay");
    assert!(broken.config_error.unwrap().message.contains("line 5, column 1"));
    let refused =
        request(&session, Command::RemoveRegistry { registry: "cr.one.org".parse().unwrap() }).await;
    assert_eq!(refused.unwrap_err().code, Code::ConfigInvalid);

    // As an editor saves: a new file in the old one's place.
    let saved = home.path().join("config.toml~");
    std::fs::write(&saved, format!("{first}\n{}", registry_toml("cr.two.org"))).unwrap();
    std::fs::rename(&saved, &paths.config_file).unwrap();
    assert_eq!(config_error(&mut events).await, None);
    assert_eq!(next_registry(&mut events).await, "cr.two.org");
    std::fs::remove_file(&paths.config_file).unwrap();
    let mut gone = Vec::new();
    while gone.len() < 2 {
        if let Change::RegistryGone { name } = next(&mut events).await.change {
            gone.push(name.to_string());
        }
    }
    session.close().await;
}

async fn next_registry(events: &mut dockline_core::EventStream) -> String {
    until(events, |_| true).await.spec.name.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_file_is_planned_applied_and_undone() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let session = open(&paths, Mode::MustOwn).await;
    let spec = add(&session, common::target_at("demo@127.0.0.1:1")).await;
    let mut events = session.events();
    let original = std::fs::read_to_string(&paths.hosts_file).unwrap();
    for (action, ready) in [(HostsAction::Apply, true), (HostsAction::Undo, false)] {
        let plan = plan(&session, action).await;
        assert!(!plan.satisfied && plan.diff.contains(&spec.address.to_string()), "{plan:?}");
        let mut stale = plan.clone();
        stale.before = "0".repeat(64);
        let refused = request(&session, Command::ApplyHosts { plan: stale }).await.unwrap_err();
        assert_eq!(refused.code, Code::HostsChanged);
        let Reply::Hosts { plan: after } = request(&session, Command::ApplyHosts { plan }).await.unwrap()
        else {
            panic!("no plan")
        };
        assert!(after.satisfied);
        until(&mut events, |registry| registry.alias_ready == ready).await;
    }
    assert_eq!(std::fs::read_to_string(&paths.hosts_file).unwrap(), original);
    session.close().await;
}

async fn plan(session: &Session, action: HostsAction) -> dockline_model::HostsView {
    match request(session, Command::PlanHosts { action }).await.unwrap() {
        Reply::Hosts { plan } => plan,
        other => panic!("{other:?}"),
    }
}

/// The listener is there for any program, not for Dockline's own transfers alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_opens_the_tunnel_by_connecting() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (_, session, spec) = connected_owner(home.path(), &host).await;
    let mut events = session.events();
    let mut program = tokio::net::TcpStream::connect(spec.listen()).await.unwrap();
    let request = format!("GET /v2/ HTTP/1.1\r\nHost: {}\r\n\r\n", spec.authority());
    tokio::io::AsyncWriteExt::write_all(&mut program, request.as_bytes()).await.unwrap();
    until(&mut events, |registry| {
        matches!(registry.tunnel.state, TunnelState::Up { .. })
            && matches!(registry.tunnel.leases[..], [ref lease] if matches!(lease.holder, LeaseHolder::Connection { .. }))
    })
    .await;
    drop(program);
    let begun = std::time::Instant::now();
    until(&mut events, |registry| is_idle(&registry.tunnel.state)).await;
    assert!(begun.elapsed() >= Duration::from_millis(900), "it lingers for a second");
    assert!(Path::new(&home.path().join("config.toml")).exists());
    session.close().await;
}

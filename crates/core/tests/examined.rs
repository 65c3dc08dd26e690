//! The doctor, kept transfers, settings and the team file, against a real SSH server and a real registry.
#![allow(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test that fails should panic")]

mod common;

use common::{connected_owner, finished, name, open, paths, request, snapshot, target, transfer};
use dockline_core::{EventStream, Mode, Session};
use dockline_demo::DemoHost;
use dockline_model::{
    Change, Code, Command, ContextChoice, DoctorReport, Extent, ImportVerdict, Link, LinkState, Notices,
    Patient, PushOptions, Remedy, Reply, SettingsChange, Target, Theme, TransferState, TransferView,
};
use std::{fs, time::Duration};

async fn examined(session: &Session, patient: Patient) -> (DoctorReport, Vec<Link>) {
    let mut events = session.events();
    let reply = request(session, Command::Doctor { patient, round_trip: true }).await.unwrap();
    let Reply::Doctor { id } = reply else { panic!("{reply:?}") };
    let mut order = Vec::new();
    loop {
        let Change::Doctor { report } = next(&mut events).await else { continue };
        if report.id != id {
            continue;
        }
        for view in &report.links {
            if matches!(view.state, LinkState::Passed { .. }) && !order.contains(&view.link) {
                order.push(view.link);
            }
        }
        if report.finished.is_some() {
            return (report, order);
        }
    }
}

async fn next(events: &mut EventStream) -> Change {
    common::next(events).await.change
}

fn state(report: &DoctorReport, link: Link) -> &LinkState {
    &report.links.iter().find(|view| view.link == link).unwrap().state
}

fn failure(report: &DoctorReport, link: Link) -> (Code, &Remedy) {
    match state(report, link) {
        LinkState::Failed { error, remedy } => (error.code, remedy),
        other => panic!("{link:?} is {other:?}"),
    }
}

/// What of the way is Dockline's own; the engine is this machine's, and may not be there.
const OWN: [Link; 6] =
    [Link::Address, Link::Listener, Link::SshReach, Link::HostKey, Link::Login, Link::Registry];

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_follows_the_way_and_names_the_link_that_breaks() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (_, session, _) = connected_owner(home.path(), &host).await;
    let (report, order) = examined(&session, Patient::Registry { registry: name() }).await;
    assert_eq!(order[..6], OWN, "{report:?}");
    assert!(matches!(state(&report, Link::RoundTrip), LinkState::Passed { .. }), "{report:?}");
    // The name is not in this test's hosts file. The button leads to the plan that puts it there, if there is an engine
    // on this machine to be set up for it; else the hosts file alone is.
    let (code, remedy) = failure(&report, Link::Name);
    assert_eq!(code, Code::NameNotSetUp);
    let is_told = match remedy {
        Remedy::Run { command, .. } => matches!(**command, Command::PlanSetup { .. }),
        Remedy::Person { words } => words.ends_with("dockline hosts"),
    };
    assert!(is_told, "{remedy:?}");
    let text = report.text.clone().unwrap();
    assert!(text.contains("The registry answers") && text.contains("[name-not-set-up]"), "{text}");
    let key = fs::read_to_string(host.identity()).unwrap();
    assert!(key.lines().filter(|line| line.len() > 20).all(|line| !text.contains(line)), "{text}");
    assert_eq!(snapshot(&session).await.doctors, std::slice::from_ref(&report));

    // A candidate with a user that may not log in: everything up to the login holds.
    let mut wrong = target(&host);
    wrong.name = "cr.other.test".parse().unwrap();
    wrong.ssh.user = Some("nobody-of-that-name".to_owned());
    let (report, _) = examined(&session, Patient::Candidate { target: Box::new(wrong) }).await;
    assert_eq!(failure(&report, Link::Login).0, Code::SshAuth);
    assert!(matches!(state(&report, Link::HostKey), LinkState::Passed { .. }));
    assert!(matches!(state(&report, Link::RoundTrip), LinkState::Skipped { .. }));
    assert!(report.is_candidate && report.summary.unwrap().contains("login"));

    // One whose registry is not there.
    let mut empty = target(&host);
    empty.name = "cr.third.test".parse().unwrap();
    empty.remote = Some("127.0.0.1:1".parse().unwrap());
    let (report, _) = examined(&session, Patient::Candidate { target: Box::new(empty) }).await;
    let (_, remedy) = failure(&report, Link::Registry);
    assert!(
        matches!(remedy, Remedy::Person { words } if words.ends_with('.') || words.contains("docker run"))
    );
    assert_eq!(snapshot(&session).await.registries.len(), 1, "candidates leave nothing behind");
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_without_a_tunnel_is_examined_for_what_it_has() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (_, session, _) = connected_owner(home.path(), &host).await;
    let url = format!("http://{}", host.registry_addr());
    let mut direct = target(&host);
    direct.name = "cr.direct.test".parse().unwrap();
    direct.url = Some(Box::new(url.parse().unwrap()));
    let direct = Target { address: None, remote: None, linger_seconds: None, ..direct };
    request(&session, Command::AddRegistry { target: direct.clone() }).await.unwrap();

    let candidate = Target { name: "cr.candidate.test".parse().unwrap(), ..direct.clone() };
    for patient in [
        Patient::Registry { registry: direct.name.clone() },
        Patient::Candidate { target: Box::new(candidate) },
    ] {
        let (report, order) = examined(&session, patient).await;
        for link in [Link::Name, Link::Listener, Link::SshReach, Link::Login, Link::EngineSettings] {
            assert!(matches!(state(&report, link), LinkState::Skipped { .. }), "{link:?}: {report:?}");
        }
        assert_eq!(order[..2], [Link::Registry, Link::RegistryLogin], "{report:?}");
        assert!(matches!(state(&report, Link::RoundTrip), LinkState::Passed { .. }), "{report:?}");
    }

    // With nobody there, the first link that it has is the one that breaks.
    let gone = Target { url: Some(Box::new("http://127.0.0.1:1".parse().unwrap())), ..direct };
    let patient =
        Patient::Candidate { target: Box::new(Target { name: "cr.gone.test".parse().unwrap(), ..gone }) };
    let (report, _) = examined(&session, patient).await;
    assert_eq!(failure(&report, Link::Registry).0, Code::RegistryUnreachable);
    assert!(matches!(state(&report, Link::RoundTrip), LinkState::Skipped { .. }));
    session.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_outlive_the_owner_and_can_be_asked_for_again() {
    let (home, host) = (tempfile::tempdir().unwrap(), DemoHost::start().await.unwrap());
    let (paths, session, _) = connected_owner(home.path(), &host).await;
    let mut events = session.events();
    let push = |reference: &str, file: &std::path::Path| Command::PushArchive {
        path: file.to_owned(),
        registry: name(),
        reference: Some(reference.to_owned()),
        image: None,
        options: PushOptions::default(),
        host: None,
        extent: Extent::default(),
    };
    let archive = home.path().join("moved.tar");
    fs::copy(host.sample_archive(), &archive).unwrap();
    request(&session, Command::PauseAll).await.unwrap();
    assert!(snapshot(&session).await.paused);
    let _good = transfer(&session, push("app:v1", host.sample_archive())).await;
    let bad = transfer(&session, push("app:v2", &archive)).await;
    fs::remove_file(&archive).unwrap();
    assert!(snapshot(&session).await.transfers.iter().all(|view| view.state == TransferState::Waiting));
    request(&session, Command::ResumeAll).await.unwrap();
    // Both run at once, and either may be the first to end.
    let mut ended: Vec<TransferView> = Vec::new();
    while ended.len() < 2 {
        let Change::Transfer { transfer } = next(&mut events).await else { continue };
        if transfer.state.is_final() {
            ended.push(transfer);
        }
    }
    ended.sort_by_key(|view| view.id);
    session.close().await;

    let session = open(&paths, Mode::MustOwn).await;
    let mut events = session.events();
    ended.iter_mut().for_each(|view| view.layers.clear());
    let kept = snapshot(&session).await.transfers;
    assert_eq!(kept, ended);
    assert!(matches!(kept[1].state, TransferState::Failed { .. }));
    // The archive is back: asking again is enough, and the failed one gives way to the new one.
    fs::copy(host.sample_archive(), &archive).unwrap();
    let again = transfer(&session, Command::Retry { transfer: bad }).await;
    assert!(again > bad);
    let done = finished(&mut events, again).await;
    assert!(matches!(done.state, TransferState::Done { .. }), "{done:?}");
    assert!(snapshot(&session).await.transfers.iter().all(|view| view.id != bad));
    let unknown = request(&session, Command::Retry { transfer: bad }).await.unwrap_err();
    assert_eq!(unknown.code, Code::NotFound);
    request(&session, Command::DismissAll).await.unwrap();
    assert!(snapshot(&session).await.transfers.is_empty());
    session.close().await;
    let session = open(&paths, Mode::MustOwn).await;
    assert!(snapshot(&session).await.transfers.is_empty());
    session.close().await;
}

#[tokio::test]
async fn settings_are_kept_with_the_comments_around_them() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    paths.prepare().unwrap();
    fs::write(&paths.config_file, "# mine\n[settings]\nkeyring = false # no thanks\n").unwrap();
    let session = open(&paths, Mode::MustOwn).await;
    let change = SettingsChange {
        transfers_per_registry: Some(4),
        linger_seconds: Some(60),
        notices: Some(Notices { done: false, ..Notices::default() }),
        theme: Some(Theme::Dark),
        context: Some(ContextChoice::Named { name: "nowhere".to_owned() }),
        ..SettingsChange::default()
    };
    let reply = request(&session, Command::ChangeSettings { change: change.clone() }).await.unwrap();
    let Reply::Settings { settings } = reply else { panic!("{reply:?}") };
    assert_eq!((settings.transfers_per_registry, settings.theme, settings.keyring), (4, Theme::Dark, false));
    let too_many = SettingsChange { transfers_per_registry: Some(9), ..SettingsChange::default() };
    let error = request(&session, Command::ChangeSettings { change: too_many }).await.unwrap_err();
    assert_eq!(error.code, Code::InvalidArgument);
    session.close().await;
    let text = fs::read_to_string(&paths.config_file).unwrap();
    assert!(text.starts_with("# mine\n") && text.contains("keyring = false # no thanks"), "{text}");
    let session = open(&paths, Mode::MustOwn).await;
    let now = snapshot(&session).await.settings;
    assert_eq!((now.linger_seconds, now.notices.done, now.context.as_deref()), (60, false, Some("nowhere")));
    let reply = request(
        &session,
        Command::ChangeSettings {
            change: SettingsChange { context: Some(ContextChoice::AsDocker), ..SettingsChange::default() },
        },
    );
    let Reply::Settings { settings } = reply.await.unwrap() else { panic!() };
    assert_eq!(settings.context, None);
    // A registry without a figure of its own lingers as the settings say.
    let added =
        Command::AddRegistry { target: Target { linger_seconds: None, ssh: "h".parse().unwrap(), ..bare() } };
    let Reply::Registry { spec } = request(&session, added).await.unwrap() else { panic!() };
    assert_eq!(spec.linger_seconds, 60);
    assert!(!fs::read_to_string(&paths.config_file).unwrap().contains("address = \"127.77.0.0\""));
    session.close().await;
}

fn bare() -> Target {
    serde_json::from_str(r#"{"name":"cr.bare.test","ssh":{"host":"h"}}"#).unwrap()
}

#[tokio::test]
async fn a_registry_is_renamed_in_place_and_handed_on() {
    let home = tempfile::tempdir().unwrap();
    let paths = paths(home.path());
    let session = open(&paths, Mode::MustOwn).await;
    let target = Target { address: Some(common::address()), ..bare() };
    let Reply::Registry { spec } =
        request(&session, Command::AddRegistry { target: target.clone() }).await.unwrap()
    else {
        panic!()
    };
    let renamed = Target { name: "cr.new.test".parse().unwrap(), address: None, ..target };
    let change = Command::ChangeRegistry { target: renamed, was: Some(spec.name.clone()) };
    let Reply::Registry { spec: new } = request(&session, change).await.unwrap() else { panic!() };
    assert_eq!((new.address, new.name.as_str()), (spec.address, "cr.new.test"));
    let listens = async {
        while snapshot(&session).await.registries[0].tunnel.listener_error.is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), listens).await.expect("the new name has the old address");

    let Reply::TeamFile { text } =
        request(&session, Command::ExportRegistries { registries: Vec::new() }).await.unwrap()
    else {
        panic!()
    };
    let plan = request(&session, Command::PlanImport { text: text.clone() }).await.unwrap();
    let Reply::ImportPlan { plan } = plan else { panic!() };
    assert_eq!(plan.entries[0].verdict, ImportVerdict::Same);
    let other = text.replace("\"h\"", "\"elsewhere\"");
    let import = Command::ImportRegistries { text: other, registries: Vec::new() };
    assert_eq!(request(&session, import).await.unwrap_err().code, Code::RegistryExists);
    let more = format!("{text}\n[[registry]]\nname = \"cr.more.test\"\nssh = [\"m\"]\n");
    let import = Command::ImportRegistries { text: more, registries: Vec::new() };
    request(&session, import).await.unwrap();
    let names: Vec<String> =
        snapshot(&session).await.registries.iter().map(|view| view.spec.name.to_string()).collect();
    assert_eq!(names, ["cr.new.test", "cr.more.test"]);
    session.close().await;
}

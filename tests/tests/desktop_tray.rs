//! The tray, through D-Bus as a desktop sees it; and the second start, which shows the first one's window.

use dockline_model::{Code, LeaseHolder, TransferState, TunnelState};
use dockline_tests::{
    desktop::{
        App, NotificationServer, PATIENCE, Portal, Screen, TrayHost, TrayLine, desktop_program, family,
        loads, serve_versions,
    },
    lab::{self, Daemon, Dockerd, Dockline, Need, RegistryHost, Workstation},
};
use nix::sys::signal::Signal;
use std::{
    process::Command,
    sync::{Arc, Mutex},
};

const HOST: &[Need] = &[Need::Desktop, Need::Root, Need::Sshd, Need::Registry];

#[tokio::test(flavor = "multi_thread")]
async fn connect_in_the_trays_menu_opens_the_tunnel() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let mut tray = TrayHost::start(&screen).await;
    let app = App::start(&screen, &dockline, &["--tray"]);

    let connect = format!("Connect to {name}");
    tray.wait_for("Connect", |line| line.label == connect).await;
    let idle = tray.icon().await;
    tray.click(&connect).await;
    tray.wait_for("who holds the tunnel", |line| line.label == "open for you" && !line.enabled).await;
    tray.wait_for_other_icon(&idle).await;
    let registry = dockline.snapshot().registries.remove(0);
    assert!(matches!(registry.tunnel.state, TunnelState::Up { .. }), "{:?}", registry.tunnel);
    assert_eq!(registry.tunnel.leases[0].holder, LeaseHolder::Manual);
    assert_eq!(host.logins(), 1);
    assert!(screen.windows("Dockline").is_empty(), "--tray shows no window");

    tray.click(&format!("Disconnect {name}")).await;
    tray.wait_for("Connect again", |line| line.label == connect).await;

    tray.click("Make docker push work here…").await;
    screen.wait_for_windows("Dockline", 1).await;
    tray.click("Quit Dockline").await;
    let ended = app.daemon().wait(PATIENCE);
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}\n{}", app.daemon().log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_fails_is_told_and_marked() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = lab::unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    let identity = host.wrong_identity().display().to_string();
    dockline.add_as(&name, &host, &["--identity", &identity]);
    let mut tray = TrayHost::start(&screen).await;
    let mut notifications = NotificationServer::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);

    tray.click(&format!("Connect to {name}")).await;
    let told = notifications.next().await;
    assert_eq!(told.app, "Dockline");
    assert_eq!(told.summary, format!("No tunnel to {name}"));
    assert!(!told.body.is_empty());
    tray.wait_for("Connect, to try again", |line| line.label == format!("Connect to {name}")).await;

    // Its button is the remedy, and a click on the rest of it shows where it belongs.
    notifications.click(&told, "remedy").await;
    let again = notifications.next().await;
    assert_eq!(again.summary, told.summary);
    assert!(screen.windows("Dockline").is_empty());
    notifications.click(&again, "default").await;
    screen.wait_for_windows("Dockline", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_failed_is_tried_again_from_its_notification() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, mut host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let archive = sample_archive(&dockline);
    let mut tray = TrayHost::start(&screen).await;
    let mut notifications = NotificationServer::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.wait_for("Connect", |line| line.label == format!("Connect to {name}")).await;

    host.stop_registry();
    let push = dockline.json(&["push", &archive, name.as_str()]);
    let error = push.expect_status(Code::RemoteClosed.exit_status().into()).error();
    let told = notifications.next().await;
    assert_eq!(told.summary, "sample.tar was not pushed");
    assert!(told.body.starts_with(&error.message), "{told:?}");
    assert_eq!(told.actions, actions(&[("default", "Show"), ("remedy", "Try again")]));
    assert_eq!(told.icon, "dialog-error");

    // As long as nothing is mended it fails once more, and says so once more.
    notifications.click(&told, "remedy").await;
    let again = notifications.next().await;
    assert_eq!((again.summary.as_str(), again.body.as_str()), (told.summary.as_str(), told.body.as_str()));
    host.start_registry();
    notifications.click(&again, "remedy").await;
    assert_eq!(notifications.next().await.summary, "Pushed sample.tar");
    let transfers = dockline.snapshot().transfers;
    let done =
        transfers.iter().find(|one| matches!(one.state, TransferState::Done { .. })).expect("it is done");
    let (_, name_there) = done.reference.split_once('/').expect("a reference begins with its registry");
    let (repository, tag) = name_there.rsplit_once(':').expect("it has a tag");
    assert!(host.manifest_digest(repository, tag).is_some(), "{}", done.reference);
    assert!(screen.windows("Dockline").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_host_key_is_told_and_is_not_accepted_in_passing() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, mut host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let known_hosts = dockline.ssh_folder().join("known_hosts");
    let trusted = std::fs::read_to_string(&known_hosts).expect("the host is known");
    let mut tray = TrayHost::start(&screen).await;
    let mut notifications = NotificationServer::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.wait_for("Connect", |line| line.label == format!("Connect to {name}")).await;
    let idle = tray.icon().await;

    host.change_host_key();
    tray.click(&format!("Connect to {name}")).await;
    let told = notifications.next().await;
    assert_eq!(told.summary, format!("{name} shows another host key"));
    for named in [&host.fingerprint(), &known_hosts.display().to_string()] {
        assert!(told.body.contains(named), "{named}: {}", told.body);
    }
    // No button accepts the key: a click shows where it is explained.
    assert_eq!(
        (told.actions.as_slice(), told.icon.as_str()),
        (&*actions(&[("default", "Show")]), "dialog-error")
    );
    tray.wait_for("why not", |line| {
        !line.enabled
            && line.label.starts_with(&format!("The key of the SSH host {} has changed", host.address()))
    })
    .await;
    tray.wait_for_other_icon(&idle).await;
    assert_eq!(tray.tooltip().await, "Dockline: something needs your attention");
    assert!(screen.windows("Dockline").is_empty());
    notifications.click(&told, "default").await;
    screen.wait_for_windows("Dockline", 1).await;
    assert_eq!(std::fs::read_to_string(&known_hosts).expect("it is still there"), trusted);
    assert_eq!(host.logins(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_failed_is_told_in_the_persons_language() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, mut host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let archive = sample_archive(&dockline);
    dockline.json(&["settings", "set", "language", "nl"]).expect_success();
    let mut tray = TrayHost::start(&screen).await;
    let mut notifications = NotificationServer::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.wait_for("Connect", |line| line.label == format!("Verbinden met {name}")).await;

    host.change_host_key();
    let push = dockline.json(&["push", &archive, name.as_str()]);
    let error = push.expect_status(Code::HostKeyChanged.exit_status().into()).error();
    assert!(error.message.starts_with("The key of"), "the command line speaks English: {}", error.message);
    // The tunnel's failure and the push's come one after the other.
    let both = [notifications.next().await, notifications.next().await];
    let [key, push] = ["toont een andere hostsleutel", "sample.tar is niet gepusht"]
        .map(|summary| both.iter().find(|told| told.summary.ends_with(summary)).expect("both are told"));
    let changed = format!("De sleutel van de SSH-host {} is veranderd", host.address());
    for told in [key, push] {
        assert!(told.body.starts_with(&changed), "{told:?}");
        let hint = error.hint.as_deref().expect("it says what to do");
        assert!(told.body.contains('\n') && !told.body.contains(hint), "{told:?}");
    }
    assert_eq!(push.actions, actions(&[("default", "Tonen"), ("remedy", "Opnieuw proberen")]));
    tray.wait_for("why not, in Dutch", |line| !line.enabled && line.label.starts_with(&changed)).await;
}

/// An archive to push, of an image that needs no engine.
fn sample_archive(dockline: &Dockline) -> String {
    let archive = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&archive).expect("the folder is ours");
    archive.display().to_string()
}

fn actions(named: &[(&str, &str)]) -> Vec<(String, String)> {
    named.iter().map(|&(name, text)| (name.to_owned(), text.to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_shows_the_firsts_window_and_closing_it_leaves_the_tray() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let mut tray = TrayHost::start(&screen).await;
    let app = App::start(&screen, &dockline, &["--tray"]);
    tray.wait_for("Open", |line| line.label == "Open Dockline").await;
    assert!(screen.windows("Dockline").is_empty());

    assert!(App::start_again(&screen, &dockline, &[]).success());
    screen.wait_for_windows("Dockline", 1).await;
    assert!(App::start_again(&screen, &dockline, &[]).success());
    screen.wait_for_windows("Dockline", 1).await;

    screen.close_window(screen.windows("Dockline")[0]);
    screen.wait_for_windows("Dockline", 0).await;
    assert!(app.daemon().is_running(), "{}", app.daemon().log());
    tray.click("Open Dockline").await;
    screen.wait_for_windows("Dockline", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_window_is_a_process_that_comes_and_goes_and_takes_nothing_with_it() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let mut tray = TrayHost::start(&screen).await;
    let app = App::start(&screen, &dockline, &["--tray"]);
    let pid = app.daemon().pid();
    assert_eq!(family(pid), [pid], "there is nothing but the tray");

    tray.click("Open Dockline").await;
    screen.wait_for_windows("Dockline", 1).await;
    let window = family(pid)[1];
    assert!(loads(window, "libwebkit2gtk"), "the window shows a page");
    for library in ["libwebkit2gtk", "libjavascriptcoregtk", "libgtk-3"] {
        assert!(!loads(pid, library), "the tray has {library}");
    }

    // It crashes: the tray stays, and gets another one.
    nix::sys::signal::kill(window, Signal::SIGKILL).expect("the window runs");
    screen.wait_for_windows("Dockline", 0).await;
    app.daemon().wait_for_line("the window ended unexpectedly", PATIENCE);
    tray.click("Open Dockline").await;
    screen.wait_for_windows("Dockline", 1).await;
    screen.close_window(screen.windows("Dockline")[0]);
    screen.wait_for_windows("Dockline", 0).await;
    wait_for_family(&app, 1).await;

    // The tray is killed: the window does not stay behind, and the next start finds nothing in its way.
    tray.click("Open Dockline").await;
    screen.wait_for_windows("Dockline", 1).await;
    app.daemon().kill();
    screen.wait_for_windows("Dockline", 0).await;
    let again = App::start(&screen, &dockline, &[]);
    screen.wait_for_windows("Dockline", 1).await;
    drop(again);
    screen.wait_for_windows("Dockline", 0).await;
}

/// Waits until the app has that many processes.
async fn wait_for_family(app: &App, count: usize) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while family(app.daemon().pid()).len() != count {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", family(app.daemon().pid()));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_menu_keeps_its_lines() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let mut tray = TrayHost::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.wait_for("Connect", |line| line.label == format!("Connect to {name}")).await;
    tray.open().await;
    let before = tray.menu().await;
    let idle = tray.icon().await;
    dockline.json(&["connect", name.as_str()]).expect_success();
    // The icon shows the change, so the tray knows of it.
    tray.wait_for_other_icon(&idle).await;
    assert_eq!(tray.menu().await, before, "the menu was rebuilt under the pointer");
    tray.close().await;
    tray.wait_for("who holds the tunnel", |line| line.label == "open for you").await;
    let quit = |menu: Vec<TrayLine>| menu.into_iter().find(|line| line.label.starts_with("Quit")).unwrap().id;
    assert_eq!(quit(tray.menu().await), quit(before), "a line is the same one wherever it stands");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_icon_follows_the_desktops_colours() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let mut tray = TrayHost::start(&screen).await;
    let portal = Portal::start(&screen, false).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    let light = tray.icon().await;
    portal.switch(true).await;
    let dark = tray.wait_for_other_icon(&light).await;
    portal.switch(false).await;
    assert_eq!(tray.wait_for_other_icon(&dark).await, light);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_copied_and_starting_at_login_switched_without_a_window() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    dockline.run(&["add", "cr.boss.org", "--ssh", "dockercr@192.0.2.1"]).expect_success();
    let mut tray = TrayHost::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.click("Copy address cr.boss.org:5000").await;
    screen.wait_for_clipboard("cr.boss.org:5000").await;

    let ticked = |on| move |line: &TrayLine| line.label == "Start at login" && line.ticked == Some(on);
    tray.wait_for("Start at login, off", ticked(false)).await;
    tray.click("Start at login").await;
    tray.wait_for("Start at login, on", ticked(true)).await;
    assert_eq!(dockline.snapshot().settings.start_at_login, Some(true));
    tray.click("Start at login").await;
    tray.wait_for("Start at login, off again", ticked(false)).await;
    assert!(screen.windows("Dockline").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_the_engines_is_pushed_from_the_tray() {
    if !lab::requires(&[HOST, &[Need::Dockerd]].concat()) {
        return;
    }
    let (screen, host) = (Screen::start(), RegistryHost::start());
    let dockerd = Dockerd::start(&Workstation::start());
    dockerd.build_image("team/app:v1", &[64]);
    let dockline = Dockline::new().with_engine(dockerd.endpoint());
    let name = dockline.add(&host);
    let mut tray = TrayHost::start(&screen).await;
    let mut notifications = NotificationServer::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.wait_for("Push", |line| line.label == format!("Push to {name}")).await;
    tray.click("team/app:v1").await;
    let told = notifications.next().await;
    assert_eq!(told.summary, "Pushed team/app:v1");
    // As the package installs them: `icons/hicolor/…/dockline.png`, `applications/dockline.desktop`.
    assert_eq!((told.icon.as_str(), told.entry.as_deref()), ("dockline", Some("dockline")));
    assert!(host.manifest_digest("team/app", "v1").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tray_speaks_the_persons_language_at_once() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    dockline.run(&["add", "cr.boss.org", "--ssh", "dockercr@192.0.2.1"]).expect_success();
    let mut tray = TrayHost::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.wait_for("Connect", |line| line.label == "Connect to cr.boss.org").await;
    dockline.json(&["settings", "set", "language", "nl"]).expect_success();
    tray.wait_for("Connect, in Dutch", |line| line.label == "Verbinden met cr.boss.org").await;
    for line in
        ["docker push hier laten werken…", "Dockline openen", "Starten als ik inlog", "Dockline afsluiten"]
    {
        tray.wait_for(line, |other| other.label == line).await;
    }
    assert_eq!(tray.tooltip().await, "Dockline: er is geen tunnel open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_is_told_once_and_stays_in_the_menu() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let newest = Arc::new(Mutex::new("98.0.0"));
    let url = serve_versions(newest.clone()).await;
    let mut tray = TrayHost::start(&screen).await;
    let mut notifications = NotificationServer::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    dockline.json(&["settings", "set", "update-url", &url]).expect_success();
    dockline.json(&["settings", "set", "update-check", "weekly"]).expect_success();
    assert_eq!(notifications.next().await.summary, "Dockline 98.0.0 is available");
    tray.wait_for("the version", |line| line.label == "Dockline 98.0.0 is available…").await;
    // Asked once more, and then about another: the next notification is of that one.
    dockline.run(&["updates"]).expect_success();
    *newest.lock().expect("nobody panics with it") = "99.0.0";
    dockline.run(&["updates"]).expect_success();
    assert_eq!(notifications.next().await.summary, "Dockline 99.0.0 is available");
    tray.click("Dockline 99.0.0 is available…").await;
    screen.wait_for_windows("Dockline", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_opened_with_the_app_are_pushed() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    dockline.add(&host);
    let archive = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&archive).expect("the folder is ours");
    let mut tray = TrayHost::start(&screen).await;
    let mut notifications = NotificationServer::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    // A registry that takes a break holds the push where it is.
    host.registry().signal(Signal::SIGSTOP);
    // A file that is dropped on the app's icon, or opened with the app, is named to a second start.
    assert!(App::start_again(&screen, &dockline, &[&archive.display().to_string()]).success());
    tray.wait_for("the push", |line| line.label.starts_with("Pushing sample.tar")).await;
    screen.look_elsewhere().await;
    host.registry().signal(Signal::SIGCONT);
    assert_eq!(notifications.next().await.summary, "Pushed sample.tar");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_tray_a_hidden_start_shows_the_window() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let _app = App::start(&screen, &dockline, &["--tray"]);
    screen.wait_for_windows("Dockline", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_outlives_the_agent_it_was_a_face_of_and_ends_when_told_to() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let agent = dockline.agent();
    let mut tray = TrayHost::start(&screen).await;
    let app = App::start(&screen, &dockline, &["--tray"]);
    app.daemon().wait_for_line("session open owner=false", PATIENCE);

    // The agent holds the tunnel, and the app shows it.
    dockline.json(&["connect", name.as_str()]).expect_success();
    tray.wait_for("who holds the tunnel", |line| line.label == "open for you").await;

    agent.daemon().kill();
    app.daemon().wait_for_line("session open owner=true", PATIENCE);
    tray.click(&format!("Connect to {name}")).await;
    tray.wait_for("who holds the tunnel", |line| line.label == "open for you").await;
    assert_eq!(host.logins(), 2);

    dockline.json(&["agent", "--stop", "--force"]).expect_success();
    let ended = app.daemon().wait(PATIENCE);
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}\n{}", app.daemon().log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_brings_the_window() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = lab::unique_registry_name("cr");
    dockline.add_as(&name, &host, &[]);
    let mut tray = TrayHost::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.click(&format!("Connect to {name}")).await;
    screen.wait_for_windows("Dockline", 1).await;
    assert_eq!(dockline.snapshot().prompts.len(), 1, "the host key is asked about, once");
    assert_eq!(host.logins(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_in_the_menu_while_it_runs() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let archive = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&archive).expect("the folder is ours");
    let mut tray = TrayHost::start(&screen).await;
    let mut notifications = NotificationServer::start(&screen).await;
    let _app = App::start(&screen, &dockline, &["--tray"]);
    tray.wait_for("Connect", |line| line.label == format!("Connect to {name}")).await;
    let idle = tray.icon().await;

    // A registry that takes a break holds the push where it is.
    host.registry().signal(Signal::SIGSTOP);
    let push = Daemon::spawn(
        "dockline push",
        dockline.command(&["push", &archive.display().to_string(), name.as_str()]),
    );
    tray.wait_for("the push", |line| line.label.starts_with("Pushing sample.tar") && !line.enabled).await;
    tray.wait_for("who holds the tunnel", |line| {
        // The push's own connections are the push, and nobody else's.
        line.label == "open for the push of sample.tar"
    })
    .await;
    tray.wait_for("what the end would break off", |line| {
        line.label.starts_with("Quit Dockline (interrupts 1 transfer")
    })
    .await;
    tray.wait_for_other_icon(&idle).await;
    host.registry().signal(Signal::SIGCONT);
    let ended = push.wait(PATIENCE);
    assert!(ended.is_some_and(|status| status.success()), "{}", push.log());
    assert_eq!(notifications.next().await.summary, "Pushed sample.tar");
    tray.wait_for_none("a push", |line| line.label.starts_with("Pushing")).await;
}

#[test]
fn without_a_display_it_says_so() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let mut command = Command::new(desktop_program());
    let ended = lab::try_run(command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY"));
    assert_eq!(ended.status.code(), Some(1));
    assert!(ended.stderr.contains("no display"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_leaves_nothing_behind() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let mut tray = TrayHost::start(&screen).await;
    let app = App::start(&screen, &dockline, &["--tray", "--demo"]);
    tray.wait_for("the demo's registry", |line| line.label == "Connect to cr.demo.test").await;
    let folders = || {
        let entries = std::fs::read_dir(dockline.folder()).expect("the folder is ours");
        entries.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("demo")).count()
    };
    assert_eq!(folders(), 1);
    tray.click("Quit Dockline").await;
    let ended = app.daemon().wait(PATIENCE);
    assert!(ended.is_some_and(|status| status.success()), "{ended:?}\n{}", app.daemon().log());
    assert_eq!(folders(), 0);
}

//! The tray, through D-Bus as a desktop sees it; and the second start, which shows the first one's window.

use dockline_model::{LeaseHolder, TunnelState};
use dockline_tests::{
    desktop::{App, NotificationServer, PATIENCE, Screen, TrayHost, desktop_program},
    lab::{self, Daemon, Dockline, Need, RegistryHost},
};
use nix::sys::signal::Signal;
use std::process::Command;

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
    let idle = tray.icon_file().await;
    tray.click(&connect).await;
    tray.wait_for("who holds the tunnel", |line| line.label == "open for you" && !line.enabled).await;
    assert_ne!(tray.icon_file().await, idle, "the icon shows that a tunnel is open");
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
    let idle = tray.icon_file().await;

    // A registry that takes a break holds the push where it is.
    host.registry().signal(Signal::SIGSTOP);
    let push = Daemon::spawn(
        "dockline push",
        dockline.command(&["push", &archive.display().to_string(), name.as_str()]),
    );
    tray.wait_for("the push", |line| line.label.starts_with("Pushing sample.tar") && !line.enabled).await;
    tray.wait_for("who holds the tunnel", |line| line.label.ends_with("1 push")).await;
    assert_ne!(tray.icon_file().await, idle, "the icon shows that something is going on");
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

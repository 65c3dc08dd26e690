//! The window, clicked through by WebDriver: add, connect, push, done; and what is dropped on it.

use dockline_model::{RegistryName, TransferState, TunnelState};
use dockline_tests::{
    desktop::{Browser, NotificationServer, Screen, TrayHost, drop_files},
    lab::{self, Dockerd, Dockline, Need, RegistryHost, Workstation},
};
use nix::sys::signal::Signal;
use std::path::PathBuf;

/// What WebDriver calls the Tab and Enter keys (WebDriver, 17.4.2).
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

const HOST: &[Need] = &[Need::Desktop, Need::Root, Need::Sshd, Need::Registry];

/// An image archive of several layers, as `docker save` writes them.
fn archive(dockline: &Dockline) -> PathBuf {
    let path = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&path).expect("the folder is ours");
    path
}

fn card(name: &impl std::fmt::Display) -> String {
    format!("[data-testid=registry-card][data-registry=\"{name}\"]")
}

/// Adds the host with words that the README's pictures can have. `net` is for no other test of this file, and its address
/// there for no other process.
fn boss(dockline: &Dockline, host: &RegistryHost, net: u8) -> RegistryName {
    dockline.nickname("boss", host);
    dockline.trust(&host.known_hosts_line());
    let [.., high, low] = std::process::id().to_be_bytes();
    let address = format!("127.{net}.{high}.{low}");
    dockline.run(&["add", "cr.boss.org", "--ssh", "boss", "--address", &address]).expect_success();
    "cr.boss.org".parse().expect("a name")
}

#[tokio::test(flavor = "multi_thread")]
async fn add_connect_push_done() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let archive = archive(&dockline);
    let name = lab::unique_registry_name("cr");
    let _tray = TrayHost::start(&screen).await;
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.photograph("registries-empty-light").await;

    window.click("[data-testid=add-registry]").await;
    window.fill("add-name", name.as_str()).await;
    window.fill("add-ssh", &format!("{}:{}", host.destination(), host.port())).await;
    window.click("[data-testid=add-advanced]").await;
    window.fill("add-identity", &host.identity().display().to_string()).await;
    window.photograph("add-registry-light").await;
    window.click("[data-testid=add-submit]").await;
    window.see_gone("[data-testid=add-dialog]").await;
    window.see(&format!("{}[data-state=idle]", card(&name))).await;

    // The host is unknown: the key is shown once, as `ssh-keygen -l` prints it, and remembered.
    window.click(&format!("{} [data-testid=connect]", card(&name))).await;
    window.see("[data-testid=prompt-dialog][data-question=host-key]").await;
    assert!(window.text("[data-testid=prompt-fingerprint]").await.contains(&host.fingerprint()));
    window.photograph("question-host-key-light").await;
    window.click("[data-testid=prompt-accept]").await;
    window.see(&format!("{}[data-state=up]", card(&name))).await;
    window.see(&format!("{} [data-testid=holder][data-holder=manual]", card(&name))).await;
    window.photograph("registries-up-light").await;

    window.click("[data-testid=nav-images]").await;
    window.click("[data-testid=push-archive]").await;
    window.fill("archive-path", &archive.display().to_string()).await;
    window.fill("archive-reference", "team/sample:v1").await;
    window.click("[data-testid=archive-submit]").await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    window.photograph("transfer-done-light").await;
    let digest = host.manifest_digest("team/sample", "v1").expect("the registry has the image");
    assert_eq!(window.text("[data-testid=transfer-digest]").await, digest);

    window.click("[data-testid=nav-registries]").await;
    window.click(&format!("{} [data-testid=disconnect]", card(&name))).await;
    window.see(&format!("{}[data-state=idle], {0}[data-state=lingering]", card(&name))).await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_push_needs_no_mouse() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let archive = archive(&dockline);
    let name = lab::unique_registry_name("cr");
    let window = Browser::start(&screen, &dockline, &[]).await;

    window.press_control('n').await;
    window.part("add-name").await;
    window.type_keys(&format!("{name}{TAB}{}:{}{TAB}", host.destination(), host.port())).await;
    // “More options” unfolds, and the key file is the fourth field in it.
    window.type_keys(" ").await;
    window.part("add-identity").await;
    window.type_keys(TAB).await;
    for _ in 0..3 {
        window.type_keys(TAB).await;
    }
    window.type_keys(&format!("{}{ENTER}", host.identity().display())).await;
    window.see(&format!("{}[data-state=idle]", card(&name))).await;

    window.press_control('k').await;
    window.part("palette-input").await;
    window.type_keys(&format!("{name}: connect{ENTER}")).await;
    // The unknown host: the safe answer has the focus, and the other one is the next.
    window.see("[data-testid=prompt-refuse]:focus").await;
    window.type_keys(TAB).await;
    window.see("[data-testid=prompt-accept]:focus").await;
    window.type_keys(ENTER).await;
    window.see(&format!("{}[data-state=up]", card(&name))).await;

    window.press_control('o').await;
    window.part("archive-path").await;
    window.type_keys(&format!("{}{ENTER}", archive.display())).await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    window.press_control('1').await;
    window.see("[data-testid=app][data-view=registries]").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_dropped_on_the_window_is_pushed_and_told() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let archive = archive(&dockline);
    let name = dockline.add(&host);
    let mut notifications = NotificationServer::start(&screen).await;
    let _tray = TrayHost::start(&screen).await;
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see(&card(&name)).await;
    screen.wait_for_windows("Dockline", 1).await;

    let (x, y) = screen.middle_of("Dockline");
    // Another window has the focus, as it has when somebody drags from it; so the end is told by a notification.
    screen.look_elsewhere().await;
    drop_files(&screen, &[&archive], x, y).await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    let told = notifications.next().await;
    assert_eq!(told.summary, "Pushed sample.tar");
    assert!(told.body.contains(name.as_str()), "{}", told.body);
    let transfer = dockline.snapshot().transfers.remove(0);
    let TransferState::Done { verified } = transfer.state else { panic!("{:?}", transfer.state) };
    assert!(verified.at_registry);

    // Something else is refused before a byte moves.
    let text = dockline.folder().join("notes.txt");
    std::fs::write(&text, "not an image").unwrap();
    drop_files(&screen, &[&text], x, y).await;
    window.see("[data-testid=notice]").await;
    assert_eq!(dockline.snapshot().transfers.len(), 1);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_the_engines_is_pushed_from_the_list() {
    if !lab::requires(&[HOST, &[Need::Dockerd]].concat()) {
        return;
    }
    let (screen, host) = (Screen::start(), RegistryHost::start());
    let dockerd = Dockerd::start(&Workstation::start());
    dockerd.build_image("jobs:nightly", &[640]);
    dockerd.build_image("shop/web:2.4.1", &[2048, 64]);
    dockerd.build_image("shop/api:2.4.1", &[16 * 1024, 8 * 1024, 4 * 1024, 2 * 1024, 1024, 64]);
    let dockline = Dockline::new().with_engine(dockerd.endpoint());
    let name = boss(&dockline, &host, 78);
    // So slow that the picture has layers in every state.
    host.limit_link("160mbit");
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("[data-testid=engine-state][data-state=ready]").await;
    window.click("[data-testid=nav-images]").await;
    window.see("[data-testid=image-row][data-image=\"shop/web:2.4.1\"]").await;
    window.photograph("images-light").await;
    window.click("[data-testid=image-row][data-image=\"shop/api:2.4.1\"] [data-testid=push]").await;
    window.part("push-reference").await;
    window.photograph("push-light").await;

    // A registry that takes a break holds the push where it is, for a picture.
    window.click("[data-testid=push-submit]").await;
    window.see("[data-testid=layer-row][data-state=transferring]").await;
    window.see("[data-testid=layer-row][data-state=done]").await;
    host.registry().signal(Signal::SIGSTOP);
    window.photograph("transfer-running-light").await;
    window.click("[data-testid=nav-registries]").await;
    window.see(&format!("{} [data-testid=holder][data-holder=transfer]", card(&name))).await;
    window.photograph("registries-busy-light").await;
    host.registry().signal(Signal::SIGCONT);

    window.click("[data-testid=nav-transfers]").await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    let digest = host.manifest_digest("shop/api", "2.4.1").expect("the registry has the image");
    assert_eq!(window.text("[data-testid=transfer-digest]").await, digest);
    window.photograph("transfer-done-by-engine-light").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_shown_with_its_code() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = lab::unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    dockline.add_as(&name, &host, &["--identity", &host.wrong_identity().display().to_string()]);
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.click(&format!("{} [data-testid=connect]", card(&name))).await;
    let error = format!("{}[data-state=failed] [data-testid=registry-error]", card(&name));
    assert_eq!(window.attribute(&error, "data-code").await.as_deref(), Some("ssh-auth"));
    window.photograph("registries-failed-light").await;
    assert!(!dockline.snapshot().registries.iter().any(|r| matches!(r.tunnel.state, TunnelState::Up { .. })));

    // The button beside it leads to what mends it.
    window.click(&format!("{} [data-testid=remedy-edit]", card(&name))).await;
    assert!(window.text("[data-testid=add-dialog] h2").await.contains(name.as_str()));
    window.fill("add-identity", &host.identity().display().to_string()).await;
    window.click("[data-testid=add-submit]").await;
    window.see_gone("dialog[open]").await;
    window.click(&format!("{} [data-testid=connect]", card(&name))).await;
    window.see(&format!("{}[data-state=up]", card(&name))).await;
    window.see_gone("[data-testid=registry-error]").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_pushes_its_sample_and_needs_nothing() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let mut notifications = NotificationServer::start(&screen).await;
    let window = Browser::start(&screen, &dockline, &["--demo"]).await;
    let demo = card(&"cr.demo.test");
    window.click(&format!("{demo} [data-testid=connect]")).await;
    window.see(&format!("{demo}[data-state=up]")).await;
    window.click(&format!("{demo} [data-testid=push-sample]")).await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    window.photograph("demo-done-light").await;
    assert!(!notifications.has_more(), "the person saw it happen in the window");
    assert!(!dockline.config_file().exists(), "the demo left something in the person's own configuration");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn docker_push_is_made_to_work_and_undone() {
    if !lab::requires(&[HOST, &[Need::Dockerd]].concat()) {
        return;
    }
    let (screen, host) = (Screen::start(), RegistryHost::start());
    let workstation = Workstation::start();
    let dockerd = Dockerd::start(&workstation);
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
    let name = boss(&dockline, &host, 79);
    let before = workstation.hosts();
    let window = Browser::start(&screen, &dockline, &[]).await;

    // The doctor finds what is missing, and its button leads to the plan of what mends it.
    window.see(&format!("{} [data-testid=fix-hosts]", card(&name))).await;
    window.click("[data-testid=nav-doctor]").await;
    window.click("[data-testid=doctor-start]").await;
    window.see("[data-testid=doctor-summary][data-state=failed]").await;
    window.see("[data-testid=doctor-link][data-link=name][data-state=failed]").await;
    window.photograph("doctor-found-light").await;
    window.click("[data-testid=doctor-link][data-link=name] [data-testid=doctor-remedy]").await;
    window.see("[data-testid=setup-dialog][data-stage=needed]").await;
    assert!(window.text("[data-testid=setup-engine]").await.contains("Docker"));
    assert!(window.text("[data-testid=setup-diff]").await.contains(name.as_str()));
    assert_eq!(workstation.hosts(), before, "nothing is written before somebody agreed");
    window.photograph("setup-light").await;
    window.click("[data-testid=setup-apply]").await;
    window.see("[data-testid=setup-dialog][data-stage=report]").await;
    window.see("[data-testid=setup-check][data-outcome=reached]").await;
    window.photograph("setup-done-light").await;
    window.click("[data-testid=setup-cancel]").await;
    window.click("[data-testid=doctor-start]").await;
    window.see("[data-testid=doctor-summary][data-state=passed]").await;
    window
        .until(
            "return document.querySelectorAll('[data-testid=doctor-link][data-state=passed]').length === 12",
        )
        .await;
    window.photograph("doctor-mended-light").await;
    window.click("[data-testid=doctor-copy]").await;
    window.see("[data-testid=notice].info").await;
    window.click("[data-testid=notice-close]").await;
    window.click("[data-testid=nav-registries]").await;
    window.see_gone(&format!("{} [data-testid=fix-hosts]", card(&name))).await;

    // Docker's own push is seen in the window, which keeps the tunnel open for the person as well.
    window.click(&format!("{} [data-testid=connect]", card(&name))).await;
    let holder = |kind: &str| format!("{} [data-testid=holder][data-holder={kind}]", card(&name));
    window.see(&holder("manual")).await;
    let image = format!("{name}:5000/shop/api:2.4.1");
    dockerd.build_image(&image, &[24 * 1024, 12 * 1024, 64]);
    host.limit_link("20mbit");
    let mut push = dockerd.docker(&["push", &image]);
    let push = tokio::task::spawn_blocking(move || lab::try_run(&mut push));
    window.see(&holder("connection")).await;
    let rate = "document.querySelector('[data-testid=rate-graph] span.up').textContent";
    window.until(&format!("return /[1-9]/.test({rate})")).await;
    window.photograph("registries-used-light").await;
    host.limit_link("160mbit");
    push.await.expect("docker ends").expect_success();
    assert!(host.manifest_digest("shop/api", "2.4.1").is_some());

    window.click("[data-testid=setup-open]").await;
    window.see("[data-testid=setup-dialog][data-stage=already-satisfied]").await;
    window.click("[data-testid=setup-undo-one]").await;
    window.see("[data-testid=setup-dialog][data-stage=needed]").await;
    window.click("[data-testid=setup-apply]").await;
    window.see("[data-testid=setup-dialog][data-stage=report]").await;
    assert_eq!(workstation.hosts(), before);
    window.close().await;
}

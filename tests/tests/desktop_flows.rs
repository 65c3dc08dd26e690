//! What a person does in the window from the first start on, each flow to its end on real parts: the first registry and
//! the first push, registries changed and handed on, images pushed with the mouse and the palette, pulled by pasting and
//! deleted, transfers held up, and settings that hold. What has a mouse in it is done without one, too.

use dockline_model::{RegistryName, TransferKind, TransferState};
use dockline_tests::{
    desktop::{Browser, Mouse, PATIENCE, Screen, TrayHost, drop_files, hold_files},
    lab::{self, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Workplace, Workstation},
};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::{fs, net::SocketAddr, path::PathBuf};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// What WebDriver calls these keys (WebDriver, 17.4.2).
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const DOWN: &str = "\u{e015}";
const F2: &str = "\u{e032}";

const HOST: &[Need] = &[Need::Desktop, Need::Root, Need::Sshd, Need::Registry];

fn card(name: &RegistryName) -> String {
    format!("[data-testid=registry-card][data-registry=\"{name}\"]")
}

/// An image archive of several layers, as `docker save` writes them.
fn archive(dockline: &Dockline) -> PathBuf {
    let path = dockline.folder().join("sample.tar");
    dockline_registry::sample::write_sample(&path).expect("the folder is ours");
    path
}

async fn value_of(window: &Browser, testid: &str) -> String {
    window.part(testid).await.prop("value").await.expect("a field has a value").unwrap_or_default()
}

/// Presses a key until what `selector` finds has the focus.
async fn press_until_at(window: &Browser, key: &str, selector: &str) {
    window.see(selector).await;
    let focused = format!("{selector}:focus");
    for _ in 0..80 {
        if window.has(&focused).await {
            return;
        }
        window.type_keys(key).await;
    }
    panic!("the keyboard does not come to {selector}");
}

/// Goes on by Tab to what `selector` finds.
async fn tab_to(window: &Browser, selector: &str) {
    press_until_at(window, TAB, selector).await;
}

/// Puts this in the place of what the field with the focus says.
async fn type_over(window: &Browser, text: &str) {
    window.press_control('a').await;
    window.type_keys(text).await;
}

/// Chooses a registry with the arrows: of radio buttons, Tab stops at the chosen one only.
async fn choose_registry(window: &Browser, testid: &str, name: &RegistryName) {
    tab_to(window, &format!("[data-testid={testid}]")).await;
    press_until_at(window, DOWN, &format!("[data-testid={testid}][data-registry=\"{name}\"]")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_ends_in_a_first_push_and_leaving_it_halfway_loses_nothing() {
    if !lab::requires(&[HOST, &[Need::Dockerd]].concat()) {
        return;
    }
    let (screen, host) = (Screen::start(), RegistryHost::start());
    let workstation = Workstation::start();
    let dockerd = Dockerd::start(&workstation);
    dockerd.build_image("team/app:v1", &[64, 8]);
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
    let name = lab::unique_registry_name("cr");
    dockline.nickname("boss", &host);

    // With a tray, closing the window is not the end of the app.
    let _tray = TrayHost::start(&screen).await;
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("[data-testid=welcome][data-step=choose]").await;
    window.click("[data-testid=proposal][data-source=ssh-config]").await;
    assert_eq!(value_of(&window, "welcome-ssh").await, "boss");
    window.fill("welcome-name", name.as_str()).await;
    window.photograph("welcome-chosen-light").await;
    screen.close_window(screen.windows("Dockline")[0]);
    screen.wait_for_windows("Dockline", 0).await;
    // The driver has no page to end its session with any more.
    dockline.json(&["agent", "--stop", "--force"]).expect_success();
    drop(window);

    let window = Browser::start(&screen, &dockline, &[]).await;
    assert_eq!(value_of(&window, "welcome-ssh").await, "boss");
    assert_eq!(value_of(&window, "welcome-name").await, name.as_str());
    window.click("[data-testid=welcome-test]").await;
    window.see("[data-testid=prompt-dialog][data-question=host-key]").await;
    assert!(window.text("[data-testid=prompt-fingerprint]").await.contains(&host.fingerprint()));
    assert_eq!(window.violations().await, [""; 0]);
    window.click("[data-testid=prompt-accept]").await;
    window.part("welcome-summary").await;
    assert_eq!(window.violations().await, [""; 0]);
    window.photograph("welcome-tested-light").await;
    // The name and the engine's settings are for afterwards; everything else holds, the engine's own request too.
    let links = states_of_links(&window).await;
    let expected = |link: &str| match link {
        "name" | "engine-settings" => "skipped",
        _ => "passed",
    };
    for (link, state) in &links {
        assert_eq!(state, expected(link), "{link} in {links:?}");
    }
    assert_eq!(links.len(), 12);
    assert!(dockline.snapshot().registries.is_empty(), "a test adds nothing");

    window.click("[data-testid=welcome-add]").await;
    window.see("[data-testid=welcome][data-step=push]").await;
    window.click("[data-testid=welcome-push][data-image=\"team/app:v1\"]").await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    let digest = host.manifest_digest("team/app", "v1").expect("the registry has the image");
    assert_eq!(window.text("[data-testid=transfer-digest]").await, digest);
    window.click("[data-testid=nav-registries]").await;
    window.see(&card(&name)).await;
    window.close().await;
}

async fn states_of_links(window: &Browser) -> Vec<(String, String)> {
    let found = window
        .run(
            "return [...document.querySelectorAll('[data-testid=doctor-link]')].map(l => [l.dataset.link, l.dataset.state]);",
        )
        .await;
    serde_json::from_value(found).expect("pairs of words")
}

#[tokio::test(flavor = "multi_thread")]
async fn registries_are_duplicated_changed_handed_on_and_removed() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let window = Browser::start(&screen, &dockline, &[]).await;

    // A program of the person's uses the tunnel, so closing it asks first.
    let spec = dockline.snapshot().registries.remove(0).spec;
    let mut program = talk(spec.listen()).await;
    let holder = |kind: &str| format!("{} [data-testid=holder][data-holder={kind}]", card(&name));
    window.see(&holder("connection")).await;
    window.click(&format!("{} [data-testid=connect]", card(&name))).await;
    window.see(&holder("manual")).await;
    let disconnect = format!("{} [data-testid=disconnect]", card(&name));
    window.click(&disconnect).await;
    window.part("confirm-dialog").await;
    window.click("[data-testid=confirm-cancel]").await;
    window.see_gone("dialog[open]").await;
    window.see(&holder("connection")).await;
    window.click(&disconnect).await;
    window.click("[data-testid=confirm-accept]").await;
    window.see(&format!("{}[data-state=idle]", card(&name))).await;
    // Whether it sees an orderly end or a reset, it is not left waiting.
    timeout(PATIENCE, program.read_to_end(&mut Vec::new())).await.expect("the program is told").ok();

    let copy = lab::unique_registry_name("copy");
    let more = format!("{} [data-testid=more]", card(&name));
    window.click(&more).await;
    window.click("[data-testid=duplicate]").await;
    assert!(value_of(&window, "add-ssh").await.contains(&host.destination()));
    window.fill("add-name", name.as_str()).await;
    window.click("[data-testid=add-submit]").await;
    window.part("add-name-error").await;
    window.fill("add-name", copy.as_str()).await;
    window.click("[data-testid=add-submit]").await;
    window.see(&format!("{}[data-state=idle]", card(&copy))).await;

    window.click(&format!("{} [data-testid=more]", card(&copy))).await;
    window.click("[data-testid=edit]").await;
    window.fill("add-linger", "42").await;
    window.click("[data-testid=add-submit]").await;
    window.see_gone("dialog[open]").await;
    let specs: Vec<_> = dockline.snapshot().registries.into_iter().map(|view| view.spec).collect();
    let changed = specs.iter().find(|spec| spec.name == copy).expect("it is there");
    assert_eq!(changed.linger_seconds, 42);
    assert_eq!(changed.ssh.identity, spec.ssh.identity, "the key came along");
    window.click(&format!("{} [data-testid=connect]", card(&copy))).await;
    window.see(&format!("{}[data-state=up]", card(&copy))).await;

    // What is handed on has both, and nobody's own key files.
    window.click("[data-testid=team-open]").await;
    let file = window.text("[data-testid=team-text]").await;
    assert!(file.contains(name.as_str()) && file.contains(copy.as_str()), "{file}");
    assert!(!file.contains(&host.identity().display().to_string()), "{file}");
    window.click("[data-testid=team-copy]").await;
    window.until("return document.querySelector('[data-testid=spoken]').textContent === 'Copied'").await;
    window.click("[data-testid=team-cancel]").await;
    window.see_gone("dialog[open]").await;

    for gone in [&copy, &name] {
        window.click(&format!("{} [data-testid=remove]", card(gone))).await;
        window.click("[data-testid=confirm-accept]").await;
        window.see_gone(&card(gone)).await;
    }
    window.see("[data-testid=welcome][data-step=choose]").await;
    assert!(dockline.snapshot().registries.is_empty());

    // As another person of the team gets it.
    window.click("[data-testid=team-open]").await;
    window.click("[data-testid=team-paste]").await;
    window.press_control('v').await;
    window.until("return document.querySelector('[data-testid=team-paste]').value !== ''").await;
    assert_eq!(value_of(&window, "team-paste").await.trim(), file);
    window.click("[data-testid=team-submit]").await;
    window
        .see("[data-testid=team-entry][data-verdict=add] + [data-testid=team-entry][data-verdict=add]")
        .await;
    assert!(dockline.snapshot().registries.is_empty(), "it is shown before it is taken over");
    window.click("[data-testid=team-submit]").await;
    for back in [&name, &copy] {
        window.see(&card(back)).await;
    }
    window.close().await;
}

/// A request of somebody's through the tunnel; the connection stays open.
async fn talk(address: SocketAddr) -> TcpStream {
    let mut program = TcpStream::connect(address).await.expect("Dockline listens");
    let request = format!("GET /v2/ HTTP/1.1\r\nHost: {address}\r\n\r\n");
    program.write_all(request.as_bytes()).await.expect("Dockline listens");
    let mut answer = [0; 12];
    timeout(PATIENCE, program.read_exact(&mut answer)).await.expect("in time").expect("the registry answers");
    assert_eq!(&answer, b"HTTP/1.1 200");
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_pushed_by_palette_and_mouse_pulled_by_pasting_and_deleted() {
    if !lab::requires(&[HOST, &[Need::Dockerd]].concat()) {
        return;
    }
    let (screen, host) = (Screen::start(), RegistryHost::start());
    let dockerd = Dockerd::start(&Workstation::start());
    dockerd.build_image("team/app:v1", &[256, 64]);
    dockerd.build_image("team/web:v2", &[64]);
    let dockline = Dockline::new().with_engine(dockerd.endpoint());
    let (name, other) = (dockline.add(&host), lab::unique_registry_name("other"));
    dockline.add_as(&other, &host, &[]);
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("[data-testid=engine-state][data-state=ready]").await;

    window.press_control('k').await;
    window.part("palette-input").await;
    window.type_keys(&format!("push team/web:v2{ENTER}")).await;
    window.click(&format!("[data-testid=push-registry][data-registry=\"{other}\"]")).await;
    window.click("[data-testid=push-submit]").await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    assert!(host.manifest_digest("team/web", "v2").is_some());
    assert_eq!(dockline.snapshot().transfers[0].registry, other);

    // With a real mouse: pressed on the row, let go over a registry. Before that, over nothing: nothing happens.
    window.click("[data-testid=nav-images]").await;
    let row = "[data-testid=image-row][data-image=\"team/app:v1\"]";
    let shelf = format!("[data-carry-registry=\"{name}\"]");
    let mouse = Mouse::of(&screen);
    for let_go_there in [false, true] {
        let (x, y) = window.place_of(&format!("{row} th")).await;
        mouse.move_to((x, y));
        mouse.press();
        mouse.move_to((x + 10, y + 10));
        window.part("carry-overlay").await;
        mouse.move_to(window.place_of(&shelf).await);
        window.see(&format!("{shelf}.over")).await;
        if let_go_there {
            window.photograph("images-carried-light").await;
        } else {
            mouse.move_to((x + 10, y + 10));
            window.see_gone(&format!("{shelf}.over")).await;
        }
        mouse.release();
        window.see_gone("[data-testid=carry-overlay]").await;
    }
    window.see("[data-testid=app][data-view=transfers]").await;
    window
        .until("return document.querySelectorAll('[data-testid=transfer-row][data-state=done]').length === 2")
        .await;
    let digest = host.manifest_digest("team/app", "v1").expect("the registry has the image");
    let transfers = dockline.snapshot().transfers;
    assert_eq!(transfers.iter().filter(|transfer| transfer.registry == name).count(), 1, "{transfers:#?}");
    window.click("[data-testid=nav-images]").await;
    assert_eq!(window.text(&format!("{row} [data-testid=image-pushed]")).await, name.as_str());

    // What the registry has, and the command to pull it: pasted into the window, it pulls.
    window.click("[data-testid=nav-registries]").await;
    let inside = format!("{} [data-testid=look-inside]", card(&name));
    window.click(&inside).await;
    window.click("[data-testid=repository-row][data-name=\"team/app\"]").await;
    window.click("[data-testid=tag-row][data-name=v1]").await;
    assert_eq!(window.text("[data-testid=manifest-digest]").await, digest);
    let reference = format!("{name}:5000/team/app:v1");
    assert_eq!(window.text("[data-testid=pull-command]").await, format!("docker pull {reference}"));
    window.click("[data-testid=copy-command]").await;
    window.until("return document.querySelector('[data-testid=spoken]').textContent === 'Copied'").await;
    dockerd.run_docker(&["image", "rm", "--force", &dockerd.image_id("team/app:v1").expect("it is there")]);
    window.click("[data-testid=nav-images]").await;
    window.see_gone(row).await;
    window.press_control('v').await;
    window.part("pull-dialog").await;
    assert!(value_of(&window, "pull-reference").await.contains(&reference));
    window.click("[data-testid=pull-submit]").await;
    window.see("[data-testid=transfer-row][data-kind=pull][data-state=done]").await;
    assert!(dockerd.image_id(&reference).is_some(), "{}", dockerd.run_docker(&["images"]));

    // Deleted, after an account of what that frees.
    window.click("[data-testid=nav-registries]").await;
    window.click(&inside).await;
    window.click("[data-testid=repository-row][data-name=\"team/app\"]").await;
    window.click("[data-testid=tag-row][data-name=v1]").await;
    window.click("[data-testid=delete-image]").await;
    window.part("delete-account").await;
    assert!(host.manifest_digest("team/app", "v1").is_some(), "nothing goes before somebody agreed");
    window.click("[data-testid=delete-submit]").await;
    window.see_gone("dialog[open]").await;
    window.see_gone("[data-testid=tag-row][data-name=v1]").await;
    assert_eq!(host.manifest_digest("team/app", "v1"), None);
    assert!(host.manifest_digest("team/web", "v2").is_some());
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_pushed_pulled_and_copied_and_a_registry_edited_without_a_mouse() {
    if !lab::requires(&[HOST, &[Need::Dockerd]].concat()) {
        return;
    }
    let (screen, host) = (Screen::start(), RegistryHost::start());
    let dockerd = Dockerd::start(&Workstation::start());
    dockerd.build_image("team/app:v1", &[256, 64]);
    let dockline = Dockline::new().with_engine(dockerd.endpoint());
    let (name, other) = (dockline.add(&host), lab::unique_registry_name("other"));
    dockline.add_as(&other, &host, &[]);
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("[data-testid=engine-state][data-state=ready]").await;
    let done = |kind: &str| format!("[data-testid=transfer-row][data-kind={kind}][data-state=done]");

    // A name that will not do is not sent: the keyboard is at its field.
    window.press_control('2').await;
    tab_to(&window, "[data-testid=image-row][data-image=\"team/app:v1\"] [data-testid=push]").await;
    window.type_keys(ENTER).await;
    window.see("[data-testid=push-reference]:focus").await;
    type_over(&window, "Team/App:v1").await;
    choose_registry(&window, "push-registry", &name).await;
    tab_to(&window, "[data-testid=push-submit]").await;
    window.type_keys(ENTER).await;
    window.see("[data-testid=push-reference][aria-invalid=true]:focus").await;
    assert!(dockline.snapshot().transfers.is_empty());
    type_over(&window, &format!("team/app:v1{ENTER}")).await;
    window.see(&done("push")).await;
    assert_eq!(dockline.snapshot().transfers[0].registry, name);
    let digest = host.manifest_digest("team/app", "v1").expect("the registry has the image");

    dockerd.run_docker(&["image", "rm", "--force", &dockerd.image_id("team/app:v1").expect("it is there")]);
    window.press_control('l').await;
    window.see("[data-testid=pull-reference]:focus").await;
    window.type_keys(&format!("{name}/team/app:v1{ENTER}")).await;
    window.see(&done("pull")).await;
    let pulled = dockerd.image_id(&format!("{name}:5000/team/app:v1"));
    assert!(pulled.is_some(), "{}", dockerd.run_docker(&["images"]));

    // From one registry to the other one, under another name.
    window.press_control('k').await;
    window.part("palette-input").await;
    window.type_keys(&format!("copy to another{ENTER}")).await;
    window.see("[data-testid=copy-from]:focus").await;
    window.type_keys(&format!("{name}/team/app:v1")).await;
    choose_registry(&window, "copy-registry", &other).await;
    tab_to(&window, "[data-testid=copy-name]").await;
    window.type_keys(&format!("team/copied:v2{ENTER}")).await;
    window.see(&done("copy")).await;
    assert_eq!(host.manifest_digest("team/copied", "v2").as_deref(), Some(digest.as_str()));

    // The card's own key opens what changes it, and the keyboard is back at the card afterwards.
    window.press_control('1').await;
    tab_to(&window, &format!("{} [data-testid=look-inside]", card(&other))).await;
    window.type_keys(F2).await;
    window.see("[data-testid=add-ssh]:focus").await;
    tab_to(&window, "[data-testid=add-linger]").await;
    type_over(&window, &format!("42{ENTER}")).await;
    window.see_gone("dialog[open]").await;
    window.see(&format!("{} :focus", card(&other))).await;
    let specs: Vec<_> = dockline.snapshot().registries.into_iter().map(|view| view.spec).collect();
    let changed = specs.iter().find(|spec| spec.name == other).expect("it is there");
    assert_eq!(changed.linger_seconds, 42);
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_shipped_without_a_mouse() {
    if !lab::requires(&[Need::Desktop, Need::Root, Need::Sshd, Need::Dockerd]) {
        return;
    }
    let screen = Screen::start();
    // A host with Docker and no registry, known by a word.
    let far = Workstation::start();
    let endpoint = format!("unix://{}", far.folder().join("docker/docker.sock").display());
    let host = RegistryHost::with(RegistryHostOptions {
        without_registry: true,
        sshd_config: format!("SetEnv DOCKER_HOST={endpoint}\n"),
        ..RegistryHostOptions::default()
    });
    let production = Dockerd::in_network(&far, &host.network());
    assert_eq!(production.endpoint(), endpoint);
    let Workplace { dockerd, dockline, .. } = Workplace::start();
    let id = dockerd.build_image("team/app:v1", &[256, 64]);
    dockline.trust(&host.known_hosts_line());
    dockline.nickname("prod", &host);
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("[data-testid=engine-state][data-state=ready]").await;

    window.press_control('2').await;
    tab_to(&window, "[data-testid=image-row][data-image=\"team/app:v1\"] [data-testid=image-more]").await;
    window.type_keys(ENTER).await;
    press_until_at(&window, DOWN, "[data-testid=ship]").await;
    window.type_keys(ENTER).await;
    window.see("[data-testid=ship-host]:focus").await;
    // Without a host there is nothing to do yet, and that is said where it is to be named.
    window.type_keys(ENTER).await;
    window.see("[data-testid=ship-host][aria-invalid=true]").await;
    window.type_keys(&format!("prod{ENTER}")).await;
    window.see("[data-testid=transfer-row][data-kind=ship][data-state=done]").await;
    let place = window.text("[data-testid=transfer-where]").await;
    assert_eq!(place.split_whitespace().collect::<Vec<_>>().join(" "), "to the Docker of prod");
    assert_eq!(production.image_id("team/app:v1").as_deref(), Some(id.as_str()));
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transfers_are_paused_cancelled_tried_again_and_put_away() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let archive = archive(&dockline);
    let name = dockline.add(&host);
    let window = Browser::start(&screen, &dockline, &[]).await;
    let row = |state: &str| format!("[data-testid=transfer-row][data-state={state}]");

    // A registry that takes a break holds the push where it is.
    window.see(&card(&name)).await;
    host.registry().signal(Signal::SIGSTOP);
    window.press_control('o').await;
    window.fill("archive-path", &archive.display().to_string()).await;
    window.click("[data-testid=archive-submit]").await;
    window.see(&row("running")).await;
    window.click("[data-testid=pause]").await;
    window.see(&row("paused")).await;
    window.click("[data-testid=resume]").await;
    window.see(&row("running")).await;
    window.click("[data-testid=cancel]").await;
    window.see(&row("cancelled")).await;
    host.registry().signal(Signal::SIGCONT);
    // With the keyboard, and pressed twice: the new row has the focus, and nothing happens to it.
    tab_to(&window, "[data-testid=retry]").await;
    window.type_keys(&format!("{ENTER}{ENTER}")).await;
    window.see(&format!("{}:focus", row("done"))).await;
    assert_eq!(dockline.snapshot().transfers.len(), 1);
    assert!(host.manifest_digest("dockline-sample", "v1").is_some());
    window
        .until(
            "const row = document.querySelector('[data-testid=dismiss]'); row?.click(); return row === null",
        )
        .await;
    window.part("transfers-empty").await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_dropped_on_one_of_two_registries_go_there() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let archive = archive(&dockline);
    let packed = lab::try_run(std::process::Command::new("gzip").arg("--keep").arg("--fast").arg(&archive));
    packed.expect_success();
    let packed = archive.with_extension("tar.gz");
    let text = dockline.folder().join("notes.txt");
    fs::write(&text, "not an image").expect("the folder is ours");
    let (name, other) = (dockline.add(&host), lab::unique_registry_name("other"));
    dockline.add_as(&other, &host, &[]);
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see(&card(&name)).await;

    // What letting go would do is said before.
    let (x, y) = window.place_of(&card(&other)).await;
    let held = hold_files(&screen, &[&text], x, y).await;
    window.see("[data-testid=drop-overlay][data-verdict=refused]").await;
    window.photograph("drop-refused-light").await;
    held.take_away();
    // Wherever the pointer goes on to, it no longer carries anything. The page hears of the pointer later than of files,
    // and while files hang over a window no pointer moves in it, so the next ones come when it has heard of the last move.
    window.run("addEventListener('pointermove', event => { window.pointer = event; })").await;
    let mouse = Mouse::of(&screen);
    mouse.move_to((x, y));
    window.until("return window.pointer !== undefined").await;
    window.run("window.before = window.pointer").await;
    mouse.move_to((x + 5, y + 5));
    window.until("return window.pointer.clientX === window.before.clientX + 5").await;
    window.see_gone("[data-testid=drop-overlay]").await;
    drop(held);
    let held = hold_files(&screen, &[&archive, &packed, &text], x, y).await;
    window.see("[data-testid=drop-overlay][data-verdict=ok]").await;
    window.see(&format!("{}.aimed", card(&other))).await;
    window.photograph("drop-aimed-light").await;
    held.let_go().await;
    window
        .until("return document.querySelectorAll('[data-testid=transfer-row][data-state=done]').length === 2")
        .await;
    assert!(window.text("[data-testid=notice]").await.contains("notes.txt"));
    let transfers = dockline.snapshot().transfers;
    assert_eq!(transfers.len(), 2);
    for transfer in transfers {
        assert_eq!((transfer.kind, &transfer.registry), (TransferKind::Push, &other));
        assert!(matches!(transfer.state, TransferState::Done { .. }), "{transfer:?}");
    }

    // Beside the registries nobody can know which: it is asked.
    window.click("[data-testid=nav-settings]").await;
    let (x, y) = screen.middle_of("Dockline");
    drop_files(&screen, &[&archive], x, y).await;
    window.part("archive-dialog").await;
    window.click(&format!("[data-testid=archive-registry][data-registry=\"{name}\"]")).await;
    window.click("[data-testid=archive-submit]").await;
    window
        .until("return document.querySelectorAll('[data-testid=transfer-row][data-state=done]').length === 3")
        .await;
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_hold_at_once_and_after_the_next_start() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.press_control('5').await;
    window.fill("set-parallel", &format!("9{TAB}")).await;
    window.see("[data-testid=set-parallel][aria-invalid=true]").await;
    window.fill("set-parallel", &format!("4{TAB}")).await;
    window.see("[data-testid=set-parallel][aria-invalid=false]").await;
    window.fill("set-linger", &format!("42{TAB}")).await;
    window.fill("set-keepalive", &format!("7{TAB}")).await;
    for switch in ["set-keyring", "set-notice-done"] {
        window.click(&format!("[data-testid={switch}]")).await;
    }
    // The palette sets what the page sets, and the page shows it.
    window.press_control('k').await;
    window.part("palette-input").await;
    window.type_keys(&format!("colours dark{ENTER}")).await;
    window.see("html[data-theme=dark]").await;
    assert_eq!(value_of(&window, "set-theme").await, "dark");
    window.choose("set-language", "nl").await;
    window.see("html[lang=nl]").await;
    window
        .until(
            "return document.querySelector('[data-testid=nav-settings]').innerText.includes('Instellingen')",
        )
        .await;

    owner_has_the_settings(&window).await;
    let home = dockline.home().display().to_string();
    assert!(window.text("[data-testid=place-config]").await.starts_with(&home));
    window.close().await;

    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("html[data-theme=dark][lang=nl]").await;
    owner_has_the_settings(&window).await;
    window.close().await;
}

/// The last change may still be on its way.
async fn owner_has_the_settings(window: &Browser) {
    let wanted = json!({
        "transfersPerRegistry": 4, "lingerSeconds": 42, "keepaliveSeconds": 7, "keyring": false,
        "theme": "dark", "language": "nl",
        "notices": { "done": false, "failed": true, "hostKey": true, "tunnelLost": true, "update": true },
    });
    let has_all = |settings: &Value| {
        wanted.as_object().into_iter().flatten().all(|(setting, value)| settings[setting] == *value)
    };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let snapshot = window.dispatch(&json!({ "kind": "snapshot" })).await;
        let settings = &snapshot["snapshot"]["settings"];
        if has_all(settings) {
            return;
        }
        assert!(tokio::time::Instant::now() < deadline, "{settings:#} instead of {wanted:#}");
        window.settled().await;
    }
}

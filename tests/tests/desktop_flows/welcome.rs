//! The first start, from nothing to a first push.

use super::{HOST, card, value_of};
use dockline_tests::{
    desktop::{Browser, Screen, TrayHost},
    lab::{self, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Workstation},
};
use std::fs;

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
    window.part("proposal").await;
    assert_eq!(window.violations().await, [""; 0]);
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
    window.part("welcome-push").await;
    assert_eq!(window.violations().await, [""; 0]);
    window.photograph("welcome-push-light").await;
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
async fn a_registry_in_a_container_is_proposed_and_offered_to_a_host() {
    if !lab::requires(&[HOST, &[Need::Dockerd]].concat()) {
        return;
    }
    let screen = Screen::start();
    let host =
        RegistryHost::with(RegistryHostOptions { without_registry: true, ..RegistryHostOptions::default() });
    let workstation = Workstation::start();
    let (bridge, _) = workstation.bridge();
    let dockerd = Dockerd::of_system(&workstation, &bridge, &["--default-cgroupns-mode=host"]);
    dockerd.import_programs("registry:2", &["docker-registry"]);
    let settings = workstation.folder().join("registry.yml");
    let text = "version: 0.1\nstorage: {filesystem: {rootdirectory: /tmp}}\nhttp: {addr: ':5000'}\n";
    fs::write(&settings, text).expect("the workstation's folder is ours");
    let published = format!("127.0.0.1:{}", lab::free_port());
    let (port, file) = (format!("{published}:5000"), format!("{}:/etc/registry.yml", settings.display()));
    let serve = ["registry:2", "/usr/bin/docker-registry", "serve", "/etc/registry.yml"];
    dockerd.run_docker(&[&["run", "-d", "--name", "images", "-p", &port, "-v", &file], &serve[..]].concat());
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
    dockline.nickname("prod", &host);
    dockline.trust(&host.known_hosts_line());
    let window = Browser::start(&screen, &dockline, &[]).await;

    let proposal = "[data-testid=proposal][data-source=container]";
    assert!(window.text(proposal).await.contains("The container images"));
    window.click(proposal).await;
    window.part("offer-dialog").await;
    assert_eq!(value_of(&window, "offer-to").await, published);
    window.click("[data-testid=offer-submit]").await;
    window.see("[data-testid=offer-ssh][aria-invalid=true]").await;
    assert_eq!(window.violations().await, [""; 0]);
    window.fill("offer-ssh", "prod").await;
    window.click("[data-testid=offer-submit]").await;
    window.see("[data-testid=offer-card][data-state=offering]").await;
    assert_eq!(window.violations().await, [""; 0]);
    window.photograph("welcome-offered-light").await;
    let asked =
        || lab::try_run(host.inside("curl").args(["--silent", "--fail", "http://127.0.0.1:5000/v2/"]));
    asked().expect_success();
    window.click("[data-testid=offer-withdraw]").await;
    window.see_gone("[data-testid=offer-card]").await;
    assert!(!asked().status.success(), "the host has it no longer");
    window.close().await;
}

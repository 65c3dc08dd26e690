//! What an owner looks after now and then, in a real window: a registry's garbage, collected on its host to the end
//! without a mouse, and a newer Dockline.

use dockline_tests::{
    desktop::{Browser, Screen, serve_versions},
    lab::{self, Dockline, Need, RegistryHost, RegistryHostOptions, Systemd},
};
use std::sync::{Arc, Mutex};

/// What WebDriver calls these keys (WebDriver, 17.4.2).
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// Goes on by Tab to what `selector` finds.
async fn tab_to(window: &Browser, selector: &str) {
    window.see(selector).await;
    for _ in 0..80 {
        if window.has(&format!("{selector}:focus")).await {
            return;
        }
        window.type_keys(TAB).await;
    }
    panic!("the keyboard does not come to {selector}");
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_collected_to_its_end_without_a_mouse() {
    if !lab::requires(&[Need::Desktop, Need::Root, Need::Sshd, Need::Registry]) {
        return;
    }
    let (screen, systemd) = (Screen::start(), Systemd::new());
    let host = RegistryHost::with(RegistryHostOptions {
        sshd_config: systemd.sshd_config(),
        ..RegistryHostOptions::default()
    });
    let dockline = Dockline::new();
    let name = dockline.add(&host);
    let sample = dockline.folder().join("sample.tar").display().to_string();
    dockline_registry::sample::write_sample(sample.as_ref()).expect("the folder is ours");
    for tag in ["keep:v1", "app:v1"] {
        dockline.run(&["push", &sample, &format!("{name}/{tag}")]).expect_success();
    }
    for tag in ["keep:v1", "app:v1"] {
        dockline.run(&["rm", &format!("{name}/{tag}"), "--yes"]).expect_success();
    }

    let window = Browser::start(&screen, &dockline, &[]).await;
    tab_to(&window, &format!("[data-registry=\"{name}\"] [data-testid=look-inside]")).await;
    window.type_keys(ENTER).await;
    tab_to(&window, "[data-testid=collect-open]").await;
    window.type_keys(ENTER).await;
    // Started by hand, it cannot be stopped and started from here; what to do stands in the dialog.
    window.see("[data-testid=collect-error]").await;
    let refusal = window.text("[data-testid=collect-error]").await;
    assert!(refusal.contains("neither a container nor a systemd service"), "{refusal}");
    window.photograph("collect-refused-light").await;

    let service = systemd.serve(&host, None);
    tab_to(&window, "[data-testid=collect-submit]").await;
    window.type_keys(ENTER).await;
    window.see("[data-testid=collect-dialog][data-stage=planned]").await;
    let plan = window.text("[data-testid=collect-plan]").await;
    assert!(plan.contains(&service.name()), "{plan}");
    window.photograph("collect-planned-light").await;
    assert_eq!(service.log(), "", "a look stops nothing");
    tab_to(&window, "[data-testid=collect-submit]").await;
    window.type_keys(ENTER).await;
    window.see("[data-testid=collect-dialog][data-stage=done]").await;
    window.photograph("collect-done-light").await;
    let unit = service.name();
    assert_eq!(service.log(), format!("stop {unit}\nstart {unit}\n"));
    // The focus is on the way out.
    tab_to(&window, "[data-testid=collect-cancel]").await;
    window.type_keys(ENTER).await;
    window.see_gone("dialog[open]").await;
    let left =
        lab::run("find", &[&host.storage().display().to_string(), "-path", "*/blobs/*", "-name", "data"]);
    assert_eq!(left, "", "every blob has gone");
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_version_stands_among_the_settings() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let url = serve_versions(Arc::new(Mutex::new("98.0.0"))).await;
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.press_control('5').await;
    window.fill("set-update-url", &format!("{url}{TAB}")).await;
    window.click("[data-testid=check-updates]").await;
    window.see("[data-testid=open-release]").await;
    let known = window.text("[data-testid=updates]").await;
    assert!(known.contains("98.0.0"), "{known}");
    window
        .run("document.querySelector('[data-testid=open-release]').scrollIntoView({ block: 'center' })")
        .await;
    window.photograph("update-known-light").await;
    window.close().await;
}

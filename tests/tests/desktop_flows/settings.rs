//! Settings, which hold.

use super::{ENTER, TAB, value_of};
use dockline_tests::{
    desktop::{Browser, PATIENCE, Screen, serve_counted_versions},
    lab::{self, Dockline, Need},
};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, atomic::Ordering};

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
    // Told where to ask and how often, it asks at once by itself.
    assert!(!window.has("[data-testid=open-release]").await);
    let (url, asked) = serve_counted_versions(Arc::new(Mutex::new("98.0.0"))).await;
    window.fill("set-update-url", &format!("not an address{TAB}")).await;
    window.part("set-update-url-error").await;
    window.fill("set-update-url", &format!("{url}{TAB}")).await;
    window.choose("set-update-check", "daily").await;
    window.part("open-release").await;
    assert!(window.text("[data-testid=updates]").await.contains("98.0.0"));
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

    owner_has(&window, &wanted()).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    let home = dockline.home().display().to_string();
    assert!(window.text("[data-testid=place-config]").await.starts_with(&home));
    window.close().await;

    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("html[data-theme=dark][lang=nl]").await;
    owner_has(&window, &wanted()).await;
    // What is newer is known, and nobody was asked again for that; nor is anybody when the settings are looked at anew.
    window.press_control('5').await;
    window.part("open-release").await;
    for often in ["weekly", "off"] {
        window.choose("set-update-check", often).await;
        owner_has(&window, &json!({ "updateCheck": often })).await;
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "nobody was asked again");
    // Whoever says so asks all the same.
    window.dispatch(&json!({ "kind": "check-updates" })).await;
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    window.close().await;
}

fn wanted() -> Value {
    json!({
        "transfersPerRegistry": 4, "lingerSeconds": 42, "keepaliveSeconds": 7, "keyring": false,
        "updateCheck": "daily", "theme": "dark", "language": "nl",
        "notices": { "done": false, "failed": true, "hostKey": true, "tunnelLost": true, "update": true },
    })
}

/// The last change may still be on its way.
async fn owner_has(window: &Browser, wanted: &Value) {
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

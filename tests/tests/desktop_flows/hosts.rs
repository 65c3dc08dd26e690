//! A registry on several hosts: a push to all of them, and what is seen of one that is away.

use super::{HOST, card};
use dockline_tests::{
    desktop::{Browser, Screen},
    lab::{self, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Workstation},
};
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn an_image_goes_to_every_host_of_a_registry_and_to_the_one_that_was_away_later() {
    if !lab::requires(&[HOST, &[Need::Dockerd]].concat()) {
        return;
    }
    let (screen, mut first) = (Screen::start(), RegistryHost::start());
    let public = fs::read_to_string(first.identity().with_extension("pub")).expect("the host has a key");
    let second =
        RegistryHost::with(RegistryHostOptions { also_authorized: public, ..RegistryHostOptions::default() });
    let dockerd = Dockerd::start(&Workstation::start());
    dockerd.build_image("team/app:v1", &[64]);
    dockerd.build_image("team/app:v2", &[64]);
    let dockline = Dockline::new().with_engine(dockerd.endpoint());
    let name = dockline.add(&first);
    dockline.trust(&second.known_hosts_line());
    let window = Browser::start(&screen, &dockline, &[]).await;
    window.see("[data-testid=engine-state][data-state=ready]").await;
    let row = |state: &str| format!("[data-testid=transfer-row][data-state={state}]");

    // The second host comes with a word in the registry's own dialog.
    window.click(&format!("{} [data-testid=more]", card(&name))).await;
    window.click("[data-testid=edit]").await;
    window.fill("add-fallbacks", &second.destination()).await;
    window.click("[data-testid=add-submit]").await;
    window.see_gone("dialog[open]").await;
    assert_eq!(dockline.snapshot().registries[0].spec.fallbacks.len(), 1);

    window.press_control('2').await;
    let push = |image: &str| format!("[data-testid=image-row][data-image=\"{image}\"] [data-testid=push]");
    window.click(&push("team/app:v1")).await;
    window.click("[data-testid=push-everywhere]").await;
    window.click("[data-testid=push-submit]").await;
    window.see_as_many(&row("done"), 2).await;
    let digest = first.manifest_digest("team/app", "v1");
    assert!(digest.is_some());
    assert_eq!(second.manifest_digest("team/app", "v1"), digest);

    // One of them is away: the other one has the image, and the row says which has not.
    first.stop_sshd();
    window.press_control('2').await;
    window.click(&push("team/app:v2")).await;
    window.click("[data-testid=push-everywhere]").await;
    window.click("[data-testid=push-submit]").await;
    window.see_as_many(&row("done"), 3).await;
    window.see(&row("failed")).await;
    let place = window.text(&format!("{} [data-testid=transfer-where]", row("failed"))).await;
    assert!(place.contains(&first.address().to_string()), "{place}");
    assert!(second.manifest_digest("team/app", "v2").is_some());
    assert_eq!(first.manifest_digest("team/app", "v2"), None);
    // The failure's own button leads to what examines the way.
    window.click(&format!("{} [data-testid=remedy-check]", row("failed"))).await;
    window.see("[data-testid=app][data-view=doctor]").await;
    window.see("[data-testid=doctor-summary]").await;
    window.press_control('1').await;
    window.click(&format!("{} [data-testid=connect]", card(&name))).await;
    let detour = window.text(&format!("{}[data-state=up] [data-testid=registry-detour]", card(&name))).await;
    assert!(detour.contains(&second.address().to_string()), "{detour}");
    window.photograph("registries-detour-light").await;

    first.start_sshd();
    window.press_control('3').await;
    window.click("[data-testid=retry]").await;
    window.see_as_many(&row("done"), 4).await;
    let digest = second.manifest_digest("team/app", "v2");
    assert_eq!(first.manifest_digest("team/app", "v2"), digest);
    window.close().await;
}

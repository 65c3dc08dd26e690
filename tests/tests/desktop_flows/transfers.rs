//! Transfers held up, gone on with, tried again and put away.

use super::{ENTER, HOST, TAB, archive, card, tab_to};
use dockline_tests::{
    desktop::{Browser, Screen},
    lab::{self, Dockline, RegistryHost},
};
use nix::sys::signal::Signal;

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
async fn several_wait_for_one_another_fail_and_are_tried_again_together() {
    if !lab::requires(HOST) {
        return;
    }
    let (screen, dockline, mut host) = (Screen::start(), Dockline::new(), RegistryHost::start());
    let name = dockline.add(&host);
    let window = Browser::start(&screen, &dockline, &[]).await;
    let rows = |state: &str| format!("[data-testid=transfer-row][data-state={state}]");

    // One at a time, and no faster than the line may be used.
    window.press_control('5').await;
    window.fill("set-parallel", &format!("1{TAB}")).await;
    window.see("[data-testid=set-parallel][aria-invalid=false]").await;
    window.press_control('1').await;
    window.click(&format!("{} [data-testid=more]", card(&name))).await;
    window.click("[data-testid=edit]").await;
    window.fill("add-limit-up", "many").await;
    window.click("[data-testid=add-submit]").await;
    window.part("add-limit-up-error").await;
    window.fill("add-limit-up", "4M").await;
    window.click("[data-testid=add-submit]").await;
    window.see_gone("dialog[open]").await;
    assert_eq!(dockline.snapshot().registries[0].spec.limits.up, Some(4_000_000));

    // A registry that takes a break holds the first, and the first holds the others.
    host.registry().signal(Signal::SIGSTOP);
    for (image, bytes) in [("one", 8 << 20), ("two", 1 << 10), ("three", 1 << 10)] {
        let path = dockline.folder().join(format!("{image}.tar"));
        lab::write_image(&path, "amd64", bytes);
        window.press_control('o').await;
        window.fill("archive-path", &path.display().to_string()).await;
        window.fill("archive-reference", &format!("team/{image}:v1")).await;
        window.click("[data-testid=archive-submit]").await;
        window.see_gone("dialog[open]").await;
    }
    window.see_as_many(&rows("waiting"), 2).await;
    window.see_as_many(&rows("running"), 1).await;
    window.click("[data-testid=pause-all]").await;
    window.part("resume-all").await;
    window.see_gone(&rows("running")).await;
    window.click("[data-testid=resume-all]").await;
    window.see(&rows("running")).await;
    window.click("[data-testid=pause-all]").await;
    window.see_gone(&rows("running")).await;

    // It ends for good: what is let go now fails, and says so to whoever mends it.
    host.registry().signal(Signal::SIGCONT);
    host.stop_registry();
    window.click("[data-testid=resume-all]").await;
    window.see_as_many(&rows("failed"), 3).await;
    window.photograph("transfers-failed-light").await;
    assert_eq!(window.violations().await, [""; 0]);
    let failed = format!("{}[data-kin$=\"team/one:v1\"]", rows("failed"));
    window.click(&format!("{failed} [data-testid=copy-report]")).await;
    let report = screen.clipboard_with("Dockline: push of ").await;
    for part in ["one.tar, failed", "code: ", "message: "] {
        assert!(report.contains(part), "no “{part}” in {report}");
    }
    let key = host.identity().display().to_string();
    assert!(!report.contains(&key), "nobody else needs to know where the key is: {report}");

    // The failure's own button leads to where the registry is said to listen; the doctor finds the same link broken.
    window.click(&format!("{failed} [data-testid=remedy-edit]")).await;
    window.part("add-remote").await;
    window.click("[data-testid=add-cancel]").await;
    window.press_control('1').await;
    window.click(&format!("{} [data-testid=more]", card(&name))).await;
    window.click("[data-testid=check]").await;
    window.see("[data-testid=doctor-summary][data-state=failed]").await;
    window.see("[data-testid=doctor-link][data-link=registry][data-state=failed]").await;

    host.start_registry();
    window.press_control('3').await;
    window.click("[data-testid=retry-all]").await;
    window.see_as_many(&rows("done"), 3).await;
    for image in ["one", "two", "three"] {
        assert!(host.manifest_digest(&format!("team/{image}"), "v1").is_some(), "{image} is not there");
    }
    let transfers = dockline.snapshot().transfers;
    let large = transfers.iter().find(|transfer| transfer.reference.contains("one")).expect("it is told");
    let took = large.finished.expect("it is done").0 - large.started.0;
    assert!(took >= 1_500, "{} bytes in {took} ms are more than 4 MB/s", large.sent);
    window.click("[data-testid=clear-finished]").await;
    window.part("transfers-empty").await;
    assert!(dockline.snapshot().transfers.is_empty());
    window.close().await;
}

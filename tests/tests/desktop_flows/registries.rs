//! Registries changed, handed on, removed and had back.

use super::{HOST, card, value_of};
use dockline_tests::{
    desktop::{Browser, PATIENCE, Screen},
    lab::{self, Dockline, RegistryHost},
};
use std::{fs, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

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
    let kept = dockline.folder().join("ours.toml");
    window.click("[data-testid=team-submit]").await;
    screen.save_file("Save the team file", &kept).await;
    let said = window.text("[data-testid=team-written]").await;
    assert!(said.contains(&format!("{}.", kept.display())), "{said}");
    assert_eq!(fs::read_to_string(&kept).expect("it was written").trim(), file);
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

    // From the disk, and once more: it is all there already.
    window.click("[data-testid=team-open]").await;
    window.click("[data-testid=team-in]").await;
    window.part("team-choose").await.send_keys(&kept.display().to_string()).await.expect("it takes a file");
    window.see_as_many("[data-testid=team-entry][data-verdict=same]", 2).await;
    window.click("[data-testid=team-cancel]").await;
    window.see_gone("dialog[open]").await;
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

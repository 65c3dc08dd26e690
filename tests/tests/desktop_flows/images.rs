//! Images on their way between an engine, registries and hosts, with the mouse and without.

use super::{DOWN, ENTER, F2, HOST, card, choose_registry, press_until_at, tab_to, type_over, value_of};
use dockline_tests::{
    desktop::{Browser, Mouse, Screen},
    lab::{self, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Workplace, Workstation},
};

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
    window.see_as_many("[data-testid=transfer-row][data-state=done]", 2).await;
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

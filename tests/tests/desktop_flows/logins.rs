//! What a host and its registry ask before they let anybody in, asked and answered in the window.

use super::{HOST, archive, card};
use dockline_tests::{
    desktop::{Browser, Screen},
    lab::{self, Daemon, Dockline, Need, RegistryHost, RegistryHostOptions},
};
use std::{fs, time::Duration};

const PASSWORD: &str = "opens the host";
const SECRET: &str = "opens the registry";

/// A registry on the host's own loopback that wants a login.
fn registry_with_login(host: &RegistryHost) -> Daemon {
    let file = |name: &str| host.storage().with_file_name(name);
    fs::write(file("htpasswd"), lab::run("htpasswd", &["-Bbn", "ann", SECRET])).expect("the folder is ours");
    let settings = format!(
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: '{}'}}}}\nhttp: {{addr: '127.0.0.1:5000'}}\n\
         auth: {{htpasswd: {{realm: lab, path: '{}'}}}}\n",
        host.storage().display(),
        file("htpasswd").display()
    );
    fs::write(file("login.yml"), settings).expect("the folder is ours");
    let mut registry = host.inside("docker-registry");
    registry.arg("serve").arg(file("login.yml"));
    let registry = Daemon::spawn("docker-registry", registry);
    registry.wait_for_line("listening on", Duration::from_secs(20));
    registry
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_of_the_host_and_the_registry_are_asked_for_in_the_window() {
    if !lab::requires(&[HOST, &[Need::Program("htpasswd")]].concat()) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    let host = RegistryHost::with(RegistryHostOptions {
        password: Some(PASSWORD.to_owned()),
        without_registry: true,
        ..RegistryHostOptions::default()
    });
    let _registry = registry_with_login(&host);
    let archive = archive(&dockline);
    let name = lab::unique_registry_name("cr");
    dockline.trust(&host.known_hosts_line());
    dockline.run(&["add", name.as_str(), "--ssh", &host.destination()]).expect_success();
    let window = Browser::start(&screen, &dockline, &[]).await;
    let asked = |question: &str| format!("[data-testid=prompt-dialog][data-question={question}]");
    let row = |state: &str| format!("[data-testid=transfer-row][data-state={state}]");

    // A wrong password is asked for once more; nothing is tried again behind anybody's back.
    window.click(&format!("{} [data-testid=connect]", card(&name))).await;
    window.see(&asked("password")).await;
    assert_eq!(window.violations().await, [""; 0]);
    window.photograph("question-password-light").await;
    window.fill("prompt-secret", "opens nothing").await;
    window.click("[data-testid=prompt-accept]").await;
    window.part("prompt-secret-error").await;
    assert_eq!(window.violations().await, [""; 0]);
    window.fill("prompt-secret", PASSWORD).await;
    window.click("[data-testid=prompt-accept]").await;
    window.see(&format!("{}[data-state=up]", card(&name))).await;
    window.see_gone("dialog[open]").await;

    // The registry has a door of its own. Whoever does not want to answer now has the button for it later.
    window.press_control('o').await;
    window.fill("archive-path", &archive.display().to_string()).await;
    window.click("[data-testid=archive-submit]").await;
    window.see(&asked("registry-login")).await;
    assert_eq!(window.violations().await, [""; 0]);
    window.photograph("question-login-light").await;
    window.click("[data-testid=prompt-refuse]").await;
    window.see(&row("failed")).await;
    window.click("[data-testid=remedy-login]").await;
    window.part("login-state").await;
    window.fill("login-user", "ann").await;
    window.fill("login-secret", "opens nothing").await;
    window.click("[data-testid=login-submit]").await;
    let refusal = window.attribute("[data-testid=login-error]", "data-code").await;
    assert_eq!(refusal.as_deref(), Some("registry-auth"));
    window.fill("login-secret", SECRET).await;
    window.click("[data-testid=login-submit]").await;
    window.see_gone("dialog[open]").await;
    window.click("[data-testid=retry]").await;
    window.see(&row("done")).await;
    let tag = "docker/registry/v2/repositories/dockline-sample/_manifests/tags/v1";
    assert!(host.storage().join(tag).is_dir(), "the registry has the image");

    // Logged out, it is asked again, and the answer is enough to go on.
    window.press_control('1').await;
    let more = format!("{} [data-testid=more]", card(&name));
    window.click(&more).await;
    window.click("[data-testid=login]").await;
    assert!(window.text("[data-testid=login-state]").await.contains("ann"));
    window.click("[data-testid=logout]").await;
    window.see_gone("[data-testid=logout]").await;
    window.click("[data-testid=login-cancel]").await;
    window.see_gone("dialog[open]").await;
    window.press_control('o').await;
    window.fill("archive-path", &archive.display().to_string()).await;
    window.fill("archive-reference", "dockline-sample:v2").await;
    window.click("[data-testid=archive-submit]").await;
    window.see(&asked("registry-login")).await;
    window.fill("prompt-user", "ann").await;
    window.fill("prompt-secret", SECRET).await;
    window.click("[data-testid=prompt-accept]").await;
    window.see_as_many(&row("done"), 2).await;

    // What was typed is nowhere on the disk, and in no log.
    let kept = lab::try_run(
        std::process::Command::new("grep").args(["-rlF", "-e", PASSWORD, "-e", SECRET]).arg(dockline.home()),
    );
    assert_eq!(kept.stdout, "", "a password was written down");
    assert!(!window.log().contains(SECRET) && !window.log().contains(PASSWORD));
    window.close().await;
}

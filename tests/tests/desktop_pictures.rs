//! Pictures of the real window, every view and dialog: light, dark, narrow, with text twice as large, in both languages;
//! empty, failing, and full of real things. They are kept as CI artefacts, and looked at. What a machine can tell is asked
//! on the way: that nothing is cut off or outside the window, and what axe-core has to say about contrast, names and
//! roles. More states and looks, on recorded events, are taken in a browser by `npm run shots`.

use dockline_tests::{
    desktop::{
        Browser, Look, MANY_IMAGES, MANY_LAYERED, MANY_LAYERS, Screen, many_registries, write_many_images,
    },
    lab::{self, Dockerd, Dockline, Need, RegistryHost, RegistryHostOptions, Systemd, Workstation},
};
use nix::sys::signal::Signal;
use serde_json::json;

/// What WebDriver calls the Escape key (WebDriver, 17.4.2).
const ESCAPE: &str = "\u{e00c}";

/// Takes pictures and gathers what is wrong in them, so that one run tells all of it.
struct Studio<'a> {
    window: &'a Browser,
    look: Look,
    wrong: Vec<String>,
}

impl Studio<'_> {
    async fn wear(&mut self, look: Look) {
        self.window.wear(&look).await;
        self.look = look;
    }

    async fn view(&mut self, view: &str) {
        self.window.click(&format!("[data-testid=nav-{view}]")).await;
        self.window.see(&format!("[data-testid=app][data-view={view}] [data-testid=view-{view}]")).await;
    }

    /// Takes the picture of what is there, and looks at it as far as a machine can.
    async fn take(&mut self, scene: &str) {
        let name = format!("{scene}.{}", self.look.name);
        self.window.photograph(&name).await;
        let flaws = self.window.flaws().await;
        self.wrong.extend(flaws.into_iter().map(|flaw| format!("{name}: {flaw}")));
        let violations = self.window.violations().await;
        self.wrong.extend(violations.into_iter().map(|violation| format!("{name}: axe-core: {violation}")));
    }

    /// As [`Self::take`], in every look, of a dialog that is open all the while; it is left again.
    async fn dialog(&mut self, scene: &str) {
        self.window.see("dialog[open]").await;
        for look in Look::ALL {
            self.wear(look).await;
            self.take(scene).await;
        }
        self.leave().await;
    }

    /// Escape, until no dialog is open: a field or a menu may take the first.
    async fn leave(&mut self) {
        self.window.type_keys(ESCAPE).await;
        self.window.see_gone("dialog[open]").await;
    }

    fn end(self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

impl<'a> Studio<'a> {
    const fn new(window: &'a Browser) -> Self {
        Self { window, look: Look::LIGHT, wrong: Vec::new() }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_there_yet() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::with(1280, 900, true), Dockline::new());
    let window = Browser::start(&screen, &dockline, &[]).await;
    let is_dark = window.run("return matchMedia('(prefers-color-scheme: dark)').matches").await;
    assert_eq!(is_dark, json!(true), "the page follows the desktop's theme where it has none of its own");
    let mut studio = Studio::new(&window);
    window.part("engine-state").await;
    window.see("[data-testid=engine-state][data-state=unavailable]").await;
    for look in Look::ALL {
        studio.wear(look).await;
        for view in ["registries", "images", "transfers", "doctor"] {
            studio.view(view).await;
            studio.take(&format!("empty-{view}")).await;
        }
    }

    // A file that does not read is told above everything, with the last good one in force.
    studio.view("registries").await;
    std::fs::write(dockline.config_file(), "registries = nonsense").expect("the folder is ours");
    window.part("config-error").await;
    studio.take("failing-configuration").await;
    studio.end();
    window.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_there_is() {
    if !lab::requires(&[Need::Desktop, Need::Root, Need::Sshd, Need::Registry, Need::Dockerd]) {
        return;
    }
    let screen = Screen::start();
    let systemd = Systemd::new();
    let sshd_config = systemd.sshd_config();
    let host = RegistryHost::with(RegistryHostOptions { sshd_config, ..RegistryHostOptions::default() });
    let _service = systemd.serve(&host, None);
    // A host that nobody knows yet, and that takes no key.
    let stranger = RegistryHost::with(RegistryHostOptions {
        password: Some("not to be guessed".to_owned()),
        without_registry: true,
        ..RegistryHostOptions::default()
    });
    let workstation = Workstation::start();
    let dockerd = Dockerd::start(&workstation);
    let dockline = Dockline::on(&workstation).with_engine(dockerd.endpoint());
    let images = dockline.folder().join("images.tar");
    write_many_images(&images);
    dockerd.run_docker(&["load", "--quiet", "--input", &images.display().to_string()]);

    // One that works, one that fails for good, one that asks, and 47 more, one of them as long as names get.
    let name = dockline.add(&host);
    let failing = lab::unique_registry_name("failing");
    dockline.add_as(&failing, &host, &["--identity", &host.wrong_identity().display().to_string()]);
    let spare = lab::unique_registry_name("spare");
    dockline.add_as(&spare, &stranger, &["--identity", &stranger.wrong_identity().display().to_string()]);
    let team = dockline.folder().join("team.toml");
    std::fs::write(&team, many_registries()).expect("the folder is ours");
    dockline.run(&["team", "import", &team.display().to_string()]).expect_success();

    let window = Browser::start(&screen, &dockline, &[]).await;
    let is_dark = window.run("return matchMedia('(prefers-color-scheme: dark)').matches").await;
    assert_eq!(is_dark, json!(false), "the page follows the desktop's theme where it has none of its own");
    window.see("[data-testid=engine-state][data-state=ready]").await;
    let snapshot = window.dispatch(&json!({ "kind": "snapshot" })).await;
    let count = |of: &serde_json::Value| of.as_array().map_or(0, Vec::len);
    assert_eq!(count(&snapshot["snapshot"]["registries"]), 50);
    assert_eq!(count(&snapshot["snapshot"]["engine"]["images"]), MANY_IMAGES + 1);
    let mut studio = Studio::new(&window);

    // A push of 60 layers, stopped in the middle by a host that takes a break.
    host.limit_link("3mbit");
    // By the engine, which says at once what layers there are.
    let push = json!({ "kind": "push", "image": MANY_LAYERED, "registry": name, "reference": MANY_LAYERED, "options": { "road": "engine" } });
    window.dispatch(&push).await;
    studio.view("transfers").await;
    let rows = "document.querySelectorAll('[data-testid=layer-row]').length";
    window.until(&format!("return {rows} === {MANY_LAYERS}")).await;
    window
        .until("return document.querySelectorAll('[data-testid=layer-row][data-state=done]').length > 4")
        .await;
    host.registry().signal(Signal::SIGSTOP);
    for look in Look::ALL {
        studio.wear(look).await;
        studio.take("full-transfers").await;
    }
    // Leaving asks first: somebody else's push would be interrupted.
    studio.view("registries").await;
    window.click(&format!("{} [data-testid=disconnect]", card(&name))).await;
    studio.dialog("disconnect-dialog").await;
    host.registry().signal(Signal::SIGCONT);
    host.limit_link("160mbit");

    // And one that fails, with the engine's own words.
    let push =
        json!({ "kind": "push", "image": "team1/service-1:1.1.0", "registry": failing, "reference": null });
    window.dispatch(&push).await;
    studio.view("transfers").await;
    window.see("[data-testid=transfer-row][data-state=failed]").await;
    window.see("[data-testid=transfer-row][data-state=done]").await;
    // What a doctor finds of that registry: the login does not hold.
    studio.view("doctor").await;
    window.choose("doctor-registry", failing.as_str()).await;
    window.click("[data-testid=doctor-start]").await;
    window.see("[data-testid=doctor-summary][data-state=failed]").await;

    for look in Look::ALL {
        studio.wear(look).await;
        studio.view("registries").await;
        window.see(&format!("{}[data-state=failed]", card(&failing))).await;
        studio.take("full-registries").await;
        for view in ["images", "doctor", "settings"] {
            studio.view(view).await;
            studio.take(&format!("full-{view}")).await;
        }
        studio.view("transfers").await;
        studio.take("failing-transfers").await;
        contents(&mut studio, &name).await;
    }
    dialogs(&mut studio, &name).await;
    questions(&mut studio, &spare, || dockline.trust(&stranger.known_hosts_line())).await;
    studio.end();
    window.close().await;
}

fn card(name: &impl std::fmt::Display) -> String {
    format!("[data-testid=registry-card][data-registry=\"{name}\"]")
}

/// From the card down to one image.
async fn contents(studio: &mut Studio<'_>, name: &dockline_model::RegistryName) {
    let window = studio.window;
    studio.view("registries").await;
    window.click(&format!("{} [data-testid=look-inside]", card(name))).await;
    window.see("[data-testid=repository-row]").await;
    window.click("[data-testid=measure-usage]").await;
    window.part("usage-total").await;
    studio.take("contents-repositories").await;
    window.click("[data-testid=repository-row][data-name=\"team/monolith\"]").await;
    window.see("[data-testid=tag-row]").await;
    studio.take("contents-tags").await;
    window.click("[data-testid=tag-row][data-name=v1]").await;
    window.see("[data-testid=blob-row]").await;
    studio.take("contents-image").await;
}

/// Every dialog that a click opens, the first from the image where [`contents`] ends.
async fn dialogs(studio: &mut Studio<'_>, name: &dockline_model::RegistryName) {
    let window = studio.window;
    window.click("[data-testid=delete-image]").await;
    window.part("delete-account").await;
    studio.dialog("delete-dialog").await;
    window.click("[data-testid=copy-image]").await;
    studio.dialog("copy-dialog").await;
    window.click("[data-testid=contents-root]").await;
    window.click("[data-testid=collect-open]").await;
    window.see("[data-testid=collect-dialog][data-stage=planned]").await;
    studio.dialog("collect-dialog").await;
    studio.view("registries").await;
    window.click("[data-testid=add-registry]").await;
    window.click("[data-testid=add-advanced]").await;
    window.fill("add-name", "registry").await;
    window.fill("add-ssh", "me@").await;
    window.fill("add-port", "99999").await;
    window.click("[data-testid=add-submit]").await;
    window.part("add-port-error").await;
    studio.dialog("add-dialog").await;

    let more = format!("{} [data-testid=more]", card(name));
    window.click(&more).await;
    window.see("[role=menu]").await;
    studio.take("registry-menu").await;
    window.click("[data-testid=edit]").await;
    studio.dialog("edit-dialog").await;
    window.click(&more).await;
    window.click("[data-testid=login]").await;
    window.part("login-state").await;
    studio.dialog("login-dialog").await;
    window.click(&format!("{} [data-testid=remove]", card(name))).await;
    window.see("[data-testid=confirm-dialog][data-stage=ready]").await;
    studio.dialog("remove-dialog").await;

    window.click("[data-testid=offer-registry]").await;
    studio.dialog("offer-dialog").await;
    window.click("[data-testid=team-open]").await;
    window.part("team-text").await;
    studio.dialog("team-dialog").await;
    window.click("[data-testid=setup-open]").await;
    window.see("[data-testid=setup-dialog][data-stage=needed]").await;
    studio.dialog("setup-dialog").await;

    studio.view("images").await;
    window.click("[data-testid=image-row] [data-testid=push]").await;
    studio.dialog("push-dialog").await;
    window.click("[data-testid=image-row] [data-testid=image-more]").await;
    window.click("[data-testid=ship]").await;
    studio.dialog("ship-dialog").await;
    window.click("[data-testid=pull]").await;
    window.click("[data-testid=pull-into-file]").await;
    studio.dialog("pull-dialog").await;
    window.click("[data-testid=push-archive]").await;
    studio.dialog("archive-dialog").await;

    window.press_control('k').await;
    studio.dialog("palette").await;
    window.type_keys("?").await;
    studio.dialog("shortcuts-dialog").await;
}

/// What a host asks that nobody knows yet; and what it asks once its key is known (`trust`).
async fn questions(studio: &mut Studio<'_>, name: &dockline_model::RegistryName, trust: impl FnOnce()) {
    let window = studio.window;
    let connect = format!("{} [data-testid=connect]", card(name));
    studio.view("registries").await;
    window.click(&connect).await;
    window.see("[data-testid=prompt-dialog][data-question=host-key]").await;
    studio.dialog("question-host-key").await;
    trust();
    window.click(&connect).await;
    window.see("[data-testid=prompt-dialog][data-question=password]").await;
    studio.dialog("question-password").await;
}

/// Everything on the page that would move when its state changes.
const MOVING: &str = "return [...document.querySelectorAll('*')].filter((element) => {
  const { animationName, transitionDuration } = getComputedStyle(element);
  return animationName !== 'none' || transitionDuration.split(', ').some((time) => parseFloat(time) > 0);
}).map((element) => element.outerHTML.slice(0, 80));";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_moves_for_who_asked_for_less_motion() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    for (screen, asked) in [(Screen::start(), false), (Screen::start().with_less_motion(), true)] {
        let dockline = Dockline::new();
        dockline.run(&["add", "cr.boss.org", "--ssh", "dockercr@192.0.2.1"]).expect_success();
        let window = Browser::start(&screen, &dockline, &[]).await;
        let reduced = window.run("return matchMedia('(prefers-reduced-motion: reduce)').matches").await;
        assert_eq!(reduced, json!(asked), "the page hears what the desktop's settings say");
        window.click("[data-testid=add-registry]").await;
        window.part("add-dialog").await;
        let moving = window.run(MOVING).await;
        let moving: Vec<&str> =
            moving.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
        assert_eq!(moving.is_empty(), asked, "{moving:#?}");
        window.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_are_shut() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    let (screen, dockline) = (Screen::start(), Dockline::new());
    dockline.run(&["add", "cr.boss.org", "--ssh", "dockercr@192.0.2.1"]).expect_success();
    let window = Browser::start(&screen, &dockline, &[]).await;
    // The window may dispatch commands and hear events, and nothing else of Tauri's.
    for command in [
        "plugin:app|version",
        "plugin:dialog|open",
        "plugin:dialog|save",
        "plugin:event|emit",
        "plugin:event|emit_to",
        "plugin:fs|read_text_file",
        "plugin:image|from_path",
        "plugin:menu|new",
        "plugin:opener|open_url",
        "plugin:path|resolve_directory",
        "plugin:resources|close",
        "plugin:shell|execute",
        "plugin:tray|new",
        "plugin:webview|create_webview_window",
        "plugin:webview|internal_toggle_devtools",
        "plugin:window|create",
        "plugin:window|close",
        "shell",
    ] {
        let said = window
            .run_async(&format!(
                "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('{command}', {{}}).then(() => done('allowed'), e => done(String(e)));"
            ))
            .await;
        let said = said.as_str().unwrap_or_default();
        assert!(said.contains("not allowed") || said.contains("not found"), "{command}: {said}");
    }
    // A command that is none is refused before it reaches the owner.
    let said = window
        .run_async(
            "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('dispatch', {command: {kind: 'remove-registry', registry: '../x'}}).then(() => done('allowed'), e => done(String(e)));",
        )
        .await;
    assert!(said.as_str().unwrap_or_default().contains("not a host name"), "{said}");
    for (what, command) in [
        ("a command that is none", "{kind: 'no-such-command'}"),
        ("a command with the wrong kind of argument", "{kind: 'cancel', transfer: '../1'}"),
        ("a setting that is none", "{kind: 'change-settings', change: {shell: 'sh'}}"),
        ("a relative path", "{kind: 'push-archive', path: '../x.tar', registry: 'cr.boss.org'}"),
        ("a relative path to write", "{kind: 'pull-archive', reference: 'cr.boss.org/a:b', path: 'x.tar'}"),
    ] {
        let said = window
            .run_async(&format!(
                "const done = arguments[0]; window.__TAURI_INTERNALS__.invoke('dispatch', {{command: {command}}}).then(() => done('allowed'), e => done(JSON.stringify(e)));"
            ))
            .await;
        assert_ne!(said, serde_json::json!("allowed"), "{what}");
    }
    assert!(dockline.snapshot().transfers.is_empty(), "nothing was begun");
    // No other page: not in this window, nor in a frame, nor in a new window.
    let said = window
        .run_async(
            "const done = arguments[0]; const frame = document.createElement('iframe'); frame.src = 'file:///etc/passwd';
             document.body.append(frame); const opened = window.open('https://example.org/');
             const image = new Image(); image.onload = () => done('loaded'); image.onerror = () => done(opened ? 'opened' : 'shut');
             image.src = 'https://example.org/x.png';",
        )
        .await;
    assert_eq!(said, serde_json::json!("shut"));
    assert_eq!(screen.windows("Dockline").len(), 1);
    for address in ["https://example.org/", "file:///etc/passwd", "data:text/html,hello"] {
        let said = window
            .run_async(&format!(
                "const done = arguments[0]; location.href = '{address}'; setTimeout(() => done(location.protocol), 300);"
            ))
            .await;
        assert_eq!(said, serde_json::json!("tauri:"), "the window went to {address}");
    }
    // Nor text made into a program.
    let said =
        window.run("try { return new Function('return 1')(); } catch (error) { return error.name; }").await;
    assert_eq!(said, serde_json::json!("EvalError"));
    // Content from elsewhere, and inline script, do not run.
    let said = window
        .run_async(
            "const done = arguments[0]; const s = document.createElement('script'); s.textContent = 'window.inline = 1';
             document.head.append(s); fetch('https://example.org/').then(() => done('fetched'), () => done(window.inline ? 'inline ran' : 'shut'));",
        )
        .await;
    assert_eq!(said, serde_json::json!("shut"));
    window.close().await;
}

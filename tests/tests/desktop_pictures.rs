//! Pictures of the window: light, dark, narrow, empty, full, failing, Dutch. Kept as CI artefacts, and looked at. What a
//! machine can tell about reading it (contrast, names, roles) is asked of axe-core on the way.

use dockline_tests::{
    desktop::{Browser, Screen},
    lab::{self, Dockline, Need},
};

#[tokio::test(flavor = "multi_thread")]
async fn the_window_in_every_light() {
    if !lab::requires(&[Need::Desktop]) {
        return;
    }
    for (theme, dark) in [("light", false), ("dark", true)] {
        let (screen, dockline) = (Screen::with(1280, 900, dark), Dockline::new());
        for number in 1..=6 {
            let (name, ssh) = (format!("cr{number}.boss.org"), format!("dockercr@192.0.2.{number}"));
            dockline.run(&["add", &name, "--ssh", &ssh]).expect_success();
        }
        // Port 1 of this machine is nobody's, so this fails at once.
        dockline.run(&["add", "refused.boss.org", "--ssh", "dockercr@127.0.0.1:1"]).expect_success();
        let window = Browser::start(&screen, &dockline, &[]).await;
        let is_dark = window.run("return matchMedia('(prefers-color-scheme: dark)').matches").await;
        assert_eq!(is_dark, serde_json::json!(dark), "the page follows the desktop's theme");
        window.photograph(&format!("registries-full-{theme}")).await;
        let failing = "[data-registry=\"refused.boss.org\"]";
        window.click(&format!("{failing} [data-testid=connect]")).await;
        window.see(&format!("{failing} [data-testid=registry-error]")).await;
        window.photograph(&format!("registries-failing-{theme}")).await;
        assert_eq!(window.violations().await, [""; 0], "registries, {theme}");
        window.click("[data-testid=nav-images]").await;
        window.photograph(&format!("images-without-engine-{theme}")).await;
        assert_eq!(window.violations().await, [""; 0], "images, {theme}");
        window.click("[data-testid=nav-transfers]").await;
        window.photograph(&format!("transfers-empty-{theme}")).await;
        assert_eq!(window.violations().await, [""; 0], "transfers, {theme}");
        window.click("[data-testid=nav-doctor]").await;
        window.photograph(&format!("doctor-{theme}")).await;
        assert_eq!(window.violations().await, [""; 0], "doctor, {theme}");
        window.click("[data-testid=nav-settings]").await;
        window.see("[data-testid=set-theme]").await;
        window.photograph(&format!("settings-{theme}")).await;
        assert_eq!(window.violations().await, [""; 0], "settings, {theme}");
        // In the other language, and back: at once, without a new page.
        window.run("const s = document.querySelector('[data-testid=set-language]'); s.value = 'nl'; s.dispatchEvent(new Event('change', { bubbles: true }))").await;
        window.see("html[lang=nl]").await;
        assert_eq!(window.text("[data-testid=nav-settings]").await, "Instellingen");
        window.photograph(&format!("settings-dutch-{theme}")).await;
        window.click("[data-testid=nav-registries]").await;
        window.photograph(&format!("registries-dutch-{theme}")).await;
        window.press_control('k').await;
        window.see("[data-testid=palette]").await;
        window.photograph(&format!("palette-dutch-{theme}")).await;
        assert_eq!(window.violations().await, [""; 0], "palette, {theme}");
        window.type_keys("\u{e00c}").await;
        window.see_gone("[data-testid=palette]").await;
        window.resize(420, 820).await;
        window.photograph(&format!("registries-narrow-{theme}")).await;
        window.resize(1270, 820).await;
        window.photograph(&format!("registries-wide-{theme}")).await;
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
